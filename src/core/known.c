/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known.c: the domains that libvirt has, annotated or not
 *
 * The UUIDs of a domain's vGPUs follow from its own, so that anyone can compute them, and name one with
 * uuid= in another domain. They belong to the domain that they are computed from, even before it is
 * annotated. */
#include "core/known.h"

#include "base/uuid.h"
#include "core/manager-private.h"
#include "domain/schema.h"

typedef struct {
    char *name;
    char **computed; /* the UUIDs of its vGPUs; NULL: not computed yet */
} Known;

static void
known_free(gpointer data)
{
    Known *self = data;

    g_free(self->name);
    g_strfreev(self->computed);
    g_free(self);
}

GHashTable *
vgpu_known_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
}

void
vgpu_known_take(VgpuManager *self, const char *domain_uuid, const char *name)
{
    Known *known = g_hash_table_lookup(self->known, domain_uuid);

    if (!name) {
        g_hash_table_remove(self->known, domain_uuid);
        return;
    }
    if (!known) {
        known = g_new0(Known, 1);
        g_hash_table_insert(self->known, g_strdup(domain_uuid), known);
    }
    g_free(known->name);
    known->name = g_strdup(name);
}

/* Those that it has keep what was computed. */
void
vgpu_known_take_all(VgpuManager *self, const GPtrArray *domains)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer domain_uuid;

    for (guint i = 0; i < domains->len; i++) {
        const VgpuListed *domain = g_ptr_array_index(domains, i);

        g_hash_table_add(listed, domain->uuid);
        vgpu_known_take(self, domain->uuid, domain->name);
    }
    g_hash_table_iter_init(&iter, self->known);
    while (g_hash_table_iter_next(&iter, &domain_uuid, NULL)) {
        if (!g_hash_table_contains(listed, domain_uuid))
            g_hash_table_iter_remove(&iter);
    }
}

/* A UUID that could be computed is asked about again and again, by a start that waits for one, and 16 hashes for
 * each domain of a large host are a tenth of a second. */
static bool
is_computed(Known *self, const char *domain_uuid, const char *uuid)
{
    if (!self->computed) {
        self->computed = g_new0(char *, VGPU_COUNT_MAX + 1);
        for (guint i = 0; i < VGPU_COUNT_MAX; i++)
            self->computed[i] = vgpu_uuid_for_domain(domain_uuid, i);
    }
    return g_strv_contains((const char *const *) self->computed, uuid);
}

const char *
vgpu_known_owner(const VgpuManager *self, const char *uuid, const char *except)
{
    GHashTableIter iter;
    gpointer domain_uuid, known;

    if (!vgpu_uuid_may_be_computed(uuid)) /* those that mdevctl or a person has made up */
        return NULL;
    g_hash_table_iter_init(&iter, self->known);
    while (g_hash_table_iter_next(&iter, &domain_uuid, &known)) {
        if (g_strcmp0(domain_uuid, except) != 0 && is_computed(known, domain_uuid, uuid))
            return ((const Known *) known)->name;
    }
    return NULL;
}
