/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start.c (manager.h): the work that a domain's prepare hook waits for
 *
 * How it works: a start has one step per wanted vGPU. Steps that need a new device are placed together,
 * written down as CREATING in one record and handed to the driver processes; steps whose UUID is still
 * busy from the previous run wait. advance() is called after every change and moves every step as far as
 * possible. All ready: the record says so, and the hook is answered. One fails: the hook is answered at
 * once and all is undone; a creation that is still in its driver then is undone when it comes back. */
#include "core/start.h"

#include <string.h>

#include "base/clock.h"
#include "base/source.h"
#include "core/arrivals.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/saved.h"
#include "core/step.h"
#include "core/steps.h"
#include "domain/refusals.h"

#define TICK_MS 50

void
vgpu_start_free(VgpuStart *self)
{
    vgpu_source_clear(&self->tick);
    g_clear_pointer(&self->domain, vgpu_domain_free);
    g_clear_error(&self->failure);
    g_clear_error(&self->unanswered);
    g_array_unref(self->steps);
    g_hash_table_unref(self->refused);
    g_free(self->key);
    g_free(self);
}

static bool
is_wanted(const VgpuClaim *claim, gconstpointer data)
{
    const VgpuStart *self = data;

    for (guint i = 0; i < self->steps->len; i++) {
        if (g_str_equal(g_array_index(self->steps, VgpuStep, i).want->uuid, claim->uuid))
            return true;
    }
    return false;
}

static bool
is_unwanted(const VgpuClaim *claim, gconstpointer data)
{
    return !is_wanted(claim, data);
}

/* Let go of all vGPUs of the start; a plug has only those that it makes. */
static void
let_go(const VgpuStart *self)
{
    vgpu_life_let_all_go(self->manager, vgpu_records_find(self->manager, self->key),
                         self->plug ? is_wanted : NULL, self);
}

typedef struct {
    VgpuManager *manager;
    char *key;
    guint64 since;
} OrphanCheck;

static void
orphan_check_free(gpointer data)
{
    OrphanCheck *self = data;

    g_free(self->key);
    g_free(self);
}

static gboolean
on_orphan_check(gpointer data)
{
    const OrphanCheck *self = data;
    const VgpuOwner *owner = vgpu_records_find(self->manager, self->key);

    if (owner && owner->since == self->since && !owner->started && owner->domain_uuid)
        self->manager->ops.ask_run(owner->domain_uuid, self->since, self->manager->opaque);
    g_hash_table_remove(self->manager->run_checks, self->key);
    return G_SOURCE_REMOVE;
}

/* libvirtd killed inside prepare sends no release: look again after a while. */
static void
schedule_orphan_check(const VgpuStart *start)
{
    VgpuManager *manager = start->manager;
    OrphanCheck *check = g_new0(OrphanCheck, 1);
    GSource *source = g_timeout_source_new_seconds(manager->config->orphan_check);

    check->manager = manager;
    check->key = g_strdup(start->key);
    check->since = start->since;
    g_source_set_callback(source, on_orphan_check, check, orphan_check_free);
    g_source_attach(source, manager->context);
    g_hash_table_replace(manager->run_checks, g_strdup(start->key),
                         source); /* the last start counts */
}

static void
answer(VgpuStart *self)
{
    g_autoptr(GError) failure = g_steal_pointer(&self->failure);
    VgpuManager *manager = self->manager;
    VgpuPrepareDone done = self->done;
    gpointer opaque = self->opaque;
    g_autofree char *uuid = g_strdup(self->plug ? NULL : self->domain->uuid);
    const VgpuOwner *owner = vgpu_records_find(manager, self->key);

    if (failure) {
        /* a plug's lines refer to XML that was not written by hand */
        g_autofree char *reason =
            self->plug ? g_strdup(failure->message) : vgpu_error_reason(failure);

        vgpu_events_emit_refusal(manager,
                                 self->plug           ? "attach-refused"
                                 : self->domain->uuid ? vgpu_arrivals_refused(manager, uuid)
                                                      : "create-refused",
                                 self->domain, self->about, reason,
                                 (g_get_monotonic_time() - self->begun) / 1000);
        if (!self->superseded)
            let_go(self);
    } else if (owner && owner->domain_uuid && !self->plug) {
        vgpu_arrivals_prepared(manager, owner);
        schedule_orphan_check(self);
    } else if (owner && self->fresh &&
               owner->domain_uuid) { /* it may have stopped while its state was not known */
        manager->ops.ask_run(owner->domain_uuid, owner->since, manager->opaque);
    }
    g_hash_table_remove(manager->starts, &self->token); /* frees self */
    done(failure, opaque);
    if (failure && uuid)
        manager->ops.settled(uuid, manager->opaque);
}

static void
succeed(VgpuStart *self)
{
    VgpuOwner *owner = vgpu_records_find(self->manager, self->key);

    if (owner && self->plug) {
        owner->touched = vgpu_clock_now();
        if (self->fresh) {
            owner->started = true;
            owner->domain_id = self->domain->id;
        }
        if (!vgpu_records_save(self->manager, owner, &self->failure))
            g_prefix_error(&self->failure, "cannot write the record of its vGPUs: ");
    } else if (owner) {
        owner->since = self->since;
        owner->domain_id = self->domain->id;
        owner->started = false; /* a vGPU made by hand has no start */
        g_free(owner->domain_name);
        owner->domain_name = g_strdup(self->domain->name);
        if (!vgpu_records_save(self->manager, owner, &self->failure))
            g_prefix_error(&self->failure, "cannot write the record of its vGPUs: ");
    }
    if (owner && owner->domain_uuid && !self->failure)
        vgpu_saved_prepared(self->manager, owner, self->domain->keeps_room);
    answer(self);
}

static gboolean
on_tick(gpointer data)
{
    VgpuStart *self = data;

    g_clear_pointer(&self->tick, g_source_unref);
    self->advance(self);
    return G_SOURCE_REMOVE;
}

/* Whether all checks that depend on the GPUs are done; the GPUs may have to be read first. */
static bool
is_checked(VgpuStart *self)
{
    for (guint i = 0; self->check && i < self->steps->len; i++) {
        VgpuStep *step = &g_array_index(self->steps, VgpuStep, i);

        if (vgpu_sight_see(self->manager, step->want, false, self->begun).asked) {
            step->wait = VGPU_REFUSAL_NO_ANSWER_YET;
            return false;
        }
    }
    if (self->check && !self->check(self->manager, self->domain, &self->failure))
        return false;
    self->check = NULL;
    return true;
}

/* Whether it waits for a place. */
static bool
is_to_be_placed(const VgpuStart *self, const VgpuStep *step)
{
    return g_get_monotonic_time() >= step->not_before && !vgpu_steps_claim(self, step);
}

static bool
is_to_be_made(const VgpuClaim *claim)
{
    VgpuSituation situation;

    if (!claim)
        return false;
    situation = vgpu_claim_situation(claim);
    return vgpu_lifecycle_next(&situation)->next == VGPU_NEXT_MAKE;
}

/* Save all in one record, then make them one by one. */
static void
make_what_is_placed(VgpuStart *self)
{
    g_autoptr(GPtrArray) claims = g_ptr_array_new();
    VgpuOwner *owner = vgpu_records_find(self->manager, self->key);

    for (guint i = 0; i < self->steps->len; i++) {
        VgpuClaim *claim = vgpu_steps_claim(self, &g_array_index(self->steps, VgpuStep, i));

        if (is_to_be_made(claim))
            g_ptr_array_add(claims, claim);
    }
    if (!claims->len || self->failure)
        return;
    for (guint i = 0; i < claims->len; i++)
        vgpu_life_is_to_be_made(g_ptr_array_index(claims, i));
    owner->since = self->since;
    if (!vgpu_records_save(self->manager, owner, &self->failure))
        return;
    for (guint i = 0; i < claims->len; i++)
        vgpu_life_go_on(self->manager, g_ptr_array_index(claims, i));
}

/* The first step that is not ready gives the reason. */
static void
give_up(VgpuStart *self)
{
    for (guint i = 0; i < self->steps->len && !self->failure; i++) {
        const VgpuStep *step = &g_array_index(self->steps, VgpuStep, i);

        if (!vgpu_steps_is_ready(self, step))
            vgpu_step_give_up(self, step);
    }
}

static void
advance(VgpuStart *self)
{
    bool checked = is_checked(self), waits = false;
    guint ready = 0;

    for (guint i = 0; checked && i < self->steps->len; i++)
        vgpu_step_begin(self, &g_array_index(self->steps, VgpuStep, i));
    for (guint i = 0; checked && i < self->steps->len && !self->failure; i++) {
        VgpuStep *step = &g_array_index(self->steps, VgpuStep, i);

        if (!vgpu_steps_is_ready(self, step) && g_get_monotonic_time() >= step->not_before)
            vgpu_step_advance(self, step);
        ready += vgpu_steps_is_ready(self, step);
        waits = is_to_be_placed(self, step);
        if (waits) /* later steps must not take a place that it may get, and none should be made
                    * in vain */
            break;
    }
    if (!waits)
        make_what_is_placed(self);
    if (g_get_monotonic_time() >= self->deadline && ready < self->steps->len)
        give_up(self);
    if (self->failure)
        answer(self);
    else if (ready == self->steps->len)
        succeed(self);
    else if (!self->tick)
        self->tick = vgpu_source_after(self->manager->context, TICK_MS, on_tick, self);
}

/* libvirtd was killed inside a hook and starts the domain again, say: only the newest start counts. */
static void
supersede(VgpuManager *manager, const char *key)
{
    g_autoptr(GList) starts = g_hash_table_get_values(manager->starts);

    for (GList *l = starts; l; l = l->next) {
        VgpuStart *start = l->data;

        if (!g_str_equal(start->key, key))
            continue;
        start->superseded = true;
        vgpu_steps_fail(start, VGPU_ERROR_BUSY, VGPU_REFUSAL_NEWER_START);
        answer(start);
    }
}

/* A plug must not touch vGPUs that the running domain has, or is about to get. */
static bool
has_already(const VgpuManager *manager, const VgpuStartRequest *request, const VgpuWant *want)
{
    const VgpuClaim *claim =
        vgpu_owner_find(vgpu_records_find(manager, request->key), want->uuid);

    return claim && (claim->phase == VGPU_PHASE_READY || claim->phase == VGPU_PHASE_ATTACHING);
}

guint64
vgpu_start_run(VgpuManager *manager, const VgpuStartRequest *request)
{
    VgpuStart *self = g_new0(VgpuStart, 1);
    guint64 token = ++manager->last_token;
    VgpuOwner *owner;

    self->manager = manager;
    self->advance = advance;
    self->token = token;
    self->domain = request->domain;
    self->key = g_strdup(request->key);
    self->since = request->since;
    self->begun = g_get_monotonic_time();
    self->deadline = self->begun + (gint64) request->timeout_ms * 1000;
    self->done = request->done;
    self->opaque = request->opaque;
    self->plug = request->plug;
    self->check = request->check;
    self->fresh = !vgpu_records_find(manager, request->key);
    self->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->steps = g_array_new(FALSE, TRUE, sizeof(VgpuStep));
    g_array_set_clear_func(self->steps, vgpu_step_clear);
    for (guint i = 0; i < self->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(self->domain->wants, i);
        VgpuStep step = { .want = want };

        if (want->index < request->first ||
            (request->plug && has_already(manager, request, want)))
            continue;
        step.late = self->domain->uuid && !want->uuid_is_users &&
                    !vgpu_domain_find_ours(self->domain, want->index);
        g_array_append_val(self->steps, step);
    }
    if (!self->plug)
        supersede(manager, self->key);
    owner = vgpu_records_find(manager, self->key);
    if (owner && !self->plug) { /* from here on, a release of the run before is void */
        owner->since = self->since;
        owner->started = false;
        owner->domain_id = self->domain->id;
    }
    g_hash_table_insert(manager->starts, &self->token, self);
    if (!self->plug) /* vGPUs of the previous run that this one does not want */
        vgpu_life_let_all_go(manager, owner, is_unwanted, self);
    if (self->domain->uuid && !self->plug)
        manager->ops.starting(self->domain->uuid, manager->opaque);
    advance(self);
    return g_hash_table_contains(manager->starts, &token) ? token : 0;
}

static void
cancel(VgpuStart *self)
{
    VgpuManager *manager = self->manager;
    g_autofree char *key = g_strdup(self->key);

    if (self->plug) { /* the caller that waits for the answer is not a hook that has disconnected */
        vgpu_steps_fail(self, VGPU_ERROR_FAILED, VGPU_REFUSAL_STOPPED);
        answer(self);
        return;
    }
    let_go(self);
    g_hash_table_remove(manager->starts, &self->token); /* frees self */
    manager->ops.settled(key, manager->opaque);
}

void
vgpu_manager_cancel(VgpuManager *self, guint64 token)
{
    VgpuStart *start = g_hash_table_lookup(self->starts, &token);

    if (start)
        cancel(start);
}

void
vgpu_start_cancel_plugs(VgpuManager *self, const char *domain_uuid)
{
    g_autoptr(GList) starts = g_hash_table_get_values(self->starts);

    for (GList *l = starts; l; l = l->next) {
        VgpuStart *start = l->data;

        if (start->plug && g_str_equal(start->key, domain_uuid))
            cancel(start);
    }
}

void
vgpu_start_cancel_before(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    g_autoptr(GList) starts = g_hash_table_get_values(self->starts);

    for (GList *l = starts; l; l = l->next) {
        VgpuStart *start = l->data;

        if (g_str_equal(start->key, domain_uuid) && start->since < since)
            cancel(start);
    }
}

bool
vgpu_start_cancel_create(VgpuManager *self, const char *uuid)
{
    g_autoptr(GList) starts = g_hash_table_get_values(self->starts);

    for (GList *l = starts; l; l = l->next) {
        VgpuStart *start = l->data;

        if (start->domain->uuid || !g_str_equal(start->key, uuid))
            continue;
        vgpu_steps_fail(start, VGPU_ERROR_FAILED, VGPU_REFUSAL_DESTROYED);
        answer(start);
        return true; /* a second one for the same UUID is refused */
    }
    return false;
}
