/* manager-private.h: what manager.c, start.c and removal.c share */
#pragma once

#include "backend/backend.h"
#include "core/lane.h"
#include "core/manager.h"

/* What libvirt's definition of a domain asks for. */
typedef struct {
    VgpuDomain *domain;
    guint64 order; /* the earlier one keeps a UUID that two domains name */
    bool running;
    bool unclear; /* what it asks for depends on a pool that is not there, say */
} VgpuDefinition;

void vgpu_definition_free(VgpuDefinition *self);

struct VgpuManager {
    const VgpuSysfs *sysfs;
    const VgpuConfig *config;
    GMainContext *context;
    VgpuManagerHost host;
    gpointer opaque;

    VgpuWriter *writer; /* of what is in /var/lib */
    VgpuClaimStore *store;
    VgpuClaimStore *kept_store;
    VgpuClaimStore *reserved_store;
    GHashTable *owners;   /* key → VgpuOwner, in /run */
    GHashTable *kept;     /* key → VgpuOwner, persistent, in /var/lib */
    GHashTable *reserved; /* key → VgpuOwner, in /var/lib: VFs that definitions name */
    GHashTable *choices;  /* key → VgpuOwner: VFs chosen for a migration, until its prepare */
    GHashTable *lapses;   /* key → GSource: when such a choice is dropped */
    guint lapse_ms;       /* after that */

    VgpuPools *pools;
    VgpuLanes *lanes;
    VgpuInventory *inventory;
    VgpuInventory *identity; /* libvirt's view, NULL while it is away */
    GVariant *facts;         /* NVML's, NULL while nobody has told */
    GHashTable *named;       /* see vgpu_manager_take_layout() */
    GHashTable *mig_auto;    /* likewise */
    GHashTable *mixed;       /* likewise */
    GHashTable *setups;      /* set of addresses of GPUs that are being set up */
    GHashTable *shunned; /* VF → gint64 *: not to be tried again until then, us, monotonic */
    GHashTable *definitions; /* domain UUID → VgpuDefinition */
    GHashTable *starts;      /* token → VgpuStart, not answered yet */
    GHashTable *plugs;       /* set of VgpuPlug, waited for */
    GHashTable *removals;    /* UUID of the vGPU → VgpuRemoval, under way */
    GHashTable *looks;       /* key → GSource: an owner to look at again after its start */
    GHashTable *checks;      /* set of GSource: removals that a caller waits for */
    guint64 last_token;
    guint64 last_order;
};

/* --- manager.c ---------------------------------------------------------------------------- */

/* Since boot, in ns, also while suspended: the clock that the hook uses. */
guint64 vgpu_manager_now(void);

/* Call @func once after @ms in the manager's context. The source is the caller's to destroy and
 * unref. */
GSource *vgpu_manager_after(VgpuManager *self, guint ms, GSourceFunc func, gpointer data);

VgpuOwner *vgpu_manager_owner(const VgpuManager *self, const char *key);
/* The owner of that key, made if there is none. */
VgpuOwner *vgpu_manager_need_owner(VgpuManager *self, const char *key, const char *domain_uuid,
                                   const char *domain_name);
/* Write it down; one without claims is forgotten (and freed). A failure is logged. */
bool vgpu_manager_save(VgpuManager *self, VgpuOwner *owner, GError **error);
void vgpu_manager_save_or_warn(VgpuManager *self, VgpuOwner *owner);

VgpuClaim *vgpu_manager_kept_claim(const VgpuManager *self, const char *uuid, VgpuOwner **owner);

/* The domain whose run has a claim on that vGPU; NULL when there is none. What was made by hand or
 * is persistent has another record beside it, and is still one vGPU. */
VgpuOwner *vgpu_manager_user_of(const VgpuManager *self, const char *uuid);

/* What carries that UUID on this host now, whoever made it; of a vGPU on a VF, which has no UUID of
 * its own, what its record says. */
VgpuPresence vgpu_manager_look(const VgpuManager *self, const char *uuid);

VgpuPlace vgpu_claim_place(const VgpuClaim *claim);
/* Whether its profile, and its GPU where one is named, are what is wanted. */
bool vgpu_claim_fits(const VgpuClaim *claim, const VgpuWant *want);

/* @reason may be NULL, @duration_ms < 0: not given. */
void vgpu_manager_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                       const VgpuClaim *claim, const char *reason, gint64 duration_ms);

/* Know which GPUs and VFs there are, without asking their drivers anything. True: all was read. */
bool vgpu_manager_catch_up(VgpuManager *self);
/* A reading that is good enough to decide on @profiles, on the GPU of @function (NULL: anywhere): a
 * host may have hundreds of VFs, and each costs its driver two answers. */
void vgpu_manager_refresh(VgpuManager *self, const char *const *profiles, const char *function);

/* --- reading.c ---------------------------------------------------------------------------- */

/* A snapshot and what it borrows. */
typedef struct {
    VgpuSnapshot snapshot;
    GArray *reservations;
    GHashTable *slow;
    GHashTable *closed;
    GHashTable *planned;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_users;
} VgpuReading;

/* As @domain, whose records are under @key, sees it (both may be NULL: nobody in particular).
 * @refused may be NULL; borrowed. Valid until the records or the inventory change. */
VgpuReading *vgpu_reading_new(VgpuManager *manager, const VgpuDomain *domain, const char *key,
                              GHashTable *refused);
void vgpu_reading_free(VgpuReading *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuReading, vgpu_reading_free)

/* Count one more as taken, by the domain itself; the strings are borrowed. */
void vgpu_reading_take(VgpuReading *self, const VgpuWant *want, const char *parent,
                       const char *profile_id);

/* GPUs (borrowed from the inventory) whose driver keeps a caller waiting. */
GHashTable *vgpu_manager_slow_gpus(const VgpuManager *self);
/* These, and with @function all but the GPU of that function. */
GHashTable *vgpu_manager_gpus_not_to_ask(const VgpuManager *self, const char *function);
/* Whether VgpuBackend.look() may be called on the worker: of a VF with a type of its own only the
 * driver can tell, which may be one that keeps a caller waiting. */
bool vgpu_manager_may_ask(const VgpuManager *self, const VgpuClaim *claim);
/* Whether what was seen at its place is the claim's. A VF has no UUID to tell it by: one that carries
 * another type by now is somebody else's. */
bool vgpu_claim_is_there(const VgpuClaim *claim, const VgpuPresence *seen);

/* --- numa.c ------------------------------------------------------------------------------- */

/* Where the domain's memory is to be, else where its CPUs are; bit N: node N, 0: not said. */
guint64 vgpu_numa_nodes(const VgpuSysfs *sysfs, const VgpuDomain *domain);

/* --- pooling.c ---------------------------------------------------------------------------- */

/* Give the domain's wants what their pools and the configuration say for them. */
bool vgpu_manager_complete(const VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Write down whose room it takes. */
void vgpu_claim_charge(VgpuClaim *self, const VgpuWant *want, const char *tenant);
/* The name of the pool that the GPU belongs to; NULL: the default one, or no such GPU. */
const char *vgpu_manager_pool_of(const VgpuManager *self, const char *gpu);
/* The pool that is meant by a name; NULL: the default one. */
const char *vgpu_pool_meant(const char *name);

/* --- plug.c ------------------------------------------------------------------------------- */

typedef struct VgpuPlug VgpuPlug;
/* Nobody is told any more: the manager goes. */
void vgpu_manager_forget_plugs(VgpuManager *self);
/* Whether somebody waits for the hot-plug of that vGPU. */
bool vgpu_manager_is_awaited(const VgpuManager *self, const char *domain_uuid, const char *uuid);
/* How the hot-plug of that vGPU ended (@error NULL: well), for whoever waits for it. */
void vgpu_manager_settle_plug(VgpuManager *self, const char *domain_uuid, const char *uuid,
                              const GError *error);

/* --- follow.c ----------------------------------------------------------------------------- */

/* Let one claim go. The owner may be gone after that. */
void vgpu_manager_let_go(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim);

/* --- prepare.c ---------------------------------------------------------------------------- */

/* Whether this hostdev with our alias is the one for @want: the computed UUID, or a VF that the
 * domain is to have, or that nobody is to have. It decides then where the vGPU goes. */
bool vgpu_manager_take_hostdev(const VgpuManager *self, const VgpuDomain *domain,
                               const VgpuHostdev *hostdev, VgpuWant *want);

/* --- bind.c ------------------------------------------------------------------------------- */

/* The name of the other domain that has this VF now; NULL when there is none. Borrowed. */
const char *vgpu_manager_user(const VgpuManager *self, const char *vf, const char *key);
/* The same of one that has it, or is to have it. */
const char *vgpu_manager_other_user(const VgpuManager *self, const char *vf, const char *key);
/* What the domain is to have on VFs: the reservation for that vGPU, NULL when there is none. */
const VgpuClaim *vgpu_manager_reservation(const VgpuManager *self, const char *key,
                                          const char *uuid);
/* Forget that the domain was to have a certain VF for it; or for any. */
void vgpu_manager_unreserve(VgpuManager *self, const char *key, const char *uuid);
void vgpu_manager_unreserve_all(VgpuManager *self, const char *key);
/* As vgpu_manager_bind(), for a domain that is about to start: a VF that it cannot have at this
 * moment is not for it while there is another. */
bool vgpu_manager_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Where it is, without what it is in the middle of. */
VgpuClaim *vgpu_claim_copy(const VgpuClaim *from);
/* The prepare that a choice was kept for is there. */
void vgpu_manager_forget_choice(VgpuManager *self, const char *domain_uuid);
/* Not to be chosen for a while: it was not what it seemed to be. */
void vgpu_manager_shun(VgpuManager *self, const char *vf);

/* --- start.c ------------------------------------------------------------------------------ */

typedef struct VgpuStart VgpuStart;
void vgpu_start_free(VgpuStart *self);

typedef struct {
    VgpuDomain *domain; /* taken; one without a UUID stands for a vGPU without a domain */
    const char *key;    /* of the owner */
    guint64 since;
    guint timeout_ms;
    VgpuPrepareDone done;
    gpointer opaque;
    bool plug; /* for a domain that runs: what it has stays, and what is made is to be plugged */
    guint first; /* the lowest index that is meant */
} VgpuStartRequest;

/* Returns the token, 0 when it was answered already. */
guint64 vgpu_start_run(VgpuManager *manager, const VgpuStartRequest *request);
/* The event for what could not be had: of @domain (NULL: not known), when it is about @want (NULL: not
 * known). */
void vgpu_manager_emit_refusal(VgpuManager *self, const char *event, const VgpuDomain *domain,
                               const VgpuWant *want, const char *reason, gint64 duration_ms);
/* Something that a start may wait for has changed. */
void vgpu_manager_wake_starts(VgpuManager *self);
/* Add the keys of all starts that are not answered yet to @set. */
void vgpu_manager_list_starts(const VgpuManager *self, GHashTable *set);
/* Cancel what is being made for that domain's present run, which is over. */
void vgpu_manager_cancel_plugs(VgpuManager *self, const char *domain_uuid);
/* Cancel the starts of that domain that began before @since. */
void vgpu_manager_cancel_starts(VgpuManager *self, const char *domain_uuid, guint64 since);

/* --- probe.c ------------------------------------------------------------------------------ */

/* On the worker; @uuid and @ticket are those of the question. */
typedef void (*VgpuProbeDone)(VgpuManager *self, const char *uuid, guint64 ticket, bool in_use);
/* Find out whether a process holds the claim's device open. */
void vgpu_manager_probe(VgpuManager *self, const VgpuClaim *claim, VgpuProbeDone done,
                        guint64 ticket);

/* --- removal.c ---------------------------------------------------------------------------- */

typedef struct VgpuRemoval VgpuRemoval;
void vgpu_removal_free(VgpuRemoval *self);
/* Have the claim's device removed and the claim dropped after that (or, if it has a `reason`,
 * kept as failed). Marks and saves the claim. May be called again for one that is under way. */
void vgpu_manager_remove(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim);
/* Whether its removal has been written, so that it cannot be taken back. */
bool vgpu_manager_is_removing(const VgpuManager *self, const char *uuid);
/* Take back a removal that has not been written yet. */
void vgpu_manager_cancel_removal(VgpuManager *self, const char *uuid);
/* Drop the claim from its owner and save; the owner may be gone after that. */
void vgpu_manager_drop(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim);
