/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-available.c: how many more vGPUs of a profile a GPU takes, and what keeps it from any */
#include "domain/hostdev.h"
#include "placement/placement-private.h"

const VgpuPool *
vgpu_placement_pool_of(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    return snapshot->pools ? vgpu_pools_of(snapshot->pools, gpu) : NULL;
}

const char *
vgpu_placement_libvirt_too_old(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    return gpu->interface == VGPU_INTERFACE_VENDOR_VFIO && snapshot->libvirt &&
                   snapshot->libvirt < VGPU_LIBVIRT_VENDOR_VFIO
               ? "its vendor-specific VFIO needs libvirt 9.7 or newer"
               : NULL;
}

char *
vgpu_placement_obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuPool *pool)
{
    if (snapshot->closed && g_hash_table_contains(snapshot->closed, gpu->address))
        return g_strdup(g_hash_table_lookup(snapshot->closed, gpu->address));
    if (pool && !vgpu_pool_accepts_driver(pool, gpu->driver_version))
        return g_strdup_printf("pool '%s' needs driver %s, and this is %s", pool->name,
                               pool->driver_version,
                               gpu->driver_version ? gpu->driver_version : "an unknown one");
    return NULL;
}

const char *
vgpu_placement_why_unseen(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    return snapshot->unseen ? g_hash_table_lookup(snapshot->unseen, gpu->address) : NULL;
}

static guint
room_beside(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile,
            const VgpuLoad *load)
{
    const VgpuPool *pool = vgpu_placement_pool_of(snapshot, gpu);
    g_autofree char *why = vgpu_placement_obstacle(snapshot, gpu, pool);

    if (load->other_size || gpu->passed_through || gpu->cordon || why ||
        vgpu_placement_why_unseen(snapshot, gpu) ||
        vgpu_placement_libvirt_too_old(snapshot, gpu) ||
        (pool &&
         (!vgpu_pools_is_active(snapshot->pools, pool) || !vgpu_pool_allows(pool, profile))))
        return 0;
    return MIN(vgpu_room_on_all(snapshot, gpu, profile), vgpu_room_limit(gpu, profile, load));
}

guint
vgpu_placement_room(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    VgpuLoad load = vgpu_room_load(snapshot, gpu, profile);

    return room_beside(snapshot, gpu, profile, &load);
}

guint
vgpu_placement_available(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                         const VgpuProfile *profile)
{
    VgpuLoad load = vgpu_room_load(snapshot, gpu, profile);
    guint room = room_beside(snapshot, gpu, profile, &load);
    bool takes_one = room == 1 && !load.pending; /* it offers one, and there is no room for two */

    return !room || takes_one || vgpu_room_is_known(gpu, profile, &load) ? room
                                                                         : VGPU_COUNT_UNKNOWN;
}
