/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture.h: the description of a host's GPUs and vGPUs, to be examined elsewhere
 *
 * It works without the daemon and without libvirt. Each part has a time limit; parts that exceed it are
 * left out, and named. */
#pragma once

#include "cli/capture-json.h"
#include "cli/command.h"
#include "cli/doctor-driver.h"

/* Add the files of @gpu and its VFs. */
void vgpu_capture_add_gpu(VgpuCaptureJson *json, VgpuDoctorDriver *driver, const VgpuGpu *gpu);

/* All that the host shows. @inventory: its GPUs. */
VgpuCaptureJson *vgpu_capture_host(const VgpuCli *cli, VgpuDoctorDriver *driver,
                                   const VgpuInventory *inventory, VgpuDisguise *disguise);
