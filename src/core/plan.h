/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.h: the places that definitions name for their vGPUs, and the VFs planned for them */
#pragma once

#include "core/manager.h"

/* The name of the other domain that has this VF now; NULL when there is none. Borrowed. */
const char *vgpu_plan_user(const VgpuManager *self, const char *vf, const char *key);
/* The same, also of a domain that it is planned for. */
const char *vgpu_plan_other_user(const VgpuManager *self, const char *vf, const char *key);
/* How another domain uses the VF, "in use by domain 'web2'"; NULL: not at all, or as the domain itself
 * does. Owned by the caller. */
char *vgpu_plan_describe_use(const VgpuManager *self, const char *vf, const char *key);
/* The VF planned for that vGPU of the domain: its reservation, which may be room that is held for it;
 * NULL when there is none. */
const VgpuClaim *vgpu_plan_find(const VgpuManager *self, const char *key, const char *uuid);
/* Forget the VF planned for it; or those for all vGPUs of the domain, and what is set aside of its
 * definition. */
void vgpu_plan_drop(VgpuManager *self, const char *key, const char *uuid);
void vgpu_plan_drop_all(VgpuManager *self, const char *key);
/* Plan it, replacing the plan for that vGPU; takes @claim. */
void vgpu_plan_put(VgpuManager *self, const VgpuDomain *domain, VgpuClaim *claim);
/* Forget the plans for vGPUs that the domain no longer wants. */
void vgpu_plan_prune(VgpuManager *self, const VgpuDomain *domain);

/* Whether this hostdev with our alias is the one for @want: the computed UUID, or a VF that is planned
 * for the domain or for no domain. It then decides where the vGPU goes. */
bool vgpu_plan_take_hostdev(const VgpuManager *self, const VgpuDomain *domain,
                            const VgpuHostdev *hostdev, VgpuWant *want);
