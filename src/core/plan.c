/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.c (manager.h): the places that definitions name for their vGPUs, and the VFs planned for them */
#include "core/plan.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "core/held.h"
#include "core/manager-private.h"

const VgpuClaim *
vgpu_plan_find(const VgpuManager *self, const char *key, const char *uuid)
{
    const VgpuClaim *held = vgpu_held_find(self, uuid);

    if (held && g_str_equal(held->owner->key, key))
        return held;
    return vgpu_owner_find(vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, key),
                           uuid);
}

static const VgpuOwner *
owner_in(const VgpuManager *self, guint kinds, const char *vf, const char *except)
{
    const GPtrArray *claims = vgpu_reservations_of_parent(self->reservations, vf);

    for (guint i = 0; claims && i < claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(claims, i);
        const VgpuOwner *owner = claim->owner;

        if ((kinds & (1u << owner->kind)) && claim->phase != VGPU_PHASE_FAILED &&
            g_strcmp0(owner->key, except) != 0)
            return owner;
    }
    return NULL;
}

static const char *
user_in(const VgpuManager *self, guint kinds, const char *vf, const char *except)
{
    const VgpuOwner *owner = owner_in(self, kinds, vf, except);

    if (!owner)
        return NULL;
    return owner->domain_name ? owner->domain_name : "none (made by hand)";
}

const char *
vgpu_plan_user(const VgpuManager *self, const char *vf, const char *key)
{
    return user_in(self, VGPU_KINDS_MADE, vf, key);
}

const char *
vgpu_plan_other_user(const VgpuManager *self, const char *vf, const char *key)
{
    const char *user = vgpu_plan_user(self, vf, key);

    return user ? user
                : user_in(self, VGPU_KINDS(PLANNED) | VGPU_KINDS(HELD) | VGPU_KINDS(SAVED), vf,
                          key);
}

/* Whether it is planned for the domain, too. */
static bool
is_planned_for(const VgpuManager *self, const char *vf, const char *key)
{
    const VgpuOwner *owner =
        key ? vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, key) : NULL;

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (g_strcmp0(claim->parent, vf) == 0)
            return true;
    }
    return false;
}

char *
vgpu_plan_describe_use(const VgpuManager *self, const char *vf, const char *key)
{
    const VgpuOwner *user = owner_in(self, VGPU_KINDS_MADE, vf, key);

    if (user)
        return user->domain_name ? g_strdup_printf("in use by domain '%s'", user->domain_name)
                                 : g_strdup("in use by a vGPU that was made by hand");
    if (is_planned_for(self, vf, key) || !(user = owner_in(self, VGPU_KINDS(PLANNED), vf, key)))
        return NULL;
    return g_strdup_printf("planned for domain '%s'", user->domain_name);
}

void
vgpu_plan_drop(VgpuManager *self, const char *key, const char *uuid)
{
    VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, key);
    VgpuClaim *claim = vgpu_owner_find(owner, uuid);

    if (!claim)
        return;
    vgpu_reservations_drop(self->reservations, claim);
    vgpu_records_save_or_warn(self, owner);
}

void
vgpu_plan_drop_all(VgpuManager *self, const char *key)
{
    VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, key);

    if (!owner)
        return;
    vgpu_reservations_clear(self->reservations, owner);
    g_clear_pointer(&owner->aside, g_free);
    vgpu_records_save_or_warn(self, owner);
}

void
vgpu_manager_set_aside(VgpuManager *self, const VgpuDomain *domain, const char *elements)
{
    VgpuOwner *owner =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, domain->uuid);

    if (!owner && elements)
        owner = vgpu_reservations_need(self->reservations, VGPU_KIND_PLANNED, domain->uuid,
                                       domain->uuid, domain->name);
    if (!owner || g_strcmp0(owner->aside, elements) == 0)
        return;
    g_free(owner->aside);
    owner->aside = g_strdup(elements);
    owner->touched = vgpu_clock_now();
    vgpu_records_save_or_warn(self, owner);
}

char *
vgpu_manager_get_aside(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, domain_uuid);

    return owner ? g_strdup(owner->aside) : NULL;
}

void
vgpu_plan_put(VgpuManager *self, const VgpuDomain *domain, VgpuClaim *claim)
{
    VgpuOwner *owner = vgpu_reservations_need(self->reservations, VGPU_KIND_PLANNED, domain->uuid,
                                              domain->uuid, domain->name);
    VgpuClaim *old = vgpu_owner_find(owner, claim->uuid);

    g_free(owner->domain_name);
    owner->domain_name = g_strdup(domain->name);
    if (old)
        vgpu_reservations_drop(self->reservations, old);
    vgpu_reservations_add(self->reservations, owner, claim);
    owner->touched = vgpu_clock_now();
    vgpu_records_save_or_warn(self, owner);
}

void
vgpu_plan_prune(VgpuManager *self, const VgpuDomain *domain)
{
    VgpuOwner *owner =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, domain->uuid);
    guint before = owner ? owner->claims->len : 0;

    for (guint i = 0; owner && i < owner->claims->len;) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        const VgpuWant *want = claim->index < domain->wants->len
                                   ? g_ptr_array_index(domain->wants, claim->index)
                                   : NULL;

        if (want && !want->uuid_is_users && g_str_equal(want->uuid, claim->uuid))
            i++;
        else
            vgpu_reservations_drop(self->reservations, claim);
    }
    if (owner) /* the domain is there */
        owner->touched = vgpu_clock_now();
    if (owner && owner->claims->len != before)
        vgpu_records_save_or_warn(self, owner);
}

bool
vgpu_plan_take_hostdev(const VgpuManager *self, const VgpuDomain *domain,
                       const VgpuHostdev *hostdev, VgpuWant *want)
{
    const VgpuClaim *reserved = vgpu_plan_find(self, domain->uuid, want->uuid);
    g_autofree char *computed = vgpu_uuid_for_domain(domain->uuid, want->index);

    if (want->uuid_is_users)
        return false;
    if (!hostdev->source) {
        want->interface = VGPU_INTERFACE_MDEV;
        return g_strcmp0(computed, hostdev->uuid) == 0;
    }
    if (!(reserved && g_str_equal(reserved->parent, hostdev->source)) &&
        vgpu_plan_other_user(self, hostdev->source, domain->uuid))
        return false;
    want->interface = hostdev->managed ? VGPU_INTERFACE_VF : VGPU_INTERFACE_VENDOR_VFIO;
    g_free(want->vf);
    want->vf = g_strdup(hostdev->source);
    return true;
}
