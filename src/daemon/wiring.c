/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wiring.c: callbacks of the manager and of libvirt, passed on to the files that handle them */
#include "daemon/wiring.h"

#include "daemon/departing.h"
#include "daemon/faults.h"
#include "daemon/gift.h"
#include "daemon/guard-private.h"
#include "daemon/late-attach.h"
#include "daemon/live-devices.h"
#include "daemon/look.h"
#include "daemon/metrics.h"
#include "daemon/moved.h"
#include "daemon/nodedevs.h"
#include "daemon/persistent.h"
#include "daemon/sweep.h"

#define THREADS 4
#define IN_FLIGHT_US (60 * G_USEC_PER_SEC)

/* --- callbacks of the manager --------------------------------------------------------------- */

static void
host_event(GVariant *event, gpointer opaque)
{
    VgpuGuard *self = opaque;

    self->event(event, self->opaque);
}

static void
host_migration(const VgpuMigrationEnd *end, gpointer opaque)
{
    vgpu_metrics_migration(vgpu_metrics_default(), end);
}

static void
host_rewrite(const char *domain_uuid, gpointer opaque)
{
    vgpu_moved_note_refused(opaque, domain_uuid);
    vgpu_guard_mark(opaque, domain_uuid, VGPU_LOOK_DEFINITION);
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

    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->in_flight, domain_uuid);
    g_mutex_unlock(&self->lock);
    vgpu_agenda_resume(self->domains, domain_uuid);
}

/* On a thread of its own. */
static bool
host_add_gpu_instance(const char *gpu, int gi_profile, GError **error, gpointer opaque)
{
    const VgpuGuard *self = opaque;

    return vgpu_host_setup_add_gpu_instance(self->host_setup, gpu, gi_profile, error);
}

/* A definition may have waited for a GPU that has just appeared. */
static void
host_gpus_changed(gpointer opaque)
{
    VgpuGuard *self = opaque;

    vgpu_host_setup_reread(self->host_setup);
    vgpu_guard_push_sweep(self);
    vgpu_faults_watch(self);
}

VgpuManagerOps
vgpu_wiring_host(void)
{
    return (VgpuManagerOps) {
        .event = host_event,
        .migration = host_migration,
        .attach = vgpu_late_attach,
        .rewrite = host_rewrite,
        .ask_run = vgpu_look_ask_run,
        .starting = host_starting,
        .settled = host_settled,
        .add_gpu_instance = host_add_gpu_instance,
        .gpus_changed = host_gpus_changed,
        .libvirt = vgpu_connection_library_version(),
    };
}

/* --- events of libvirt -------------------------------------------------------------------- */

static void
do_started(gpointer data)
{
    VgpuTask *task = data;

    vgpu_manager_started(task->guard->manager, task->domain_uuid, task->domain_id);
    /* the domain was defined and started in one step, or is transient: a pool may have vGPUs for it */
    if (!vgpu_manager_since(task->guard->manager, task->domain_uuid) &&
        vgpu_gift_exists(task->guard, task->domain_name))
        vgpu_guard_mark(task->guard, task->domain_uuid, VGPU_LOOK_DEFINITION);
    vgpu_task_free(task);
}

static void
do_resumed(gpointer data)
{
    VgpuTask *task = data;

    vgpu_manager_resumed(task->guard->manager, task->domain_uuid);
    vgpu_task_free(task);
}

/* A STOPPED event counts as a second release, but does not say of which run: look at the domain, unless
 * it has been prepared again meanwhile. */
static void
follow_stop(VgpuTask *task, bool was_saved)
{
    guint64 since = vgpu_manager_since(task->guard->manager, task->domain_uuid);

    vgpu_manager_stopped(task->guard->manager, task->domain_uuid, was_saved);
    if (since)
        vgpu_look_ask_run(task->domain_uuid, since, task->guard);
    vgpu_guard_mark(task->guard, task->domain_uuid, VGPU_LOOK_DEFINITION);
    vgpu_task_free(task);
}

static void
do_stopped(gpointer data)
{
    follow_stop(data, false);
}

static void
do_saved(gpointer data)
{
    follow_stop(data, true);
}

static void
do_departed(gpointer data)
{
    const VgpuTask *task = data;

    vgpu_manager_departed(task->guard->manager, task->domain_uuid);
    follow_stop(data, false);
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
    case VGPU_DOMAIN_RESUMED:
        vgpu_worker_push(self->worker, do_resumed, vgpu_task_new(self, uuid));
        break;
    case VGPU_DOMAIN_STOPPED:
        vgpu_worker_push(self->worker, do_stopped, vgpu_task_new(self, uuid));
        break;
    case VGPU_DOMAIN_SAVED:
        vgpu_worker_push(self->worker, do_saved, vgpu_task_new(self, uuid));
        break;
    case VGPU_DOMAIN_SENDING:
    case VGPU_DOMAIN_SWITCHING:
        vgpu_departing_on_event(self, uuid, event);
        break;
    case VGPU_DOMAIN_DEPARTED:
        vgpu_worker_push(self->worker, do_departed, vgpu_task_new(self, uuid));
        break;
    case VGPU_DOMAIN_DEFINED:
    case VGPU_DOMAIN_UNDEFINED:
    case VGPU_DOMAIN_RENAMED_AWAY:
        vgpu_guard_mark(self, uuid, VGPU_LOOK_DEFINITION);
        break;
    }
}

/* A device has appeared, usually one of ours with a record, or a foreign one. */
static void
do_check_mdev(gpointer data)
{
    VgpuTask *task = data;
    g_autofree char *domain_uuid =
        vgpu_manager_domain_of_orphan(task->guard->manager, task->uuid);

    if (domain_uuid)
        vgpu_guard_mark(task->guard, domain_uuid, VGPU_LOOK_RUN | VGPU_LOOK_DEFINITION);
    vgpu_task_free(task);
}

/* A driver may have finished it long after its start was given up. */
static void
check_mdev(VgpuGuard *self, const char *name)
{
    g_autofree char *uuid = vgpu_nodedev_mdev_uuid(name);
    VgpuTask *task;

    if (!uuid)
        return;
    task = vgpu_task_new(self, NULL);
    task->uuid = g_steal_pointer(&uuid);
    vgpu_worker_push(self->worker, do_check_mdev, task);
}

static void
on_nodedev(const char *name, bool gone, gpointer opaque)
{
    VgpuGuard *self = opaque;

    /* mdevs are read from sysfs whenever they are needed */
    if (g_str_has_prefix(name, "pci_"))
        vgpu_guard_reread_gpus(self);
    else if (!gone)
        check_mdev(self, name);
}

static const VgpuWatchEvents domain_events = {
    .domain = on_domain,
    .departed = vgpu_departing_on_cost,
    .device = vgpu_live_devices_on_event,
};

static const VgpuWatchEvents nodedev_events = { .nodedev = on_nodedev };

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

    g_mutex_lock(&self->lock);
    vgpu_autostarts_libvirt_gone(self->autostarts);
    g_mutex_unlock(&self->lock);
    vgpu_guard_emit(self, "libvirt-disconnected", NULL, NULL);
}

/* --- life --------------------------------------------------------------------------------- */

VgpuGuard *
vgpu_wiring_new(VgpuWorker *worker, const VgpuConfig *config,
                void (*event)(GVariant *event, gpointer opaque), gpointer opaque)
{
    VgpuGuard *self = g_new0(VgpuGuard, 1);

    g_mutex_init(&self->lock);
    self->worker = worker;
    self->config = config;
    self->event = event;
    self->opaque = opaque;
    self->queue = vgpu_queue_new(THREADS);
    self->domains = vgpu_look_agenda(self);
    self->host = vgpu_sweep_agenda(self);
    vgpu_nodedevs_init(self);
    self->domain_events = &domain_events;
    self->nodedev_events = &nodedev_events;
    self->persistent = vgpu_persistent_new();
    self->in_flight = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->asked_runs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->unreadable = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->attaching = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->contests = vgpu_contests_new();
    self->autostarts = vgpu_autostarts_new();
    self->changing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->leaving = g_ptr_array_new();
    g_cond_init(&self->left);
    return self;
}

void
vgpu_wiring_start(VgpuGuard *self, VgpuManager *manager, VgpuHostSetup *host_setup,
                  const char *root)
{
    static const VgpuConnectionEvents events = {
        .connected = on_connected,
        .disconnected = on_disconnected,
    };

    self->manager = manager;
    self->host_setup = host_setup;
    self->root = root;
    vgpu_faults_watch(self);
    self->connection = vgpu_connection_new(self->config->libvirt_uri, root, &events, self);
    vgpu_nodedevs_start(self, root);
}
