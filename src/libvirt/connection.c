/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/connection.h"

#include <gio/gio.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/process.h"
#include "libvirt/system.h"
#include "libvirt/virerror.h"

#define RETRY_FIRST_MS 200
#define RETRY_MOST_MS 5000

/* libvirtd drops its clients first and its pid file last; in between it waits up to 30 s for its
 * own threads. A client that comes back too early is left in the queue of libvirtd.socket, and
 * systemd then starts the libvirtd that an administrator has just stopped. */
#define LEAVING_SECONDS 40

/* How it works
 *
 * All decisions are made on the main thread, in try_open(): whether there is a reason to wait, or a thread
 * opens the connection now. That thread may be blocked forever; it holds a reference, so that free need not
 * wait for it. Its result, a lost connection and a nudge come back to the main thread as idle sources, each
 * with a reference too.
 *
 * There is no keepalive (virConnectSetKeepAlive): it would wake up an idle host every few seconds, and
 * on a socket of the same host the kernel tells at once when the other end is closed. */
struct VgpuConnection {
    gatomicrefcount refs;
    char *uri;
    char *run_dir; /* directory of the pid files; NULL: the URI is not that of the local system
                    * daemon */
    VgpuConnectionEvents events;
    gpointer opaque;

    /* main thread only */
    GFileMonitor *monitor;
    guint retry; /* source id */
    guint delay_ms;
    bool opening;
    bool freed;
    pid_t peer; /* the daemon that we were connected to last */
    gint64 lost_at;

    GMutex lock;
    virConnectPtr conn; /* by @lock; written on the main thread only */
};

/* One opening, made on the main thread, filled on its own thread. */
typedef struct {
    VgpuConnection *self;
    char *uri;
    virConnectPtr conn;
    char *failure;
} Attempt;

static void try_open(VgpuConnection *self);
static void on_close(virConnectPtr conn, int reason, void *opaque);

static void
ignore_error(void *opaque, virErrorPtr error)
{
}

void
vgpu_connection_init(void)
{
    /* libvirt writes to sockets that the daemon may just have closed */
    signal(SIGPIPE, SIG_IGN);
    /* its default implementation puts its sources into GLib's default context */
    virEventRegisterDefaultImpl();
    virSetErrorFunc(NULL, ignore_error);
}

static VgpuConnection *
ref(VgpuConnection *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

static void
unref(gpointer data)
{
    VgpuConnection *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_mutex_clear(&self->lock);
    g_free(self->uri);
    g_free(self->run_dir);
    g_free(self);
}

/* Not g_main_context_invoke(): that may run @function right here, on a thread that holds locks of
 * libvirt's. */
static void
on_main_thread(GSourceFunc function, gpointer data, GDestroyNotify notify)
{
    g_idle_add_full(G_PRIORITY_DEFAULT, function, data, notify);
}

/* Both may be calls over the socket. libvirt counts the callback as a reference, so without the
 * first one the second would not close anything. */
static gpointer
close_thread(gpointer conn)
{
    virConnectUnregisterCloseCallback(conn, on_close);
    virConnectClose(conn);
    return NULL;
}

static void
close_elsewhere(virConnectPtr conn)
{
    g_thread_unref(g_thread_new("libvirt-close", close_thread, conn));
}

static gboolean
on_retry(gpointer data)
{
    VgpuConnection *self = data;

    self->retry = 0;
    try_open(self);
    return G_SOURCE_REMOVE;
}

static void
retry_later(VgpuConnection *self)
{
    self->retry = g_timeout_add(self->delay_ms, on_retry, self);
    self->delay_ms = MIN(self->delay_ms * 2, RETRY_MOST_MS);
}

static void
cancel_retry(VgpuConnection *self)
{
    g_clear_handle_id(&self->retry, g_source_remove);
    self->delay_ms = RETRY_FIRST_MS;
}

static gboolean
on_lost(gpointer data)
{
    VgpuConnection *self = data;
    virConnectPtr conn;

    g_mutex_lock(&self->lock);
    conn = g_steal_pointer(&self->conn);
    g_mutex_unlock(&self->lock);
    if (!conn)
        return G_SOURCE_REMOVE; /* freed, or lost before it was ours: see on_opened() */

    close_elsewhere(conn);
    self->lost_at = g_get_monotonic_time();
    self->events.disconnected(self->opaque);
    if (!self->freed)
        try_open(self);
    return G_SOURCE_REMOVE;
}

/* libvirt calls this once, on any thread. */
static void
on_close(virConnectPtr conn, int reason, void *opaque)
{
    on_main_thread(on_lost, ref(opaque), unref);
}

static gboolean
on_opened(gpointer data)
{
    Attempt *attempt = data;
    VgpuConnection *self = attempt->self;
    VgpuSystemDaemon daemon = { NULL };

    self->opening = false;
    if (self->freed)
        return G_SOURCE_REMOVE;
    if (!attempt->conn) {
        g_debug("libvirt: %s", attempt->failure);
        retry_later(self);
        return G_SOURCE_REMOVE;
    }
    self->peer = self->run_dir && vgpu_system_find(self->run_dir, &daemon) ? daemon.pid : 0;
    /* it may have been lost before it got here */
    if (virConnectIsAlive(attempt->conn) <= 0) {
        self->lost_at = g_get_monotonic_time();
        retry_later(self);
        return G_SOURCE_REMOVE;
    }

    cancel_retry(self);
    g_mutex_lock(&self->lock);
    self->conn = g_steal_pointer(&attempt->conn);
    g_mutex_unlock(&self->lock);
    self->events.connected(self->opaque);
    return G_SOURCE_REMOVE;
}

static void
attempt_free(gpointer data)
{
    Attempt *attempt = data;

    if (attempt->conn)
        close_elsewhere(attempt->conn);
    unref(attempt->self);
    g_free(attempt->uri);
    g_free(attempt->failure);
    g_free(attempt);
}

static gpointer
open_thread(gpointer data)
{
    Attempt *attempt = data;
    virConnectPtr conn = virConnectOpen(attempt->uri);

    attempt->conn = conn;
    if (!conn)
        attempt->failure = g_strdup(virGetLastErrorMessage());
    /* libvirt's test driver lives in this process: there is nothing to lose, and it would not give
     * the reference back */
    else if (!g_str_has_prefix(attempt->uri, "test:") &&
             virConnectRegisterCloseCallback(conn, on_close, ref(attempt->self), unref) < 0)
        unref(attempt->self);
    on_main_thread(on_opened, attempt, attempt_free);
    return NULL;
}

/* Whether the daemon that has dropped us may be on its way out. */
static bool
is_leaving(const VgpuConnection *self, pid_t pid)
{
    return pid && pid == self->peer &&
           g_get_monotonic_time() - self->lost_at < LEAVING_SECONDS * G_USEC_PER_SEC;
}

static void
try_open(VgpuConnection *self)
{
    Attempt *attempt;
    VgpuSystemDaemon daemon = { NULL };

    if (self->opening || self->retry || self->conn)
        return;
    if (self->run_dir && !vgpu_system_find(self->run_dir, &daemon)) {
        cancel_retry(self);
        return;
    }
    if (is_leaving(self, daemon.pid)) {
        retry_later(self);
        return;
    }

    attempt = g_new0(Attempt, 1);
    attempt->self = ref(self);
    attempt->uri = self->run_dir ? vgpu_system_uri(self->uri, &daemon) : g_strdup(self->uri);
    self->opening = true;
    g_thread_unref(g_thread_new("libvirt-open", open_thread, attempt));
}

static void
try_now(VgpuConnection *self)
{
    cancel_retry(self);
    try_open(self);
}

static void
on_run_dir(GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
           gpointer data)
{
    VgpuConnection *self = data;
    g_autofree char *name = g_file_get_basename(file);

    if (vgpu_system_is_pid_file(name))
        try_now(self);
    /* this event comes once for each start: after a crash the file already exists */
    else if (event == G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT && self->events.nodedevs_lost &&
             self->conn && vgpu_system_is_nodedev_pid_file(name))
        self->events.nodedevs_lost(self->opaque);
}

/* Watch the directory, since the files come and go. */
static void
watch_run_dir(VgpuConnection *self)
{
    g_autoptr(GFile) dir = g_file_new_for_path(self->run_dir);
    g_autoptr(GError) error = NULL;

    self->monitor = g_file_monitor_directory(dir, G_FILE_MONITOR_NONE, NULL, &error);
    if (!self->monitor) {
        g_warning("cannot detect a start of libvirt before its first hook call: %s",
                  error->message);
        return;
    }
    g_file_monitor_set_rate_limit(self->monitor, RETRY_FIRST_MS);
    g_signal_connect(self->monitor, "changed", G_CALLBACK(on_run_dir), self);
}

VgpuConnection *
vgpu_connection_new(const char *uri, const char *root, const VgpuConnectionEvents *events,
                    gpointer opaque)
{
    VgpuConnection *self = g_new0(VgpuConnection, 1);

    g_atomic_ref_count_init(&self->refs);
    g_mutex_init(&self->lock);
    self->uri = g_strdup(uri);
    self->events = *events;
    self->opaque = opaque;
    self->delay_ms = RETRY_FIRST_MS;
    if (vgpu_system_serves(uri)) {
        self->run_dir = g_build_filename(root, "run", NULL);
        watch_run_dir(self);
    }
    try_open(self);
    return self;
}

void
vgpu_connection_free(VgpuConnection *self)
{
    virConnectPtr conn;

    if (!self)
        return;
    self->freed = true;
    cancel_retry(self);
    if (self->monitor)
        g_signal_handlers_disconnect_by_data(self->monitor, self);
    g_clear_object(&self->monitor);

    g_mutex_lock(&self->lock);
    conn = g_steal_pointer(&self->conn);
    g_mutex_unlock(&self->lock);
    if (conn)
        close_elsewhere(conn);
    unref(self);
}

static gboolean
on_nudge(gpointer data)
{
    VgpuConnection *self = data;

    if (!self->freed)
        try_now(self);
    return G_SOURCE_REMOVE;
}

void
vgpu_connection_nudge(VgpuConnection *self)
{
    bool is_open;

    g_mutex_lock(&self->lock);
    is_open = self->conn != NULL;
    g_mutex_unlock(&self->lock);
    if (!is_open) /* otherwise no thread need be woken, while a hook waits */
        on_main_thread(on_nudge, ref(self), unref);
}

static gboolean
on_reopen(gpointer data)
{
    VgpuConnection *self = data;
    virConnectPtr conn;

    g_mutex_lock(&self->lock);
    conn = g_steal_pointer(&self->conn);
    g_mutex_unlock(&self->lock);
    if (conn) /* otherwise it has been lost meanwhile, and is opened again anyway */
        close_elsewhere(conn);
    if (!self->freed)
        try_open(self);
    return G_SOURCE_REMOVE;
}

void
vgpu_connection_reopen(VgpuConnection *self)
{
    on_main_thread(on_reopen, ref(self), unref);
}

virConnectPtr
vgpu_connection_get(VgpuConnection *self, GError **error)
{
    virConnectPtr conn;

    vgpu_blocking_check("libvirt");
    g_mutex_lock(&self->lock);
    conn = self->conn;
    if (conn)
        virConnectRef(conn);
    g_mutex_unlock(&self->lock);
    if (!conn)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, "no connection to libvirt at %s",
                    self->uri);
    return conn;
}

bool
vgpu_connection_is_open(VgpuConnection *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    return self->conn != NULL;
}

gint64
vgpu_connection_daemon_age(const VgpuConnection *self)
{
    VgpuSystemDaemon daemon = { NULL };
    guint64 began = 0, ticks = (guint64) sysconf(_SC_CLK_TCK);
    struct timespec now;

    if (self->run_dir && vgpu_system_find(self->run_dir, &daemon) && daemon.pid)
        began = vgpu_process_start_time(daemon.pid);
    if (!began || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
        return -1;
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 -
           (gint64) (began * G_USEC_PER_SEC / ticks);
}

virConnectPtr
vgpu_connection_open_once(const char *uri, GError **error)
{
    virConnectPtr conn = virConnectOpenAuth(uri, virConnectAuthPtrDefault, 0);

    if (!conn)
        vgpu_virerror_take_open(error, uri);
    return conn;
}

gulong
vgpu_connection_library_version(void)
{
    gulong version = 0;

    return virGetVersion(&version, NULL, NULL) < 0 ? 0 : version;
}

gulong
vgpu_connection_version(virConnectPtr conn)
{
    gulong version = 0;

    return virConnectGetLibVersion(conn, &version) < 0 ? 0 : version;
}
