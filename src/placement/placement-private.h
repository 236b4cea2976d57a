/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-private.h: functions shared by the files of placement */
#pragma once

#include "placement/room.h"

/* Of GPUs, pools, profiles and domains in one list: a refusal has to fit in a dialog. */
#define VGPU_PLACEMENT_MAX_NAMES 3

/* Whether the device asks for a pool by name, and not for the default one. */
bool vgpu_placement_names_pool(const VgpuWant *want);

/* Whether gpu= (none: any) names the GPU, or one of its VFs. */
bool vgpu_placement_names_gpu(const VgpuWant *want, const VgpuGpu *gpu);
/* The VF of the GPU that it asks for, by gpu= or by the definition's <hostdev>; NULL: any. Borrowed. */
const char *vgpu_placement_named_vf(const VgpuWant *want, const VgpuGpu *gpu);
/* Why the GPU is not the one that gpu= or the definition's <hostdev> names; NULL: it may be. */
char *vgpu_placement_why_not_named(const VgpuWant *want, const VgpuGpu *gpu);
/* Why that VF of the GPU takes no vGPU, when it is known; NULL: it is not. */
char *vgpu_placement_why_not_on(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const char *vf);

/* Say why not. */
void vgpu_placement_refuse(VgpuCandidate *out, VgpuVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Say why no function of the GPU takes one more; @promised: there is no room besides the promised vGPUs. */
void vgpu_placement_refuse_for_room(const VgpuSnapshot *snapshot, const VgpuWant *want,
                                    const VgpuLoad *load, bool promised, VgpuCandidate *out);
/* Say that there are as many of the profile as there can be. */
void vgpu_placement_refuse_for_limit(const VgpuSnapshot *snapshot, const VgpuLoad *load,
                                     VgpuCandidate *out);

/* One candidate per GPU of the host, for the alternative @wanted of @want. *@fits becomes true
 * when one fits, else it stays as it is. */
GPtrArray *vgpu_placement_judge(const VgpuSnapshot *snapshot, const VgpuWant *want,
                                const char *wanted, bool *fits);

/* The pool that the GPU belongs to, NULL if none. */
const VgpuPool *vgpu_placement_pool_of(const VgpuSnapshot *snapshot, const VgpuGpu *gpu);
/* Why nothing may be placed on the GPU, which is in @pool, at present; NULL if something may. */
char *vgpu_placement_obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                              const VgpuPool *pool);
/* Why the vGPUs on the GPU are not known, NULL if they are. Borrowed. */
const char *vgpu_placement_why_unseen(const VgpuSnapshot *snapshot, const VgpuGpu *gpu);

/* How many more of @profile a start would find room for: at least as many as truly fit. */
guint vgpu_placement_room(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                          const VgpuProfile *profile);

/* Those of @candidates that fit, the one to take first. Borrowed. */
GPtrArray *vgpu_placement_rank(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                               VgpuPlacement policy);
