/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* steps.h: the steps of a start, and whether it has failed */
#pragma once

#include "core/manager.h"

typedef struct {
    const VgpuWant *want;        /* borrowed from the domain */
    bool late;                   /* to be hotplugged */
    bool is_begun;               /* its record, if any, was told that this start wants it */
    bool asked_for_gpu_instance; /* once is enough */
    bool has_lost_one; /* a process that should make it has exited: once is enough, too */
    /* its UUID is in use where it should be made: its device may be on any GPU */
    bool is_elsewhere;
    VgpuCall call;     /* the operation in progress while there is no record */
    const char *wait;  /* the reason why it waits, for the error at the deadline */
    gint64 not_before; /* us, monotonic: when to try again at the earliest */
    char *unusable;    /* why the device that was found cannot be used, NULL: no such device */
} VgpuStep;

typedef struct VgpuStart VgpuStart;
struct VgpuStart {
    VgpuManager *manager;
    /* Moves every step as far as possible. May answer the hook, and then frees the start. */
    void (*advance)(VgpuStart *self);
    guint64 token;
    VgpuDomain *domain;
    char *key; /* of the owner */
    guint64 since;
    gint64 begun;
    gint64 deadline;       /* us, monotonic */
    GArray *steps;         /* of VgpuStep */
    const VgpuWant *about; /* the want being handled, to be named if it fails; NULL: none yet */
    GHashTable *refused;   /* see VgpuSnapshot */
    GSource *tick;
    GError *failure;
    GError *unanswered; /* the error at the deadline, NULL: none in particular */
    bool (*check)(VgpuManager *manager, VgpuDomain *domain, GError **error); /* NULL: done */
    bool plug;       /* see VgpuStartRequest */
    bool fresh;      /* the domain had nothing of ours before */
    bool apart;      /* the vGPUs do not all fit together: each finds its own place, or none */
    bool superseded; /* a newer start of the domain has taken over its vGPUs */
    VgpuPrepareDone done;
    gpointer opaque;
};

/* The step for that vGPU; NULL when there is none, or no start. */
VgpuStep *vgpu_steps_find(VgpuStart *self, const char *uuid);
/* The record of that step; NULL: none yet. */
VgpuClaim *vgpu_steps_claim(const VgpuStart *self, const VgpuStep *step);
/* Whether its vGPU is ready for the start. */
bool vgpu_steps_is_ready(const VgpuStart *self, const VgpuStep *step);
/* The first failure counts. */
void vgpu_steps_fail(VgpuStart *self, VgpuError code, const char *text);
/* Fail the start of that token, if there still is one, as a vGPU of it cannot be made. */
void vgpu_steps_cannot(VgpuManager *manager, guint64 token, const GError *error);
/* The claim's device exists, but the start that wants it cannot use it. */
void vgpu_steps_is_unusable(VgpuManager *manager, const VgpuClaim *claim, const char *why);
/* A start is about to use it, and it has those parameters ("": none, NULL: not known): decide whether
 * the start's own are written. */
void vgpu_steps_see_params(VgpuManager *manager, VgpuClaim *claim, const char *has);
/* For an array of steps. */
void vgpu_step_clear(gpointer step);
