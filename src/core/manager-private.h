/* manager-private.h: what manager.c, start.c and removal.c share */
#pragma once

#include "core/lane.h"
#include "core/manager.h"
#include "core/reservations.h"
#include "driver/drivers.h"

typedef struct VgpuRecords VgpuRecords;

struct VgpuManager {
    const VgpuConfig *config;
    GMainContext *context;
    VgpuManagerHost host;
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
    bool is_stale;            /* what others tell of all GPUs has changed since */
    GPtrArray *seers;         /* of Seer: who wait until all is seen */
    GSource *wake;            /* they are to look again */
    VgpuInventory *identity;  /* libvirt's view, NULL while it is away */
    GVariant *facts;          /* NVML's, NULL while nobody has told */
    GHashTable *named;        /* see vgpu_manager_take_layout() */
    GHashTable *mig_auto;     /* likewise */
    GHashTable *mixed;        /* likewise */
    GHashTable *owed;         /* set of GPUs that the last look at all domains could not see */
    bool was_blind;           /* something was answered before any GPU was known */
    GHashTable *definitions;  /* domain UUID → VgpuDefinition */
    GHashTable *wanted;       /* UUID of a vGPU → GPtrArray of VgpuDefinition */
    GHashTable *starts;       /* token → VgpuStart, not answered yet */
    GHashTable *plugs;        /* set of VgpuPlug, waited for */
    guint lives;              /* vGPUs that something is under way for, see life.c */
    GHashTable *looks;        /* key → GSource: an owner to look at again after its start */
    GHashTable *checks; /* set of GSource, named by UUID: removals that a caller waits for */
    guint64 last_token;
    guint64 last_order;
    /* Of a copy (copy.c) only, which asks nobody: */
    GHashTable *unseen; /* see vgpu_manager_unseen() */
    GHashTable *slow;   /* see vgpu_manager_slow_gpus() */
};

/* --- sight.c ------------------------------------------------------------------------------ */

void vgpu_manager_open_eyes(VgpuManager *self, const VgpuDriverOptions *options);
void vgpu_manager_close_eyes(VgpuManager *self);

typedef struct {
    bool asked;        /* a GPU that is meant is being read: it is known in a moment */
    bool others_asked; /* another one is; it is not meant for all that is known of it */
    bool busy;         /* one that is meant is at something of ours, and was not read since */
    bool falls_silent; /* one that is meant does not answer, but not for long */
} VgpuSeen;

/* Have those GPUs read that were not read since then and that @want (NULL: anybody) may mean, or @all, and
 * tell how it stands with them. */
VgpuSeen vgpu_manager_see(VgpuManager *self, const VgpuWant *want, bool all, gint64 since);

/* GPUs on which nothing can be placed, as their driver does not answer, or never has → why. */
GHashTable *vgpu_manager_unseen(const VgpuManager *self);

/* Whether what was read of it is as things are, for all that we have done since. */
bool vgpu_manager_is_fresh(const VgpuManager *self, const char *gpu);

/* What carries that UUID as far as is known. Strings borrowed from the inventory. */
typedef struct {
    bool exists;
    const char *parent;
    const char *profile_id; /* NULL when it cannot be told */
} VgpuPresence;
VgpuPresence vgpu_manager_look(VgpuManager *self, const char *uuid);

/* --- view.c ------------------------------------------------------------------------------- */

/* Make the inventory of what was told last. @same: GPUs of the present one that are as they were, or NULL. */
void vgpu_view_build(VgpuManager *self, GHashTable *same);
/* The GPUs (a set of VgpuGpu) that @discovery tells the same of as the last one. */
GHashTable *vgpu_view_same(const VgpuManager *self, GVariant *discovery);
/* Takes a GPU that was read, in place of the one of that address. */
void vgpu_view_take(VgpuManager *self, VgpuGpu *gpu);

/* --- balance.c ---------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *
        open; /* of VgpuClaim: of what takes room on the GPU, what it does not show with its profile */
} VgpuBalance;

/* GPU → VgpuBalance. */
GHashTable *vgpu_balances_new(void);
/* Of a GPU of the inventory. Borrowed until the records or the inventory change. */
const VgpuBalance *vgpu_manager_balance(VgpuManager *self, const VgpuGpu *gpu);

/* --- follow.c ----------------------------------------------------------------------------- */

/* Have devices removed that can only be that domain's, which does not run, and are on no record. */
void vgpu_manager_claim_orphans(VgpuManager *self, const VgpuDomain *domain);

/* --- reading.c ---------------------------------------------------------------------------- */

/* A snapshot and what it borrows. */
struct VgpuReading {
    VgpuSnapshot snapshot;
    GArray *reservations;
    VgpuPending *pending;
    GHashTable *slow;
    GHashTable *unseen;
    GHashTable *closed;
    GHashTable *unplanned;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_users;
    GHashTable *mentioned; /* set of "DOMAIN\nPOOL": who is among those users */
};

/* As @domain, whose records are under @key, sees it (both may be NULL: nobody in particular).
 * @refused may be NULL; borrowed. Valid until the records or the inventory change. */
VgpuReading *vgpu_reading_new(VgpuManager *manager, const VgpuDomain *domain, const char *key,
                              GHashTable *refused);

/* Count one more as taken, by the domain itself; the strings are borrowed. */
void vgpu_reading_take(VgpuReading *self, const VgpuWant *want, const char *parent,
                       const char *profile_id);

/* GPUs (strings borrowed from the inventory) whose driver has been at one thing for a while. */
GHashTable *vgpu_manager_slow_gpus(const VgpuManager *self);

/* --- numa.c ------------------------------------------------------------------------------- */

/* Where the domain's memory is to be, else where its CPUs are; bit N: node N, 0: not said. */
guint64 vgpu_numa_nodes(const VgpuManager *self, const VgpuDomain *domain);

/* --- pooling.c ---------------------------------------------------------------------------- */

/* Give the domain's wants what their pools and the configuration say for them. */
bool vgpu_manager_complete(const VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The name of the pool that the GPU belongs to; NULL: the default one, or no such GPU. */
const char *vgpu_manager_pool_of(const VgpuManager *self, const char *gpu);

/* --- bind.c ------------------------------------------------------------------------------- */

/* As vgpu_manager_bind(), for a domain that is about to start: a VF that it cannot have at this
 * moment is not for it while there is another. */
bool vgpu_manager_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The prepare that a choice was kept for is there. */
void vgpu_manager_forget_choice(VgpuManager *self, const char *domain_uuid);
/* --- refused.c ---------------------------------------------------------------------------- */

/* Its driver has refused it for that domain: not to be chosen before something has changed there. */
void vgpu_manager_shun(VgpuManager *self, const char *vf, const VgpuDomain *domain);
/* Whether it was, for another domain than @except. */
bool vgpu_manager_is_shunned(const VgpuManager *self, const char *vf, const char *except);
/* Something has changed on that GPU. */
void vgpu_manager_forgive(VgpuManager *self, const char *gpu);
