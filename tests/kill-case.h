/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill-case.h: one case of test-kills: a sequence, the processes to kill at an effect, and the next action */
#pragma once

#include "life.h"

/* The vGPUs that a domain asks for. @wanted fills its GPU, so that any leftover keeps the next domain out. */
typedef struct {
    const char *name;
    guint mdevs, vfs; /* that are in the definition */
    const char *wanted, *types;
    const char *params; /* "" is none */
    const char *other, *other_types;
    const char *with, *with_params; /* as @wanted, with other parameters */
    const char *crowded;            /* has one for which there is no room */
} KillAsk;

typedef struct {
    const KillAsk *ask;
    bool stops; /* it runs already, and is stopped */
} KillSequence;

/* The processes to kill, and when. */
typedef struct {
    const char *name;
    int who, of, after, linger_ms; /* as in a KillBoard */
} KillWay;

typedef struct {
    Life *life;
    KillSequence sequence;
    const KillWay *way;
    guint n;          /* at which effect */
    bool is_answered; /* the hook has been, in spite of the kill */
    bool has_libvirt;
    char *effect; /* what it was */
    GString *why; /* it failed; empty: it has not */
} KillCase;

/* The next action. */
typedef struct {
    const char *name;
    bool (*run)(KillCase *self);
} KillNext;

#define KILL_SEQUENCES 14
#define KILL_WAYS 10
#define KILL_NEXTS 12

KillSequence kill_sequence(guint n);
char *kill_sequence_name(KillSequence sequence);
extern const KillWay kill_ways[KILL_WAYS];
extern const KillNext kill_nexts[KILL_NEXTS];

/* False: the sequence has fewer effects than that. */
bool kill_case_run(KillCase *self, const KillNext *next);
