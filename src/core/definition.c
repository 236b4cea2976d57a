/* definition.c: what libvirt's definitions ask for, as far as it has told */
#include "base/uuid.h"
#include "core/manager-private.h"

/* A definition with its part of the index that all of a manager share, which lives as long as the last of
 * them. */
typedef struct {
    VgpuDefinition definition; /* first, so that it is found by a pointer to that */
    GHashTable *index;         /* computed UUID of a vGPU → Indexed */
} Indexed;

/* NULL: there is no definition. */
static GHashTable *
get_index(const VgpuManager *self)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->definitions);
    return g_hash_table_iter_next(&iter, NULL, &value) ? ((Indexed *) value)->index : NULL;
}

static void
add_to_index(Indexed *self)
{
    const VgpuDomain *domain = self->definition.domain;

    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->uuid_is_users)
            g_hash_table_replace(self->index, vgpu_uuid_for_domain(domain->uuid, want->index),
                                 self);
    }
}

/* What a newer one of the same domain has put there stays. */
static void
take_from_index(Indexed *self)
{
    const VgpuDomain *domain = self->definition.domain;

    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        g_autofree char *uuid = vgpu_uuid_for_domain(domain->uuid, want->index);

        if (g_hash_table_lookup(self->index, uuid) == self)
            g_hash_table_remove(self->index, uuid);
    }
}

void
vgpu_definition_free(VgpuDefinition *self)
{
    Indexed *indexed = (Indexed *) self;

    take_from_index(indexed);
    g_hash_table_unref(indexed->index);
    vgpu_domain_free(self->domain);
    g_free(indexed);
}

static VgpuDefinition *
definition_new(const VgpuManager *manager, VgpuDomain *domain)
{
    GHashTable *index = get_index(manager);
    Indexed *self = g_new0(Indexed, 1);

    self->definition.domain = domain;
    self->index = index ? g_hash_table_ref(index)
                        : g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    add_to_index(self);
    return &self->definition;
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
    definition = definition_new(self, domain);
    definition->unclear =
        !vgpu_manager_complete(self, domain, NULL); /* bind() says what is wrong */
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

char *
vgpu_manager_domain_of_orphan(VgpuManager *self, const char *uuid)
{
    GHashTable *index = get_index(self);
    const Indexed *found = index ? g_hash_table_lookup(index, uuid) : NULL;
    const char *domain_uuid = found ? found->definition.domain->uuid : NULL;

    /* nothing but a run of that domain, or one that outlives it, can have a UUID computed from it; or
     * somebody who has asked for it by hand */
    if (!found ||
        vgpu_claims_first(vgpu_reservations_of_uuid(self->reservations, uuid), VGPU_KINDS_OWNED))
        return NULL;
    return g_strdup(domain_uuid);
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
