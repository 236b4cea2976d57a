/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view.h: the inventory, of what drivers, records and others tell */
#pragma once

#include "core/manager.h"

/* Make the inventory of what was told last. @same: GPUs of the present one that are as they were, or NULL. */
void vgpu_view_build(VgpuManager *self, GHashTable *same);
/* The GPUs (a set of VgpuGpu) that @discovery tells the same of as the last one. */
GHashTable *vgpu_view_same(const VgpuManager *self, GVariant *discovery);
/* Takes a GPU that was read, in place of the one of that address. */
void vgpu_view_take(VgpuManager *self, VgpuGpu *gpu);
/* Something else than a driver tells another thing of the GPU of that address, if there is one. */
void vgpu_view_renew(VgpuManager *self, const char *gpu);
