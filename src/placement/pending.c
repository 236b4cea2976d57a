/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement/pending.h"

struct VgpuPending {
    guint covers;
    GArray *open;         /* of VgpuReservation */
    GHashTable *gpus;     /* VgpuGpu → GArray of VgpuPendingOne */
    GHashTable *parents;  /* VgpuParent → how many on it */
    GHashTable *profiles; /* UUID of an instance that does not tell it → its profile */
};

const VgpuInstance *
vgpu_pending_seen(const VgpuParent *parent, const VgpuReservation *reservation)
{
    const VgpuInstance *instance = vgpu_parent_find_instance(parent, reservation->uuid);
    const VgpuInstance *first = vgpu_parent_first_instance(parent);

    if (instance || !parent->is_vf || !first || first->uuid ||
        g_strcmp0(first->profile_id, reservation->profile_id) != 0)
        return instance;
    return first;
}

bool
vgpu_pending_is_open(const VgpuInventory *inventory, const VgpuReservation *reservation)
{
    const VgpuParent *parent = vgpu_inventory_find_parent(inventory, reservation->parent, NULL);
    const VgpuInstance *instance = parent ? vgpu_pending_seen(parent, reservation) : NULL;

    return parent && (!instance || !instance->profile_id);
}

static void
add_to_gpu(VgpuPending *self, const VgpuReservation *reservation, VgpuGpu *gpu,
           VgpuParent *parent)
{
    GArray *all = g_hash_table_lookup(self->gpus, gpu);
    VgpuPendingOne one = { .reservation = *reservation, .parent = parent };
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(self->parents, parent));

    if (!all) {
        all = g_array_new(FALSE, FALSE, sizeof(VgpuPendingOne));
        g_hash_table_insert(self->gpus, gpu, all);
    }
    g_array_append_val(all, one);
    g_hash_table_insert(self->parents, parent, GUINT_TO_POINTER(n + 1));
}

static void
add(VgpuPending *self, const VgpuInventory *inventory, const VgpuReservation *reservation)
{
    VgpuGpu *gpu = NULL;
    VgpuParent *parent = vgpu_inventory_find_parent(inventory, reservation->parent, &gpu);
    const VgpuInstance *instance = parent ? vgpu_pending_seen(parent, reservation) : NULL;

    if (!parent || (instance && instance->profile_id))
        return;
    g_array_append_vals(self->open, reservation, 1);
    if (!instance)
        add_to_gpu(self, reservation, gpu, parent);
    if (reservation->uuid && !g_hash_table_contains(self->profiles, reservation->uuid))
        g_hash_table_insert(self->profiles, (gpointer) reservation->uuid,
                            (gpointer) reservation->profile_id);
}

VgpuPending *
vgpu_pending_new(const VgpuInventory *inventory, const GArray *reservations)
{
    VgpuPending *self = g_new0(VgpuPending, 1);

    self->covers = reservations->len;
    self->open = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
    self->gpus = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
    self->parents = g_hash_table_new(NULL, NULL);
    self->profiles = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < reservations->len; i++)
        add(self, inventory, &g_array_index(reservations, VgpuReservation, i));
    return self;
}

void
vgpu_pending_free(VgpuPending *self)
{
    if (!self)
        return;
    g_array_unref(self->open);
    g_hash_table_unref(self->gpus);
    g_hash_table_unref(self->parents);
    g_hash_table_unref(self->profiles);
    g_free(self);
}

guint
vgpu_pending_covers(const VgpuPending *self)
{
    return self ? self->covers : 0;
}

const GArray *
vgpu_pending_on_gpu(const VgpuPending *self, const VgpuGpu *gpu)
{
    return self ? g_hash_table_lookup(self->gpus, gpu) : NULL;
}

guint
vgpu_pending_on(const VgpuPending *self, const VgpuParent *parent)
{
    return self ? GPOINTER_TO_UINT(g_hash_table_lookup(self->parents, parent)) : 0;
}

const char *
vgpu_pending_profile(const VgpuPending *self, const char *uuid)
{
    return self && uuid ? g_hash_table_lookup(self->profiles, uuid) : NULL;
}

const GArray *
vgpu_pending_open(const VgpuPending *self)
{
    return self->open;
}
