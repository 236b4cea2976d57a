/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfio.h: shared by mediated devices and VFs: a process opens them through VFIO, and NVIDIA's driver
 * takes plugin parameters for them */
#pragma once

#include "backend/backend.h"

/* Whether a process has @device (its path below the root) open. It is free only if it has a VFIO group
 * that could be opened, or neither group nor node of its own; resetting a device in use is worse than
 * waiting, so everything else is unknown. May block while the driver opens or closes it for QEMU. */
VgpuUse vgpu_vfio_use(const VgpuSysfs *sysfs, const char *device);

/* The result of @look at @place once the device exists and is usable, for which this waits up to a
 * second, as directory and links may appear a little after the write that makes them. */
VgpuPresence vgpu_vfio_settle(const VgpuSysfs *sysfs, const VgpuPlace *place,
                              VgpuPresence (*look)(const VgpuSysfs *sysfs,
                                                   const VgpuPlace *place));

/* As VgpuBackend.read_params(), for @device. */
char *vgpu_vfio_read_params(const VgpuSysfs *sysfs, const char *device);

/* Write plugin parameters of @device ("": none), all at once; the driver replaces what it had. Then read
 * them back: *@doubt (owned by the caller) has the wanted and the read parameters if the two differ or
 * cannot be read; else it is left alone. VGPU_ERROR_DRIVER with the reason for each way of refusing
 * them, and when the driver kept only their beginning; @whose ("vGPU 251e…", "VF 0000:61:00.4") is named
 * in it. */
bool vgpu_vfio_write_params(const VgpuSysfs *sysfs, const char *device, const char *whose,
                            const char *params, char **doubt, GError **error);
