/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sweep.c: the whole host at once: all domains, all GPUs */
#include "daemon/sweep.h"

#include <string.h>

#include "base/error.h"
#include "daemon/gift.h"
#include "daemon/guard-private.h"
#include "daemon/metrics.h"
#include "daemon/passing.h"
#include "daemon/turn.h"

#define RETRY_MS 1000
#define RETRY_MOST_MS 320000

/* UUIDs of domains that may concern us without anything of ours in their XML: those known to the
 * manager, those for which it keeps room, and those that a pool gives vGPUs. */
static GPtrArray *
get_known(VgpuGuard *self, const GPtrArray *states)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);
    GPtrArray *known = vgpu_manager_definitions(self->manager);
    g_autoptr(GPtrArray) saved = vgpu_manager_saved(self->manager);

    for (guint i = 0; i < states->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(states, i);

        if (vgpu_gift_exists(self, state->name))
            g_ptr_array_add(known, g_strdup(state->uuid));
    }
    for (guint i = 0; i < saved->len; i++)
        g_ptr_array_add(known, g_strdup(saved->pdata[i]));
    return known;
}

static VgpuListed *
listed_of(const VgpuDomainState *state)
{
    VgpuListed *listed = g_new0(VgpuListed, 1);

    listed->uuid = g_strdup(state->uuid);
    listed->name = g_strdup(state->name);
    listed->id = state->id;
    listed->passes = vgpu_passing_list(state);
    listed->is_unreadable = state->unreadable != NULL;
    if (vgpu_guard_concerns(state->definition)) {
        listed->definition =
            vgpu_domain_parse(state->definition, strlen(state->definition), NULL, NULL);
        listed->definition_is_bad = !listed->definition;
    }
    if (vgpu_guard_concerns(state->live))
        listed->live = vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL);
    return listed;
}

/* Whether its XML concerns us, or cannot be read. */
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

/* The domain could not be read. Once a look can read it, all are compared again. */
static void
mark_unreadable(VgpuGuard *self, const char *domain_uuid)
{
    g_mutex_lock(&self->lock);
    g_hash_table_add(self->unreadable, g_strdup(domain_uuid));
    g_mutex_unlock(&self->lock);
    vgpu_guard_mark(self, domain_uuid, VGPU_LOOK_DEFINITION);
}

/* Have each domain read once more by a look of its own, in order with other work on it: those that could
 * not be read, those with something of ours, those that had it when last seen, those that a pool gives
 * vGPUs, and those with a persistent vGPU that no longer seems to be wanted. */
static void
mark_all(VgpuGuard *self, const GPtrArray *states, const GPtrArray *plan)
{
    g_autoptr(GPtrArray) known = get_known(self, states);

    for (guint i = 0; i < states->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(states, i);

        if (state->unreadable)
            mark_unreadable(self, state->uuid);
        else if (vgpu_guard_concerns(state->definition) || vgpu_guard_concerns(state->live))
            vgpu_guard_mark(self, state->uuid, VGPU_LOOK_DEFINITION);
    }
    for (guint i = 0; i < known->len; i++) {
        if (!is_seen_to(states, g_ptr_array_index(known, i)))
            vgpu_guard_mark(self, g_ptr_array_index(known, i), VGPU_LOOK_DEFINITION);
    }
    for (guint i = 0; i < plan->len; i++) {
        const VgpuAction *action = g_ptr_array_index(plan, i);

        if (action->kind == VGPU_ACTION_UNDEFINE)
            vgpu_guard_mark(self, action->key, VGPU_LOOK_DEFINITION);
    }
}

static GHashTable *
note(VgpuGuard *self)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    return vgpu_manager_note(self->manager);
}

static GPtrArray *
reconcile(VgpuGuard *self, GHashTable *noted, const GPtrArray *facts, bool dry_run)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(self->worker, self->manager, 0);

    return vgpu_manager_reconcile(self->manager, noted, facts, dry_run);
}

static GPtrArray *
sweep_host(VgpuGuard *self, virConnectPtr conn, bool dry_run, GError **error)
{
    /* noted before the list is made: records that change after that are left alone */
    g_autoptr(GHashTable) noted = note(self);
    g_autoptr(GPtrArray) states = vgpu_domains_list(conn, error);
    g_autoptr(GPtrArray) facts = NULL;
    GPtrArray *plan;

    if (!states)
        return NULL;
    facts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_listed_free);
    for (guint i = 0; i < states->len; i++)
        g_ptr_array_add(facts, listed_of(g_ptr_array_index(states, i)));
    plan = reconcile(self, noted, facts, dry_run);
    if (!dry_run) {
        vgpu_metrics_reconciled(vgpu_metrics_default(), plan, g_get_real_time() / G_USEC_PER_SEC);
        mark_all(self, states, plan);
    }
    return plan;
}

GPtrArray *
vgpu_sweep_reconcile(VgpuGuard *self, bool dry_run, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_connection_get(self->connection, error);

    return conn ? sweep_host(self, conn, dry_run, error) : NULL;
}

/* One watch for as long as the connection lives: libvirt refuses the same callbacks twice. */
static bool
watch(VgpuGuard *self, virConnectPtr conn, GError **error)
{
    VgpuWatch *old = self->watch;

    if (vgpu_watch_is_on(old, conn))
        return true;
    self->watch = vgpu_watch_new(conn, self->domain_events, self, error);
    vgpu_watch_free(old);
    return self->watch != NULL;
}

/* It may differ from that of the library that we run with, after an upgrade of libvirt. */
static void
take_libvirt(VgpuGuard *self, virConnectPtr conn)
{
    gulong version = vgpu_connection_version(conn);
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    vgpu_manager_take_libvirt(self->manager, version);
}

/* Subscribe first and list then, so that no change is missed. */
static VgpuOutlook
look(const char *key, guint *what, GError **error, gpointer opaque)
{
    VgpuGuard *self = opaque;
    g_autoptr(GError) failure = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_get(self->connection, &failure);
    VgpuOutlook outlook;

    (void) what;
    if (conn && g_str_equal(key, VGPU_GUARD_WATCH)) {
        take_libvirt(self, conn);
        if (watch(self, conn, &failure)) {
            vgpu_guard_push_sweep(self);
            vgpu_agenda_resume_waiting(self->domains);
        }
    } else if (conn) {
        g_autoptr(GPtrArray) plan = sweep_host(self, conn, false, &failure);
    }
    outlook = vgpu_outlook(VGPU_STEP_READ, failure, conn && virConnectIsAlive(conn) > 0);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return outlook;
}

VgpuAgenda *
vgpu_sweep_agenda(VgpuGuard *self)
{
    return vgpu_agenda_new(self->queue, RETRY_MS, RETRY_MOST_MS, look, self);
}
