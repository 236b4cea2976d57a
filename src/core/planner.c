/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/planner.h"

#include "core/known.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "core/reading.h"
#include "core/saved.h"
#include "domain/display.h"
#include "domain/inject.h"
#include "domain/refusals.h"

/* --- the domain ----------------------------------------------------------------------------- */

/* Every hostdev with an alias of ours must be this domain's own, and wanted: a clone carries the
 * original's, an edited annotation leaves one over. */
bool
vgpu_planner_check_hostdevs(const VgpuManager *self, const VgpuDomain *domain,
                            const VgpuWant **about, GError **error)
{
    for (guint i = 0; i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = g_ptr_array_index(domain->hostdevs, i);
        const char *device = hostdev->source ? hostdev->source : hostdev->uuid;
        VgpuWant *want;

        if (hostdev->index < 0) /* the user's own, regardless of the alias */
            continue;
        want = (guint) hostdev->index < domain->wants->len
                   ? g_ptr_array_index(domain->wants, hostdev->index)
                   : NULL;
        if (want && vgpu_plan_take_hostdev(self, domain, hostdev, want))
            continue;
        *about = want;
        return vgpu_error_set(error, VGPU_ERROR_BUSY, VGPU_REFUSAL_NOT_ITS_OWN, hostdev->alias,
                              hostdev->source ? "VF" : "vGPU", device ? device : "-");
    }
    return true;
}

bool
vgpu_planner_check_displays(VgpuManager *self, VgpuDomain *domain, GError **error)
{
    g_autoptr(GPtrArray) plan = NULL;

    for (guint i = 0; i < domain->wants->len; i++)
        vgpu_display_find(g_ptr_array_index(domain->wants, i), self->inventory);
    /* made only for its refusals: of an annotation that contradicts the domain */
    plan = vgpu_inject_plan(domain, self->ops.libvirt, error);
    return plan != NULL;
}

/* A device left by a run on a cordoned GPU is given up; one that outlives runs stays where it is. */
static bool
is_to_leave(const VgpuManager *self, const VgpuClaim *claim, const VgpuWant *want)
{
    const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, claim->gpu);

    return gpu && gpu->cordon && claim->phase == VGPU_PHASE_RELEASING &&
           !want->create_at_define && vgpu_claim_hold(claim) == VGPU_HOLD_OURS;
}

bool
vgpu_planner_keeps(const VgpuManager *self, const VgpuDomain *domain, const VgpuClaim *claim,
                   const VgpuWant *want)
{
    if (is_to_leave(self, claim, want) || !vgpu_claim_fits(claim, want) ||
        (want->vf && !g_str_equal(want->vf, claim->parent)) ||
        (want->interface != VGPU_INTERFACE_NONE && claim->interface != want->interface))
        return false;
    return vgpu_claim_hold(claim) != VGPU_HOLD_OURS ||
           (g_strcmp0(claim->params, want->params) == 0 &&
            g_strcmp0(claim->pool, vgpu_pool_meant(want->pool)) == 0 &&
            g_strcmp0(claim->tenant, domain->tenant) == 0);
}

/* Whether a definition that names that UUID takes precedence over the domain, or the vGPU made by hand,
 * that wants it. */
static bool
comes_first(const VgpuDefinition *self, const VgpuDefinition *own, const char *uuid)
{
    return !vgpu_definitions_find_want(self, uuid)->uuid_is_users || !own ||
           self->order < own->order;
}

const char *
vgpu_planner_other_owner(const VgpuManager *self, const char *key, const VgpuWant *want)
{
    /* a UUID that is computed from the domain's belongs to it, even if others name it */
    bool is_computed = !want->uuid_is_users && !g_str_equal(key, want->uuid);
    const VgpuDefinition *own = self->others ? NULL : vgpu_definitions_find(self, key);
    const GPtrArray *claims = vgpu_reservations_of_uuid(self->reservations, want->uuid);
    const GPtrArray *wanting =
        self->others || is_computed ? NULL : vgpu_definitions_wanting(self, want->uuid);

    for (guint i = 0; claims && i < claims->len; i++) {
        const VgpuOwner *owner = ((const VgpuClaim *) g_ptr_array_index(claims, i))->owner;

        if (((1u << owner->kind) & VGPU_KINDS_OWNED) && !g_str_equal(owner->key, key) &&
            (owner->domain_uuid || !want->uuid_is_users))
            return owner->domain_name ? owner->domain_name : "none (made by hand)";
    }
    for (guint i = 0; wanting && i < wanting->len; i++) {
        const VgpuDefinition *other = g_ptr_array_index(wanting, i);

        if (other != own && comes_first(other, own, want->uuid))
            return other->domain->name;
    }
    if (self->others)
        return g_hash_table_lookup(self->others, want->uuid);
    return is_computed ? NULL : vgpu_known_owner(self, want->uuid, key);
}

/* --- a place -------------------------------------------------------------------------------- */

void
vgpu_planned_free(VgpuPlanned *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->candidates, g_ptr_array_unref);
    g_clear_pointer(&self->reading, vgpu_reading_free);
    g_free(self);
}

static VgpuPlanned *
place_at(VgpuPlanned *self, const VgpuGpu *gpu, const VgpuParent *parent,
         const VgpuProfile *profile)
{
    self->room = VGPU_ROOM_YES;
    self->gpu = gpu;
    self->parent = parent->address;
    self->profile = profile;
    return self;
}

/* Choose its place together with the domain's other vGPUs: all of them get room, if that is possible. */
static bool
find_with_others(const VgpuPlanner *self, const VgpuWant *want, VgpuPlanned *place)
{
    g_autoptr(GPtrArray) wants = g_ptr_array_new();
    g_autoptr(GArray) spots = NULL;
    const VgpuSpot *spot;

    if (!self->others || !self->others->len)
        return false;
    g_ptr_array_add(wants, (gpointer) want);
    for (guint i = 0; i < self->others->len; i++)
        g_ptr_array_add(wants, self->others->pdata[i]);
    spots = vgpu_placement_together(&place->reading->snapshot, wants, NULL);
    place->is_apart = !spots;
    if (!spots)
        return false;
    spot = &g_array_index(spots, VgpuSpot, 0);
    (void) place_at(place, spot->gpu, spot->parent, spot->profile);
    return true;
}

/* A GPU on which a missing GPU instance may be made. */
static const VgpuCandidate *
find_mig_auto(const GPtrArray *candidates)
{
    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        if (candidate->lacks_gpu_instance && candidate->gpu->mig_auto &&
            candidate->profile->gi_profile >= 0)
            return candidate;
    }
    return NULL;
}

/* Its own room, kept while the domain was saved; false: there is none, or it cannot be used. */
static bool
find_saved(const VgpuPlanner *self, const VgpuWant *want, VgpuPlanned *place)
{
    const VgpuClaim *saved = vgpu_saved_place(self->manager, self->domain, self->key, want);
    g_autofree char *pair = saved ? vgpu_placement_pair(saved->parent, saved->profile_id) : NULL;
    const VgpuGpu *gpu;

    if (!saved || g_hash_table_contains(place->reading->unseen, saved->gpu) ||
        (self->refused && g_hash_table_contains(self->refused, pair)))
        return false;
    gpu = vgpu_inventory_find(self->manager->inventory, saved->gpu);
    (void) place_at(place, gpu, vgpu_gpu_find_parent(gpu, saved->parent),
                    vgpu_gpu_find_profile(gpu, saved->profile_id));
    return place->is_saved = true;
}

VgpuPlanned *
vgpu_planner_place(const VgpuPlanner *self, const VgpuWant *want)
{
    VgpuPlanned *place = g_new0(VgpuPlanned, 1);
    const VgpuCandidate *chosen;

    place->reading = vgpu_reading_new(self->manager, self->domain, self->key, self->refused);
    if (want->vf) /* a VF that its driver has refused is tried again by the domain that it is
                   * planned for */
        g_hash_table_remove(place->reading->closed, want->vf);
    if (find_saved(self, want, place) || find_with_others(self, want, place))
        return place;
    place->candidates = vgpu_placement_candidates(&place->reading->snapshot, want);
    chosen = vgpu_placement_choose(&place->reading->snapshot, place->candidates, want->placement);
    if (chosen)
        return place_at(place, chosen->gpu, chosen->parent, chosen->profile);
    place->instance = find_mig_auto(place->candidates);
    place->room = place->instance ? VGPU_ROOM_INSTANCE : VGPU_ROOM_NO;
    return place;
}

/* Whether a start removes it, if that has not happened already. */
static bool
is_to_go(const VgpuPlanner *self, const VgpuClaim *claim)
{
    if (claim->phase == VGPU_PHASE_RELEASING || !self->before_start)
        return claim->phase == VGPU_PHASE_RELEASING;
    for (guint i = 0; i < self->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(self->domain->wants, i);

        if (g_strcmp0(want->uuid, claim->uuid) == 0)
            return !vgpu_planner_keeps(self->manager, self->domain, claim, want);
    }
    return claim->phase != VGPU_PHASE_FAILED;
}

bool
vgpu_planner_is_to_wait(const VgpuPlanner *self, const GPtrArray *candidates)
{
    const VgpuOwner *owner = vgpu_records_find(self->manager, self->key);
    bool is_taken = false;

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        is_taken |= candidate->verdict >= VGPU_VERDICT_OTHER_SIZE;
    }
    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        /* the driver of a VF tells only of the profiles that it could make now */
        if (is_to_go(self, claim) && (is_taken || claim->interface == VGPU_INTERFACE_VENDOR_VFIO))
            return true;
    }
    return false;
}

char *
vgpu_planner_why_not_device(const VgpuWant *want, const char *parent, const VgpuProfile *profile)
{
    if (!profile)
        return g_strdup_printf("a device %s exists on %s, which is not a known GPU", want->uuid,
                               parent ? parent : "an unknown parent");
    return g_strdup_printf("the device %s exists on %s with profile '%s' instead of '%s'",
                           want->uuid, parent, profile->name, want->profiles[0]);
}

char *
vgpu_planner_why_not_kept(const VgpuPlanner *self, const VgpuClaim *kept, VgpuError *code)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(self->manager->inventory, kept->parent);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, kept->parent) : NULL;
    g_autofree char *pair = vgpu_placement_pair(kept->parent, kept->profile_id);

    if (parent && parent->host_vf) {
        *code = VGPU_ERROR_NO_CAPACITY;
        return g_strdup_printf(
            "its persistent vGPU %s cannot be made on %s: " VGPU_REFUSAL_HOST_VF, kept->uuid,
            kept->parent, parent->host_vf);
    }
    if (gpu && !(self->refused && g_hash_table_contains(self->refused, pair)))
        return NULL;
    *code = gpu ? VGPU_ERROR_DRIVER : VGPU_ERROR_NOT_FOUND;
    return g_strdup_printf("its persistent vGPU %s cannot be made on %s: %s", kept->uuid,
                           kept->parent, gpu ? "the driver refused it" : "there is no such GPU");
}

char *
vgpu_planner_why_not_held(const VgpuPlanner *self, const VgpuWant *want, const VgpuClaim *held)
{
    const VgpuGpu *gpu = vgpu_inventory_find(self->manager->inventory, held->gpu);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, held->parent) : NULL;
    g_autofree char *pair = vgpu_placement_pair(held->parent, held->profile_id);
    g_autofree char *why = NULL;

    if (self->refused && g_hash_table_contains(self->refused, pair))
        why = g_strdup("the driver refused to make it");
    else if (!vgpu_claim_fits(held, want))
        why = g_strdup_printf("that is for '%s'", held->profile_name);
    else if (gpu && gpu->passed_through)
        why = g_strdup("its GPU is passed through whole");
    else if (!parent)
        why = g_strdup(gpu ? "it no longer exists; check that the VFs of its GPU are still "
                             "enabled"
                           : "there is no such GPU");
    else if (parent->host_vf)
        why = g_strdup_printf(VGPU_REFUSAL_HOST_VF, parent->host_vf);
    return why ? g_strdup_printf(VGPU_REFUSAL_HELD_IS_GONE, held->parent, why) : NULL;
}

/* --- none ----------------------------------------------------------------------------------- */

static VgpuWant
anywhere(const VgpuWant *want)
{
    VgpuWant there = *want;

    there.interface = VGPU_INTERFACE_NONE;
    there.vf = NULL;
    return there;
}

GPtrArray *
vgpu_planner_candidates(const VgpuPlanner *self, const VgpuWant *want, VgpuReading **reading)
{
    const VgpuWant there = anywhere(want);

    *reading = vgpu_reading_new(self->manager, self->domain, self->key, self->refused);
    vgpu_reading_close_own((*reading)->closed, self->domain);
    if (want->vf)
        g_hash_table_insert((*reading)->closed, want->vf,
                            (gpointer) "it is not available at present");
    return vgpu_placement_candidates(&(*reading)->snapshot, &there);
}

VgpuClaim *
vgpu_planner_move(const VgpuPlanner *self, const VgpuWant *want, const char *why, GError **error)
{
    const VgpuWant there = anywhere(want);
    g_autoptr(VgpuReading) reading = NULL;
    g_autoptr(GPtrArray) candidates = vgpu_planner_candidates(self, want, &reading);
    const VgpuCandidate *chosen =
        vgpu_placement_choose(&reading->snapshot, candidates, want->placement);
    VgpuClaim *claim;

    if (!chosen) {
        vgpu_placement_explain(candidates, &there, error);
        return NULL;
    }
    vgpu_error_set(error, VGPU_ERROR_BUSY, VGPU_REFUSAL_MOVED, want->index, why);
    claim = vgpu_claim_new(want->uuid, want->index);
    vgpu_claim_put(claim, chosen->gpu, chosen->parent->address, chosen->profile);
    return claim;
}

/* The type of the vGPU on the VF that has no record; NULL: there is none. */
static const char *
foreign_type(const VgpuInventory *inventory, const char *vf)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(inventory, vf);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, vf) : NULL;
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    return instance && !instance->uuid ? instance->profile_id : NULL;
}

static char *
why_not_there(const VgpuPlanner *self, const VgpuWant *want, const GPtrArray *candidates)
{
    const char *user = want->vf ? vgpu_plan_user(self->manager, want->vf, self->key) : NULL;
    g_autofree char *held =
        want->vf ? vgpu_saved_refuses(self->manager, want->vf, self->key) : NULL;
    const char *type = want->vf ? foreign_type(self->manager->inventory, want->vf) : NULL;
    g_autoptr(GError) error = NULL;

    if (user)
        return g_strdup_printf("VF %s is in use by domain '%s'", want->vf, user);
    if (held)
        return g_strdup_printf("VF %s: %s", want->vf, held);
    if (type)
        return g_strdup_printf("VF %s carries %s, which virt-vgpu did not set", want->vf, type);
    vgpu_placement_explain(candidates, want, &error);
    return g_strdup(error->message);
}

/* That is over in a moment, and no reason to move a definition. */
static bool
is_being_set_up(const VgpuManager *manager, const VgpuWant *want)
{
    const VgpuGpu *gpu =
        want->vf ? vgpu_inventory_find_by_function(manager->inventory, want->vf) : NULL;

    return gpu && vgpu_reservations_find(manager->reservations, VGPU_KIND_SETUP, gpu->address);
}

VgpuClaim *
vgpu_planner_refuse(const VgpuPlanner *self, const VgpuWant *want, const GPtrArray *candidates,
                    GError **error)
{
    g_autofree char *why = NULL;

    if (want->interface == VGPU_INTERFACE_NONE || want->uuid_is_users ||
        is_being_set_up(self->manager, want)) {
        vgpu_placement_explain(candidates, want, error);
        return NULL;
    }
    why = why_not_there(self, want, candidates);
    return vgpu_planner_move(self, want, why, error);
}
