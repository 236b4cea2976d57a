/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* claim.h: the durable record of every vGPU that is ours
 *
 * One key file per owner (a domain, or a vGPU made by hand), with one group per vGPU, so that several
 * vGPUs of a domain are recorded in one step, and so that the hook can tell by a file name alone that a
 * domain is ours. Claims of vGPUs that end with the domain's run live in /run: a reboot removes both
 * devices and records. Persistent mdevs are recorded in the same form in /var/lib. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/writer.h"
#include "core/lifecycle.h"
#include "domain/annotation.h"
#include "gpu/gpu.h"

const char *vgpu_claim_phase_to_string(VgpuPhase phase);

/* What a record stands for; see reservations.h. */
typedef enum {
    VGPU_KIND_RUN,        /* what a domain's run has */
    VGPU_KIND_HANDMADE,   /* made without a domain; stored, and found, beside the runs */
    VGPU_KIND_PERSISTENT, /* a mediated device that outlives runs */
    VGPU_KIND_HELD,       /* room that is held for one while there is none, see held.h */
    VGPU_KIND_SAVED,      /* room that is kept for a domain while it is saved, see saved.h */
    VGPU_KIND_PLANNED,    /* where a definition says that its vGPU will be */
    VGPU_KIND_INCOMING,   /* chosen for a migration or a restore, until its prepare */
    VGPU_KIND_REFUSED,    /* a VF that its driver has refused */
    VGPU_KIND_SETUP,      /* a GPU that is being set up */
    VGPU_N_KINDS,
} VgpuKind;

/* Why room is kept for a domain without a run (VGPU_KIND_SAVED). */
typedef enum {
    VGPU_KEPT_UNDECIDED, /* its run continues, or libvirt has not told how it has ended */
    VGPU_KEPT_IMAGE,     /* libvirt has a managed save image */
    VGPU_KEPT_FILE,      /* the domain is defined, and was saved to a file */
    VGPU_KEPT_TRANSIENT, /* the same without a definition: libvirt does not know it any more */
} VgpuKept;

typedef struct VgpuOwner VgpuOwner;
typedef struct VgpuLife VgpuLife;

typedef struct {
    VgpuOwner *owner; /* not stored: set while it is in the table (reservations.h) */
    char *uuid;       /* of the vGPU, canonical */
    guint index;
    char *gpu;    /* PF */
    char *parent; /* PF or VF */
    char *profile_id;
    char *profile_name;
    VgpuInterface interface;
    char *params;    /* the wanted ones, in the driver's format; NULL: none */
    char *pool;      /* the pool whose room it takes, NULL: the default one */
    char *tenant;    /* the tenant that it counts for, NULL: none */
    bool adopted;    /* was there before us: never removed */
    bool persistent; /* outlives the domain's run */
    bool late;       /* was hotplugged, so without display and ramfb */
    VgpuPhase phase; /* changed by life.c alone */
    bool is_lost;    /* its device has vanished while its domain runs with it */
    bool is_unsure;  /* a call to make it may be under way, ours or that of a daemon before us */
    char *reason;    /* why it failed, NULL */
    /* The rest is not stored. */
    VgpuWanted wanted;
    VgpuRun run;
    VgpuCall call;
    VgpuSeenState seen;
    bool lacks_params; /* its parameters, or that there are none, must still be written once it
                        * exists */
    bool is_imaginary; /* nothing was ever made for it, as far as we know */
    bool is_plugging;  /* libvirt was asked to hotplug it */
    bool is_recorded;  /* it was saved as it is now, with others */
    bool stuck;        /* its removal takes longer than it should */
    guint64 start;     /* token of the start that wants it */
    guint64 asked;     /* when it was asked for, CLOCK_BOOTTIME, ns; 0: not known */
    gint64 plug_us;    /* of a hotplug that ends now: how long libvirt took; 0: there was none */
    VgpuLife *life;    /* the operation in progress, see life.c; NULL: none */
    guint64 hold;      /* of a GPU that is being set up, see vgpu_drivers_hold() */
} VgpuClaim;

struct VgpuOwner {
    VgpuKind kind;     /* not stored: the directory tells */
    char *key;         /* file name: the domain's UUID, or the vGPU's for one without a domain */
    char *domain_uuid; /* NULL for a vGPU without a domain */
    char *domain_name; /* or NULL */
    int domain_id;     /* of the run that it was made for, -1 */
    guint64 since;     /* CLOCK_BOOTTIME of the prepare, ns; a release from before it is void */
    bool started;      /* libvirt said that the domain runs */
    guint64 touched;   /* not stored: when the run got something more, or when it was planned; on
                          the same clock */
    char *aside;       /* of a definition: elements that are being replaced in it; NULL: none */
    VgpuKept kept;     /* VGPU_KIND_SAVED only */
    gint64 expires;    /* not stored: when it is void, us, monotonic; 0: never */
    GPtrArray *claims; /* of VgpuClaim, by index */
};

VgpuClaim *vgpu_claim_new(const char *uuid, guint index);
/* A vGPU of @profile on @parent, a function of @gpu; the claim must not have a place yet. */
void vgpu_claim_put(VgpuClaim *self, const VgpuGpu *gpu, const char *parent,
                    const VgpuProfile *profile);
/* All of it, without its owner. */
VgpuClaim *vgpu_claim_copy(const VgpuClaim *from);
/* Copies location and profile; transient state is reset. */
VgpuClaim *vgpu_claim_copy_place(const VgpuClaim *from);
/* Record the pool whose room it takes. */
void vgpu_claim_charge(VgpuClaim *self, const VgpuWant *want, const char *tenant);
/* The frame buffer of its profile, as @gpu (NULL: it is not there) or the profile's name tells; 0: unknown. */
guint vgpu_claim_fb_mib(const VgpuClaim *self, const VgpuGpu *gpu);
/* Where it is, as arguments for its driver process (driver/protocol.h). */
void vgpu_claim_put_place(const VgpuClaim *claim, GVariantDict *arguments);
/* Whether its profile, and its GPU where one is named, are the wanted ones. */
bool vgpu_claim_fits(const VgpuClaim *claim, const VgpuWant *want);
/* Whose its device is. */
VgpuHold vgpu_claim_hold(const VgpuClaim *self);
/* The situation of the vGPU, as the rules of lifecycle.h take it. */
VgpuSituation vgpu_claim_situation(const VgpuClaim *self);
void vgpu_claim_free(VgpuClaim *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuClaim, vgpu_claim_free)

VgpuOwner *vgpu_owner_new(const char *key);
void vgpu_owner_free(VgpuOwner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuOwner, vgpu_owner_free)

/* Borrowed, NULL when not there, or @self is NULL. */
VgpuClaim *vgpu_owner_find(const VgpuOwner *self, const char *uuid);

/* A directory of owners. */
typedef struct VgpuClaimStore VgpuClaimStore;

/* Makes the directory (0700) when it is missing. */
VgpuClaimStore *vgpu_claim_store_new(const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_claim_store_free(VgpuClaimStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuClaimStore, vgpu_claim_store_free)

/* Let @writer (borrowed) write from now on: a save returns at once and succeeds, the writer reports
 * failures. For a directory on a disk, which no hook may wait for. */
void vgpu_claim_store_write_by(VgpuClaimStore *self, VgpuWriter *writer);
/* Wait until the owner is on disk as it was saved last, see vgpu_writer_wait(). Any thread. */
bool vgpu_claim_store_wait(const VgpuClaimStore *self, const char *key, guint ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* All owners by key. Leftovers of an interrupted write are removed. A file that cannot be parsed is left
 * alone and named in a warning, and the vGPUs that it may record are not touched. NULL: a file cannot be
 * read at all. */
GHashTable *vgpu_claim_store_load(const VgpuClaimStore *self, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Write the owner down, durably; an owner with neither claims nor anything set aside is removed. */
bool vgpu_claim_store_save(const VgpuClaimStore *self, const VgpuOwner *owner, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
