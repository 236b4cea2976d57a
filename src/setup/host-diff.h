/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-diff.h: where a GPU is not set up as the layout says. Pure. */
#pragma once

#include "setup/host-reading.h"
#include "setup/layout.h"

/* In the order in which they are put right: MIG mode goes first, since it resets the GPU; then
 * the virtual functions, since sriov-manage takes away GPU instances and heterogeneous mode. */
typedef enum {
    VGPU_HOST_DRIVER, /* whether the GPU exists and has its own driver */
    VGPU_HOST_MIG_MODE,
    VGPU_HOST_VFS,
    VGPU_HOST_MIXED,
    VGPU_HOST_MIG,
    VGPU_HOST_SCHEDULER,
    VGPU_HOST_KEPT, /* whether the VFs that the host keeps for itself exist: nothing to do */
    VGPU_HOST_N_STEPS
} VgpuHostStep;

/* "driver", "mig-mode", "vfs", "heterogeneous", "mig", "scheduler", "host-vfs" */
const char *vgpu_host_step_name(VgpuHostStep step);

/* Whether NVML has to be asked for it. */
bool vgpu_host_step_needs_nvml(VgpuHostStep step);

/* Whether the layout has a say in it. */
bool vgpu_host_step_is_wanted(const VgpuLayoutGpu *wanted, VgpuHostStep step);

/* Where the two differ; all NULL when they do not. */
typedef struct {
    char *wanted; /* in words */
    char *actual;
} VgpuHostDifference;

void vgpu_host_difference_clear(VgpuHostDifference *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuHostDifference, vgpu_host_difference_clear)

/* Whether @step is needed; then *@out (which may be NULL) has the difference. Without a driver the rest
 * is unknown, so only the driver differs. */
bool vgpu_host_differs(const VgpuLayoutGpu *wanted, const VgpuHostReading *now, VgpuHostStep step,
                       VgpuHostDifference *out);

/* All differences of one GPU, added to @builder of type aa{sv}: gpu, what, wanted, actual (s). */
void vgpu_host_diff(const VgpuLayoutGpu *wanted, const VgpuHostReading *now,
                    GVariantBuilder *builder);

/* The present state as a layout of that one GPU; NULL when nothing on it is set up. */
VgpuLayoutGpu *vgpu_host_export(const VgpuHostReading *now);

/* "1g.12gb:4,2g.24gb:1", as vgpu_mig_parse() takes it; "" for no instances. */
char *vgpu_host_mig_text(const GPtrArray *gis);

/* "equal-share timeslice=2" */
char *vgpu_host_scheduler_text(const VgpuScheduler *scheduler);
