/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu-driver: asks a GPU's driver in virtvgpud's place
 *
 * virtvgpud starts it with its end of a socket pair and a locked file, see driver/protocol.h. A call
 * that the driver does not answer blocks only this process. When virtvgpud exits, the call in progress
 * is finished, and nothing more is done. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/performer.h"
#include "driver/protocol.h"
#include "sysfs/sysfs.h"

#define EXIT_USAGE 2

static struct {
    char *root;
    char *lock;
    gboolean debug;
    gboolean version;
} option;

static const GOptionEntry options[] = {
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &option.root,
      "look for /sys and /dev in DIR (for tests)", "DIR" },
    { "lock", 0, 0, G_OPTION_ARG_FILENAME, &option.lock,
      "file that is open as descriptor 4, removed at exit", "FILE" },
    { "debug", 0, 0, G_OPTION_ARG_NONE, &option.debug, "log debug messages", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &option.version, "print the version and exit", NULL },
    { 0 },
};

/* With one system call where the kernel has it (5.9), as removals wait for this. */
static bool
close_at_once(unsigned first)
{
#ifdef SYS_close_range
    return syscall(SYS_close_range, first, ~0u, 0) == 0;
#else
    (void) first;
    return false;
#endif
}

static void
close_one_by_one(int first)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (fd >= first && fd != dirfd(dir))
            close(fd);
    }
    if (dir)
        closedir(dir);
}

/* Close descriptors of virtvgpud that were inherited by accident. */
static void
close_others(void)
{
    if (!close_at_once(VGPU_DRIVER_LOCK_FD + 1))
        close_one_by_one(VGPU_DRIVER_LOCK_FD + 1);
}

static bool
parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context,
                                 "Asks the driver of one GPU, for virtvgpud(8), which starts it "
                                 "with a socket pair.\nNot for use by hand.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc == 1)
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "unknown argument '%s'; see --help",
                (*argv)[1]);
    return false;
}

static bool
answer(guint64 serial, GVariant *results, GError **error)
{
    g_autoptr(GError) reason = NULL;
    GVariantDict dict;

    if (vgpu_driver_protocol_send(VGPU_DRIVER_SOCKET_FD,
                                  g_variant_new("(t@a{sv})", serial, results), &reason))
        return true;
    if (!g_error_matches(reason, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "error", "(us)", (guint) VGPU_ERROR_NOT_SUPPORTED,
                          reason->message);
    return vgpu_driver_protocol_send(VGPU_DRIVER_SOCKET_FD,
                                     g_variant_new("(t@a{sv})", serial,
                                                   g_variant_dict_end(&dict)),
                                     error);
}

/* Serve requests until the other end is closed. */
static bool
serve(VgpuPerformer *performer, GError **error)
{
    if (!vgpu_driver_protocol_send(VGPU_DRIVER_SOCKET_FD, g_variant_new_string(VGPU_DRIVER_HELLO),
                                   error))
        return false;
    for (;;) {
        g_autoptr(GVariant) request =
            vgpu_driver_protocol_receive(VGPU_DRIVER_SOCKET_FD, VGPU_DRIVER_REQUEST, true, error);
        g_autoptr(GVariant) arguments = NULL;
        const char *verb;
        guint64 serial;

        if (!request)
            return false;
        g_variant_get(request, "(t&s@a{sv})", &serial, &verb, &arguments);
        if (!answer(serial, vgpu_performer_run(performer, verb, arguments), error))
            return false;
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuSysfs) sysfs = NULL;
    VgpuPerformer performer = { 0 };

    close_others();
    if (!parse_options(&argc, &argv, &error)) {
        fprintf(stderr, "virt-vgpu-driver: %s\n", error->message);
        return EXIT_USAGE;
    }
    if (option.version) {
        g_print("virt-vgpu-driver %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    vgpu_log_setup(option.debug);
    sysfs = vgpu_sysfs_new(option.root ? option.root : "/", &error);
    performer.sysfs = sysfs;
    if (sysfs)
        (void) !serve(&performer, &error);
    g_debug("virt-vgpu-driver: %s", error->message);
    vgpu_performer_clear(&performer);
    if (option.lock)
        (void) unlink(option.lock); /* while it is locked still, see driver/process.c */
    return g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE) ? EXIT_SUCCESS
                                                                      : EXIT_FAILURE;
}
