/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lifecycle.h: what comes next for one vGPU, as a pure function
 *
 * Whatever happens to a vGPU (a start, a stop, the undoing of a refused start, a crash, a hotplug, a
 * detach, libvirt's list of domains) changes what is wanted of it or what is seen of it, and then this
 * is asked. So after a crash the same question is asked again, and that is all there is to recovery. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whose the device is, which says who may remove it. */
typedef enum {
    VGPU_HOLD_OURS,       /* made for a domain, or by hand: it goes when nothing wants it */
    VGPU_HOLD_ADOPTED,    /* the domain names its UUID itself: it is used, and never removed */
    VGPU_HOLD_PERSISTENT, /* the same, as it outlives the run that uses it */
    VGPU_HOLD_KEPT, /* the record of one that outlives runs: libvirt defines and removes it */
    VGPU_N_HOLDS,
} VgpuHold;

/* How far it is by its record; what its device is in truth is the world's, and is looked at. */
typedef enum {
    VGPU_PHASE_NONE,      /* there is no record */
    VGPU_PHASE_CREATING,  /* the device may or may not exist yet */
    VGPU_PHASE_READY,     /* the device exists and the domain has it, or starts with it */
    VGPU_PHASE_ATTACHING, /* the device exists and is hotplugged once the domain runs */
    VGPU_PHASE_RELEASING, /* the device is to go */
    VGPU_PHASE_FAILED, /* there is no device any more; kept to tell why, until the domain stops */
    VGPU_N_PHASES,
} VgpuPhase;

/* What is under way, and will tell when it is over. */
typedef enum {
    VGPU_CALL_NONE,
    VGPU_CALL_MAKING,   /* its driver makes it, or is given its parameters */
    VGPU_CALL_LOOKING,  /* a process looks at its place */
    VGPU_CALL_REMOVING, /* the same, and it removes what is free: it cannot be taken back */
    VGPU_CALL_INSTANCE, /* a MIG GPU instance is made for it */
    VGPU_N_CALLS,
} VgpuCall;

/* What is at its place, as far as that is known now. */
typedef enum {
    VGPU_SEEN_UNKNOWN,
    VGPU_SEEN_ABSENT,
    VGPU_SEEN_MAYBE,   /* nothing yet; a call to make it may still be in its driver */
    VGPU_SEEN_FREE,    /* it exists, and no process has it open */
    VGPU_SEEN_RESTING, /* the same, for so short a time that its driver may remove it by itself */
    VGPU_SEEN_UNUSABLE, /* the same, and none could open it: it has no driver or no IOMMU group */
    VGPU_SEEN_USED,     /* a process has it open */
    VGPU_SEEN_UNTOLD,   /* it exists; whether a process has it open cannot be told */
    VGPU_N_SEENS,
} VgpuSeenState;

typedef enum {
    VGPU_WANTED_KEEP,  /* as recorded, by what it was recorded for */
    VGPU_WANTED_GONE,  /* by nothing */
    VGPU_WANTED_TAKE,  /* as recorded, or as seen where there is no record, by a start */
    VGPU_WANTED_OTHER, /* a start wants another in its place */
    VGPU_WANTED_LATE,  /* by a start whose time is over */
    VGPU_N_WANTEDS,
} VgpuWanted;

typedef enum {
    VGPU_RUN_UNKNOWN,  /* libvirt has not told yet */
    VGPU_RUN_STARTING, /* what asked for it waits, or was answered and nothing more is known */
    VGPU_RUN_WITH,     /* the domain runs, and has it; or it was made without a domain */
    VGPU_RUN_WITHOUT,  /* the domain runs, and does not have it */
    VGPU_RUN_OFF,      /* it does not run; or what made it without a domain has gone */
    VGPU_N_RUNS,
} VgpuRun;

/* Where there is no record: whether there is room for one. */
typedef enum {
    VGPU_ROOM_UNKNOWN,
    VGPU_ROOM_YES,
    VGPU_ROOM_INSTANCE, /* on a MIG GPU instance that may be made */
    VGPU_ROOM_NO,
    VGPU_N_ROOMS,
} VgpuRoom;

typedef struct {
    VgpuHold hold;
    VgpuPhase phase;
    VgpuCall call;
    VgpuSeenState seen;
    VgpuWanted wanted;
    VgpuRun run;
    VgpuRoom room;
    bool params; /* it needs parameters */
    bool reason; /* its record is to tell why it failed, as its domain goes on without it */
} VgpuSituation;

typedef enum {
    VGPU_NEXT_NOTHING,
    VGPU_NEXT_WAIT,       /* for what is under way, or for libvirt */
    VGPU_NEXT_LOOK,       /* ask what is at its place */
    VGPU_NEXT_LOOK_LATER, /* the same, in a while */
    VGPU_NEXT_PLACE,      /* choose its place and write it down */
    VGPU_NEXT_INSTANCE,   /* have a MIG GPU instance made for it */
    VGPU_NEXT_ADOPT,      /* write down what exists, as wanted */
    VGPU_NEXT_CLAIM,      /* write down what exists, as to be removed */
    VGPU_NEXT_MAKE,       /* have its driver make it; on disk before that */
    VGPU_NEXT_PARAMS,     /* have its driver give it its parameters */
    VGPU_NEXT_TAKE,       /* it is ready for the start that wants it */
    VGPU_NEXT_REPLACE,    /* the start that wants it wants another in its place */
    VGPU_NEXT_PLUG,       /* have libvirt hotplug it, unless it is at it */
    VGPU_NEXT_CONFIRM,    /* the running domain has it */
    VGPU_NEXT_LET_GO,     /* nothing wants it any more: ask again */
    VGPU_NEXT_RELEASE,    /* write down its removal */
    VGPU_NEXT_REMOVE,     /* look, and have its driver remove it if it is free */
    VGPU_NEXT_FAIL,       /* it is gone; keep the record, which tells why */
    VGPU_NEXT_DROP,       /* forget the record */
    VGPU_NEXT_DEFINE,     /* have libvirt define it */
    VGPU_NEXT_UNDEFINE,   /* have libvirt remove it */
    VGPU_NEXT_REFUSE,     /* fail what waits for it */
    VGPU_N_NEXTS,
} VgpuNext;

typedef struct {
    const char *name;
    VgpuNext next;
    const char *why; /* for people; NULL: there is nothing more to say */
} VgpuLifeRule;

/* The rule that matches, and there is one for every situation. */
const VgpuLifeRule *vgpu_lifecycle_next(const VgpuSituation *situation);

/* What a start waits for, for the text at its deadline; NULL when it does not wait. */
const char *vgpu_lifecycle_waits_for(const VgpuSituation *situation);

/* For tests: how many rules there are, and whether number @rule matches. */
guint vgpu_lifecycle_n_rules(void);
bool vgpu_lifecycle_matches(guint rule, const VgpuSituation *situation);
