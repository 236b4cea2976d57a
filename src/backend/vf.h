/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vf.h: plain SR-IOV VFs (AMD GIM, Intel i915 and xe, any named PF): a VF is the vGPU, and nothing
 * is made or removed
 *
 * A PF has one profile, "vf": the properties of its VFs are fixed for all of them when they are enabled. */
#pragma once

#include "backend/backend.h"

extern const VgpuBackend vgpu_backend_vf;
