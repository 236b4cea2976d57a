/* start-private.h: what start.c, step.c and create.c share */
#pragma once

#include "base/error.h"
#include "core/manager-private.h"

typedef enum {
    VGPU_STEP_WAITING,  /* its UUID is not free yet, or it is not placed yet */
    VGPU_STEP_CREATING, /* with its GPU's driver process */
    VGPU_STEP_READY,
} VgpuStepState;

typedef enum {
    VGPU_PROBE_NONE,
    VGPU_PROBE_ASKED,
    VGPU_PROBE_FREE, /* nobody holds its device open */
    VGPU_PROBE_GONE, /* there is no device */
} VgpuProbe;

typedef struct {
    const VgpuWant *want; /* borrowed from the domain */
    VgpuStepState state;
    bool late;                   /* to be hot-plugged */
    bool exists;                 /* its device is there; what is to be done are its parameters */
    bool asked_for_gpu_instance; /* once is enough */
    VgpuProbe probe;
    bool can_be_seen;  /* see vgpu_manager_can_be_seen(), for that probe */
    bool is_elsewhere; /* its UUID is taken where it was to be made: it may be on any GPU */
    const char *wait;  /* what it waits for, for the text at the deadline */
    gint64 not_before; /* us, monotonic: when to try again at the earliest */
} VgpuStep;

struct VgpuStart {
    VgpuManager *manager;
    guint64 token;
    VgpuDomain *domain;
    char *key; /* of the owner */
    guint64 since;
    gint64 begun;
    gint64 deadline;     /* us, monotonic */
    GArray *steps;       /* of VgpuStep */
    GHashTable *refused; /* see VgpuSnapshot */
    GSource *tick;
    GError *failure;
    GError *unanswered; /* what to say at the deadline, NULL: nothing in particular */
    bool (*check)(VgpuManager *manager, VgpuDomain *domain, GError **error); /* NULL: done */
    bool plug;       /* see VgpuStartRequest */
    bool fresh;      /* the domain had nothing of ours before */
    bool apart;      /* no way was found for all together: each finds its own, or none */
    bool superseded; /* a newer start of the domain has what this one had */
    VgpuPrepareDone done;
    gpointer opaque;
};

/* --- start.c ------------------------------------------------------------------------------ */

/* Move every step as far as it goes. May end with the hook's answer, and then frees @self. */
void vgpu_start_advance(VgpuStart *self);
/* The first failure counts. */
void vgpu_start_fail(VgpuStart *self, VgpuError code, const char *text);
/* The step for that vGPU; NULL when there is none, or no start. */
VgpuStep *vgpu_start_find_step(VgpuStart *self, const char *uuid);

/* --- step.c ------------------------------------------------------------------------------- */

/* The VF that the domain's XML names cannot be had: have the definition name another, if there is
 * one, and refuse the start with @why. */
void vgpu_step_move(VgpuStart *self, VgpuStep *step, const char *why);

/* One step that waits: find out what it can have, and claim it. */
void vgpu_step_advance(VgpuStart *self, VgpuStep *step);

/* --- create.c ----------------------------------------------------------------------------- */

/* Hand a CREATING claim to its GPU's driver process. */
void vgpu_start_dispatch(VgpuStart *self, VgpuClaim *claim, const VgpuStep *step);
/* Have a MIG GPU instance made there for the step, which waits for it. */
void vgpu_start_add_gpu_instance(VgpuStart *self, VgpuStep *step, const VgpuCandidate *where);
