/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* copy.c (manager.h): a manager as it was at one moment, for questions that take long
 *
 * The inventory and the pools are large, never change once they exist, and are shared. */
#include "core/balance.h"
#include "core/manager-private.h"
#include "core/passed.h"
#include "core/planner.h"

/* Note which domains the UUIDs that the domain asks for belong to, according to the definitions. */
static GHashTable *
others_of(const VgpuManager *self, const VgpuDomain *domain)
{
    GHashTable *others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; domain && domain->uuid && i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const char *other = vgpu_planner_other_owner(self, domain->uuid, want);

        if (other)
            g_hash_table_insert(others, g_strdup(want->uuid), g_strdup(other));
    }
    return others;
}

VgpuManager *
vgpu_manager_copy(VgpuManager *self, const VgpuDomain *domain)
{
    VgpuManager *copy = g_new0(VgpuManager, 1);

    (void) vgpu_manager_inventory(self);
    copy->config = self->config;
    copy->ops.libvirt = self->ops.libvirt;
    copy->inventory = vgpu_inventory_ref(self->inventory);
    copy->discovery = self->discovery ? g_variant_ref(self->discovery) : NULL;
    copy->pools = vgpu_pools_copy(self->pools);
    copy->reservations = vgpu_reservations_copy(self->reservations);
    copy->fleet = self->fleet ? vgpu_fleet_picture_ref(self->fleet) : NULL;
    copy->passed = vgpu_passed_copy(self->passed);
    copy->balances = vgpu_balances_new();
    copy->others = others_of(self, domain);
    copy->unseen = vgpu_sight_unseen(self);
    copy->slow = vgpu_sight_slow(self);
    return copy;
}

void
vgpu_manager_copy_free(VgpuManager *self)
{
    vgpu_inventory_free(self->inventory);
    g_clear_pointer(&self->discovery, g_variant_unref);
    vgpu_pools_free(self->pools);
    vgpu_reservations_free(self->reservations);
    vgpu_fleet_picture_unref(self->fleet);
    g_hash_table_unref(self->balances);
    g_hash_table_unref(self->passed);
    g_hash_table_unref(self->others);
    g_hash_table_unref(self->unseen);
    g_hash_table_unref(self->slow);
    g_free(self);
}
