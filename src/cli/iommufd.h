/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iommufd.h: whether the kernel has IOMMUFD
 *
 * A driver can only track the pages that its device writes to if the kernel was built with it (CONFIG_IOMMUFD; see
 * include/linux/iova_bitmap.h, whose functions fail otherwise). */
#pragma once

#include "cli/truth.h"
#include "sysfs/sysfs.h"

/* The running kernel, whose release is @release (NULL: unknown). */
VgpuTruth vgpu_iommufd_find(const VgpuSysfs *fs, const char *release);
