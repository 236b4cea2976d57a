#include "daemon/turn.h"

typedef struct {
    VgpuManager *manager;
    gint64 since;
    void (*func)(gpointer data);
    gpointer data;
    GMutex lock;
    GCond cond;
    bool is_over;
} Turn;

static void
on_seen(gpointer data)
{
    Turn *turn = data;

    turn->func(turn->data);
    g_mutex_lock(&turn->lock);
    turn->is_over = true;
    g_cond_signal(&turn->cond);
    g_mutex_unlock(&turn->lock);
}

static void
do_turn(gpointer data)
{
    Turn *turn = data;

    vgpu_manager_when_seen(turn->manager, turn->since, on_seen, turn);
}

void
vgpu_turn_seen(VgpuWorker *worker, VgpuManager *manager, guint age_ms,
               void (*func)(gpointer data), gpointer data)
{
    Turn turn = {
        .manager = manager,
        .since = g_get_monotonic_time() - (gint64) age_ms * 1000,
        .func = func,
        .data = data,
    };

    g_mutex_init(&turn.lock);
    g_cond_init(&turn.cond);
    vgpu_worker_push(worker, do_turn, &turn);
    g_mutex_lock(&turn.lock);
    while (!turn.is_over)
        g_cond_wait(&turn.cond, &turn.lock);
    g_mutex_unlock(&turn.lock);
    g_mutex_clear(&turn.lock);
    g_cond_clear(&turn.cond);
}
