/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* step.c: one vGPU of a starting domain, until it is ready
 *
 * The rules decide what comes next (lifecycle.h). A vGPU with a record proceeds by itself (life.h); this
 * file tells the rules what a start finds where there is no record yet. */
#include "core/step.h"

#include <string.h>

#include "base/clock.h"
#include "core/create.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/planner.h"
#include "core/prospect.h"
#include "core/steps.h"
#include "domain/refusals.h"

/* --- vGPUs with a record ---------------------------------------------------------------- */

/* A start finds a record: of the previous run, or of one that was never released. */
static void
begin(const VgpuStart *self, VgpuStep *step, VgpuClaim *claim)
{
    bool same = vgpu_planner_keeps(self->manager, self->domain, claim, step->want);

    step->is_begun = true;
    if (same && vgpu_claim_hold(claim) != VGPU_HOLD_OURS) {
        g_free(claim->params);
        claim->params = g_strdup(step->want->params);
    }
    g_clear_pointer(&claim->reason, g_free); /* its domain does not run without it */
    claim->late = step->late;
    /* one that is being removed may not have got its parameters: read what it has */
    claim->lacks_params = claim->params && (vgpu_claim_hold(claim) != VGPU_HOLD_OURS ||
                                            claim->phase == VGPU_PHASE_CREATING ||
                                            claim->phase == VGPU_PHASE_RELEASING);
    vgpu_life_want(self->manager, claim, same ? VGPU_WANTED_TAKE : VGPU_WANTED_OTHER,
                   self->token);
}

/* --- vGPUs without a record ---------------------------------------------------------------------- */

static VgpuHold
hold_of(const VgpuWant *want, const VgpuProspect *prospect)
{
    if (prospect->kept)
        return VGPU_HOLD_PERSISTENT;
    return want->uuid_is_users ? VGPU_HOLD_ADOPTED : VGPU_HOLD_OURS;
}

static VgpuSituation
situation_of(const VgpuStep *step, const VgpuProspect *prospect)
{
    bool fits =
        !step->unusable &&
        (!prospect->profile || prospect->kept ||
         vgpu_profile_matches_any(prospect->profile, (const char *const *) step->want->profiles));

    return (VgpuSituation) {
        .hold = hold_of(step->want, prospect),
        .phase = VGPU_PHASE_NONE,
        .call = step->call,
        .seen = prospect->seen,
        .wanted = fits ? VGPU_WANTED_TAKE : VGPU_WANTED_OTHER,
        .run = VGPU_RUN_STARTING,
        .room = prospect->room,
    };
}

static VgpuClaim *
new_claim(const VgpuStart *self, const VgpuStep *step, const VgpuProspect *prospect)
{
    const VgpuWant *want = step->want;
    VgpuClaim *claim = vgpu_claim_new(want->uuid, want->index);

    vgpu_claim_put(claim, prospect->gpu, prospect->parent, prospect->profile);
    vgpu_claim_charge(claim, want, self->domain->tenant);
    claim->params = g_strdup(want->params);
    claim->asked = vgpu_clock_now();
    claim->persistent = prospect->kept != NULL;
    claim->adopted = want->uuid_is_users && prospect->seen != VGPU_SEEN_ABSENT;
    claim->late = step->late;
    return claim;
}

static VgpuOwner *
need_owner(const VgpuStart *self)
{
    VgpuOwner *owner =
        vgpu_records_need(self->manager, self->key, self->domain->uuid, self->domain->name);

    if (!owner->claims->len) /* from here on, a release of the run before is void */
        owner->since = self->since;
    return owner;
}

/* Record the existing device, which then proceeds by the rules. */
static void
adopt(const VgpuStart *self, VgpuStep *step, const VgpuProspect *prospect, VgpuWanted wanted)
{
    VgpuClaim *claim = new_claim(self, step, prospect);

    claim->lacks_params = claim->params != NULL;
    step->is_begun = true;
    vgpu_life_adopt(self->manager, need_owner(self), claim, VGPU_WANTED_KEEP, VGPU_RUN_STARTING);
    vgpu_life_want(self->manager, claim, wanted, self->token);
}

static void
step_without_record(VgpuStart *self, VgpuStep *step)
{
    const char *other = vgpu_planner_other_owner(self->manager, self->key, step->want);
    g_autoptr(VgpuProspect) prospect = NULL;
    VgpuSituation situation;
    const VgpuLifeRule *rule;

    if (other) {
        g_autofree char *text = g_strdup_printf(VGPU_REFUSAL_ANOTHERS, step->want->uuid, other);

        vgpu_steps_fail(self, VGPU_ERROR_BAD_REQUEST, text);
        return;
    }
    prospect = vgpu_prospect_new(self, step);
    situation = situation_of(step, prospect);
    rule = vgpu_lifecycle_next(&situation);
    step->wait = prospect->wait && !step->call ? prospect->wait
                 : rule->why                   ? rule->why
                                               : vgpu_lifecycle_waits_for(&situation);
    switch (rule->next) {
    case VGPU_NEXT_PLACE:
        step->is_begun = true;
        g_clear_error(&self->unanswered);
        vgpu_life_place(self->manager, need_owner(self), new_claim(self, step, prospect),
                        self->token);
        break;
    case VGPU_NEXT_INSTANCE:
        vgpu_create_gpu_instance(self, step, prospect->instance);
        break;
    case VGPU_NEXT_ADOPT:
    case VGPU_NEXT_CLAIM:
        adopt(self, step, prospect, situation.wanted);
        break;
    case VGPU_NEXT_REFUSE:
        vgpu_prospect_refuse(prospect, self, step);
        break;
    default: /* it waits */
        break;
    }
}

void
vgpu_step_begin(VgpuStart *self, VgpuStep *step)
{
    VgpuClaim *claim = vgpu_steps_claim(self, step);

    if (claim && !step->is_begun)
        begin(self, step, claim);
}

void
vgpu_step_advance(VgpuStart *self, VgpuStep *step)
{
    VgpuClaim *claim = vgpu_steps_claim(self, step);

    self->about = step->want;
    if (claim) {
        VgpuSituation situation = vgpu_claim_situation(claim);

        step->wait = vgpu_lifecycle_waits_for(&situation);
    } else {
        step_without_record(self, step);
    }
}

/* --- too late ----------------------------------------------------------------------------- */

void
vgpu_step_give_up(VgpuStart *self, const VgpuStep *step)
{
    guint seconds = (guint) ((g_get_monotonic_time() - self->begun) / G_USEC_PER_SEC);
    const VgpuClaim *claim = vgpu_steps_claim(self, step);
    VgpuSituation situation = claim ? vgpu_claim_situation(claim) : (VgpuSituation) { 0 };
    g_autofree char *text = NULL;

    situation.wanted = VGPU_WANTED_LATE;
    if (vgpu_lifecycle_next(&situation)->next != VGPU_NEXT_REFUSE)
        return;
    self->about = step->want;
    if (self->unanswered) {
        vgpu_error_at(&self->failure, VGPU_ERROR_BUSY, NULL, vgpu_error_line(self->unanswered),
                      "%s", self->unanswered->message);
        return;
    }
    if (claim && claim->call == VGPU_CALL_MAKING && claim->wanted == VGPU_WANTED_KEEP)
        text = g_strdup_printf(VGPU_REFUSAL_NO_ANSWER, claim->gpu, seconds);
    else if (step->wait)
        text = g_strdup_printf(VGPU_REFUSAL_LATE, step->wait, seconds);
    vgpu_steps_fail(self, VGPU_ERROR_BUSY, text ? text : "timed out");
}
