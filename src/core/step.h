/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* step.h: one vGPU of a starting domain, until it is ready */
#pragma once

#include "core/steps.h"

/* Tell its record, if any, what this start wants; before any step is placed, as that makes room. */
void vgpu_step_begin(VgpuStart *self, VgpuStep *step);
/* Move a step that is not ready as far as possible. */
void vgpu_step_advance(VgpuStart *self, VgpuStep *step);
/* Its time is over: refuse the start. */
void vgpu_step_give_up(VgpuStart *self, const VgpuStep *step);
