/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* facts.h: what only the vendor's management library (NVML) knows about GPUs
 *
 * It is called in a separate program (virt-vgpu-host), so that a library that hangs or crashes does no
 * harm; these are its results, and how they are joined with the inventory. Data only. */
#pragma once

#include "gpu/inventory.h"

/* The type of the facts: one dictionary per GPU, every key optional but `address`:
 *   address (s), mig (b), mixed (b: heterogeneous mode),
 *   gpu_instances (aa{sv}): gi (u), profile_id (u), profile (s, "1g.5gb"), start (u), size (u)
 *   types (aa{sv}): id (s, "nvidia-1145"), name (s), framebuffer_mib (u), num_heads (u), frl (u),
 *     max_resolution (s), max_instances (u), max_per_domain (u), max_per_gi (u), gi_profile (u),
 *     and of a GPU that can have mixed sizes placement_size (u), placements (au): how many slots one
 *     takes then, and where it can begin */
#define VGPU_FACTS_TYPE G_VARIANT_TYPE("aa{sv}")

/* Join what @facts (of that type, or NULL) say of @gpu: mode and GPU instances, and of the profiles
 * that its driver offers or has offered the numbers that sysfs does not tell. A type that sysfs
 * does not list at the moment is added to the GPU's profiles, so that its name is known while its
 * list is short; no parent offers it. Types that are not there are skipped. */
void vgpu_facts_apply(GVariant *facts, VgpuGpu *gpu);
