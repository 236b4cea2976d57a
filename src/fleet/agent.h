/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent.h: what the agent of a host does next, and when; pure
 *
 * Changes of the host are written at once, and then every five seconds at most, however many there are. Once a
 * minute all is compared, since a signal may have been lost. The lease is kept every third of its time. What the
 * store says of the host's domains is read as soon as it changes, since a start may wait for it, and virtvgpud is
 * told what is known while the store does not answer, too. While the store does not answer, the agent waits
 * longer from time to time, and not as long as the others: a fleet that has lost its store does not come back in one
 * moment. Times are ms of any clock that never goes back. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_FLEET_AGENT_PAUSE_MS 5000   /* between two writes */
#define VGPU_FLEET_AGENT_KEEP_MS 20000   /* a third of VGPU_SYNC_TTL */
#define VGPU_FLEET_AGENT_LOOK_MS 60000   /* without a change */
#define VGPU_FLEET_AGENT_READ_MS 100     /* after a change of the store: others often follow */
#define VGPU_FLEET_AGENT_LOST_MS 2000    /* after a watch was lost; up to twice that */
#define VGPU_FLEET_AGENT_TELL_MS 15000   /* virtvgpud expects it every 20 s */
#define VGPU_FLEET_AGENT_RETRY_MS 1000   /* after a failure */
#define VGPU_FLEET_AGENT_RETRY_MAX 20000 /* after many: a third of the time of the lease */

typedef enum {
    VGPU_FLEET_STEP_WAIT,
    VGPU_FLEET_STEP_KEEP, /* keep the lease */
    VGPU_FLEET_STEP_READ, /* read what the store says of the host's domains */
    VGPU_FLEET_STEP_SYNC, /* read the host, and write what has changed; then read as well */
    VGPU_FLEET_STEP_TELL, /* tell virtvgpud what is known; the store is not asked */
    VGPU_N_FLEET_STEPS
} VgpuFleetStep;

typedef enum {
    VGPU_FLEET_OUTCOME_DONE,
    VGPU_FLEET_OUTCOME_ENDED, /* there is no lease any more: all has to be written again */
    VGPU_FLEET_OUTCOME_FAILED,
} VgpuFleetOutcome;

typedef struct {
    bool is_changed;  /* the host, since the last VGPU_FLEET_STEP_SYNC began */
    bool is_begun;    /* there was a first one */
    gint64 synced_at; /* begin of the last, here and below */
    gint64 kept_at;
    gint64 told_at;
    gint64 read_at; /* when the next is due; G_MAXINT64: nothing is to be read */
    gint64 failed_at;
    VgpuFleetStep failed; /* which has failed last */
    guint failures;       /* one after the other */
    guint32 random;
} VgpuFleetAgent;

/* @host: its UUID, so that each waits for another time */
void vgpu_fleet_agent_init(VgpuFleetAgent *self, const char *host);

/* @wait: of VGPU_FLEET_STEP_WAIT, until the next step is due: more than 0 */
VgpuFleetStep vgpu_fleet_agent_next(const VgpuFleetAgent *self, gint64 now, gint64 *wait);

/* To be called in this order around each step. VGPU_FLEET_STEP_TELL always succeeds. */
void vgpu_fleet_agent_begin(VgpuFleetAgent *self, VgpuFleetStep step, gint64 now);
void vgpu_fleet_agent_end(VgpuFleetAgent *self, VgpuFleetStep step, VgpuFleetOutcome outcome,
                          gint64 now);

/* The host, as virtvgpud says. */
void vgpu_fleet_agent_changed(VgpuFleetAgent *self);
/* A key that is watched. */
void vgpu_fleet_agent_noticed(VgpuFleetAgent *self, gint64 now);
/* A watch has ended: what it would have reported is read, it begins again, and so does the lease. */
void vgpu_fleet_agent_lost(VgpuFleetAgent *self, gint64 now);
