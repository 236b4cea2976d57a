/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* steps.h: the steps of a start, and whether it has failed */
#pragma once

#include "core/manager.h"

typedef struct {
    const VgpuWant *want;        /* borrowed from the domain */
    bool late;                   /* to be hotplugged */
    bool is_begun;               /* what is on record of it knows that this start wants it */
    bool asked_for_gpu_instance; /* once is enough */
    bool has_lost_one; /* a process that was to make it has ended: once is enough, too */
    bool is_elsewhere; /* its UUID is taken where it should be made: it may be on any GPU */
    VgpuCall call;     /* that is under way while there is no record of it */
    const char *wait;  /* what it waits for, for the text at the deadline */
    gint64 not_before; /* us, monotonic: when to try again at the earliest */
    char *unusable;    /* why the device that was found cannot be used, NULL: none was found so */
} VgpuStep;

typedef struct VgpuStart VgpuStart;
struct VgpuStart {
    VgpuManager *manager;
    /* Moves every step as far as it goes. May end with the hook's answer, and then frees it. */
    void (*advance)(VgpuStart *self);
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

/* The step for that vGPU; NULL when there is none, or no start. */
VgpuStep *vgpu_steps_find(VgpuStart *self, const char *uuid);
/* What is on record for that step; NULL: nothing yet. */
VgpuClaim *vgpu_steps_claim(const VgpuStart *self, const VgpuStep *step);
/* Whether its vGPU is there for the start. */
bool vgpu_steps_is_ready(const VgpuStart *self, const VgpuStep *step);
/* The first failure counts. */
void vgpu_steps_fail(VgpuStart *self, VgpuError code, const char *text);
/* A start whose vGPU cannot be made, of that token (or of none by now), fails with this. */
void vgpu_steps_cannot(VgpuManager *manager, guint64 token, const GError *error);
/* The claim's device is there, and of no use to the start that wants it. */
void vgpu_steps_is_unusable(VgpuManager *manager, const VgpuClaim *claim, const char *why);
/* It is about to be used by a start, and has those parameters ("": none, NULL: not known): whether its own are
 * to be written. */
void vgpu_steps_see_params(VgpuManager *manager, VgpuClaim *claim, const char *has);
/* For an array of steps. */
void vgpu_step_clear(gpointer step);
