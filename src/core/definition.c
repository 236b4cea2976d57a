/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* definition.c (manager.h): libvirt reports a definition, or its removal */
#include "core/follow.h"
#include "core/held.h"
#include "core/known.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "core/pooling.h"
#include "core/saved.h"

char *
vgpu_manager_domain_of_orphan(VgpuManager *self, const char *uuid)
{
    const GPtrArray *all = vgpu_definitions_wanting(self, uuid);

    /* only a run of that domain, or a vGPU that outlives its runs, can have a UUID computed from it; or
     * one made by hand */
    if (vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                VGPU_KINDS_OWNED))
        return NULL;
    for (guint i = 0; all && i < all->len; i++) {
        const VgpuDefinition *definition = g_ptr_array_index(all, i);

        if (!vgpu_definitions_find_want(definition, uuid)->uuid_is_users)
            return g_strdup(definition->domain->uuid);
    }
    return NULL;
}

/* It may have been renamed. */
static void
take_name(VgpuManager *self, const VgpuDomain *domain)
{
    const GPtrArray *owners = vgpu_reservations_of_domain(self->reservations, domain->uuid);

    for (guint i = 0; owners && i < owners->len; i++) {
        VgpuOwner *owner = g_ptr_array_index(owners, i);

        if (g_strcmp0(owner->domain_name, domain->name) == 0)
            continue;
        g_free(owner->domain_name);
        owner->domain_name = g_strdup(domain->name);
        vgpu_records_save_or_warn(self, owner);
    }
}

void
vgpu_manager_take_definition(VgpuManager *self, VgpuDomain *domain, bool running)
{
    VgpuDefinition *definition = vgpu_definitions_find(self, domain->uuid);
    guint64 order = definition ? definition->order : ++self->last_order;

    take_name(self, domain);
    vgpu_known_take(self, domain->uuid, domain->name);
    vgpu_definitions_unindex(self, definition);
    definition = g_new0(VgpuDefinition, 1);
    definition->unclear =
        !vgpu_pooling_complete(self, domain, NULL); /* bind() says what is wrong */
    definition->domain = domain;
    definition->order = order;
    definition->running = running;
    g_hash_table_replace(self->definitions, domain->uuid, definition);
    vgpu_definitions_index(self, definition);
    if (!definition->unclear)
        vgpu_saved_follow(self, domain, running);
    if (!running)
        vgpu_follow_claim_orphans(self, domain);
}

GPtrArray *
vgpu_manager_definitions(const VgpuManager *self)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, self->definitions);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(uuids, g_strdup(uuid));
    return uuids;
}

void
vgpu_manager_take_libvirt(VgpuManager *self, gulong version)
{
    if (version)
        self->ops.libvirt = version;
}

/* Whether a run of it has vGPUs, apart from those that are being removed. */
static bool
has_any(const VgpuOwner *owner)
{
    for (guint i = 0; owner && i < owner->claims->len; i++) {
        if (((VgpuClaim *) g_ptr_array_index(owner->claims, i))->phase != VGPU_PHASE_RELEASING)
            return true;
    }
    return false;
}

void
vgpu_manager_forget_definition(VgpuManager *self, const char *domain_uuid)
{
    vgpu_definitions_unindex(self, vgpu_definitions_find(self, domain_uuid));
    g_hash_table_remove(self->definitions, domain_uuid);
    if (!has_any(vgpu_records_find(self, domain_uuid)) &&
        !vgpu_reservations_find(self->reservations, VGPU_KIND_INCOMING, domain_uuid)) {
        vgpu_plan_drop_all(self, domain_uuid);
        vgpu_held_drop_all(self, domain_uuid);
    }
}
