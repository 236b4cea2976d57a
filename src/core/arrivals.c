/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/arrivals.h"

#include "core/manager-private.h"

typedef struct {
    gint64 until; /* when it is forgotten if its prepare has not come by then, monotonic, us */
    bool prepared;
} Arrival;

void
vgpu_arrivals_open(VgpuManager *self)
{
    self->arrivals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void
vgpu_arrivals_close(VgpuManager *self)
{
    g_hash_table_unref(self->arrivals);
}

static gboolean
is_over(gpointer key, gpointer value, gpointer now)
{
    const Arrival *arrival = value;

    return !arrival->prepared && arrival->until < *(const gint64 *) now;
}

static Arrival *
find(const VgpuManager *self, const char *domain_uuid)
{
    Arrival *arrival = g_hash_table_lookup(self->arrivals, domain_uuid);
    gint64 now = g_get_monotonic_time();

    return arrival && !is_over(NULL, arrival, &now) ? arrival : NULL;
}

void
vgpu_arrivals_expect(VgpuManager *self, const char *domain_uuid)
{
    Arrival *arrival = g_new0(Arrival, 1);
    gint64 now = g_get_monotonic_time();

    g_hash_table_foreach_remove(self->arrivals, is_over, &now);
    arrival->until = now + (gint64) self->lapse_ms * 1000;
    g_hash_table_replace(self->arrivals, g_strdup(domain_uuid), arrival);
}

const char *
vgpu_arrivals_refused(VgpuManager *self, const char *domain_uuid)
{
    bool arriving = domain_uuid && find(self, domain_uuid);

    if (arriving)
        vgpu_arrivals_drop(self, domain_uuid);
    return arriving ? "migration-refused" : "start-refused";
}

static void
emit(VgpuManager *self, const char *event, const VgpuOwner *owner)
{
    for (guint i = 0; owner && i < owner->claims->len; i++)
        vgpu_events_emit(self, event, owner, g_ptr_array_index(owner->claims, i), "to this host",
                         -1);
}

void
vgpu_arrivals_prepared(VgpuManager *self, const VgpuOwner *owner)
{
    Arrival *arrival = find(self, owner->domain_uuid);

    if (!arrival || arrival->prepared)
        return;
    arrival->prepared = true;
    emit(self, "vgpu-migrating", owner);
}

void
vgpu_arrivals_drop(VgpuManager *self, const char *domain_uuid)
{
    g_hash_table_remove(self->arrivals, domain_uuid);
}

void
vgpu_manager_arrived(VgpuManager *self, const char *domain_uuid)
{
    const Arrival *arrival = find(self, domain_uuid);

    if (!arrival || !arrival->prepared)
        return;
    emit(self, "vgpu-migrated", vgpu_records_find(self, domain_uuid));
    vgpu_arrivals_drop(self, domain_uuid);
}

/* Its vGPUs are gone by now, or will be soon, as the hook `release` comes first. */
void
vgpu_manager_departed(VgpuManager *self, const char *domain_uuid)
{
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);
    const VgpuOwner *record = vgpu_records_find(self, domain_uuid);
    VgpuOwner who = { .domain_uuid = (char *) domain_uuid };

    if (!record && !definition)
        return;
    who.domain_name = record ? record->domain_name : definition->domain->name;
    vgpu_events_emit(self, "vgpu-migrated", &who, NULL, "to another host", -1);
}
