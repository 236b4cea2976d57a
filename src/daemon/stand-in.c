/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stand-in.h"

#include <stdbool.h>

/* Of both threads; the last one frees it. */
struct VgpuStandIn {
    GMutex lock;
    GCond changed;
    bool has_begun;
    bool is_over;
};

VgpuStandIn *
vgpu_stand_in_new(void)
{
    VgpuStandIn *self = g_atomic_rc_box_new0(VgpuStandIn);

    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return g_atomic_rc_box_acquire(self);
}

static void
clear(gpointer data)
{
    VgpuStandIn *self = data;

    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
}

void
vgpu_stand_in_wait_for_end(gpointer data)
{
    VgpuStandIn *self = data;

    g_mutex_lock(&self->lock);
    self->has_begun = true;
    g_cond_signal(&self->changed);
    while (!self->is_over)
        g_cond_wait(&self->changed, &self->lock);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, clear);
}

void
vgpu_stand_in_wait_for_begin(VgpuStandIn *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    while (!self->has_begun)
        g_cond_wait(&self->changed, &self->lock);
}

void
vgpu_stand_in_end(VgpuStandIn *self)
{
    g_mutex_lock(&self->lock);
    self->is_over = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, clear);
}
