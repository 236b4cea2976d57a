/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner.h: what becomes of one vGPU of which there is no record
 *
 * A start decides by this (prospect.h), and explain tells what it says (forecast.c): the same questions about the
 * same records, so that what is told is what is done. Pure over the manager's tables: nobody is asked, and
 * nothing is changed. */
#pragma once

#include "core/manager.h"

/* Whose vGPU it is, and what is known of it beside the records. All borrowed. */
typedef struct {
    VgpuManager *manager;
    const VgpuDomain *domain;
    const char *key;         /* of its owner */
    GHashTable *refused;     /* see VgpuSnapshot, or NULL */
    const GPtrArray *others; /* of VgpuWant: the domain's that are placed after it, or NULL */
    bool before_start;       /* what a start lets go is there still */
} VgpuPlanner;

/* Where one goes. */
typedef struct {
    VgpuRoom room; /* YES, INSTANCE (when a MIG GPU instance is made for it) or NO */
    const VgpuGpu *gpu;
    const char *parent;
    const VgpuProfile *profile;
    const VgpuCandidate *instance; /* where that can be made */
    bool is_apart;                 /* there is no way for all together */
    GPtrArray *
        candidates; /* of VgpuCandidate, one per GPU of the host, where its definition has it; NULL: it
                            * goes with the others */
    VgpuReading *reading; /* that all of it is borrowed from */
} VgpuPlanned;

void vgpu_planned_free(VgpuPlanned *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPlanned, vgpu_planned_free)
VgpuPlanned *vgpu_planner_place(const VgpuPlanner *self, const VgpuWant *want);

/* Whether vGPUs of the domain that a start lets go make room for it, which it waits for. */
bool vgpu_planner_is_to_wait(const VgpuPlanner *self, const GPtrArray *candidates);

/* One for which there is no place: why a start is refused, and where it would have the definition moved to; NULL:
 * nowhere. The caller's. @candidates: of its place. */
VgpuClaim *vgpu_planner_refuse(const VgpuPlanner *self, const VgpuWant *want,
                               const GPtrArray *candidates, GError **error);
/* The same of one that is not available where its definition says, because of @why. */
VgpuClaim *vgpu_planner_move(const VgpuPlanner *self, const VgpuWant *want, const char *why,
                             GError **error);

/* Why the device of the want's UUID, on @parent with that profile (NULL: on none of our GPUs), is of no use to
 * it; and why the persistent one on record cannot be made, NULL: it can. The caller's. */
char *vgpu_planner_why_not_device(const VgpuWant *want, const char *parent,
                                  const VgpuProfile *profile);
char *vgpu_planner_why_not_kept(const VgpuPlanner *self, const VgpuClaim *kept, VgpuError *code);
/* The same of room that is held for it (held.h), where to make it. */
char *vgpu_planner_why_not_held(const VgpuPlanner *self, const VgpuWant *want,
                                const VgpuClaim *held);

/* The candidates wherever the definition has it; borrowed from what is put in *@reading. */
GPtrArray *vgpu_planner_candidates(const VgpuPlanner *self, const VgpuWant *want,
                                   VgpuReading **reading);

/* Whether what is recorded is what is wanted now: the whole of it, as far as it is ours to replace. */
bool vgpu_planner_keeps(const VgpuManager *self, const VgpuDomain *domain, const VgpuClaim *claim,
                        const VgpuWant *want);

/* Who has that UUID, other than the owner of @key; NULL: nobody. What was made by hand is there to be used by
 * the domain that names it. Borrowed. */
const char *vgpu_planner_other_owner(const VgpuManager *self, const char *key,
                                     const VgpuWant *want);

/* What a domain says of itself is checked in two steps before anything is placed: its hostdevs, which tell where
 * its vGPUs are, ... *@about: the want that is the reason, if one is. */
bool vgpu_planner_check_hostdevs(const VgpuManager *self, const VgpuDomain *domain,
                                 const VgpuWant **about, GError **error);
/* ... and its displays, once the GPUs are read. */
bool vgpu_planner_check_displays(VgpuManager *self, VgpuDomain *domain, GError **error);
