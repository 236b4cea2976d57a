/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pick.h: what a definition is to name where nothing has room at the moment: the domain may start when it has */
#pragma once

#include "placement/placement.h"

/* The GPU that has the profile, with room if one has; one that is cordoned is the last. NULL: none has it. */
const VgpuCandidate *vgpu_pick_gpu(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                                   const VgpuWant *want);
/* Any VF of that GPU, when none has room; NULL: there is none that may be used. */
const VgpuParent *vgpu_pick_vf(const VgpuSnapshot *snapshot, const VgpuGpu *gpu);
/* No GPU that the domain may use has the profile: say why. */
void vgpu_pick_refuse(const VgpuDomain *domain, const VgpuWant *want, const GPtrArray *candidates,
                      GError **error);
