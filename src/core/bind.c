/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bind.c (manager.h): which interface, and which VF, each vGPU of a definition gets
 *
 * A VF's address is in the definition, so it is chosen when the domain is defined. At an autostart
 * libvirt cannot be asked, so the choice is written down. It is a plan, not a lock: free VFs that are
 * not planned for any domain are taken first, but a domain that starts may get any. */
#include "core/bind.h"

#include "core/held.h"
#include "core/known.h"
#include "core/manager-private.h"
#include "core/pick.h"
#include "core/plan.h"
#include "core/pooling.h"
#include "core/reading.h"
#include "core/saved.h"
#include "domain/display.h"
#include "domain/refusals.h"

/* A definition whose vGPUs are bound. */
typedef struct {
    VgpuManager *manager;
    VgpuDomain *domain;
    bool now;             /* it is about to start, so VFs in use by others cannot be chosen */
    VgpuReading *reading; /* NULL while nothing had to be placed */
} Binding;

static VgpuClaim *
claim_at(const VgpuWant *want, const VgpuGpu *gpu, const char *vf, const VgpuProfile *profile)
{
    VgpuClaim *claim = vgpu_claim_new(want->uuid, want->index);

    vgpu_claim_put(claim, gpu, vf, profile);
    return claim;
}

static void
bind_to(VgpuWant *want, VgpuInterface interface, const char *vf)
{
    want->interface = interface;
    g_free(want->vf);
    want->vf = vgpu_interface_is_on_vf(interface) ? g_strdup(vf) : NULL;
}

/* Whether the device of that record is available, as things are. */
static bool
is_usable(const VgpuManager *self, const VgpuClaim *claim, const VgpuWant *want)
{
    const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, claim->gpu);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, claim->parent) : NULL;

    return parent && !parent->host_vf && !gpu->passed_through &&
           gpu->interface == claim->interface && vgpu_claim_fits(claim, want);
}

/* Whether nothing new is placed where that record has its device. */
static bool
is_cordoned(const VgpuManager *self, const VgpuClaim *claim)
{
    const VgpuGpu *gpu = claim ? vgpu_inventory_find(self->inventory, claim->gpu) : NULL;

    return gpu && gpu->cordon;
}

static bool
is_taken_by_own(const VgpuDomain *domain, const char *vf)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        if (g_strcmp0(((const VgpuWant *) g_ptr_array_index(domain->wants, i))->vf, vf) == 0)
            return true;
    }
    return false;
}

/* The VF that the definition already names, unless it is planned for another domain, or another vGPU of this
 * one has it by now: the record was lost, or the domain came from another host. */
static VgpuClaim *
claim_from_hostdev(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);
    const VgpuGpu *gpu = hostdev && hostdev->source
                             ? vgpu_inventory_find_by_function(self->inventory, hostdev->source)
                             : NULL;

    if (!gpu || !vgpu_interface_is_on_vf(gpu->interface) ||
        is_taken_by_own(domain, hostdev->source) ||
        vgpu_plan_other_user(self, hostdev->source, domain->uuid))
        return NULL;
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (vgpu_profile_matches_any(profile, (const char *const *) want->profiles)) {
            g_autoptr(VgpuClaim) claim = claim_at(want, gpu, hostdev->source, profile);

            return is_usable(self, claim, want) ? g_steal_pointer(&claim) : NULL;
        }
    }
    return NULL;
}

/* The VF of that GPU that gpu= names. It has no room now, but may have some when the domain starts, unless it
 * belongs to another domain: then NULL with an error. *@named: whether gpu= names a VF. */
static const VgpuParent *
named_vf(const Binding *self, const VgpuWant *want, const VgpuGpu *gpu,
         const GPtrArray *candidates, bool *named, GError **error)
{
    const VgpuDomain *domain = self->domain;
    g_autofree char *use = NULL;
    g_autoptr(GError) reason = NULL;

    *named = want->gpu && !g_str_equal(want->gpu, gpu->address);
    if (!*named)
        return NULL;
    use = vgpu_plan_describe_use(self->manager, want->gpu, domain->uuid);
    if (!use && vgpu_gpu_find_parent(gpu, want->gpu))
        return vgpu_gpu_find_parent(gpu, want->gpu);
    vgpu_placement_explain(candidates, want, &reason);
    vgpu_error_at(error, VGPU_ERROR_NO_CAPACITY, domain->what, want->line,
                  "%s; the definition is not changed", reason->message);
    return NULL;
}

/* While no known GPU has the profile (its driver may be being replaced), the definition is not changed. */
static bool
keep_as_it_is(const VgpuDomain *domain, VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);

    if (!hostdev)
        return false;
    bind_to(want,
            !hostdev->source   ? VGPU_INTERFACE_MDEV
            : hostdev->managed ? VGPU_INTERFACE_VF
                               : VGPU_INTERFACE_VENDOR_VFIO,
            hostdev->source);
    if (want->display == VGPU_SWITCH_AUTO) /* as a pool's, which never refuses */
        want->display = hostdev->display ? VGPU_SWITCH_ON : VGPU_SWITCH_OFF;
    return true;
}

/* Whether the definition names a device on a GPU that does not answer: the definition may be right, and
 * is not changed because of that. */
static bool
is_out_of_sight(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);
    const VgpuGpu *gpu = hostdev && hostdev->source
                             ? vgpu_inventory_find_by_function(self->inventory, hostdev->source)
                             : NULL;
    g_autoptr(GHashTable) unseen = gpu ? vgpu_sight_unseen(self) : NULL;

    return unseen && g_hash_table_contains(unseen, gpu->address);
}

static void
binding_clear(Binding *self)
{
    g_clear_pointer(&self->reading, vgpu_reading_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Binding, binding_clear)

/* One snapshot for all vGPUs of the domain: choosing for one of them has only one effect on the others,
 * that its VF is closed to them. */
static const VgpuSnapshot *
snapshot_of(Binding *self)
{
    if (!self->reading) {
        self->reading = vgpu_reading_new(self->manager, self->domain, self->domain->uuid, NULL);
        /* the vGPUs of the present run do not matter here */
        g_ptr_array_set_size(self->reading->own, 0);
    }
    return &self->reading->snapshot;
}

/* With the VFs that the domain's vGPUs have by now. */
static GHashTable *
closed_to(const VgpuDomain *domain, const VgpuSnapshot *snapshot)
{
    GHashTable *closed = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, snapshot->closed);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(closed, key, value);
    vgpu_reading_close_own(closed, domain);
    return closed;
}

/* Choose again. *@claim is set when it is on a VF. */
static bool
choose_place(Binding *self, VgpuWant *want, VgpuClaim **claim, GError **error)
{
    const VgpuDomain *domain = self->domain;
    VgpuSnapshot snapshot = *snapshot_of(self);
    g_autoptr(GHashTable) closed = NULL;
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen;
    const VgpuParent *parent;
    bool named = false;

    bind_to(want, VGPU_INTERFACE_NONE, NULL);
    snapshot.closed = closed = closed_to(domain, &snapshot);
    candidates = vgpu_placement_candidates(&snapshot, want);
    chosen = vgpu_pick_gpu(&snapshot, candidates, want);
    if (!chosen && keep_as_it_is(domain, want))
        return true;
    if (!chosen) {
        vgpu_pick_refuse(domain, want, candidates, error);
        return false;
    }
    if (!vgpu_interface_is_on_vf(chosen->gpu->interface)) {
        bind_to(want, chosen->gpu->interface, NULL);
        return true;
    }
    parent = chosen->parent ? chosen->parent
                            : named_vf(self, want, chosen->gpu, candidates, &named, error);
    if (!parent && named)
        return false;
    if (!parent)
        parent = vgpu_pick_vf(&snapshot, chosen->gpu);
    if (!parent)
        return vgpu_error_at(error, VGPU_ERROR_NO_CAPACITY, domain->what, 0,
                             "GPU %s has no virtual function for vGPU %u", chosen->gpu->address,
                             want->index);
    *claim = claim_at(want, chosen->gpu, parent->address, chosen->profile);
    return true;
}

/* What it has now, when it runs; or its room, kept while it is saved. */
static const VgpuClaim *
present(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuClaim *claim = vgpu_owner_find(vgpu_records_find(self, domain->uuid), want->uuid);

    return claim && claim->phase != VGPU_PHASE_FAILED && claim->phase != VGPU_PHASE_RELEASING &&
                   vgpu_claim_fits(claim, want)
               ? claim
               : vgpu_saved_place(self, domain, domain->uuid, want);
}

/* Whether a start there would succeed as things are. */
static bool
has_room(Binding *self, const VgpuWant *want, const VgpuClaim *claim)
{
    const VgpuOwner *owner = vgpu_records_find(self->manager, self->domain->uuid);
    const VgpuSnapshot *snapshot = snapshot_of(self);
    g_autoptr(GPtrArray) candidates = NULL;
    VgpuWant there = *want;

    if (claim->owner && claim->owner->kind == VGPU_KIND_HELD)
        return true;
    if (is_cordoned(self->manager, claim))
        return false;
    for (guint i = 0;
         owner && vgpu_interface_is_on_vf(claim->interface) && i < owner->claims->len; i++) {
        if (g_str_equal(((VgpuClaim *) g_ptr_array_index(owner->claims, i))->parent,
                        claim->parent))
            return true; /* its own, of the run before */
    }
    there.interface = claim->interface;
    there.vf = vgpu_interface_is_on_vf(claim->interface) ? claim->parent : NULL;
    candidates = vgpu_placement_candidates(snapshot, &there);
    return vgpu_placement_choose(snapshot, candidates, want->placement) != NULL;
}

/* --- create="define" ------------------------------------------------------------------------ */

/* Hold the place of @claim for it. */
static void
hold(Binding *self, VgpuWant *want, const VgpuClaim *claim)
{
    const VgpuDomain *domain = self->domain;
    VgpuClaim *held = vgpu_claim_copy_place(claim);

    vgpu_claim_charge(held, want, domain->tenant);
    vgpu_held_put(self->manager, domain->uuid, domain->name, held);
    g_clear_pointer(&self->reading, vgpu_reading_free); /* there is less room now */
}

/* A place with room for a vGPU whose device cannot be kept, or NULL; *@is_kept: a device is kept instead. */
static VgpuClaim *
find_to_hold(Binding *self, VgpuWant *want, bool *is_kept, GError **error)
{
    const VgpuDomain *domain = self->domain;
    VgpuSnapshot snapshot = *snapshot_of(self);
    g_autoptr(GHashTable) closed = closed_to(domain, &snapshot);
    g_autoptr(GPtrArray) candidates = NULL;
    g_autoptr(GError) reason = NULL;
    const VgpuCandidate *chosen;

    snapshot.closed = closed;
    candidates = vgpu_placement_candidates(&snapshot, want);
    chosen = vgpu_placement_choose(&snapshot, candidates, want->placement);
    if (chosen && vgpu_held_is_for(chosen->gpu, chosen->profile))
        return claim_at(want, chosen->gpu, chosen->parent->address, chosen->profile);
    /* libvirt would keep the device: it is asked although there is no room now */
    for (guint i = 0; !chosen && i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        *is_kept |= candidate->profile && candidate->verdict > VGPU_VERDICT_NOT_IN_POOL &&
                    !vgpu_held_is_for(candidate->gpu, candidate->profile);
    }
    *is_kept |= chosen != NULL;
    if (*is_kept)
        return NULL;
    vgpu_placement_explain(candidates, want, &reason);
    vgpu_error_at(error, (VgpuError) reason->code, domain->what, want->line,
                  "cannot reserve room (create='define'): %s", reason->message);
    return NULL;
}

/* The place that it has, or that is planned for it, if there is room there. */
static VgpuClaim *
find_present(Binding *self, const VgpuWant *want)
{
    const VgpuManager *manager = self->manager;
    const VgpuDomain *domain = self->domain;
    const VgpuClaim *known = present(manager, domain, want);
    const VgpuGpu *gpu = known ? vgpu_inventory_find(manager->inventory, known->gpu) : NULL;
    const VgpuProfile *profile = gpu ? vgpu_gpu_find_profile(gpu, known->profile_id) : NULL;
    g_autoptr(VgpuClaim) claim = NULL;

    if (known && !known->persistent && profile && vgpu_held_is_for(gpu, profile))
        return vgpu_claim_copy_place(known);
    known = vgpu_plan_find(manager, domain->uuid, want->uuid);
    if (known && is_usable(manager, known, want) && has_room(self, want, known))
        return vgpu_claim_copy_place(known);
    claim = claim_from_hostdev(manager, domain, want);
    return claim && has_room(self, want, claim) ? g_steal_pointer(&claim) : NULL;
}

/* Bind it to the room that is held for it, or hold some first. *@is_done: whether that was possible. */
static bool
bind_held(Binding *self, VgpuWant *want, bool *is_done, GError **error)
{
    VgpuManager *manager = self->manager;
    const VgpuDomain *domain = self->domain;
    const VgpuDefinition *definition = vgpu_definitions_find(manager, domain->uuid);
    const VgpuClaim *held = vgpu_held_find(manager, want->uuid);
    g_autoptr(VgpuClaim) claim = NULL;
    bool is_kept = vgpu_records_find_persistent(manager, want->uuid);

    if (is_kept || self->now || (held && !vgpu_claim_fits(held, want))) /* until it stops */
        return true;
    if (held && !is_usable(manager, held, want) && definition && definition->running)
        return true;
    if (!held || !is_usable(manager, held, want)) {
        bind_to(want, VGPU_INTERFACE_NONE, NULL);
        claim = find_present(self, want);
        if (!claim && !(claim = find_to_hold(self, want, &is_kept, error)))
            return is_kept;
        hold(self, want, claim);
        held = vgpu_held_find(manager, want->uuid);
    }
    bind_to(want, held->interface, held->parent);
    want->is_held = *is_done = true;
    vgpu_display_find(want, manager->inventory);
    return true;
}

/* --- each of them --------------------------------------------------------------------------- */

/* Whether the definition keeps its place; for a start there has to be room, too. */
static bool
is_to_stay(Binding *self, const VgpuWant *want, const VgpuClaim *claim)
{
    bool is_held = claim->owner && claim->owner->kind == VGPU_KIND_HELD;

    return self->now ? has_room(self, want, claim)
                     : is_held || !is_cordoned(self->manager, claim);
}

/* Choose again. @spare (NULL: none) is on a cordoned GPU, and given up only for a place on one that is
 * not. False with an error: there is no place. The chosen place is *@claim if it is on a VF, or @spare. */
static bool
choose_or_stay(Binding *self, VgpuWant *want, const VgpuClaim *spare, VgpuClaim **claim,
               const VgpuClaim **known, GError **error)
{
    GError *failure = NULL;
    bool is_chosen = choose_place(self, want, claim, &failure);

    *known = *claim;
    if (spare && (!is_chosen || is_cordoned(self->manager, *claim))) {
        g_clear_error(&failure);
        *known = spare;
    }
    if (failure)
        g_propagate_error(error, failure);
    return *known || is_chosen;
}

/* The mdev of the run before while it is being removed: its place is the domain's, unless the GPU is cordoned. */
static const VgpuClaim *
left_behind(const Binding *self, const VgpuWant *want)
{
    const VgpuOwner *owner = vgpu_records_find(self->manager, self->domain->uuid);
    const VgpuClaim *claim = vgpu_owner_find(owner, want->uuid);

    return claim && claim->phase == VGPU_PHASE_RELEASING &&
                   !vgpu_interface_is_on_vf(claim->interface) && vgpu_claim_fits(claim, want) &&
                   !is_cordoned(self->manager, claim)
               ? claim
               : NULL;
}

/* Choose its place, with room or without. */
static bool
bind_planned(Binding *self, VgpuWant *want, GError **error)
{
    VgpuManager *manager = self->manager;
    const VgpuDomain *domain = self->domain;
    const VgpuClaim *reserved = vgpu_plan_find(manager, domain->uuid, want->uuid);
    const VgpuClaim *known = present(manager, domain, want);
    g_autoptr(VgpuClaim) named = NULL, claim = NULL;
    const VgpuClaim *spare = NULL; /* the place that it has, and leaves if it can */

    if (!known && reserved && is_usable(manager, reserved, want) &&
        !is_taken_by_own(domain, reserved->parent))
        *(is_to_stay(self, want, reserved) ? &known : &spare) = reserved;
    if (!known && (named = claim_from_hostdev(manager, domain, want))) {
        if (is_to_stay(self, want, named))
            known = named;
        else if (!spare)
            spare = named;
    }
    if (!known && !self->now)
        known = left_behind(self, want);
    if (!known &&
        !(!self->now && is_out_of_sight(manager, domain, want) && keep_as_it_is(domain, want)) &&
        !choose_or_stay(self, want, self->now ? NULL : spare, &claim, &known, error))
        return false;
    if (known)
        bind_to(want, known->interface, known->parent);
    vgpu_display_find(want, manager->inventory);
    if (!want->vf) /* the mark of a start that had to be moved is no longer needed */
        vgpu_plan_drop(manager, domain->uuid, want->uuid);
    else if (known && (!reserved || !g_str_equal(reserved->parent, known->parent) ||
                       !g_str_equal(reserved->profile_id, known->profile_id)))
        vgpu_plan_put(manager, domain, vgpu_claim_copy_place(known));
    return true;
}

static bool
bind_one(Binding *self, VgpuWant *want, GError **error)
{
    VgpuManager *manager = self->manager;
    bool is_done = false;

    if (want->create_at_define && !bind_held(self, want, &is_done, error))
        return false;
    if (!is_done)
        return bind_planned(self, want, error);
    vgpu_plan_drop(manager, self->domain->uuid, want->uuid);
    return true;
}

/* Whether the device that uuid= names is not of another domain's. */
static bool
check_users(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want,
            GError **error)
{
    const char *other = vgpu_known_owner(self, want->uuid, domain->uuid);

    return !other || vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, domain->what, want->line,
                                   VGPU_REFUSAL_ANOTHERS, want->uuid, other);
}

static bool
bind_all(VgpuManager *self, VgpuDomain *domain, bool now, GError **error)
{
    g_auto(Binding) binding = { .manager = self, .domain = domain, .now = now };

    if (!vgpu_pooling_complete(self, domain, error))
        return false;
    (void) vgpu_manager_inventory(self);
    vgpu_plan_prune(self, domain);
    vgpu_held_prune(self, domain);
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (want->uuid_is_users ? !check_users(self, domain, want, error)
                                : !bind_one(&binding, want, error))
            return false;
    }
    return true;
}

bool
vgpu_manager_bind(VgpuManager *self, VgpuDomain *domain, GError **error)
{
    return bind_all(self, domain, false, error);
}

bool
vgpu_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
{
    return bind_all(self, domain, true, error);
}
