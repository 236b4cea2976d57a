/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mig.h: divides a GPU into the wanted MIG GPU instances, without disturbing those in use */
#pragma once

#include "setup/nvml.h"

/* The wanted number of instances of one profile. */
typedef struct {
    guint profile; /* VgpuNvmlGiProfile.id */
    char *name;    /* of that profile */
    guint count;   /* 1 or more */
} VgpuMigWant;

void vgpu_mig_want_free(VgpuMigWant *self);

/* Read "1g.12gb:4,2g.24gb:1" (names or ids of @profiles, which are of VgpuNvmlGiProfile; ":1" may be
 * left out; the counts of a profile named twice are added up) into VgpuMigWant, by profile id. The text
 * is a complete layout, so an empty one is refused. VGPU_ERROR_BAD_REQUEST lists the allowed profiles.
 * With @profiles NULL only the form of the text is checked, and the result is empty. */
GPtrArray *vgpu_mig_parse(const char *spec, const GPtrArray *profiles, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The steps from the present instances to the wanted ones. */
typedef struct {
    GArray *destroy; /* of guint: ids of GPU instances */
    GArray *create;  /* of guint: profile ids, ascending: the largest instances come first, before
                      * small ones can take up their room */
} VgpuMigPlan;

void vgpu_mig_plan_clear(VgpuMigPlan *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuMigPlan, vgpu_mig_plan_clear)

/* @present is of VgpuNvmlGi, @wanted of VgpuMigWant. Of the instances of one profile, those in use are
 * kept first. VGPU_ERROR_BUSY names those in use that would have to be destroyed. @all: also destroy
 * instances that could be kept but are not in use, to make room for those that do not fit beside
 * them. */
bool vgpu_mig_plan(const char *gpu, const GPtrArray *present, const GPtrArray *wanted, bool all,
                   VgpuMigPlan *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Turn MIG mode on if necessary, and give the GPU the layout @spec. Returns the steps taken, one line
 * each (of char *; empty: there was nothing to do). VGPU_ERROR_FAILED "reset required" if a change of
 * the mode is pending. If an instance cannot be created, those created before are destroyed, and
 * destroyed ones are created again with their former placement; if that fails, too, the error says so.
 * @compute as in nvml.h. */
GPtrArray *vgpu_mig_apply(VgpuNvml *nvml, const char *gpu, const char *spec, bool compute,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Destroy all instances, but leave MIG mode on. If one is in use, nothing is destroyed. Returns lines
 * as above. */
GPtrArray *vgpu_mig_clear(VgpuNvml *nvml, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Destroy all instances and turn MIG mode off. If an instance is in use, neither is done.
 * VGPU_ERROR_FAILED "reset required" if the driver turns the mode off only at the next reset. If the
 * driver refuses (virtual functions are on), the instances are created again. Returns lines as
 * above. */
GPtrArray *vgpu_mig_end(VgpuNvml *nvml, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Create one more instance of @profile beside the others; @id: its id. VGPU_ERROR_NO_CAPACITY: there is
 * no room. */
bool vgpu_mig_add(VgpuNvml *nvml, const char *gpu, guint profile, guint *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- answers as GVariants (not floating) ---------------------------------------------------- */

/* aa{sv}: mode (s), gi (u), profile (s), profile_id (u), start (u), size (u), uuid (s, if reported),
 * compute_instances (aa{sv} with ci (u), profile (s), uuid (s, if reported); if reported), in_use (b). */
GVariant *vgpu_mig_list(VgpuNvml *nvml, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* aa{sv}: mode (s), profile (s), id (u), free (u, not while the mode is off), total (u), memory_gib (d), sms (u),
 * p2p (b), decoders (u), encoders (u), copy_engines (u). */
GVariant *vgpu_mig_profiles(VgpuNvml *nvml, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
