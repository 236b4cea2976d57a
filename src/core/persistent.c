/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* persistent.c (manager.h): vGPUs that outlive a run, and those that belong to no domain */
#include "core/held.h"
#include "core/known.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/pooling.h"
#include "core/reading.h"
#include "core/saved.h"
#include "core/start.h"
#include "domain/refusals.h"

#define DESTROY_LIMIT_MS 20000

/* Look at the device that has its UUID now: the domain's own, whose record was lost, is taken over
 * again; any other one belongs to another domain, or goes with the present run of the domain. */
static bool
take_up(VgpuManager *self, const char *domain_uuid, const VgpuWant *want, const VgpuFound *seen,
        VgpuClaim *claim)
{
    const VgpuGpu *gpu =
        seen->parent ? vgpu_inventory_find_by_function(self->inventory, seen->parent) : NULL;
    const VgpuProfile *profile =
        gpu && seen->profile_id ? vgpu_gpu_find_profile(gpu, seen->profile_id) : NULL;
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);

    if (!domain_uuid || want->uuid_is_users || !profile ||
        gpu->interface != VGPU_INTERFACE_MDEV || vgpu_profile_is_mig(profile) ||
        !vgpu_profile_matches_any(profile, (const char *const *) want->profiles) ||
        (want->gpu && !g_str_equal(want->gpu, gpu->address) &&
         !g_str_equal(want->gpu, seen->parent)) ||
        vgpu_records_user_of(self, want->uuid))
        return false;
    vgpu_claim_put(claim, gpu, seen->parent, profile);
    vgpu_claim_charge(claim, want, definition ? definition->domain->tenant : NULL);
    return true;
}

static bool
place_kept(VgpuManager *self, const char *domain_uuid, const VgpuWant *want, VgpuClaim *claim,
           GError **error)
{
    VgpuWant meant = *want;
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);
    g_autoptr(VgpuReading) reading = NULL;
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen;

    if (!domain_uuid) /* by hand, on a GPU that is named */
        meant.pool = (char *) vgpu_pooling_pool_of(self, want->gpu);
    (void) vgpu_manager_inventory(self);
    reading = vgpu_reading_new(self, definition ? definition->domain : NULL, NULL, NULL);
    candidates = vgpu_placement_candidates(&reading->snapshot, &meant);
    chosen = vgpu_placement_choose(&reading->snapshot, candidates, want->placement);
    if (!chosen) {
        vgpu_placement_explain(candidates, &meant, error);
        return false;
    }
    if (chosen->gpu->interface != VGPU_INTERFACE_MDEV) { /* nothing else outlives a run */
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                    "GPU %s makes vGPUs as %s: only mediated devices can be persistent",
                    chosen->gpu->address, vgpu_interface_to_string(chosen->gpu->interface));
        return false;
    }
    if (vgpu_profile_is_mig(
            chosen->profile)) { /* its room is held when the definition is bound next */
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "profile '%s' is MIG-backed: its vGPUs cannot be kept, only their room",
                    chosen->profile->name);
        return false;
    }
    vgpu_claim_put(claim, chosen->gpu, chosen->parent->address, chosen->profile);
    vgpu_claim_charge(claim, &meant, definition ? definition->domain->tenant : NULL);
    return true;
}

void
vgpu_keep_clear(VgpuKeep *self)
{
    g_clear_pointer(&self->parent, g_free);
    g_clear_pointer(&self->profile_id, g_free);
}

/* The rule for one that has no record yet, with its place in @claim. */
static bool
begin(VgpuManager *self, const char *domain_uuid, const VgpuWant *want, VgpuClaim *claim,
      GError **error)
{
    VgpuFound seen = vgpu_sight_find(self, want->uuid);
    VgpuSituation situation = { .hold = VGPU_HOLD_KEPT, .seen = VGPU_SEEN_ABSENT };

    if (seen.exists)
        situation.seen = VGPU_SEEN_UNTOLD;
    situation.wanted = seen.exists && !take_up(self, domain_uuid, want, &seen, claim)
                           ? VGPU_WANTED_OTHER
                           : VGPU_WANTED_TAKE;
    if (!seen.exists)
        situation.room =
            place_kept(self, domain_uuid, want, claim, error) ? VGPU_ROOM_YES : VGPU_ROOM_NO;
    if (vgpu_lifecycle_next(&situation)->next != VGPU_NEXT_REFUSE)
        return true;
    if (seen.exists)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                    "a device %s exists already on %s; a persistent one is defined once it has "
                    "gone",
                    want->uuid, seen.parent ? seen.parent : "an unknown parent");
    return false;
}

/* By hand, on a GPU that is named: where no device can be kept its room is. False without @error: one can. */
static bool
hold_by_hand(VgpuManager *self, const VgpuWant *want, GError **error)
{
    VgpuWant anywhere = *want;
    const VgpuGpu *gpu;
    g_autoptr(VgpuReading) reading = NULL;
    g_autoptr(GPtrArray) candidates = NULL;
    g_autoptr(VgpuClaim) claim = NULL;
    const VgpuCandidate *chosen;

    anywhere.pool = (char *) vgpu_pooling_pool_of(self, want->gpu);
    gpu = vgpu_inventory_find(vgpu_manager_inventory(self), want->gpu);
    reading = vgpu_reading_new(self, NULL, NULL, NULL);
    candidates = vgpu_placement_candidates(&reading->snapshot, &anywhere);
    chosen = vgpu_placement_choose(&reading->snapshot, candidates, want->placement);
    if (!chosen && gpu && gpu->interface != VGPU_INTERFACE_MDEV)
        vgpu_placement_explain(candidates, &anywhere, error);
    if (!chosen || !vgpu_held_is_for(chosen->gpu, chosen->profile))
        return false;
    claim = vgpu_claim_new(want->uuid, 0);
    vgpu_claim_put(claim, chosen->gpu, chosen->parent->address, chosen->profile);
    vgpu_claim_charge(claim, &anywhere, NULL);
    vgpu_held_put(self, NULL, NULL, g_steal_pointer(&claim));
    return true;
}

/* Whether only its room is held, so that there is nothing to define. */
static bool
is_held(const VgpuManager *self, const char *uuid, VgpuKeep *out)
{
    const VgpuClaim *held = vgpu_held_find(self, uuid);

    if (!held)
        return false;
    out->parent = g_strdup(held->parent);
    out->profile_id = g_strdup(held->profile_id);
    out->defined = true;
    return true;
}

/* Whether its UUID is not computed from another domain's. */
static bool
check_owner(const VgpuManager *self, const char *domain_uuid, const VgpuWant *want,
            GError **error)
{
    const char *other = domain_uuid && !want->uuid_is_users
                            ? NULL
                            : vgpu_known_owner(self, want->uuid, domain_uuid);

    return !other ||
           vgpu_error_set(error, VGPU_ERROR_BUSY, VGPU_REFUSAL_ANOTHERS, want->uuid, other);
}

bool
vgpu_manager_keep(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                  const VgpuWant *want, VgpuKeep *out, GError **error)
{
    VgpuClaim *known = vgpu_records_find_persistent(self, want->uuid);
    VgpuSituation situation;
    GError *failure = NULL;

    if (!check_owner(self, domain_uuid, want, error))
        return false;
    if (is_held(self, want->uuid, out))
        return true;
    if (!known && !domain_uuid && want->gpu && !vgpu_sight_find(self, want->uuid).exists &&
        (hold_by_hand(self, want, &failure) || failure)) {
        if (failure)
            g_propagate_error(error, failure);
        return !failure && is_held(self, want->uuid, out);
    }
    if (!known) {
        g_autoptr(VgpuClaim) claim = vgpu_claim_new(want->uuid, want->index);
        VgpuOwner *owner;

        if (!begin(self, domain_uuid, want, claim, error))
            return false;
        claim->persistent = true;
        known = claim;
        owner = vgpu_reservations_need(self->reservations, VGPU_KIND_PERSISTENT,
                                       domain_uuid ? domain_uuid : want->uuid, domain_uuid,
                                       domain_name);
        vgpu_life_place(self, owner, g_steal_pointer(&claim), 0);
        vgpu_records_save_or_warn(self, owner);
    }
    situation = vgpu_claim_situation(known);
    out->parent = g_strdup(known->parent);
    out->profile_id = g_strdup(known->profile_id);
    out->defined = vgpu_lifecycle_next(&situation)->next != VGPU_NEXT_DEFINE;
    return true;
}

void
vgpu_manager_kept(VgpuManager *self, const char *uuid)
{
    VgpuClaim *claim = vgpu_records_find_persistent(self, uuid);

    if (!claim || claim->phase == VGPU_PHASE_READY)
        return;
    vgpu_life_is_defined(claim);
    vgpu_records_save_or_warn(self, claim->owner);
    vgpu_events_emit(self, "vgpu-created", claim->owner, claim, NULL, -1);
}

void
vgpu_manager_unkeep(VgpuManager *self, const char *uuid)
{
    VgpuClaim *claim = vgpu_records_find_persistent(self, uuid);
    VgpuOwner *owner;

    if (!claim)
        return;
    owner = claim->owner;
    if (claim->phase == VGPU_PHASE_READY) /* otherwise its creation was not reported */
        vgpu_events_emit(self, "vgpu-removed", owner, claim, NULL, -1);
    vgpu_reservations_drop(self->reservations, claim);
    vgpu_records_save_or_warn(self, owner);
}

static bool
wants(const VgpuDefinition *definition, const VgpuClaim *claim)
{
    for (guint i = 0; i < definition->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(definition->domain->wants, i);

        if (want->create_at_define && g_strcmp0(want->uuid, claim->uuid) == 0 &&
            vgpu_claim_fits(claim, want))
            return true;
    }
    return false;
}

GPtrArray *
vgpu_manager_unwanted(const VgpuManager *self, const char *domain_uuid)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    const VgpuOwner *owner =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PERSISTENT, domain_uuid);
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        VgpuSituation situation = vgpu_claim_situation(claim);

        if (!definition || (!definition->unclear && !wants(definition, claim)))
            situation.wanted = VGPU_WANTED_GONE;
        situation.run = definition && definition->running ? VGPU_RUN_WITH : VGPU_RUN_OFF;
        if (vgpu_lifecycle_next(&situation)->next == VGPU_NEXT_UNDEFINE)
            g_ptr_array_add(uuids, g_strdup(claim->uuid));
    }
    return uuids;
}

/* --- vGPUs without a domain --------------------------------------------------------------- */

typedef struct {
    VgpuManager *manager;
    char *uuid;
    VgpuPrepareDone done;
    gpointer opaque;
} Destroy;

/* It was removed, or its time is over. */
static gboolean
on_destroy_over(gpointer data)
{
    Destroy *self = data;
    g_autoptr(GError) error = NULL;

    if (vgpu_records_find(self->manager, self->uuid))
        g_set_error(&error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "vGPU %s is not removed yet: a process holds it open, or its driver does not "
                    "answer; removal continues",
                    self->uuid);
    self->done(error, self->opaque);
    g_hash_table_remove(self->manager->removals, g_main_current_source());
    return G_SOURCE_REMOVE;
}

static void
destroy_free(gpointer data)
{
    Destroy *self = data;

    g_free(self->uuid);
    g_free(self);
}

/* The vGPU's record wherever it is; an error says why it cannot be destroyed by hand. */
static VgpuOwner *
find_destroyable(VgpuManager *self, const char *uuid, bool *persistent, GError **error)
{
    const VgpuClaim *kept = vgpu_records_find_persistent(self, uuid);
    const VgpuClaim *held = vgpu_held_find(self, uuid);
    VgpuOwner *handmade = vgpu_records_find(self, uuid);
    VgpuOwner *owner = vgpu_records_user_of(self, uuid);

    *persistent = kept != NULL;
    if (!owner && kept)
        owner = kept->owner;
    else if (!owner && held)
        owner = held->owner;
    else if (!owner && handmade && !handmade->domain_uuid)
        owner = handmade;
    if (owner && !owner->domain_uuid)
        return owner;
    if (owner)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "vGPU %s belongs to domain '%s'; stop the domain or edit its annotation",
                    uuid, owner->domain_name);
    else
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                    "there is no vGPU %s that virt-vgpu made (see 'virt-vgpu list --all')", uuid);
    return NULL;
}

void
vgpu_manager_destroy(VgpuManager *self, const char *uuid, bool *persistent, VgpuPrepareDone done,
                     gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    bool was_coming = vgpu_start_cancel_create(self, uuid); /* else it would make it again */
    const VgpuClaim *saved = vgpu_saved_find(self, uuid);
    VgpuOwner *owner;
    Destroy *destroy;
    GSource *source;

    if (saved && vgpu_saved_counts(self, saved, NULL)) { /* room without a vGPU */
        *persistent = false;
        vgpu_saved_drop(self, uuid);
        done(NULL, opaque);
        return;
    }
    owner = find_destroyable(self, uuid, persistent, &error);
    if (!owner) {
        *persistent = false;
        done(was_coming ? NULL : error, opaque);
        return;
    }
    if (*persistent)
        return;
    if (owner->kind == VGPU_KIND_HELD) {
        vgpu_held_drop(self, uuid);
        done(NULL, opaque);
        return;
    }
    vgpu_life_let_go(self, vgpu_owner_find(owner, uuid));
    destroy = g_new0(Destroy, 1);
    destroy->manager = self;
    destroy->uuid = g_strdup(uuid);
    destroy->done = done;
    destroy->opaque = opaque;
    source = g_timeout_source_new(DESTROY_LIMIT_MS);
    g_source_set_name(source, uuid);
    g_source_set_callback(source, on_destroy_over, destroy, destroy_free);
    g_source_attach(source, self->context);
    g_hash_table_add(self->removals, source);
    if (!vgpu_records_find(self, uuid))
        vgpu_waiters_tell_gone(self, uuid);
}
