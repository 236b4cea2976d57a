#include "scratch.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* Made by the test itself, so what goes wrong here is no result but a reason to stop. */
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

static char *
with_directories(const Scratch *self, const char *name)
{
    char *path = scratch_path(self, name);
    g_autofree char *dir = g_path_get_dirname(path);

    need(g_mkdir_with_parents(dir, 0755), dir);
    return path;
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

void
scratch_write(const Scratch *self, const char *name, const char *text)
{
    g_autofree char *path = with_directories(self, name);

    need(g_file_set_contents(path, text, -1, NULL) ? 0 : -1, path);
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
    g_autofree char *path = with_directories(self, name);

    need(symlink(target, path), path);
}

void
scratch_remove(const Scratch *self, const char *name)
{
    g_autofree char *path = scratch_path(self, name);

    remove_tree(path);
}
