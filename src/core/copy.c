/* copy.c: a manager as it was at one moment, for questions that take long
 *
 * What is large is shared, as it never changes once it is there: the inventory and the pools. */
#include "core/manager-private.h"

static VgpuClaim *
copy_claim(const VgpuClaim *from)
{
    VgpuClaim *claim = g_memdup2(from, sizeof(*from));

    claim->uuid = g_strdup(from->uuid);
    claim->gpu = g_strdup(from->gpu);
    claim->parent = g_strdup(from->parent);
    claim->profile_id = g_strdup(from->profile_id);
    claim->profile_name = g_strdup(from->profile_name);
    claim->pool = g_strdup(from->pool);
    claim->tenant = g_strdup(from->tenant);
    claim->reason = g_strdup(from->reason);
    return claim;
}

static GHashTable *
copy_owners(GHashTable *owners)
{
    GHashTable *copy =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_owner_free);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, owners);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuOwner *from = value;
        VgpuOwner *owner = vgpu_owner_new(from->key);

        owner->domain_uuid = g_strdup(from->domain_uuid);
        owner->domain_name = g_strdup(from->domain_name);
        owner->domain_id = from->domain_id;
        owner->since = from->since;
        owner->started = from->started;
        for (guint i = 0; i < from->claims->len; i++)
            g_ptr_array_add(owner->claims, copy_claim(g_ptr_array_index(from->claims, i)));
        g_hash_table_insert(copy, owner->key, owner);
    }
    return copy;
}

static GHashTable *
copy_set(GHashTable *set)
{
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(copy, g_strdup(key));
    return copy;
}

static GHashTable *
copy_shunned(GHashTable *shunned)
{
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer vf, until;

    g_hash_table_iter_init(&iter, shunned);
    while (g_hash_table_iter_next(&iter, &vf, &until))
        g_hash_table_insert(copy, g_strdup(vf), g_memdup2(until, sizeof(gint64)));
    return copy;
}

VgpuManager *
vgpu_manager_copy(VgpuManager *self)
{
    VgpuManager *copy = g_new0(VgpuManager, 1);

    (void) vgpu_manager_inventory(self);
    copy->config = self->config;
    copy->host.libvirt = self->host.libvirt;
    copy->inventory = vgpu_inventory_ref(self->inventory);
    copy->discovery = self->discovery ? g_variant_ref(self->discovery) : NULL;
    copy->pools = vgpu_pools_copy(self->pools);
    copy->owners = copy_owners(self->owners);
    copy->kept = copy_owners(self->kept);
    copy->reserved = copy_owners(self->reserved);
    copy->choices = copy_owners(self->choices);
    copy->setups = copy_set(self->setups);
    copy->shunned = copy_shunned(self->shunned);
    copy->unseen = vgpu_manager_unseen(self);
    copy->slow = vgpu_manager_slow_gpus(self);
    return copy;
}

void
vgpu_manager_copy_free(VgpuManager *self)
{
    vgpu_inventory_free(self->inventory);
    g_clear_pointer(&self->discovery, g_variant_unref);
    vgpu_pools_free(self->pools);
    g_hash_table_unref(self->owners);
    g_hash_table_unref(self->kept);
    g_hash_table_unref(self->reserved);
    g_hash_table_unref(self->choices);
    g_hash_table_unref(self->setups);
    g_hash_table_unref(self->shunned);
    g_hash_table_unref(self->unseen);
    g_hash_table_unref(self->slow);
    g_free(self);
}
