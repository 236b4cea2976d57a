/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager-private.h: the manager's data
 *
 * Each file that works on it has a header of its own; those that nearly all need are included here. */
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
    GSource *lapse;            /* drops the first reservation that expires; NULL: none does */
    GSource *saved_lapse;      /* the same for room that is kept, see saved.c */
    guint lapse_ms;            /* how long choices for a migration are held */
    GHashTable *arrivals;      /* see arrivals.h */
    GHashTable *departures;    /* see departures.h */
    GSource *departures_lapse; /* reports the next of them, of which nothing more has come */

    VgpuFleetPicture *fleet; /* what the agent has told last; NULL: nothing */
    VgpuPools *pools;
    VgpuLanes *lanes;
    VgpuDrivers *drivers;
    /* Have the vGPU of that claim made, see create.h; a pointer, as create.c is above its callers. */
    void (*make)(VgpuManager *self, const VgpuClaim *claim, bool exists);
    GVariant *discovery;      /* the last one (gpu/contents.h), NULL: none yet */
    GHashTable *contents;     /* GPU → GVariant, its last reading */
    GHashTable *balances;     /* GPU → VgpuBalance, of the inventory */
    VgpuInventory *inventory; /* built from these two, records and other sources */
    bool is_stale;            /* a source that concerns all GPUs has changed since */
    GPtrArray *seers;         /* of Seer: callers that wait until all is seen */
    GSource *wake;            /* lets them look again */
    VgpuInventory *identity;  /* libvirt's view, NULL while it is away */
    GVariant *facts;          /* NVML's, NULL until they were read */
    GHashTable *named;        /* see vgpu_manager_take_layout() */
    GHashTable *mig_auto;     /* the same */
    GHashTable *mixed;        /* the same */
    GHashTable *host_vfs;     /* the same */
    GHashTable *passed;       /* see passed.h */
    GHashTable *known;        /* see known.h */
    GHashTable *faults;       /* the last ones reported, see fault.c */
    GHashTable *owed;         /* set of GPUs that the last look at all domains could not see */
    bool was_blind;           /* a question was answered before any GPU was known */
    GHashTable *definitions;  /* domain UUID → VgpuDefinition */
    GHashTable *wanted;       /* UUID of a vGPU → GPtrArray of VgpuDefinition */
    GHashTable *starts;       /* token → VgpuStart, not answered yet */
    GHashTable *plugs;        /* set of VgpuPlug, waited for */
    guint lives;              /* vGPUs with an operation in progress, see life.c */
    GHashTable *run_checks;   /* key → GSource: an owner to look at again after its start */
    GHashTable *removals; /* set of GSource, named by UUID: removals that a caller waits for */
    guint64 last_token;
    guint64 last_order;
    gint64 heard_since, heard_libvirt_us; /* vgpu_manager_heard(), until the next discovery */
    /* Only in a copy (copy.c), which makes no calls: */
    GHashTable *others; /* UUID of a vGPU → the name of another domain that owns it */
    GHashTable *unseen; /* see vgpu_sight_unseen() */
    GHashTable *slow;   /* see vgpu_sight_slow() */
};
