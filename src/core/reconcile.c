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
vgpu_fact_free(VgpuFact *self)
{
    if (!self)
        return;
    g_free(self->uuid);
    g_free(self->name);
    g_clear_pointer(&self->definition, vgpu_domain_free);
    g_clear_pointer(&self->live, vgpu_domain_free);
    g_free(self);
}

static const VgpuFact *
find_fact(const VgpuReconcileInput *in, const char *uuid)
{
    for (guint i = 0; uuid && i < in->facts->len; i++) {
        const VgpuFact *fact = g_ptr_array_index(in->facts, i);

        if (g_str_equal(fact->uuid, uuid))
            return fact;
    }
    return NULL;
}

static const VgpuInstance *
find_instance(const VgpuReconcileInput *in, const char *uuid, const VgpuParent **on)
{
    for (guint i = 0; i < in->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(in->inventory->gpus, i);

        for (guint j = 0; j < gpu->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, j);

            for (guint k = 0; k < parent->instances->len; k++) {
                const VgpuInstance *instance = g_ptr_array_index(parent->instances, k);

                if (g_strcmp0(instance->uuid, uuid) == 0) {
                    if (on)
                        *on = parent;
                    return instance;
                }
            }
        }
    }
    return NULL;
}

static VgpuAction *
add(GPtrArray *plan, VgpuActionKind kind, const char *key, const char *uuid, const char *reason)
{
    VgpuAction *action = g_new0(VgpuAction, 1);

    action->kind = kind;
    action->key = g_strdup(key);
    action->uuid = g_strdup(uuid);
    action->domain_id = -1;
    action->reason = g_strdup(reason);
    g_ptr_array_add(plan, action);
    return action;
}

static bool
is_untouchable(const VgpuReconcileInput *in, const char *key)
{
    return in->untouchable && g_hash_table_contains(in->untouchable, key);
}

/* Whether it may have a device although none is seen. */
static bool
is_unseen(const VgpuReconcileInput *in, const VgpuClaim *claim)
{
    return in->unseen && g_hash_table_contains(in->unseen, claim->gpu);
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

/* The record of a domain that runs. */
static void
plan_running(const VgpuReconcileInput *in, GPtrArray *plan, const VgpuOwner *owner,
             const VgpuFact *fact)
{
    for (guint i = 0; i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        bool exists = claim->interface == VGPU_INTERFACE_VF || /* a VF is there by itself */
                      find_instance(in, claim->uuid, NULL);
        VgpuAction *action = NULL;

        if (claim->phase == VGPU_PHASE_ATTACHING) {
            if (fact->live && vgpu_reconcile_has_device(fact->live, claim))
                action = add(plan, VGPU_ACTION_CONFIRM, owner->key, claim->uuid,
                             "the domain has it already");
            else
                action = add(plan, VGPU_ACTION_ATTACH, owner->key, claim->uuid,
                             "the domain runs and waits for it");
        } else if (claim->phase == VGPU_PHASE_CREATING && exists && fact->live &&
                   !vgpu_reconcile_has_device(fact->live, claim)) {
            action = add(plan, VGPU_ACTION_RELEASE, owner->key, claim->uuid,
                         "it was made for the running domain, and never plugged");
        } else if (claim->phase == VGPU_PHASE_CREATING && exists) {
            action = add(plan, VGPU_ACTION_CONFIRM, owner->key, claim->uuid,
                         "the domain runs with it");
        } else if (claim->phase == VGPU_PHASE_CREATING && !is_unseen(in, claim)) {
            action = add(plan, VGPU_ACTION_DROP, owner->key, claim->uuid,
                         "it was never made, and the domain runs without it");
        } else if (claim->phase == VGPU_PHASE_READY && !owner->started) {
            action = add(plan, VGPU_ACTION_CONFIRM, owner->key, claim->uuid, "the domain runs");
        } else if (claim->phase == VGPU_PHASE_READY && fact->live &&
                   !vgpu_reconcile_has_device(fact->live, claim)) {
            action = add(plan, VGPU_ACTION_RELEASE, owner->key, claim->uuid,
                         "it was detached from the running domain");
        }
        if (action) {
            action->index = claim->index;
            action->domain = g_strdup(fact->name);
            action->domain_id = fact->id;
        }
    }
}

static void
plan_owner(const VgpuReconcileInput *in, GPtrArray *plan, const VgpuOwner *owner)
{
    const VgpuFact *fact = find_fact(in, owner->domain_uuid);

    if (is_untouchable(in, owner->key) || (fact && fact->is_unreadable))
        return;
    if (fact && fact->id >= 0) {
        plan_running(in, plan, owner, fact);
        return;
    }
    for (guint i = 0; i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        VgpuAction *action = NULL;

        if (claim->phase == VGPU_PHASE_RELEASING)
            continue; /* under way */
        if (owner->domain_uuid)
            action = add(plan, VGPU_ACTION_RELEASE, owner->key, claim->uuid,
                         fact ? "the domain does not run" : "there is no such domain any more");
        else if (claim->interface != VGPU_INTERFACE_VF && !is_unseen(in, claim) &&
                 !find_instance(in, claim->uuid, NULL))
            action = add(plan, VGPU_ACTION_DROP, owner->key, claim->uuid, "the device has gone");
        if (action) {
            action->index = claim->index;
            action->domain = g_strdup(owner->domain_name);
        }
    }
}

static bool
has_record(const VgpuReconcileInput *in, const char *uuid)
{
    return vgpu_claims_first(vgpu_reservations_of_uuid(in->reservations, uuid), VGPU_KINDS_OWNED);
}

/* The profile of what is on the VF that the hostdev names, when no record says whose it is; of a plain
 * VF nothing more can be told than that it is there. */
static const char *
profile_on_vf(const VgpuReconcileInput *in, const char *vf, const VgpuParent **on)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(in->inventory, vf);
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
plan_lost_records(const VgpuReconcileInput *in, GPtrArray *plan, const VgpuFact *fact)
{
    for (guint i = 0; fact->live && i < fact->live->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = g_ptr_array_index(fact->live->hostdevs, i);
        const VgpuParent *parent = NULL;
        const VgpuInstance *instance;
        const char *profile_id = NULL;
        g_autofree char *ours = NULL;
        VgpuAction *action;

        if (hostdev->index < 0)
            continue;
        ours = vgpu_uuid_for_domain(fact->uuid, (guint) hostdev->index);
        if (has_record(in, ours))
            continue;
        if (hostdev->source)
            profile_id = profile_on_vf(in, hostdev->source, &parent);
        else if (g_strcmp0(ours, hostdev->uuid) == 0 &&
                 (instance = find_instance(in, ours, &parent)))
            profile_id = instance->profile_id;
        if (!profile_id)
            continue;
        action = add(plan, VGPU_ACTION_ADOPT, fact->uuid, ours,
                     "the domain runs with it, but its record is lost");
        action->index = (guint) hostdev->index;
        action->domain = g_strdup(fact->name);
        action->domain_id = fact->id;
        action->parent = g_strdup(parent->address);
        action->profile_id = g_strdup(profile_id);
    }
}

/* A device with the computed UUID of a domain that does not run, without a record. */
static void
plan_orphans(const VgpuReconcileInput *in, GPtrArray *plan, const VgpuFact *fact)
{
    for (guint i = 0; fact->definition && i < fact->definition->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(fact->definition->wants, i);
        const VgpuParent *parent = NULL;
        const VgpuInstance *instance;
        VgpuAction *action;

        if (want->uuid_is_users || want->create_at_define || !want->uuid ||
            has_record(in, want->uuid) || !(instance = find_instance(in, want->uuid, &parent)))
            continue;
        action = add(plan, VGPU_ACTION_REMOVE, fact->uuid, want->uuid,
                     "it is the domain's, which does not run");
        action->index = want->index;
        action->domain = g_strdup(fact->name);
        action->parent = g_strdup(parent->address);
        action->profile_id = g_strdup(instance->profile_id);
    }
}

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
plan_kept(const VgpuReconcileInput *in, GPtrArray *plan, const VgpuOwner *owner)
{
    const VgpuFact *fact = find_fact(in, owner->domain_uuid);

    if (!owner->domain_uuid || is_untouchable(in, owner->key))
        return;
    if (fact && (fact->id >= 0 || fact->definition_is_bad || fact->is_unreadable))
        return; /* it may be in use, or nothing is known */
    for (guint i = 0; i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        VgpuAction *action;

        if (fact && fact->definition && still_wants(fact->definition, claim->uuid))
            continue;
        action = add(plan, VGPU_ACTION_UNDEFINE, owner->key, claim->uuid,
                     fact ? "its domain does not want it any more"
                          : "its domain is no longer defined");
        action->index = claim->index;
        action->domain = g_strdup(owner->domain_name);
    }
}

GPtrArray *
vgpu_reconcile_plan(const VgpuReconcileInput *in)
{
    GPtrArray *plan = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_action_free);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, in->reservations, VGPU_KINDS_OWNED);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->kind == VGPU_KIND_PERSISTENT)
            plan_kept(in, plan, owner);
        else
            plan_owner(in, plan, owner);
    }

    for (guint i = 0; i < in->facts->len; i++) {
        const VgpuFact *fact = g_ptr_array_index(in->facts, i);

        if (is_untouchable(in, fact->uuid))
            continue;
        if (fact->id >= 0)
            plan_lost_records(in, plan, fact);
        else
            plan_orphans(in, plan, fact);
    }
    return plan;
}
