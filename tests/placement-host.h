/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-host.h: a host and its pools described in words, for tests of placement
 *
 * Cards are separated by "; ", each "KIND ADDRESS" and what is on it: "746" on a card with types
 * on its PF, "vf0=746" on one with VFs; "node=1", "driver=535.129.03", "vf0:i915" (the driver of a
 * VF), "vf0~1150" (a foreign type set on it), "idle=0000:41:00.4" (a VF that carries nothing), "gi=19"
 * (a GPU instance of that profile) and "mixed" describe the card further. The availability that the
 * driver reports follows from the vGPUs on the card only. Instances are
 * called u0, u1, and so on in the order of the line.
 *
 * Pools are "NAME WORD…", separated in the same way; the words are "gpu=ADDRESS", "profile=NAME",
 * "driver=550", "tenant=NAME:MAX", "tenant=NAME:MAX:MIB", and "off" for one that is not active. */
#pragma once

#include "placement/placement.h"
#include "scratch.h"

#define A "0000:41:00.0"
#define B "0000:81:00.0"
#define C "0000:c1:00.0"
#define VF0 "0000:41:00.4"
#define VF1 "0000:41:00.5"
#define VF2 "0000:41:00.6"
#define VF3 "0000:41:00.7"
#define VF4 "0000:41:01.0"
#define VF5 "0000:41:01.1"
#define B_VF0 "0000:81:00.4"
#define B_VF1 "0000:81:00.5"
#define B_VF2 "0000:81:00.6"
#define C_VF0 "0000:c1:00.4"
#define C_VF1 "0000:c1:00.5"

#define FOUR_4Q "vf0=746 vf1=746 vf2=746 vf3=746"
#define SIX_4Q "49 49 49 49 49 49"

#define NO_ROOM(profile) "no capacity: no GPU has room for a vGPU '" profile "': "

/* The input of a decision; NULL and 0 leave a field out. */
typedef struct {
    const char *what;
    const char *cards;
    const char *profiles; /* alternatives, separated by commas */
    const char *result;   /* "PARENT PROFILE", or "not found: …", "no capacity: …" */
    const char *gpu;
    const char *reserved; /* "UUID PARENT PROFILE; …" */
    const char *refused;  /* "PARENT PROFILE; …" */
    const char *slow;     /* a GPU */
    const char *planned;  /* a VF */
    const char *closed;   /* a GPU or VF; "closed" is why */
    const char *own;      /* a profile that the domain has */
    VgpuPlacement policy;
    guint64 numa_nodes;
    const char *pools;
    const char *pool;   /* that the want names */
    const char *tenant; /* of the domain */
    const char
        *used; /* "POOL 2 vm1 vm2", or "POOL 2:8192 …": what the tenant has there, and where */
    long line; /* of the annotation that names the GPU; 0: it is named by hand */
    const char *vf;          /* that the definition has */
    VgpuInterface interface; /* the same */
    const char
        *user;      /* "VF use" of a VF that is in use, "0000:41:00.4 in use by domain 'web2'" */
    gulong libvirt; /* its version */
} PlacementCase;

typedef struct {
    VgpuInventory *inventory;
    GArray *reservations;
    GPtrArray *words; /* what the tables borrow */
    GHashTable *refused;
    GHashTable *slow;
    GHashTable *planned;
    GHashTable *closed;
    GHashTable *users;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_mib;
    GHashTable *tenant_users;
    Scratch scratch;
    VgpuPools *pools;
    VgpuSnapshot snapshot; /* of all that */
} PlacementHost;

PlacementHost placement_host_new(const PlacementCase *c);
void placement_host_clear(PlacementHost *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PlacementHost, placement_host_clear)

/* "PARENT PROFILE", or why not, as in PlacementCase.result. */
char *placement_decide(const PlacementHost *self, const VgpuWant *want, VgpuPlacement policy);

void placement_check(const PlacementCase *cases, gsize n);
