/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-private.h: what the parts of fault-case.h's implementation share */
#pragma once

#include "base/names.h"
#include "fault-case.h"

#define FAULT_CALL_MS 8000

#define FAULT_FOREIGN_MDEV "f0e1d2c3-0000-4000-8000-000000000001" /* on LIFE_M10_B */
#define FAULT_FOREIGN_VF "0000:61:00.7"

extern const char *const fault_gpus[]; /* up to NULL */

/* NULL on failure, with the reason in *@why, a static string; @why may be NULL. */
GVariant *fault_host_call(const FaultHost *self, const char *method, GVariant *arguments,
                          const char **why);
/* The capacity for each profile that the daemon reports; NULL if it is unknown, with the reason in *@why. */
char *fault_host_room(const FaultHost *self, const char **why);

/* --- one case ------------------------------------------------------------------------------------- */

#define FAULT_VMS 3
#define FAULT_MADE 2 /* vGPUs that are made by hand */
#define FAULT_POLL_US 1000
#define FAULT_SETTLE_US (15 * G_USEC_PER_SEC) /* with the fault gone */

/* What a domain asks for. */
typedef struct {
    const char *name;
    guint mdevs, vfs; /* that its definition has */
    const char *devices;
    const char *types[2];
} FaultAsk;

typedef struct {
    guint number;
    const FaultAsk *ask; /* NULL: it is not defined */
    char *xml;
    bool runs;
    char *names[2]; /* of its vGPUs, while it runs */
    char *where[2]; /* "PARENT TYPE " */
} FaultVm;

typedef enum { FAULT_ABSENT, FAULT_PRESENT, FAULT_IN_DOUBT } FaultPresence;

typedef struct {
    FaultCase *out;
    Life *life;
    FaultBoard *board;
    GRand *rand;
    FaultVm vms[FAULT_VMS];
    FaultPresence made[FAULT_MADE];
    gint64 armed;    /* since when, us; 0: it is not */
    int logged;      /* failures that are in the story */
    char *mdev, *vf; /* the foreign ones as they were */
} FaultRun;

guint fault_below(FaultRun *self, guint n);
/* A line of the story. */
void fault_tell(FaultRun *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Always false; the first one counts. */
bool fault_fail(FaultRun *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Make some calls fail from now on, or none. */
void fault_arm(FaultRun *self);
void fault_disarm(FaultRun *self);
/* A moment of a step has passed. */
void fault_poll(FaultRun *self);

/* End the daemon, if it runs, and start it: with the calls that fail at the start only. */
bool fault_restart(FaultRun *self, int signal);
bool fault_becomes_whole(FaultRun *self);
/* A new daemon reconciles when it starts. */
bool fault_has_reconciled(FaultRun *self);
/* Set libvirt's answers to the next daemon; send its events to this one. */
void fault_write_libvirt(FaultRun *self);
bool fault_libvirt(FaultRun *self, const char *verb, const char *name);

char *fault_uuid_of_made(guint n);
bool fault_check_guests(FaultRun *self);
bool fault_check_foreign(FaultRun *self);
/* Return one thing that is wrong; NULL: all is right. They check what exists, the capacity that the daemon reports,
 * and the end, when no domain has a vGPU. */
char *fault_find_wrong(FaultRun *self);
char *fault_find_wrong_room(FaultRun *self);
char *fault_find_wrong_end(FaultRun *self);
/* After one reconcile: wait for everything it has begun, then check that all is right, including the capacity. */
bool fault_is_right(FaultRun *self);
/* Wait until @find returns NULL. */
bool fault_settles(FaultRun *self, char *(*find)(FaultRun *self));
