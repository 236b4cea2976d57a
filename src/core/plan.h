/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.h: where definitions say that their vGPUs will be; which VFs they are to have */
#pragma once

#include "core/manager.h"

/* The name of the other domain that has this VF now; NULL when there is none. Borrowed. */
const char *vgpu_plan_user(const VgpuManager *self, const char *vf, const char *key);
/* The same of one that has it, or is to have it. */
const char *vgpu_plan_other_user(const VgpuManager *self, const char *vf, const char *key);
/* What another than that domain does with the VF, "in use by domain 'web2'"; NULL: nothing, or what the
 * domain itself does, too. Owned by the caller. */
char *vgpu_plan_describe_use(const VgpuManager *self, const char *vf, const char *key);
/* What the domain is to have on VFs: the reservation for that vGPU, which may be room that is held for it; NULL
 * when there is none. */
const VgpuClaim *vgpu_plan_find(const VgpuManager *self, const char *key, const char *uuid);
/* Forget that the domain was to have a certain VF for it; or for any, and what is set aside of its
 * definition. */
void vgpu_plan_drop(VgpuManager *self, const char *key, const char *uuid);
void vgpu_plan_drop_all(VgpuManager *self, const char *key);
/* Plan it in place of what is planned for that vGPU; takes @claim. */
void vgpu_plan_put(VgpuManager *self, const VgpuDomain *domain, VgpuClaim *claim);
/* Forget what is planned for vGPUs that the domain does not want any more. */
void vgpu_plan_prune(VgpuManager *self, const VgpuDomain *domain);

/* Whether this hostdev with our alias is the one for @want: the computed UUID, or a VF that the
 * domain is to have, or that nobody is to have. It decides then where the vGPU goes. */
bool vgpu_plan_take_hostdev(const VgpuManager *self, const VgpuDomain *domain,
                            const VgpuHostdev *hostdev, VgpuWant *want);
