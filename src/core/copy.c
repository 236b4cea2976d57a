/* copy.c (manager.h): a manager as it was at one moment, for questions that take long
 *
 * What is large is shared, as it never changes once it is there: the inventory and the pools. */
#include "core/balance.h"
#include "core/manager-private.h"

VgpuManager *
vgpu_manager_copy(VgpuManager *self)
{
    VgpuManager *copy = g_new0(VgpuManager, 1);

    (void) vgpu_manager_inventory(self);
    copy->config = self->config;
    copy->ops.libvirt = self->ops.libvirt;
    copy->inventory = vgpu_inventory_ref(self->inventory);
    copy->discovery = self->discovery ? g_variant_ref(self->discovery) : NULL;
    copy->pools = vgpu_pools_copy(self->pools);
    copy->reservations = vgpu_reservations_copy(self->reservations);
    copy->balances = vgpu_balances_new();
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
    g_hash_table_unref(self->balances);
    g_hash_table_unref(self->unseen);
    g_hash_table_unref(self->slow);
    g_free(self);
}
