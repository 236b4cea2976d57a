/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/iso.h"

/* A directory that was given. */
typedef struct {
    int fd;
    const char *path; /* as given, for texts */
    const char *name; /* in the image */
    GPtrArray *files; /* of VgpuIsoFile */
} Top;

static bool collect_dir(const Top *top, const char *below, GError **error);

static void
file_free(gpointer data)
{
    VgpuIsoFile *file = data;

    if (file->fd >= 0)
        close(file->fd);
    g_free(file->path);
    g_free(file);
}

static void
add_file(GPtrArray *files, char *path, int fd)
{
    VgpuIsoFile *file = g_new0(VgpuIsoFile, 1);

    file->path = path;
    file->fd = fd;
    g_ptr_array_add(files, file);
}

static bool
refuse(GError **error, const char *dir, const char *below, const char *why)
{
    g_autofree char *path = below ? g_build_filename(dir, below, NULL) : g_strdup(dir);
    g_autofree char *shown = g_utf8_make_valid(path, -1);

    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s %s", shown, why);
    return false;
}

/* A link that leads out is not followed, also when it is put there this very moment: the kernel sees
 * to it (openat2(2), since Linux 5.6). Nothing waits for the other end of a FIFO. */
static int
open_below(const Top *top, const char *below)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

    return (int) syscall(SYS_openat2, top->fd, below, &how, sizeof(how));
}

static bool
collect_file(const Top *top, const char *below, bool is_link, GError **error)
{
    int fd = open_below(top, below);
    struct stat st;

    if (fd < 0 && errno == EXDEV)
        return refuse(error, top->path, below, "is a link to a file outside its directory");
    if (fd < 0)
        return vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "%s/%s", top->path,
                                below);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return refuse(error, top->path, below,
                      is_link ? "is a link to something that is not a file" : "is not a file");
    }
    add_file(top->files, g_build_filename(top->name, below, NULL), fd);
    return true;
}

static bool
collect_entry(const Top *top, const char *below, GError **error)
{
    struct stat st;

    if (!vgpu_iso_check_length(below, error))
        return false;
    if (fstatat(top->fd, below, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "%s/%s", top->path, below);
    if (S_ISDIR(st.st_mode))
        return collect_dir(top, below, error);
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
        return collect_file(top, below, S_ISLNK(st.st_mode), error);
    return refuse(error, top->path, below, "is neither a file nor a directory");
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted; NULL with errno. */
static GPtrArray *
list_dir(int fd)
{
    DIR *dir = fdopendir(fd);
    GPtrArray *names;
    struct dirent *entry;

    if (!dir)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    while ((entry = readdir(dir))) {
        if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    closedir(dir);
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* @below: NULL for the directory that was given. */
static bool
collect_dir(const Top *top, const char *below, GError **error)
{
    int fd = open_below(top, below ? below : ".");
    g_autoptr(GPtrArray) names = fd < 0 ? NULL : list_dir(fd);

    if (!names) {
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "%s%s%s", top->path, below ? "/" : "",
                         below ? below : "");
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (!names->len)
        add_file(top->files, g_build_filename(top->name, below, NULL), -1);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(below ? below : names->pdata[i],
                                                 below ? names->pdata[i] : NULL, NULL);

        if (!collect_entry(top, path, error))
            return false;
    }
    return true;
}

static int
open_given(const char *path, const VgpuIsoPlace *place, GError **error)
{
    const int flags = O_RDONLY | O_NOCTTY | O_NONBLOCK;
    int fd;

    if (place)
        return vgpu_iso_place_open(place, path, flags, error);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "%s", path);
    return fd;
}

static bool
collect_path(GPtrArray *files, const char *path, const VgpuIsoPlace *place, GError **error)
{
    g_autofree char *full = g_canonicalize_filename(path, NULL);
    g_autofree char *name = g_path_get_basename(full);
    int fd = open_given(path, place, error);
    Top top = { .fd = fd, .path = path, .name = name, .files = files };
    struct stat st;
    bool done;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0) {
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "%s", path);
        close(fd);
        return false;
    }
    if (S_ISREG(st.st_mode)) {
        add_file(files, g_steal_pointer(&name), fd);
        return true;
    }
    done = S_ISDIR(st.st_mode) ? collect_dir(&top, NULL, error)
                               : refuse(error, path, NULL, "is neither a file nor a directory");
    close(fd);
    return done;
}

GPtrArray *
vgpu_iso_tree_collect(const char *const *paths, const VgpuIsoPlace *place, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(file_free);

    for (; *paths; paths++) {
        if (!collect_path(files, *paths, place, error))
            return NULL;
    }
    return g_steal_pointer(&files);
}
