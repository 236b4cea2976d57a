/* definition.c: what libvirt's definitions ask for, as far as it has told */
#include "core/manager-private.h"

void
vgpu_definition_free(VgpuDefinition *self)
{
    vgpu_domain_free(self->domain);
    g_free(self);
}

void
vgpu_manager_take_definition(VgpuManager *self, VgpuDomain *domain, bool running)
{
    VgpuDefinition *definition = g_hash_table_lookup(self->definitions, domain->uuid);
    VgpuOwner *owner = vgpu_manager_owner(self, domain->uuid);
    VgpuOwner *kept =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PERSISTENT, domain->uuid);
    guint64 order = definition ? definition->order : ++self->last_order;

    if (owner && g_strcmp0(owner->domain_name, domain->name) != 0) { /* renamed */
        g_free(owner->domain_name);
        owner->domain_name = g_strdup(domain->name);
        vgpu_manager_save_or_warn(self, owner);
    }
    if (kept) {
        g_free(kept->domain_name);
        kept->domain_name = g_strdup(domain->name);
    }
    definition = g_new0(VgpuDefinition, 1);
    definition->unclear =
        !vgpu_manager_complete(self, domain, NULL); /* bind() says what is wrong */
    definition->domain = domain;
    definition->order = order;
    definition->running = running;
    g_hash_table_replace(self->definitions, domain->uuid, definition);
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
        self->host.libvirt = version;
}

/* Whether a run of it has vGPUs, apart from those that are on their way out. */
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
    g_hash_table_remove(self->definitions, domain_uuid);
    if (!has_any(vgpu_manager_owner(self, domain_uuid)) &&
        !vgpu_reservations_find(self->reservations, VGPU_KIND_INCOMING, domain_uuid))
        vgpu_manager_unreserve_all(self, domain_uuid);
}
