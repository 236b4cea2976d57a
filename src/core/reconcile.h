/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reconcile.h: the action for each difference between records, devices and libvirt's domains
 *
 * The plan is a pure function, so that `reconcile --dry-run` says exactly what reconcile does. */
#pragma once

#include "core/reservations.h"
#include "domain/domain.h"
#include "gpu/inventory.h"

typedef enum {
    VGPU_ACTION_RELEASE,  /* the domain does not run: release its vGPU */
    VGPU_ACTION_ATTACH,   /* the domain runs and still waits for its vGPU */
    VGPU_ACTION_CONFIRM,  /* the domain runs: complete its record */
    VGPU_ACTION_ADOPT,    /* a running domain has a vGPU of ours, but the record is lost */
    VGPU_ACTION_DROP,     /* a record without a device */
    VGPU_ACTION_REMOVE,   /* a device of ours without a record or a user */
    VGPU_ACTION_UNDEFINE, /* a persistent vGPU whose domain no longer exists, or no longer wants
                           * it */
} VgpuActionKind;

const char *vgpu_action_to_string(VgpuActionKind kind);

typedef struct {
    VgpuActionKind kind;
    char *key;     /* of the owner: the domain's UUID */
    char *domain;  /* name, NULL if unknown */
    int domain_id; /* libvirt's id of the running domain; -1: does not run */
    char *uuid;    /* of the vGPU */
    guint index;
    VgpuRun run;        /* of its domain */
    VgpuSeenState seen; /* of its device, if there is a record */
    char *parent;       /* of a device without a record */
    char *profile_id;   /* the same */
    char *reason;
} VgpuAction;

void vgpu_action_free(VgpuAction *self);

/* One of libvirt's domains. */
typedef struct {
    char *uuid;
    char *name;
    int id;                 /* -1: does not run */
    VgpuDomain *definition; /* NULL: transient, or its annotation is bad */
    bool definition_is_bad; /* it could not be read: draw no conclusions from it */
    GPtrArray *passes;  /* of char *: host functions that it passes through whole; NULL: none */
    VgpuDomain *live;   /* NULL: does not run, or could not be read */
    bool is_unreadable; /* only uuid and name are known: leave its vGPUs alone */
} VgpuListed;

void vgpu_listed_free(VgpuListed *self);

typedef struct {
    const VgpuReservations *reservations;
    /* keys of owners that have changed since libvirt was asked, or that are starting; or NULL */
    GHashTable *untouchable;
    const GPtrArray *domains; /* of VgpuListed */
    const VgpuInventory *inventory;
    GHashTable *unseen; /* set of GPUs whose vGPUs are not known at present, or NULL */
} VgpuReconcileInput;

/* Whether the domain's XML has the claim's device, regardless of the alias. */
bool vgpu_reconcile_has_device(const VgpuDomain *domain, const VgpuClaim *claim);

/* Returns an array of VgpuAction; empty if there is no difference. */
GPtrArray *vgpu_reconcile_plan(const VgpuReconcileInput *input);
