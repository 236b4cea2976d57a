/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view.h: the inventory, built from drivers, records and other sources */
#pragma once

#include "core/manager.h"

/* Build the inventory from the latest data. @same: GPUs of the present one that have not changed, or
 * NULL. */
void vgpu_view_build(VgpuManager *self, GHashTable *same);
/* The GPUs (a set of VgpuGpu) that @discovery tells the same of as the last one. */
GHashTable *vgpu_view_same(const VgpuManager *self, GVariant *discovery);
/* Takes a GPU that was read, replacing the one of that address. */
void vgpu_view_take(VgpuManager *self, VgpuGpu *gpu);
/* A source other than its driver has changed for the GPU of that address, if there is one. */
void vgpu_view_renew(VgpuManager *self, const char *gpu);
