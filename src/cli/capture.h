/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture.h: what a host shows of its GPUs and vGPUs, for others to read
 *
 * It works without the daemon and without libvirt. Each part has a time limit; what does not come is left
 * out, and named. */
#pragma once

#include "cli/capture-json.h"
#include "cli/command.h"
#include "cli/doctor-driver.h"

/* Add what @gpu and its VFs show. */
void vgpu_capture_add_gpu(VgpuCaptureJson *json, VgpuDoctorDriver *driver, const VgpuGpu *gpu);

/* All that the host shows. @inventory: its GPUs. */
VgpuCaptureJson *vgpu_capture_host(const VgpuCli *cli, VgpuDoctorDriver *driver,
                                   const VgpuInventory *inventory, VgpuDisguise *disguise);
