/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/saved.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/source.h"
#include "core/held.h"
#include "core/manager-private.h"
#include "domain/refusals.h"

/* How long libvirt's event that a domain was saved may come after the domain has disappeared. */
#define EVENT_US (10 * G_USEC_PER_SEC)

static VgpuOwner *
find_owner(const VgpuManager *self, const char *domain_uuid)
{
    return vgpu_reservations_find(self->reservations, VGPU_KIND_SAVED, domain_uuid);
}

const VgpuClaim *
vgpu_saved_find(const VgpuManager *self, const char *uuid)
{
    return vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                   VGPU_KINDS(SAVED));
}

bool
vgpu_saved_counts(const VgpuManager *self, const VgpuClaim *claim, const char *key)
{
    const GPtrArray *all = vgpu_reservations_of_uuid(self->reservations, claim->uuid);
    const VgpuClaim *run = vgpu_reservations_first(all, VGPU_KINDS(RUN));

    return g_strcmp0(claim->owner->key, key) != 0 && (!run || run->phase == VGPU_PHASE_FAILED) &&
           !vgpu_reservations_first(all, VGPU_KINDS(INCOMING) | VGPU_KINDS(HELD) |
                                             VGPU_KINDS(PERSISTENT));
}

const VgpuClaim *
vgpu_saved_place(const VgpuManager *self, const VgpuDomain *domain, const char *key,
                 const VgpuWant *want)
{
    const VgpuClaim *claim = vgpu_saved_find(self, want->uuid);
    const VgpuGpu *gpu = claim ? vgpu_inventory_find(self->inventory, claim->gpu) : NULL;
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, claim->parent) : NULL;

    if (!parent || g_strcmp0(claim->owner->key, key) != 0 || !vgpu_claim_fits(claim, want) ||
        g_strcmp0(claim->pool, vgpu_pool_meant(want->pool)) != 0 ||
        g_strcmp0(claim->tenant, domain->tenant) != 0)
        return NULL;
    if (gpu->passed_through || parent->host_vf || gpu->interface != claim->interface ||
        (want->interface != VGPU_INTERFACE_NONE && want->interface != claim->interface) ||
        (want->vf && !g_str_equal(want->vf, claim->parent)))
        return NULL;
    if (vgpu_interface_is_on_vf(gpu->interface) && parent->instances->len)
        return NULL; /* something else has set its type */
    return vgpu_gpu_find_profile(gpu, claim->profile_id) ? claim : NULL;
}

char *
vgpu_saved_refusal(const VgpuOwner *owner)
{
    return g_strdup_printf(VGPU_REFUSAL_SAVED, owner->domain_name);
}

char *
vgpu_saved_refuses(const VgpuManager *self, const char *vf, const char *key)
{
    const GPtrArray *there = vgpu_reservations_of_parent(self->reservations, vf);
    const VgpuClaim *held = vgpu_reservations_first(there, VGPU_KINDS(HELD));
    const VgpuClaim *saved = vgpu_reservations_first(there, VGPU_KINDS(SAVED));

    if (held && g_strcmp0(held->owner->key, key) != 0)
        return vgpu_held_refusal(held->owner);
    if (saved && vgpu_saved_counts(self, saved, key))
        return vgpu_saved_refusal(saved->owner);
    return NULL;
}

/* --- records -------------------------------------------------------------------------------- */

static void
save(VgpuManager *self, VgpuOwner *owner)
{
    owner->touched = vgpu_clock_now();
    vgpu_records_save_or_warn(self, owner); /* frees it if nothing is left */
}

static void
give_up(VgpuManager *self, VgpuOwner *owner, const char *why)
{
    g_message("room is no longer kept for domain '%s': %s", owner->domain_name, why);
    vgpu_reservations_clear(self->reservations, owner);
    save(self, owner);
    vgpu_waiters_wake_starts(self);
}

static void
decide(VgpuManager *self, VgpuOwner *owner, VgpuKept kept)
{
    if (owner->kept == kept && !owner->expires)
        return;
    g_message("domain '%s' is saved, and its room on %s is kept", owner->domain_name,
              ((const VgpuClaim *) g_ptr_array_index(owner->claims, 0))->gpu);
    owner->kept = kept;
    owner->expires = 0;
    save(self, owner);
}

/* Whether that vGPU of a run takes room that its end gives back. */
static bool
is_to_keep(const VgpuManager *self, const VgpuClaim *claim)
{
    return vgpu_claim_hold(claim) == VGPU_HOLD_OURS && claim->wanted != VGPU_WANTED_GONE &&
           claim->phase != VGPU_PHASE_FAILED && claim->phase != VGPU_PHASE_RELEASING &&
           !vgpu_held_find(self, claim->uuid);
}

static bool
is_same_place(const VgpuClaim *a, const VgpuClaim *b)
{
    return g_strcmp0(a->parent, b->parent) == 0 && g_strcmp0(a->profile_id, b->profile_id) == 0 &&
           g_strcmp0(a->pool, b->pool) == 0 && g_strcmp0(a->tenant, b->tenant) == 0 &&
           a->index == b->index;
}

/* Record what the run has, besides what is recorded already. */
static void
note(VgpuManager *self, const VgpuOwner *run)
{
    VgpuOwner *owner = vgpu_reservations_need(self->reservations, VGPU_KIND_SAVED, run->key,
                                              run->domain_uuid, run->domain_name);
    bool changed = !owner->claims->len;

    for (guint i = 0; i < run->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(run->claims, i);
        VgpuClaim *old = vgpu_owner_find(owner, claim->uuid);

        if (!is_to_keep(self, claim) || (old && is_same_place(old, claim)))
            continue;
        if (old)
            vgpu_reservations_drop(self->reservations, old);
        vgpu_reservations_add(self->reservations, owner, vgpu_claim_copy_place(claim));
        changed = true;
    }
    if (changed)
        save(self, owner);
}

/* --- the run -------------------------------------------------------------------------------- */

/* Whether the domain has no vGPUs any more but those that are being removed, and does not start. */
static bool
is_over(VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *run = vgpu_records_find(self, domain_uuid);

    for (guint i = 0; run && i < run->claims->len; i++) {
        if (((const VgpuClaim *) g_ptr_array_index(run->claims, i))->wanted != VGPU_WANTED_GONE)
            return false;
    }
    return !vgpu_waiters_is_starting(self, domain_uuid);
}

void
vgpu_saved_prepared(VgpuManager *self, const VgpuOwner *run, bool keeps)
{
    VgpuOwner *owner = find_owner(self, run->domain_uuid);

    if (owner && owner->kept != VGPU_KEPT_UNDECIDED)
        return; /* the start may still fail */
    if (keeps)
        note(self, run);
    else if (owner)
        give_up(self, owner, "it starts without keepRoom");
}

void
vgpu_saved_started(VgpuManager *self, const VgpuOwner *run)
{
    VgpuOwner *owner = run->domain_uuid ? find_owner(self, run->domain_uuid) : NULL;
    const VgpuDefinition *definition = vgpu_definitions_find(self, run->domain_uuid);

    if (!owner)
        return;
    if (definition && !definition->unclear && !definition->domain->keeps_room) {
        give_up(self, owner, "it has started, and has no keepRoom");
        return;
    }
    owner->kept = VGPU_KEPT_UNDECIDED;
    owner->expires = 0;
    vgpu_reservations_clear(self->reservations, owner);
    note(self, run);
}

void
vgpu_saved_unplugged(VgpuManager *self, const char *uuid)
{
    const VgpuClaim *claim = vgpu_saved_find(self, uuid);

    if (claim && claim->owner->kept == VGPU_KEPT_UNDECIDED)
        vgpu_saved_drop(self, uuid);
}

void
vgpu_saved_stopping(VgpuManager *self, const VgpuOwner *run)
{
    VgpuOwner *owner = run->domain_uuid ? find_owner(self, run->domain_uuid) : NULL;

    if (!owner)
        return;
    if (owner->kept == VGPU_KEPT_UNDECIDED)
        note(self, run);
    owner->touched = vgpu_clock_now(); /* what libvirt was asked before is about the run */
    self->ops.ask_run(run->domain_uuid, run->since, self->opaque);
}

void
vgpu_saved_follow(VgpuManager *self, const VgpuDomain *domain, bool running)
{
    VgpuOwner *owner = find_owner(self, domain->uuid);
    const VgpuOwner *run = vgpu_records_find(self, domain->uuid);

    if (owner && !domain->keeps_room)
        give_up(self, owner, "its annotation and its pools have no keepRoom");
    else if (!owner && domain->keeps_room && running && run && run->domain_uuid &&
             !is_over(self, domain->uuid))
        note(self, run);
}

void
vgpu_saved_drop(VgpuManager *self, const char *uuid)
{
    VgpuClaim *claim = (VgpuClaim *) vgpu_saved_find(self, uuid);
    VgpuOwner *owner = claim ? claim->owner : NULL;

    if (!claim)
        return;
    vgpu_reservations_drop(self->reservations, claim);
    save(self, owner);
    vgpu_waiters_wake_starts(self);
}

/* --- how it has ended ----------------------------------------------------------------------- */

static void arm(VgpuManager *self);

/* No event has said that these domains, which no longer exist, were saved. */
static gboolean
on_lapse(gpointer data)
{
    VgpuManager *self = data;
    g_autoptr(GPtrArray) expired =
        vgpu_reservations_expired(self->reservations, VGPU_KINDS(SAVED), g_get_monotonic_time());

    for (guint i = 0; i < expired->len; i++)
        give_up(self, g_ptr_array_index(expired, i), "it no longer exists, and was not saved");
    arm(self);
    return G_SOURCE_REMOVE;
}

static void
arm(VgpuManager *self)
{
    gint64 next = vgpu_reservations_next_expiry(self->reservations, VGPU_KINDS(SAVED));

    vgpu_source_clear(&self->saved_lapse);
    if (!next)
        return;
    self->saved_lapse = vgpu_source_after(self->context, 0, on_lapse, self);
    g_source_set_ready_time(self->saved_lapse, next);
}

guint64
vgpu_manager_saved_as_of(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = find_owner(self, domain_uuid);

    return owner ? MAX(owner->touched, 1) : 0;
}

GPtrArray *
vgpu_manager_saved(const VgpuManager *self)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS(SAVED));
    while (vgpu_reservations_iter_next(&iter, &owner))
        g_ptr_array_add(uuids, g_strdup(owner->key));
    return uuids;
}

void
vgpu_manager_stopped(VgpuManager *self, const char *domain_uuid, bool was_saved)
{
    VgpuOwner *owner = find_owner(self, domain_uuid);
    bool is_defined = vgpu_definitions_find(self, domain_uuid) != NULL;

    if (!owner || owner->kept != VGPU_KEPT_UNDECIDED)
        return;
    if (was_saved)
        decide(self, owner, is_defined ? VGPU_KEPT_FILE : VGPU_KEPT_TRANSIENT);
    else if (!is_defined && is_over(self, domain_uuid))
        give_up(self, owner, "it has stopped, and was not saved");
}

void
vgpu_manager_was_saved(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    const VgpuOwner *run = vgpu_records_find(self, domain_uuid);

    if (!run || run->since <= since)
        vgpu_manager_stopped(self, domain_uuid, true);
}

void
vgpu_saved_read_notes(VgpuManager *self, const char *root)
{
    g_autofree char *path = g_build_filename(root, VGPU_PATH_SAVED_NOTES, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *text = NULL;
        guint64 since;

        if (g_file_get_contents(file, &text, NULL, NULL) &&
            g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXUINT64, &since, NULL))
            vgpu_manager_was_saved(self, name, since);
        (void) remove(file);
    }
}

/* It does not exist. Of a transient domain that was saved only the event tells that. */
static void
take_absence(VgpuManager *self, VgpuOwner *owner)
{
    if (owner->kept == VGPU_KEPT_TRANSIENT || owner->expires)
        return;
    if (owner->kept != VGPU_KEPT_UNDECIDED) {
        give_up(self, owner, "it is no longer defined");
        return;
    }
    owner->expires = g_get_monotonic_time() + EVENT_US;
    arm(self);
}

void
vgpu_manager_take_fate(VgpuManager *self, const char *domain_uuid, guint64 as_of, VgpuFate fate)
{
    VgpuOwner *owner = find_owner(self, domain_uuid);
    bool is_file;

    if (!owner || vgpu_manager_saved_as_of(self, domain_uuid) != as_of ||
        !is_over(self, domain_uuid))
        return;
    is_file = owner->kept == VGPU_KEPT_FILE || owner->kept == VGPU_KEPT_TRANSIENT;
    switch (fate) {
    case VGPU_FATE_GONE:
        take_absence(self, owner);
        break;
    case VGPU_FATE_IMAGE:
        decide(self, owner, VGPU_KEPT_IMAGE);
        break;
    case VGPU_FATE_SAVED:
        if (is_file || owner->kept == VGPU_KEPT_UNDECIDED)
            decide(self, owner, VGPU_KEPT_FILE);
        else
            give_up(self, owner, "its managed save image was removed");
        break;
    case VGPU_FATE_UNTOLD:
        if (is_file)
            decide(self, owner, VGPU_KEPT_FILE);
        else
            give_up(self, owner, "it is off, and not saved");
        break;
    case VGPU_FATE_OTHER:
        give_up(self, owner, "it is not saved");
        break;
    }
}
