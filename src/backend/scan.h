/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scan.h: reads GPUs from their drivers
 *
 * This calls drivers, which may block forever: not for virtvgpud. */
#pragma once

#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

/* Read offers and instances of the parents of @gpu again; known profiles stay. False: they cannot be
 * read, and @gpu must not be used. */
bool vgpu_scan_contents(const VgpuSysfs *sysfs, VgpuGpu *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Discovery (see vgpu_discovery_run()) with the contents of all GPUs. */
VgpuInventory *vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
