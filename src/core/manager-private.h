/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager-private.h: what the manager has
 *
 * What each room does with it is in the header of that name; those that nearly all call come with this. */
#pragma once

#include "core/definitions.h"
#include "core/events.h"
#include "core/lane.h"
#include "core/manager.h"
#include "core/records.h"
#include "core/sight.h"
#include "core/waiters.h"
#include "driver/drivers.h"

struct VgpuManager {
    const VgpuConfig *config;
    GMainContext *context;
    VgpuManagerOps ops;
    gpointer opaque;

    VgpuRecords *records;
    VgpuReservations *reservations;
    GSource *lapse; /* when the first of those that expire is dropped; NULL: there is none */
    guint lapse_ms; /* for so long what was chosen for a migration is held */

    VgpuPools *pools;
    VgpuLanes *lanes;
    VgpuDrivers *drivers;
    /* Has the vGPU of that claim made, see create.h; it is above those who call it. */
    void (*make)(VgpuManager *self, const VgpuClaim *claim, bool exists);
    GVariant *discovery;      /* the last one (gpu/contents.h), NULL: none yet */
    GHashTable *contents;     /* GPU → GVariant, what was read of it last */
    GHashTable *balances;     /* GPU → VgpuBalance, of the inventory */
    VgpuInventory *inventory; /* of the two, with what the records and others tell */
    bool is_stale;            /* what others say about all GPUs has changed since */
    GPtrArray *seers;         /* of Seer: who wait until all is seen */
    GSource *wake;            /* they are to look again */
    VgpuInventory *identity;  /* libvirt's view, NULL while it is away */
    GVariant *facts;          /* NVML's, NULL while nobody has told */
    GHashTable *named;        /* see vgpu_manager_take_layout() */
    GHashTable *mig_auto;     /* the same */
    GHashTable *mixed;        /* the same */
    GHashTable *host_vfs;     /* the same */
    GHashTable *passed;       /* see passed.h */
    GHashTable *known;        /* see known.h */
    GHashTable *faults;       /* what was reported last, see fault.c */
    GHashTable *owed;         /* set of GPUs that the last look at all domains could not see */
    bool was_blind;           /* something was answered before any GPU was known */
    GHashTable *definitions;  /* domain UUID → VgpuDefinition */
    GHashTable *wanted;       /* UUID of a vGPU → GPtrArray of VgpuDefinition */
    GHashTable *starts;       /* token → VgpuStart, not answered yet */
    GHashTable *plugs;        /* set of VgpuPlug, waited for */
    guint lives;              /* vGPUs that something is under way for, see life.c */
    GHashTable *run_checks;   /* key → GSource: an owner to look at again after its start */
    GHashTable *removals; /* set of GSource, named by UUID: removals that a caller waits for */
    guint64 last_token;
    guint64 last_order;
    gint64 heard_since, heard_libvirt_us; /* vgpu_manager_heard(), until the next discovery */
    /* Of a copy (copy.c) only, which asks nobody: */
    GHashTable *others; /* UUID of a vGPU → the name of another domain whose it is */
    GHashTable *unseen; /* see vgpu_sight_unseen() */
    GHashTable *slow;   /* see vgpu_sight_slow() */
};
