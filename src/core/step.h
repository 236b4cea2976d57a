/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* step.h: one vGPU of a starting domain, until there is one that is ready for it */
#pragma once

#include "core/steps.h"

/* Tell what is on record of it what this start wants; before any step is placed, as that makes room. */
void vgpu_step_begin(VgpuStart *self, VgpuStep *step);
/* One step that is not ready: have it go on as far as it goes. */
void vgpu_step_advance(VgpuStart *self, VgpuStep *step);
/* Its time is over: refuse the start. */
void vgpu_step_give_up(VgpuStart *self, const VgpuStep *step);
