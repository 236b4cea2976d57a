/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/inventory.h"

#include "base/pciaddr.h"

VgpuInventory *
vgpu_inventory_new(void)
{
    VgpuInventory *self = g_new0(VgpuInventory, 1);

    self->gpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_gpu_free);
    g_atomic_ref_count_init(&self->refs);
    return self;
}

VgpuInventory *
vgpu_inventory_ref(VgpuInventory *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

bool
vgpu_inventory_is_own(VgpuInventory *self)
{
    return g_atomic_ref_count_compare(&self->refs, 1);
}

VgpuInventory *
vgpu_inventory_copy(const VgpuInventory *self)
{
    VgpuInventory *copy = vgpu_inventory_new();

    for (guint i = 0; i < self->gpus->len; i++)
        g_ptr_array_add(copy->gpus, vgpu_gpu_ref(g_ptr_array_index(self->gpus, i)));
    if (self->functions)
        vgpu_inventory_index(copy);
    return copy;
}

void
vgpu_inventory_free(VgpuInventory *self)
{
    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
    g_clear_pointer(&self->functions, g_hash_table_unref);
    g_ptr_array_unref(self->gpus);
    g_free(self);
}

/* By number, so that domain 10000 comes after 0000. */
static int
compare_addresses(const char *a, const char *b)
{
    VgpuPciAddr x = { 0 }, y = { 0 };

    if (!vgpu_pciaddr_parse(a, &x) || !vgpu_pciaddr_parse(b, &y))
        return g_strcmp0(a, b);
    if (x.domain != y.domain)
        return x.domain < y.domain ? -1 : 1;
    return (x.bus - y.bus) * 256 + (x.slot - y.slot) * 8 + (x.function - y.function);
}

void
vgpu_inventory_take(VgpuInventory *self, VgpuGpu *gpu)
{
    guint at = self->gpus->len;

    g_clear_pointer(&self->functions, g_hash_table_unref);
    while (at > 0) {
        const VgpuGpu *before = g_ptr_array_index(self->gpus, at - 1);

        if (compare_addresses(before->address, gpu->address) <= 0)
            break;
        at--;
    }
    g_ptr_array_insert(self->gpus, (gint) at, gpu);
}

/* The keys are the GPU's. */
static void
add_to_index(GHashTable *functions, VgpuGpu *gpu)
{
    g_hash_table_replace(functions, gpu->address, gpu);
    for (guint i = 0; i < gpu->parents->len; i++)
        g_hash_table_replace(functions, ((VgpuParent *) gpu->parents->pdata[i])->address, gpu);
}

static void
drop_from_index(GHashTable *functions, const VgpuGpu *gpu)
{
    g_hash_table_remove(functions, gpu->address);
    for (guint i = 0; i < gpu->parents->len; i++)
        g_hash_table_remove(functions, ((VgpuParent *) gpu->parents->pdata[i])->address);
}

void
vgpu_inventory_index(VgpuInventory *self)
{
    g_clear_pointer(&self->functions, g_hash_table_unref);
    self->functions = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < self->gpus->len; i++)
        add_to_index(self->functions, g_ptr_array_index(self->gpus, i));
}

void
vgpu_inventory_replace(VgpuInventory *self, VgpuGpu *gpu)
{
    VgpuGpu *old = vgpu_inventory_find(self, gpu->address);
    guint at = 0;

    if (!g_ptr_array_find(self->gpus, old, &at))
        g_error("GPU %s does not exist", gpu->address);
    if (self->functions) {
        drop_from_index(self->functions, old);
        add_to_index(self->functions, gpu);
    }
    self->gpus->pdata[at] = gpu;
    vgpu_gpu_free(old);
}

VgpuGpu *
vgpu_inventory_find(const VgpuInventory *self, const char *address)
{
    if (self->functions) {
        VgpuGpu *gpu = g_hash_table_lookup(self->functions, address);

        return gpu && g_str_equal(gpu->address, address) ? gpu : NULL;
    }
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (g_str_equal(gpu->address, address))
            return gpu;
    }
    return NULL;
}

/* Also those that carry nothing. */
static VgpuGpu *
find_by_vf(const VgpuInventory *self, const char *address)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (vgpu_gpu_has_function(gpu, address))
            return gpu;
    }
    return NULL;
}

VgpuGpu *
vgpu_inventory_find_by_function(const VgpuInventory *self, const char *address)
{
    VgpuGpu *gpu = self->functions ? g_hash_table_lookup(self->functions, address) : NULL;

    return gpu ? gpu : find_by_vf(self, address);
}

VgpuParent *
vgpu_inventory_find_parent(const VgpuInventory *self, const char *address, VgpuGpu **gpu)
{
    VgpuGpu *known = self->functions ? g_hash_table_lookup(self->functions, address) : NULL;
    VgpuParent *parent = known ? vgpu_gpu_find_parent(known, address) : NULL;

    for (guint i = 0; !self->functions && !parent && i < self->gpus->len; i++) {
        known = g_ptr_array_index(self->gpus, i);
        parent = vgpu_gpu_find_parent(known, address);
    }
    if (parent && gpu)
        *gpu = known;
    return parent;
}

void
vgpu_inventory_remember_gpu(VgpuGpu *self, const VgpuGpu *older)
{
    if (!older || self->interface != VGPU_INTERFACE_VENDOR_VFIO ||
        older->interface != self->interface ||
        g_strcmp0(older->product_id, self->product_id) != 0 ||
        g_strcmp0(older->subsystem, self->subsystem) != 0 ||
        g_strcmp0(older->driver_version, self->driver_version) != 0)
        return;
    self->card_mib = MAX(self->card_mib, older->card_mib);
    for (guint i = 0; i < older->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(older->profiles, i);

        if (!vgpu_gpu_find_profile(self, profile->id))
            (void) vgpu_gpu_take_profile(self, vgpu_profile_copy(profile));
    }
}

void
vgpu_inventory_identify_gpu(VgpuGpu *self, const VgpuInventory *from_libvirt)
{
    const VgpuGpu *known = vgpu_inventory_find(from_libvirt, self->address);

    if (!known)
        return;
    g_free(self->nodedev);
    g_free(self->name);
    self->nodedev = g_strdup(known->nodedev);
    self->name = g_strdup(known->name);
}
