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

void
vgpu_inventory_free(VgpuInventory *self)
{
    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
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

    while (at > 0) {
        const VgpuGpu *before = g_ptr_array_index(self->gpus, at - 1);

        if (compare_addresses(before->address, gpu->address) <= 0)
            break;
        at--;
    }
    g_ptr_array_insert(self->gpus, (gint) at, gpu);
}

VgpuGpu *
vgpu_inventory_find(const VgpuInventory *self, const char *address)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (g_str_equal(gpu->address, address))
            return gpu;
    }
    return NULL;
}

VgpuGpu *
vgpu_inventory_find_by_function(const VgpuInventory *self, const char *address)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (g_str_equal(gpu->address, address) || vgpu_gpu_find_parent(gpu, address) ||
            g_ptr_array_find_with_equal_func(gpu->vfs, address, g_str_equal, NULL))
            return gpu;
    }
    return NULL;
}

bool
vgpu_inventory_remove(VgpuInventory *self, const char *address)
{
    VgpuGpu *gpu = vgpu_inventory_find(self, address);

    return gpu && g_ptr_array_remove(self->gpus, gpu);
}

void
vgpu_inventory_remember(VgpuInventory *self, const VgpuInventory *older)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);
        const VgpuGpu *old = vgpu_inventory_find(older, gpu->address);

        if (!old || gpu->interface != VGPU_INTERFACE_VENDOR_VFIO ||
            old->interface != gpu->interface || g_strcmp0(old->product_id, gpu->product_id) != 0)
            continue;
        gpu->card_mib = MAX(gpu->card_mib, old->card_mib);
        for (guint j = 0; j < old->profiles->len; j++)
            (void) vgpu_gpu_take_profile(gpu, vgpu_profile_copy(old->profiles->pdata[j]));
    }
}

void
vgpu_inventory_identify(VgpuInventory *self, const VgpuInventory *from_libvirt)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);
        const VgpuGpu *known = vgpu_inventory_find(from_libvirt, gpu->address);

        if (!known)
            continue;
        g_free(gpu->nodedev);
        g_free(gpu->name);
        gpu->nodedev = g_strdup(known->nodedev);
        gpu->name = g_strdup(known->name);
    }
}
