/* step.c: what one vGPU of a starting domain can have: the device of its previous run, one that
 * exists already, its persistent one, or a new one */
#include <string.h>

#include "base/uuid.h"
#include "core/start-private.h"

#define PROBE_AGAIN_US 100000

/* There it is; what it still may lack are its parameters. */
static void
make_ready(VgpuClaim *claim, VgpuStep *step)
{
    g_clear_pointer(&claim->reason, g_free);
    if (step->want->params) {
        claim->phase = VGPU_PHASE_CREATING;
        claim->there = true;
        step->exists = true;
        step->state = VGPU_STEP_CREATING;
    } else {
        claim->late = step->late;
        claim->phase = step->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
        step->state = VGPU_STEP_READY;
    }
}

/* Whether what is recorded is where the domain's XML says. */
static bool
is_in_place(const VgpuClaim *claim, const VgpuWant *want)
{
    return vgpu_claim_fits(claim, want) &&
           (want->interface == VGPU_INTERFACE_NONE || claim->interface == want->interface) &&
           (!want->vf || g_str_equal(want->vf, claim->parent));
}

static void
on_probed(VgpuManager *manager, const char *uuid, guint64 token, const VgpuFinding *finding)
{
    VgpuStart *start = g_hash_table_lookup(manager->starts, &token);
    VgpuStep *step = vgpu_start_find_step(start, uuid);

    if (!step)
        return;
    if (finding->is_known && !finding->exists)
        step->probe = VGPU_PROBE_GONE;
    else if (finding->is_known && finding->use == VGPU_USE_FREE)
        step->probe = VGPU_PROBE_FREE;
    else
        step->probe = VGPU_PROBE_NONE;
    if (step->probe == VGPU_PROBE_NONE)
        step->not_before = g_get_monotonic_time() + PROBE_AGAIN_US;
    vgpu_start_advance(start);
}

static void
probe(VgpuStart *self, const VgpuClaim *claim, VgpuStep *step)
{
    step->wait = "its vGPU is still held open by a process of its previous run";
    if (step->probe == VGPU_PROBE_ASKED)
        return;
    step->probe = VGPU_PROBE_ASKED;
    step->can_be_seen = vgpu_manager_can_be_seen(self->manager, claim, self->begun);
    vgpu_manager_probe(self->manager, claim, on_probed, self->token);
}

/* There is a claim of that UUID already: of the previous run, or of one that was never released. */
static void
step_from_claim(VgpuStart *self, VgpuOwner *owner, VgpuClaim *claim, VgpuStep *step)
{
    VgpuManager *manager = self->manager;

    if (claim->phase == VGPU_PHASE_FAILED) {
        vgpu_manager_drop(manager, owner, claim);
        return;
    }
    if (claim->dispatched) { /* a CREATING one that is not is from a daemon before us */
        step->wait = "its vGPU of a previous start is still being made";
        return;
    }
    if (vgpu_manager_is_removing(manager, claim->uuid)) {
        step->wait = "its vGPU of the previous run is still being removed";
        return;
    }
    if (claim->phase == VGPU_PHASE_RELEASING && !is_in_place(claim, step->want)) {
        step->wait = "its vGPU of another profile is still being removed";
        vgpu_manager_remove(manager, owner, claim);
        return;
    }
    if (claim->phase == VGPU_PHASE_RELEASING) {
        /* taken back; what becomes of this start decides about it anew */
        vgpu_manager_cancel_removal(manager, claim->uuid);
        claim->phase = VGPU_PHASE_READY;
        g_clear_pointer(&claim->reason, g_free);
    }
    if (step->probe == VGPU_PROBE_GONE && step->can_be_seen) {
        vgpu_manager_cancel_removal(manager, claim->uuid);
        vgpu_manager_drop(manager, owner, claim);
    } else if (step->probe == VGPU_PROBE_GONE ||
               (step->probe == VGPU_PROBE_FREE && !step->can_be_seen)) {
        step->wait = "its vGPU of a previous start may still be made";
        step->probe = VGPU_PROBE_NONE;
        step->not_before = g_get_monotonic_time() + PROBE_AGAIN_US;
    } else if (step->probe != VGPU_PROBE_FREE) {
        probe(self, claim, step);
    } else if (is_in_place(claim, step->want)) {
        make_ready(claim, step);
    } else if (claim->adopted || claim->persistent) {
        vgpu_manager_drop(manager, owner, claim); /* not ours to replace */
    } else {
        step->wait = "its vGPU of another profile is still being removed";
        vgpu_manager_remove(manager, owner, claim);
    }
}

/* Whose UUID is this, other than the starting domain's? NULL: nobody's. What was made by hand is there
 * to be used by whoever names it. */
static const char *
other_owner_of(VgpuStart *self, const VgpuWant *want)
{
    const char *uuid = want->uuid;
    VgpuManager *manager = self->manager;
    const VgpuDefinition *own = g_hash_table_lookup(manager->definitions, self->key);
    const GPtrArray *claims = vgpu_reservations_of_uuid(manager->reservations, uuid);
    GHashTableIter iter;
    gpointer value;

    for (guint i = 0; claims && i < claims->len; i++) {
        const VgpuOwner *owner = ((const VgpuClaim *) g_ptr_array_index(claims, i))->owner;

        if (((1u << owner->kind) & VGPU_KINDS_OWNED) && !g_str_equal(owner->key, self->key) &&
            (owner->domain_uuid || !want->uuid_is_users))
            return owner->domain_name ? owner->domain_name : "none (made by hand)";
    }
    g_hash_table_iter_init(&iter, manager->definitions);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuDefinition *other = value;

        if (other == own)
            continue;
        for (guint i = 0; i < other->domain->wants->len; i++) {
            const VgpuWant *theirs = g_ptr_array_index(other->domain->wants, i);

            if (g_strcmp0(theirs->uuid, uuid) == 0 &&
                (!theirs->uuid_is_users || !own || other->order < own->order))
                return other->domain->name;
        }
    }
    return NULL;
}

static VgpuClaim *
add_claim(VgpuStart *self, const VgpuWant *want, const VgpuGpu *gpu, const char *parent,
          const VgpuProfile *profile)
{
    VgpuOwner *owner =
        vgpu_manager_need_owner(self->manager, self->key, self->domain->uuid, self->domain->name);
    VgpuClaim *claim = vgpu_claim_new(want->uuid, want->index);

    if (!owner->claims->len) /* from here on, a release of the run before is void */
        owner->since = self->since;
    claim->phase = VGPU_PHASE_CREATING;
    vgpu_claim_put(claim, gpu, parent, profile);
    vgpu_claim_charge(claim, want, self->domain->tenant);
    claim->asked = vgpu_manager_now();
    vgpu_reservations_add(self->manager->reservations, owner, claim);
    return claim;
}

/* A device of that UUID exists, and no record of it. */
static void
step_from_device(VgpuStart *self, VgpuStep *step, const VgpuPresence *seen)
{
    VgpuManager *manager = self->manager;
    const VgpuGpu *gpu =
        seen->parent ? vgpu_inventory_find_by_function(manager->inventory, seen->parent) : NULL;
    const VgpuProfile *profile =
        gpu && seen->profile_id ? vgpu_gpu_find_profile(gpu, seen->profile_id) : NULL;
    g_autofree char *text = NULL;
    VgpuClaim *claim;

    if (!profile) {
        text =
            g_strdup_printf("a device %s exists on %s, which is no GPU that is known",
                            step->want->uuid, seen->parent ? seen->parent : "an unknown parent");
        vgpu_start_fail(self, VGPU_ERROR_BUSY, text);
        return;
    }
    claim = add_claim(self, step->want, gpu, seen->parent, profile);
    claim->adopted = step->want->uuid_is_users;
    if (vgpu_claim_fits(claim, step->want)) {
        make_ready(claim, step);
    } else if (claim->adopted) {
        text = g_strdup_printf("the device %s exists on %s with profile '%s' instead of '%s'",
                               step->want->uuid, seen->parent, profile->name,
                               step->want->profiles[0]);
        vgpu_reservations_drop(manager->reservations, claim);
        vgpu_start_fail(self, VGPU_ERROR_BAD_REQUEST, text);
    } else { /* computed from this domain's UUID, so it is ours to replace */
        claim->phase = VGPU_PHASE_RELEASING;
        step->wait = "a left-over vGPU of another profile is being removed";
        vgpu_manager_remove(manager, vgpu_manager_owner(manager, self->key), claim);
    }
}

/* create="define": libvirt was asked to define it when the domain was defined; an inactive one is
 * made on its recorded parent. */
static void
step_from_kept(VgpuStart *self, VgpuStep *step, const VgpuClaim *kept, const VgpuPresence *seen)
{
    VgpuManager *manager = self->manager;
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(manager->inventory, kept->parent);
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(kept->profile_id, kept->profile_name);
    g_autofree char *pair = vgpu_placement_pair(kept->parent, kept->profile_id);
    g_autofree char *text = NULL;
    VgpuClaim *claim;

    if (!gpu || g_hash_table_contains(self->refused, pair)) {
        text =
            g_strdup_printf("its persistent vGPU %s cannot be made on %s: %s", kept->uuid,
                            kept->parent, gpu ? "the driver refused it" : "there is no such GPU");
        vgpu_start_fail(self, gpu ? VGPU_ERROR_DRIVER : VGPU_ERROR_NOT_FOUND, text);
        return;
    }
    claim = add_claim(self, step->want, gpu, kept->parent, profile);
    claim->persistent = true;
    if (seen->exists)
        make_ready(claim, step);
    else
        step->state = VGPU_STEP_CREATING;
}

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
vgpu_step_move(VgpuStart *self, VgpuStep *step, const char *why)
{
    const VgpuWant *want = step->want;
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen = choose_anywhere(self, want, &candidates);
    g_autofree char *text = NULL;

    if (!chosen) {
        if (!self->failure)
            vgpu_placement_explain(candidates, want, &self->failure);
        return;
    }
    vgpu_manager_plan(self->manager, self->domain, want, chosen);
    self->manager->host.rewrite(self->key, self->manager->opaque);
    text =
        g_strdup_printf("vGPU %u cannot be had where its definition says (%s); the definition is "
                        "being moved to another device, start it again in a moment",
                        want->index, why);
    vgpu_start_fail(self, VGPU_ERROR_BUSY, text);
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
    const char *user = want->vf ? vgpu_manager_user(self->manager, want->vf, self->key) : NULL;
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

/* Those that are to be placed now, @step first: they are placed so that all have room, if there is a
 * way. */
static GPtrArray *
to_be_placed(const VgpuStart *self, const VgpuStep *step)
{
    const VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);
    GPtrArray *wants = g_ptr_array_new();

    g_ptr_array_add(wants, (gpointer) step->want);
    for (guint i = 0; i < self->steps->len; i++) {
        const VgpuStep *other = &g_array_index(self->steps, VgpuStep, i);

        if (other != step && other->state == VGPU_STEP_WAITING && !other->want->uuid_is_users &&
            !other->want->create_at_define &&
            !(owner && vgpu_owner_find(owner, other->want->uuid)))
            g_ptr_array_add(wants, (gpointer) other->want);
    }
    return wants;
}

/* Where it goes with regard to the domain's others. */
static bool
place_with_others(VgpuStart *self, VgpuStep *step, const VgpuReading *reading)
{
    g_autoptr(GPtrArray) wants = to_be_placed(self, step);
    g_autoptr(GArray) spots = wants->len > 1 && !self->apart
                                  ? vgpu_placement_together(&reading->snapshot, wants, NULL)
                                  : NULL;
    const VgpuSpot *spot;

    if (!spots) {
        self->apart |= wants->len > 1; /* the search may take long */
        return false;
    }
    spot = &g_array_index(spots, VgpuSpot, 0);
    add_claim(self, step->want, spot->gpu, spot->parent->address, spot->profile);
    step->state = VGPU_STEP_CREATING;
    return true;
}

/* Nothing fits: whether a GPU may do in a moment, of which too little is known now. */
static bool
is_to_wait(VgpuStart *self, VgpuStep *step, const GPtrArray *candidates)
{
    VgpuSeen seen = vgpu_manager_see(self->manager, step->want, true, self->begun);
    bool is_silent = false;

    for (guint i = 0; i < candidates->len; i++)
        is_silent |= ((const VgpuCandidate *) g_ptr_array_index(candidates, i))->verdict ==
                     VGPU_VERDICT_NOT_ANSWERING;
    if (is_silent && seen.falls_silent) {
        g_clear_error(&self->unanswered);
        vgpu_placement_explain(candidates, step->want, &self->unanswered);
        return true;
    }
    if (!self->manager->discovery)
        step->wait = "it is not known yet which GPUs there are";
    else if (seen.busy)
        step->wait = "its GPU is busy with other vGPUs";
    else
        step->wait = "the drivers of other GPUs have not answered yet";
    return seen.busy || seen.others_asked || !self->manager->discovery;
}

static void
step_place(VgpuStart *self, VgpuStep *step)
{
    const VgpuWant *want = step->want;
    g_autoptr(VgpuReading) reading =
        vgpu_reading_new(self->manager, self->domain, self->key, self->refused);
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen, *mig;

    if (want->vf) /* what its driver refused is tried again by the one that is to have it */
        g_hash_table_remove(reading->closed, want->vf);
    if (place_with_others(self, step, reading))
        return;
    candidates = vgpu_placement_candidates(&reading->snapshot, want);
    chosen = vgpu_placement_choose(&reading->snapshot, candidates, want->placement);
    if (chosen) {
        g_clear_error(&self->unanswered);
        add_claim(self, want, chosen->gpu, chosen->parent->address, chosen->profile);
        step->state = VGPU_STEP_CREATING;
    } else if (is_to_wait(self, step, candidates)) {
        return;
    } else if (!step->asked_for_gpu_instance && (mig = find_mig_auto(candidates))) {
        vgpu_start_add_gpu_instance(self, step, mig);
    } else if (want->interface != VGPU_INTERFACE_NONE && !want->uuid_is_users &&
               !is_being_set_up(self->manager, want) && !self->failure) {
        g_autofree char *why = why_not_there(self, want, candidates);

        vgpu_step_move(self, step, why);
    } else if (!self->failure) {
        vgpu_placement_explain(candidates, want, &self->failure);
    }
}

/* Whether what is known of that function's GPU was read after this start had begun, so that what was
 * seen there is there now. */
static bool
is_still_so(VgpuStart *self, const char *function)
{
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(self->manager->inventory, function);

    return gpu && vgpu_drivers_see(self->manager->drivers, gpu->address, self->begun) ==
                      VGPU_SIGHT_FRESH;
}

static void
step_from_nothing(VgpuStart *self, VgpuStep *step)
{
    VgpuManager *manager = self->manager;
    const VgpuWant *want = step->want;
    VgpuSeen asked;
    VgpuPresence seen = { 0 };
    const char *other = other_owner_of(self, want);
    VgpuClaim *kept = vgpu_manager_kept_claim(manager, want->uuid, NULL);

    if (other) {
        g_autofree char *text =
            g_strdup_printf("the vGPU %s belongs to domain '%s'", want->uuid, other);

        vgpu_start_fail(self, VGPU_ERROR_BAD_REQUEST, text);
        return;
    }
    asked = vgpu_manager_see(manager, want, step->is_elsewhere, self->begun);
    if (asked.asked || asked.others_asked) {
        step->wait = "the driver of its GPU has not answered yet";
        return;
    }
    (void) vgpu_manager_inventory(manager);
    if (!want->vf) /* what is on a VF is its driver's to say, when it is asked to make it */
        seen = vgpu_manager_look(manager, want->uuid);
    if (seen.exists && !is_still_so(self, seen.parent)) {
        step->wait = "the driver of its GPU has not answered yet";
        return;
    }
    if (want->create_at_define && !kept && !(want->uuid_is_users && seen.exists))
        vgpu_start_fail(self, VGPU_ERROR_BUSY,
                        "its persistent vGPU (create=\"define\") is not defined yet; start it "
                        "again in a moment "
                        "(a transient domain cannot have one)");
    else if (want->create_at_define && kept)
        step_from_kept(self, step, kept, &seen);
    else if (seen.exists)
        step_from_device(self, step, &seen);
    else
        step_place(self, step);
}

void
vgpu_step_advance(VgpuStart *self, VgpuStep *step)
{
    VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);
    VgpuClaim *claim = owner ? vgpu_owner_find(owner, step->want->uuid) : NULL;

    if (claim) {
        step_from_claim(self, owner, claim, step);
        owner = vgpu_manager_owner(self->manager, self->key);
        claim = owner ? vgpu_owner_find(owner, step->want->uuid) : NULL;
    }
    if (!claim && step->state == VGPU_STEP_WAITING)
        step_from_nothing(self, step);
}
