/* placement-private.h: what the files of placement share */
#pragma once

#include "placement/placement.h"

/* Whether the device is to be in a pool that it names, and not in the default one. */
bool vgpu_placement_names_pool(const VgpuWant *want);

/* One candidate per GPU that @want may mean, for its alternative @wanted. *@fits becomes true
 * when one fits, else it stays as it is. */
GPtrArray *vgpu_placement_judge(const VgpuSnapshot *snapshot, const VgpuWant *want,
                                const char *wanted, bool *fits);

/* How many more of @profile a start would find room for: at least as many as truly fit. */
guint vgpu_placement_room(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                          const VgpuProfile *profile);

/* Those of @candidates that fit, the one to take first. Borrowed. */
GPtrArray *vgpu_placement_rank(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                               VgpuPlacement policy);
