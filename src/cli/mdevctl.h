/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mdevctl.h: the definitions of mdevctl(8)
 *
 * It keeps a JSON file for each mediated device, /etc/mdevctl.d/PARENT/UUID, with "mdev_type" and "start", which
 * is "auto" for those that it makes at boot (mdevctl, "CONFIGURATION FILES"). */
#pragma once

#include <stdbool.h>

#include "sysfs/sysfs.h"

#define VGPU_MDEVCTL_DIR "etc/mdevctl.d"

typedef struct {
    char *parent; /* as the directory is called; of a PCI function its address */
    char *type;   /* "nvidia-746"; NULL: the file does not say */
    bool autostart;
} VgpuMdevctl;

void vgpu_mdevctl_free(VgpuMdevctl *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuMdevctl, vgpu_mdevctl_free)

/* The definition in the file @name below @parent; NULL: there is none that can be read. */
VgpuMdevctl *vgpu_mdevctl_read(const VgpuSysfs *fs, const char *parent, const char *name);

/* The definition of the device @uuid (canonical), on any parent; NULL: there is none. */
VgpuMdevctl *vgpu_mdevctl_find(const VgpuSysfs *fs, const char *uuid);
