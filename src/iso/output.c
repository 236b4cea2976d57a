/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };
static const char *volatile doomed; /* what a signal removes */

static void
on_signal(int number)
{
    if (doomed)
        (void) unlink(doomed);
    (void) raise(number); /* by SA_RESETHAND it ends the program now */
}

static void
set_signals(bool caught)
{
    struct sigaction action = { .sa_handler = caught ? on_signal : SIG_DFL,
                                .sa_flags = SA_RESETHAND };

    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        (void) sigaction(deadly[i], &action, NULL);
}

/* @path without links; it need not be there, its directory must. NULL with errno. */
static char *
resolve(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    char *real = realpath(path, NULL);
    char *result;

    if (real) {
        result = g_strdup(real);
    } else {
        real = errno == ENOENT ? realpath(dir, NULL) : NULL;
        result = real ? g_build_filename(real, name, NULL) : NULL;
    }
    free(real);
    return result;
}

static bool
is_within(const char *path, const char *dir)
{
    gsize len = strlen(dir);

    return g_str_has_prefix(path, dir) &&
           (path[len] == '\0' || path[len] == '/' || g_str_equal(dir, "/"));
}

static bool
check_place(const char *path, const char *const *inputs, GError **error)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s is not a regular file", path);
        return false;
    }
    for (; *inputs; inputs++) {
        g_autofree char *input = resolve(*inputs);

        if (input && is_within(path, input)) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "%s would contain itself, since it is in %s; write it to another "
                        "directory",
                        path, *inputs);
            return false;
        }
    }
    return true;
}

/* root would write where another user wants it; in a directory that others may write to, fs.protected_symlinks
 * does not keep realpath(3) from that. */
static bool
check_link(const char *path, GError **error)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) || st.st_uid == geteuid() || st.st_uid == 0)
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "%s is a symbolic link of another user; name its target", path);
    return false;
}

/* Takes @real and @dir. */
static VgpuIsoOutput *
begin(char *real, int dir, const char *shown, mode_t mode, GError **error)
{
    g_autofree char *unfinished = g_strconcat(real, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(unfinished, O_WRONLY | O_CLOEXEC, (int) mode);
    VgpuIsoOutput *self;

    if (fd < 0) {
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "cannot write %s", shown);
        if (dir >= 0)
            close(dir);
        g_free(real);
        return NULL;
    }
    self = g_new0(VgpuIsoOutput, 1);
    self->path = real;
    self->dir = dir;
    self->shown = g_strdup(shown);
    self->unfinished = g_steal_pointer(&unfinished);
    self->fd = fd;
    doomed = self->unfinished;
    set_signals(true);
    return self;
}

VgpuIsoOutput *
vgpu_iso_output_new(const char *path, const char *const *inputs, GError **error)
{
    g_autofree char *real = NULL;

    if (!check_link(path, error))
        return NULL;
    real = resolve(path);
    if (!real) {
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "cannot write %s", path);
        return NULL;
    }
    if (!check_place(real, inputs, error))
        return NULL;
    return begin(g_steal_pointer(&real), -1, path, 0666, error);
}

/* Whether no other user can put anything into the directory @fd. */
static bool
check_directory(int fd, const char *path, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "users other than root may write to the directory of %s and could replace the "
                "image; see 'directories' in [images] of virt-vgpu.conf(5)",
                path);
    return false;
}

static bool
check_target(int dir, const char *name, const char *path, GError **error)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(st.st_mode))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s is %s", path,
                S_ISLNK(st.st_mode) ? "a symbolic link; name its target" : "not a regular file");
    return false;
}

VgpuIsoOutput *
vgpu_iso_output_new_in(const VgpuIsoPlace *place, const char *path, const char *const *inputs,
                       GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *real = resolve(path);
    int dir = vgpu_iso_place_open(place, parent, O_PATH | O_DIRECTORY, error);

    if (dir < 0)
        return NULL;
    if (!check_directory(dir, path, error) || !check_target(dir, name, path, error) ||
        (real && !check_place(real, inputs, error))) {
        close(dir);
        return NULL;
    }
    /* from here on all is done in this directory, even if its path changes */
    return begin(g_strdup_printf("/proc/self/fd/%d/%s", dir, name), dir, path, 0600, error);
}

bool
vgpu_iso_output_finish(VgpuIsoOutput *self, guint64 *size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(self->path);
    struct stat st;
    int dir_fd;

    if (fsync(self->fd) < 0 || fstat(self->fd, &st) < 0 ||
        g_rename(self->unfinished, self->path) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot write %s", self->shown);
    doomed = NULL;
    g_clear_pointer(&self->unfinished, g_free);
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd >= 0) {
        (void) fsync(dir_fd);
        close(dir_fd);
    }
    *size = (guint64) st.st_size;
    return true;
}

void
vgpu_iso_output_free(VgpuIsoOutput *self)
{
    if (!self)
        return;
    if (self->unfinished)
        (void) g_unlink(self->unfinished);
    doomed = NULL;
    set_signals(false);
    close(self->fd);
    if (self->dir >= 0)
        close(self->dir);
    g_free(self->shown);
    g_free(self->unfinished);
    g_free(self->path);
    g_free(self);
}
