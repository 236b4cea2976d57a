/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scratch.h"

#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* These files belong to the test itself, so an error here aborts the test. */
static void
need(int result, const char *path)
{
    if (result < 0)
        g_error("%s: %m", path);
}

static int
remove_one(const char *path, const struct stat *sb G_GNUC_UNUSED, int type G_GNUC_UNUSED,
           struct FTW *ftw G_GNUC_UNUSED)
{
    return remove(path);
}

static void
remove_tree(const char *path)
{
    need(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), path);
}

static void
make_directories(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    need(g_mkdir_with_parents(dir, 0755), dir);
}

Scratch
scratch_new(void)
{
    Scratch self = { .path = g_dir_make_tmp("virt-vgpu-XXXXXX", NULL) };

    if (!self.path)
        g_error("no temporary directory");
    return self;
}

void
scratch_clear(Scratch *self)
{
    if (!self->path)
        return;
    remove_tree(self->path);
    g_clear_pointer(&self->path, g_free);
}

char *
scratch_path(const Scratch *self, const char *name)
{
    return g_build_filename(self->path, name, NULL);
}

/* Directly, as there may be thousands of them in a tree. */
void
scratch_write(const Scratch *self, const char *name, const char *text)
{
    g_autofree char *path = scratch_path(self, name);
    FILE *file = g_fopen(path, "we");

    if (!file && errno == ENOENT) {
        make_directories(path);
        file = g_fopen(path, "we");
    }
    need(file ? fputs(text, file) : -1, path);
    need(fclose(file), path);
}

char *
scratch_read(const Scratch *self, const char *name)
{
    g_autofree char *path = scratch_path(self, name);
    char *text = NULL;

    (void) g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

void
scratch_link(const Scratch *self, const char *name, const char *target)
{
    g_autofree char *path = scratch_path(self, name);

    int result = symlink(target, path);

    if (result < 0 && errno == ENOENT) {
        make_directories(path);
        result = symlink(target, path);
    }
    need(result, path);
}

void
scratch_remove(const Scratch *self, const char *name)
{
    g_autofree char *path = scratch_path(self, name);

    remove_tree(path);
}
