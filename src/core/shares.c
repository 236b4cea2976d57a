/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/shares.h"

#include "core/manager-private.h"
#include "core/saved.h"

bool
vgpu_shares_is_used(const VgpuManager *self, const char *uuid)
{
    const VgpuOwner *user = vgpu_records_user_of(self, uuid);

    return user && vgpu_owner_find(user, uuid)->phase != VGPU_PHASE_FAILED;
}

static bool
counts(const VgpuManager *self, const VgpuClaim *claim, const char *key)
{
    VgpuKind kind = claim->owner->kind;

    if (claim->phase == VGPU_PHASE_FAILED || claim->persistent != (kind == VGPU_KIND_PERSISTENT))
        return false;
    if (kind == VGPU_KIND_SAVED)
        return vgpu_saved_counts(self, claim, key);
    return kind != VGPU_KIND_HELD || !vgpu_shares_is_used(self, claim->uuid);
}

void
vgpu_shares_each(const VgpuManager *self, const char *key, VgpuShareFunc func, gpointer opaque)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations,
                                VGPU_KINDS_OWNED | VGPU_KINDS(HELD) | VGPU_KINDS(SAVED));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            if (counts(self, claim, key))
                func(claim, opaque);
        }
    }
}
