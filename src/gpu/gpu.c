/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/gpu.h"

#include "gpu/tally.h"

/* Of profiles that are not MIG-backed (NVA081_MAX_VGPU_PER_PGPU of NVIDIA's ctrla081.h). */
#define MAX_PER_GPU 32

static const char *const interface_names[] = {
    [VGPU_INTERFACE_NONE] = "none",
    [VGPU_INTERFACE_MDEV] = "mdev",
    [VGPU_INTERFACE_VENDOR_VFIO] = "vendor-vfio",
    [VGPU_INTERFACE_VF] = "vf",
};

const char *
vgpu_interface_to_string(VgpuInterface interface)
{
    return interface_names[interface];
}

VgpuInterface
vgpu_interface_from_string(const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(interface_names); i++) {
        if (g_strcmp0(text, interface_names[i]) == 0)
            return (VgpuInterface) i;
    }
    return VGPU_INTERFACE_NONE;
}

bool
vgpu_interface_is_on_vf(VgpuInterface interface)
{
    return interface == VGPU_INTERFACE_VENDOR_VFIO || interface == VGPU_INTERFACE_VF;
}

static void
instance_free(gpointer data)
{
    VgpuInstance *self = data;

    g_free(self->uuid);
    g_free(self->profile_id);
    g_free(self);
}

static void
gpu_instance_free(gpointer data)
{
    VgpuGpuInstance *self = data;

    g_free(self->name);
    g_free(self);
}

static void
parent_free(gpointer data)
{
    VgpuParent *self = data;

    g_free(self->address);
    g_free(self->driver);
    g_ptr_array_unref(self->offers);
    g_ptr_array_unref(self->instances);
    g_free(self);
}

VgpuGpu *
vgpu_gpu_new(const char *address)
{
    VgpuGpu *self = g_new0(VgpuGpu, 1);

    self->address = g_strdup(address);
    self->numa_node = -1;
    self->profiles = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_profile_free);
    self->vfs = g_ptr_array_new_with_free_func(g_free);
    self->parents = g_ptr_array_new_with_free_func(parent_free);
    self->gpu_instances = g_ptr_array_new_with_free_func(gpu_instance_free);
    self->parents_by_address = g_hash_table_new(g_str_hash, g_str_equal);
    self->profiles_by_id = g_hash_table_new(g_str_hash, g_str_equal);
    g_atomic_ref_count_init(&self->refs);
    return self;
}

VgpuGpu *
vgpu_gpu_ref(VgpuGpu *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

bool
vgpu_gpu_is_own(VgpuGpu *self)
{
    return g_atomic_ref_count_compare(&self->refs, 1);
}

static void
tally_free(VgpuTally *self)
{
    g_array_unref(self->counts);
    g_hash_table_unref(self->rooms);
    g_ptr_array_unref(self->open);
    g_hash_table_unref(self->instances);
    g_free(self);
}

void
vgpu_gpu_set_tally(VgpuGpu *self, VgpuTally *tally)
{
    g_clear_pointer(&self->tally, tally_free);
    self->tally = tally;
}

void
vgpu_gpu_free(VgpuGpu *self)
{
    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
    vgpu_gpu_set_tally(self, NULL);
    g_clear_pointer(&self->cordon, vgpu_cordon_unref);
    g_clear_pointer(&self->host_vfs, g_array_unref);
    g_hash_table_unref(self->parents_by_address);
    g_hash_table_unref(self->profiles_by_id);
    g_free(self->address);
    g_free(self->nodedev);
    g_free(self->vendor_id);
    g_free(self->product_id);
    g_free(self->subsystem);
    g_free(self->name);
    g_free(self->driver);
    g_free(self->driver_version);
    g_ptr_array_unref(self->gpu_instances);
    g_ptr_array_unref(self->parents);
    g_ptr_array_unref(self->vfs);
    g_ptr_array_unref(self->profiles);
    g_free(self);
}

bool
vgpu_gpu_is_driver_for_guests(const char *driver)
{
    return driver &&
           (g_str_has_suffix(driver, "vfio-pci") || g_str_has_suffix(driver, "vfio_pci"));
}

bool
vgpu_gpu_shares_with_host(const VgpuGpu *self, const VgpuParent *parent)
{
    return self->interface == VGPU_INTERFACE_VF && parent->driver &&
           !vgpu_gpu_is_driver_for_guests(parent->driver);
}

/* An index is useless if its array was changed without it. */
static bool
is_index_of(GHashTable *index, const GPtrArray *array)
{
    return g_hash_table_size(index) == array->len;
}

static void
add_to_index(GHashTable *index, GPtrArray *array, const char *key, gpointer value)
{
    if (!is_index_of(index, array))
        g_hash_table_remove_all(index);
    if (is_index_of(index, array))
        g_hash_table_insert(index, (gpointer) key, value);
    g_ptr_array_add(array, value);
}

VgpuParent *
vgpu_gpu_add_parent(VgpuGpu *self, const char *address, bool is_vf)
{
    VgpuParent *parent = g_new0(VgpuParent, 1);

    parent->address = g_strdup(address);
    parent->is_vf = is_vf;
    parent->offers = g_ptr_array_new_with_free_func(g_free);
    parent->instances = g_ptr_array_new_with_free_func(instance_free);
    add_to_index(self->parents_by_address, self->parents, parent->address, parent);
    return parent;
}

const VgpuProfile *
vgpu_gpu_take_profile(VgpuGpu *self, VgpuProfile *profile)
{
    const VgpuProfile *known = vgpu_gpu_find_profile(self, profile->id);

    if (known) {
        vgpu_profile_free(profile);
        return known;
    }
    add_to_index(self->profiles_by_id, self->profiles, profile->id, profile);
    return profile;
}

const VgpuProfile *
vgpu_gpu_find_profile(const VgpuGpu *self, const char *id)
{
    if (is_index_of(self->profiles_by_id, self->profiles))
        return g_hash_table_lookup(self->profiles_by_id, id);
    for (guint i = 0; i < self->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(self->profiles, i);

        if (g_str_equal(profile->id, id))
            return profile;
    }
    return NULL;
}

VgpuParent *
vgpu_gpu_find_parent(const VgpuGpu *self, const char *address)
{
    if (is_index_of(self->parents_by_address, self->parents))
        return g_hash_table_lookup(self->parents_by_address, address);
    for (guint i = 0; i < self->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(self->parents, i);

        if (g_str_equal(parent->address, address))
            return parent;
    }
    return NULL;
}

bool
vgpu_gpu_has_function(const VgpuGpu *self, const char *address)
{
    return g_str_equal(address, self->address) || vgpu_gpu_find_parent(self, address) ||
           g_ptr_array_find_with_equal_func(self->vfs, address, g_str_equal, NULL);
}

VgpuInstance *
vgpu_gpu_find_instance(const VgpuGpu *self, const char *uuid, VgpuParent **parent)
{
    VgpuParent *known = NULL;

    if (self->tally && !(known = g_hash_table_lookup(self->tally->instances, uuid)))
        return NULL;
    for (guint i = 0; !known && i < self->parents->len; i++) {
        VgpuParent *one = g_ptr_array_index(self->parents, i);

        if (vgpu_parent_find_instance(one, uuid))
            known = one;
    }
    if (known && parent)
        *parent = known;
    return known ? vgpu_parent_find_instance(known, uuid) : NULL;
}

/* Only of sizes that divide the frame buffer: of others the driver may take fewer than fit (an
 * H200 has 141 GiB and takes 16 of 8 GiB), as it may of all while sizes are mixed, where each has
 * places of its own (nvidia-smi vgpu -s -v, "Supported Placement IDs"). */
guint
vgpu_gpu_max_instances(const VgpuGpu *self, const VgpuProfile *profile)
{
    if (profile->max_instances || !profile->fb_mib || self->card_mib % profile->fb_mib ||
        self->is_mixed || vgpu_profile_is_mig(profile))
        return profile->max_instances;
    return MIN(self->card_mib / profile->fb_mib, MAX_PER_GPU);
}

void
vgpu_gpu_keep_host_vfs(VgpuGpu *self, GArray *numbers)
{
    GArray *before = self->host_vfs;

    self->host_vfs = numbers ? g_array_ref(numbers) : NULL;
    g_clear_pointer(&before, g_array_unref);
    for (guint i = 0; i < self->parents->len; i++)
        ((VgpuParent *) g_ptr_array_index(self->parents, i))->host_vf = 0;
    for (guint i = 0; numbers && i < numbers->len; i++) {
        guint n = g_array_index(numbers, guint, i);
        VgpuParent *parent = n && n <= self->vfs->len
                                 ? vgpu_gpu_find_parent(self, g_ptr_array_index(self->vfs, n - 1))
                                 : NULL;

        if (parent)
            parent->host_vf = n;
    }
}

void
vgpu_gpu_add_gpu_instance(VgpuGpu *self, guint id, int profile, const char *name, guint start,
                          guint size)
{
    VgpuGpuInstance *instance = g_new0(VgpuGpuInstance, 1);

    instance->id = id;
    instance->profile = profile;
    instance->name = g_strdup(name);
    instance->start = start;
    instance->size = size;
    g_ptr_array_add(self->gpu_instances, instance);
    self->tells_gis = true;
}

void
vgpu_parent_add_offer(VgpuParent *self, const VgpuProfile *profile, guint available)
{
    VgpuOffer *offer = g_new0(VgpuOffer, 1);

    offer->profile = profile;
    offer->available = available;
    g_ptr_array_add(self->offers, offer);
}

VgpuInstance *
vgpu_parent_add_instance(VgpuParent *self, const char *uuid, const char *profile_id)
{
    VgpuInstance *instance = g_new0(VgpuInstance, 1);

    instance->uuid = g_strdup(uuid);
    instance->profile_id = g_strdup(profile_id);
    instance->gi = instance->slot = -1;
    g_ptr_array_add(self->instances, instance);
    return instance;
}

VgpuInstance *
vgpu_parent_find_instance(const VgpuParent *self, const char *uuid)
{
    for (guint i = 0; i < self->instances->len; i++) {
        VgpuInstance *instance = g_ptr_array_index(self->instances, i);

        if (g_strcmp0(instance->uuid, uuid) == 0)
            return instance;
    }
    return NULL;
}

VgpuOffer *
vgpu_parent_find_offer(const VgpuParent *self, const char *id)
{
    for (guint i = 0; i < self->offers->len; i++) {
        VgpuOffer *offer = g_ptr_array_index(self->offers, i);

        if (offer->profile->id == id || g_str_equal(offer->profile->id, id))
            return offer;
    }
    return NULL;
}

VgpuInstance *
vgpu_parent_first_instance(const VgpuParent *self)
{
    return self && self->instances->len ? g_ptr_array_index(self->instances, 0) : NULL;
}
