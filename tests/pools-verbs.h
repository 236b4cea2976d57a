/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pools-verbs.h: define, undefine and autostart at once, for tests */
#pragma once

#include "pool/pools.h"

static inline const VgpuPool *
pools_define(VgpuPools *self, const char *xml, gsize len, GError **error)
{
    g_autoptr(VgpuPoolsChange) change = vgpu_pools_plan_define(self, xml, len, error);

    return change && vgpu_pools_change_write(change, error) ? vgpu_pools_carry_out(self, change)
                                                            : NULL;
}

static inline bool
write_and_carry_out(VgpuPools *self, VgpuPoolsChange *planned, GError **error)
{
    g_autoptr(VgpuPoolsChange) change = planned;

    if (!change || !vgpu_pools_change_write(change, error))
        return false;
    (void) vgpu_pools_carry_out(self, change);
    return true;
}

static inline bool
pools_undefine(VgpuPools *self, const char *name, GError **error)
{
    return write_and_carry_out(self, vgpu_pools_plan_undefine(self, name, error), error);
}

static inline bool
pools_set_autostart(VgpuPools *self, const char *name, bool autostart, GError **error)
{
    return write_and_carry_out(self, vgpu_pools_plan_autostart(self, name, autostart, error),
                               error);
}
