/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trial.h: makes and removes one vGPU, and captures a GPU before, with and after it
 *
 * The daemon makes it, with its caller's right to make vGPUs, under a recognizable UUID
 * (vgpu_uuid_for_trial()): should this program be killed meanwhile, the next trial or the next start of
 * the daemon removes it. Signals that end the program wait until it is removed. */
#pragma once

#include "cli/capture-json.h"
#include "cli/command.h"
#include "cli/doctor-driver.h"

/* Put the results into @json, as `trial`, including failures. False with VGPU_ERROR_BUSY: the GPU is not
 * idle, and nothing was done; with other errors it may have been tried. */
bool vgpu_trial_run(const VgpuCli *cli, VgpuDoctorDriver *driver, const VgpuGpu *gpu,
                    VgpuDisguise *disguise, VgpuCaptureJson *json, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
