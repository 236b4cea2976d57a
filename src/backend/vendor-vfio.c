/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/vendor-vfio.h"

#include <errno.h>
#include <string.h>

#include "backend/vfio.h"
#include "base/error.h"
#include "base/names.h"

#define ID_PREFIX "nvidia-"
#define DIGITS "0123456789"

/* The driver still answers EPERM or EBUSY for a moment after the previous guest has stopped. */
#define BUSY_TRIES 5
#define BUSY_STEP_US 200000

static char *
attribute_path(const char *vf, const char *name)
{
    return g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/nvidia/%s", vf, name);
}

static char *
device_path(const char *vf)
{
    return g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s", vf);
}

/* --- what is offered ------------------------------------------------------------------------ */

/* "1145  : NVIDIA L40S-1B"; a name may contain blanks and colons. */
static VgpuProfile *
parse_row(const char *line)
{
    gsize n_digits = strspn(line, DIGITS);
    const char *colon = line + n_digits + strspn(line + n_digits, " \t");
    g_autofree char *id = NULL;
    g_autofree char *name = NULL;

    if (!n_digits || *colon != ':')
        return NULL;
    id = g_strdup_printf(ID_PREFIX "%.*s", (int) n_digits, line);
    name = g_strstrip(g_strdup(colon + 1));
    return vgpu_profile_new(id, name);
}

/* An attribute is a page at most (kernel: fs/sysfs/file.c, sysfs_kf_seq_show(), and sysfs_emit_at()): a list that
 * fills one and has no end of line there was cut, perhaps in a name. Pages are of 4 or 64 KiB. */
static bool
is_cut(const char *text)
{
    gsize len = strlen(text);

    return len == 4 * 1024 - 1 || len == 64 * 1024 - 1;
}

GPtrArray *
vgpu_vendor_vfio_parse(const char *text)
{
    GPtrArray *profiles = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_profile_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool cut = is_cut(text);

    for (char **line = lines; *line; line++) {
        VgpuProfile *profile = cut && !line[1] ? NULL : parse_row(g_strchug(*line));

        if (profile)
            g_ptr_array_add(profiles, profile);
    }
    return profiles;
}

/* The list is a snapshot: it shrinks with vGPUs on its siblings, and is empty on a VF that has a vGPU.
 * Profiles that it has named once stay among the GPU's profiles. */
static bool
vendor_read_offers(const VgpuSysfs *sysfs, VgpuGpu *gpu, VgpuParent *parent, GError **error)
{
    g_autofree char *path = attribute_path(parent->address, "creatable_vgpu_types");
    g_autofree char *text = vgpu_sysfs_read(sysfs, path, NULL);
    g_autoptr(GPtrArray) listed = text ? vgpu_vendor_vfio_parse(text) : NULL;

    (void) error; /* an unreadable list offers nothing, which at worst is too little */
    while (listed && listed->len) {
        g_autoptr(VgpuProfile) one = g_ptr_array_steal_index(listed, 0);
        const VgpuProfile *profile = vgpu_gpu_find_profile(gpu, one->id);

        if (!profile) {
            vgpu_profile_guess(one); /* there is no description */
            profile = vgpu_gpu_take_profile(gpu, g_steal_pointer(&one));
        }
        vgpu_parent_add_offer(parent, profile, 1);
    }
    return true;
}

/* --- what there is -------------------------------------------------------------------------- */

static bool
read_current(const VgpuSysfs *sysfs, const char *vf, guint *type, GError **error)
{
    g_autofree char *path = attribute_path(vf, "current_vgpu_type");

    return vgpu_sysfs_read_uint(sysfs, path, type, error);
}

/* A VF with a type can be opened only while it is bound to NVIDIA's driver, and behind an IOMMU. */
static char *
why_unusable(const VgpuSysfs *sysfs, const char *vf)
{
    static const char *const needed[] = { "iommu_group", "vfio-dev" };
    g_autofree char *link = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/driver", vf);
    g_autofree char *driver = vgpu_sysfs_link_name(sysfs, link);

    if (!driver)
        return g_strdup("the VF is bound to no driver; 'virt-vgpu gpu-disable' and 'gpu-enable' "
                        "of its GPU bind "
                        "its VFs to the NVIDIA driver");
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", vf, needed[i]);

        if (vgpu_sysfs_exists(sysfs, path))
            return NULL;
    }
    return g_strdup(
        "no VFIO device appeared; check that the VF is bound to the NVIDIA driver and the "
        "IOMMU is on (intel_iommu=on, or AMD's in the firmware)");
}

static VgpuPresence
vendor_look(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autoptr(GError) error = NULL;
    VgpuPresence seen = { 0 };
    guint type = 0;

    if (!place->parent)
        return seen;
    if (!read_current(sysfs, place->parent, &type, &error)) {
        /* an unreadable type does not count as removed */
        seen.exists = !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND);
    } else if (type) {
        seen.exists = true;
        seen.profile_id = g_strdup_printf(ID_PREFIX "%u", type);
    }
    if (seen.exists) {
        seen.parent = g_strdup(place->parent);
        seen.unusable = why_unusable(sysfs, place->parent);
    }
    return seen;
}

static void
vendor_read_instances(const VgpuSysfs *sysfs, VgpuParent *parent)
{
    const VgpuPlace place = { .parent = parent->address };
    g_auto(VgpuPresence) seen = vendor_look(sysfs, &place);

    if (seen.exists)
        vgpu_parent_add_instance(parent, NULL, seen.profile_id);
}

static VgpuUse
vendor_use(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = device_path(place->parent);

    return vgpu_vfio_use(sysfs, device);
}

/* --- create --------------------------------------------------------------------------------- */

static bool
read_for_create(const VgpuSysfs *sysfs, const char *vf, guint *type, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (read_current(sysfs, vf, type, &reason))
        return true;
    return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                          "VF %s no longer exists, or is not bound to the NVIDIA driver: %s", vf,
                          reason->message);
}

/* The VF already carries a type. */
static bool
take_existing(const VgpuSysfs *sysfs, const VgpuPlace *place, guint current, const char *number,
              VgpuMaking *making, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u", current);
    g_auto(VgpuPresence) seen = { 0 };
    VgpuUse use;

    if (!g_str_equal(text, number))
        return vgpu_error_set(error, VGPU_ERROR_BUSY,
                              "VF %s carries type " ID_PREFIX
                              "%u, which virt-vgpu did not set and never resets",
                              place->parent, current);
    use = vendor_use(sysfs, place);
    if (use != VGPU_USE_FREE)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "VF %s already carries %s, and %s",
                              place->parent, place->profile_id,
                              use == VGPU_USE_USED
                                  ? "a process has it open"
                                  : "it is unknown whether a process has it open");
    seen = vgpu_vfio_settle(sysfs, place, vendor_look);
    if (seen.unusable)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "VF %s already carries %s, but %s",
                              place->parent, place->profile_id, seen.unusable);
    making->existed = true;
    return true;
}

/* Undo a type that the driver has accepted but that cannot be used. Returns whether it may still be set. */
static bool
reset(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *path = attribute_path(place->parent, "current_vgpu_type");
    g_auto(VgpuPresence) seen = { 0 };

    (void) !vgpu_sysfs_write(sysfs, path, "0");
    seen = vendor_look(sysfs, place);
    return seen.exists;
}

static bool
check_made(const VgpuSysfs *sysfs, const VgpuPlace *place, const char *number, VgpuMaking *making,
           GError **error)
{
    g_auto(VgpuPresence) seen = { 0 };
    g_autofree char *text = NULL;
    guint current;

    if (!read_for_create(sysfs, place->parent, &current, error)) {
        seen = vendor_look(sysfs, place);
        making->left = seen.exists;
        return false;
    }
    text = g_strdup_printf("%u", current);
    if (!g_str_equal(text, number))
        return vgpu_error_set(
            error, VGPU_ERROR_DRIVER,
            "the driver of %s accepted profile %s, but shows type %u afterwards", place->parent,
            place->profile_id, current);
    seen = vgpu_vfio_settle(sysfs, place, vendor_look);
    if (seen.exists && !seen.unusable)
        return true;
    making->left = reset(sysfs, place);
    return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                          "the driver of %s accepted profile %s, but %s", place->parent,
                          place->profile_id,
                          seen.unusable ? seen.unusable : "shows no type afterwards");
}

/* The number in "nvidia-1145", borrowed; NULL for another id. */
static const char *
number_of(const char *profile_id)
{
    const char *number = profile_id + strlen(ID_PREFIX);

    if (!g_str_has_prefix(profile_id, ID_PREFIX) || !*number || *number == '0' ||
        number[strspn(number, DIGITS)] != '\0')
        return NULL;
    return number;
}

static bool
vendor_create(const VgpuSysfs *sysfs, const VgpuPlace *place, VgpuMaking *making, GError **error)
{
    g_autofree char *path = attribute_path(place->parent, "current_vgpu_type");
    const char *number = number_of(place->profile_id);
    int err = 0;

    if (!number)
        return vgpu_error_set(error, VGPU_ERROR_DRIVER, "VF %s has no profile %s", place->parent,
                              place->profile_id);
    for (int i = 0; i < BUSY_TRIES; i++) {
        guint current;

        if (i > 0)
            g_usleep(BUSY_STEP_US);
        if (!read_for_create(sysfs, place->parent, &current, error))
            return false;
        if (current)
            return take_existing(sysfs, place, current, number, making, error);
        err = vgpu_sysfs_write(sysfs, path, number);
        if (!err)
            return check_made(sysfs, place, number, making, error);
        if (err != EPERM && err != EBUSY)
            return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                    "the driver of %s refused profile %s", place->parent,
                                    place->profile_id);
    }
    return vgpu_error_errno(error, VGPU_ERROR_BUSY, err, "VF %s does not accept profile %s yet",
                            place->parent, place->profile_id);
}

static bool
vendor_write_params(const VgpuSysfs *sysfs, const VgpuPlace *place, const char *params,
                    char **doubt, GError **error)
{
    g_autofree char *device = device_path(place->parent);
    g_autofree char *whose = g_strconcat("VF ", place->parent, NULL);

    return vgpu_vfio_write_params(sysfs, device, whose, params, doubt, error);
}

static char *
vendor_read_params(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *device = device_path(place->parent);

    return vgpu_vfio_read_params(sysfs, device);
}

/* Only for a VF with a type: without one the driver fails with EPERM. */
static int
vendor_remove(const VgpuSysfs *sysfs, const VgpuPlace *place)
{
    g_autofree char *path = attribute_path(place->parent, "current_vgpu_type");

    return vgpu_sysfs_write(sysfs, path, "0");
}

const VgpuBackend vgpu_backend_vendor_vfio = {
    .interface = VGPU_INTERFACE_VENDOR_VFIO,
    .read_offers = vendor_read_offers,
    .read_instances = vendor_read_instances,
    .create = vendor_create,
    .write_params = vendor_write_params,
    .read_params = vendor_read_params,
    .remove = vendor_remove,
    .look = vendor_look,
    .use = vendor_use,
};
