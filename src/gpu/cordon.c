/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/cordon.h"

#include "base/printable.h"

#define REASON_MAX 200

VgpuCordon *
vgpu_cordon_new(const char *since, const char *reason, const char *by)
{
    VgpuCordon *self = g_atomic_rc_box_new0(VgpuCordon);

    self->since = g_strdup(since);
    self->reason = g_strdup(reason);
    self->by = g_strdup(by);
    return self;
}

VgpuCordon *
vgpu_cordon_ref(VgpuCordon *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
clear(gpointer data)
{
    VgpuCordon *self = data;

    g_free(self->since);
    g_free(self->reason);
    g_free(self->by);
}

void
vgpu_cordon_unref(VgpuCordon *self)
{
    if (self)
        g_atomic_rc_box_release_full(self, clear);
}

bool
vgpu_cordon_is_reason(const char *text)
{
    return *text && g_utf8_validate(text, -1, NULL) && g_utf8_strlen(text, -1) <= REASON_MAX &&
           vgpu_printable_is(text);
}

char *
vgpu_cordon_text(const VgpuCordon *self, const char *gpu)
{
    if (self->reason)
        return g_strdup_printf("is cordoned: %s (virt-vgpu gpu-uncordon %s)", self->reason, gpu);
    return g_strdup_printf("is cordoned since %s by %s (virt-vgpu gpu-uncordon %s)", self->since,
                           self->by, gpu);
}
