/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow.c (manager.h): changes of the records when a domain's run continues or ends */
#include "core/follow.h"

#include "base/clock.h"
#include "core/arrivals.h"
#include "core/held.h"
#include "core/known.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/passed.h"
#include "core/plan.h"
#include "core/pooling.h"
#include "core/saved.h"
#include "core/start.h"

/* Set the present state of the domain of these vGPUs. */
static void
tell_run(VgpuManager *self, const VgpuOwner *owner, VgpuRun (*run)(const VgpuClaim *claim))
{
    g_autoptr(GPtrArray) claims = g_ptr_array_new();

    for (guint i = 0; i < owner->claims->len; i++)
        g_ptr_array_add(claims, g_ptr_array_index(owner->claims, i));
    for (guint i = 0; i < claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(claims, i);

        claim->run = run(claim);
        vgpu_life_go_on(self, claim);
    }
}

static VgpuRun
is_off(const VgpuClaim *claim)
{
    (void) claim;
    return VGPU_RUN_OFF;
}

/* As far as it is known without the domain's XML. A vGPU that is being made may be for a hotplug. */
static VgpuRun
is_up(const VgpuClaim *claim)
{
    if (claim->phase == VGPU_PHASE_CREATING)
        return claim->run;
    return claim->phase == VGPU_PHASE_ATTACHING ? VGPU_RUN_WITHOUT : VGPU_RUN_WITH;
}

void
vgpu_manager_release(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    const VgpuOwner *owner;

    vgpu_start_cancel_before(self, domain_uuid, since);
    owner = vgpu_records_find(self, domain_uuid);
    if (!owner || since < owner->since)
        return; /* a new run has been prepared since */
    vgpu_arrivals_drop(self, domain_uuid);
    g_hash_table_remove(self->run_checks, domain_uuid);
    vgpu_start_cancel_plugs(self, domain_uuid);
    owner = vgpu_records_find(self, domain_uuid);
    if (owner) {
        vgpu_saved_stopping(self, owner);
        tell_run(self, owner, is_off);
    }
    self->ops.settled(domain_uuid, self->opaque);
}

void
vgpu_manager_unheard(VgpuManager *self, guint64 since)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS(RUN));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->since == since) {
            g_autofree char *uuid = g_strdup(owner->domain_uuid);

            vgpu_manager_release(self, uuid, since);
            return;
        }
    }
}

void
vgpu_manager_started(VgpuManager *self, const char *domain_uuid, int domain_id)
{
    VgpuOwner *owner = vgpu_records_find(self, domain_uuid);
    VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);

    if (definition)
        definition->running = true;
    self->ops.settled(domain_uuid, self->opaque);
    if (!owner || owner->started || (owner->domain_id >= 0 && owner->domain_id != domain_id))
        return;
    owner->started = true;
    g_hash_table_remove(self->run_checks, domain_uuid);
    owner->domain_id = domain_id;
    vgpu_records_save_or_warn(self, owner);
    vgpu_saved_started(self, owner);
    tell_run(self, owner, is_up);
}

static gint64
waited_ms(const VgpuClaim *claim)
{
    return claim->asked ? (gint64) ((vgpu_clock_now() - claim->asked) / 1000000) : -1;
}

void
vgpu_manager_plug_took(VgpuManager *self, const char *domain_uuid, const char *uuid,
                       gint64 libvirt_us)
{
    VgpuClaim *claim = vgpu_owner_find(vgpu_records_find(self, domain_uuid), uuid);

    if (claim)
        claim->plug_us = libvirt_us;
}

void
vgpu_manager_attached(VgpuManager *self, const char *domain_uuid, guint64 since, const char *uuid,
                      const GError *error)
{
    VgpuOwner *owner = vgpu_records_find(self, domain_uuid);
    VgpuClaim *claim = vgpu_owner_find(owner, uuid);

    if (!claim || owner->since != since || claim->phase != VGPU_PHASE_ATTACHING) {
        if (error || (claim && claim->phase == VGPU_PHASE_READY))
            vgpu_waiters_tell_plugged(self, domain_uuid, uuid, error);
        return;
    }
    claim->is_plugging = false;
    if (!error) {
        owner->touched = vgpu_clock_now();
        vgpu_events_emit(self, "vgpu-attached", owner, claim, NULL, waited_ms(claim));
        claim->run = VGPU_RUN_WITH;
    } else {
        vgpu_events_emit(self, "vgpu-failed", owner, claim, error->message, waited_ms(claim));
        /* a caller that waits for the answer undoes it all; otherwise the record keeps the reason */
        if (!vgpu_waiters_has_plug(self, domain_uuid, uuid))
            claim->reason = g_strdup(error->message);
        claim->wanted = VGPU_WANTED_GONE;
        vgpu_saved_unplugged(self, uuid);
    }
    claim->plug_us = 0;
    vgpu_life_go_on(self, claim);
    vgpu_waiters_tell_plugged(self, domain_uuid, uuid, error);
}

void
vgpu_manager_settle(VgpuManager *self, const char *domain_uuid, guint64 since, bool running,
                    int domain_id)
{
    const VgpuOwner *owner = vgpu_records_find(self, domain_uuid);
    VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);

    if (definition)
        definition->running = running;
    if (!owner || owner->since != since)
        return;
    if (running)
        vgpu_manager_started(self, domain_uuid, domain_id);
    else
        vgpu_manager_release(self, domain_uuid, since);
}

/* Reservations for domains that may not run. */
#define WAITING (VGPU_KINDS(PLANNED) | VGPU_KINDS(HELD))

/* A domain's run, its plan and its held room change independently. */
static char *
note_key(const VgpuOwner *owner)
{
    return (1u << owner->kind) & VGPU_KINDS_MADE
               ? g_strdup(owner->key)
               : g_strconcat(vgpu_reservations_kind_to_string(owner->kind), " for ", owner->key,
                             NULL);
}

GHashTable *
vgpu_manager_note(const VgpuManager *self)
{
    GHashTable *noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS_MADE | WAITING);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        guint64 at = MAX(owner->since, owner->touched);

        g_hash_table_insert(noted, note_key(owner), g_memdup2(&at, sizeof(at)));
    }
    return noted;
}

static bool
is_as_noted(GHashTable *noted, const VgpuOwner *owner)
{
    g_autofree char *key = note_key(owner);
    const guint64 *at = g_hash_table_lookup(noted, key);

    return at && *at == MAX(owner->since, owner->touched);
}

/* Keys of domains whose records have changed since they were noted, or that are being started. */
static GHashTable *
changed_since(const VgpuManager *self, GHashTable *noted)
{
    GHashTable *changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS_MADE);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (!is_as_noted(noted, owner))
            g_hash_table_add(changed, g_strdup(owner->key));
    }
    vgpu_waiters_list_starts(self, changed);
    return changed;
}

/* A device of ours without a record gets one. */
static void
adopt(VgpuManager *self, const VgpuAction *action)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(self->inventory, action->parent);
    const VgpuProfile *profile =
        gpu && action->profile_id ? vgpu_gpu_find_profile(gpu, action->profile_id) : NULL;
    const VgpuDefinition *definition = vgpu_definitions_find(self, action->key);
    bool is_used = action->kind == VGPU_ACTION_ADOPT;
    VgpuOwner *owner;
    VgpuClaim *claim;

    if (!profile)
        return;
    owner = vgpu_records_need(self, action->key, action->key, action->domain);
    if (!owner->claims->len)
        owner->since = vgpu_clock_now();
    claim = vgpu_claim_new(action->uuid, action->index);
    vgpu_claim_put(claim, gpu, action->parent, profile);
    claim->pool = g_strdup(vgpu_pooling_pool_of(self, gpu->address));
    claim->tenant = g_strdup(definition ? definition->domain->tenant : NULL);
    if (is_used) {
        owner->started = true;
        owner->domain_id = action->domain_id;
    }
    vgpu_life_adopt(self, owner, claim, is_used ? VGPU_WANTED_KEEP : VGPU_WANTED_GONE,
                    action->run);
    vgpu_records_save_or_warn(self, owner);
    vgpu_life_go_on(self, claim);
}

static void
claim_orphan(VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    VgpuFound found = vgpu_sight_find(self, want->uuid);
    const VgpuGpu *gpu =
        found.exists ? vgpu_inventory_find_by_function(self->inventory, found.parent) : NULL;
    VgpuSituation situation = { .seen = VGPU_SEEN_UNTOLD, .run = VGPU_RUN_OFF };
    const VgpuLifeRule *rule = vgpu_lifecycle_next(&situation);
    VgpuAction action = {
        .kind = VGPU_ACTION_REMOVE,
        .key = domain->uuid,
        .domain = domain->name,
        .domain_id = -1,
        .uuid = want->uuid,
        .index = want->index,
        .run = VGPU_RUN_OFF,
        .parent = (char *) found.parent,
        .profile_id = (char *) found.profile_id,
    };

    if (!gpu || !vgpu_sight_is_fresh(self, gpu->address) || rule->next != VGPU_NEXT_CLAIM)
        return;
    g_message("vGPU %s of domain '%s' is removed: %s", want->uuid, domain->name, rule->why);
    adopt(self, &action);
}

void
vgpu_follow_claim_orphans(VgpuManager *self, const VgpuDomain *domain)
{
    if (vgpu_waiters_is_starting(self, domain->uuid))
        return;
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (want->uuid && !want->uuid_is_users && !want->create_at_define &&
            !vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, want->uuid),
                                     VGPU_KINDS_OWNED))
            claim_orphan(self, domain, want);
    }
}

/* Tell the rules what the plan was made from; they then come to the same actions. */
static void
act(VgpuManager *self, const VgpuAction *action)
{
    VgpuOwner *owner = vgpu_records_find(self, action->key);
    VgpuClaim *claim = vgpu_owner_find(owner, action->uuid);

    if (action->kind == VGPU_ACTION_ADOPT || action->kind == VGPU_ACTION_REMOVE)
        adopt(self, action);
    if (!claim || action->kind == VGPU_ACTION_UNDEFINE)
        return;
    if (action->domain_id >= 0) {
        owner->started = true;
        owner->domain_id = action->domain_id;
        vgpu_records_save_or_warn(self, owner);
        vgpu_saved_started(self, owner);
    }
    claim->run = action->run;
    if (action->seen == VGPU_SEEN_ABSENT && claim->call == VGPU_CALL_NONE)
        claim->seen = VGPU_SEEN_ABSENT;
    if (action->kind == VGPU_ACTION_DROP)
        claim->wanted = VGPU_WANTED_GONE;
    if (action->kind == VGPU_ACTION_ATTACH)
        claim->is_plugging = false; /* it may have been forgotten */
    vgpu_life_go_on(self, claim);
}

/* Drop what is planned or held for domains that no longer exist; plans made since the list was begun may
 * be for a domain that is not on it yet. */
static void
drop_plans(VgpuManager *self, GHashTable *noted, const GPtrArray *domains, GHashTable *changed)
{
    static void (*const drop_all[])(VgpuManager * self, const char *key) = { vgpu_plan_drop_all,
                                                                             vgpu_held_drop_all };
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) owners = vgpu_reservations_list(self->reservations, WAITING);

    for (guint i = 0; i < domains->len; i++)
        g_hash_table_add(there, ((const VgpuListed *) g_ptr_array_index(domains, i))->uuid);
    for (guint i = 0; i < owners->len; i++) {
        const VgpuOwner *owner = g_ptr_array_index(owners, i);
        g_autofree char *key = g_strdup(owner->domain_uuid);

        if (key && is_as_noted(noted, owner) && !g_hash_table_contains(there, owner->key) &&
            !g_hash_table_contains(changed, owner->key) &&
            !vgpu_reservations_find(self->reservations, VGPU_KIND_INCOMING, owner->key))
            drop_all[owner->kind == VGPU_KIND_HELD](self, key);
    }
}

/* GPUs whose vGPUs are not known at present; while there are no GPUs at all, those that records name. */
static GHashTable *
list_unseen(const VgpuManager *self)
{
    GHashTable *unseen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) gpus = vgpu_reservations_gpus(self->reservations, VGPU_KINDS_MADE);

    for (guint i = 0; i < gpus->len; i++) {
        if (!vgpu_sight_is_fresh(self, g_ptr_array_index(gpus, i)))
            g_hash_table_add(unseen, g_strdup(g_ptr_array_index(gpus, i)));
    }
    return unseen;
}

GPtrArray *
vgpu_manager_reconcile(VgpuManager *self, GHashTable *noted, const GPtrArray *domains,
                       bool dry_run)
{
    g_autoptr(GHashTable) changed = changed_since(self, noted);
    g_autoptr(GHashTable) unseen = list_unseen(self);
    VgpuReconcileInput input = {
        .reservations = self->reservations,
        .untouchable = changed,
        .domains = domains,
        .inventory = vgpu_manager_inventory(self),
        .unseen = unseen,
    };
    GPtrArray *plan = vgpu_reconcile_plan(&input);

    if (!dry_run) {
        g_hash_table_unref(self->owed);
        self->owed = g_hash_table_ref(unseen);
        drop_plans(self, noted, domains, changed);
        vgpu_passed_take_all(self, domains);
        vgpu_known_take_all(self, domains);
    }
    for (guint i = 0; !dry_run && i < plan->len; i++) {
        const VgpuAction *action = g_ptr_array_index(plan, i);

        if (action->kind != VGPU_ACTION_CONFIRM)
            g_message("reconcile: %s vGPU %s of domain '%s': %s",
                      vgpu_action_to_string(action->kind), action->uuid,
                      action->domain ? action->domain : "-", action->reason);
        act(self, action);
    }
    return plan;
}
