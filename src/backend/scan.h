/* scan.h: the inventory as sysfs shows it */
#pragma once

#include "base/sysfs.h"
#include "gpu/inventory.h"

/* All PCI functions of a GPU's class that are no VFs, whatever else carries mdev types, and the PFs
 * in @named (a set of canonical addresses, or NULL), with their VFs, offers and instances. How vGPUs
 * are made on a GPU is told by what its functions show; the VFs of a PF in @named, or of a GPU
 * whose driver is not NVIDIA's, are vGPUs as they are. A GPU that a guest has whole has no parents.
 * A function that vanishes while it is read is left out. */
VgpuInventory *vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named);

/* Whether the functions that can carry vGPUs are still those of @inventory, and of the same
 * interface: VFs that came or went, a driver that was bound or unbound, mdev types anywhere. Cheap:
 * a GPU that was plugged in and carries no mdev types is not noticed. */
bool vgpu_scan_is_current(const VgpuSysfs *sysfs, const VgpuInventory *inventory);

/* Read again which instances exist, and how many more of the profiles that @wanted (NULL: any)
 * matches each parent would take: what a decision needs, without a full scan. The driver is not
 * asked about the GPUs in @skip (a set of addresses, or NULL): it might not answer. */
void vgpu_scan_refresh(const VgpuSysfs *sysfs, VgpuInventory *inventory,
                       const char *const *wanted, GHashTable *skip);
