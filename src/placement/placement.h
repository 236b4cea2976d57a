/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement.h: chooses the place of the next vGPU; pure functions of one reading of the host */
#pragma once

#include "pool/pools.h"

/* Why a GPU does or does not take a vGPU; the closer to success, the later in this list. */
typedef enum {
    VGPU_VERDICT_NOT_NAMED, /* gpu=, or the definition, names another GPU or VF */
    VGPU_VERDICT_NO_SUCH_PROFILE,
    VGPU_VERDICT_PASSED_THROUGH,
    VGPU_VERDICT_NOT_IN_POOL,
    VGPU_VERDICT_LIBVIRT_TOO_OLD,
    VGPU_VERDICT_CORDONED,
    VGPU_VERDICT_VFS_OFF,
    VGPU_VERDICT_NOT_ANSWERING,
    VGPU_VERDICT_OTHER_SIZE,
    VGPU_VERDICT_TENANT_LIMIT,
    VGPU_VERDICT_HOST_USES_IT, /* a VF that would do is kept for the host */
    VGPU_VERDICT_NO_ROOM,
    VGPU_VERDICT_FITS,
} VgpuVerdict;

const char *vgpu_verdict_to_string(VgpuVerdict verdict);

/* Room that is taken although sysfs may not show it yet, may no longer show it, or never does (plain
 * VFs). */
typedef struct {
    const char *uuid; /* an instance with this UUID is not counted again */
    const char *parent;
    const char *profile_id;
} VgpuReservation;

typedef struct VgpuPending VgpuPending;

/* One reading of the host; all borrowed. */
typedef struct {
    const VgpuInventory *inventory;
    const GArray *reservations; /* of VgpuReservation */
    const VgpuPending
        *pending;        /* covers the first reservations, see placement/pending.h; NULL: none */
    GHashTable *refused; /* "PARENT PROFILE" that its driver refused just now → why, or NULL */
    GHashTable *slow;    /* set of GPU addresses whose driver keeps a caller waiting, or NULL */
    GHashTable *unseen;  /* GPU address → why its vGPUs are not known, or NULL */
    GHashTable *closed;  /* GPU or VF address → why it must not be used at present, or NULL */
    GHashTable *held;    /* VFs of @closed that are held for other domains → why, or NULL */
    /* GPU address → the other domains for which room on it is kept while they are saved, each in quotes, or
     * NULL */
    GHashTable *saved;
    GHashTable *doubted; /* set of VFs that were refused to other domains, or NULL: taken last */
    GHashTable *planned; /* set of VFs that are planned for domains, or NULL: taken last … */
    GHashTable *domains; /* UUID of a vGPU → name of the domain that has it, or NULL */
    GHashTable *unplanned;   /* … except these, planned for the same domain only, or NULL */
    GHashTable *users;       /* VF that the domain names → "in use by domain 'web2'", or NULL */
    const GPtrArray *own;    /* profile ids of vGPUs that the same domain already has or gets, or
                             * NULL */
    gulong libvirt;          /* its version as virGetVersion() counts; 0: does not matter */
    const VgpuPools *pools;  /* NULL: there are none */
    const char *tenant;      /* of the domain, NULL: none */
    GHashTable *tenant_used; /* pool → vGPUs (GUINT_TO_POINTER) of the tenant in it, or NULL */
    /* pool → MiB of frame buffer (GUINT_TO_POINTER) of these vGPUs, or NULL */
    GHashTable *tenant_mib;
    GHashTable *tenant_users; /* pool → GPtrArray of char *: their domains, or NULL */
    guint64 numa_nodes; /* the nodes of the domain's memory, bit N: node N; 0: not specified */
} VgpuSnapshot;

typedef struct {
    const VgpuGpu *gpu;
    VgpuVerdict verdict;
    char *reason;               /* for users, e.g. "4 of 4 are in use" */
    bool is_named;              /* gpu= names the GPU or one of its VFs */
    const VgpuPool *pool;       /* of the GPU, borrowed from the pools; NULL: the default one */
    bool offers;                /* the GPU has the profile, even if its pool does not offer it */
    const VgpuProfile *profile; /* if GPU and pool offer it, with room or not */
    const VgpuParent *parent;   /* when it fits */
    guint reluctance;           /* see vgpu_placement_reluctance() */
    bool lacks_gpu_instance;    /* it would fit if it had a MIG GPU instance */
    guint used;                 /* vGPUs on the GPU, of any profile */
} VgpuCandidate;

void vgpu_candidate_free(VgpuCandidate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCandidate, vgpu_candidate_free)

/* One candidate for each GPU of the host, in the inventory's order, for the alternatives of @want (at
 * least one, see vgpu_pools_complete()): the first alternative that fits anywhere counts; if none fits,
 * each candidate has the reason that is closest to success. */
GPtrArray *vgpu_placement_candidates(const VgpuSnapshot *snapshot, const VgpuWant *want);

/* Places for all of @wants (of VgpuWant *, each with its own placement) together: an array of VgpuSpot
 * in their order; NULL if there is no solution, and then @failed (may be NULL) is the index of the
 * first one without room if they are placed one by one. The first alternative of the first device
 * counts most. Own vGPUs and reservations of @snapshot are taken into account; a MIG GPU instance that
 * would have to be made first is not. */
typedef struct {
    const VgpuGpu *gpu;
    const VgpuParent *parent;
    const VgpuProfile *profile;
} VgpuSpot;
GArray *vgpu_placement_together(const VgpuSnapshot *snapshot, const GPtrArray *wants,
                                guint *failed);

/* The candidate to take; NULL if none fits. Borrowed from @candidates. */
const VgpuCandidate *vgpu_placement_choose(const VgpuSnapshot *snapshot,
                                           const GPtrArray *candidates, VgpuPlacement policy);

/* "no GPU has room for a vGPU 'A2-4Q': 0000:41:00.0: 4 of 4 are in use; 7 other GPUs do not have it":
 * the reason closest to success first, and GPUs with the same reason together, so that the text fits in
 * a dialog on every host. If gpu= names a GPU, the text is only about that one. VGPU_ERROR_NO_CAPACITY,
 * VGPU_ERROR_UNKNOWN if a GPU does not answer, or VGPU_ERROR_NOT_FOUND if no eligible GPU has the
 * profile. */
void vgpu_placement_explain(const GPtrArray *candidates, const VgpuWant *want, GError **error);

/* How many more vGPUs of @profile fit on @gpu now, for any caller: 0 while the GPU's pool is not
 * active, does not offer the profile, or needs another driver; VGPU_COUNT_UNKNOWN if some fit, but it
 * is not known how many. */
guint vgpu_placement_available(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                               const VgpuProfile *profile);

/* Why the host's version of libvirt cannot use the GPU at all; NULL: it can. */
const char *vgpu_placement_libvirt_too_old(const VgpuSnapshot *snapshot, const VgpuGpu *gpu);

/* How reluctantly @parent is chosen: 0 normally, more if it is planned for another domain or was
 * refused to one, still more if the host may be using it. */
guint vgpu_placement_reluctance(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                                const VgpuParent *parent);

/* The key of @parent and @profile_id in VgpuSnapshot.refused. */
char *vgpu_placement_pair(const char *parent, const char *profile_id);
