/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create.h: a vGPU is made, or given its parameters, by the driver process of its GPU */
#pragma once

#include "core/steps.h"

/* Have the claim's vGPU made by its GPU's driver process; @exists: it is there, and lacks its parameters. */
void vgpu_create_run(VgpuManager *self, const VgpuClaim *claim, bool exists);
/* Have a MIG GPU instance made there for the step, which waits for it. */
void vgpu_create_gpu_instance(VgpuStart *self, VgpuStep *step, const VgpuCandidate *where);
