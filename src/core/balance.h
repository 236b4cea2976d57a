/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* balance.h: what is recorded of a GPU and does not show on it */
#pragma once

#include "core/manager.h"

typedef struct {
    GPtrArray *
        open; /* of VgpuClaim: of what takes room on the GPU, what it does not show with its profile */
} VgpuBalance;

/* GPU → VgpuBalance. */
GHashTable *vgpu_balances_new(void);
/* Of a GPU of the inventory. Borrowed until the records or the inventory change. */
const VgpuBalance *vgpu_balances_get(VgpuManager *self, const VgpuGpu *gpu);
