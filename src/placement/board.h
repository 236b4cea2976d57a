/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* board.h: what a GPU's driver has given away of it, and what it would give next
 *
 * In MIG mode that is GPU instances, while sizes are mixed it is placement slots. The rules are those that
 * NVIDIA publishes with its kernel modules (open-gpu-kernel-modules, kernel_vgpu_mgr.c), which go by what
 * a vGPU got when it was made: of GPU instances, in order of their numbers, the first that is empty or has
 * vGPUs of that size and fewer than one takes (kvgpumgrGetSwizzId()); of the places of a type, in the
 * driver's order, the first that overlaps no vGPU (kvgpumgrSetPlacementId()). Pure; all is borrowed. */
#pragma once

#include "gpu/gpu.h"

typedef struct VgpuBoard VgpuBoard;

/* An empty one; NULL when neither decides how many of @profile the GPU takes, or nobody tells. */
VgpuBoard *vgpu_board_new(const VgpuGpu *gpu, const VgpuProfile *profile);
void vgpu_board_free(VgpuBoard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuBoard, vgpu_board_free)

/* One that exists; @profile NULL: it is not known. */
void vgpu_board_put(VgpuBoard *self, const VgpuProfile *profile, const VgpuInstance *instance);
/* One that will be made of it, after all that was put and promised; @uuid may be NULL. */
void vgpu_board_promise(VgpuBoard *self, const VgpuProfile *profile, const char *uuid);

/* How many more it takes of the profile that it was made for. Where it is not certain it is not more than
 * this. */
guint vgpu_board_room(const VgpuBoard *self);
/* Whether it is known where everything is. */
bool vgpu_board_is_certain(const VgpuBoard *self);

/* Why there is no place for one: "2 × 'NVIDIA L4-8Q' fit, but no 'NVIDIA L4-24Q': slot 12 is taken by
 * cad3". @users: UUID of a vGPU → name of its domain, or NULL. NULL when that cannot be told. */
char *vgpu_board_explain(const VgpuBoard *self, GHashTable *users);
