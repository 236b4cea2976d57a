/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lifecycle.h: what comes next for one vGPU, as a pure function
 *
 * Every event (a start, a stop, the undoing of a refused start, a crash, a hotplug, a detach, libvirt's
 * list of domains) changes the wanted or the seen state of a vGPU, and then calls this function.
 * Recovery from a crash is nothing but calling it again. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Who owns the device, and so may remove it. */
typedef enum {
    VGPU_HOLD_OURS,       /* made for a domain, or by hand: removed when no one wants it */
    VGPU_HOLD_ADOPTED,    /* the domain names its UUID itself: it is used, and never removed */
    VGPU_HOLD_PERSISTENT, /* the same, as it outlives the run that uses it */
    VGPU_HOLD_KEPT, /* the record of a vGPU that outlives runs: libvirt defines and removes it */
    VGPU_N_HOLDS,
} VgpuHold;

/* Its state according to its record; the real state of its device has to be looked up. */
typedef enum {
    VGPU_PHASE_NONE,      /* there is no record */
    VGPU_PHASE_CREATING,  /* the device may or may not exist yet */
    VGPU_PHASE_READY,     /* the device exists and the domain has it, or starts with it */
    VGPU_PHASE_ATTACHING, /* the device exists and is hotplugged once the domain runs */
    VGPU_PHASE_RELEASING, /* the device is being removed */
    VGPU_PHASE_FAILED, /* there is no device any more; kept to tell why, until the domain stops */
    VGPU_N_PHASES,
} VgpuPhase;

/* The operation in progress, which reports its end. */
typedef enum {
    VGPU_CALL_NONE,
    VGPU_CALL_MAKING,   /* its driver makes it, or is given its parameters */
    VGPU_CALL_LOOKING,  /* a process looks at its place */
    VGPU_CALL_REMOVING, /* the same, and removes the device if it is free: cannot be cancelled */
    VGPU_CALL_INSTANCE, /* a MIG GPU instance is made for it */
    VGPU_N_CALLS,
} VgpuCall;

/* What is known at present about the device at its place. */
typedef enum {
    VGPU_SEEN_UNKNOWN,
    VGPU_SEEN_ABSENT,
    VGPU_SEEN_MAYBE, /* no device yet; a call to make it may still be in its driver */
    VGPU_SEEN_FREE,  /* it exists, and no process has it open */
    VGPU_SEEN_RESTING, /* the same, but only just closed: its driver may still remove it by itself */
    VGPU_SEEN_UNUSABLE, /* the same, and cannot be opened: it has no driver or no IOMMU group */
    VGPU_SEEN_USED,     /* a process has it open */
    VGPU_SEEN_UNTOLD,   /* it exists; whether a process has it open is unknown */
    VGPU_N_SEENS,
} VgpuSeenState;

typedef enum {
    VGPU_WANTED_KEEP,  /* as recorded, by its owner */
    VGPU_WANTED_GONE,  /* by nothing */
    VGPU_WANTED_TAKE,  /* by a start, as recorded, or as seen if there is no record */
    VGPU_WANTED_OTHER, /* a start wants another in its place */
    VGPU_WANTED_LATE,  /* by a start whose time is over */
    VGPU_N_WANTEDS,
} VgpuWanted;

typedef enum {
    VGPU_RUN_UNKNOWN,  /* libvirt has not told yet */
    VGPU_RUN_STARTING, /* its start waits, or was answered and its outcome is not known */
    VGPU_RUN_WITH,     /* the domain runs, and has it; or it was made without a domain */
    VGPU_RUN_WITHOUT,  /* the domain runs, and does not have it */
    VGPU_RUN_OFF, /* the domain does not run; or the caller that makes it is no longer there */
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
    bool reason; /* its record must keep the reason of its failure, as its domain runs on without
                  * it */
} VgpuSituation;

typedef enum {
    VGPU_NEXT_NOTHING,
    VGPU_NEXT_WAIT,       /* for the operation in progress, or for libvirt */
    VGPU_NEXT_LOOK,       /* ask what is at its place */
    VGPU_NEXT_LOOK_LATER, /* the same, in a while */
    VGPU_NEXT_PLACE,      /* choose its place and write it down */
    VGPU_NEXT_INSTANCE,   /* have a MIG GPU instance made for it */
    VGPU_NEXT_ADOPT,      /* record the existing device, as wanted */
    VGPU_NEXT_CLAIM,      /* record the existing device, as one to be removed */
    VGPU_NEXT_MAKE,       /* have its driver make it; on disk before that */
    VGPU_NEXT_PARAMS,     /* have its driver give it its parameters */
    VGPU_NEXT_TAKE,       /* it is ready for the start that wants it */
    VGPU_NEXT_REPLACE,    /* its start wants another one in its place */
    VGPU_NEXT_PLUG,       /* have libvirt hotplug it, unless it is at it */
    VGPU_NEXT_CONFIRM,    /* the running domain has it */
    VGPU_NEXT_LET_GO,     /* no one wants it any more: ask again */
    VGPU_NEXT_RELEASE,    /* write down its removal */
    VGPU_NEXT_REMOVE,     /* look, and have its driver remove it if it is free */
    VGPU_NEXT_FAIL,       /* it is gone; keep the record with the reason */
    VGPU_NEXT_DROP,       /* forget the record */
    VGPU_NEXT_DEFINE,     /* have libvirt define it */
    VGPU_NEXT_UNDEFINE,   /* have libvirt remove it */
    VGPU_NEXT_REFUSE,     /* fail the start that waits for it */
    VGPU_N_NEXTS,
} VgpuNext;

typedef struct {
    const char *name;
    VgpuNext next;
    const char *why; /* for users; NULL: no reason to give */
} VgpuLifeRule;

/* The rule that matches; every situation has exactly one. */
const VgpuLifeRule *vgpu_lifecycle_next(const VgpuSituation *situation);

/* The reason why a start waits, for the error at its deadline; NULL when it does not wait. */
const char *vgpu_lifecycle_waits_for(const VgpuSituation *situation);

/* For tests: how many rules there are, and whether number @rule matches. */
guint vgpu_lifecycle_n_rules(void);
bool vgpu_lifecycle_matches(guint rule, const VgpuSituation *situation);
