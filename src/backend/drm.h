/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drm.h: whether a process on the host uses a GPU through its DRM nodes */
#pragma once

#include "sysfs/sysfs.h"

/* *@open: the name of a DRM node of @device (its path below the root) that a process has open
 * ("renderD129"), owned by the caller; left alone: none, as far as known. The kernel's list is in
 * debugfs; if that is not mounted, /proc is searched, where root sees all processes, but the daemon in
 * its unit only those without more capabilities. VGPU_ERROR_DRIVER: unknown. */
bool vgpu_drm_open_node(const VgpuSysfs *sysfs, const char *device, char **open, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
