/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/scan.h"

#include "backend/backend.h"
#include "backend/discovery.h"
#include "base/error.h"
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

/* A number that a driver shows of a vGPU that it has made; -1: it shows none, as of one that has
 * nothing of the kind ("Not Applicable"), or is older. */
static int
read_place(const VgpuSysfs *sysfs, const char *device, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/nvidia/%s", device, name);
    guint number = 0;

    return vgpu_sysfs_read_uint(sysfs, path, &number, NULL) && number < G_MAXINT16 ? (int) number
                                                                                   : -1;
}

/* Where the driver has put it on its GPU: gpu_instance_id and placement_id, which are there from vGPU 17
 * on (seen on an RTX PRO 6000 Blackwell, github.com/bigstack-oss/cubecos). */
static void
read_places(const VgpuSysfs *sysfs, const char *device, VgpuInstance *instance)
{
    instance->gi = read_place(sysfs, device, "gpu_instance_id");
    instance->slot = read_place(sysfs, device, "placement_id");
}

/* Add the one of that UUID if it is on @gpu; it may have been removed meanwhile. */
static bool
read_mdev(const VgpuSysfs *sysfs, const char *uuid, VgpuGpu *gpu, GError **error)
{
    const VgpuBackend *backend = vgpu_backend_get(VGPU_INTERFACE_MDEV);
    const VgpuPlace place = { .uuid = uuid };
    g_autofree char *device = g_strdup_printf(VGPU_SYS_MDEV_DEVICES "/%s", uuid);
    g_auto(VgpuPresence) seen = backend->look(sysfs, &place);
    VgpuParent *parent = seen.parent ? vgpu_gpu_find_parent(gpu, seen.parent) : NULL;

    if (parent)
        read_places(sysfs, device, vgpu_parent_add_instance(parent, uuid, seen.profile_id));
    if (seen.parent || vgpu_sysfs_is_missing(sysfs, device))
        return true;
    return vgpu_error_set(error, VGPU_ERROR_DRIVER, "cannot find the parent of vGPU %s", uuid);
}

/* Directory entries whose name is a UUID. */
static bool
read_mdevs(const VgpuSysfs *sysfs, VgpuGpu *gpu, GError **error)
{
    g_autoptr(GPtrArray) uuids = vgpu_sysfs_read_dir(sysfs, VGPU_SYS_MDEV_DEVICES, error);

    for (guint i = 0; uuids && i < uuids->len; i++) {
        if (!read_mdev(sysfs, g_ptr_array_index(uuids, i), gpu, error))
            return false;
    }
    return uuids != NULL;
}

bool
vgpu_scan_contents(const VgpuSysfs *sysfs, VgpuGpu *gpu, GError **error)
{
    const VgpuBackend *backend = vgpu_backend_get(gpu->interface);

    for (guint i = 0; backend && i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_ptr_array_set_size(parent->offers, 0);
        g_ptr_array_set_size(parent->instances, 0);
        if (!backend->read_offers(sysfs, gpu, parent, error))
            return false;
        if (backend->read_instances)
            backend->read_instances(sysfs, parent);
        for (guint j = 0; j < parent->instances->len; j++) {
            g_autofree char *device =
                g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s", parent->address);

            read_places(sysfs, device, g_ptr_array_index(parent->instances, j));
        }
    }
    if (gpu->interface == VGPU_INTERFACE_MDEV && !read_mdevs(sysfs, gpu, error))
        return false;
    learn_card(gpu);
    return true;
}

VgpuInventory *
vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named, GError **error)
{
    g_autoptr(VgpuInventory) inventory = vgpu_discovery_run(sysfs, named, error);

    for (guint i = 0; inventory && i < inventory->gpus->len; i++) {
        if (!vgpu_scan_contents(sysfs, g_ptr_array_index(inventory->gpus, i), error))
            return NULL;
    }
    return g_steal_pointer(&inventory);
}
