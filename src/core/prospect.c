/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/prospect.h"

#include <string.h>

#include "core/held.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "core/steps.h"
#include "domain/refusals.h"

/* The planner's view of a start; @others: from to_be_placed(), or NULL. */
static VgpuPlanner
planner_of(const VgpuStart *start, const GPtrArray *others)
{
    return (VgpuPlanner) {
        .manager = start->manager,
        .domain = start->domain,
        .key = start->key,
        .refused = start->refused,
        .others = others,
    };
}

/* Have the definition name another place, if there is one; in any case the start is refused with @error
 * (taken). */
static void
move(VgpuStart *self, VgpuClaim *to, GError *error)
{
    if (to) {
        vgpu_plan_put(self->manager, self->domain, to);
        self->manager->ops.rewrite(self->key, self->manager->opaque);
    }
    if (self->failure)
        g_error_free(error);
    else
        self->failure = error;
}

void
vgpu_prospect_move(VgpuStart *self, VgpuStep *step, const char *why)
{
    const VgpuPlanner planner = planner_of(self, NULL);
    GError *error = NULL;
    VgpuClaim *to = vgpu_planner_move(&planner, step->want, why, &error);

    move(self, to, error);
}

/* --- what is seen of the device ------------------------------------------------------------------- */

static VgpuProspect *
place_at(VgpuProspect *self, const VgpuGpu *gpu, const char *parent, const VgpuProfile *profile)
{
    self->room = VGPU_ROOM_YES;
    self->gpu = gpu;
    self->parent = parent;
    self->profile = profile;
    return self;
}

/* There is no device, and none can be made. */
static VgpuProspect *
place_refused(VgpuProspect *self, VgpuError code, char *why)
{
    self->room = VGPU_ROOM_NO;
    self->refusal = why;
    self->code = code;
    return self;
}

/* Whether that function's GPU was read after this start had begun, so that a device seen there exists
 * now. */
static bool
is_still_so(const VgpuStart *start, const char *function)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(start->manager->inventory, function);

    return gpu && vgpu_drivers_see(start->manager->drivers, gpu->address, start->begun) ==
                      VGPU_SIGHT_FRESH;
}

/* A device of that UUID exists. */
static VgpuProspect *
see_device(VgpuProspect *self, const VgpuStart *start, const VgpuWant *want,
           const VgpuFound *found)
{
    const VgpuInventory *inventory = start->manager->inventory;
    const VgpuGpu *gpu =
        found->parent ? vgpu_inventory_find_by_function(inventory, found->parent) : NULL;

    if (!is_still_so(start, found->parent))
        return self;
    self->seen = VGPU_SEEN_UNTOLD;
    if (self->kept) { /* it is where it should be */
        if (self->room == VGPU_ROOM_NO)
            self->seen = VGPU_SEEN_ABSENT;
        return self;
    }
    self->gpu = gpu;
    self->parent = found->parent;
    self->profile =
        gpu && found->profile_id ? vgpu_gpu_find_profile(gpu, found->profile_id) : NULL;
    if (self->profile)
        return self;
    self->seen = VGPU_SEEN_ABSENT;
    return place_refused(self, VGPU_ERROR_BUSY,
                         vgpu_planner_why_not_device(want, found->parent, NULL));
}

/* create="define": libvirt was asked to define it when the domain was defined; an inactive one is made
 * on its recorded parent. */
static VgpuProspect *
find_kept(VgpuProspect *self, const VgpuStart *start)
{
    const VgpuClaim *kept = self->kept;
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(start->manager->inventory, kept->parent);
    const VgpuPlanner planner = planner_of(start, NULL);
    VgpuError code = VGPU_ERROR_FAILED;
    char *why = vgpu_planner_why_not_kept(&planner, kept, &code);

    if (why)
        return place_refused(self, code, why);
    self->kept_profile = vgpu_profile_new(kept->profile_id, kept->profile_name);
    return place_at(self, gpu, kept->parent, self->kept_profile);
}

/* create="define" where no device is kept: it is made in the room that is held for it. If that room no
 * longer exists, another place is chosen when the definition is looked at. */
static VgpuProspect *
find_held(VgpuProspect *self, const VgpuStart *start, const VgpuWant *want, const VgpuClaim *held)
{
    VgpuManager *manager = start->manager;
    const VgpuPlanner planner = planner_of(start, NULL);
    char *why = vgpu_planner_why_not_held(&planner, want, held);
    const VgpuGpu *gpu = vgpu_inventory_find(manager->inventory, held->gpu);

    if (why) {
        manager->ops.rewrite(start->key, manager->opaque);
        return place_refused(self, VGPU_ERROR_NO_CAPACITY, why);
    }
    self->kept_profile = vgpu_profile_new(held->profile_id, held->profile_name);
    return place_at(self, gpu, vgpu_gpu_find_parent(gpu, held->parent)->address,
                    self->kept_profile);
}

/* --- room --------------------------------------------------------------------------------- */

/* The others to place now. */
static GPtrArray *
to_be_placed(const VgpuStart *start, const VgpuStep *step)
{
    GPtrArray *wants = g_ptr_array_new();

    for (guint i = 0; !start->apart && i < start->steps->len; i++) {
        const VgpuStep *other = &g_array_index(start->steps, VgpuStep, i);

        if (other != step && other->call == VGPU_CALL_NONE && !other->want->uuid_is_users &&
            !other->want->create_at_define && !vgpu_steps_claim(start, other))
            g_ptr_array_add(wants, (gpointer) other->want);
    }
    return wants;
}

/* Nothing fits: whether to wait for a GPU about which too little is known at the moment. */
static bool
is_to_wait(VgpuProspect *self, VgpuStart *start, const VgpuStep *step)
{
    const VgpuPlanner planner = planner_of(start, NULL);
    const GPtrArray *candidates = self->place->candidates;
    VgpuSeen seen = vgpu_sight_see(start->manager, step->want, true, start->begun);
    bool is_silent = false;

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        is_silent |= candidate->verdict == VGPU_VERDICT_NOT_ANSWERING;
    }
    if (is_silent && seen.falls_silent) {
        g_clear_error(&start->unanswered);
        vgpu_placement_explain(candidates, step->want, &start->unanswered);
        return true;
    }
    if (vgpu_planner_is_to_wait(&planner, candidates)) {
        self->wait = VGPU_REFUSAL_STILL_REMOVED;
        return true;
    }
    if (!start->manager->discovery)
        self->wait = "it is not known yet which GPUs there are";
    else if (seen.busy)
        self->wait = "its GPU is busy with other vGPUs";
    else
        self->wait = "the drivers of other GPUs have not answered yet";
    return seen.busy || seen.others_asked || !start->manager->discovery;
}

static VgpuProspect *
find_room(VgpuProspect *self, VgpuStart *start, const VgpuStep *step)
{
    g_autoptr(GPtrArray) others = to_be_placed(start, step);
    const VgpuPlanner planner = planner_of(start, others);
    VgpuPlanned *place = self->place = vgpu_planner_place(&planner, step->want);

    start->apart |= place->is_apart; /* the search may take long */
    if (place->room == VGPU_ROOM_YES)
        return place_at(self, place->gpu, place->parent, place->profile);
    if (is_to_wait(self, start, step))
        return self;
    self->instance = step->asked_for_gpu_instance ? NULL : place->instance;
    self->room = self->instance ? VGPU_ROOM_INSTANCE : VGPU_ROOM_NO;
    return self;
}

/* --- all of it ---------------------------------------------------------------------------- */

VgpuProspect *
vgpu_prospect_new(VgpuStart *start, const VgpuStep *step)
{
    VgpuProspect *self = g_new0(VgpuProspect, 1);
    VgpuManager *manager = start->manager;
    const VgpuWant *want = step->want;
    VgpuSeen asked = vgpu_sight_see(manager, want, step->is_elsewhere, start->begun);
    const VgpuClaim *held = NULL;
    VgpuFound found = { 0 };

    if (asked.asked || asked.others_asked)
        return self;
    (void) vgpu_manager_inventory(manager);
    if (!want->vf) /* for a VF its driver reports an existing device when it is asked to make one */
        found = vgpu_sight_find(manager, want->uuid);
    if (want->create_at_define)
        self->kept = vgpu_records_find_persistent(manager, want->uuid);
    if (self->kept)
        (void) find_kept(self, start);
    else if (want->create_at_define)
        held = vgpu_held_find(manager, want->uuid);
    if (held && !found.exists) {
        self->seen = VGPU_SEEN_ABSENT;
        return find_held(self, start, want, held);
    }
    if (found.exists && (self->kept || held || want->uuid_is_users || !want->create_at_define))
        return see_device(self, start, want, &found);
    self->seen = VGPU_SEEN_ABSENT;
    if (self->kept)
        return self;
    if (want->create_at_define)
        return place_refused(
            self, VGPU_ERROR_BUSY,
            g_strdup("its persistent vGPU (create=\"define\") is not defined yet; start it "
                     "again in a moment (a transient domain cannot have one)"));
    return find_room(self, start, step);
}

void
vgpu_prospect_free(VgpuProspect *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->place, vgpu_planned_free);
    g_clear_pointer(&self->kept_profile, vgpu_profile_free);
    g_free(self->refusal);
    g_free(self);
}

void
vgpu_prospect_refuse(const VgpuProspect *self, VgpuStart *start, VgpuStep *step)
{
    const VgpuWant *want = step->want;
    g_autofree char *why = NULL;

    if (start->failure)
        return;
    if (self->refusal) {
        vgpu_steps_fail(start, self->code, self->refusal);
    } else if (self->seen != VGPU_SEEN_ABSENT && step->unusable) {
        why = g_strdup_printf("the device %s exists on %s, but cannot be used: %s", want->uuid,
                              self->parent, step->unusable);
        vgpu_steps_fail(start, VGPU_ERROR_BAD_REQUEST, why);
    } else if (self->seen != VGPU_SEEN_ABSENT) {
        why = vgpu_planner_why_not_device(want, self->parent, self->profile);
        vgpu_steps_fail(start, VGPU_ERROR_BAD_REQUEST, why);
    } else {
        const VgpuPlanner planner = planner_of(start, NULL);
        GError *error = NULL;
        VgpuClaim *to = vgpu_planner_refuse(&planner, want, self->place->candidates, &error);

        move(start, to, error);
    }
}
