/* refused.c: virtual functions that their driver has refused
 *
 * Nothing that can be read tells why a driver does not take a VF now, so it is not tried again before
 * something has changed on its GPU, unless a definition names it. */
#include "core/refused.h"

#include "core/manager-private.h"

void
vgpu_refused_add(VgpuManager *self, const char *vf, const VgpuDomain *domain)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(self->inventory, vf);
    VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_REFUSED, vf);
    VgpuClaim *claim;

    if (owner) /* of an earlier try, perhaps another domain's */
        vgpu_reservations_drop_owner(self->reservations, owner);
    if (!gpu)
        return;
    owner = vgpu_reservations_need(self->reservations, VGPU_KIND_REFUSED, vf, domain->uuid,
                                   domain->name);
    claim = vgpu_claim_new(NULL, 0);
    claim->gpu = g_strdup(gpu->address);
    claim->parent = g_strdup(vf);
    vgpu_reservations_add(self->reservations, owner, claim);
}

bool
vgpu_refused_has(const VgpuManager *self, const char *vf, const char *except)
{
    const VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_REFUSED, vf);

    return owner && g_strcmp0(owner->domain_uuid, except) != 0;
}

void
vgpu_refused_drop(VgpuManager *self, const char *gpu)
{
    const VgpuClaim *claim;

    while ((claim = vgpu_reservations_first(vgpu_reservations_of_gpu(self->reservations, gpu),
                                            VGPU_KINDS(REFUSED))))
        vgpu_reservations_drop_owner(self->reservations, claim->owner);
}
