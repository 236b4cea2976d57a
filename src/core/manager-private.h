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
} VgpuDefinition;

struct VgpuManager {
    const VgpuSysfs *sysfs;
    const VgpuConfig *config;
    GMainContext *context;
    VgpuManagerHost host;
    gpointer opaque;

    VgpuClaimStore *store;
    VgpuClaimStore *kept_store;
    GHashTable *owners; /* key → VgpuOwner, in /run */
    GHashTable *kept;   /* key → VgpuOwner, persistent, in /var/lib */

    VgpuLanes *lanes;
    VgpuInventory *inventory;
    VgpuInventory *identity; /* libvirt's view, NULL while it is away */
    GHashTable *definitions; /* domain UUID → VgpuDefinition */
    GHashTable *starts;      /* token → VgpuStart, not answered yet */
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

/* What carries that UUID on this host now, whoever made it. */
VgpuPresence vgpu_manager_look(const VgpuManager *self, const char *uuid);

VgpuPlace vgpu_claim_place(const VgpuClaim *claim);
/* Whether its profile, and its GPU where one is named, are what is wanted. */
bool vgpu_claim_fits(const VgpuClaim *claim, const VgpuWant *want);

/* @reason may be NULL, @duration_ms < 0: not given. */
void vgpu_manager_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                       const VgpuClaim *claim, const char *reason, gint64 duration_ms);

/* A reading that is good enough to decide on @profiles. */
void vgpu_manager_refresh(VgpuManager *self, const char *const *profiles);
/* @reservations and @slow are filled and must outlive the snapshot; both are the caller's. */
VgpuSnapshot vgpu_manager_snapshot(VgpuManager *self, GArray **reservations, GHashTable **slow,
                                   GHashTable *refused);

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
} VgpuStartRequest;

/* Returns the token, 0 when it was answered already. */
guint64 vgpu_start_run(VgpuManager *manager, const VgpuStartRequest *request);
/* Something that a start may wait for has changed. */
void vgpu_manager_wake_starts(VgpuManager *self);
/* Add the keys of all starts that are not answered yet to @set. */
void vgpu_manager_list_starts(const VgpuManager *self, GHashTable *set);
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
