/* sweep.c: the whole host at once: all domains, all GPUs */
#include <string.h>

#include "base/error.h"
#include "daemon/guard-private.h"
#include "daemon/metrics.h"

#define RETRY_MS 5000
#define RETRY_MOST_MS 320000

typedef struct {
    VgpuGuard *guard;
    GHashTable *noted;
    GPtrArray *facts;
    GPtrArray *plan;
    GPtrArray *known; /* UUIDs of domains that may concern us without anything of ours in them */
    const GPtrArray *states;
    bool dry_run;
} Sweep;

static void
call_note(gpointer data)
{
    Sweep *sweep = data;

    sweep->noted = vgpu_manager_note(sweep->guard->manager);
}

static void
call_reconcile(gpointer data)
{
    Sweep *sweep = data;

    sweep->plan =
        vgpu_manager_reconcile(sweep->guard->manager, sweep->noted, sweep->facts, sweep->dry_run);
}

/* Those that the manager has, and those that a pool gives vGPUs. */
static void
call_known(gpointer data)
{
    Sweep *sweep = data;

    sweep->known = vgpu_manager_definitions(sweep->guard->manager);
    for (guint i = 0; i < sweep->states->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(sweep->states, i);

        if (vgpu_guard_gives(sweep->guard, state->name))
            g_ptr_array_add(sweep->known, g_strdup(state->uuid));
    }
}

static VgpuFact *
fact_of(const VgpuDomainState *state)
{
    VgpuFact *fact = g_new0(VgpuFact, 1);

    fact->uuid = g_strdup(state->uuid);
    fact->name = g_strdup(state->name);
    fact->id = state->id;
    fact->is_unreadable = state->unreadable != NULL;
    if (fact->is_unreadable)
        g_warning("%s; its vGPUs are left alone", state->unreadable);
    if (vgpu_guard_concerns(state->definition)) {
        fact->definition =
            vgpu_domain_parse(state->definition, strlen(state->definition), NULL, NULL);
        fact->definition_is_bad = !fact->definition;
    }
    if (vgpu_guard_concerns(state->live))
        fact->live = vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL);
    return fact;
}

/* Whether it is followed for what is in its XML, or cannot be. */
static bool
is_seen_to(const GPtrArray *states, const char *uuid)
{
    for (guint i = 0; i < states->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(states, i);

        if (g_str_equal(state->uuid, uuid))
            return state->unreadable || vgpu_guard_concerns(state->definition) ||
                   vgpu_guard_concerns(state->live);
    }
    return false;
}

/* Each is read once more by its own job, which nothing overtakes: those with something of ours, those
 * that had it when last seen, those that a pool gives it, and those with a persistent vGPU that seems to be wanted no more. */
static void
follow_all(VgpuGuard *self, const GPtrArray *states, const GPtrArray *plan)
{
    Sweep sweep = { .guard = self, .states = states };
    g_autoptr(GPtrArray) known = NULL;

    vgpu_worker_call(self->worker, call_known, &sweep);
    known = sweep.known;
    for (guint i = 0; i < states->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(states, i);

        if (vgpu_guard_concerns(state->definition) || vgpu_guard_concerns(state->live))
            vgpu_guard_push_follow(self, state->uuid);
    }
    for (guint i = 0; i < known->len; i++) {
        if (!is_seen_to(states, g_ptr_array_index(known, i)))
            vgpu_guard_push_follow(self, g_ptr_array_index(known, i));
    }
    for (guint i = 0; i < plan->len; i++) {
        const VgpuAction *action = g_ptr_array_index(plan, i);

        if (action->kind == VGPU_ACTION_UNDEFINE)
            vgpu_guard_push_follow(self, action->key);
    }
}

static gboolean
on_sweep_again(gpointer data)
{
    VgpuGuard *self = data;

    g_atomic_int_set(&self->sweep_retry, 0);
    vgpu_guard_push_sweep(self);
    return G_SOURCE_REMOVE;
}

/* One timer, however many sweeps ask for it; twice as long each time, until one has read all. */
static void
sweep_later(VgpuGuard *self)
{
    int delay = MAX(g_atomic_int_get(&self->sweep_delay_ms), RETRY_MS);

    if (!g_atomic_int_compare_and_exchange(&self->sweep_retry, 0, 1))
        return;
    g_atomic_int_set(&self->sweep_delay_ms, MIN(delay * 2, RETRY_MOST_MS));
    g_timeout_add((guint) delay, on_sweep_again, self);
}

static bool
all_readable(const GPtrArray *states)
{
    for (guint i = 0; i < states->len; i++) {
        if (((const VgpuDomainState *) g_ptr_array_index(states, i))->unreadable)
            return false;
    }
    return true;
}

static GPtrArray *
sweep_host(VgpuGuard *self, virConnectPtr conn, bool dry_run, GError **error)
{
    Sweep sweep = { .guard = self, .dry_run = dry_run };
    g_autoptr(GPtrArray) states = NULL;

    /* noted before the list is made: what changes after that is left alone */
    vgpu_worker_call(self->worker, call_note, &sweep);
    states = vgpu_domains_list(conn, error);
    if (states) {
        sweep.facts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_fact_free);
        for (guint i = 0; i < states->len; i++)
            g_ptr_array_add(sweep.facts, fact_of(g_ptr_array_index(states, i)));
        vgpu_worker_call(self->worker, call_reconcile, &sweep);
    }
    if (states && !dry_run) {
        vgpu_metrics_reconciled(vgpu_metrics_default(), sweep.plan,
                                g_get_real_time() / G_USEC_PER_SEC);
        follow_all(self, states, sweep.plan);
        if (all_readable(states))
            g_atomic_int_set(&self->sweep_delay_ms, 0);
        else
            sweep_later(self);
    }
    g_clear_pointer(&sweep.facts, g_ptr_array_unref);
    g_hash_table_unref(sweep.noted);
    return sweep.plan;
}

GPtrArray *
vgpu_guard_reconcile(VgpuGuard *self, bool dry_run, GError **error)
{
    virConnectPtr conn = vgpu_connection_get(self->connection, error);
    GPtrArray *plan = conn ? sweep_host(self, conn, dry_run, error) : NULL;

    if (conn)
        virConnectClose(conn);
    return plan;
}

typedef struct {
    VgpuGuard *guard;
    VgpuInventory *inventory;
} Identity;

static void
do_identity(gpointer data)
{
    Identity *identity = data;

    if (vgpu_manager_take_identity(identity->guard->manager, identity->inventory)) {
        vgpu_host_setup_reread(identity->guard->host_setup);
        if (identity->inventory) /* a definition may have waited for a GPU that has just come */
            vgpu_guard_push_sweep(identity->guard);
    }
    g_free(identity);
}

static void
push_identity(VgpuGuard *self, VgpuInventory *inventory)
{
    Identity *identity = g_new0(Identity, 1);

    identity->guard = self;
    identity->inventory = inventory;
    vgpu_worker_push(self->worker, do_identity, identity);
}

static void
run_gpus(gpointer data)
{
    VgpuGuard *self = data;
    virConnectPtr conn = vgpu_connection_get(self->connection, NULL);
    g_autoptr(GError) error = NULL;
    VgpuInventory *inventory;

    g_atomic_int_set(&self->gpus_queued, 0);
    inventory = conn ? vgpu_nodedev_inventory(conn, &error) : NULL;
    if (inventory)
        push_identity(self, inventory);
    else if (conn && !vgpu_guard_is_away(error))
        g_warning("%s", error->message);
    if (conn)
        virConnectClose(conn);
}

static gboolean
on_catch_up_again(gpointer data)
{
    vgpu_guard_catch_up(data);
    return G_SOURCE_REMOVE;
}

static void
run_sweep(gpointer data)
{
    VgpuGuard *self = data;
    virConnectPtr conn = vgpu_connection_get(self->connection, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) plan = NULL;

    g_atomic_int_set(&self->sweep_queued, 0);
    if (!conn)
        return; /* all are looked at when it is back */
    plan = sweep_host(self, conn, false, &error);
    if (!plan && virConnectIsAlive(conn) > 0) {
        g_warning("%s; trying again", error->message);
        sweep_later(self);
    }
    virConnectClose(conn);
}

/* One watch for as long as the connection lives. */
static bool
watch(VgpuGuard *self, virConnectPtr conn, GError **error)
{
    VgpuWatch *old = self->watch;

    if (vgpu_watch_is_on(old, conn))
        return true;
    self->watch = vgpu_watch_new(conn, &vgpu_guard_watch_events, self, error);
    vgpu_watch_free(old);
    return self->watch != NULL;
}

/* Subscribe first and list then, so that nothing falls between. */
static void
run_connected(gpointer data)
{
    VgpuGuard *self = data;
    virConnectPtr conn = vgpu_connection_get(self->connection, NULL);
    g_autoptr(GError) error = NULL;

    if (!conn)
        return;
    if (watch(self, conn, &error)) {
        run_gpus(self);
        run_sweep(self);
    } else if (virConnectIsAlive(conn) > 0) {
        g_warning("%s; trying again", error->message);
        g_timeout_add(RETRY_MS, on_catch_up_again, self);
    }
    virConnectClose(conn);
}

void
vgpu_guard_catch_up(VgpuGuard *self)
{
    vgpu_queue_push(self->queue, VGPU_QUEUE_FIRST, "connected", run_connected, self, NULL);
}

void
vgpu_guard_push_sweep(VgpuGuard *self)
{
    if (g_atomic_int_compare_and_exchange(&self->sweep_queued, 0, 1))
        vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, "sweep", run_sweep, self, NULL);
}

void
vgpu_guard_reread_gpus(VgpuGuard *self)
{
    if (g_atomic_int_compare_and_exchange(&self->gpus_queued, 0, 1)) /* VFs come in dozens */
        vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, "gpus", run_gpus, self, NULL);
}

void
vgpu_guard_forget_gpus(VgpuGuard *self)
{
    push_identity(self, NULL);
}
