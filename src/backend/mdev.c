/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/mdev.h"

#include <errno.h>
#include <string.h>

#include "backend/vfio.h"
#include "base/error.h"
#include "base/names.h"

#define GRACE_MS 10000

static char *
types_path(const char *parent)
{
    return g_strdup_printf(VGPU_SYS_MDEV_BUS "/%s/mdev_supported_types", parent);
}

static char *
device_path(const char *uuid)
{
    return g_strdup_printf(VGPU_SYS_MDEV_DEVICES "/%s", uuid);
}

static guint
mdev_read_available(const VgpuSysfs *sysfs, const char *parent, const char *profile_id)
{
    g_autofree char *types = types_path(parent);
    g_autofree char *path = g_strdup_printf("%s/%s/available_instances", types, profile_id);
    guint available = 0;

    return vgpu_sysfs_read_uint(sysfs, path, &available, NULL) ? available : 0;
}

static VgpuProfile *
read_profile(const VgpuSysfs *sysfs, const char *type_path, const char *id)
{
    g_autofree char *name_path = g_strconcat(type_path, "/name", NULL);
    g_autofree char *description_path = g_strconcat(type_path, "/description", NULL);
    /* both are optional */
    g_autofree char *name = vgpu_sysfs_read(sysfs, name_path, NULL);
    g_autofree char *description = vgpu_sysfs_read(sysfs, description_path, NULL);
    VgpuProfile *profile = vgpu_profile_new(id, name);

    if (description)
        vgpu_profile_describe(profile, description);
    vgpu_profile_guess(profile);
    return profile;
}

static bool
mdev_read_offers(const VgpuSysfs *sysfs, VgpuGpu *gpu, VgpuParent *parent, GError **error)
{
    g_autofree char *types = types_path(parent->address);
    g_autoptr(GPtrArray) ids = vgpu_sysfs_read_dir(sysfs, types, error);

    for (guint i = 0; ids && i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        g_autofree char *type_path = g_strdup_printf("%s/%s", types, id);
        const VgpuProfile *profile = vgpu_gpu_find_profile(gpu, id);

        if (!profile)
            profile = vgpu_gpu_take_profile(gpu, read_profile(sysfs, type_path, id));
        vgpu_parent_add_offer(parent, profile, mdev_read_available(sysfs, parent->address, id));
    }
    return ids != NULL;
}

static bool
has_link(const VgpuSysfs *sysfs, const char *device, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%s", device, name);
    g_autofree char *target = vgpu_sysfs_link_name(sysfs, path);

    return target != NULL;
}

/* Check what libvirt and QEMU need: the type of the device; its driver; and its group, which the
 * driver's probe makes. Up to Linux 5.15 vfio_mdev is the driver of all mediated devices, and nothing
 * loads it by itself (drivers/vfio/mdev/vfio_mdev.c); since 5.16 the parent's driver brings one. */
static char *
why_unusable(const VgpuSysfs *sysfs, const char *device)
{
    if (!has_link(sysfs, device, "driver"))
        return g_strdup("it has no driver; kernels before 5.16 need 'modprobe vfio_mdev'");
    if (!has_link(sysfs, device, "iommu_group"))
        return g_strdup("it has no IOMMU group; check that the kernel has VFIO groups "
                        "(CONFIG_VFIO_GROUP) and the module vfio_iommu_type1 is loaded");
    if (!has_link(sysfs, device, "mdev_type"))
        return g_strdup("its type is unknown (it has no mdev_type)");
    return NULL;
}

static VgpuPresence
mdev_look(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *path = device_path(place->uuid);
    g_autofree char *type_path = g_strconcat(path, "/mdev_type", NULL);
    /* unknown does not count as removed */
    VgpuPresence seen = { .exists = !vgpu_sysfs_is_missing(sysfs, path) };

    if (seen.exists) {
        seen.parent = vgpu_sysfs_link_parent(sysfs, path);
        seen.profile_id = vgpu_sysfs_link_name(sysfs, type_path);
        seen.unusable = why_unusable(sysfs, path);
    }
    return seen;
}

static int
mdev_remove(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_MDEV_DEVICES "/%s/remove", place->uuid);

    return vgpu_sysfs_write(sysfs, path, "1");
}

/* Whether an unusable device still exists after a request for its removal, which may have reached the
 * driver while it was still making the device. */
static bool
undo(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *path = device_path(place->uuid);

    if (vgpu_sysfs_exists(sysfs, path))
        (void) !mdev_remove(sysfs, place);
    return !vgpu_sysfs_is_missing(sysfs, path);
}

static bool
check_made(const VgpuSysfs *sysfs, const VgpuPlace *place, VgpuMaking *making, GError **error)
{
    g_auto(VgpuPresence) seen = vgpu_vfio_settle(sysfs, place, mdev_look);

    if (seen.exists && !seen.unusable)
        return true;
    making->left = undo(sysfs, place);
    making->futile = seen.unusable != NULL; /* the host lacks something, for all its GPUs */
    return vgpu_error_set(
        error, VGPU_ERROR_DRIVER,
        "the driver of %s accepted profile %s, but no usable device %s appeared%s%s",
        place->parent, place->profile_id, place->uuid, seen.unusable ? ": " : "",
        seen.unusable ? seen.unusable : "");
}

static bool
mdev_create(const VgpuSysfs *sysfs, const VgpuPlace *place, VgpuMaking *making, GError **error)
{
    g_autofree char *types = types_path(place->parent);
    g_autofree char *path = g_strdup_printf("%s/%s/create", types, place->profile_id);
    /* the caller decides about an existing device, so this is no error of the driver */
    int err = vgpu_sysfs_write(sysfs, path, place->uuid);

    if (err == EEXIST)
        return vgpu_error_errno(error, VGPU_ERROR_BUSY, err, "create vGPU %s on %s", place->uuid,
                                place->parent);
    if (err)
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "the driver of %s refused profile %s", place->parent,
                                place->profile_id);
    return check_made(sysfs, place, making, error);
}

static bool
mdev_write_params(const VgpuSysfs *sysfs, const VgpuPlace *place, const char *params,
                  char **doubt, GError **error)
{
    g_autofree char *device = device_path(place->uuid);
    g_autofree char *whose = g_strdup_printf("vGPU %s on %s", place->uuid, place->parent);

    return vgpu_vfio_write_params(sysfs, device, whose, params, doubt, error);
}

static char *
mdev_read_params(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = device_path(place->uuid);

    return vgpu_vfio_read_params(sysfs, device);
}

/* The second number of "510.108.03", 0 where there is none. */
static guint64
minor_of(const char *version)
{
    const char *dot = strchr(version, '.');

    return dot ? g_ascii_strtoull(dot + 1, NULL, 10) : 0;
}

/* NVIDIA's vGPU 14.4 and 15.x (510.108.03 and later of 510, all of 525) remove the device themselves
 * once the guest has stopped. Removing it before they do can wedge it until the host reboots (seen by
 * Proxmox). */
static guint
mdev_removal_grace(const VgpuSysfs *sysfs)
{
    g_autofree char *version = vgpu_sysfs_read(sysfs, "sys/module/nvidia/version", NULL);
    guint64 branch = version ? g_ascii_strtoull(version, NULL, 10) : 0;

    return branch == 525 || (branch == 510 && minor_of(version) >= 108) ? GRACE_MS : 0;
}

static VgpuUse
mdev_use(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = device_path(place->uuid);

    return vgpu_vfio_use(sysfs, device);
}

const VgpuBackend vgpu_backend_mdev = {
    .interface = VGPU_INTERFACE_MDEV,
    .read_offers = mdev_read_offers,
    .create = mdev_create,
    .write_params = mdev_write_params,
    .read_params = mdev_read_params,
    .remove = mdev_remove,
    .removal_grace = mdev_removal_grace,
    .look = mdev_look,
    .use = mdev_use,
};
