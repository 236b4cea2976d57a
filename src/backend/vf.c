/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/vf.h"

#include <string.h>

#include "backend/host-use.h"
#include "backend/vfio.h"
#include "base/error.h"
#include "base/names.h"

#define MIB (1024 * 1024)

static char *
device_path(const char *address)
{
    return g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s", address);
}

/* Intel xe gives each VF a share of the memory, in bytes (kernel:
 * Documentation/ABI/testing/sysfs-driver-intel-xe-sriov); VFs are numbered from 1. */
static guint
read_xe_quota(const VgpuSysfs *sysfs, const VgpuGpu *gpu, const char *vf)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    guint64 bytes = 0;
    guint n = 0;

    if (!g_ptr_array_find_with_equal_func(gpu->vfs, vf, g_str_equal, &n))
        return 0;
    path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/sriov_admin/vf%u/profile/vram_quota",
                           gpu->address, n + 1);
    text = vgpu_sysfs_read(sysfs, path, NULL);
    if (!text ||
        !g_ascii_string_to_unsigned(text, 10, 0, (guint64) G_MAXUINT * MIB, &bytes, NULL))
        return 0;
    return (guint) (bytes / MIB);
}

/* AMD's GIM for the FirePro S7150 has one size for all VFs, in MiB, if the administrator has set one;
 * the default is not a size that a VF can have. */
static guint
read_gim_size(const VgpuSysfs *sysfs)
{
    guint mib = 0;

    return vgpu_sysfs_read_uint(sysfs, "sys/module/gim/parameters/vf_fb", &mib, NULL) && mib < MIB
               ? mib
               : 0;
}

static guint
read_size(const VgpuSysfs *sysfs, const VgpuGpu *gpu, const char *vf)
{
    return g_strcmp0(gpu->driver, "gim") == 0 ? read_gim_size(sysfs)
                                              : read_xe_quota(sysfs, gpu, vf);
}

/* All of them have the one profile; it has a size while all that were read have that. */
static const VgpuProfile *
read_profile(VgpuGpu *gpu, const VgpuParent *parent)
{
    VgpuProfile *profile = (VgpuProfile *) vgpu_gpu_find_profile(gpu, VGPU_VF_PROFILE);

    if (!profile)
        profile = (VgpuProfile *) vgpu_gpu_take_profile(gpu, vgpu_profile_new(VGPU_VF_PROFILE,
                                                                              VGPU_VF_PROFILE));
    profile->max_instances = gpu->vfs_enabled;
    if (parent == gpu->parents->pdata[0])
        profile->fb_mib = parent->fb_mib;
    else if (parent->fb_mib != profile->fb_mib)
        profile->fb_mib = 0;
    return profile;
}

static bool
is_there(const VgpuSysfs *sysfs, const char *vf)
{
    g_autofree char *device = device_path(vf);

    return vgpu_sysfs_exists(sysfs, device);
}

/* NULL: none. */
static char *
read_driver(const VgpuSysfs *sysfs, const char *vf)
{
    g_autofree char *link = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/driver", vf);

    return vgpu_sysfs_link_name(sysfs, link);
}

/* Whether a process uses a VF is not asked here: to ask would mean to open it for a moment, or to look
 * at all processes. */
static bool
vf_read_offers(const VgpuSysfs *sysfs, VgpuGpu *gpu, VgpuParent *parent, GError **error)
{
    const VgpuProfile *profile;

    (void) error;
    parent->fb_mib = read_size(sysfs, gpu, parent->address);
    profile = read_profile(gpu, parent);
    vgpu_parent_add_offer(parent, profile, is_there(sysfs, parent->address) ? 1 : 0);
    g_free(parent->driver); /* libvirt and administrators change it at any time */
    parent->driver = read_driver(sysfs, parent->address);
    return true;
}

/* The kernel does not know that a VF is in use, only the manager's records do. */
static void
vf_read_instances(const VgpuSysfs *sysfs, VgpuParent *parent)
{
    (void) sysfs;
    (void) parent;
}

static VgpuUse
vf_use(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = device_path(place->parent);

    return vgpu_vfio_use(sysfs, device);
}

/* How the host uses VF @vf, NULL: not at all, as far as known. False: unknown. */
static bool
find_host_use(const VgpuSysfs *sysfs, const char *vf, char **what, GError **error)
{
    g_autofree char *driver = read_driver(sysfs, vf);
    g_autofree char *device = device_path(vf);

    if (!driver || vgpu_gpu_is_driver_for_guests(driver))
        return true;
    return vgpu_host_use_find(sysfs, device, vf, what, error);
}

/* libvirt takes it from whatever driver it has and gives it back (managed='yes'). To take it from
 * under a process of the host ends that process at best, and the host at worst (i915). */
static bool
vf_create(const VgpuSysfs *sysfs, const VgpuPlace *place, VgpuMaking *making, GError **error)
{
    g_autofree char *what = NULL;
    VgpuUse use;

    (void) making; /* nothing is made */
    if (!g_str_equal(place->profile_id, VGPU_VF_PROFILE))
        return vgpu_error_set(error, VGPU_ERROR_DRIVER, "VF %s has no profile %s", place->parent,
                              place->profile_id);
    if (!is_there(sysfs, place->parent))
        return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                              "VF %s no longer exists; check that the VFs of its GPU are still "
                              "enabled",
                              place->parent);
    use = vf_use(sysfs, place);
    if (use != VGPU_USE_FREE)
        return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                              use == VGPU_USE_USED
                                  ? "a process has VF %s open"
                                  : "it is unknown whether a process has VF %s open",
                              place->parent);
    if (!find_host_use(sysfs, place->parent, &what, error))
        return false;
    if (what)
        return vgpu_error_set(error, VGPU_ERROR_DRIVER, "the host uses VF %s: %s", place->parent,
                              what);
    return true;
}

/* There is no device to remove: the VF stays, and no one else uses it. */
static int
vf_remove(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    (void) sysfs;
    (void) place;
    return 0;
}

static VgpuPresence
vf_look(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = place->parent ? device_path(place->parent) : NULL;
    VgpuPresence seen = { .exists = device && !vgpu_sysfs_is_missing(sysfs, device) };

    if (seen.exists) {
        seen.parent = g_strdup(place->parent);
        seen.profile_id = g_strdup(VGPU_VF_PROFILE);
    }
    return seen;
}

const VgpuBackend vgpu_backend_vf = {
    .interface = VGPU_INTERFACE_VF,
    .read_offers = vf_read_offers,
    .read_instances = vf_read_instances,
    .create = vf_create,
    .remove = vf_remove,
    .look = vf_look,
    .use = vf_use,
};
