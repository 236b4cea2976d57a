/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* board.h: the parts of a GPU that its driver has assigned to vGPUs, and would assign next
 *
 * In MIG mode these are GPU instances, while sizes are mixed they are placement slots. The rules are
 * those of NVIDIA's published kernel modules (open-gpu-kernel-modules, kernel_vgpu_mgr.c), which assign
 * a part when a vGPU is made: the first GPU instance, by number, that is empty or has vGPUs of that size
 * and fewer than it takes (kvgpumgrGetSwizzId()); or the first place of the type, in the driver's order,
 * that overlaps no vGPU (kvgpumgrSetPlacementId()). Pure; all is borrowed. */
#pragma once

#include "gpu/gpu.h"

typedef struct VgpuBoard VgpuBoard;

/* An empty one; NULL when neither limits how many of @profile the GPU takes, or the limits are unknown. */
VgpuBoard *vgpu_board_new(const VgpuGpu *gpu, const VgpuProfile *profile);
void vgpu_board_free(VgpuBoard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuBoard, vgpu_board_free)

/* Add an existing vGPU; @profile NULL: it is not known. */
void vgpu_board_put(VgpuBoard *self, const VgpuProfile *profile, const VgpuInstance *instance);
/* Add a vGPU that will be made, after all those put and promised before; @uuid may be NULL. */
void vgpu_board_promise(VgpuBoard *self, const VgpuProfile *profile, const char *uuid);

/* How many more it takes of the profile that it was made for; an upper limit if it is not certain. */
guint vgpu_board_room(const VgpuBoard *self);
/* Whether the places of all vGPUs are known. */
bool vgpu_board_is_certain(const VgpuBoard *self);

/* Why there is no place for one: "2 × 'NVIDIA L4-8Q' fit, but no 'NVIDIA L4-24Q': slot 12 is taken by
 * cad3". @users: UUID of a vGPU → name of its domain, or NULL. NULL when that is not known. */
char *vgpu_board_explain(const VgpuBoard *self, GHashTable *users);
