/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* life.h: does what lifecycle.h says, for the vGPUs that are on record
 *
* Code that learns something about a vGPU changes what is wanted of it, or what its domain does, and has
 * it go on; the rest follows from the rules. The phase of a record is changed here alone. */
#pragma once

#include "core/manager.h"

/* Do what comes next, as often as there is something to do. The claim may be gone after that, and its
 * owner with it; *not* from within a walk over the claims of an owner. */
void vgpu_life_go_on(VgpuManager *self, VgpuClaim *claim);
/* Nothing wants it any more; a pending hotplug fails. */
void vgpu_life_let_go(VgpuManager *self, VgpuClaim *claim);
/* The same for all claims of the owner (NULL: there are none) that @which (NULL: all) picks. */
void vgpu_life_let_all_go(VgpuManager *self, const VgpuOwner *owner,
                          bool (*which)(const VgpuClaim *claim, gconstpointer data),
                          gconstpointer data);

/* A new record: of one to make, by the start of that token. */
void vgpu_life_place(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, guint64 start);
/* Of one that exists. The caller writes it down, or has it go on. */
void vgpu_life_adopt(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim, VgpuWanted wanted,
                     VgpuRun run);
/* Its device is on another record by now: this one goes. */
void vgpu_life_hand_over(VgpuManager *self, VgpuClaim *claim);
/* A start wants it as it is, or another in its place. */
void vgpu_life_want(VgpuManager *self, VgpuClaim *claim, VgpuWanted wanted, guint64 start);

/* It is about to be made: to be saved with the others of its start before it goes on. */
void vgpu_life_is_to_be_made(VgpuClaim *claim);
/* What its driver says: it is there, and has its parameters. */
void vgpu_life_is_made(VgpuClaim *claim);
/* There is none, or (@perhaps) there may be one; what is wanted of it by now. It has to go on. */
void vgpu_life_is_not_made(VgpuClaim *claim, VgpuWanted wanted, bool perhaps);
/* libvirt has defined it. */
void vgpu_life_is_defined(VgpuClaim *claim);

/* Go on with what is on record from a daemon before us. */
void vgpu_life_resume(VgpuManager *self);
/* The manager goes. What is under way goes on. */
void vgpu_life_free_all(VgpuManager *self);
