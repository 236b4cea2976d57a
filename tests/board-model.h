/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* board-model.h: which vGPUs a GPU's driver accepts, by the rules that its vendor publishes
 *
 * Tests compare our answers with it. NVIDIA's are those of its open-gpu-kernel-modules at
 * df1c9a3d, src/nvidia/src/kernel/virtualization/kernel_vgpu_mgr.c:
 *   equal sizes   kvgpumgrSetVgpuType(), _kvgpumgrCheckVgpuTypeSupported(): the first vGPU decides the
 *                 profile size, and a type is taken while all vGPUs together are fewer than its maximum
 *   GPU instances kvgpumgrGetSwizzId(): the first one of the type's kind that is empty, or has that size
 *                 and fewer vGPUs than the type allows on one
 *   mixed sizes   _kvgpumgrSetHeterogeneousResources(), its _GB100 variant and kvgpumgrSetPlacementId():
 *                 the first place of the type that overlaps no vGPU
 * On SR-IOV each VF takes one vGPU (createdVfMask). Nothing here is shared with the code under test. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define MODEL_TYPES 32
#define MODEL_VGPUS 64
#define MODEL_GIS 8

typedef enum {
    MODEL_EQUAL,
    MODEL_MIG,
    MODEL_MIXED,
} ModelMode;

typedef struct {
    guint size; /* in MiB */
    guint max;  /* on the whole GPU, of equal sizes */
    guint per_gi;
    int gi_profile; /* -1: it is not MIG-backed */
    guint slots, n_places;
    guint places[MODEL_VGPUS]; /* the slots at which it may begin */
} ModelType;

typedef struct {
    guint type;
    guint function;
    int gi, slot; /* -1: none */
} ModelVgpu;

typedef struct {
    ModelMode mode;
    guint n_vfs; /* 0: vGPUs are on the PF */
    ModelType types[MODEL_TYPES];
    guint n_types;
    int gis[MODEL_GIS]; /* the profile of the GPU instance of that number */
    guint n_gis;
    ModelVgpu vgpus[MODEL_VGPUS];
    guint n_vgpus;
} Model;

/* Compute the places of types for mixed sizes, on a GPU with @region slots of 1 GiB; @even: as from
 * Blackwell on. */
void model_make_places(Model *self, guint region, bool even);

/* Create a vGPU of @type on a free function; false: the driver refuses. */
bool model_take(Model *self, guint type);
void model_drop(Model *self, guint n);
/* How many more vGPUs of @type the driver accepts, one after the other. */
guint model_room(const Model *self, guint type);
