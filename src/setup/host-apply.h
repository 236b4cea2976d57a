/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-apply.h: applies the layout to the host
 *
 * How it works: each GPU goes through the steps of diff.h; after a change it is read again, since a step
 * may undo settings that a later one has to restore. If a GPU fails, the next one is begun. Only
 * settings in the layout are ever changed. */
#pragma once

#include "setup/host-diff.h"

typedef struct {
    guint wait_s; /* for drivers that are loaded late, all GPUs together; 0: not at all */
} VgpuApplyOptions;

/* aa{sv}, a dictionary for each step that the layout names, in the order they were done: gpu,
 * step, result ("done", "unchanged", "failed"), text (s). Not floating. Each GPU's outcome is
 * logged. */
GVariant *vgpu_host_apply(const VgpuHost *host, const VgpuLayout *layout,
                          const VgpuApplyOptions *options);

/* Whether any of these results is a failure. */
bool vgpu_host_apply_failed(GVariant *results);

/* aa{sv} as of vgpu_host_diff(), of all GPUs of the layout. Not floating. */
GVariant *vgpu_host_diff_all(const VgpuHost *host, const VgpuLayout *layout);

/* The present layout of the host, without GPUs that have nothing set up. NULL: unknown. */
VgpuLayout *vgpu_host_export_all(const VgpuHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remember the results below @root, for doctor: as GVariant text, replaced durably. */
bool vgpu_host_status_save(const char *root, GVariant *results, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
