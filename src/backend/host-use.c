/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/host-use.h"

#include <stdio.h>
#include <string.h>

#include "backend/drm.h"
#include "base/error.h"
#include "base/names.h"

#define CLASS_NETWORK 0x02u
#define IFF_UP 0x1u      /* kernel: include/uapi/linux/if.h */
#define TEXT_WHOLE 65000 /* the end of a longer file may be missing */

/* --- network interfaces --------------------------------------------------------------------- */

/* Whether that interface is up, or part of a bridge or bond. */
static char *
use_of_interface(const VgpuSysfs *sysfs, const char *dir, const char *name)
{
    g_autofree char *flags = g_strdup_printf("%s/%s/flags", dir, name);
    g_autofree char *master = g_strdup_printf("%s/%s/master", dir, name);
    g_autofree char *upper = vgpu_sysfs_link_name(sysfs, master);
    guint bits = 0;

    if (upper)
        return g_strdup_printf("%s is part of %s", name, upper);
    if (!vgpu_sysfs_read_uint(sysfs, flags, &bits, NULL) || bits & IFF_UP)
        return g_strdup_printf("%s is up", name); /* or its flags cannot be read */
    return NULL;
}

/* An interface that is not visible is in another network namespace: a container has it, or the daemon itself
 * runs in a namespace of its own. */
static bool
find_interface(const VgpuSysfs *sysfs, const char *device, char **what, GError **error)
{
    g_autofree char *dir = g_strconcat(device, "/net", NULL);
    g_autofree char *class_path = g_strconcat(device, "/class", NULL);
    g_autoptr(GPtrArray) names = vgpu_sysfs_read_dir(sysfs, dir, error);
    guint class = 0;

    for (guint i = 0; names && i < names->len && !*what; i++)
        *what = use_of_interface(sysfs, dir, names->pdata[i]);
    if (!names || names->len)
        return names != NULL;
    if (!vgpu_sysfs_read_uint(sysfs, class_path, &class, error))
        return false;
    if (class >> 16 == CLASS_NETWORK)
        *what = g_strdup("its network interface is not visible, and may belong to a container");
    return true;
}

/* --- block devices -------------------------------------------------------------------------- */

/* Those of the device, with their partitions: /sys/class/block has links to below it. Where a namespace of NVMe has
 * several paths, what is used is not below any of them: nvme0c1n2 is a path of nvme0n2 (kernel:
 * nvme_set_disk_name()). */
static GPtrArray *
list_disks(const VgpuSysfs *sysfs, const char *address)
{
    g_autoptr(GPtrArray) all = vgpu_sysfs_list(sysfs, VGPU_SYS_BLOCK);
    g_autoptr(GPtrArray) heads = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *disks = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < all->len; i++) {
        const char *name = g_ptr_array_index(all, i);
        g_autofree char *link = g_strconcat(VGPU_SYS_BLOCK "/", name, NULL);
        guint subsystem, controller, number;

        if (!vgpu_sysfs_link_has(sysfs, link, address))
            continue;
        g_ptr_array_add(disks, g_strdup(name));
        if (sscanf(name, "nvme%uc%un%u", &subsystem, &controller, &number) == 3)
            g_ptr_array_add(heads, g_strdup_printf("nvme%un%u", subsystem, number));
    }
    for (guint i = 0; i < all->len; i++) {
        const char *name = g_ptr_array_index(all, i);

        for (guint j = 0; j < heads->len; j++) {
            const char *head = g_ptr_array_index(heads, j);
            const char *rest = g_str_has_prefix(name, head) ? name + strlen(head) : "x";

            if (!*rest || *rest == 'p')
                g_ptr_array_add(disks, g_strdup(name));
        }
    }
    return disks;
}

/* Fail if the file is too long to be read as a whole. */
static char *
read_whole(const VgpuSysfs *sysfs, const char *path, GError **error)
{
    g_autofree char *text = vgpu_sysfs_read(sysfs, path, error);

    if (text && strlen(text) >= TEXT_WHOLE) {
        (void) vgpu_error_set(error, VGPU_ERROR_DRIVER, "/%s is too long", path);
        return NULL;
    }
    return g_steal_pointer(&text);
}

/* The mounts of the host, not those of our sandbox: "36 35 98:0 / /mnt rw - ext4 /dev/sda1 rw" (proc(5)). A file
 * system over several devices has no number of theirs, but names one. */
static bool
is_mounted(const char *mounts, const char *name, const char *number)
{
    g_auto(GStrv) lines = g_strsplit(mounts, "\n", -1);
    g_autofree char *node = g_strconcat("/dev/", name, NULL);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);

        if (g_strv_length(words) > 2 && (g_strcmp0(words[2], number) == 0 ||
                                         g_strv_contains((const char *const *) words, node)))
            return true;
    }
    return false;
}

static char *
use_of_disk(const VgpuSysfs *sysfs, const char *name, const char *mounts, const char *swaps)
{
    g_autofree char *holders_path = g_strdup_printf(VGPU_SYS_BLOCK "/%s/holders", name);
    g_autofree char *number_path = g_strdup_printf(VGPU_SYS_BLOCK "/%s/dev", name);
    g_autofree char *number = vgpu_sysfs_read(sysfs, number_path, NULL);
    g_autofree char *swap = g_strdup_printf("/dev/%s ", name);
    g_autoptr(GPtrArray) holders = vgpu_sysfs_list(sysfs, holders_path);

    if (holders->len)
        return g_strdup_printf("%s is on /dev/%s", (char *) g_ptr_array_index(holders, 0), name);
    if (strstr(swaps, swap))
        return g_strdup_printf("/dev/%s is swap space", name);
    return is_mounted(mounts, name, number) ? g_strdup_printf("/dev/%s is mounted", name) : NULL;
}

static bool
find_disk(const VgpuSysfs *sysfs, const char *address, char **what, GError **error)
{
    g_autoptr(GPtrArray) disks = list_disks(sysfs, address);
    g_autofree char *mounts = disks->len ? read_whole(sysfs, "proc/1/mountinfo", error) : NULL;
    g_autofree char *swaps = mounts ? read_whole(sysfs, "proc/swaps", error) : NULL;

    for (guint i = 0; swaps && i < disks->len && !*what; i++)
        *what = use_of_disk(sysfs, g_ptr_array_index(disks, i), mounts, swaps);
    return !disks->len || swaps;
}

/* --- any use -------------------------------------------------------------------------------- */

bool
vgpu_host_use_find(const VgpuSysfs *sysfs, const char *device, const char *address, char **what,
                   GError **error)
{
    g_autofree char *node = NULL;

    if (!vgpu_drm_open_node(sysfs, device, &node, error))
        return false;
    if (node) {
        *what = g_strdup_printf("%s is open", node);
        return true;
    }
    return find_interface(sysfs, device, what, error) &&
           (*what || find_disk(sysfs, address, what, error));
}
