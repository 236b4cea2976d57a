/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/figures.h"

#include "base/error.h"

#define MAX_AGE (2 * G_TIME_SPAN_SECOND)
#define NOT_YET "the driver has not reported its figures yet; try again later"

struct VgpuFigures {
    VgpuFiguresSource source;
    GMutex lock; /* guards all below */
    GCond over;  /* a reading is */
    bool reading;
    bool outdated;  /* that one: it was forgotten before it has ended */
    guint waiting;  /* for it */
    bool known;     /* there has been one */
    gint64 time;    /* when it ended */
    GVariant *last; /* what it gave, else @error */
    GError *error;
};

VgpuFigures *
vgpu_figures_new(const VgpuFiguresSource *source)
{
    VgpuFigures *self = g_new0(VgpuFigures, 1);

    self->source = *source;
    if (!self->source.clock)
        self->source.clock = g_get_monotonic_time;
    g_mutex_init(&self->lock);
    g_cond_init(&self->over);
    return self;
}

static gpointer
read_thread(gpointer data)
{
    VgpuFigures *self = data;
    GError *error = NULL;
    GVariant *figures = self->source.read(self->source.opaque, &error);

    g_mutex_lock(&self->lock);
    g_clear_pointer(&self->last, g_variant_unref);
    g_clear_error(&self->error);
    self->last = figures;
    self->error = error;
    self->known = !self->outdated;
    self->outdated = false;
    self->time = self->source.clock();
    self->reading = false;
    g_cond_broadcast(&self->over);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* Whether the reading has ended in time, and there was a place to wait for it. Locked. */
static bool
wait_for_reading(VgpuFigures *self, guint patience_ms)
{
    gint64 end = g_get_monotonic_time() + (gint64) patience_ms * G_TIME_SPAN_MILLISECOND;
    bool in_time = true;

    if (self->reading && self->source.waiting_max && self->waiting >= self->source.waiting_max)
        return false;
    self->waiting++;
    while (self->reading && in_time) {
        if (!patience_ms)
            g_cond_wait(&self->over, &self->lock);
        else
            in_time = g_cond_wait_until(&self->over, &self->lock, end);
    }
    self->waiting--;
    return !self->reading;
}

void
vgpu_figures_forget(VgpuFigures *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    self->known = false;
    self->outdated = self->reading;
}

GVariant *
vgpu_figures_get(VgpuFigures *self, guint patience_ms, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    if (self->reading && self->outdated && !wait_for_reading(self, patience_ms)) {
        vgpu_error_set(error, VGPU_ERROR_BUSY, NOT_YET);
        return NULL;
    }
    if (!self->reading && !(self->known && self->source.clock() - self->time < MAX_AGE)) {
        self->reading = true;
        g_thread_unref(g_thread_new("figures", read_thread, self));
    }
    if (!wait_for_reading(self, patience_ms)) {
        vgpu_error_set(error, VGPU_ERROR_BUSY, NOT_YET);
        return NULL;
    }
    if (self->error && error)
        *error = g_error_copy(self->error);
    return self->last ? g_variant_ref(self->last) : NULL;
}
