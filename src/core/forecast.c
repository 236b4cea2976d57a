/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* forecast.c (manager.h): the result of a start if it happened now, and why
 *
 * It goes through the wants as a start does, and records each placement until the end, when all is taken
 * back. So each decision is the one that a start would make (planner.h), from the same data. */
#include "base/uuid.h"
#include "core/grants.h"
#include "core/held.h"
#include "core/manager-private.h"
#include "core/passed.h"
#include "core/plan.h"
#include "core/planner.h"
#include "core/pooling.h"
#include "core/reading.h"
#include "domain/display.h"
#include "domain/refusals.h"

void
vgpu_forecast_free(VgpuForecast *self)
{
    g_clear_pointer(&self->candidates, g_ptr_array_unref);
    g_clear_pointer(&self->reading, vgpu_reading_free);
    g_free(self->gpu);
    g_free(self->parent);
    g_free(self->profile);
    g_free(self->refusal);
    g_free(self->moved);
    g_free(self->note);
    g_free(self->display);
    g_free(self->fleet);
    g_free(self);
}

/* All that is asked about one domain. */
typedef struct {
    VgpuPlanner planner;
    GPtrArray *forecasts;
    GPtrArray *placed; /* of VgpuClaim: the records to be taken back */
    bool apart;        /* see VgpuPlanned */
} Forecasting;

static VgpuForecast *
at(const Forecasting *self, guint i)
{
    return g_ptr_array_index(self->forecasts, i);
}

static void
refuse(VgpuForecast *out, const GError *error)
{
    out->state = "refused";
    out->refusal = vgpu_error_reason(error);
}

static void
put_place(VgpuForecast *out, const char *state, const char *gpu, const char *parent,
          const char *profile)
{
    out->state = state;
    out->gpu = g_strdup(gpu);
    out->parent = g_strdup(parent);
    out->profile = g_strdup(profile);
}

static char *
display_note(const VgpuManager *manager, const VgpuDomain *domain, const VgpuWant *want)
{
    char *warning = vgpu_display_warning(domain, want, manager->ops.libvirt);

    return warning ? warning : vgpu_display_absence(domain, want, manager->ops.libvirt);
}

/* --- vGPUs that exist already ------------------------------------------------------------------ */

/* Its record, as a start would find it. Returns whether that decides the answer. */
static bool
meet_record(const Forecasting *self, VgpuForecast *out)
{
    const VgpuPlanner *planner = &self->planner;
    const VgpuOwner *owner = vgpu_records_find(planner->manager, planner->key);
    const VgpuClaim *claim = vgpu_owner_find(owner, out->want->uuid);

    if (!claim || claim->phase == VGPU_PHASE_FAILED)
        return false;
    if (!vgpu_planner_keeps(planner->manager, planner->domain, claim, out->want)) {
        out->state = "releasing";
        out->note =
            g_strdup_printf("%s on %s is removed first", claim->profile_name, claim->parent);
        return true;
    }
    put_place(out, claim->phase == VGPU_PHASE_RELEASING ? "releasing" : "active", claim->gpu,
              claim->parent, claim->profile_name);
    out->note = g_strdup_printf(claim->phase == VGPU_PHASE_RELEASING
                                    ? "%s on %s is being removed, and is used again if possible"
                                    : "has %s on %s already",
                                claim->profile_name, claim->parent);
    return true;
}

static bool
meet_kept(const Forecasting *self, VgpuForecast *out)
{
    VgpuManager *manager = self->planner.manager;
    const VgpuClaim *kept = vgpu_records_find_persistent(manager, out->want->uuid);
    VgpuError code = VGPU_ERROR_FAILED;

    if (!kept || !out->want->create_at_define)
        return false;
    out->refusal = vgpu_planner_why_not_kept(&self->planner, kept, &code);
    if (out->refusal) {
        out->state = "refused";
        return true;
    }
    put_place(out, "active", kept->gpu, kept->parent, kept->profile_name);
    out->note = g_strdup_printf("has %s on %s already", kept->profile_name, kept->parent);
    return true;
}

static bool
meet_held(const Forecasting *self, VgpuForecast *out)
{
    const VgpuClaim *held = vgpu_held_find(self->planner.manager, out->want->uuid);

    if (!held || !out->want->create_at_define)
        return false;
    out->refusal = vgpu_planner_why_not_held(&self->planner, out->want, held);
    if (out->refusal) {
        out->state = "refused";
        return true;
    }
    put_place(out, "planned", held->gpu, held->parent, held->profile_name);
    out->note =
        g_strdup_printf("room for %s on %s is held for it", held->profile_name, held->parent);
    return true;
}

/* A device that has its UUID, but no record. */
static bool
meet_device(const Forecasting *self, VgpuForecast *out)
{
    VgpuManager *manager = self->planner.manager;
    const VgpuWant *want = out->want;
    VgpuFound found = { 0 };
    const VgpuGpu *gpu;
    const VgpuProfile *profile;

    if (!want->vf) /* only the driver knows what is on a VF */
        found = vgpu_sight_find(manager, want->uuid);
    if (!found.exists)
        return false;
    gpu = found.parent ? vgpu_inventory_find_by_function(manager->inventory, found.parent) : NULL;
    profile = gpu && found.profile_id ? vgpu_gpu_find_profile(gpu, found.profile_id) : NULL;
    if (profile && vgpu_profile_matches_any(profile, (const char *const *) want->profiles)) {
        put_place(out, "active", gpu->address, found.parent, profile->name);
        out->note = g_strdup_printf("has %s on %s already", profile->name, found.parent);
    } else if (profile && !want->uuid_is_users) {
        out->state = "releasing";
        out->note = g_strdup_printf("a left-over vGPU %s on %s is removed first", profile->name,
                                    found.parent);
    } else {
        out->state = "refused";
        out->refusal = vgpu_planner_why_not_device(want, found.parent, profile);
    }
    return true;
}

/* --- what to make ------------------------------------------------------------------------- */

/* For the next vGPU this one exists, as after a start has recorded it. */
static void
write_down(Forecasting *self, const VgpuForecast *out, const VgpuPlanned *planned)
{
    VgpuManager *manager = self->planner.manager;
    VgpuOwner *owner = vgpu_records_need(manager, self->planner.key, self->planner.key,
                                         self->planner.domain->name);
    VgpuClaim *claim = vgpu_claim_new(out->want->uuid, out->want->index);

    vgpu_claim_put(claim, planned->gpu, planned->parent, planned->profile);
    vgpu_claim_charge(claim, out->want, self->planner.domain->tenant);
    vgpu_reservations_add(manager->reservations, owner, claim);
    g_ptr_array_add(self->placed, claim);
}

/* Nothing has changed, so there is nothing to make. */
static void
take_back(Forecasting *self)
{
    g_autoptr(GHashTable) changes = NULL;
    VgpuReservations *reservations = self->planner.manager->reservations;
    VgpuOwner *owner = vgpu_records_find(self->planner.manager, self->planner.key);

    for (guint i = 0; i < self->placed->len; i++)
        vgpu_reservations_drop(reservations, self->placed->pdata[i]);
    if (self->placed->len && owner && !owner->claims->len)
        vgpu_reservations_drop_owner(reservations, owner);
    changes = vgpu_reservations_take_changes(reservations);
}

/* The GPU where it goes is shown as it is, the others as they would be for a definition without devices. */
static void
show_candidates(VgpuForecast *out, GPtrArray *there, const VgpuPlanned *planned)
{
    for (guint i = 0; planned->room == VGPU_ROOM_YES && i < there->len; i++) {
        VgpuCandidate *here = g_ptr_array_index(there, i);

        if (here->verdict == VGPU_VERDICT_NOT_NAMED)
            continue;
        there->pdata[i] = out->candidates->pdata[i];
        out->candidates->pdata[i] = here;
    }
    for (guint i = 0; planned->room == VGPU_ROOM_YES && i < out->candidates->len; i++) {
        VgpuCandidate *candidate = g_ptr_array_index(out->candidates, i);

        if (candidate->gpu != planned->gpu)
            continue;
        g_free(candidate->reason);
        candidate->verdict = VGPU_VERDICT_FITS;
        candidate->reason = g_strdup_printf("on %s", planned->parent);
        candidate->profile = planned->profile;
        candidate->parent = vgpu_gpu_find_parent(planned->gpu, planned->parent);
        out->chosen = candidate;
    }
}

static void
add_others(const Forecasting *self, guint after, GPtrArray *others)
{
    for (guint i = after + 1; !self->apart && i < self->forecasts->len; i++) {
        const VgpuForecast *other = at(self, i);

        if (!other->state && !other->want->uuid_is_users && !other->want->create_at_define)
            g_ptr_array_add(others, other->want);
    }
}

static void
refuse_for_room(const Forecasting *self, VgpuForecast *out, const VgpuPlanned *planned)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuClaim) to =
        vgpu_planner_refuse(&self->planner, out->want, planned->candidates, &error);

    refuse(out, error);
    out->moved = to ? g_strdup(to->parent) : NULL;
}

static void
place(Forecasting *self, guint i)
{
    VgpuForecast *out = at(self, i);
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    g_autoptr(GPtrArray) there = NULL;
    g_autoptr(VgpuPlanned) planned = NULL;

    add_others(self, i, others);
    self->planner.others = others;
    planned = vgpu_planner_place(&self->planner, out->want);
    self->planner.others = NULL;
    self->apart |= planned->is_apart;
    there = planned->candidates
                ? g_ptr_array_ref(planned->candidates)
                : vgpu_placement_candidates(&planned->reading->snapshot, out->want);
    show_candidates(out, there, planned);
    if (planned->room == VGPU_ROOM_YES) {
        put_place(out, "planned", planned->gpu->address, planned->parent, planned->profile->name);
        write_down(self, out, planned);
        if (planned->is_saved)
            out->note = g_strdup_printf("room for %s on %s is reserved for it while it is saved",
                                        planned->profile->name, planned->parent);
    } else if (vgpu_planner_is_to_wait(&self->planner, planned->candidates)) {
        out->state = "releasing";
        out->note = g_strdup(VGPU_REFUSAL_STILL_REMOVED);
    } else if (planned->room == VGPU_ROOM_INSTANCE) {
        put_place(out, "planned", planned->instance->gpu->address, NULL,
                  planned->instance->profile->name);
        out->note = g_strdup_printf("a GPU instance is made for it on %s",
                                    planned->instance->gpu->address);
    } else {
        refuse_for_room(self, out, planned);
    }
}

/* --- all of it ------------------------------------------------------------------------------ */

/* For each vGPU, look for an existing one; other users of its UUID were noted for the copy. */
static void
meet(const Forecasting *self, VgpuForecast *out)
{
    const char *other =
        vgpu_planner_other_owner(self->planner.manager, self->planner.key, out->want);

    if (meet_record(self, out))
        return;
    if (other) {
        out->state = "refused";
        out->refusal = g_strdup_printf(VGPU_REFUSAL_ANOTHERS, out->want->uuid, other);
        return;
    }
    if (!meet_kept(self, out) && !meet_device(self, out))
        (void) meet_held(self, out);
}

/* Refusals that do not depend on GPUs. */
static void
refuse_all(const Forecasting *self, const GError *error)
{
    for (guint i = 0; i < self->forecasts->len; i++)
        refuse(at(self, i), error);
}

/* What a start checks of the domain. */
static void
check(Forecasting *self, VgpuDomain *domain)
{
    const VgpuWant *about = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL;

    if (!vgpu_planner_check_hostdevs(self->planner.manager, domain, &about, &error) ||
        !vgpu_grants_explain(self->planner.manager, domain, &note, &error) ||
        !vgpu_planner_check_displays(self->planner.manager, domain, &error))
        refuse_all(self, error);
    else if (note && self->forecasts->len)
        at(self, 0)->fleet = g_steal_pointer(&note);
}

/* libvirt gives one to a domain that has none. */
static void
need_uuid(VgpuDomain *domain)
{
    if (domain->uuid)
        return;
    domain->uuid = vgpu_uuid_random();
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->uuid)
            want->uuid = vgpu_uuid_for_domain(domain->uuid, want->index);
    }
}

/* The domain runs or starts with it. */
static void
show_present(const VgpuForecast *out)
{
    for (guint i = 0; out->gpu && i < out->candidates->len; i++) {
        VgpuCandidate *candidate = g_ptr_array_index(out->candidates, i);

        if (!g_str_equal(candidate->gpu->address, out->gpu))
            continue;
        g_free(candidate->reason);
        candidate->verdict = VGPU_VERDICT_FITS;
        candidate->reason = g_strdup(out->note);
    }
}

/* A domain that passes the whole GPU through may take the place of a vGPU that fits. */
static void
warn_of_passed(const VgpuManager *self, const GPtrArray *candidates)
{
    for (guint i = 0; i < candidates->len; i++) {
        VgpuCandidate *candidate = g_ptr_array_index(candidates, i);
        g_autofree char *who = vgpu_passed_to(self, candidate->gpu->address);
        g_autofree char *reason = candidate->reason;

        if (who && candidate->verdict == VGPU_VERDICT_FITS)
            candidate->reason = g_strdup_printf(
                "%s, until %s starts: its definition passes the whole GPU through", reason, who);
        else
            candidate->reason = g_steal_pointer(&reason);
    }
}

GPtrArray *
vgpu_manager_explain(VgpuManager *self, VgpuDomain *domain)
{
    g_autoptr(GPtrArray) placed = g_ptr_array_new();
    Forecasting all = {
        .planner = { .manager = self, .domain = domain, .before_start = true },
        .forecasts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_forecast_free),
        .placed = placed,
    };
    g_autoptr(GError) error = NULL;

    (void) vgpu_manager_inventory(self);
    need_uuid(domain);
    all.planner.key = domain->uuid;
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuForecast *forecast = g_new0(VgpuForecast, 1);

        forecast->want = g_ptr_array_index(domain->wants, i);
        g_ptr_array_add(all.forecasts, forecast);
    }
    if (vgpu_pooling_complete(self, domain, &error))
        check(&all, domain);
    else
        refuse_all(&all, error);
    for (guint i = 0; i < all.forecasts->len; i++) {
        VgpuForecast *forecast = at(&all, i);

        if (!error)
            forecast->display = display_note(self, domain, forecast->want);
        if (!forecast->state)
            meet(&all, forecast);
    }
    for (guint i = 0; i < all.forecasts->len; i++) {
        VgpuForecast *forecast = at(&all, i);

        forecast->candidates =
            error ? g_ptr_array_new()
                  : vgpu_planner_candidates(&all.planner, forecast->want, &forecast->reading);
        if (forecast->state)
            show_present(forecast);
        else
            place(&all, i);
        warn_of_passed(self, forecast->candidates);
    }
    take_back(&all);
    return all.forecasts;
}
