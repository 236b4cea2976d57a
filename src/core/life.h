/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* life.h: does what lifecycle.h says, for the vGPUs that are on record
 *
 * Code that learns something about a vGPU updates what is wanted of it, or the state of its domain, and
 * calls vgpu_life_go_on(); the rest follows from the rules. Only this file changes the phase of a
 * record. */
#pragma once

#include "core/manager.h"

/* Do what comes next, until nothing is left to do. This may free the claim, and its owner with it; do
 * *not* call it while iterating over the claims of an owner. */
void vgpu_life_go_on(VgpuManager *self, VgpuClaim *claim);
/* Nothing wants it any more; a pending hotplug fails. */
void vgpu_life_let_go(VgpuManager *self, VgpuClaim *claim);
/* The same for all claims of the owner (NULL: there are none) that @which (NULL: all) picks. */
void vgpu_life_let_all_go(VgpuManager *self, const VgpuOwner *owner,
                          bool (*which)(const VgpuClaim *claim, gconstpointer data),
                          gconstpointer data);

/* A new record, of a vGPU that the start with that token makes. */
void vgpu_life_place(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, guint64 start);
/* A new record, of a vGPU that exists. The caller saves it, or calls vgpu_life_go_on(). */
void vgpu_life_adopt(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, VgpuWanted wanted,
                     VgpuRun run);
/* Another record has its device now: drop this one. */
void vgpu_life_hand_over(VgpuManager *self, VgpuClaim *claim);
/* A start wants it as it is, or another one in its place. */
void vgpu_life_want(VgpuManager *self, VgpuClaim *claim, VgpuWanted wanted, guint64 start);

/* It is about to be made: save it with the others of its start before calling vgpu_life_go_on(). */
void vgpu_life_is_to_be_made(VgpuClaim *claim);
/* Its driver reports that it exists, with its parameters. */
void vgpu_life_is_made(VgpuClaim *claim);
/* Its driver has not made it, or (@perhaps) may have made it; @wanted is what is wanted of it now. Call
 * vgpu_life_go_on() afterwards. */
void vgpu_life_is_not_made(VgpuClaim *claim, VgpuWanted wanted, bool perhaps);
/* libvirt has defined it. */
void vgpu_life_is_defined(VgpuClaim *claim);

/* Continue with the records of an earlier daemon. */
void vgpu_life_resume(VgpuManager *self);
/* The manager ends. Operations in progress continue. */
void vgpu_life_free_all(VgpuManager *self);
