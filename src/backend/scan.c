#include "backend/scan.h"

#include "backend/backend.h"
#include "backend/discovery.h"
#include "base/names.h"

/* The largest profile of a GPU takes all of it. It is listed while the GPU is idle; beside a vGPU
 * the lists are shorter, and that of the VF which has one is empty. */
static void
learn_card(VgpuGpu *gpu)
{
    guint largest = 0;

    if (gpu->interface != VGPU_INTERFACE_VENDOR_VFIO)
        return;
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        if (parent->instances->len || !parent->offers->len)
            return;
        for (guint j = 0; j < parent->offers->len; j++) {
            const VgpuProfile *profile =
                ((const VgpuOffer *) g_ptr_array_index(parent->offers, j))->profile;

            if (!vgpu_profile_is_mig(profile))
                largest = MAX(largest, profile->fb_mib);
        }
    }
    gpu->card_mib = MAX(gpu->card_mib, largest);
}

/* Those that have a UUID for a name. */
static void
read_mdevs(const VgpuSysfs *sysfs, VgpuGpu *gpu)
{
    g_autoptr(GPtrArray) uuids = vgpu_sysfs_list(sysfs, VGPU_SYS_MDEV_DEVICES);
    const VgpuBackend *backend = vgpu_backend_get(VGPU_INTERFACE_MDEV);

    for (guint i = 0; i < uuids->len; i++) {
        VgpuPlace place = { .uuid = g_ptr_array_index(uuids, i) };
        g_auto(VgpuPresence) seen = backend->look(sysfs, &place);
        VgpuParent *parent = seen.parent ? vgpu_gpu_find_parent(gpu, seen.parent) : NULL;

        if (parent)
            vgpu_parent_add_instance(parent, place.uuid, seen.profile_id);
    }
}

void
vgpu_scan_contents(const VgpuSysfs *sysfs, VgpuGpu *gpu)
{
    const VgpuBackend *backend = vgpu_backend_get(gpu->interface);

    for (guint i = 0; backend && i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_ptr_array_set_size(parent->offers, 0);
        g_ptr_array_set_size(parent->instances, 0);
        backend->read_offers(sysfs, gpu, parent);
        if (backend->read_instances)
            backend->read_instances(sysfs, parent);
    }
    if (gpu->interface == VGPU_INTERFACE_MDEV)
        read_mdevs(sysfs, gpu);
    learn_card(gpu);
}

VgpuInventory *
vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named)
{
    VgpuInventory *inventory = vgpu_discover(sysfs, named);

    for (guint i = 0; i < inventory->gpus->len; i++)
        vgpu_scan_contents(sysfs, g_ptr_array_index(inventory->gpus, i));
    return inventory;
}
