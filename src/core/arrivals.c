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

bool
vgpu_arrivals_is_expected(const VgpuManager *self, const char *domain_uuid)
{
    return find(self, domain_uuid) != NULL;
}

/* It does not come any more, or is here. */
static void
end(VgpuManager *self, const char *domain_uuid, const char *outcome)
{
    const VgpuMigrationEnd over = { .outcome = outcome, .downtime_ms = -1 };

    self->ops.migration(&over, self->opaque);
    g_hash_table_remove(self->arrivals, domain_uuid);
}

const char *
vgpu_arrivals_refused(VgpuManager *self, const char *domain_uuid)
{
    bool arriving = domain_uuid && find(self, domain_uuid);

    if (arriving)
        end(self, domain_uuid, "refused");
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
    const Arrival *arrival = find(self, domain_uuid);

    if (arrival && arrival->prepared)
        end(self, domain_uuid, "failed");
    else
        g_hash_table_remove(self->arrivals, domain_uuid);
}

bool
vgpu_arrivals_resumed(VgpuManager *self, const char *domain_uuid)
{
    const Arrival *arrival = find(self, domain_uuid);

    if (!arrival || !arrival->prepared)
        return false;
    emit(self, "vgpu-migrated", vgpu_records_find(self, domain_uuid));
    end(self, domain_uuid, "ok");
    return true;
}
