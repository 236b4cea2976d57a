/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* prospect.h: what a start finds for a vGPU that has no record yet: a device, room for one, or neither */
#pragma once

#include "core/planner.h"
#include "core/steps.h"

typedef struct {
    VgpuSeenState seen; /* of a device with that UUID */
    VgpuRoom room;
    /* Where the device is, or where there is room for one; borrowed. */
    const VgpuGpu *gpu;
    const char *parent;
    const VgpuProfile *profile;
    const VgpuCandidate *instance; /* where a MIG GPU instance can be made for it */
    const VgpuClaim *kept;         /* the record, if it is persistent; NULL: it is not */
    const char *wait;              /* the reason for waiting; NULL: none in particular */
    /* The rest is borrowed from these. */
    VgpuPlanned *place; /* NULL: it was not asked for */
    VgpuProfile *kept_profile;
    char *refusal; /* NULL: see place */
    VgpuError code;
} VgpuProspect;

VgpuProspect *vgpu_prospect_new(VgpuStart *start, const VgpuStep *step);
void vgpu_prospect_free(VgpuProspect *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuProspect, vgpu_prospect_free)

/* There is no place: refuse the start with the reason, or have the definition name another one. */
void vgpu_prospect_refuse(const VgpuProspect *self, VgpuStart *start, VgpuStep *step);
/* The VF that the domain's XML names is not available: have the definition name another, if there is
 * one, and refuse the start with @why. */
void vgpu_prospect_move(VgpuStart *self, VgpuStep *step, const char *why);
