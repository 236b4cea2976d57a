/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/iso.h"

/* The part of @path below @dir, "." when they are equal; NULL: it is not below it. */
static const char *
rest_below(const char *dir, const char *path)
{
    gsize len = strlen(dir);

    while (len && dir[len - 1] == '/')
        len--;
    if (strncmp(path, dir, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return NULL;
    path += len;
    while (*path == '/')
        path++;
    return *path ? path : ".";
}

static bool
climbs(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    return g_strv_contains((const char *const *) parts, "..");
}

/* The directory that @path is below, and *@rest of it; NULL with @error. */
static const char *
find(const VgpuIsoPlace *self, const char *path, const char **rest, GError **error)
{
    g_autofree char *named = NULL;

    if (!vgpu_iso_check_length(path, error))
        return NULL;
    for (const char *const *dir = self->dirs; !climbs(path) && *dir; dir++) {
        *rest = rest_below(*dir, path);
        if (*rest)
            return *dir;
    }
    named = g_strjoinv(", ", (char **) self->dirs);
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "%s is not in a directory that is allowed for it (%s); move it there, or "
                "add its directory to '%s' in [images] of virt-vgpu.conf",
                path, *named ? named : "none", self->key);
    return NULL;
}

bool
vgpu_iso_place_check(const VgpuIsoPlace *self, const char *path, GError **error)
{
    const char *rest;

    return find(self, path, &rest, error) != NULL;
}

int
vgpu_iso_place_open(const VgpuIsoPlace *self, const char *path, int flags, GError **error)
{
    struct open_how how = { .flags = (guint64) (flags | O_CLOEXEC),
                            .resolve =
                                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    const char *rest;
    const char *dir = find(self, path, &rest, error);
    int base, fd, err;

    if (!dir)
        return -1;
    base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = base < 0 ? -1 : (int) syscall(SYS_openat2, base, rest, &how, sizeof(how));
    err = errno;
    if (base >= 0)
        close(base);
    if (fd < 0 && err == ELOOP)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s is a symbolic link, or there is one on the way from %s; name its "
                    "target",
                    path, dir);
    else if (fd < 0)
        vgpu_error_errno(error, vgpu_error_code_of(err), err, "%s", path);
    return fd;
}
