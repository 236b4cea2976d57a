/* start-private.h: what start.c, step.c and create.c share */
#pragma once

#include "base/error.h"
#include "core/manager-private.h"

typedef struct {
    const VgpuWant *want;        /* borrowed from the domain */
    bool late;                   /* to be hotplugged */
    bool is_begun;               /* what is on record of it knows that this start wants it */
    bool asked_for_gpu_instance; /* once is enough */
    bool has_lost_one; /* a process that was to make it has ended: once is enough, too */
    bool is_elsewhere; /* its UUID is taken where it was to be made: it may be on any GPU */
    VgpuCall call;     /* that is under way while there is no record of it */
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
    gint64 deadline; /* us, monotonic */
    GArray *steps;   /* of VgpuStep */
    const VgpuWant
        *about;          /* what is seen to now, and is the reason if it fails; NULL: none yet */
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

/* What is on record for that step; NULL: nothing yet. */
VgpuClaim *vgpu_step_claim(const VgpuStart *self, const VgpuStep *step);
/* Whether its vGPU is there for the start. */
bool vgpu_step_is_ready(const VgpuStart *self, const VgpuStep *step);
/* Tell what is on record of it what this start wants; before any step is placed, as that makes room. */
void vgpu_step_begin(VgpuStart *self, VgpuStep *step);
/* One step that is not ready: have it go on as far as it goes. */
void vgpu_step_advance(VgpuStart *self, VgpuStep *step);
/* Its time is over: refuse the start. */
void vgpu_step_give_up(VgpuStart *self, const VgpuStep *step);

/* --- place.c ------------------------------------------------------------------------------ */

/* The VF that the domain's XML names cannot be had: have the definition name another, if there is
 * one, and refuse the start with @why. */
void vgpu_step_move(VgpuStart *self, VgpuStep *step, const char *why);

/* --- create.c ----------------------------------------------------------------------------- */

/* Have a MIG GPU instance made there for the step, which waits for it. */
void vgpu_start_add_gpu_instance(VgpuStart *self, VgpuStep *step, const VgpuCandidate *where);
