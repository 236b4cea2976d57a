/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/life.h"

#include "base/clock.h"
#include "base/source.h"
#include "core/device.h"
#include "core/manager-private.h"
#include "core/refused.h"
#include "core/steps.h"
#include "core/waiters.h"
#include "domain/refusals.h"

#define FIRST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000
#define LONGEST_WAIT_OF_A_START_MS 100

/* The operation in progress for one claim, apart from its creation (create.c). */
struct VgpuLife {
    VgpuManager *manager;
    VgpuClaim *claim;
    VgpuDevice *device;
    gint64 begun;
    guint wait_ms;
    GSource *timer;
    GSource *patience; /* until it is called stuck */
};

static void
life_free(VgpuClaim *claim)
{
    VgpuLife *self = g_steal_pointer(&claim->life);

    if (!self)
        return;
    vgpu_source_clear(&self->timer);
    vgpu_source_clear(&self->patience);
    vgpu_device_free(self->device);
    self->manager->lives--;
    g_free(self);
}

static void on_device(const VgpuLook *look, gpointer opaque);

static VgpuLife *
get_life(VgpuManager *manager, VgpuClaim *claim)
{
    VgpuLife *self = claim->life;

    if (self)
        return self;
    self = claim->life = g_new0(VgpuLife, 1);
    self->manager = manager;
    self->claim = claim;
    self->begun = g_get_monotonic_time();
    self->device = vgpu_device_new(manager, claim, on_device, self);
    manager->lives++;
    return self;
}

/* --- time --------------------------------------------------------------------------------- */

static gboolean
on_timer(gpointer data)
{
    VgpuLife *self = data;

    vgpu_source_clear(&self->timer);
    if (self->claim->call == VGPU_CALL_REMOVING) /* of a daemon before us: is it over? */
        self->claim->call = VGPU_CALL_NONE;
    if (self->claim->call == VGPU_CALL_NONE)
        self->claim->seen = VGPU_SEEN_UNKNOWN;
    vgpu_life_go_on(self->manager, self->claim);
    return G_SOURCE_REMOVE;
}

static void
wait_for(VgpuManager *manager, VgpuClaim *claim, guint ms)
{
    VgpuLife *self = get_life(manager, claim);

    vgpu_source_clear(&self->timer);
    self->timer = vgpu_source_after(manager->context, ms, on_timer, self);
}

static void
wait_longer(VgpuManager *manager, VgpuClaim *claim)
{
    VgpuLife *self = get_life(manager, claim);
    guint most = claim->wanted == VGPU_WANTED_TAKE ? LONGEST_WAIT_OF_A_START_MS : LONGEST_WAIT_MS;

    if (self->timer) /* it is waited for already */
        return;
    self->wait_ms = CLAMP(self->wait_ms * 2, FIRST_WAIT_MS, most);
    wait_for(manager, claim, self->wait_ms);
}

/* The limit for all that it waits for, including an answer that never comes. */
static gboolean
on_patience_over(gpointer data)
{
    VgpuLife *self = data;
    VgpuClaim *claim = self->claim;

    vgpu_source_clear(&self->patience);
    vgpu_device_lose_patience(self->device);
    if (!claim->stuck) {
        claim->stuck = true;
        vgpu_events_emit(self->manager, "vgpu-stuck", claim->owner, claim,
                         vgpu_device_why_stuck(self->device),
                         (g_get_monotonic_time() - self->begun) / 1000);
    }
    return G_SOURCE_REMOVE;
}

/* --- what is done ------------------------------------------------------------------------- */

static void
begin_removal(VgpuManager *self, VgpuClaim *claim)
{
    VgpuLife *life = get_life(self, claim);

    life->begun = g_get_monotonic_time();
    life->wait_ms = 0;
    if (!life->patience)
        life->patience = vgpu_source_after(self->context, self->config->remove_timeout * 1000,
                                           on_patience_over, life);
}

static void
release(VgpuManager *self, VgpuClaim *claim)
{
    claim->phase = VGPU_PHASE_RELEASING;
    vgpu_records_save_or_warn(self, claim->owner);
    begin_removal(self, claim);
    /* otherwise the call in progress will report; do not remove it from here: the hook that reported the
     * end is waiting */
    if (claim->call == VGPU_CALL_NONE)
        wait_for(self, claim, 0);
}

static VgpuDevice *
begin_call(VgpuManager *self, VgpuClaim *claim, VgpuCall call)
{
    VgpuLife *life = get_life(self, claim);

    vgpu_source_clear(&life->timer);
    claim->call = call;
    return life->device;
}

/* A look or a removal is over. */
static void
on_device(const VgpuLook *found, gpointer opaque)
{
    VgpuLife *self = opaque;
    VgpuClaim *claim = self->claim;
    VgpuManager *manager = self->manager;

    if (found->is_written)
        self->wait_ms = 0; /* it is on its way */
    claim->call = found->is_locked ? VGPU_CALL_REMOVING : VGPU_CALL_NONE;
    claim->seen = found->seen;
    if (found->seen == VGPU_SEEN_UNUSABLE)
        vgpu_steps_is_unusable(manager, claim, found->why);
    if (claim->wanted == VGPU_WANTED_TAKE &&
        (found->seen == VGPU_SEEN_FREE || found->seen == VGPU_SEEN_RESTING))
        vgpu_steps_see_params(manager, claim, found->params);
    claim->is_imaginary &= found->seen < VGPU_SEEN_FREE;
    if (found->seen == VGPU_SEEN_ABSENT) /* the last reading of its GPU may still show it */
        vgpu_drivers_touch(manager->drivers, claim->gpu);
    if (found->is_locked)
        wait_longer(manager, claim);
    else
        vgpu_life_go_on(manager, claim);
    vgpu_waiters_wake_starts(manager);
}

/* The device has been removed, or was not ours to remove. */
static void
tell_removed(VgpuManager *self, const VgpuClaim *claim)
{
    gint64 begun = claim->life ? claim->life->begun : g_get_monotonic_time();

    if (claim->phase == VGPU_PHASE_CREATING || claim->is_imaginary ||
        claim->wanted == VGPU_WANTED_TAKE || vgpu_claim_hold(claim) != VGPU_HOLD_OURS)
        return;
    vgpu_refused_drop(self, claim->gpu);
    vgpu_events_emit(self, "vgpu-removed", claim->owner, claim, claim->reason,
                     (g_get_monotonic_time() - begun) / 1000);
}

static void
drop_record(VgpuManager *self, VgpuClaim *claim)
{
    VgpuOwner *owner = claim->owner;

    life_free(claim);
    vgpu_reservations_drop(self->reservations, claim);
    vgpu_records_save_or_warn(self, owner);
    vgpu_waiters_wake_starts(self);
}

static void
drop(VgpuManager *self, VgpuClaim *claim)
{
    tell_removed(self, claim);
    drop_record(self, claim);
}

static void
fail(VgpuManager *self, VgpuClaim *claim)
{
    tell_removed(self, claim);
    life_free(claim);
    claim->phase = VGPU_PHASE_FAILED;
    claim->wanted = VGPU_WANTED_KEEP;
    claim->is_unsure = false;
    vgpu_records_save_or_warn(self, claim->owner);
    vgpu_waiters_wake_starts(self);
}

/* It is ready for the start that wants it. */
static void
take(VgpuClaim *claim)
{
    life_free(claim);
    claim->phase = claim->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
    claim->wanted = VGPU_WANTED_KEEP;
    claim->call = VGPU_CALL_NONE;
    claim->seen = VGPU_SEEN_UNKNOWN;
    claim->lacks_params = false;
    claim->is_imaginary = false;
    claim->is_unsure = false;
    claim->stuck = false;
    claim->is_lost = false;
    g_clear_pointer(&claim->reason, g_free);
}

static void
confirm(VgpuManager *self, VgpuClaim *claim)
{
    claim->phase = VGPU_PHASE_READY;
    claim->is_unsure = false;
    vgpu_records_save_or_warn(self, claim->owner);
    vgpu_waiters_tell_plugged(self, claim->owner->key, claim->uuid, NULL);
}

void
vgpu_life_is_to_be_made(VgpuClaim *claim)
{
    claim->phase = VGPU_PHASE_CREATING;
    claim->wanted = VGPU_WANTED_KEEP;
    claim->is_unsure = true;
    claim->is_recorded = true;
}

/* On record before the device can exist. */
static void
make(VgpuManager *self, VgpuClaim *claim, bool exists)
{
    bool is_recorded = claim->is_recorded; /* with the others of its start */
    g_autoptr(GError) error = NULL;

    vgpu_life_is_to_be_made(claim);
    claim->is_recorded = false;
    if (!is_recorded && !vgpu_records_save(self, claim->owner, &error)) {
        claim->wanted = VGPU_WANTED_GONE;
        vgpu_steps_cannot(self, claim->start, error);
        return;
    }
    life_free(claim);
    claim->call = VGPU_CALL_MAKING;
    claim->seen = VGPU_SEEN_UNKNOWN;
    self->make(self, claim, exists);
}

static void
plug(VgpuManager *self, VgpuClaim *claim)
{
    if (claim->is_plugging)
        return;
    claim->is_plugging = true;
    if (!vgpu_waiters_has_plug(self, claim->owner->domain_uuid, claim->uuid))
        claim->asked = vgpu_clock_now(); /* by the guest, which has just started */
    self->ops.attach(claim->owner, claim, self->opaque);
}

/* Fail a pending hotplug of this vGPU. */
static void
end_plug(VgpuManager *self, VgpuClaim *claim)
{
    g_autoptr(GError) over =
        g_error_new(VGPU_ERROR, VGPU_ERROR_FAILED, VGPU_REFUSAL_STOPPED ", or has lost it");

    claim->is_plugging = false;
    if (claim->owner->domain_uuid)
        vgpu_waiters_tell_plugged(self, claim->owner->domain_uuid, claim->uuid, over);
}

static void
let_go(VgpuManager *self, VgpuClaim *claim)
{
    claim->wanted = VGPU_WANTED_GONE;
    end_plug(self, claim);
}

/* --- what comes next ---------------------------------------------------------------------- */

static void
do_next(VgpuManager *self, VgpuClaim *claim, VgpuNext next)
{
    switch (next) {
    case VGPU_NEXT_RELEASE:
        release(self, claim);
        break;
    case VGPU_NEXT_LOOK:
        vgpu_device_look(begin_call(self, claim, VGPU_CALL_LOOKING), claim->owner->started);
        break;
    case VGPU_NEXT_LOOK_LATER:
        wait_longer(self, claim);
        break;
    case VGPU_NEXT_REMOVE:
        vgpu_device_remove(begin_call(self, claim, VGPU_CALL_REMOVING), claim->owner->started);
        break;
    case VGPU_NEXT_MAKE:
    case VGPU_NEXT_PARAMS:
        make(self, claim, next == VGPU_NEXT_PARAMS);
        break;
    case VGPU_NEXT_TAKE:
        take(claim);
        break;
    case VGPU_NEXT_CONFIRM:
        confirm(self, claim);
        break;
    case VGPU_NEXT_PLUG:
        plug(self, claim);
        break;
    case VGPU_NEXT_DROP:
        drop(self, claim);
        break;
    case VGPU_NEXT_FAIL:
        fail(self, claim);
        break;
    default: /* nothing, or it is for a start or for libvirt's side to do */
        break;
    }
}

void
vgpu_life_go_on(VgpuManager *self, VgpuClaim *claim)
{
    VgpuSituation situation = vgpu_claim_situation(claim);
    VgpuNext next = vgpu_lifecycle_next(&situation)->next;

    if (next == VGPU_NEXT_LET_GO) {
        vgpu_life_let_go(self, claim);
    } else if (next ==
               VGPU_NEXT_REPLACE) { /* it is removed if it is ours, and left alone otherwise */
        claim->wanted = VGPU_WANTED_OTHER;
        vgpu_life_go_on(self, claim);
    } else {
        do_next(self, claim, next);
    }
}

void
vgpu_life_let_go(VgpuManager *self, VgpuClaim *claim)
{
    let_go(self, claim);
    vgpu_life_go_on(self, claim);
}

void
vgpu_life_let_all_go(VgpuManager *self, const VgpuOwner *owner,
                     bool (*which)(const VgpuClaim *claim, gconstpointer data),
                     gconstpointer data)
{
    g_autoptr(GPtrArray) claims = g_ptr_array_new();

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (!which || which(claim, data))
            g_ptr_array_add(claims, claim);
    }
    for (guint i = 0; i < claims->len; i++) /* each takes away no other */
        vgpu_life_let_go(self, g_ptr_array_index(claims, i));
}

/* --- news from the callers ------------------------------------------------------------------------- */

void
vgpu_life_place(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, guint64 start)
{
    claim->phase = VGPU_PHASE_CREATING;
    claim->run = VGPU_RUN_STARTING;
    claim->seen = VGPU_SEEN_ABSENT;
    claim->is_imaginary = true;
    claim->start = start;
    vgpu_reservations_add(self->reservations, owner, claim);
}

void
vgpu_life_adopt(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, VgpuWanted wanted,
                VgpuRun run)
{
    claim->phase = VGPU_PHASE_READY;
    claim->run = run;
    claim->wanted = wanted;
    vgpu_reservations_add(self->reservations, owner, claim);
}

void
vgpu_life_hand_over(VgpuManager *self, VgpuClaim *claim)
{
    drop_record(self, claim);
}

void
vgpu_life_want(VgpuManager *self, VgpuClaim *claim, VgpuWanted wanted, guint64 start)
{
    claim->wanted = wanted;
    claim->run = VGPU_RUN_STARTING;
    claim->start = start;
    end_plug(self, claim); /* of the run before */
    if (claim->call == VGPU_CALL_NONE && claim->seen != VGPU_SEEN_ABSENT)
        claim->seen = VGPU_SEEN_UNKNOWN;
    if (claim->life)
        claim->life->wait_ms = 0;
    vgpu_life_go_on(self, claim);
}

void
vgpu_life_is_made(VgpuClaim *claim)
{
    take(claim);
}

void
vgpu_life_is_not_made(VgpuClaim *claim, VgpuWanted wanted, bool perhaps)
{
    claim->call = VGPU_CALL_NONE;
    claim->seen = perhaps ? VGPU_SEEN_UNKNOWN : VGPU_SEEN_ABSENT;
    claim->is_imaginary &= !perhaps;
    claim->wanted = wanted;
}

void
vgpu_life_is_defined(VgpuClaim *claim)
{
    claim->phase = VGPU_PHASE_READY;
}

static void
resume(VgpuManager *self, VgpuClaim *claim)
{
    if (claim->phase == VGPU_PHASE_RELEASING) {
        claim->wanted = VGPU_WANTED_GONE;
        begin_removal(self, claim);
    } else if (!claim->owner->domain_uuid) { /* no caller waits for its creation any more */
        claim->run = claim->phase == VGPU_PHASE_READY ? VGPU_RUN_WITH : VGPU_RUN_OFF;
    }
    vgpu_life_go_on(self, claim);
}

void
vgpu_life_resume(VgpuManager *self)
{
    g_autoptr(GPtrArray) owners = vgpu_reservations_list(self->reservations, VGPU_KINDS_MADE);

    for (guint i = 0; i < owners->len; i++) {
        const VgpuOwner *owner = g_ptr_array_index(owners, i);
        g_autoptr(GPtrArray) claims = g_ptr_array_copy(owner->claims, NULL, NULL);

        g_ptr_array_set_free_func(claims, NULL);
        for (guint j = 0; j < claims->len; j++)
            resume(self, g_ptr_array_index(claims, j));
    }
}

void
vgpu_life_free_all(VgpuManager *self)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS_MADE);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        for (guint i = 0; i < owner->claims->len; i++)
            life_free(g_ptr_array_index(owner->claims, i));
    }
}
