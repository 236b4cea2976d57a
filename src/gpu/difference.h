/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* difference.h: where libvirt's view of the GPUs and that of sysfs are not the same
 *
 * Only what stays as it is while vGPUs come and go is compared: not how many more a type has room for. What
 * is under way may differ for a moment all the same, so that only what two comparisons found is worth saying. */
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

/* Drop from @differences what @before has not, with the same values. */
void vgpu_difference_keep_lasting(GPtrArray *differences, const GPtrArray *before);
