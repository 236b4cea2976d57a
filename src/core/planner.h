/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner.h: decides about one vGPU that has no record
 *
 * A start decides by this (prospect.h), and explain reports it (forecast.c): both ask the same questions
 * about the same records, so that explain always agrees with a start. Pure over the manager's tables: no
 * calls are made, and nothing is changed. */
#pragma once

#include "core/manager.h"

/* The owner of the vGPU, and what is known of it besides the records. All borrowed. */
typedef struct {
    VgpuManager *manager;
    const VgpuDomain *domain;
    const char *key;         /* of its owner */
    GHashTable *refused;     /* see VgpuSnapshot, or NULL */
    const GPtrArray *others; /* of VgpuWant: the domain's that are placed after it, or NULL */
    bool before_start;       /* devices that a start removes still exist */
} VgpuPlanner;

/* Where one goes. */
typedef struct {
    VgpuRoom room; /* YES, INSTANCE (when a MIG GPU instance is made for it) or NO */
    const VgpuGpu *gpu;
    const char *parent;
    const VgpuProfile *profile;
    const VgpuCandidate *instance; /* where that can be made */
    bool is_saved;                 /* in its own room, kept while its domain was saved */
    bool is_apart;                 /* the vGPUs of the domain do not all fit together */
    /* of VgpuCandidate, one per GPU of the host, where its definition has it; NULL: it is placed with the
     * others */
    GPtrArray *candidates;
    VgpuReading *reading; /* the rest is borrowed from it */
} VgpuPlanned;

void vgpu_planned_free(VgpuPlanned *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPlanned, vgpu_planned_free)
VgpuPlanned *vgpu_planner_place(const VgpuPlanner *self, const VgpuWant *want);

/* Whether it has to wait for vGPUs of the domain that a start removes and that make room for it. */
bool vgpu_planner_is_to_wait(const VgpuPlanner *self, const GPtrArray *candidates);

/* There is no place for it: @error says why a start is refused; returns where it would have the
 * definition moved to, NULL: nowhere. Owned by the caller. @candidates: of its place. */
VgpuClaim *vgpu_planner_refuse(const VgpuPlanner *self, const VgpuWant *want,
                               const GPtrArray *candidates, GError **error);
/* The same for one that is not available where its definition says, because of @why. */
VgpuClaim *vgpu_planner_move(const VgpuPlanner *self, const VgpuWant *want, const char *why,
                             GError **error);

/* Why the device of the want's UUID, on @parent with that profile (NULL: on none of our GPUs), cannot be
 * used for it; and why the persistent one on record cannot be made, NULL: it can. Owned by the caller. */
char *vgpu_planner_why_not_device(const VgpuWant *want, const char *parent,
                                  const VgpuProfile *profile);
char *vgpu_planner_why_not_kept(const VgpuPlanner *self, const VgpuClaim *kept, VgpuError *code);
/* The same for room that is held for it (held.h), where it would be made. */
char *vgpu_planner_why_not_held(const VgpuPlanner *self, const VgpuWant *want,
                                const VgpuClaim *held);

/* The candidates, regardless of where the definition has it; borrowed from *@reading. */
GPtrArray *vgpu_planner_candidates(const VgpuPlanner *self, const VgpuWant *want,
                                   VgpuReading **reading);

/* Whether the record is what is wanted now, in all that is ours to replace. */
bool vgpu_planner_keeps(const VgpuManager *self, const VgpuDomain *domain, const VgpuClaim *claim,
                        const VgpuWant *want);

/* The owner of that UUID, if it is not the owner of @key; NULL: none. A vGPU made by hand may be used by
 * the domain that names it. Borrowed. */
const char *vgpu_planner_other_owner(const VgpuManager *self, const char *key,
                                     const VgpuWant *want);

/* A domain's XML is checked in two steps before anything is placed: its hostdevs, which name the places
 * of its vGPUs, ... *@about: the want that is the reason, if any. */
bool vgpu_planner_check_hostdevs(const VgpuManager *self, const VgpuDomain *domain,
                                 const VgpuWant **about, GError **error);
/* ... and its displays, once the GPUs are read. */
bool vgpu_planner_check_displays(VgpuManager *self, VgpuDomain *domain, GError **error);
