/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/program.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"

#define FIRST_FILE_FD (VGPU_ISO_PROGRAM_OUTPUT_FD + 1)

/* The label; and in its order the path of each, and whether it is a file, which has the next descriptor. */
#define DESCRIPTION G_VARIANT_TYPE("(sa(sb))")

static bool
give(GSubprocessLauncher *launcher, int fd, int number, GError **error)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot hand over a file");
    g_subprocess_launcher_take_fd(launcher, copy, number);
    return true;
}

/* NULL: a file cannot be handed over. */
static char *
describe(GSubprocessLauncher *launcher, const VgpuIso *iso, const char *label, GError **error)
{
    const GPtrArray *entries = vgpu_iso_entries(iso);
    g_autoptr(GVariant) description = NULL;
    GVariantBuilder builder;
    int number = FIRST_FILE_FD;
    bool is_good = true;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sb)"));
    for (guint i = 0; is_good && i < entries->len; i++) {
        const VgpuIsoEntry *entry = g_ptr_array_index(entries, i);

        g_variant_builder_add(&builder, "(sb)", entry->path, (gboolean) (entry->fd >= 0));
        is_good = entry->fd < 0 || give(launcher, entry->fd, number++, error);
    }
    description = g_variant_ref_sink(g_variant_new("(sa(sb))", label, &builder));
    return is_good ? g_variant_print(description, FALSE) : NULL;
}

/* Why it failed is the last line that it wrote. */
static bool
judge(GSubprocess *child, char *errors, GError **error)
{
    const char *line = strrchr(g_strchomp(errors), '\n');
    const char *text = line ? line + 1 : errors;
    bool exited = g_subprocess_get_if_exited(child);

    if (exited && g_subprocess_get_exit_status(child) == 0)
        return true;
    vgpu_error_set(error,
                   exited ? vgpu_exit_code(g_subprocess_get_exit_status(child))
                          : VGPU_ERROR_FAILED,
                   "%s", *text ? text : "virt-vgpu-iso has failed");
    return false;
}

bool
vgpu_iso_program_write(const char *program, const VgpuIso *iso, const char *label, int fd,
                       GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
        G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autofree char *description = give(launcher, fd, VGPU_ISO_PROGRAM_OUTPUT_FD, error)
                                       ? describe(launcher, iso, label, error)
                                       : NULL;
    g_autoptr(GSubprocess) child = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) reason = NULL;

    if (!description)
        return false;
    g_subprocess_launcher_setenv(launcher, VGPU_LOG_BARE, "1", TRUE);
    child = g_subprocess_launcher_spawn(launcher, &reason, program, "write", NULL);
    if (!child) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED, "cannot run %s: %s", program,
                    reason->message);
        return false;
    }
    if (g_subprocess_communicate_utf8(child, description, NULL, NULL, &errors, &reason))
        return judge(child, errors, error);
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, reason->message);
    return false;
}

VgpuIso *
vgpu_iso_program_read(char **label, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GVariant) description = NULL;
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    int number = FIRST_FILE_FD;
    g_autoptr(GVariantIter) iter = NULL;
    const char *path;
    gboolean is_file;

    if (!g_file_get_contents("/dev/stdin", &text, NULL, error))
        return NULL;
    description = g_variant_parse(DESCRIPTION, text, NULL, NULL, error);
    if (!description)
        return NULL;
    g_variant_get_child(description, 1, "a(sb)", &iter);
    while (g_variant_iter_next(iter, "(&sb)", &path, &is_file)) {
        if (!(is_file ? vgpu_iso_add_fd(iso, path, number++, error)
                      : vgpu_iso_add_dir(iso, path, error)))
            return NULL;
    }
    g_variant_get_child(description, 0, "s", label);
    return g_steal_pointer(&iso);
}
