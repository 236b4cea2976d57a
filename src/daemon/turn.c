#include "daemon/turn.h"

#include "base/blocking.h"

/* Of the worker and the thread that has the turn; the last one frees it. */
struct VgpuTurn {
    VgpuManager *manager;
    gint64 since;
    GMutex lock;
    GCond changed;
    bool has_begun;
    bool is_over;
};

static void
turn_clear(gpointer data)
{
    VgpuTurn *self = data;

    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
}

/* On the worker. */
static void
stand_still(gpointer data)
{
    VgpuTurn *self = data;

    g_mutex_lock(&self->lock);
    self->has_begun = true;
    g_cond_signal(&self->changed);
    while (!self->is_over)
        g_cond_wait(&self->changed, &self->lock);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, turn_clear);
}

static void
stand_still_when_seen(gpointer data)
{
    VgpuTurn *self = data;

    vgpu_manager_when_seen(self->manager, self->since, stand_still, self);
}

static VgpuTurn *
begin(VgpuWorker *worker, void (*func)(gpointer data), VgpuManager *manager, gint64 since)
{
    VgpuTurn *self = g_atomic_rc_box_new0(VgpuTurn);

    vgpu_blocking_check("a turn on the worker");
    self->manager = manager;
    self->since = since;
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    vgpu_worker_push(worker, func, g_atomic_rc_box_acquire(self));
    g_mutex_lock(&self->lock);
    while (!self->has_begun)
        g_cond_wait(&self->changed, &self->lock);
    g_mutex_unlock(&self->lock);
    vgpu_blocking_forbid();
    return self;
}

VgpuTurn *
vgpu_turn_begin(VgpuWorker *worker)
{
    return begin(worker, stand_still, NULL, 0);
}

VgpuTurn *
vgpu_turn_begin_seen(VgpuWorker *worker, VgpuManager *manager, guint age_ms)
{
    return begin(worker, stand_still_when_seen, manager,
                 g_get_monotonic_time() - (gint64) age_ms * 1000);
}

void
vgpu_turn_end(VgpuTurn *self)
{
    if (!self)
        return;
    vgpu_blocking_allow();
    g_mutex_lock(&self->lock);
    self->is_over = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, turn_clear);
}
