/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* held.h: room that is held while there is no device: create="define" where no device can be kept, that is
 * on VFs and for MIG-backed vGPUs
 *
 * Held room is reserved from the definition on until the domain is undefined, and the device is made
 * there for each run. A run's own record counts instead while there is one. */
#pragma once

#include "core/manager.h"

/* Whether such a vGPU cannot outlive a run, so that its room is held instead. */
bool vgpu_held_is_for(const VgpuGpu *gpu, const VgpuProfile *profile);

/* The room that is held for that vGPU; NULL: none is. Borrowed. */
const VgpuClaim *vgpu_held_find(const VgpuManager *self, const char *uuid);
/* The reason why no other domain gets the room that is held for @owner. */
char *vgpu_held_refusal(const VgpuOwner *owner);

/* Hold the place of @claim (taken) for the domain of that UUID, replacing what is held for that vGPU;
 * without a domain, for a vGPU made by hand. */
void vgpu_held_put(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                   VgpuClaim *claim);
/* Let go of what is held for that vGPU. */
void vgpu_held_drop(VgpuManager *self, const char *uuid);
/* The same of all that is held for the domain. */
void vgpu_held_drop_all(VgpuManager *self, const char *domain_uuid);
/* The same for vGPUs that the domain no longer wants; not while it runs, as it may be using them. */
void vgpu_held_prune(VgpuManager *self, const VgpuDomain *domain);
