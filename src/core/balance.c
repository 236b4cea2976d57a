/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* balance.c: the reservations on a GPU that its driver does not show
 *
 * Nearly all recorded vGPUs exist and show up on their GPU. Decisions need the others, which are kept
 * for each GPU until the GPU or a record that names it changes. */
#include "core/balance.h"

#include "core/manager-private.h"

static void
balance_free(gpointer data)
{
    VgpuBalance *self = data;

    g_ptr_array_unref(self->open);
    g_free(self);
}

GHashTable *
vgpu_balances_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, balance_free);
}

/* Whether the GPU shows it, with its profile. */
static bool
is_shown(const VgpuGpu *gpu, const VgpuClaim *claim)
{
    const VgpuParent *parent = claim->parent ? vgpu_gpu_find_parent(gpu, claim->parent) : NULL;
    const VgpuInstance *instance = parent ? vgpu_parent_find_instance(parent, claim->uuid) : NULL;

    return instance && instance->profile_id;
}

static VgpuBalance *
balance_new(const VgpuManager *self, const VgpuGpu *gpu)
{
    const GPtrArray *claims = vgpu_reservations_of_gpu(self->reservations, gpu->address);
    VgpuBalance *balance = g_new0(VgpuBalance, 1);

    balance->open = g_ptr_array_new();
    for (guint i = 0; claims && i < claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(claims, i);

        if (vgpu_reservations_kind_takes_room(claim->owner->kind) && !is_shown(gpu, claim))
            g_ptr_array_add(balance->open, claim);
    }
    return balance;
}

/* Take the changes of the records into account. */
static void
drop_changed(VgpuManager *self)
{
    g_autoptr(GHashTable) gpus = vgpu_reservations_take_changed_gpus(self->reservations);
    GHashTableIter iter;
    gpointer gpu;

    if (!gpus)
        return;
    g_hash_table_iter_init(&iter, gpus);
    while (g_hash_table_iter_next(&iter, &gpu, NULL))
        g_hash_table_remove(self->balances, gpu);
}

const VgpuBalance *
vgpu_balances_get(VgpuManager *self, const VgpuGpu *gpu)
{
    VgpuBalance *balance;

    drop_changed(self);
    balance = g_hash_table_lookup(self->balances, gpu->address);
    if (!balance) {
        balance = balance_new(self, gpu);
        g_hash_table_insert(self->balances, g_strdup(gpu->address), balance);
    }
    return balance;
}
