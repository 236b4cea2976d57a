/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sysfs/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define MAX_ATTRIBUTE (64 * 1024)

struct VgpuSysfs {
    int root_fd;
};

VgpuSysfs *
vgpu_sysfs_new(const char *root, GError **error)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    VgpuSysfs *self;

    if (fd < 0) {
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "open %s", root);
        return NULL;
    }
    self = g_new0(VgpuSysfs, 1);
    self->root_fd = fd;
    return self;
}

void
vgpu_sysfs_free(VgpuSysfs *self)
{
    if (!self)
        return;
    close(self->root_fd);
    g_free(self);
}

int
vgpu_sysfs_root_fd(const VgpuSysfs *self)
{
    return self->root_fd;
}

bool
vgpu_sysfs_exists(const VgpuSysfs *self, const char *path)
{
    return faccessat(self->root_fd, path, F_OK, 0) == 0;
}

bool
vgpu_sysfs_is_file(const VgpuSysfs *self, const char *path)
{
    struct stat st;

    return fstatat(self->root_fd, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static bool
is_absence(int err)
{
    return err == ENOENT || err == ENOTDIR || err == ENODEV;
}

bool
vgpu_sysfs_is_missing(const VgpuSysfs *self, const char *path)
{
    return faccessat(self->root_fd, path, F_OK, 0) < 0 && is_absence(errno);
}

static bool
set_read_error(GError **error, const char *what, const char *path)
{
    return vgpu_error_errno(error, is_absence(errno) ? VGPU_ERROR_NOT_FOUND : VGPU_ERROR_DRIVER,
                            errno, "%s /%s", what, path);
}

/* Reads until end of file; returns the length or -1 with errno. */
static ssize_t
read_all(int fd, char *buf, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = read(fd, buf + used, size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t) got;
    }
    return (ssize_t) used;
}

/* Up to the first NUL. A driver's output is passed on as text, for example to D-Bus, which accepts
 * nothing else. */
static char *
as_text(const char *bytes, size_t len)
{
    char *text = g_strndup(bytes, len), *valid;

    if (g_utf8_validate(text, -1, NULL))
        return text;
    valid = g_utf8_make_valid(text, -1);
    g_free(text);
    return valid;
}

char *
vgpu_sysfs_read(const VgpuSysfs *self, const char *path, GError **error)
{
    char buf[4096];
    g_autofree char *big = NULL;
    char *text = buf;
    ssize_t len;
    int fd = openat(self->root_fd, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        set_read_error(error, "open", path);
        return NULL;
    }
    len = read_all(fd, buf, sizeof(buf));
    if (len == sizeof(buf)) { /* rare: longer than a sysfs page */
        ssize_t rest;

        text = big = g_malloc(MAX_ATTRIBUTE);
        memcpy(big, buf, sizeof(buf));
        rest = read_all(fd, big + len, MAX_ATTRIBUTE - sizeof(buf));
        len = rest < 0 ? rest : len + rest;
    }
    if (len < 0) {
        set_read_error(error, "read", path);
        close(fd);
        return NULL;
    }
    close(fd);
    return g_strchomp(as_text(text, (size_t) len));
}

bool
vgpu_sysfs_read_uint(const VgpuSysfs *self, const char *path, guint *out, GError **error)
{
    g_autofree char *text = vgpu_sysfs_read(self, path, error);
    const char *digits = text;
    guint64 value;
    guint base = 10;

    if (!text)
        return false;
    if (g_str_has_prefix(text, "0x")) {
        digits += 2;
        base = 16;
    }
    if (!g_ascii_string_to_unsigned(digits, base, 0, G_MAXUINT, &value, NULL))
        return vgpu_error_set(error, VGPU_ERROR_DRIVER, "/%s: '%s' is not a number", path, text);
    *out = (guint) value;
    return true;
}

int
vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text)
{
    int fd = openat(self->root_fd, path, O_WRONLY | O_CLOEXEC);
    int err = 0;
    ssize_t done;

    if (fd < 0)
        return errno;
    /* Exactly one write: a sysfs store is called once for each, and a second half would be a
     * second request. EINTR is the driver's own answer here, never repeated blindly. */
    done = write(fd, text, strlen(text));
    if (done < 0)
        err = errno;
    else if ((size_t) done != strlen(text))
        err = EIO;
    close(fd);
    return err;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* 0, or the errno value. */
static int
read_names(const VgpuSysfs *self, const char *path, GPtrArray *names)
{
    int fd = openat(self->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        err = errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (entry->d_name[0] != '.')
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    err = errno;
    closedir(dir);
    g_ptr_array_sort(names, compare_names);
    return err;
}

GPtrArray *
vgpu_sysfs_read_dir(const VgpuSysfs *self, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int err = read_names(self, path, names);

    if (err && !is_absence(err)) {
        errno = err;
        (void) !set_read_error(error, "list", path);
        return NULL;
    }
    return g_steal_pointer(&names);
}

GPtrArray *
vgpu_sysfs_list(const VgpuSysfs *self, const char *path)
{
    GPtrArray *names = vgpu_sysfs_read_dir(self, path, NULL);

    return names ? names : g_ptr_array_new_with_free_func(g_free);
}

/* The target of the link, NULL when there is none. */
static char *
read_link(const VgpuSysfs *self, const char *path)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(self->root_fd, path, target, sizeof(target) - 1);

    return len < 0 ? NULL : g_strndup(target, (size_t) len);
}

char *
vgpu_sysfs_link_name(const VgpuSysfs *self, const char *path)
{
    g_autofree char *target = read_link(self, path);

    return target ? g_path_get_basename(target) : NULL;
}

char *
vgpu_sysfs_link_parent(const VgpuSysfs *self, const char *path)
{
    g_autofree char *target = read_link(self, path);
    g_autofree char *dir = target ? g_path_get_dirname(target) : NULL;

    return dir && !g_str_equal(dir, ".") ? g_path_get_basename(dir) : NULL;
}

bool
vgpu_sysfs_link_has(const VgpuSysfs *self, const char *path, const char *component)
{
    g_autofree char *target = read_link(self, path);
    g_auto(GStrv) components = target ? g_strsplit(target, "/", -1) : NULL;

    return components && g_strv_contains((const char *const *) components, component);
}
