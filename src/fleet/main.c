/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/exit.h"
#include "base/log.h"
#include "config.h"
#include "fleet/etcd.h"
#include "fleet/member.h"
#include "fleet/publish.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define MACHINE_ID "etc/machine-id" /* machine-id(5) */

typedef struct {
    GMainLoop *loop;
    bool is_failed;
} Program;

static struct {
    char *config;
    char *root;
    char *bus;
    gboolean once;
    gboolean debug;
    gboolean version;
} option;

static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &option.config,
      "read FILE instead of /etc/virt-vgpu/virt-vgpu.conf", "FILE" },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &option.root, "look for /etc in DIR (for tests)",
      "DIR" },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &option.bus, "system or session", "BUS" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &option.once,
      "publish this host once, for one minute, and exit", NULL },
    { "debug", 0, 0, G_OPTION_ARG_NONE, &option.debug, "log debug messages", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &option.version, "print the version and exit", NULL },
    { 0 },
};

static bool
parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context =
        g_option_context_new("- make this host a member of its fleet");

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc > 1)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "unexpected argument '%s'",
                              (*argv)[1]);
    if (!option.root)
        option.root = g_strdup("/");
    if (!option.bus)
        option.bus = g_strdup("system");
    if (!g_str_equal(option.bus, "system") && !g_str_equal(option.bus, "session"))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "--bus is system or session, not '%s'", option.bus);
    return true;
}

static bool
read_who(const VgpuFleetConfig *config, VgpuPublisher *publisher, GError **error)
{
    g_autofree char *path = g_build_filename(option.root, MACHINE_ID, NULL), *id = NULL;
    g_autoptr(GError) why = NULL;

    if (!g_file_get_contents(path, &id, NULL, &why))
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "%s", why->message);
    return vgpu_publish_who(config, id, g_get_host_name(), g_get_real_time() / G_USEC_PER_SEC,
                            publisher, error);
}

static VgpuStore *
open_store(const VgpuFleetConfig *config, GError **error)
{
    g_autofree char *password = NULL;

    if (!vgpu_fleet_config_password(config, &password, error))
        return NULL;
    return vgpu_etcd_open(&(VgpuEtcdOptions) { .endpoints = config->endpoints,
                                               .ca = config->ca,
                                               .certificate = config->certificate,
                                               .key = config->key,
                                               .user = config->user,
                                               .password = password },
                          error);
}

/* --- while it runs ------------------------------------------------------------------------------ */

static void
notify(const char *state)
{
#ifdef HAVE_SYSTEMD
    (void) sd_notify(0, state);
#else
    (void) state;
#endif
}

static void
on_ready(gpointer data)
{
    (void) data;
    notify("READY=1");
}

static void
on_failed(gpointer data)
{
    Program *self = data;

    self->is_failed = true;
    g_main_loop_quit(self->loop);
}

static gboolean
on_signal(gpointer data)
{
    Program *self = data;

    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_hang_up(gpointer data)
{
    (void) data;
    g_message("SIGHUP is ignored; a changed configuration takes effect at the next start");
    return G_SOURCE_CONTINUE;
}

static void
run_until_signal(Program *self, VgpuMember *member)
{
    g_unix_signal_add(SIGHUP, on_hang_up, NULL);
    g_unix_signal_add(SIGTERM, on_signal, self);
    g_unix_signal_add(SIGINT, on_signal, self);
    vgpu_member_start(member);
    g_main_loop_run(self->loop);
    notify("STOPPING=1");
    vgpu_member_leave(member);
}

static bool
run(const VgpuFleetConfig *config, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Program self = { .loop = loop };
    g_auto(VgpuPublisher) publisher = { 0 };
    g_autoptr(VgpuStore) store = NULL; /* closed after its member */
    g_autoptr(VgpuMember) member = NULL;

    if (!read_who(config, &publisher, error) || !(store = open_store(config, error)))
        return false;
    member = vgpu_member_new(
        &(VgpuMemberOptions) {
            .publisher = &publisher,
            .config = config,
            .store = store,
            .bus = g_str_equal(option.bus, "session") ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM,
            .ready = on_ready,
            .failed = on_failed,
            .data = &self,
        },
        error);
    if (!member)
        return false;
    if (option.once)
        return vgpu_member_once(member, error);
    g_message("this is host %s of the fleet, '%s'", publisher.host, publisher.name);
    run_until_signal(&self, member);
    return !self.is_failed ||
           vgpu_error_set(error, VGPU_ERROR_UNAVAILABLE, "the message bus has gone");
}

/* Heaps of their own for the threads that read watches would take more than all else. */
static void
set_limits(void)
{
#ifdef M_ARENA_MAX /* glibc's; musl has no heaps for each thread */
    (void) mallopt(M_ARENA_MAX, 1);
    (void) mallopt(M_TRIM_THRESHOLD, 128 * 1024);
#endif
    umask(0077);
}

static int
fail(const GError *error)
{
    g_printerr("virt-vgpu-fleet: %s\n", error->message);
    return (int) vgpu_exit_status(error);
}

int
main(int argc, char **argv)
{
    g_autoptr(VgpuConfig) config = NULL;
    g_autoptr(GError) error = NULL;

    setlocale(LC_CTYPE, ""); /* log messages may contain any script */
    set_limits();
    if (!parse_options(&argc, &argv, &error)) {
        g_printerr("virt-vgpu-fleet: %s\n", error->message);
        return VGPU_EXIT_USAGE;
    }
    if (option.version) {
        g_print("virt-vgpu-fleet %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    vgpu_log_setup(option.debug);
    if (!(config = vgpu_config_load_in(option.root, option.config, &error)))
        return fail(error);
    if (!config->fleet.endpoints[0]) {
        g_message("this host is in no fleet: [fleet] has no endpoints, see virt-vgpu.conf(5)");
        notify("READY=1");
        return EXIT_SUCCESS;
    }
    return run(&config->fleet, &error) ? EXIT_SUCCESS : fail(error);
}
