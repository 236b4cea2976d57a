#include "core/prospect.h"

#include <string.h>

#include "core/manager-private.h"
#include "core/plan.h"
#include "core/reading.h"
#include "core/steps.h"
#include "domain/refusals.h"

/* --- where the domain's XML says that it is to be ----------------------------------------- */

/* Where it can go if the domain's XML does not say where; NULL: nowhere. */
static const VgpuCandidate *
choose_anywhere(VgpuStart *self, const VgpuWant *want, GPtrArray **candidates)
{
    g_autoptr(VgpuReading) reading =
        vgpu_reading_new(self->manager, self->domain, self->key, self->refused);
    VgpuWant anywhere = *want;

    anywhere.interface = VGPU_INTERFACE_NONE;
    anywhere.vf = NULL;
    for (guint i = 0; i < self->domain->wants->len; i++) {
        const VgpuWant *other = g_ptr_array_index(self->domain->wants, i);

        if (other->vf)
            g_hash_table_insert(reading->closed, other->vf,
                                (gpointer) (other == want ? "it cannot be had just now"
                                                          : "the domain has it"));
    }
    *candidates = vgpu_placement_candidates(&reading->snapshot, &anywhere);
    return vgpu_placement_choose(&reading->snapshot, *candidates, want->placement);
}

void
vgpu_prospect_move(VgpuStart *self, VgpuStep *step, const char *why)
{
    const VgpuWant *want = step->want;
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen = choose_anywhere(self, want, &candidates);
    g_autofree char *text = NULL;
    VgpuClaim *claim;

    if (!chosen) {
        if (!self->failure)
            vgpu_placement_explain(candidates, want, &self->failure);
        return;
    }
    claim = vgpu_claim_new(want->uuid, want->index);
    vgpu_claim_put(claim, chosen->gpu, chosen->parent->address, chosen->profile);
    vgpu_plan_put(self->manager, self->domain, claim);
    self->manager->ops.rewrite(self->key, self->manager->opaque);
    text = g_strdup_printf(VGPU_REFUSAL_MOVED, want->index, why);
    vgpu_steps_fail(self, VGPU_ERROR_BUSY, text);
}

/* The type of what is on the VF and in no record; NULL: nothing is. */
static const char *
foreign_type(const VgpuInventory *inventory, const char *vf)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(inventory, vf);
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, vf) : NULL;
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    return instance && !instance->uuid ? instance->profile_id : NULL;
}

static char *
why_not_there(VgpuStart *self, const VgpuWant *want, const GPtrArray *candidates)
{
    const char *user = want->vf ? vgpu_plan_user(self->manager, want->vf, self->key) : NULL;
    const char *type = want->vf ? foreign_type(self->manager->inventory, want->vf) : NULL;
    g_autoptr(GError) error = NULL;

    if (user)
        return g_strdup_printf("VF %s is in use by domain '%s'", want->vf, user);
    if (type)
        return g_strdup_printf("VF %s carries %s, set by somebody else", want->vf, type);
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

/* --- what is seen of it ------------------------------------------------------------------- */

static VgpuProspect *
place_at(VgpuProspect *self, const VgpuGpu *gpu, const char *parent, const VgpuProfile *profile)
{
    self->room = VGPU_ROOM_YES;
    self->gpu = gpu;
    self->parent = parent;
    self->profile = profile;
    return self;
}

/* There is none, and there will be none. */
static VgpuProspect *
place_refused(VgpuProspect *self, VgpuError code, char *why)
{
    self->room = VGPU_ROOM_NO;
    self->refusal = why;
    self->code = code;
    return self;
}

/* Whether what is known of that function's GPU was read after this start had begun, so that what was
 * seen there is there now. */
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
    if (self->kept) { /* it is where it is to be */
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
    return place_refused(
        self, VGPU_ERROR_BUSY,
        g_strdup_printf("a device %s exists on %s, which is no GPU that is known", want->uuid,
                        found->parent ? found->parent : "an unknown parent"));
}

/* create="define": libvirt was asked to define it when the domain was defined; an inactive one is made
 * on its recorded parent. */
static VgpuProspect *
find_kept(VgpuProspect *self, const VgpuStart *start)
{
    const VgpuClaim *kept = self->kept;
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(start->manager->inventory, kept->parent);
    g_autofree char *pair = vgpu_placement_pair(kept->parent, kept->profile_id);

    if (!gpu || g_hash_table_contains(start->refused, pair))
        return place_refused(self, gpu ? VGPU_ERROR_DRIVER : VGPU_ERROR_NOT_FOUND,
                             g_strdup_printf("its persistent vGPU %s cannot be made on %s: %s",
                                             kept->uuid, kept->parent,
                                             gpu ? "the driver refused it"
                                                 : "there is no such GPU"));
    self->kept_profile = vgpu_profile_new(kept->profile_id, kept->profile_name);
    return place_at(self, gpu, kept->parent, self->kept_profile);
}

/* --- room --------------------------------------------------------------------------------- */

/* Those that are to be placed now, @step first: they are placed so that all have room, if there is a
 * way. */
static GPtrArray *
to_be_placed(const VgpuStart *start, const VgpuStep *step)
{
    GPtrArray *wants = g_ptr_array_new();

    g_ptr_array_add(wants, (gpointer) step->want);
    for (guint i = 0; i < start->steps->len; i++) {
        const VgpuStep *other = &g_array_index(start->steps, VgpuStep, i);

        if (other != step && other->call == VGPU_CALL_NONE && !other->want->uuid_is_users &&
            !other->want->create_at_define && !vgpu_steps_claim(start, other))
            g_ptr_array_add(wants, (gpointer) other->want);
    }
    return wants;
}

/* Where it goes with regard to the domain's others. */
static bool
find_with_others(VgpuProspect *self, VgpuStart *start, const VgpuStep *step)
{
    g_autoptr(GPtrArray) wants = to_be_placed(start, step);
    g_autoptr(GArray) spots = wants->len > 1 && !start->apart
                                  ? vgpu_placement_together(&self->reading->snapshot, wants, NULL)
                                  : NULL;
    const VgpuSpot *spot;

    if (!spots) {
        start->apart |= wants->len > 1; /* the search may take long */
        return false;
    }
    spot = &g_array_index(spots, VgpuSpot, 0);
    place_at(self, spot->gpu, spot->parent->address, spot->profile);
    return true;
}

/* Whether vGPUs of the domain's run before are on their way out, which make room for it. */
static bool
has_some_to_go(const VgpuStart *start, bool is_taken)
{
    const VgpuOwner *owner = vgpu_records_find(start->manager, start->key);

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        /* the driver of a VF tells only of the profiles that it could make now */
        if (claim->phase == VGPU_PHASE_RELEASING &&
            (is_taken || claim->interface == VGPU_INTERFACE_VENDOR_VFIO))
            return true;
    }
    return false;
}

/* Nothing fits: whether a GPU may do in a moment, of which too little is known now. */
static bool
is_to_wait(VgpuProspect *self, VgpuStart *start, const VgpuStep *step)
{
    VgpuSeen seen = vgpu_sight_see(start->manager, step->want, true, start->begun);
    bool is_silent = false, is_taken = false;

    for (guint i = 0; i < self->candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(self->candidates, i);

        is_silent |= candidate->verdict == VGPU_VERDICT_NOT_ANSWERING;
        is_taken |= candidate->verdict >= VGPU_VERDICT_OTHER_SIZE;
    }
    if (is_silent && seen.falls_silent) {
        g_clear_error(&start->unanswered);
        vgpu_placement_explain(self->candidates, step->want, &start->unanswered);
        return true;
    }
    if (has_some_to_go(start, is_taken)) {
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

static VgpuProspect *
find_room(VgpuProspect *self, VgpuStart *start, const VgpuStep *step)
{
    const VgpuWant *want = step->want;
    const VgpuCandidate *chosen;

    self->reading = vgpu_reading_new(start->manager, start->domain, start->key, start->refused);
    if (want->vf) /* what its driver refused is tried again by the one that is to have it */
        g_hash_table_remove(self->reading->closed, want->vf);
    if (find_with_others(self, start, step))
        return self;
    self->candidates = vgpu_placement_candidates(&self->reading->snapshot, want);
    chosen = vgpu_placement_choose(&self->reading->snapshot, self->candidates, want->placement);
    if (chosen)
        return place_at(self, chosen->gpu, chosen->parent->address, chosen->profile);
    if (is_to_wait(self, start, step))
        return self;
    if (!step->asked_for_gpu_instance)
        self->instance = find_mig_auto(self->candidates);
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
    VgpuFound found = { 0 };

    if (asked.asked || asked.others_asked)
        return self;
    (void) vgpu_manager_inventory(manager);
    if (!want->vf) /* what is on a VF is its driver's to say, when it is asked to make it */
        found = vgpu_sight_find(manager, want->uuid);
    if (want->create_at_define)
        self->kept = vgpu_records_find_persistent(manager, want->uuid);
    if (self->kept)
        (void) find_kept(self, start);
    if (found.exists && (self->kept || want->uuid_is_users || !want->create_at_define))
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
    g_clear_pointer(&self->candidates, g_ptr_array_unref);
    g_clear_pointer(&self->reading, vgpu_reading_free);
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
    } else if (self->seen != VGPU_SEEN_ABSENT) {
        why = g_strdup_printf("the device %s exists on %s with profile '%s' instead of '%s'",
                              want->uuid, self->parent, self->profile->name, want->profiles[0]);
        vgpu_steps_fail(start, VGPU_ERROR_BAD_REQUEST, why);
    } else if (want->interface != VGPU_INTERFACE_NONE && !want->uuid_is_users &&
               !is_being_set_up(start->manager, want)) {
        why = why_not_there(start, want, self->candidates);
        vgpu_prospect_move(start, step, why);
    } else {
        vgpu_placement_explain(self->candidates, want, &start->failure);
    }
}
