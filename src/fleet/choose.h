/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* choose.h: which host takes a domain, and why another does not; pure
 *
 * What a host publishes does not know of reservations, so these are subtracted here. A reservation of
 * another profile is counted as what it can take at worst: by its frame buffer where a GPU takes
 * different sizes, and otherwise a GPU of its own for each device. So a planner may refuse a host that would
 * have room, but never counts on room that a reservation can take. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/policy.h"
#include "fleet/holding.h"
#include "fleet/summary.h"

typedef struct {
    const VgpuHolding *holding; /* what is wanted, and for which tenant; its host is not used */
    const char *pool;           /* NULL: the pool default */
    char *const *labels;        /* that the host must have, NAME=VALUE; NULL: none */
    VgpuPlacement policy;       /* PACK or SPREAD, over hosts */
    GHashTable *apart;          /* host → why it must not be there; NULL: none */
    const char *const *pools;   /* of each want, where they differ; NULL: they do not */
} VgpuAsk;

typedef struct {
    const char *host;
    const VgpuSummary *summary; /* NULL: not read */
    VgpuFit *const *fits;       /* one for each want; NULL: the host does not publish it */
    const GPtrArray *held;      /* of VgpuHolding: reservations there */
} VgpuCandidate;

/* After the first in the order in which they are judged. */
typedef enum {
    VGPU_CHOICE_FITS,
    VGPU_CHOICE_DOWN,
    VGPU_CHOICE_DRAINING,
    VGPU_CHOICE_LABEL,
    VGPU_CHOICE_APART,
    VGPU_CHOICE_NO_PROFILE, /* it has no such profile, or no room at all */
    VGPU_CHOICE_NOT_IN_POOL,
    VGPU_CHOICE_NO_ROOM,
    VGPU_CHOICE_QUOTA, /* it would fit, but the tenant may have no more; vgpu_survey_judge() only */
    VGPU_N_CHOICES
} VgpuChoice;

/* A word for JSON: "fits", "no-room" */
const char *vgpu_choice_word(VgpuChoice choice);

/* @left: how many more of the first want fit there afterwards. @reason: a sentence if it does not fit; NULL:
 * not wanted */
VgpuChoice vgpu_choose_judge(const VgpuAsk *ask, const VgpuCandidate *candidate, guint *left,
                             char **reason);

/* The positions of the @n @candidates that fit, the best first. */
GArray *vgpu_choose_order(const VgpuAsk *ask, const VgpuCandidate *candidates, guint n);
