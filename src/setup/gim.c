/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/gim.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/names.h"

#define RELOAD                                                                                   \
    "stop the guests that have VFs, then reload it (modprobe -r gim && modprobe gim), or reboot"

bool
vgpu_gim_is_new(const VgpuSysfs *sysfs, const char *gpu)
{
    static const char *const marks[] = {
        "accelerator_partition_profile",
        "memory_partition_mode",
        "spatial_partition_mode",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", gpu, marks[i]);

        if (vgpu_sysfs_exists(sysfs, path))
            return true;
    }
    return vgpu_sysfs_exists(sysfs, "sys/module/gim/parameters/sch_policy");
}

/* The numbers for all GPUs of the driver, in the order of their addresses: those of the other GPUs stay
 * as they are. */
static char *
numbers_of_all(const VgpuSysfs *sysfs, const char *gpu, guint vfs)
{
    g_autoptr(GPtrArray) functions = vgpu_sysfs_list(sysfs, VGPU_SYS_PCI_DEVICES);
    g_autoptr(GString) numbers = g_string_new(NULL);

    for (guint i = 0; i < functions->len; i++) {
        const char *address = g_ptr_array_index(functions, i);
        g_autofree char *device = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s", address);
        g_autofree char *link = g_strconcat(device, "/driver", NULL);
        g_autofree char *path = g_strconcat(device, "/sriov_numvfs", NULL);
        g_autofree char *driver = vgpu_sysfs_link_name(sysfs, link);
        guint now = 0;

        if (g_strcmp0(driver, VGPU_GIM_DRIVER) != 0 ||
            !vgpu_sysfs_read_uint(sysfs, path, &now, NULL))
            continue;
        g_string_append_printf(numbers, "%s%u", numbers->len ? "," : "",
                               g_str_equal(address, gpu) ? vfs : now);
    }
    return g_string_free(g_steal_pointer(&numbers), FALSE);
}

char *
vgpu_gim_advice(const VgpuSysfs *sysfs, const char *gpu, guint vfs)
{
    g_autofree char *numbers = NULL;

    if (!vgpu_gim_is_new(sysfs, gpu))
        return g_strdup_printf("put the line 'vf_num=%u' into /" VGPU_GIM_CONFIG
                               " (it applies to all GPUs of that driver), " RELOAD,
                               vfs);
    numbers = numbers_of_all(sysfs, gpu, vfs);
    return g_strdup_printf("put the line 'options gim vf_num=%s' into /etc/modprobe.d/gim.conf "
                           "(a number for each GPU, by address), " RELOAD,
                           numbers);
}

/* The file's text with that number once, and everything else as it is, except for blank lines at the end. */
static char *
put_number(const char *old, guint vfs)
{
    g_auto(GStrv) lines = g_strsplit(old, "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    bool done = false;

    for (char **one = lines; *one; one++) {
        bool is_ours = g_str_has_prefix(*one, "vf_num=");

        if (is_ours && !done)
            g_string_append_printf(text, "vf_num=%u\n", vfs);
        else if (!is_ours)
            g_string_append_printf(text, "%s\n", *one);
        done = done || is_ours;
    }
    g_strchomp(text->str);
    return done         ? g_strdup_printf("%s\n", text->str)
           : *text->str ? g_strdup_printf("%s\nvf_num=%u\n", text->str, vfs)
                        : g_strdup_printf("vf_num=%u\n", vfs);
}

bool
vgpu_gim_write_config(const char *root, guint vfs, GError **error)
{
    g_autofree char *path = g_build_filename(root, VGPU_GIM_CONFIG, NULL);
    g_autofree char *old = NULL, *text = NULL;
    g_autoptr(GError) missing = NULL;
    gsize len = 0;

    if (!g_file_get_contents(path, &old, &len, &missing) &&
        !g_error_matches(missing, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return false;
    }
    if (old && strlen(old) != len)
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                              "%s is not changed, since it is not a text file", path);
    text = put_number(old ? old : "", vfs);
    return vgpu_fs_replace(path, text, strlen(text), error);
}
