/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordons.h: the cordoned GPUs, which get no new vGPUs, across restarts and reboots
 *
 * Identified by the PF's address, whether such a GPU is present or not. Lives on the worker; only the
 * writer's thread, and callers that ask for it, wait for a disk. */
#pragma once

#include "base/writer.h"
#include "gpu/cordon.h"

typedef struct VgpuCordons VgpuCordons;

/* Load what earlier daemons saved, below @root. A damaged file is named in a warning, and used as far as
 * it can be parsed; NULL: a file cannot be read at all. @writer is borrowed, until vgpu_cordons_free(). */
VgpuCordons *vgpu_cordons_load(const char *root, VgpuWriter *writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_cordons_free(VgpuCordons *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCordons, vgpu_cordons_free)

/* Borrowed; NULL: it is not cordoned. */
VgpuCordon *vgpu_cordons_find(const VgpuCordons *self, const char *gpu);
/* The addresses of all, in order; the caller's, of borrowed strings. */
GPtrArray *vgpu_cordons_list(const VgpuCordons *self);

/* Replace the cordon of that GPU with @cordon (taken); NULL: remove it. */
void vgpu_cordons_put(VgpuCordons *self, const char *gpu, VgpuCordon *cordon);

/* Wait until all changes are on disk, as vgpu_writer_wait() does. Any thread that may wait. */
bool vgpu_cordons_wait(const VgpuCordons *self, guint ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
