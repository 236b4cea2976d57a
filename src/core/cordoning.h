/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordoning.h: GPUs that are cordoned without being asked for */
#pragma once

#include "core/manager.h"

/* Cordon that GPU, present or not, unless it is cordoned already: an administrator may have cordoned it
 * for another reason, and of several errors the first is the cause. */
void vgpu_cordoning_put(VgpuManager *self, const char *gpu, const char *reason, const char *by);
