/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gim.h: AMD's PF driver `gim`, which makes its VFs itself when it is loaded
 *
 * vf_num gives their number: the old driver (GPUOpen MxGPU, FirePro S7150) reads it for all its GPUs
 * from /etc/gim_config, the new one (amd/MxGPU-Virtualization, Instinct) takes a module parameter with a
 * number for each GPU. Its sriov_numvfs must not be written. */
#pragma once

#include "sysfs/sysfs.h"

#define VGPU_GIM_DRIVER "gim"
#define VGPU_GIM_CONFIG "etc/gim_config"

/* Whether @gpu, which is bound to gim, has the new driver, according to its files. */
bool vgpu_gim_is_new(const VgpuSysfs *sysfs, const char *gpu);

/* The line that gives @gpu @vfs VFs after a reload, with instructions; one line of text. */
char *vgpu_gim_advice(const VgpuSysfs *sysfs, const char *gpu, guint vfs);

/* Write vf_num to the old driver's configuration below @root, all else in it kept. */
bool vgpu_gim_write_config(const char *root, guint vfs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
