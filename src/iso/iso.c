/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/printable.h"

#define NAME_BYTES 255 /* of one part of a path, in Rock Ridge */
#define JOLIET_LABEL 16

struct VgpuIso {
    GPtrArray *entries; /* of VgpuIsoEntry */
    GHashTable *names;  /* path without its case -> VgpuIsoEntry, borrowed */
    guint n_files;
};

static void
entry_free(gpointer data)
{
    VgpuIsoEntry *entry = data;

    if (entry->owned)
        close(entry->fd);
    g_free(entry->path);
    g_free(entry);
}

VgpuIso *
vgpu_iso_new(void)
{
    VgpuIso *self = g_new0(VgpuIso, 1);

    self->entries = g_ptr_array_new_with_free_func(entry_free);
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
vgpu_iso_free(VgpuIso *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->names);
    g_ptr_array_unref(self->entries);
    g_free(self);
}

guint
vgpu_iso_n_files(const VgpuIso *self)
{
    return self->n_files;
}

const GPtrArray *
vgpu_iso_entries(const VgpuIso *self)
{
    return self->entries;
}

static VgpuIsoEntry *
find(const VgpuIso *self, const char *path)
{
    g_autofree char *key = g_utf8_casefold(path, -1);

    return g_hash_table_lookup(self->names, key);
}

bool
vgpu_iso_has(const VgpuIso *self, const char *path)
{
    return find(self, path) != NULL;
}

bool
vgpu_iso_is_label(const char *label)
{
    gsize len = strlen(label);

    return len && len <= JOLIET_LABEL &&
           strspn(label, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.") == len;
}

/* --- contents ------------------------------------------------------------------------- */

bool
vgpu_iso_check_length(const char *path, GError **error)
{
    gsize len = strnlen(path, VGPU_ISO_PATH_MAX + 1);
    guint depth = 1;

    for (gsize i = 0; i < len; i++)
        depth += path[i] == '/' && i > 0;
    if (len <= VGPU_ISO_PATH_MAX && depth <= VGPU_ISO_DEPTH_MAX)
        return true;
    if (error) {
        g_autofree char *begin = g_utf8_make_valid(path, (gssize) MIN(len, 60));

        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "the path '%s...' is longer than %d bytes, or deeper than %d directories",
                    begin, VGPU_ISO_PATH_MAX, VGPU_ISO_DEPTH_MAX);
    }
    return false;
}

static bool
is_part(const char *part)
{
    return *part && strlen(part) <= NAME_BYTES && !g_str_equal(part, ".") &&
           !g_str_equal(part, "..") && vgpu_printable_is(part);
}

static bool
check_path(const char *path, GError **error)
{
    bool is_short = vgpu_iso_check_length(path, error);
    bool is_good = is_short && g_utf8_validate(path, -1, NULL);
    g_auto(GStrv) parts = is_good && *path ? g_strsplit(path, "/", -1) : NULL;

    if (!is_short)
        return false;
    for (char **part = parts; is_good && part && *part; part++)
        is_good = is_part(*part);
    if (is_good && parts)
        return true;
    if (error) {
        g_autofree char *shown = g_utf8_make_valid(path, -1);

        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "'%s' is not a valid name in the image", shown);
    }
    return false;
}

static VgpuIsoEntry *
add(VgpuIso *self, const char *path, int fd)
{
    VgpuIsoEntry *entry = g_new0(VgpuIsoEntry, 1);

    entry->path = g_strdup(path);
    entry->fd = fd;
    entry->mode = 0444;
    g_ptr_array_add(self->entries, entry);
    g_hash_table_insert(self->names, g_utf8_casefold(path, -1), entry);
    return entry;
}

/* The directories above @path. */
static bool
add_parents(VgpuIso *self, const char *path, GError **error)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *dir = g_strndup(path, (gsize) (slash - path));

        if (!vgpu_iso_add_dir(self, dir, error))
            return false;
    }
    return true;
}

static bool
refuse_twice(const VgpuIsoEntry *other, const char *path, GError **error)
{
    if (g_str_equal(other->path, path))
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s would be in the image twice; rename one of them", path);
    else
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s and %s would be one file for Windows; rename one of them", other->path,
                    path);
    return false;
}

bool
vgpu_iso_add_dir(VgpuIso *self, const char *path, GError **error)
{
    const VgpuIsoEntry *other;
    VgpuIsoEntry *entry;

    if (!check_path(path, error))
        return false;
    other = find(self, path);
    if (other && other->fd < 0 && g_str_equal(other->path, path))
        return true;
    if (other)
        return refuse_twice(other, path, error);
    if (!add_parents(self, path, error))
        return false;
    entry = add(self, path, -1);
    entry->mode = 0555;
    entry->mtime = time(NULL);
    return true;
}

bool
vgpu_iso_add_fd(VgpuIso *self, const char *path, int fd, GError **error)
{
    int flags = fcntl(fd, F_GETFL);
    const VgpuIsoEntry *other;
    struct stat st;
    VgpuIsoEntry *entry;

    if (!check_path(path, error))
        return false;
    if (flags < 0 || flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY || fstat(fd, &st) < 0 ||
        !S_ISREG(st.st_mode)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s: not a regular file that is open for reading", path);
        return false;
    }
    other = find(self, path);
    if (other)
        return refuse_twice(other, path, error);
    if (!add_parents(self, path, error))
        return false;
    entry = add(self, path, fd);
    entry->size = st.st_size;
    entry->mtime = st.st_mtime;
    if (st.st_mode & 0111)
        entry->mode = 0555;
    self->n_files++;
    return true;
}

bool
vgpu_iso_add_text(VgpuIso *self, const char *path, const char *text, bool executable,
                  GError **error)
{
    gsize len = strlen(text);
    int fd = memfd_create("virt-vgpu-iso", MFD_CLOEXEC);

    if (fd < 0 || write(fd, text, len) != (ssize_t) len ||
        fchmod(fd, executable ? 0555 : 0444) < 0) {
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot make a file in memory");
    } else if (vgpu_iso_add_fd(self, path, fd, error)) {
        find(self, path)->owned = true;
        return true;
    }
    if (fd >= 0)
        close(fd);
    return false;
}
