/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/truth.h"

static bool
is_same(const VgpuHolding *one, const VgpuHolding *other)
{
    if (one->state != other->state || one->wants->len != other->wants->len ||
        g_strcmp0(one->tenant, other->tenant) != 0)
        return false;
    for (guint i = 0; i < one->wants->len; i++) {
        const VgpuWant *a = &g_array_index(one->wants, VgpuWant, i);
        const VgpuWant *b = &g_array_index(other->wants, VgpuWant, i);

        if (a->count != b->count || !g_str_equal(a->profile, b->profile))
            return false;
    }
    return true;
}

VgpuTruth
vgpu_truth_next(const char *host, const VgpuHolding *local, const VgpuHolding *now,
                bool is_reserved)
{
    bool is_here = now && g_str_equal(now->host, host);
    bool is_reservation = now && now->state == VGPU_HOLDING_RESERVED;
    bool is_open = is_reservation && is_reserved && now->id;

    if (!local && !is_here)
        return VGPU_TRUTH_TIDY;
    if (!local)
        return is_open ? VGPU_TRUTH_NOTHING : VGPU_TRUTH_END;
    if (!now)
        return VGPU_TRUTH_PUT;
    if (is_here)
        return is_same(local, now) ? VGPU_TRUTH_NOTHING : VGPU_TRUTH_PUT;
    if (!is_reservation)
        return VGPU_TRUTH_CONFLICT;
    return is_open ? VGPU_TRUTH_TAKE_OVER : VGPU_TRUTH_PUT;
}
