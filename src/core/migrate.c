/* migrate.c: the XML of a domain that comes from elsewhere, or from a save, with this host's devices */
#include "core/manager-private.h"
#include "domain/filter.h"

typedef struct {
    VgpuManager *manager;
    char *key;
} Lapse;

static void
lapse_free(gpointer data)
{
    Lapse *self = data;

    g_free(self->key);
    g_free(self);
}

static gboolean
on_lapse(gpointer data)
{
    const Lapse *self = data;

    VgpuManager *manager = self->manager;

    if (!vgpu_manager_owner(manager, self->key) &&
        !g_hash_table_contains(manager->definitions, self->key))
        vgpu_manager_unreserve_all(manager, self->key); /* it has not come to stay */
    g_hash_table_remove(manager->choices, self->key);
    g_hash_table_remove(manager->lapses, self->key);
    return G_SOURCE_REMOVE;
}

/* Hold what was chosen for as long as its prepare may take to come. */
static void
hold(VgpuManager *self, const VgpuDomain *domain)
{
    const VgpuOwner *reserved = g_hash_table_lookup(self->reserved, domain->uuid);
    VgpuOwner *choice = vgpu_owner_new(domain->uuid);
    Lapse *lapse = g_new0(Lapse, 1);
    GSource *source = g_timeout_source_new(self->lapse_ms);

    choice->domain_uuid = g_strdup(domain->uuid);
    choice->domain_name = g_strdup(domain->name);
    for (guint i = 0; reserved && i < reserved->claims->len; i++)
        g_ptr_array_add(choice->claims, vgpu_claim_copy(g_ptr_array_index(reserved->claims, i)));
    g_hash_table_replace(self->choices, choice->key, choice);

    lapse->manager = self;
    lapse->key = g_strdup(domain->uuid);
    g_source_set_callback(source, on_lapse, lapse, lapse_free);
    g_source_attach(source, self->context);
    g_hash_table_replace(self->lapses, g_strdup(domain->uuid), source);
}

void
vgpu_manager_forget_choice(VgpuManager *self, const char *domain_uuid)
{
    g_hash_table_remove(self->choices, domain_uuid);
    g_hash_table_remove(self->lapses, domain_uuid);
}

bool
vgpu_manager_filter(VgpuManager *self, VgpuDomain *domain, char **out, GError **error)
{
    bool on_vf = false;

    if (!domain->uuid || !domain->wants->len) {
        *out = NULL;
        return true;
    }
    if (!vgpu_manager_bind_now(self, domain, error) ||
        !vgpu_filter_domain(domain, self->host.libvirt, out, error))
        return false;
    for (guint i = 0; i < domain->wants->len; i++)
        on_vf |= ((const VgpuWant *) g_ptr_array_index(domain->wants, i))->vf != NULL;
    if (on_vf)
        hold(self, domain);
    return true;
}
