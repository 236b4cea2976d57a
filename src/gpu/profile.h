/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* profile.h: one vGPU type that a GPU can host, as its driver describes it */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_VF_PROFILE "vf" /* id and name of the profile of plain VFs */

typedef struct {
    char *id;             /* the driver's key, e.g. "nvidia-746" */
    char *name;           /* what users write, e.g. "NVIDIA A2-4Q"; the id when there is none */
    guint fb_mib;         /* frame buffer in MiB, 0 when the driver does not say */
    guint num_heads;      /* displays at most, 0 when the driver does not say */
    guint frl;            /* frame rate limit per second, 0 when the driver does not say */
    char *max_resolution; /* "7680x4320", NULL when the driver does not say */
    guint max_instances;  /* per physical GPU, also on a VF; 0 when the driver does not say */
    guint max_per_domain; /* of it in one domain; 0 when not reported, see below */
    guint max_per_gi;     /* of it on one MIG GPU instance; 0 when not reported */
    int gi_profile; /* NVML's id of the GPU instance profile it lives on; -1: none, or unknown */
    guint slots;    /* placement slots that one takes while sizes are mixed; 0: unknown */
    /* of guint: the slots at which one can begin then, in its driver's order; NULL: unknown */
    GArray *places;
} VgpuProfile;

VgpuProfile *vgpu_profile_new(const char *id, const char *name);
VgpuProfile *vgpu_profile_copy(const VgpuProfile *self);
void vgpu_profile_free(VgpuProfile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuProfile, vgpu_profile_free)

/* Read a driver's `description` into @self. NVIDIA's grammar is "num_heads=4, frl_config=60,
 * framebuffer=4096M, max_resolution=7680x4320, max_instance=4" (comma or blank between); Intel
 * GVT-g's is one "key: value" per line. Unknown keys are skipped, a missing one stays 0. */
void vgpu_profile_describe(VgpuProfile *self, const char *description);

/* Information from its name (NVIDIA vGPU guide, "vGPU types"; for display only, never a key): "NVIDIA
 * A2-4Q" is of series 'Q', 0 for a name without one; "A100-1-5C" is MIG-backed. */
char vgpu_profile_series(const VgpuProfile *self);
bool vgpu_profile_is_mig(const VgpuProfile *self);
/* The purpose of the series and the licence that it needs; NULL without a series. */
const char *vgpu_profile_purpose(const VgpuProfile *self);
const char *vgpu_profile_license(const VgpuProfile *self);
/* How many vGPUs of it one domain may have: as the driver reports, else one for a MIG-backed profile,
 * else by its series; 0: no limit is known. */
guint vgpu_profile_max_per_domain(const VgpuProfile *self);
/* Take values that the driver has not reported from the name: "-24Q" has 24 GiB, "-0Q" 512 MiB, and of
 * "-7-80C" the GPU takes one, as seven slices are all of it. */
void vgpu_profile_guess(VgpuProfile *self);

/* Whether what a user wrote means this profile: the id ("nvidia-746", or "746" alone), or the
 * exact name, where the vendor prefix "NVIDIA " or "GRID " may be left out or differ. Case
 * counts, and no part of a name ever matches. */
bool vgpu_profile_matches(const VgpuProfile *self, const char *wanted);
/* The same for a list of alternatives that ends with NULL. */
bool vgpu_profile_matches_any(const VgpuProfile *self, const char *const *wanted);
