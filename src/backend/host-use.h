/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-use.h: whether the host itself works with a device that one of its own drivers has: through a DRM node, a
 * network interface or a block device */
#pragma once

#include "sysfs/sysfs.h"

/* *@what: what the host does with @device (its path below the root, of PCI function @address),
 * "renderD129 is open", "eth3 is up", "/dev/nvme1n1 is mounted"; owned by the caller, left alone:
 * nothing, as far as known. VGPU_ERROR_DRIVER: unknown. Only the kinds of use that fit its class are
 * checked. */
bool vgpu_host_use_find(const VgpuSysfs *sysfs, const char *device, const char *address,
                        char **what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
