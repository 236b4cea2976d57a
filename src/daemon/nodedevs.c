/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nodedevs.c: libvirt's node devices: their thread, and the GPUs as libvirt knows them
 *
 * One call at a time, on one thread and a connection of their own. libvirt reads the drivers' files for
 * them, so any call may hang, and only other calls of this kind wait for it. They may also keep failing
 * while the connection is alive: virtqemud connects to virtnodedevd once for each of its clients, and
 * not again after a restart of virtnodedevd. So after a second failure each further try uses a new
 * connection, which does not affect domains and their events. */
#include "daemon/nodedevs.h"

#include "daemon/guard-private.h"
#include "daemon/persistent.h"

#define RETRY_MS 300
#define RETRY_MOST_MS 320000
#define POLL_MS 20
#define PATIENCE 2 /* up to so many failures, the connection is not blamed */

/* --- the GPUs ----------------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    VgpuInventory *inventory;
    gint64 since; /* 0: no node device has changed */
    gint64 as_of;
    gint64 libvirt_us;
} Identity;

static void
do_identity(gpointer data)
{
    Identity *identity = data;

    if (identity->since)
        vgpu_manager_heard(identity->guard->manager, identity->since, identity->libvirt_us);
    vgpu_manager_take_identity(identity->guard->manager, identity->inventory);
    g_mutex_lock(&identity->guard->lock);
    identity->guard->nodedevs_as_of = identity->as_of;
    g_mutex_unlock(&identity->guard->lock);
    g_free(identity);
}

static void
push_identity(VgpuGuard *self, VgpuInventory *inventory, gint64 since, gint64 as_of,
              gint64 libvirt_us)
{
    Identity *identity = g_new0(Identity, 1);

    identity->guard = self;
    identity->inventory = inventory;
    identity->since = since;
    identity->libvirt_us = libvirt_us;
    identity->as_of = as_of;
    vgpu_worker_push(self->worker, do_identity, identity);
}

/* One watch for as long as the connection lives. */
static bool
watch(VgpuGuard *self, virConnectPtr conn, GError **error)
{
    VgpuWatch *old = self->nodedev_watch;

    if (vgpu_watch_is_on(old, conn))
        return true;
    self->nodedev_watch = vgpu_watch_new(conn, self->nodedev_events, self, error);
    vgpu_watch_free(old);
    return self->nodedev_watch != NULL;
}

/* Since @since another list was waited for that had begun before. */
static gint64
waited_for_last(const VgpuGuard *self, gint64 since)
{
    return MAX(0, self->nodedev_ended - MAX(since, self->nodedev_begun));
}

/* Subscribe first and list then, so that no change is missed. */
static bool
look_at_gpus(VgpuGuard *self, virConnectPtr conn, GError **error)
{
    gint64 since = vgpu_agenda_wanted_since(self->nodedevs, VGPU_GUARD_GPUS);
    gint64 waited = waited_for_last(self, since);
    VgpuInventory *inventory;

    self->nodedev_begun = g_get_monotonic_time();
    inventory = watch(self, conn, error) ? vgpu_nodedev_inventory(conn, error) : NULL;
    self->nodedev_ended = g_get_monotonic_time();
    if (inventory)
        push_identity(self, inventory, since, self->nodedev_begun,
                      waited + self->nodedev_ended - self->nodedev_begun);
    return inventory != NULL;
}

static bool
is_as_of(VgpuGuard *self, gint64 time)
{
    bool is_current;

    g_mutex_lock(&self->lock);
    is_current = self->nodedevs_as_of >= time;
    g_mutex_unlock(&self->lock);
    return is_current;
}

bool
vgpu_nodedevs_reread(VgpuGuard *self, guint limit_ms)
{
    gint64 now = g_get_monotonic_time();

    vgpu_guard_reread_gpus(self);
    while (!is_as_of(self, now)) {
        if (g_get_monotonic_time() - now > limit_ms * G_GINT64_CONSTANT(1000))
            return false;
        g_usleep(POLL_MS * 1000);
    }
    return true;
}

/* --- life --------------------------------------------------------------------------------- */

/* Of the connection: nothing has failed on it, something has, or another one was asked for. */
enum { NEW, USED, WORN_OUT };

/* When they keep failing it is of no use that each domain tries, perhaps on a connection of its own: the
 * GPUs do so for all. */
static bool
leaves_it_to_gpus(VgpuGuard *self, const char *key)
{
    if (self->nodedev_failures < PATIENCE || g_str_equal(key, VGPU_GUARD_GPUS))
        return false;
    if (!self->nodedev_gpus_try)
        vgpu_agenda_add(self->nodedevs, VGPU_GUARD_GPUS, VGPU_LOOK_RUN);
    self->nodedev_gpus_try = true;
    return true;
}

/* True when the next try has to wait for another connection. */
static bool
is_worn_out(VgpuGuard *self)
{
    if (self->nodedev_failures >= PATIENCE &&
        g_atomic_int_compare_and_exchange(&self->nodedev_wear, USED, WORN_OUT))
        vgpu_connection_reopen(self->nodedev_connection);
    return g_atomic_int_get(&self->nodedev_wear) == WORN_OUT;
}

static void
count_failure(VgpuGuard *self, const char *key, VgpuOutlook outlook)
{
    bool is_of_gpus = g_str_equal(key, VGPU_GUARD_GPUS);

    if (outlook == VGPU_OUTLOOK_RECONNECT) {
        self->nodedev_failures++;
        self->nodedev_gpus_try |= is_of_gpus; /* they have a timer now */
        g_atomic_int_set(&self->nodedev_wear, USED);
    } else if (is_of_gpus && outlook != VGPU_OUTLOOK_WHEN_CONNECTED) { /* libvirt has answered */
        self->nodedev_failures = 0;
        self->nodedev_gpus_try = false;
        vgpu_agenda_resume_waiting(self->nodedevs);
    }
}

static VgpuOutlook
look(const char *key, guint *what, GError **error, gpointer opaque)
{
    VgpuGuard *self = opaque;
    g_autoptr(GError) failure = NULL;
    VgpuStep step = VGPU_STEP_NODEDEV;
    VgpuOutlook outlook;
    g_autoptr(virConnect) conn = NULL;

    (void) what;
    if (leaves_it_to_gpus(self, key) || is_worn_out(self))
        return VGPU_OUTLOOK_WHEN_CONNECTED;
    if ((conn = vgpu_connection_get(self->nodedev_connection, &failure))) {
        if (g_str_equal(key, VGPU_GUARD_GPUS))
            (void) look_at_gpus(self, conn, &failure);
        else
            (void) vgpu_persistent_follow(self, conn, key, &step, &failure);
    }
    outlook = vgpu_outlook(step, failure, conn && virConnectIsAlive(conn) > 0);
    count_failure(self, key, outlook);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return outlook;
}

static void
on_connected(gpointer opaque)
{
    VgpuGuard *self = opaque;

    g_atomic_int_set(&self->nodedev_wear, NEW);
    vgpu_agenda_add(self->nodedevs, VGPU_GUARD_GPUS, VGPU_LOOK_RUN);
    vgpu_agenda_resume_waiting(self->nodedevs);
}

/* The connection is lost, and with it libvirt's view of the GPUs. */
static void
on_disconnected(gpointer opaque)
{
    push_identity(opaque, NULL, 0, 0, 0);
}

/* No call of ours need have failed, but events are missing. */
static void
on_nodedevs_lost(gpointer opaque)
{
    VgpuGuard *self = opaque;

    if (g_atomic_int_exchange(&self->nodedev_wear, WORN_OUT) != WORN_OUT)
        vgpu_connection_reopen(self->nodedev_connection);
}

void
vgpu_nodedevs_init(VgpuGuard *self)
{
    self->nodedev_queue = vgpu_queue_new(1);
    self->nodedevs = vgpu_agenda_new(self->nodedev_queue, RETRY_MS, RETRY_MOST_MS, look, self);
}

void
vgpu_nodedevs_start(VgpuGuard *self, const char *root)
{
    static const VgpuConnectionEvents events = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .nodedevs_lost = on_nodedevs_lost,
    };

    self->nodedev_connection =
        vgpu_connection_new(self->config->libvirt_uri, root, &events, self);
}
