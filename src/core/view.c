/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view.c (manager.h): the inventory, built from drivers, records and other sources
 *
 * Each GPU is built from all that is known about it, and rebuilt when that changes; only the information
 * from records about a VF is changed in place. Copies that share the inventory or a GPU of it (copy.c)
 * keep it as it was. */
#include "core/view.h"

#include "core/manager-private.h"
#include "core/records.h"
#include "gpu/contents.h"
#include "gpu/facts.h"
#include "gpu/tally.h"

/* A vGPU on a VF has no name in the kernel: it gets the UUID of our record; and its type gets a name,
 * since the driver lists only types that could be made now. For a plain VF only the record tells that it
 * is used. */
static void
label(VgpuGpu *gpu, const VgpuClaim *claim)
{
    VgpuParent *parent = vgpu_gpu_find_parent(gpu, claim->parent);
    VgpuInstance *instance = vgpu_parent_first_instance(parent);

    if (claim->interface == VGPU_INTERFACE_MDEV || gpu->interface != claim->interface)
        return;
    if (!vgpu_gpu_find_profile(gpu, claim->profile_id)) {
        VgpuProfile *profile = vgpu_profile_new(claim->profile_id, claim->profile_name);

        vgpu_profile_guess(profile);
        (void) vgpu_gpu_take_profile(gpu, profile);
    }
    if (!instance && parent && claim->interface == VGPU_INTERFACE_VF) {
        vgpu_parent_add_instance(parent, claim->uuid, claim->profile_id)->is_assumed = true;
    } else if (instance && !instance->uuid) {
        instance->uuid = g_strdup(claim->uuid);
        instance->is_named = true;
    }
}

/* The same for all of @claims with a device on @gpu; @claims may be NULL. */
static void
label_all(VgpuGpu *gpu, const GPtrArray *claims)
{
    for (guint i = 0; claims && i < claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(claims, i);

        if (((1u << claim->owner->kind) & VGPU_KINDS_MADE) && claim->phase != VGPU_PHASE_FAILED &&
            g_str_equal(claim->gpu, gpu->address))
            label(gpu, claim);
    }
}

/* Undo label(). */
static void
unlabel(VgpuParent *parent)
{
    for (guint i = parent->instances->len; i-- > 0;) {
        VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        if (instance->is_assumed) {
            g_ptr_array_remove_index(parent->instances, i);
        } else if (instance->is_named) {
            g_clear_pointer(&instance->uuid, g_free);
            instance->is_named = false;
        }
    }
}

/* Mark the VFs that are kept for the host; a GPU with plain VFs takes as many vGPUs as there are others.
 * A running guest keeps its VF. */
static void
keep_for_host(const VgpuManager *self, VgpuGpu *gpu)
{
    VgpuProfile *profile = (VgpuProfile *) vgpu_gpu_find_profile(gpu, VGPU_VF_PROFILE);

    vgpu_gpu_keep_host_vfs(gpu, self->host_vfs ? g_hash_table_lookup(self->host_vfs, gpu->address)
                                               : NULL);
    if (gpu->interface != VGPU_INTERFACE_VF || !profile)
        return;
    profile->max_instances = gpu->vfs_enabled;
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        profile->max_instances -= parent->host_vf && !parent->instances->len;
    }
}

/* Add what its driver does not report: modes, names of types, and the owners of instances on VFs.
 * @before: the GPU as it was known, NULL: it was not. */
static void
complete(const VgpuManager *self, VgpuGpu *gpu, const VgpuGpu *before)
{
    VgpuCordon *cordon = vgpu_cordons_find(vgpu_records_cordons(self->records), gpu->address);

    vgpu_inventory_remember_gpu(gpu, before);
    vgpu_boards_recall(vgpu_records_boards(self->records), gpu);
    label_all(gpu, vgpu_reservations_of_gpu(self->reservations, gpu->address));
    gpu->cordon = cordon ? vgpu_cordon_ref(cordon) : NULL;
    gpu->mig_auto = self->mig_auto && g_hash_table_contains(self->mig_auto, gpu->address);
    gpu->is_mixed = self->mixed && g_hash_table_contains(self->mixed, gpu->address);
    vgpu_facts_apply(self->facts, gpu); /* which have the last word */
    if (self->identity)
        vgpu_inventory_identify_gpu(gpu, self->identity);
    keep_for_host(self, gpu);
    vgpu_tally_update(gpu);
}

/* Address → that GPU in the discovery. */
static GHashTable *
list_discovered(GVariant *discovery)
{
    GHashTable *all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
    g_autoptr(GVariant) gpus = discovery ? g_variant_get_child_value(discovery, 0) : NULL;

    for (gsize i = 0; gpus && i < g_variant_n_children(gpus); i++) {
        GVariant *gpu = g_variant_get_child_value(gpus, i);
        char *address = NULL;

        g_variant_get_child(gpu, 0, "s", &address);
        g_hash_table_insert(all, address, gpu);
    }
    return all;
}

GHashTable *
vgpu_view_same(const VgpuManager *self, GVariant *discovery)
{
    const VgpuInventory *before = self->inventory;
    g_autoptr(GHashTable) old = list_discovered(self->discovery);
    g_autoptr(GHashTable) now = list_discovered(discovery);
    GHashTable *same = g_hash_table_new(NULL, NULL);

    for (guint i = 0; !self->is_stale && i < before->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(before->gpus, i);
        GVariant *a = g_hash_table_lookup(old, gpu->address);
        GVariant *b = g_hash_table_lookup(now, gpu->address);

        if (a && b && g_variant_equal(a, b))
            g_hash_table_add(same, gpu);
    }
    return same;
}

/* All GPUs, from the latest data; see vgpu_view_build(). */
static VgpuInventory *
build(VgpuManager *self, const VgpuInventory *before, GHashTable *same)
{
    VgpuInventory *now =
        self->discovery ? vgpu_contents_unpack_discovery(self->discovery) : vgpu_inventory_new();

    vgpu_inventory_index(now);
    for (guint i = 0; i < now->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(now->gpus, i);
        VgpuGpu *old = vgpu_inventory_find(before, gpu->address);
        GVariant *contents = g_hash_table_lookup(self->contents, gpu->address);

        if (old && same && g_hash_table_contains(same, old)) {
            vgpu_inventory_replace(now, vgpu_gpu_ref(old));
            continue;
        }
        if (contents)
            (void) !vgpu_contents_unpack(contents, gpu);
        complete(self, gpu, old);
    }
    return now;
}

void
vgpu_view_build(VgpuManager *self, GHashTable *same)
{
    g_autoptr(VgpuInventory) before = self->inventory;

    g_hash_table_remove_all(self->balances);
    self->inventory = build(self, before, same);
    self->is_stale = false;
}

/* The same GPU again, to be changed. */
static VgpuGpu *
rebuild(VgpuManager *self, const VgpuGpu *before)
{
    VgpuGpu *gpu = vgpu_contents_unpack_gpu(self->discovery, before->address);
    GVariant *contents = g_hash_table_lookup(self->contents, before->address);

    if (contents)
        (void) !vgpu_contents_unpack(contents, gpu);
    complete(self, gpu, before);
    return gpu;
}

/* Other holders of the inventory keep it as it is. */
static void
replace(VgpuManager *self, VgpuGpu *gpu)
{
    if (!vgpu_inventory_is_own(self->inventory)) {
        VgpuInventory *shared = self->inventory;

        self->inventory = vgpu_inventory_copy(shared);
        vgpu_inventory_free(shared);
    }
    g_hash_table_remove(self->balances, gpu->address);
    vgpu_inventory_replace(self->inventory, gpu);
}

void
vgpu_view_take(VgpuManager *self, VgpuGpu *gpu)
{
    complete(self, gpu, vgpu_inventory_find(self->inventory, gpu->address));
    replace(self, gpu);
}

void
vgpu_view_renew(VgpuManager *self, const char *gpu)
{
    const VgpuGpu *before = vgpu_inventory_find(vgpu_manager_inventory(self), gpu);

    if (before)
        replace(self, rebuild(self, before));
}

/* The records about that VF have changed. */
static void
relabel(VgpuManager *self, const char *vf)
{
    VgpuGpu *gpu = NULL;
    VgpuParent *parent = vgpu_inventory_find_parent(self->inventory, vf, &gpu);

    if (!parent)
        return;
    if (!vgpu_inventory_is_own(self->inventory) || !vgpu_gpu_is_own(gpu)) {
        replace(self, rebuild(self, gpu));
        return;
    }
    g_hash_table_remove(self->balances, gpu->address);
    unlabel(parent);
    label_all(gpu, vgpu_reservations_of_parent(self->reservations, vf));
    keep_for_host(self, gpu);
    vgpu_tally_update(gpu);
}

static void
follow_records(VgpuManager *self)
{
    g_autoptr(GHashTable) changes = vgpu_reservations_take_changes(self->reservations);
    GHashTableIter iter;
    gpointer vf;

    if (!changes || !self->discovery)
        return;
    g_hash_table_iter_init(&iter, changes);
    while (g_hash_table_iter_next(&iter, &vf, NULL))
        relabel(self, vf);
}

const VgpuInventory *
vgpu_manager_inventory(VgpuManager *self)
{
    if (self->is_stale)
        vgpu_view_build(self, NULL);
    follow_records(self);
    return self->inventory;
}
