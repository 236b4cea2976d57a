/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lifecycle.h: what comes next for one vGPU, as a pure function
 *
 * Every event (a start, a stop, the undoing of a refused start, a crash, a hotplug, a detach, libvirt's
 * list of domains) changes the wanted or the seen state of a vGPU, and then calls this function.
 * To recover from a crash, the daemon calls it again. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Who owns the device, and so may remove it. */
typedef enum {
    VGPU_HOLD_OURS,       /* made for a domain, or by hand: removed when it is no longer wanted */
    VGPU_HOLD_ADOPTED,    /* the annotation names its UUID: it is used, but never removed */
    VGPU_HOLD_PERSISTENT, /* the same, because it outlives the run that uses it */
    VGPU_HOLD_KEPT, /* the record of a vGPU that outlives runs: libvirt defines and removes it */
    VGPU_N_HOLDS,
} VgpuHold;

/* The state of the vGPU according to its record; the actual state of the device is VgpuSeenState. */
typedef enum {
    VGPU_PHASE_NONE,      /* there is no record */
    VGPU_PHASE_CREATING,  /* the device may or may not exist yet */
    VGPU_PHASE_READY,     /* the device exists and the domain has it, or starts with it */
    VGPU_PHASE_ATTACHING, /* the device exists and is hotplugged once the domain runs */
    VGPU_PHASE_RELEASING, /* the device is being removed */
    VGPU_PHASE_FAILED, /* the domain has no device; kept for its reason until the domain stops */
    VGPU_N_PHASES,
} VgpuPhase;

/* The operation in progress; it reports when it has ended. */
typedef enum {
    VGPU_CALL_NONE,
    VGPU_CALL_MAKING,   /* its driver makes the device or sets its parameters */
    VGPU_CALL_LOOKING,  /* a process looks for the device and its users */
    VGPU_CALL_REMOVING, /* the same, and removes the device if it is free: cannot be cancelled */
    VGPU_CALL_INSTANCE, /* a MIG GPU instance is being made for it */
    VGPU_N_CALLS,
} VgpuCall;

/* The actual state of the device, as far as it is known at present. */
typedef enum {
    VGPU_SEEN_UNKNOWN,
    VGPU_SEEN_ABSENT,
    VGPU_SEEN_MAYBE,   /* no device yet, but its driver may still be making it */
    VGPU_SEEN_FREE,    /* it exists, and no process has it open */
    VGPU_SEEN_RESTING, /* the same, but closed only just now: its driver may yet remove it itself */
    VGPU_SEEN_UNUSABLE, /* the same, but it cannot be opened: it has no driver or no IOMMU group */
    VGPU_SEEN_USED,     /* a process has it open */
    VGPU_SEEN_UNTOLD,   /* it exists; whether a process has it open is unknown */
    VGPU_N_SEENS,
} VgpuSeenState;

/* The state that its owner, or a start, wants. */
typedef enum {
    VGPU_WANTED_KEEP,  /* its owner wants it as recorded */
    VGPU_WANTED_GONE,  /* it is no longer wanted */
    VGPU_WANTED_TAKE,  /* a start wants it as recorded, or as seen if there is no record */
    VGPU_WANTED_OTHER, /* a start wants another vGPU in its place */
    VGPU_WANTED_LATE,  /* a start wants it, but the time of that start is over */
    VGPU_N_WANTEDS,
} VgpuWanted;

/* The state of its domain. */
typedef enum {
    VGPU_RUN_UNKNOWN,  /* libvirt has not reported the domain yet */
    VGPU_RUN_STARTING, /* its start waits, or has been answered and its outcome is unknown */
    VGPU_RUN_WITH,     /* the domain runs, and has it; or it was made without a domain */
    VGPU_RUN_WITHOUT,  /* the domain runs, and does not have it */
    VGPU_RUN_OFF, /* the domain does not run; or the caller that makes it is no longer there */
    VGPU_N_RUNS,
} VgpuRun;

/* If there is no record: whether there is room for a vGPU. */
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
    bool reason; /* its record must keep the reason of its failure, because its domain keeps
                  * running without it */
} VgpuSituation;

typedef enum {
    VGPU_NEXT_NOTHING,
    VGPU_NEXT_WAIT,       /* for the operation in progress, or for libvirt */
    VGPU_NEXT_LOOK,       /* look for the device and its users */
    VGPU_NEXT_LOOK_LATER, /* the same, in a while */
    VGPU_NEXT_PLACE,      /* choose its place and record it */
    VGPU_NEXT_INSTANCE,   /* have a MIG GPU instance made for it */
    VGPU_NEXT_ADOPT,      /* record the existing device, as wanted */
    VGPU_NEXT_CLAIM,      /* record the existing device, and that it is being removed */
    VGPU_NEXT_MAKE,       /* save the record, then have its driver make the device */
    VGPU_NEXT_PARAMS,     /* save the record, then have its driver set its parameters */
    VGPU_NEXT_TAKE,       /* it is ready for the start that wants it */
    VGPU_NEXT_REPLACE,    /* its start must get another one in its place: ask again */
    VGPU_NEXT_PLUG,       /* have libvirt hotplug it, unless that is in progress */
    VGPU_NEXT_CONFIRM,    /* the running domain has it */
    VGPU_NEXT_LET_GO,     /* it is no longer wanted: ask again */
    VGPU_NEXT_RELEASE,    /* record that it is being removed */
    VGPU_NEXT_REMOVE,     /* look, and have its driver remove it if it is free */
    VGPU_NEXT_FAIL,       /* the domain no longer has it; keep the record with the reason */
    VGPU_NEXT_DROP,       /* forget the record */
    VGPU_NEXT_DEFINE,     /* have libvirt define it */
    VGPU_NEXT_UNDEFINE,   /* have libvirt remove it */
    VGPU_NEXT_REFUSE,     /* fail the start that waits for it */
    VGPU_N_NEXTS,
} VgpuNext;

typedef struct {
    const char *name;
    VgpuNext next;
    const char *why; /* for users; NULL: there is no reason to give */
} VgpuLifeRule;

/* The rule that matches; every situation has exactly one. */
const VgpuLifeRule *vgpu_lifecycle_next(const VgpuSituation *situation);

/* Why a start waits, for the error at its deadline; NULL if it does not wait. */
const char *vgpu_lifecycle_waits_for(const VgpuSituation *situation);

/* For tests: the number of rules, and whether rule number @rule matches. */
guint vgpu_lifecycle_n_rules(void);
bool vgpu_lifecycle_matches(guint rule, const VgpuSituation *situation);
