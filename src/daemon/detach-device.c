/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* detach-device.c: user-requested hotunplug of one vGPU; the guest may refuse */
#include "daemon/detach-device.h"

#include <string.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/names.h"
#include "daemon/audience.h"
#include "daemon/device-change.h"
#include "daemon/gift.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/turn.h"

#define POLL_MS 500
#define EMPTY_ANNOTATION "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'/>"

/* --- the running domain ------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    const VgpuDomainState *domain; /* as the caller has found it */
    guint index;
    guint64 since; /* of the run that is meant */
    char *alias;
    bool asked; /* the guest knows */
    bool gone;
} Unplug;

static bool
still_has(virConnectPtr conn, const Unplug *job, bool *has, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain->uuid, &failure);
    g_autoptr(VgpuDomain) live = NULL;

    if (!state && !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!state || state->id != job->domain->id) { /* that run is over, and the device with it */
        *has = false;
        return true;
    }
    live = vgpu_domain_parse(state->live, strlen(state->live), NULL, error);
    if (!live)
        return false;
    *has = vgpu_domain_find_ours(live, job->index) != NULL;
    return true;
}

/* Ask the guest unless it was asked before, and look. */
static void
ask_guest(Unplug *job, GError **error)
{
    g_autoptr(VgpuQueueJob) slot = vgpu_queue_job_begin(job->guard->queue, job->domain->uuid);
    g_autoptr(virConnect) conn = vgpu_connection_get(job->guard->connection, error);
    bool has = false;

    if (!conn || !still_has(conn, job, &has, error))
        return;
    job->gone = !has;
    if (has && !job->asked)
        job->asked =
            vgpu_domains_detach_live(conn, job->domain->uuid, job->domain->id, job->alias, error);
}

/* Until the guest answers, it is time to look again, or all time is over. */
static bool
wait_for_guest(VgpuGuard *self, VgpuLeaving *leaving, gint64 until)
{
    gint64 next = g_get_monotonic_time() + POLL_MS * G_TIME_SPAN_MILLISECOND;
    bool refused;

    vgpu_blocking_check("a guest");
    g_mutex_lock(&self->lock);
    while (!leaving->gone && !leaving->refused &&
           g_cond_wait_until(&self->left, &self->lock, MIN(next, until)))
        ;
    refused = leaving->refused && !leaving->gone;
    leaving->gone = false; /* what counts is the look */
    g_mutex_unlock(&self->lock);
    return !refused;
}

static bool
refuse(const Unplug *job, bool refused, GError **error)
{
    if (refused)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "the guest of domain '%s' refuses to release vGPU %u; stop what uses it "
                    "there, or shut the guest down",
                    job->domain->name, job->index);
    else
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "the guest of domain '%s' has not released vGPU %u within %u s; it may do so "
                    "later (the vGPU is then removed), or shut it down",
                    job->domain->name, job->index, job->guard->config->detach_timeout);
    return false;
}

static bool
unplug(Unplug *job, VgpuLeaving *leaving, GError **error)
{
    gint64 until = g_get_monotonic_time() + job->guard->config->detach_timeout * G_USEC_PER_SEC;

    for (;;) {
        g_autoptr(GError) failure = NULL;

        ask_guest(job, &failure);
        if (job->gone)
            return true;
        if (failure && (!g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY) ||
                        g_get_monotonic_time() >= until)) { /* busy: a job of the domain's */
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (g_get_monotonic_time() >= until)
            return refuse(job, false, error);
        if (!wait_for_guest(job->guard, leaving, until))
            return refuse(job, true, error);
    }
}

bool
vgpu_detach_device_live(VgpuGuard *self, const VgpuDomainState *domain, guint index,
                        GError **error)
{
    Unplug job = { .guard = self, .domain = domain, .index = index };
    VgpuLeaving leaving = { .domain_uuid = domain->uuid, .index = index };
    bool done;

    job.since = vgpu_live_devices_since(self, domain->uuid);
    job.alias = g_strdup_printf(VGPU_ALIAS_PREFIX "%u", index);
    g_mutex_lock(&self->lock);
    g_ptr_array_add(self->leaving, &leaving);
    g_mutex_unlock(&self->lock);
    done = unplug(&job, &leaving, error);
    g_mutex_lock(&self->lock);
    g_ptr_array_remove_fast(self->leaving, &leaving);
    g_mutex_unlock(&self->lock);
    if (done) {
        g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

        vgpu_manager_unplugged(self->manager, domain->uuid, job.since, index);
    }
    g_free(job.alias);
    return done;
}

/* --- detach ------------------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    const char *domain_uuid;
    guint index;
    bool live, config;
    guint caller;
    VgpuQueueJob *slot; /* while a step runs */

    VgpuDomainState *state; /* as it was found */
    char *uuid;             /* of the running domain's vGPU */
    GPtrArray *changes;
} Detach;

/* Check that the running domain has it, and that it is ours to detach. */
static bool
check_live(Detach *job, char **element, GError **error)
{
    g_autoptr(VgpuDomain) live =
        vgpu_domain_parse(job->state->live, strlen(job->state->live), NULL, error);
    const VgpuHostdev *hostdev = live ? vgpu_domain_find_ours(live, job->index) : NULL;
    const VgpuWant *want =
        live && job->index < live->wants->len ? live->wants->pdata[job->index] : NULL;

    if (!live)
        return false;
    if (want && want->uuid_is_users) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s': vGPU %u is a <hostdev> of the user's own; detach it with "
                    "'virsh detach-device'",
                    job->state->name, job->index);
        return false;
    }
    if (!hostdev) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                    "domain '%s' runs without a vGPU %u; 'virt-vgpu list' shows what it has%s",
                    job->state->name, job->index,
                    job->config ? ", and --config alone changes its definition" : "");
        return false;
    }
    job->uuid = g_strdup(hostdev->uuid ? hostdev->uuid : hostdev->source);
    *element = vgpu_annotate_extract(live);
    return true;
}

/* The annotation of the definition without it; *@was: the present one. An empty annotation keeps a pool
 * from giving the domain a vGPU again right after the detach. */
static bool
remove_from(VgpuGuard *self, const VgpuDomainState *state, guint index, char **was,
            char **element, GError **error)
{
    g_autoptr(VgpuDomain) domain =
        vgpu_domain_parse(state->definition, strlen(state->definition), NULL, error);
    g_autofree char *old = domain ? vgpu_annotate_extract(domain) : NULL;
    g_autoptr(GError) failure = NULL;

    if (!domain)
        return false;
    if (!old) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                    "the definition of domain '%s' has no vGPU %u%s", state->name, index,
                    state->id >= 0 ? "; use --live to detach it from the running domain" : "");
        return false;
    }
    if (!vgpu_annotate_remove(old, index, element, &failure)) {
        g_autofree char *where = g_strdup_printf("the definition of domain '%s'", state->name);

        vgpu_error_add_source(failure, where);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!*element && vgpu_gift_ask(self, state->name))
        *element = g_strdup(EMPTY_ANNOTATION);
    *was = g_steal_pointer(&old);
    return true;
}

/* The numbers of a run are kept and those of its definition move up, so after a first detach the same
 * number may mean two devices. */
static bool
check_same(const Detach *job, GError **error)
{
    g_autoptr(VgpuDomain) live =
        vgpu_domain_parse(job->state->live, strlen(job->state->live), NULL, error);
    g_autoptr(VgpuDomain) config = NULL;

    if (!live || !(config = vgpu_domain_parse(job->state->definition,
                                              strlen(job->state->definition), NULL, error)))
        return false;
    if (job->index >= live->wants->len || job->index >= config->wants->len ||
        (live->wants->len == config->wants->len &&
         vgpu_want_equal(live->wants->pdata[job->index], config->wants->pdata[job->index])))
        return true; /* a number that the definition lacks is refused elsewhere */
    g_set_error(
        error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
        "domain '%s': vGPU %u of the running domain may not be number %u of its definition, "
        "which has changed since; detach them one by one, with --live and with --config",
        job->state->name, job->index, job->index);
    return false;
}

/* Check everything first. A running domain keeps its numbers, so its annotation stays; the
 * caller proves the right to change the domain by writing it as it is. */
static bool
begin(Detach *job, virConnectPtr conn, GError **error)
{
    g_autofree char *live = NULL;
    g_autofree char *was = NULL;
    g_autofree char *config = NULL;

    if (!vgpu_audience_check(error) ||
        !(job->state = vgpu_domains_get(conn, job->domain_uuid, error)) ||
        !vgpu_device_change_check(job->state, job->live, job->config, error) ||
        (job->live && !check_live(job, &live, error)) ||
        (job->config && !remove_from(job->guard, job->state, job->index, &was, &config, error)) ||
        (job->live && job->config && !check_same(job, error)))
        return false;
    return !job->live || vgpu_device_change_write(job->guard, &job->slot, conn, job->domain_uuid,
                                                  live, true, false, job->caller, error);
}

static bool
write_config(Detach *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain_uuid, error);
    g_autofree char *was = NULL;
    g_autofree char *element = NULL;
    g_autoptr(GError) failure = NULL;

    if (!state || !vgpu_device_change_check(state, false, true, error) ||
        !remove_from(job->guard, state, job->index, &was, &element, error) ||
        !vgpu_device_change_write(job->guard, &job->slot, conn, job->domain_uuid, element, false,
                                  true, job->caller, error))
        return false;
    if (vgpu_device_change_follow(job->guard, job->domain_uuid, job->changes, error))
        return true;
    if (!vgpu_domains_set_annotation_in(conn, job->domain_uuid, was, false, true, &failure))
        g_warning("undoing a detach: %s", failure->message);
    return false;
}

static bool
run(Detach *job, bool (*step)(Detach *job, virConnectPtr conn, GError **error), GError **error)
{
    g_autoptr(virConnect) conn = NULL;
    bool done;

    job->slot = vgpu_queue_job_begin(job->guard->queue, job->domain_uuid);
    conn = vgpu_connection_get(job->guard->connection, error);
    done = conn && step(job, conn, error);
    g_clear_pointer(&job->slot, vgpu_queue_job_end);
    return done;
}

static bool
detach(Detach *job, GError **error)
{
    if (!run(job, begin, error))
        return false;
    if (job->live) {
        if (!vgpu_detach_device_live(job->guard, job->state, job->index, error))
            return false;
        g_ptr_array_add(job->changes,
                        g_strdup_printf("running domain: detached vGPU %u (%s)", job->index,
                                        job->uuid ? job->uuid : "no device"));
    }
    return !job->config || run(job, write_config, error);
}

char **
vgpu_detach_device(VgpuGuard *self, const char *domain_uuid, guint index, bool live, bool config,
                   guint caller, GError **error)
{
    Detach job = {
        .guard = self,
        .domain_uuid = domain_uuid,
        .index = index,
        .live = live,
        .config = config,
        .caller = caller,
    };
    g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
    bool done;

    if (!vgpu_device_change_begin(self, domain_uuid, error))
        return NULL;
    job.changes = changes;
    done = detach(&job, error);
    vgpu_device_change_end(self, domain_uuid);
    vgpu_domain_state_free(job.state);
    g_free(job.uuid);
    if (!done)
        return NULL;
    g_ptr_array_add(changes, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&changes), FALSE);
}
