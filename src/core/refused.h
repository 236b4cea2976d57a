/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refused.h: virtual functions that their driver has refused */
#pragma once

#include "core/manager.h"

/* Its driver has refused it to that domain: it is not chosen for that domain before something has
 * changed there, and for others only if there is no other one. */
void vgpu_refused_add(VgpuManager *self, const char *vf, const VgpuDomain *domain);
/* Whether that record (VGPU_KIND_REFUSED) is of that domain; NULL: of a vGPU made by hand. */
bool vgpu_refused_has(const VgpuOwner *refused, const char *domain_uuid);
/* The VF of that record; borrowed. */
const char *vgpu_refused_vf(const VgpuOwner *refused);
/* Something has changed on that GPU: forget its refusals. */
void vgpu_refused_drop(VgpuManager *self, const char *gpu);
