/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refused.c: virtual functions that their driver has refused
 *
 * Why a driver refuses a VF cannot be read anywhere. So the domain that was refused does not get the VF
 * again before something has changed on its GPU, unless its definition names it. Other domains take it
 * last: a domain can provoke refusals through its own definition, and must not keep others from a VF
 * that way. */
#include "core/refused.h"

#include "core/manager-private.h"

/* Of each VF; domains that come and go must not fill the table. */
#define MOST 16u

static char *
key_of(const char *vf, const char *domain_uuid)
{
    return g_strdup_printf("%s %s", vf, domain_uuid ? domain_uuid : "-");
}

static void
make_place(VgpuManager *self, const char *vf)
{
    const GPtrArray *claims = vgpu_reservations_of_parent(self->reservations, vf);
    VgpuOwner *oldest = NULL;
    guint n = 0;

    for (guint i = 0; claims && i < claims->len; i++) {
        VgpuOwner *owner = ((const VgpuClaim *) g_ptr_array_index(claims, i))->owner;

        if (owner->kind != VGPU_KIND_REFUSED)
            continue;
        n++;
        if (!oldest)
            oldest = owner;
    }
    if (n >= MOST)
        vgpu_reservations_drop_owner(self->reservations, oldest);
}

void
vgpu_refused_add(VgpuManager *self, const char *vf, const VgpuDomain *domain)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(self->inventory, vf);
    g_autofree char *key = key_of(vf, domain->uuid);
    VgpuOwner *owner;
    VgpuClaim *claim;

    if (!gpu || vgpu_reservations_find(self->reservations, VGPU_KIND_REFUSED, key))
        return;
    make_place(self, vf);
    owner = vgpu_reservations_need(self->reservations, VGPU_KIND_REFUSED, key, domain->uuid,
                                   domain->name);
    claim = vgpu_claim_new(NULL, 0);
    claim->gpu = g_strdup(gpu->address);
    claim->parent = g_strdup(vf);
    vgpu_reservations_add(self->reservations, owner, claim);
}

bool
vgpu_refused_has(const VgpuOwner *refused, const char *domain_uuid)
{
    return g_strcmp0(refused->domain_uuid, domain_uuid) == 0;
}

const char *
vgpu_refused_vf(const VgpuOwner *refused)
{
    return refused->claims->len ? ((const VgpuClaim *) refused->claims->pdata[0])->parent : NULL;
}

void
vgpu_refused_drop(VgpuManager *self, const char *gpu)
{
    const VgpuClaim *claim;

    while ((claim = vgpu_reservations_first(vgpu_reservations_of_gpu(self->reservations, gpu),
                                            VGPU_KINDS(REFUSED))))
        vgpu_reservations_drop_owner(self->reservations, claim->owner);
}
