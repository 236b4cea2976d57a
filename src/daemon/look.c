/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* look.c: a look at one domain: reads it from libvirt once, compares it, and corrects differences */
#include "daemon/look.h"

#include "base/error.h"
#include "daemon/correction.h"
#include "daemon/fate.h"
#include "daemon/follow-definition.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/moved.h"
#include "daemon/turn.h"

#define RETRY_MS 300
#define RETRY_MOST_MS 30000

/* --- whether its run continues -------------------------------------------------------------- */

/* The run that the manager asks about; 0: none. */
static guint64
asked_for(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    const guint64 *since = g_hash_table_lookup(self->asked_runs, domain_uuid);

    return since ? *since : 0;
}

/* @state NULL: there is no such domain. */
static void
answer(VgpuGuard *self, const char *domain_uuid, guint64 since, const VgpuDomainState *state)
{
    g_autoptr(VgpuTurn) turn = NULL;
    const guint64 *now;

    g_mutex_lock(&self->lock);
    now = g_hash_table_lookup(self->asked_runs, domain_uuid);
    if (now && *now == since) /* otherwise it has asked about another run meanwhile */
        g_hash_table_remove(self->asked_runs, domain_uuid);
    g_mutex_unlock(&self->lock);
    turn = vgpu_turn_begin(self->worker);
    vgpu_manager_settle(self->manager, domain_uuid, since, state && state->id >= 0,
                        state ? state->id : -1);
}

void
vgpu_look_ask_run(const char *domain_uuid, guint64 since, gpointer opaque)
{
    VgpuGuard *self = opaque;

    g_mutex_lock(&self->lock);
    g_hash_table_insert(self->asked_runs, g_strdup(domain_uuid),
                        g_memdup2(&since, sizeof(since)));
    g_mutex_unlock(&self->lock);
    vgpu_guard_mark(self, domain_uuid, VGPU_LOOK_RUN);
}

/* --- the look ----------------------------------------------------------------------------- */

static bool
is_starting(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    const gint64 *until = g_hash_table_lookup(self->in_flight, domain_uuid);

    return until && *until > g_get_monotonic_time();
}

/* The domain can be read, or does not exist. Once this is true for all that a look at all domains had to
 * leave alone, all are compared once more. */
static void
note_readable(VgpuGuard *self, const char *domain_uuid)
{
    bool was_last;

    g_mutex_lock(&self->lock);
    was_last = g_hash_table_remove(self->unreadable, domain_uuid) &&
               !g_hash_table_size(self->unreadable);
    g_mutex_unlock(&self->lock);
    if (was_last)
        vgpu_guard_push_sweep(self);
}

/* False: *@step has failed. */
static bool
look_at(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, guint *what, VgpuStep *step,
        GError **error)
{
    /* noted before libvirt is asked, as its answer may be about another run */
    guint64 asked = asked_for(self, domain_uuid);
    guint64 since = vgpu_live_devices_since(self, domain_uuid);
    guint64 kept = vgpu_fate_as_of(self, domain_uuid);
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, domain_uuid, &failure);

    *step = VGPU_STEP_READ;
    if (!state && !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        g_autofree char *text = vgpu_error_text(failure);

        g_set_error(error, failure->domain, failure->code, "%s; its vGPUs are left alone", text);
        return false;
    }
    note_readable(self, domain_uuid);
    if (!state)
        vgpu_correction_expect(self, domain_uuid);
    if (asked)
        answer(self, domain_uuid, asked, state);
    if (state) /* also devices that were hotplugged by hand while the daemon did not listen */
        vgpu_live_devices_follow(self, state, since);
    if (!vgpu_fate_follow(self, conn, domain_uuid, state, kept, error))
        return false;
    *what &= ~VGPU_LOOK_RUN;
    if (!*what || is_starting(self, domain_uuid))
        return true;

    *step = VGPU_STEP_FOLLOW;
    if (!vgpu_follow_definition_state(self, conn, domain_uuid, &state, NULL, error))
        return false;
    vgpu_moved_start(self, domain_uuid);
    *what = 0;
    return true;
}

static VgpuOutlook
look(const char *domain_uuid, guint *what, GError **error, gpointer opaque)
{
    VgpuGuard *self = opaque;
    g_autoptr(GError) failure = NULL;
    VgpuStep step = VGPU_STEP_READ;
    VgpuOutlook outlook;
    g_autoptr(virConnect) conn = NULL;

    /* a hook of its start may be running, and libvirt would block us */
    if (*what == VGPU_LOOK_DEFINITION && is_starting(self, domain_uuid))
        return VGPU_OUTLOOK_AGAIN;
    if ((conn = vgpu_connection_get(self->connection, &failure)))
        (void) look_at(self, conn, domain_uuid, what, &step, &failure);
    outlook = vgpu_outlook(step, failure, conn && virConnectIsAlive(conn) > 0);
    if (outlook == VGPU_OUTLOOK_DONE && *what) /* it is being started */
        outlook = VGPU_OUTLOOK_AGAIN;
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return outlook;
}

VgpuAgenda *
vgpu_look_agenda(VgpuGuard *self)
{
    return vgpu_agenda_new(self->queue, RETRY_MS, RETRY_MOST_MS, look, self);
}
