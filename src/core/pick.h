/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pick.h: the place that a definition names when none has room at the moment: it may have some when the
 * domain starts */
#pragma once

#include "placement/placement.h"

/* A GPU that has the profile, preferably with room; a cordoned one comes last. NULL: none has the
 * profile. */
const VgpuCandidate *vgpu_pick_gpu(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                                   const VgpuWant *want);
/* Any VF of that GPU, when none has room; NULL: none may be used. */
const VgpuParent *vgpu_pick_vf(const VgpuSnapshot *snapshot, const VgpuGpu *gpu);
/* No GPU that the domain may use has the profile: say why. */
void vgpu_pick_refuse(const VgpuDomain *domain, const VgpuWant *want, const GPtrArray *candidates,
                      GError **error);
