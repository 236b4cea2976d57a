/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordons.h: the cordoned GPUs, which get no new vGPUs, across restarts and reboots
 *
 * Known by the PF's address, whether such a GPU is there or not. Lives on the worker; a disk is waited for by the
 * writer's thread, and by those who ask for that. */
#pragma once

#include "base/writer.h"
#include "gpu/cordon.h"

typedef struct VgpuCordons VgpuCordons;

/* What is known from the daemons before, below @root. Of a damaged file all counts that can be read, and a warning
 * names it; NULL: there is one that cannot be read at all. @writer is borrowed, until vgpu_cordons_free(). */
VgpuCordons *vgpu_cordons_load(const char *root, VgpuWriter *writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_cordons_free(VgpuCordons *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCordons, vgpu_cordons_free)

/* Borrowed; NULL: it is not cordoned. */
VgpuCordon *vgpu_cordons_find(const VgpuCordons *self, const char *gpu);
/* The addresses of all, in order; the caller's, of borrowed strings. */
GPtrArray *vgpu_cordons_list(const VgpuCordons *self);

/* Takes @cordon, in place of the one that there is; NULL: there is none any more. */
void vgpu_cordons_put(VgpuCordons *self, const char *gpu, VgpuCordon *cordon);

/* Wait until what was put is on disk, as vgpu_writer_wait(). Any thread that may. */
bool vgpu_cordons_wait(const VgpuCordons *self, guint ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
