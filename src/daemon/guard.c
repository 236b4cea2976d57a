#include "daemon/guard.h"

#include <string.h>

#include "base/error.h"
#include "daemon/guard-private.h"
#include "domain/inject.h"

#define THREADS 4
#define RETRY_MS 300
#define IN_FLIGHT_US (60 * G_USEC_PER_SEC)

bool
vgpu_guard_is_away(const GError *error)
{
    return g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE);
}

void
vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                const char *reason)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    g_variant_dict_insert(&dict, "time", "s", time);
    g_variant_dict_insert(&dict, "event", "s", event);
    if (domain) {
        g_variant_dict_insert(&dict, "domain", "s", domain->name);
        g_variant_dict_insert(&dict, "domain_uuid", "s", domain->uuid);
    }
    if (reason)
        g_variant_dict_insert(&dict, "reason", "s", reason);
    self->event(g_variant_dict_end(&dict), self->opaque);
}

bool
vgpu_guard_concerns(const char *xml)
{
    return xml && vgpu_domain_is_marked(xml, strlen(xml));
}

/* --- following a definition --------------------------------------------------------------- */

/* True (and remembered) when the domain's start is in flight. */
static bool
defer_if_starting(VgpuGuard *self, const char *domain_uuid)
{
    const gint64 *until;
    bool deferred;

    g_mutex_lock(&self->lock);
    until = g_hash_table_lookup(self->in_flight, domain_uuid);
    deferred = until && *until > g_get_monotonic_time();
    if (deferred)
        g_hash_table_add(self->deferred, g_strdup(domain_uuid));
    g_mutex_unlock(&self->lock);
    return deferred;
}

static gboolean
on_follow_again(gpointer data)
{
    VgpuTask *task = data;

    vgpu_guard_push_follow(task->guard, task->domain_uuid);
    return G_SOURCE_REMOVE;
}

void
vgpu_guard_follow_later(VgpuGuard *self, const char *domain_uuid, guint ms)
{
    g_timeout_add_full(G_PRIORITY_DEFAULT, ms, on_follow_again, vgpu_task_new(self, domain_uuid),
                       vgpu_task_free);
}

static void
run_follow(gpointer data)
{
    VgpuTask *task = data;
    g_autoptr(GError) error = NULL;

    if (defer_if_starting(task->guard, task->domain_uuid) ||
        vgpu_guard_follow(task->guard, task->domain_uuid, NULL, &error) ||
        vgpu_guard_is_away(error)) /* all are followed when it is back */
        return;
    if (g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY))
        vgpu_guard_follow_later(task->guard, task->domain_uuid, RETRY_MS);
    else
        g_warning("%s", error->message);
}

void
vgpu_guard_push_follow(VgpuGuard *self, const char *domain_uuid)
{
    vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, domain_uuid, run_follow,
                    vgpu_task_new(self, domain_uuid), vgpu_task_free);
}

/* --- looking at a domain ------------------------------------------------------------------ */

static void
do_settle(gpointer data)
{
    VgpuTask *task = data;

    vgpu_manager_settle(task->guard->manager, task->domain_uuid, task->since, task->running,
                        task->domain_id);
    vgpu_task_free(task);
}

static void
run_look(gpointer data)
{
    VgpuTask *task = data;
    g_autoptr(GError) error = NULL;
    virConnectPtr conn = vgpu_connection_get(task->guard->connection, NULL);
    g_autoptr(VgpuDomainState) state = NULL;
    VgpuTask *result;

    if (!conn)
        return; /* reconcile looks when it is back */
    state = vgpu_domains_get(conn, task->domain_uuid, &error);
    virConnectClose(conn);
    if (!state && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return;
    result = vgpu_task_copy(task);
    result->running = state && state->id >= 0;
    result->domain_id = state ? state->id : -1;
    vgpu_worker_push(task->guard->worker, do_settle, result);
}

static void
host_look(const char *domain_uuid, guint64 since, gpointer opaque)
{
    VgpuGuard *self = opaque;
    VgpuTask *task = vgpu_task_new(self, domain_uuid);

    task->since = since;
    vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, domain_uuid, run_look, task, vgpu_task_free);
}

/* --- what the manager tells --------------------------------------------------------------- */

static void
host_event(GVariant *event, gpointer opaque)
{
    VgpuGuard *self = opaque;

    self->event(event, self->opaque);
}

static void
host_rewrite(const char *domain_uuid, gpointer opaque)
{
    vgpu_guard_push_follow(opaque, domain_uuid);
}

static void
host_starting(const char *domain_uuid, gpointer opaque)
{
    VgpuGuard *self = opaque;
    gint64 until = g_get_monotonic_time() + IN_FLIGHT_US;

    g_mutex_lock(&self->lock);
    g_hash_table_insert(self->in_flight, g_strdup(domain_uuid), g_memdup2(&until, sizeof(until)));
    g_mutex_unlock(&self->lock);
}

static void
host_settled(const char *domain_uuid, gpointer opaque)
{
    VgpuGuard *self = opaque;
    bool deferred;

    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->in_flight, domain_uuid);
    deferred = g_hash_table_remove(self->deferred, domain_uuid);
    g_mutex_unlock(&self->lock);
    if (deferred)
        vgpu_guard_push_follow(self, domain_uuid);
}

/* On a lane. */
static bool
host_add_gpu_instance(const char *gpu, int gi_profile, GError **error, gpointer opaque)
{
    const VgpuGuard *self = opaque;

    return vgpu_host_setup_add_gpu_instance(self->host_setup, gpu, gi_profile, error);
}

VgpuManagerHost
vgpu_guard_host(void)
{
    return (VgpuManagerHost) {
        .event = host_event,
        .attach = vgpu_guard_attach,
        .rewrite = host_rewrite,
        .look = host_look,
        .starting = host_starting,
        .settled = host_settled,
        .add_gpu_instance = host_add_gpu_instance,
        .libvirt = vgpu_connection_library_version(),
    };
}

/* --- events of libvirt -------------------------------------------------------------------- */

static void
do_started(gpointer data)
{
    VgpuTask *task = data;

    vgpu_manager_started(task->guard->manager, task->domain_uuid, task->domain_id);
    /* one that was defined and started in a go, or is transient: a pool may have vGPUs for it */
    if (!vgpu_manager_since(task->guard->manager, task->domain_uuid) &&
        vgpu_guard_gives(task->guard, task->domain_name))
        vgpu_guard_push_follow(task->guard, task->domain_uuid);
    vgpu_task_free(task);
}

/* A STOPPED counts as a second release, but it does not say of which run: look at the domain,
 * unless it has been prepared again meanwhile. */
static void
do_stopped(gpointer data)
{
    VgpuTask *task = data;
    guint64 since = vgpu_manager_since(task->guard->manager, task->domain_uuid);

    if (since)
        host_look(task->domain_uuid, since, task->guard);
    vgpu_guard_push_follow(task->guard, task->domain_uuid);
    vgpu_task_free(task);
}

static void
on_domain(VgpuDomainEvent event, const char *uuid, const char *name, int id, gpointer opaque)
{
    VgpuGuard *self = opaque;
    VgpuTask *task;

    switch (event) {
    case VGPU_DOMAIN_STARTED:
        task = vgpu_task_new(self, uuid);
        task->domain_name = g_strdup(name);
        task->domain_id = id;
        vgpu_worker_push_hook(self->worker, do_started, task);
        break;
    case VGPU_DOMAIN_STOPPED:
        vgpu_worker_push(self->worker, do_stopped, vgpu_task_new(self, uuid));
        break;
    case VGPU_DOMAIN_DEFINED:
    case VGPU_DOMAIN_UNDEFINED:
    case VGPU_DOMAIN_RENAMED_AWAY:
        vgpu_guard_push_follow(self, uuid);
        break;
    }
}

static void
do_check_orphans(gpointer data)
{
    VgpuGuard *self = data;

    if (vgpu_manager_has_orphans(self->manager))
        vgpu_guard_push_sweep(self);
}

static void
on_nodedev(const char *name, bool gone, gpointer opaque)
{
    VgpuGuard *self = opaque;

    /* mdevs are read from sysfs whenever they are needed; a new one may be a late orphan */
    if (g_str_has_prefix(name, "pci_"))
        vgpu_guard_reread_gpus(self);
    else if (g_str_has_prefix(name, "mdev_") && !gone)
        vgpu_worker_push(self->worker, do_check_orphans, self);
}

const VgpuWatchEvents vgpu_guard_watch_events = {
    .domain = on_domain,
    .device = vgpu_guard_on_device,
    .nodedev = on_nodedev,
};

static void
on_connected(gpointer opaque)
{
    VgpuGuard *self = opaque;

    vgpu_guard_emit(self, "libvirt-connected", NULL, NULL);
    vgpu_guard_catch_up(self);
}

static void
on_disconnected(gpointer opaque)
{
    VgpuGuard *self = opaque;

    vgpu_guard_emit(self, "libvirt-disconnected", NULL, NULL);
    vgpu_guard_forget_gpus(self);
}

/* --- life --------------------------------------------------------------------------------- */

static void
times_free(gpointer data)
{
    g_array_unref(data);
}

VgpuGuard *
vgpu_guard_new(VgpuWorker *worker, const VgpuConfig *config,
               void (*event)(GVariant *event, gpointer opaque), gpointer opaque)
{
    VgpuGuard *self = g_new0(VgpuGuard, 1);

    g_mutex_init(&self->lock);
    self->worker = worker;
    self->config = config;
    self->event = event;
    self->opaque = opaque;
    self->queue = vgpu_queue_new(THREADS);
    self->in_flight = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->deferred = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->attaching = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->corrected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, times_free);
    self->changing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->leaving = g_ptr_array_new();
    g_cond_init(&self->left);
    return self;
}

void
vgpu_guard_start(VgpuGuard *self, VgpuManager *manager, VgpuHostSetup *host_setup,
                 const char *root)
{
    static const VgpuConnectionEvents events = {
        .connected = on_connected,
        .disconnected = on_disconnected,
    };

    self->manager = manager;
    self->host_setup = host_setup;
    self->connection = vgpu_connection_new(self->config->libvirt_uri, root, &events, self);
}

void
vgpu_guard_stop(VgpuGuard *self)
{
    vgpu_queue_stop(self->queue);
}

void
vgpu_guard_nudge(VgpuGuard *self)
{
    vgpu_connection_nudge(self->connection);
}

bool
vgpu_guard_is_connected(VgpuGuard *self)
{
    virConnectPtr conn = vgpu_connection_get(self->connection, NULL);

    if (conn)
        virConnectClose(conn);
    return conn != NULL;
}
