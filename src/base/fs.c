/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define TEMPORARY_LEN 7 /* as GLib makes them: ".XXXXXX" after the name */

bool
vgpu_fs_replace(const char *path, const char *data, gsize len, GError **error)
{
    return g_file_set_contents_full(path, data, (gssize) len,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

char *
vgpu_fs_temporary_of(const char *name)
{
    const char *suffix = strrchr(name, '.');

    if (!suffix || suffix == name || strlen(suffix) != TEMPORARY_LEN)
        return NULL;
    for (const char *p = suffix + 1; *p; p++) {
        if (!g_ascii_isalnum(*p))
            return NULL;
    }
    return g_strndup(name, (gsize) (suffix - name));
}

bool
vgpu_fs_remove(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd;

    if (g_unlink(path) < 0) {
        if (errno == ENOENT)
            return true;
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "remove %s", path);
    }
    /* without this the file may be back after a power cut, and name a device that is not ours */
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void) fsync(fd);
        close(fd);
    }
    return true;
}

bool
vgpu_fs_mkdir(const char *path, int mode, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);

    if (g_mkdir_with_parents(parent, 0755) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "make directory %s", parent);
    if (g_mkdir(path, mode) == 0)
        return true;
    if (errno != EEXIST)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "make directory %s", path);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, ENOTDIR, "make directory %s", path);
    return true;
}
