/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* difference.h: differences between libvirt's view of the GPUs and that of sysfs
 *
 * Only properties that do not depend on existing vGPUs are compared: not how many more of a type fit.
 * Changes in progress may cause a difference for a moment, so only differences found by two comparisons
 * are worth reporting. */
#pragma once

#include "gpu/inventory.h"

typedef struct {
    char *gpu;     /* address of the PF; NULL: libvirt has none of the GPUs */
    char *subject; /* what differs, "NUMA node" */
    char *libvirt; /* what libvirt has, "1"; "missing" */
    char *sysfs;
} VgpuDifference;

/* Of VgpuDifference, by GPU; empty when the views agree. @libvirt is of vgpu_nodedev_inventory(). What
 * libvirt leaves out because it may not know it (the driver of an unbound function, a NUMA node) does not
 * differ; neither do the types of a GPU of whose driver nothing was read. */
GPtrArray *vgpu_difference_list(const VgpuInventory *libvirt, const VgpuInventory *sysfs);

/* Drop those of @differences that @before does not have with the same values. */
void vgpu_difference_keep_lasting(GPtrArray *differences, const GPtrArray *before);
