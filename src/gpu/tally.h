/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tally.h: what is on a GPU, counted once
 *
 * A decision asks the same of every GPU, and most of them have not changed since the last one. So what is
 * counted stays with the GPU for as long as nothing changes on it; code that changes its parents, offers or
 * instances afterwards counts again, or drops it (vgpu_gpu_set_tally()). Nothing depends on it but the time that
 * an answer takes. */
#pragma once

#include "gpu/gpu.h"

typedef struct {
    const VgpuProfile *profile; /* NULL: none that the GPU knows */
    guint n;
} VgpuTallyCount;

struct VgpuTally {
    GArray *counts;        /* of VgpuTallyCount: instances, the profile of the last one last */
    bool is_clear;         /* each instance tells its profile */
    GHashTable *rooms;     /* profile → what all parents together would make of it */
    GPtrArray *open;       /* of VgpuParent, in order: what may take one more */
    GHashTable *instances; /* UUID → VgpuParent that has it */
};

/* Count what is on @gpu, for all who ask from now on. */
void vgpu_tally_update(VgpuGpu *gpu);

/* How many more of the offer this parent would make, for all that its driver and what is on it tell. */
guint vgpu_tally_room(const VgpuParent *parent, const VgpuOffer *offer);
