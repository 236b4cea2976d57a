/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plug.c (manager.h): vGPUs that come to, and go from, a domain that runs */
#include "base/clock.h"
#include "base/uuid.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/pooling.h"
#include "core/saved.h"
#include "core/start.h"
#include "domain/inject.h"
#include "domain/refusals.h"

/* They exist: now libvirt's part. */
static void
on_made(const GError *error, gpointer opaque)
{
    VgpuPlug *self = opaque;
    VgpuManager *manager = self->manager;
    const VgpuOwner *owner = vgpu_records_find(manager, self->key);
    g_autoptr(GPtrArray) ready = g_ptr_array_new();

    if (error) {
        self->error = g_error_copy(error);
        vgpu_waiters_finish_plug(self);
        return;
    }
    self->made = true;
    for (guint i = 0; owner && i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->phase == VGPU_PHASE_ATTACHING &&
            g_ptr_array_find_with_equal_func(self->uuids, claim->uuid, g_str_equal, NULL))
            g_ptr_array_add(ready, claim);
    }
    g_ptr_array_set_size(self->uuids, 0); /* vGPUs that need no plugging are not waited for */
    for (guint i = 0; i < ready->len; i++)
        g_ptr_array_add(self->uuids,
                        g_strdup(((const VgpuClaim *) g_ptr_array_index(ready, i))->uuid));
    if (!ready->len)
        vgpu_waiters_finish_plug(self);
    for (guint i = 0; i < ready->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(ready, i);

        claim->run = VGPU_RUN_WITHOUT;
        vgpu_life_go_on(manager, claim);
    }
}

static bool
check(VgpuManager *self, VgpuDomain *domain, guint first, GError **error)
{
    guint wanted = domain->wants->len > first ? domain->wants->len - first : 0;
    const VgpuOwner *owner = domain->uuid ? vgpu_records_find(self, domain->uuid) : NULL;
    bool other_run =
        owner && (!owner->started || (owner->domain_id >= 0 && owner->domain_id != domain->id));

    if (!domain->uuid || other_run || vgpu_waiters_is_starting(self, domain->uuid))
        return vgpu_error_at(error, VGPU_ERROR_BUSY, domain->what, 0, VGPU_REFUSAL_BEING_STARTED);
    return vgpu_pooling_complete(self, domain, error) &&
           vgpu_domain_check_slots(domain, wanted, error);
}

void
vgpu_manager_plug(VgpuManager *self, VgpuDomain *domain, guint first, guint timeout_ms,
                  VgpuPrepareDone done, gpointer opaque)
{
    g_autoptr(VgpuDomain) given = domain;
    g_autoptr(GError) error = NULL;
    const VgpuOwner *owner = domain->uuid ? vgpu_records_find(self, domain->uuid) : NULL;
    VgpuPlug *plug;
    VgpuStartRequest request = {
        .since = owner ? owner->since : vgpu_clock_now(),
        .timeout_ms = timeout_ms,
        .done = on_made,
        .plug = true,
        .first = first,
    };

    if (!check(self, domain, first, &error)) {
        const VgpuWant *want =
            first < domain->wants->len ? g_ptr_array_index(domain->wants, first) : NULL;

        vgpu_events_emit_refusal(self, "attach-refused", domain, want, error->message, -1);
        done(error, opaque);
        return;
    }
    plug = g_new0(VgpuPlug, 1);
    plug->manager = self;
    plug->key = g_strdup(domain->uuid);
    plug->uuids = g_ptr_array_new_with_free_func(g_free);
    plug->done = done;
    plug->opaque = opaque;
    for (guint i = first; i < domain->wants->len; i++)
        g_ptr_array_add(plug->uuids,
                        g_strdup(((const VgpuWant *) g_ptr_array_index(domain->wants, i))->uuid));
    g_hash_table_add(self->plugs, plug);
    request.key = plug->key;
    request.opaque = plug;
    request.domain = g_steal_pointer(&given);
    (void) vgpu_start_run(self, &request);
}

void
vgpu_manager_unplugged(VgpuManager *self, const char *domain_uuid, guint64 since, guint index)
{
    VgpuOwner *owner = vgpu_records_find(self, domain_uuid);

    if (owner && owner->since != since)
        return; /* that was another run */
    for (guint i = 0; owner && i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->index != index || claim->phase != VGPU_PHASE_READY)
            continue;
        owner->touched = vgpu_clock_now();
        vgpu_events_emit(self, "vgpu-detached", owner, claim, NULL, -1);
        claim->run = VGPU_RUN_WITHOUT;
        vgpu_saved_unplugged(self, claim->uuid);
        vgpu_life_go_on(self, claim);
        return;
    }
}

void
vgpu_manager_follow_run(VgpuManager *self, const char *domain_uuid, guint64 since,
                        const VgpuDomain *live)
{
    const VgpuOwner *owner = vgpu_records_find(self, domain_uuid);
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->phase == VGPU_PHASE_READY && !vgpu_reconcile_has_device(live, claim))
            g_array_append_val(gone, claim->index);
    }
    for (guint i = 0; i < gone->len; i++)
        vgpu_manager_unplugged(self, domain_uuid, since, g_array_index(gone, guint, i));
}

/* The record of a vGPU that was made without a domain; on a VF only the record has a name for it. */
static VgpuOwner *
find_handmade(const VgpuManager *self, const VgpuHostdev *hostdev)
{
    const GPtrArray *claims =
        hostdev->source ? vgpu_reservations_of_parent(self->reservations, hostdev->source)
                        : vgpu_reservations_of_uuid(self->reservations, hostdev->uuid);
    const VgpuClaim *claim = vgpu_reservations_first(claims, VGPU_KINDS(HANDMADE));

    return claim ? claim->owner : NULL;
}

void
vgpu_manager_plugged(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                     int domain_id, const VgpuHostdev *hostdev)
{
    g_autofree char *uuid = vgpu_uuid_for_domain(domain_uuid, (guint) hostdev->index);
    VgpuOwner *handmade = find_handmade(self, hostdev);
    VgpuOwner *owner = vgpu_records_find(self, domain_uuid);
    const VgpuClaim *from;
    VgpuClaim *claim;

    if (!handmade || (!hostdev->source && g_strcmp0(uuid, hostdev->uuid) != 0) ||
        vgpu_owner_find(owner, uuid))
        return;
    from = g_ptr_array_index(handmade->claims, 0);
    claim = vgpu_claim_copy_place(from);
    g_free(claim->uuid);
    claim->uuid = g_steal_pointer(&uuid);
    claim->index = (guint) hostdev->index;
    claim->adopted = from->adopted;
    if (!owner) {
        owner = vgpu_records_need(self, domain_uuid, domain_uuid, domain_name);
        owner->since = vgpu_clock_now();
    }
    owner->started = true;
    owner->domain_id = domain_id;
    owner->touched = vgpu_clock_now();
    vgpu_life_adopt(self, owner, claim, VGPU_WANTED_KEEP, VGPU_RUN_WITH);
    vgpu_records_save_or_warn(self, owner); /* two records for a moment are better than none */
    vgpu_life_hand_over(self, g_ptr_array_index(handmade->claims, 0));
    vgpu_events_emit(self, "vgpu-attached", owner, claim, NULL, -1);
}
