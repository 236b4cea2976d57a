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
                        "%s would hold itself, since it is in %s; write it to another directory",
                        path, *inputs);
            return false;
        }
    }
    return true;
}

VgpuIsoOutput *
vgpu_iso_output_new(const char *path, const char *const *inputs, GError **error)
{
    g_autofree char *real = resolve(path);
    g_autofree char *unfinished = real ? g_strconcat(real, ".XXXXXX", NULL) : NULL;
    VgpuIsoOutput *self;
    int fd;

    if (real && !check_place(real, inputs, error))
        return NULL;
    fd = real ? g_mkstemp_full(unfinished, O_WRONLY | O_CLOEXEC, 0666) : -1;
    if (fd < 0) {
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot write %s", path);
        return NULL;
    }
    self = g_new0(VgpuIsoOutput, 1);
    self->path = g_steal_pointer(&real);
    self->unfinished = g_steal_pointer(&unfinished);
    self->fd = fd;
    doomed = self->unfinished;
    set_signals(true);
    return self;
}

bool
vgpu_iso_output_finish(VgpuIsoOutput *self, guint64 *size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(self->path);
    struct stat st;
    int dir_fd;

    if (fsync(self->fd) < 0 || fstat(self->fd, &st) < 0 ||
        g_rename(self->unfinished, self->path) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot write %s", self->path);
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
    g_free(self->unfinished);
    g_free(self->path);
    g_free(self);
}
