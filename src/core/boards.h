/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boards.h: the profiles that drivers have shown of boards, for when they do not show them
 *
 * NVIDIA's driver lists for a VF only the profiles that it could create there at the moment: on a full
 * GPU none, regardless of the board. So the profiles of a board are kept once they were seen, also
 * across restarts and reboots, until the version of its driver changes. A board is identified by its PCI
 * ids and subsystem ids: two cards with the same PCI id may differ in the latter alone (A2 and A16).
 * Lives on the worker; only the writer's thread waits for a disk. */
#pragma once

#include "base/writer.h"
#include "gpu/gpu.h"

typedef struct VgpuBoards VgpuBoards;

/* Load what earlier daemons saved, below @root. A file that cannot be read is named in a warning and
 * counts as empty: idle drivers report it again. @writer is borrowed, until vgpu_boards_free(). */
VgpuBoards *vgpu_boards_load(const char *root, VgpuWriter *writer);
void vgpu_boards_free(VgpuBoards *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuBoards, vgpu_boards_free)

/* Note the profiles that the driver of @gpu lists; new ones are written down. */
void vgpu_boards_note(VgpuBoards *self, const VgpuGpu *gpu);
/* Add to @gpu the profiles that its driver has shown for such a board, and the greatest frame buffer. */
void vgpu_boards_recall(const VgpuBoards *self, VgpuGpu *gpu);
