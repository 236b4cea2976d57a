/* drm.h: whether somebody on the host works with a GPU through its DRM nodes */
#pragma once

#include "base/sysfs.h"

/* The name of a DRM node of @device (its path below the root) that a process has open
 * ("renderD129"); NULL: none, as far as that can be told. The kernel tells in debugfs; where that
 * is not mounted, /proc is searched, in which root sees all processes, and the daemon in its unit
 * only those without more capabilities. Owned by the caller. */
char *vgpu_drm_open_node(const VgpuSysfs *sysfs, const char *device);
