/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* discovery.h: which GPUs there are, and how vGPUs are made on their functions
 *
 * Only links and files of the PCI core are read, without calling drivers, so this never waits for one. */
#pragma once

#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

/* All PCI functions of a GPU's class that are not VFs, all others that carry mdev types, and the PFs in
 * @named (a set of canonical addresses, or NULL), with their VFs and the functions that can carry vGPUs.
 * How vGPUs are made on a GPU is decided by the files of its functions; the VFs of a PF in @named, or of
 * a GPU whose driver is not NVIDIA's, are vGPUs as they are. A GPU that is passed through whole has no
 * parents. A function that vanishes meanwhile is left out. NULL when data of a GPU cannot be read: then
 * no GPU counts as removed. */
VgpuInventory *vgpu_discovery_run(const VgpuSysfs *sysfs, GHashTable *named, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the functions that can carry vGPUs are still those of @inventory, and of the same interface:
 * VFs that appeared or disappeared, a driver that was bound or unbound, mdev types anywhere. Cheap: a
 * GPU that was plugged in and carries no mdev types is not noticed. */
bool vgpu_discovery_is_current(const VgpuSysfs *sysfs, const VgpuInventory *inventory);
