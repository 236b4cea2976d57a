/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <libxml/parser.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/event.h"
#include "base/fs.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/names.h"
#include "config.h"
#include "core/manager.h"
#include "daemon/bus-name.h"
#include "daemon/guard.h"
#include "daemon/hook-socket.h"
#include "daemon/host-program.h"
#include "daemon/host-setup.h"
#include "daemon/metrics-file.h"
#include "daemon/metrics.h"
#include "daemon/service-metrics.h"
#include "daemon/service.h"
#include "daemon/wiring.h"
#include "daemon/worker.h"

#define LAST_LINES_MS 200
#define LAST_RECORDS_MS 5000 /* systemd waits much longer */

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

typedef struct {
    GMainLoop *loop;
    VgpuConfig *config;
    VgpuWorker *worker;
    VgpuGuard *guard;
    VgpuManager *manager;
    VgpuHostSetup *host_setup;
    VgpuHookSocket *hook_socket;
    VgpuService *service;
    VgpuServiceMetricsSource metrics_source;
    VgpuMetricsFile *metrics_file; /* NULL: not configured */
    VgpuBusName *bus;              /* NULL: it has none */
} Daemon;

static struct {
    char *config;
    char *root;
    char *libvirt_uri;
    char *bus;
    char *host_program;
    char *driver_program;
    gboolean debug;
    gboolean version;
} option;

static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &option.config,
      "read FILE instead of /etc/virt-vgpu/virt-vgpu.conf", "FILE" },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &option.root,
      "look for /sys, /dev, /run, /etc and /var in DIR (for tests)", "DIR" },
    { "libvirt-uri", 0, 0, G_OPTION_ARG_STRING, &option.libvirt_uri,
      "connect to this libvirt instead of the configured one", "URI" },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &option.bus,
      "system, session, or none: then virt-vgpu(1) cannot reach it", "BUS" },
    { "host-program", 0, 0, G_OPTION_ARG_FILENAME, &option.host_program,
      "run FILE for host set-up instead of the installed virt-vgpu-host", "FILE" },
    { "driver-program", 0, 0, G_OPTION_ARG_FILENAME, &option.driver_program,
      "run FILE to ask drivers instead of the installed virt-vgpu-driver", "FILE" },
    { "debug", 0, 0, G_OPTION_ARG_NONE, &option.debug, "log debug messages", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &option.version, "print the version and exit", NULL },
    { 0 },
};

static bool
parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context =
        g_option_context_new("- make vGPUs for libvirt's domains");

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc > 1) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "unexpected argument '%s'",
                    (*argv)[1]);
        return false;
    }
    if (option.bus &&
        !g_strv_contains((const char *const[]) { "system", "session", "none", NULL },
                         option.bus)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "--bus is system, session or none, not '%s'", option.bus);
        return false;
    }
    if (!option.root)
        option.root = g_strdup("/");
    if (!option.driver_program)
        option.driver_program = g_strdup(vgpu_helper_path("virt-vgpu-driver"));
    if (!option.bus)
        option.bus = g_strdup("system");
    return true;
}

static VgpuConfig *
load_config(GError **error)
{
    VgpuConfig *config = vgpu_config_load_in(option.root, option.config, error);

    if (config && option.libvirt_uri) {
        g_free(config->libvirt_uri);
        config->libvirt_uri = g_strdup(option.libvirt_uri);
    }
    return config;
}

/* The hook's socket, when systemd made it. */
static int
inherited_socket(void)
{
#ifdef HAVE_SYSTEMD
    if (sd_listen_fds(1) >= 1)
        return SD_LISTEN_FDS_START;
#endif
    return -1;
}

static void
notify_ready(void)
{
#ifdef HAVE_SYSTEMD
    (void) sd_notify(0, "READY=1");
#endif
}

/* A thousand hooks at once need a thousand descriptors; threads that mostly wait need no heaps of their
 * own. */
static void
set_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = MIN(limit.rlim_max, 65536);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
#ifdef M_ARENA_MAX /* glibc's; musl has no heaps for each thread */
    (void) mallopt(M_ARENA_MAX, 2);
#endif
    umask(0077);
}

/* Threads that answer hooks must not wait for a journal, or a pipe, that is not read. */
static void
start_log(void)
{
    vgpu_log_setup(option.debug);
    vgpu_log_start(g_log_writer_is_journald(STDERR_FILENO) ? VGPU_PATH_JOURNAL : NULL);
}

static void
on_event(GVariant *event, gpointer opaque)
{
    const Daemon *self = opaque;

    event = vgpu_event_complete(event);
    vgpu_event_log(event);
    vgpu_metrics_event(vgpu_metrics_default(), event);
    vgpu_service_event(self->service, event);
}

static void
on_hook_called(gpointer opaque)
{
    const Daemon *self = opaque;

    vgpu_guard_nudge(self->guard);
}

static gboolean
on_signal(gpointer opaque)
{
    Daemon *self = opaque;

    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

/* Many daemons reload on it; here nothing is read again before the next start. */
static gboolean
on_hang_up(gpointer opaque)
{
    (void) opaque;
    g_message("SIGHUP is ignored; a changed configuration takes effect at the next start");
    return G_SOURCE_CONTINUE;
}

static bool
export_service(GDBusConnection *connection, gpointer opaque, GError **error)
{
    const Daemon *self = opaque;

    return vgpu_service_export(self->service, connection, error);
}

static void
unexport_service(GDBusConnection *connection, gpointer opaque)
{
    const Daemon *self = opaque;

    (void) connection;
    vgpu_service_unexport(self->service);
}

static void
own_name(Daemon *self)
{
    static const VgpuBusNameOps ops = { export_service, unexport_service };
    GBusType type = g_str_equal(option.bus, "session") ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM;

    if (!g_str_equal(option.bus, "none"))
        self->bus = vgpu_bus_name_own(type, VGPU_DBUS_NAME, &ops, self);
}

static void
write_metrics(Daemon *self)
{
    g_autofree char *path = self->config->metrics_file
                                ? g_build_filename(option.root, self->config->metrics_file, NULL)
                                : NULL;

    self->metrics_source =
        (VgpuServiceMetricsSource) { self->worker, self->manager, self->host_setup };
    if (path)
        self->metrics_file =
            vgpu_metrics_file_start(path, self->config->metrics_interval,
                                    vgpu_service_metrics_collect, &self->metrics_source);
}

/* All that is needed before the first hook can be answered. */
static bool
set_up(Daemon *self, GError **error)
{
    g_autofree char *run = g_build_filename(option.root, VGPU_PATH_RUN, NULL);
    g_autofree char *own_socket = NULL;
    int socket = inherited_socket();
    VgpuManagerOps host = vgpu_wiring_host();

    if (!(self->config = load_config(error)) || !vgpu_fs_mkdir(run, 0755, error))
        return false;
    if (socket < 0) { /* before the records are touched, as another daemon may be using them */
        own_socket = g_build_filename(option.root, VGPU_PATH_HOOK_SOCKET, NULL);
        socket = vgpu_hook_socket_listen(own_socket, error);
        if (socket < 0)
            return false;
    }
    self->worker = vgpu_worker_new();
    self->guard = vgpu_wiring_new(self->worker, self->config, on_event, self);
    self->manager = vgpu_manager_new(&(VgpuDriverOptions) { .program = option.driver_program,
                                                            .root = option.root,
                                                            .debug = option.debug },
                                     self->config, vgpu_worker_context(self->worker), &host,
                                     self->guard, error);
    if (!self->manager)
        return false;
    self->host_setup =
        vgpu_host_setup_new(self->worker, self->manager,
                            &(VgpuHostSetupOptions) { .program = option.host_program,
                                                      .root = option.root,
                                                      .config = option.config,
                                                      .event = on_event,
                                                      .opaque = self });
    self->service = vgpu_service_new(self->worker, self->manager, self->guard, self->host_setup,
                                     self->config);
    vgpu_host_setup_read_layout(self->host_setup);
    vgpu_manager_resume(self->manager);
    vgpu_worker_start(self->worker);
    vgpu_host_setup_reread(self->host_setup); /* which takes its time */
    /* Connecting continues in the background, as libvirtd may be waiting for a hook. */
    vgpu_wiring_start(self->guard, self->manager, self->host_setup, option.root);
    self->hook_socket = vgpu_hook_socket_new(socket, own_socket, self->worker, self->manager,
                                             on_hook_called, self);
    return true;
}

/* GLib (2.74) creates the locale for g_ascii_strtoull() at its first call. If another thread waits for
 * that, the lock sets errno, so that g_ascii_string_to_unsigned() fails for a valid number: the first
 * hook after a start was refused as malformed. */
static void
init_numbers(void)
{
    (void) g_ascii_strtoull("0", NULL, 10);
}

int
main(int argc, char **argv)
{
    static Daemon self; /* threads that are left behind at the end still see it */
    g_autoptr(GError) error = NULL;

    setlocale(LC_CTYPE, ""); /* log messages may contain any script */
    set_limits();
    if (!parse_options(&argc, &argv, &error)) {
        g_printerr("virtvgpud: %s\n", error->message);
        return 2;
    }
    if (option.version) {
        g_print("virtvgpud %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    xmlInitParser();        /* before any thread */
    init_numbers();         /* the same */
    vgpu_connection_init(); /* before any connection */
    start_log();
    self.loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGHUP, on_hang_up, NULL);
    if (!set_up(&self, &error)) {
        (void) vgpu_log_flush(LAST_LINES_MS);
        g_printerr("virtvgpud: %s\n", error->message);
        return EXIT_FAILURE;
    }
    g_unix_signal_add(SIGTERM, on_signal, &self);
    g_unix_signal_add(SIGINT, on_signal, &self);
    own_name(&self);
    notify_ready();
    write_metrics(&self);

    vgpu_blocking_forbid();
    g_main_loop_run(self.loop);
    vgpu_blocking_allow();

    vgpu_host_program_end_all();
    /* vGPUs and their records stay; calls that libvirt or a driver keeps are left behind */
    vgpu_guard_stop(self.guard);
    vgpu_bus_name_free(self.bus);
    vgpu_metrics_file_stop(self.metrics_file);
    vgpu_worker_stop(self.worker);
    vgpu_hook_socket_free(self.hook_socket); /* after the worker, which answers through it */
    vgpu_manager_stop_saving(self.manager, LAST_RECORDS_MS);
    (void) vgpu_log_flush(LAST_LINES_MS);
    return EXIT_SUCCESS;
}
