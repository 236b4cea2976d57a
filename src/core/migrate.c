/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migrate.c (manager.h): the XML of a domain that comes from elsewhere, or from a save, with this host's devices */
#include "core/migrate.h"

#include "base/error.h"
#include "base/source.h"
#include "core/arrivals.h"
#include "core/bind.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "domain/filter.h"

static void arm(VgpuManager *self);

/* Choices for domains that have not arrived. */
static gboolean
on_lapse(gpointer data)
{
    VgpuManager *self = data;
    g_autoptr(GPtrArray) expired =
        vgpu_reservations_expired(self->reservations, VGPU_KINDS(INCOMING),
                                  g_get_monotonic_time());

    for (guint i = 0; i < expired->len; i++) {
        VgpuOwner *owner = g_ptr_array_index(expired, i);

        if (!vgpu_records_find(self, owner->key) &&
            !g_hash_table_contains(self->definitions, owner->key))
            vgpu_plan_drop_all(self, owner->key); /* it has not come to stay */
        vgpu_reservations_drop_owner(self->reservations, owner);
    }
    arm(self);
    return G_SOURCE_REMOVE;
}

/* Wait for the first that expires. */
static void
arm(VgpuManager *self)
{
    gint64 next = vgpu_reservations_next_expiry(self->reservations, VGPU_KINDS(INCOMING));

    vgpu_source_clear(&self->lapse);
    if (!next)
        return;
    self->lapse = vgpu_source_after(self->context, 0, on_lapse, self);
    g_source_set_ready_time(self->lapse, next);
}

/* Hold the choices for as long as the domain's prepare may take to arrive. */
static void
hold(VgpuManager *self, const VgpuDomain *domain)
{
    const VgpuOwner *reserved =
        vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, domain->uuid);
    VgpuOwner *choice;

    vgpu_migrate_drop_choice(self, domain->uuid);
    choice = vgpu_reservations_need(self->reservations, VGPU_KIND_INCOMING, domain->uuid,
                                    domain->uuid, domain->name);
    choice->expires = g_get_monotonic_time() + (gint64) self->lapse_ms * 1000;
    for (guint i = 0; reserved && i < reserved->claims->len; i++)
        vgpu_reservations_add(self->reservations, choice,
                              vgpu_claim_copy_place(g_ptr_array_index(reserved->claims, i)));
    arm(self);
}

void
vgpu_migrate_drop_choice(VgpuManager *self, const char *domain_uuid)
{
    VgpuOwner *choice =
        vgpu_reservations_find(self->reservations, VGPU_KIND_INCOMING, domain_uuid);

    if (!choice)
        return;
    vgpu_reservations_drop_owner(self->reservations, choice);
    arm(self);
}

static void
tell_refusal(VgpuManager *self, const VgpuDomain *domain, const GError *error)
{
    g_autofree char *reason = vgpu_error_reason(error);

    vgpu_arrivals_expect(self, domain->uuid);
    vgpu_events_emit_refusal(self, vgpu_arrivals_refused(self, domain->uuid), domain, NULL,
                             reason, -1);
}

bool
vgpu_manager_filter(VgpuManager *self, VgpuDomain *domain, bool migrates, char **out,
                    GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *lost = NULL;
    bool on_vf = false;

    *out = NULL;
    if (!domain->uuid || !domain->wants->len)
        return true;
    if (!vgpu_bind_now(self, domain, &failure) ||
        !vgpu_filter_domain(domain, self->ops.libvirt, out, &lost, &failure)) {
        if (migrates)
            tell_refusal(self, domain, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (migrates)
        vgpu_arrivals_expect(self, domain->uuid);
    if (lost)
        g_message("domain '%s': an mdev cannot have %s, which is left out here", domain->name,
                  lost);
    for (guint i = 0; i < domain->wants->len; i++)
        on_vf |= ((const VgpuWant *) g_ptr_array_index(domain->wants, i))->vf != NULL;
    if (on_vf)
        hold(self, domain);
    return true;
}
