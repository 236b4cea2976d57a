/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* balance.h: the reservations on a GPU that its driver does not show */
#pragma once

#include "core/manager.h"

typedef struct {
    /* of VgpuClaim: those that take room on the GPU, and that it does not show with their profile */
    GPtrArray *open;
} VgpuBalance;

/* GPU → VgpuBalance. */
GHashTable *vgpu_balances_new(void);
/* Of a GPU of the inventory. Borrowed until the records or the inventory change. */
const VgpuBalance *vgpu_balances_get(VgpuManager *self, const VgpuGpu *gpu);
