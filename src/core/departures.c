/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* departures.c (also of manager.h): domains with vGPUs that migrate from this host to another one */
#include "core/departures.h"

#include "base/event.h"
#include "base/source.h"
#include "core/arrivals.h"
#include "core/manager-private.h"

/* How long the event with the cost may come after the one that the domain is gone. libvirt sends them together. */
#define COST_US (2 * G_USEC_PER_SEC)

typedef struct {
    char *domain_name;
    bool paused; /* to run on on the other host */
    gint64
        until; /* when its departure is reported without its cost, monotonic, us; 0: it is still here */
} Departure;

static void
departure_free(gpointer data)
{
    Departure *departure = data;

    g_free(departure->domain_name);
    g_free(departure);
}

void
vgpu_departures_open(VgpuManager *self)
{
    self->departures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, departure_free);
}

void
vgpu_departures_close(VgpuManager *self)
{
    vgpu_source_clear(&self->departures_lapse);
    g_hash_table_unref(self->departures);
}

static void
emit(VgpuManager *self, const char *event, const char *domain_uuid, const char *domain_name,
     const VgpuMigrationEnd *end)
{
    const VgpuEvent about = {
        .event = event,
        .domain = domain_name,
        .domain_uuid = domain_uuid,
        .reason = "to another host",
        .duration_ms = -1,
        .libvirt_ms = -1,
        .downtime_ms = end ? MAX(end->downtime_ms, 0) : 0,
        .data_bytes = end ? end->data_bytes : 0,
    };

    self->ops.event(vgpu_event_new(&about), self->opaque);
}

static void
report(VgpuManager *self, const char *domain_uuid, gint64 downtime_ms, guint64 data_bytes)
{
    const Departure *departure = g_hash_table_lookup(self->departures, domain_uuid);
    const VgpuMigrationEnd end = {
        .departs = true,
        .outcome = "ok",
        .downtime_ms = downtime_ms,
        .data_bytes = data_bytes,
    };

    emit(self, "vgpu-migrated", domain_uuid, departure->domain_name, &end);
    self->ops.migration(&end, self->opaque);
    g_hash_table_remove(self->departures, domain_uuid);
}

static void arm(VgpuManager *self);

/* libvirt has not said what these have cost. */
static gboolean
on_lapse(gpointer data)
{
    VgpuManager *self = data;
    gint64 now = g_get_monotonic_time();
    g_autofree char **uuids = (char **) g_hash_table_get_keys_as_array(self->departures, NULL);

    for (char **uuid = uuids; *uuid; uuid++) {
        const Departure *departure = g_hash_table_lookup(self->departures, *uuid);

        if (departure->until && departure->until <= now)
            report(self, *uuid, -1, 0);
    }
    arm(self);
    return G_SOURCE_REMOVE;
}

/* Wait for the first that is due. */
static void
arm(VgpuManager *self)
{
    GHashTableIter iter;
    const Departure *departure;
    gint64 next = 0;

    g_hash_table_iter_init(&iter, self->departures);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *) &departure)) {
        if (departure->until && (!next || departure->until < next))
            next = departure->until;
    }
    vgpu_source_clear(&self->departures_lapse);
    if (!next)
        return;
    self->departures_lapse = vgpu_source_after(self->context, 0, on_lapse, self);
    g_source_set_ready_time(self->departures_lapse, next);
}

static Departure *
need(VgpuManager *self, const char *domain_uuid, const char *domain_name)
{
    Departure *departure = g_new0(Departure, 1);

    departure->domain_name = g_strdup(domain_name);
    g_hash_table_replace(self->departures, g_strdup(domain_uuid), departure);
    return departure;
}

void
vgpu_manager_departing(VgpuManager *self, const char *domain_uuid, bool paused)
{
    const VgpuOwner *run = vgpu_records_find(self, domain_uuid);
    Departure *departure = g_hash_table_lookup(self->departures, domain_uuid);

    /* one that was not paused may be left over from a migration that has failed before */
    if (departure && (paused || departure->paused)) {
        departure->paused = true;
        return;
    }
    if (!run)
        return;
    need(self, domain_uuid, run->domain_name)->paused = paused;
    emit(self, "vgpu-migrating", domain_uuid, run->domain_name, NULL);
}

/* Its vGPUs are gone by now, or will be soon, as the hook `release` comes first. */
void
vgpu_manager_departed(VgpuManager *self, const char *domain_uuid)
{
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);
    const VgpuOwner *run = vgpu_records_find(self, domain_uuid);
    Departure *departure = g_hash_table_lookup(self->departures, domain_uuid);

    if (!departure && !run && !definition)
        return;
    if (!departure)
        departure = need(self, domain_uuid, run ? run->domain_name : definition->domain->name);
    departure->until = g_get_monotonic_time() + COST_US;
    arm(self);
}

void
vgpu_manager_departure_cost(VgpuManager *self, const char *domain_uuid, gint64 downtime_ms,
                            guint64 data_bytes)
{
    const Departure *departure = g_hash_table_lookup(self->departures, domain_uuid);

    if (departure && departure->until) {
        report(self, domain_uuid, downtime_ms, data_bytes);
        arm(self);
    }
}

/* A migration that fails before the guest is paused is not reported by libvirt. */
void
vgpu_manager_resumed(VgpuManager *self, const char *domain_uuid)
{
    const VgpuMigrationEnd end = { .departs = true, .outcome = "failed", .downtime_ms = -1 };

    if (vgpu_arrivals_resumed(self, domain_uuid) ||
        !g_hash_table_remove(self->departures, domain_uuid))
        return;
    self->ops.migration(&end, self->opaque);
}
