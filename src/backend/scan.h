/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scan.h: what the drivers of GPUs say of them
 *
 * Their drivers are asked, and may keep a caller waiting for ever: not for virtvgpud. */
#pragma once

#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

/* Read again what the parents of @gpu offer and have; profiles that are known already stay. False: it
 * cannot be told, and @gpu is of no use. */
bool vgpu_scan_contents(const VgpuSysfs *sysfs, VgpuGpu *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Discovery (see vgpu_discovery_run()) with the contents of all GPUs. */
VgpuInventory *vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
