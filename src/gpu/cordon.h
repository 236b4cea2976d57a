/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon.h: the cordon of a GPU, which gets no new vGPUs
 *
 * Immutable, so that threads can share it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *since;  /* ISO 8601, UTC */
    char *reason; /* one line; NULL: none was given */
    char *by;     /* a user's name, or that of the program */
} VgpuCordon;

VgpuCordon *vgpu_cordon_new(const char *since, const char *reason, const char *by);
VgpuCordon *vgpu_cordon_ref(VgpuCordon *self);
void vgpu_cordon_unref(VgpuCordon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCordon, vgpu_cordon_unref)

/* Whether the text can be a reason: a line of 1 to 200 printable characters. */
bool vgpu_cordon_is_reason(const char *text);

/* "is cordoned: bad fan (virt-vgpu gpu-uncordon 0000:41:00.0)", of that GPU. The caller's. */
char *vgpu_cordon_text(const VgpuCordon *self, const char *gpu);
