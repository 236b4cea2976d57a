/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/manager.h"

#include "base/uuid.h"
#include "core/arrivals.h"
#include "core/create.h"
#include "core/departures.h"
#include "core/grants.h"
#include "core/known.h"
#include "core/lane.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/passed.h"
#include "core/saved.h"
#include "core/start.h"

static void
check_free(gpointer data)
{
    GSource *source = data;

    g_source_destroy(source);
    g_source_unref(source);
}

VgpuManager *
vgpu_manager_new(const VgpuDriverOptions *drivers, const VgpuConfig *config,
                 GMainContext *context, const VgpuManagerOps *ops, gpointer opaque,
                 GError **error)
{
    const char *root = drivers->root;
    VgpuRecords *records = vgpu_records_open(root, error);
    VgpuReservations *reservations = records ? vgpu_records_load(records, error) : NULL;
    VgpuPools *pools = reservations ? vgpu_pools_new(root, error) : NULL;
    VgpuManager *self;

    if (!pools) {
        vgpu_reservations_free(reservations);
        vgpu_records_free(records);
        return NULL;
    }
    self = g_new0(VgpuManager, 1);
    self->config = config;
    self->context = g_main_context_ref(context);
    self->ops = *ops;
    self->opaque = opaque;
    self->records = records;
    self->reservations = reservations;
    self->lapse_ms = 60000; /* a prepare follows immediately, or not at all */
    vgpu_arrivals_open(self);
    vgpu_departures_open(self);
    self->pools = pools;
    self->lanes = vgpu_lanes_new(context);
    self->make = vgpu_create_run;
    self->passed = vgpu_passed_new();
    self->known = vgpu_known_new();
    self->faults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify) vgpu_definition_free);
    self->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_ptr_array_unref);
    self->plugs = g_hash_table_new(NULL, NULL);
    self->starts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                         (GDestroyNotify) vgpu_start_free);
    self->run_checks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, check_free);
    self->removals = g_hash_table_new_full(NULL, NULL, check_free, NULL);
    self->owed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    vgpu_sight_open(self, drivers);
    vgpu_saved_read_notes(self, root);
    self->fleet = vgpu_grants_load(root);
    return self;
}

void
vgpu_manager_free(VgpuManager *self)
{
    if (!self)
        return;
    vgpu_lanes_free(self->lanes);
    g_hash_table_unref(self->run_checks);
    g_hash_table_unref(self->removals);
    g_hash_table_unref(self->starts);
    vgpu_waiters_free_plugs(self);
    vgpu_life_free_all(self);
    g_hash_table_unref(self->wanted);
    g_hash_table_unref(self->definitions);
    vgpu_arrivals_close(self);
    vgpu_departures_close(self);
    vgpu_reservations_free(self->reservations);
    g_clear_pointer(&self->lapse, check_free);
    g_clear_pointer(&self->saved_lapse, check_free);
    g_hash_table_unref(self->owed);
    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->passed, g_hash_table_unref);
    g_clear_pointer(&self->known, g_hash_table_unref);
    g_clear_pointer(&self->faults, g_hash_table_unref);
    g_clear_pointer(&self->mig_auto, g_hash_table_unref);
    g_clear_pointer(&self->host_vfs, g_hash_table_unref);
    g_clear_pointer(&self->mixed, g_hash_table_unref);
    g_clear_pointer(&self->facts, g_variant_unref);
    vgpu_sight_close(self);
    vgpu_inventory_free(self->identity);
    vgpu_pools_free(self->pools);
    vgpu_fleet_picture_unref(self->fleet);
    vgpu_records_free(self->records);
    g_main_context_unref(self->context);
    g_free(self);
}

/* The caller that made it should have removed it, and no longer waits. */
static void
end_trials(VgpuManager *self)
{
    g_autoptr(GPtrArray) owners = vgpu_reservations_list(self->reservations, VGPU_KINDS_MADE);

    for (guint i = 0; i < owners->len; i++) {
        const VgpuOwner *owner = g_ptr_array_index(owners, i);
        VgpuClaim *claim = owner->claims->len ? owner->claims->pdata[0] : NULL;
        g_autofree char *trial = claim ? vgpu_uuid_for_trial(claim->gpu) : NULL;

        if (claim && !owner->domain_uuid && g_str_equal(claim->uuid, trial))
            vgpu_life_let_go(self, claim);
    }
}

void
vgpu_manager_resume(VgpuManager *self)
{
    vgpu_life_resume(self);
    end_trials(self);
}
