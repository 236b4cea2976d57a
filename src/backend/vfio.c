/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"

/* libvirt waits up to 100 × 10 ms for a device's links too
 * (src/node_device/node_device_udev.c). */
#define SETTLE_TRIES 100
#define SETTLE_STEP_US 10000

/* The result of checking one of the device's nodes. */
typedef enum {
    NODE_NONE, /* it has no such node */
    NODE_FREE,
    NODE_USED,
    NODE_UNKNOWN,
} Node;

static Node
try_to_open(const VgpuSysfs *sysfs, const char *path)
{
    int fd = openat(vgpu_sysfs_root_fd(sysfs), path, O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return NODE_FREE;
    }
    if (errno == ENOENT)
        return NODE_NONE;
    if (errno == EBUSY)
        return NODE_USED;
    g_message("cannot tell whether /%s is in use: %s", path, g_strerror(errno));
    return NODE_UNKNOWN;
}

static bool
is_missing(int err)
{
    return err == ENOENT || err == ENOTDIR;
}

/* A VFIO group can be opened once (kernel: drivers/vfio/group.c, vfio_group_fops_open), and not
 * while the device is open through its own node; libvirt asks in the same way before it stops a
 * mediated device. */
static Node
look_at_group(const VgpuSysfs *sysfs, const char *device)
{
    g_autofree char *link = g_strconcat(device, "/iommu_group", NULL);
    char target[PATH_MAX];
    ssize_t len = readlinkat(vgpu_sysfs_root_fd(sysfs), link, target, sizeof(target) - 1);
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;

    if (len < 0)
        return is_missing(errno) ? NODE_NONE : NODE_UNKNOWN;
    target[len] = '\0';
    name = g_path_get_basename(target);
    path = g_strdup_printf(VGPU_DEV_VFIO "/%s", name);
    return try_to_open(sysfs, path);
}

/* Where the kernel is built without groups (CONFIG_VFIO_GROUP), the device's own node is all there is.
 * It can be open many times (kernel: drivers/vfio/device_cdev.c), so opening it never proves anything. */
static Node
look_at_device(const VgpuSysfs *sysfs, const char *device)
{
    g_autofree char *dir = g_strconcat(device, "/vfio-dev", NULL);
    struct stat st;

    if (fstatat(vgpu_sysfs_root_fd(sysfs), dir, &st, 0) < 0 && is_missing(errno))
        return NODE_NONE;
    return NODE_UNKNOWN;
}

VgpuUse
vgpu_vfio_use(const VgpuSysfs *sysfs, const char *device)
{
    Node node = look_at_group(sysfs, device);

    if (node == NODE_NONE)
        node = look_at_device(sysfs, device);
    switch (node) {
    case NODE_NONE:
    case NODE_FREE:
        return VGPU_USE_FREE;
    case NODE_USED:
        return VGPU_USE_USED;
    case NODE_UNKNOWN:
        break;
    }
    return VGPU_USE_UNKNOWN;
}

VgpuPresence
vgpu_vfio_settle(const VgpuSysfs *sysfs, const VgpuPlace *place,
                 VgpuPresence (*look)(const VgpuSysfs *sysfs, const VgpuPlace *place))
{
    VgpuPresence seen = look(sysfs, place);

    for (int i = 0; i < SETTLE_TRIES && (!seen.exists || seen.unusable); i++) {
        g_usleep(SETTLE_STEP_US);
        vgpu_presence_clear(&seen);
        seen = look(sysfs, place);
    }
    return seen;
}

/* A list that was cut off means something else, or nothing. One that differs in another way may be
 * how that driver prints it. */
static bool
check_params(const VgpuSysfs *sysfs, const char *path, const char *whose, const char *params,
             char **doubt, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *kept = vgpu_sysfs_read(sysfs, path, &reason); /* no white space at its end */
    g_autofree char *text = kept ? g_utf8_make_valid(kept, -1) : NULL;

    if (g_strcmp0(kept, params) == 0)
        return true;
    if (kept && g_str_has_prefix(params, kept))
        return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                              "the driver kept only '%s' of the plugin parameters '%s' of %s",
                              kept, params, whose);
    *doubt = kept ? g_strdup_printf("wanted '%s', read '%s'", params, text)
                  : g_strdup_printf("wanted '%s', cannot %s", params, reason->message);
    return true;
}

char *
vgpu_vfio_read_params(const VgpuSysfs *sysfs, const char *device)
{
    g_autofree char *path = g_strconcat(device, "/nvidia/vgpu_params", NULL);

    return vgpu_sysfs_is_missing(sysfs, path) ? g_strdup("") : vgpu_sysfs_read(sysfs, path, NULL);
}

/* The newline is for NVIDIA's driver, which keeps all of a write but its last character and says that it
 * took all of it (nvidia-vgpu-vfio.c of the vGPU host driver, vgpu_params_store()). A blank removes the
 * parameters, according to NVIDIA's guide: writing an empty text would not be a write at all. */
bool
vgpu_vfio_write_params(const VgpuSysfs *sysfs, const char *device, const char *whose,
                       const char *params, char **doubt, GError **error)
{
    g_autofree char *path = g_strconcat(device, "/nvidia/vgpu_params", NULL);
    g_autofree char *line = g_strconcat(*params ? params : " ", "\n", NULL);
    int err = vgpu_sysfs_write(sysfs, path, line);

    switch (err) {
    case 0:
        return check_params(sysfs, path, whose, params, doubt, error);
    case ENOENT:
    case ENOTDIR:
        return vgpu_error_set(
            error, VGPU_ERROR_DRIVER,
            "the driver does not support plugin parameters for %s (there is no /%s)", whose,
            path);
    case EPERM:
    case EACCES:
        return vgpu_error_errno(
            error, VGPU_ERROR_DRIVER, err,
            "the driver accepts plugin parameters only before the guest runs, "
            "and %s is in use",
            whose);
    case E2BIG:
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "the plugin parameters of %s are longer than the driver accepts",
                                whose);
    case ENXIO:
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "the driver has no vGPU on %s to set plugin parameters for",
                                whose);
    default:
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "the driver refused the plugin parameters '%s' of %s", params,
                                whose);
    }
}
