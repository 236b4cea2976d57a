/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tally.h: counts of the vGPUs on a GPU, cached
 *
 * Decisions need the same counts of every GPU, and most GPUs have not changed since the last one. So the
 * counts stay with the GPU until something changes on it; code that changes its parents, offers or
 * instances counts again, or drops the tally (vgpu_gpu_set_tally()). Only the speed of answers depends
 * on it. */
#pragma once

#include "gpu/gpu.h"

typedef struct {
    const VgpuProfile *profile; /* NULL: none that the GPU knows */
    guint n;
} VgpuTallyCount;

struct VgpuTally {
    GArray *counts;        /* of VgpuTallyCount: instances, the profile of the last one last */
    bool is_clear;         /* the profiles of all instances are known */
    GHashTable *rooms;     /* profile → how many of it all parents together would make */
    GPtrArray *open;       /* of VgpuParent, in order: those that may take one more */
    GHashTable *instances; /* UUID → VgpuParent that has it */
};

/* Count the vGPUs on @gpu, for all later questions. */
void vgpu_tally_update(VgpuGpu *gpu);

/* How many more of the offer this parent would make, according to its driver and its instances. */
guint vgpu_tally_room(const VgpuParent *parent, const VgpuOffer *offer);
