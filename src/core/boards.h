/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boards.h: the profiles that drivers have shown of boards, for when they do not show them
 *
 * NVIDIA's driver lists for a VF what it could make there at the moment: on a full GPU nothing, whatever the
 * board is able to do. So what was seen of a board once is kept, also over restarts and reboots, and goes with
 * the version of its driver. A board is told by PCI ids and subsystem ids: two cards of one PCI id may differ in
 * these alone (A2 and A16). Lives on the worker; a disk is waited for by the writer's thread alone. */
#pragma once

#include "base/writer.h"
#include "gpu/gpu.h"

typedef struct VgpuBoards VgpuBoards;

/* What is known from the daemons before, below @root. What cannot be read is named in a warning, and is nothing:
 * idle drivers tell it again. @writer is borrowed, until vgpu_boards_free(). */
VgpuBoards *vgpu_boards_load(const char *root, VgpuWriter *writer);
void vgpu_boards_free(VgpuBoards *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuBoards, vgpu_boards_free)

/* Its driver has just shown @gpu, whose profiles are what it lists; what is new is written down. */
void vgpu_boards_note(VgpuBoards *self, const VgpuGpu *gpu);
/* Give @gpu the profiles that its driver has shown of such a board, and the greatest frame buffer. */
void vgpu_boards_recall(const VgpuBoards *self, VgpuGpu *gpu);
