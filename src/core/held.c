/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/held.h"

#include "base/clock.h"
#include "core/manager-private.h"
#include "domain/refusals.h"

bool
vgpu_held_is_for(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    return gpu->interface != VGPU_INTERFACE_MDEV || vgpu_profile_is_mig(profile);
}

const VgpuClaim *
vgpu_held_find(const VgpuManager *self, const char *uuid)
{
    return vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                   VGPU_KINDS(HELD));
}

char *
vgpu_held_refusal(const VgpuOwner *owner)
{
    return owner->domain_name ? g_strdup_printf(VGPU_REFUSAL_HELD, owner->domain_name)
                              : g_strdup(VGPU_REFUSAL_HELD_BY_HAND);
}

static void
drop(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim)
{
    g_message("the room on %s is no longer held for domain '%s'", claim->parent,
              owner->domain_name ? owner->domain_name : "-");
    vgpu_reservations_drop(self->reservations, claim);
}

void
vgpu_held_put(VgpuManager *self, const char *domain_uuid, const char *domain_name,
              VgpuClaim *claim)
{
    VgpuOwner *owner =
        vgpu_reservations_need(self->reservations, VGPU_KIND_HELD,
                               domain_uuid ? domain_uuid : claim->uuid, domain_uuid, domain_name);
    VgpuClaim *old = vgpu_owner_find(owner, claim->uuid);

    g_free(owner->domain_name);
    owner->domain_name = g_strdup(domain_name);
    if (old)
        vgpu_reservations_drop(self->reservations, old);
    g_message("room for '%s' on %s is held for domain '%s'", claim->profile_name, claim->parent,
              domain_name ? domain_name : "-");
    vgpu_reservations_add(self->reservations, owner, claim);
    owner->touched = vgpu_clock_now();
    vgpu_records_save_or_warn(self, owner);
}

void
vgpu_held_drop(VgpuManager *self, const char *uuid)
{
    VgpuClaim *claim = (VgpuClaim *) vgpu_held_find(self, uuid);
    VgpuOwner *owner = claim ? claim->owner : NULL;

    if (!claim)
        return;
    drop(self, owner, claim);
    vgpu_records_save_or_warn(self, owner);
    vgpu_waiters_wake_starts(self);
}

/* Those that @domain does not want; NULL: all. */
static void
drop_unwanted(VgpuManager *self, const char *key, const VgpuDomain *domain)
{
    VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_HELD, key);
    guint before = owner ? owner->claims->len : 0;

    for (guint i = 0; owner && i < owner->claims->len;) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        const VgpuWant *want = domain && claim->index < domain->wants->len
                                   ? g_ptr_array_index(domain->wants, claim->index)
                                   : NULL;

        if (want && want->create_at_define && g_strcmp0(want->uuid, claim->uuid) == 0 &&
            vgpu_claim_fits(claim, want))
            i++;
        else
            drop(self, owner, claim);
    }
    if (owner && domain) /* the domain is there */
        owner->touched = vgpu_clock_now();
    if (!owner || owner->claims->len == before)
        return;
    vgpu_records_save_or_warn(self, owner);
    vgpu_waiters_wake_starts(self);
}

void
vgpu_held_drop_all(VgpuManager *self, const char *domain_uuid)
{
    drop_unwanted(self, domain_uuid, NULL);
}

void
vgpu_held_prune(VgpuManager *self, const VgpuDomain *domain)
{
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain->uuid);

    if (!definition || !definition->running)
        drop_unwanted(self, domain->uuid, domain);
}
