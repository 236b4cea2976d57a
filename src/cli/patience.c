/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/patience.h"

#include <stdbool.h>
#include <stdio.h>

struct VgpuPatience {
    const char *doing;
    GThread *thread;
    GMutex lock;
    GCond cond;
    bool over;
};

static gpointer
wait_a_second(gpointer opaque)
{
    VgpuPatience *self = opaque;
    gint64 end = g_get_monotonic_time() + G_TIME_SPAN_SECOND;

    g_mutex_lock(&self->lock);
    while (!self->over && g_cond_wait_until(&self->cond, &self->lock, end))
        ;
    if (!self->over && self->doing)
        fprintf(stderr, "%s …\n", self->doing);
    g_mutex_unlock(&self->lock);
    return NULL;
}

VgpuPatience *
vgpu_patience_new(const char *doing)
{
    VgpuPatience *self = g_new0(VgpuPatience, 1);

    self->doing = doing;
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->thread = g_thread_new("patience", wait_a_second, self);
    return self;
}

void
vgpu_patience_free(VgpuPatience *self)
{
    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->over = true;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    g_free(self);
}
