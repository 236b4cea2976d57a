/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* saved.h: the room that is kept for a domain while it is saved: keepRoom="yes"
 *
 * When a domain stops, nothing tells yet whether it was saved, and the daemon may die at any moment. So the
 * room is recorded when the domain starts. Beside the record of the run it does not count. After the run it
 * is kept, undecided, until libvirt tells how the run has ended (VgpuKept). */
#pragma once

#include "core/manager.h"

/* What is kept for that vGPU, beside a run or without one; NULL: nothing is. Borrowed. */
const VgpuClaim *vgpu_saved_find(const VgpuManager *self, const char *uuid);
/* Whether it takes room from the domain with the records of @key (NULL: from any): not from its own, and not
 * if another record of the same vGPU does. */
bool vgpu_saved_counts(const VgpuManager *self, const VgpuClaim *claim, const char *key);
/* What is kept for the vGPU of the domain with the records of @key, if it can be made there; NULL: nothing
 * is, or it cannot. */
const VgpuClaim *vgpu_saved_place(const VgpuManager *self, const VgpuDomain *domain,
                                  const char *key, const VgpuWant *want);
/* The reason why no other domain gets the room that is kept for @owner. */
char *vgpu_saved_refusal(const VgpuOwner *owner);
/* Why the domain @key does not get VF @vf: its room is kept for another domain, or held for one (held.h); NULL:
 * neither is so. */
char *vgpu_saved_refuses(const VgpuManager *self, const char *vf, const char *key);

/* The vGPUs of a start, or of a hotplug, are ready; @keeps: whether the domain has keepRoom. */
void vgpu_saved_prepared(VgpuManager *self, const VgpuOwner *run, bool keeps);
/* libvirt reports that the domain runs: what was kept until then is over. */
void vgpu_saved_started(VgpuManager *self, const VgpuOwner *run);
/* The running domain has lost that vGPU, or does not get it. */
void vgpu_saved_unplugged(VgpuManager *self, const char *uuid);
/* The run ends; to be called while its vGPUs are recorded as its own. */
void vgpu_saved_stopping(VgpuManager *self, const VgpuOwner *run);
/* The domain is defined like this, with the defaults of its pools. */
void vgpu_saved_follow(VgpuManager *self, const VgpuDomain *domain, bool running);
/* Take the notes that the hook has left while no daemon ran (hooks/saved.c); once, before the rest. */
void vgpu_saved_read_notes(VgpuManager *self, const char *root);
/* Give up what is kept for that vGPU. */
void vgpu_saved_drop(VgpuManager *self, const char *uuid);
