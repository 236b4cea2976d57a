/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/reconcile.h"

#include "base/uuid.h"

static const char *const action_names[] = {
    [VGPU_ACTION_RELEASE] = "release",   [VGPU_ACTION_ATTACH] = "attach",
    [VGPU_ACTION_CONFIRM] = "confirm",   [VGPU_ACTION_ADOPT] = "adopt",
    [VGPU_ACTION_DROP] = "drop",         [VGPU_ACTION_REMOVE] = "remove",
    [VGPU_ACTION_UNDEFINE] = "undefine",
};

const char *
vgpu_action_to_string(VgpuActionKind kind)
{
    return action_names[kind];
}

void
vgpu_action_free(VgpuAction *self)
{
    if (!self)
        return;
    g_free(self->key);
    g_free(self->domain);
    g_free(self->uuid);
    g_free(self->parent);
    g_free(self->profile_id);
    g_free(self->reason);
    g_free(self);
}

void
vgpu_listed_free(VgpuListed *self)
{
    if (!self)
        return;
    g_free(self->uuid);
    g_free(self->name);
    g_clear_pointer(&self->definition, vgpu_domain_free);
    g_clear_pointer(&self->live, vgpu_domain_free);
    g_clear_pointer(&self->passes, g_ptr_array_unref);
    g_free(self);
}

/* The input, and indexes into it. */
typedef struct {
    const VgpuReconcileInput *in;
    GHashTable *domains;   /* domain UUID → VgpuListed */
    GHashTable *instances; /* UUID → Spot, of what exists */
    GPtrArray *actions;
} Plan;

typedef struct {
    const VgpuParent *parent;
    const VgpuInstance *instance;
} Spot;

static const VgpuListed *
find_listed(const Plan *plan, const char *uuid)
{
    return uuid ? g_hash_table_lookup(plan->domains, uuid) : NULL;
}

static const Spot *
find_spot(const Plan *plan, const char *uuid)
{
    return g_hash_table_lookup(plan->instances, uuid);
}

static GHashTable *
index_domains(const GPtrArray *domains)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < domains->len; i++) {
        VgpuListed *listed = g_ptr_array_index(domains, i);

        g_hash_table_insert(index, listed->uuid, listed);
    }
    return index;
}

static void
index_parent(GHashTable *index, const VgpuParent *parent)
{
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);
        Spot spot = { parent, instance };

        if (instance->uuid)
            g_hash_table_insert(index, instance->uuid, g_memdup2(&spot, sizeof(spot)));
    }
}

static GHashTable *
index_instances(const VgpuInventory *inventory)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; j < gpu->parents->len; j++)
            index_parent(index, g_ptr_array_index(gpu->parents, j));
    }
    return index;
}

static VgpuAction *
add(const Plan *plan, VgpuActionKind kind, const char *key, const char *uuid, const char *reason)
{
    VgpuAction *action = g_new0(VgpuAction, 1);

    action->kind = kind;
    action->key = g_strdup(key);
    action->uuid = g_strdup(uuid);
    action->domain_id = -1;
    action->reason = g_strdup(reason);
    g_ptr_array_add(plan->actions, action);
    return action;
}

static bool
is_untouchable(const Plan *plan, const char *key)
{
    return plan->in->untouchable && g_hash_table_contains(plan->in->untouchable, key);
}

/* Whether it may have a device although none is seen. */
static bool
is_unseen(const Plan *plan, const VgpuClaim *claim)
{
    return plan->in->unseen && g_hash_table_contains(plan->in->unseen, claim->gpu);
}

bool
vgpu_reconcile_has_device(const VgpuDomain *domain, const VgpuClaim *claim)
{
    for (guint i = 0; i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = g_ptr_array_index(domain->hostdevs, i);

        if (claim->interface == VGPU_INTERFACE_MDEV
                ? g_strcmp0(hostdev->uuid, claim->uuid) == 0
                : g_strcmp0(hostdev->source, claim->parent) == 0)
            return true;
    }
    return false;
}

/* --- what is on record -------------------------------------------------------------------- */

static VgpuSeenState
seen_of(const Plan *plan, const VgpuClaim *claim)
{
    if (claim->interface == VGPU_INTERFACE_VF || /* which is there by itself */
        find_spot(plan, claim->uuid))
        return VGPU_SEEN_UNTOLD;
    return is_unseen(plan, claim) ? VGPU_SEEN_UNKNOWN : VGPU_SEEN_ABSENT;
}

/* The state of its domain; @listed NULL: it does not exist. */
static VgpuRun
run_of(const VgpuListed *listed, const VgpuClaim *claim, VgpuSeenState seen)
{
    if (!claim->owner
             ->domain_uuid) /* the caller that waits for its creation changes it meanwhile */
        return claim->phase == VGPU_PHASE_CREATING ? VGPU_RUN_OFF : VGPU_RUN_WITH;
    if (!listed || listed->id < 0)
        return VGPU_RUN_OFF;
    if (claim->phase == VGPU_PHASE_CREATING && seen != VGPU_SEEN_UNTOLD) /* never made, perhaps */
        return seen == VGPU_SEEN_ABSENT ? VGPU_RUN_WITHOUT : VGPU_RUN_UNKNOWN;
    if (!listed->live)
        return claim->phase == VGPU_PHASE_ATTACHING ? VGPU_RUN_WITHOUT : VGPU_RUN_WITH;
    return vgpu_reconcile_has_device(listed->live, claim) ? VGPU_RUN_WITH : VGPU_RUN_WITHOUT;
}

/* The action for a claim, by the rules. */
static VgpuAction *
add_rule(const Plan *plan, const VgpuClaim *claim, const VgpuListed *listed,
         const VgpuLifeRule *rule, const VgpuSituation *situation)
{
    const char *key = claim->owner->key;

    switch (rule->next) {
    case VGPU_NEXT_PLUG:
        return add(plan, VGPU_ACTION_ATTACH, key, claim->uuid, rule->why);
    case VGPU_NEXT_CONFIRM:
        return add(plan, VGPU_ACTION_CONFIRM, key, claim->uuid, rule->why);
    case VGPU_NEXT_DROP:
        return add(plan, VGPU_ACTION_DROP, key, claim->uuid, rule->why);
    case VGPU_NEXT_LET_GO:
        if (situation->run == VGPU_RUN_WITHOUT && situation->phase == VGPU_PHASE_CREATING &&
            situation->seen == VGPU_SEEN_ABSENT)
            return add(plan, VGPU_ACTION_DROP, key, claim->uuid,
                       "it was never made, and the domain runs without it");
        return add(plan, VGPU_ACTION_RELEASE, key, claim->uuid,
                   !claim->owner->domain_uuid ? "its creation was not finished"
                   : !listed                  ? "the domain no longer exists"
                                              : rule->why);
    default:
        return NULL;
    }
}

static void
plan_claim(const Plan *plan, const VgpuClaim *claim, const VgpuListed *listed)
{
    VgpuSituation situation = vgpu_claim_situation(claim);
    bool runs = listed && listed->id >= 0;
    VgpuAction *action;

    if (claim->phase == VGPU_PHASE_RELEASING)
        return; /* under way */
    situation.seen = seen_of(plan, claim);
    situation.run = run_of(listed, claim, situation.seen);
    if (!claim->owner->domain_uuid && claim->phase == VGPU_PHASE_READY &&
        situation.seen == VGPU_SEEN_ABSENT)
        situation.wanted = VGPU_WANTED_GONE;
    if (runs && claim->phase == VGPU_PHASE_READY && !claim->owner->started) {
        situation.run = VGPU_RUN_WITH; /* the next look finds out whether the domain has it */
        action =
            add(plan, VGPU_ACTION_CONFIRM, claim->owner->key, claim->uuid, "the domain runs");
    } else {
        action = add_rule(plan, claim, listed, vgpu_lifecycle_next(&situation), &situation);
    }
    if (!action)
        return;
    action->index = claim->index;
    action->domain = g_strdup(runs ? listed->name : claim->owner->domain_name);
    action->domain_id = runs ? listed->id : -1;
    action->run = situation.run;
    action->seen = situation.seen;
}

static void
plan_owner(const Plan *plan, const VgpuOwner *owner)
{
    const VgpuListed *listed = find_listed(plan, owner->domain_uuid);

    if (is_untouchable(plan, owner->key) || (listed && listed->is_unreadable))
        return;
    for (guint i = 0; i < owner->claims->len; i++)
        plan_claim(plan, g_ptr_array_index(owner->claims, i), listed);
}

/* --- what is not -------------------------------------------------------------------------- */

/* The action for a device of ours without a record, by the rules; NULL: there is nothing to do. */
static VgpuAction *
add_unrecorded(const Plan *plan, const VgpuListed *listed, const char *uuid, guint index,
               VgpuRun run)
{
    VgpuSituation situation = { .seen = VGPU_SEEN_UNTOLD, .run = run };
    const VgpuLifeRule *rule = vgpu_lifecycle_next(&situation);
    VgpuAction *action;

    if (rule->next != VGPU_NEXT_ADOPT && rule->next != VGPU_NEXT_CLAIM)
        return NULL;
    action = add(plan, rule->next == VGPU_NEXT_ADOPT ? VGPU_ACTION_ADOPT : VGPU_ACTION_REMOVE,
                 listed->uuid, uuid, rule->why);
    action->index = index;
    action->domain = g_strdup(listed->name);
    action->domain_id = listed->id;
    action->run = run;
    return action;
}

static bool
has_record(const Plan *plan, const char *uuid)
{
    return vgpu_reservations_first(vgpu_reservations_of_uuid(plan->in->reservations, uuid),
                                   VGPU_KINDS_OWNED);
}

/* The profile of the vGPU on the VF that the hostdev names, if it has no record; of a plain VF nothing
 * is known but that it exists. */
static const char *
profile_on_vf(const Plan *plan, const char *vf, const VgpuParent **on)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(plan->in->inventory, vf);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, vf) : NULL;
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    if (!parent)
        return NULL;
    *on = parent;
    if (gpu->interface == VGPU_INTERFACE_VF)
        return parent->offers->len
                   ? ((const VgpuOffer *) g_ptr_array_index(parent->offers, 0))->profile->id
                   : NULL;
    return instance && !instance->uuid ? instance->profile_id : NULL;
}

/* A device that exists for this running domain's own hostdev, without a record: /run was lost. */
static void
plan_lost_record(const Plan *plan, const VgpuListed *listed, const VgpuHostdev *hostdev)
{
    g_autofree char *ours = NULL;
    const VgpuParent *parent = NULL;
    const char *profile_id = NULL;
    const Spot *spot;
    VgpuAction *action;

    if (hostdev->index < 0)
        return;
    ours = vgpu_uuid_for_domain(listed->uuid, (guint) hostdev->index);
    if (has_record(plan, ours))
        return;
    if (hostdev->source) {
        profile_id = profile_on_vf(plan, hostdev->source, &parent);
    } else if (g_strcmp0(ours, hostdev->uuid) == 0 && (spot = find_spot(plan, ours))) {
        profile_id = spot->instance->profile_id;
        parent = spot->parent;
    }
    if (!profile_id ||
        !(action = add_unrecorded(plan, listed, ours, (guint) hostdev->index, VGPU_RUN_WITH)))
        return;
    action->parent = g_strdup(parent->address);
    action->profile_id = g_strdup(profile_id);
}

/* A device with the computed UUID of a domain that does not use it, without a record. */
static void
plan_orphan(const Plan *plan, const VgpuListed *listed, const VgpuWant *want)
{
    VgpuRun run = listed->id < 0 ? VGPU_RUN_OFF
                  : listed->live ? VGPU_RUN_WITHOUT
                                 : VGPU_RUN_UNKNOWN;
    const Spot *spot;
    VgpuAction *action;

    if (want->uuid_is_users || want->create_at_define || !want->uuid ||
        has_record(plan, want->uuid) || !(spot = find_spot(plan, want->uuid)) ||
        (listed->live && vgpu_domain_find_uuid(listed->live, want->uuid)) ||
        !(action = add_unrecorded(plan, listed, want->uuid, want->index, run)))
        return;
    action->parent = g_strdup(spot->parent->address);
    action->profile_id = g_strdup(spot->instance->profile_id);
}

static void
plan_unrecorded(const Plan *plan, const VgpuListed *listed)
{
    if (is_untouchable(plan, listed->uuid))
        return;
    for (guint i = 0; listed->live && i < listed->live->hostdevs->len; i++)
        plan_lost_record(plan, listed, g_ptr_array_index(listed->live->hostdevs, i));
    for (guint i = 0; listed->definition && i < listed->definition->wants->len; i++)
        plan_orphan(plan, listed, g_ptr_array_index(listed->definition->wants, i));
}

/* --- what outlives runs ------------------------------------------------------------------- */

static bool
still_wants(const VgpuDomain *definition, const char *uuid)
{
    for (guint i = 0; i < definition->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(definition->wants, i);

        if (want->create_at_define && g_strcmp0(want->uuid, uuid) == 0)
            return true;
    }
    return false;
}

static void
plan_kept(const Plan *plan, const VgpuOwner *owner)
{
    const VgpuListed *listed = find_listed(plan, owner->domain_uuid);
    VgpuRun run = !listed                                              ? VGPU_RUN_OFF
                  : listed->definition_is_bad || listed->is_unreadable ? VGPU_RUN_UNKNOWN
                  : listed->id >= 0 /* it may be in use */             ? VGPU_RUN_WITH
                                                                       : VGPU_RUN_OFF;

    if (!owner->domain_uuid || is_untouchable(plan, owner->key))
        return;
    for (guint i = 0; i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        VgpuSituation situation = vgpu_claim_situation(claim);
        VgpuAction *action;

        situation.run = run;
        if (!listed || !listed->definition || !still_wants(listed->definition, claim->uuid))
            situation.wanted = VGPU_WANTED_GONE;
        if (vgpu_lifecycle_next(&situation)->next != VGPU_NEXT_UNDEFINE)
            continue;
        action =
            add(plan, VGPU_ACTION_UNDEFINE, owner->key, claim->uuid,
                listed ? "its domain no longer asks for it" : "its domain is no longer defined");
        action->index = claim->index;
        action->domain = g_strdup(owner->domain_name);
    }
}

GPtrArray *
vgpu_reconcile_plan(const VgpuReconcileInput *in)
{
    Plan plan = { .in = in };
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    plan.actions = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_action_free);
    plan.domains = index_domains(in->domains);
    plan.instances = index_instances(in->inventory);
    vgpu_reservations_iter_init(&iter, in->reservations, VGPU_KINDS_OWNED);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->kind == VGPU_KIND_PERSISTENT)
            plan_kept(&plan, owner);
        else
            plan_owner(&plan, owner);
    }
    for (guint i = 0; i < in->domains->len; i++)
        plan_unrecorded(&plan, g_ptr_array_index(in->domains, i));
    g_hash_table_unref(plan.domains);
    g_hash_table_unref(plan.instances);
    return plan.actions;
}
