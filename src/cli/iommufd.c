/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/iommufd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Files that name it if the kernel has it, built in or as a module. Most distributions install the configuration in
 * one of two places; the lists of modules are everywhere. */
static const struct {
    const char *dir, *file; /* the release is in the name of one of them */
    const char *mark;
} files[] = {
    { "boot", "config-%s", "\nCONFIG_IOMMUFD=" },
    { "lib/modules/%s", "config", "\nCONFIG_IOMMUFD=" },
    { "lib/modules/%s", "modules.builtin", "/iommufd.ko" },
    { "lib/modules/%s", "modules.order", "/iommufd.ko" },
};

static char *
path_of(gsize i, const char *release)
{
    g_autofree char *pattern = g_strdup_printf("%s/%s", files[i].dir, files[i].file);
    g_auto(GStrv) parts = g_strsplit(pattern, "%s", 2);

    return g_strjoinv(release, parts);
}

/* These are longer than an attribute of sysfs. */
static VgpuTruth
file_names(const VgpuSysfs *fs, const char *path, const char *mark)
{
    int fd = openat(vgpu_sysfs_root_fd(fs), path, O_RDONLY | O_CLOEXEC);
    g_autoptr(GMappedFile) file = fd < 0 ? NULL : g_mapped_file_new_from_fd(fd, FALSE, NULL);
    const char *text = file ? g_mapped_file_get_contents(file) : NULL;

    if (fd >= 0)
        close(fd);
    if (!file)
        return VGPU_TRUTH_UNKNOWN;
    return text && memmem(text, g_mapped_file_get_length(file), mark, strlen(mark))
               ? VGPU_TRUTH_YES
               : VGPU_TRUTH_NO;
}

VgpuTruth
vgpu_iommufd_find(const VgpuSysfs *fs, const char *release)
{
    VgpuTruth result = VGPU_TRUTH_UNKNOWN;

    /* it exists before the module is loaded, too (drivers/iommu/iommufd/main.c, MODULE_ALIAS) */
    if (vgpu_sysfs_exists(fs, "dev/iommu"))
        return VGPU_TRUTH_YES;
    for (gsize i = 0; release && i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = path_of(i, release);
        VgpuTruth one = file_names(fs, path, files[i].mark);

        if (one == VGPU_TRUTH_YES)
            return one;
        if (one == VGPU_TRUTH_NO)
            result = one;
    }
    return result;
}
