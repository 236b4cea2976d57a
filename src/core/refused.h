/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refused.h: virtual functions that their driver has refused to use for a domain */
#pragma once

#include "core/manager.h"

/* The driver has refused to make a vGPU for @domain on @vf. Placement does not choose @vf for @domain
 * again before something has changed on its GPU, and for other domains only if no other VF is free. */
void vgpu_refused_add(VgpuManager *self, const char *vf, const VgpuDomain *domain);
/* Whether that record (VGPU_KIND_REFUSED) is about that domain; NULL: about a vGPU made by hand. */
bool vgpu_refused_has(const VgpuOwner *refused, const char *domain_uuid);
/* The VF that the record is about; borrowed. */
const char *vgpu_refused_vf(const VgpuOwner *refused);
/* Forget all refusals on @gpu, because something has changed there. */
void vgpu_refused_drop(VgpuManager *self, const char *gpu);
