/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/agent.h"

#define NEVER G_MAXINT64

void
vgpu_fleet_agent_init(VgpuFleetAgent *self, const char *host)
{
    *self = (VgpuFleetAgent) {
        .is_changed = true,
        .read_at = NEVER,
        .random = MAX(g_str_hash(host), 1), /* 0 would stay 0 */
    };
}

/* xorshift32: Marsaglia, "Xorshift RNGs", 2003 */
static guint32
next_random(guint32 x)
{
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

/* Half of it is chance. */
static gint64
retry_at(const VgpuFleetAgent *self)
{
    gint64 longest = MIN((gint64) VGPU_FLEET_AGENT_RETRY_MS << MIN(self->failures, 8),
                         VGPU_FLEET_AGENT_RETRY_MAX);

    return self->failed_at + longest / 2 + self->random % (longest / 2);
}

static gint64
sync_at(const VgpuFleetAgent *self)
{
    if (!self->is_begun)
        return G_MININT64;
    return self->synced_at +
           (self->is_changed ? VGPU_FLEET_AGENT_PAUSE_MS : VGPU_FLEET_AGENT_LOOK_MS);
}

static gint64
due_at(const VgpuFleetAgent *self, VgpuFleetStep step)
{
    gint64 earliest = self->failures ? retry_at(self) : G_MININT64;

    switch (step) {
    case VGPU_FLEET_STEP_KEEP:
        return self->is_begun ? MAX(earliest, self->kept_at + VGPU_FLEET_AGENT_KEEP_MS) : NEVER;
    case VGPU_FLEET_STEP_READ:
        return MAX(earliest, self->read_at);
    case VGPU_FLEET_STEP_SYNC:
        return MAX(earliest, sync_at(self));
    case VGPU_FLEET_STEP_TELL:
        return self->is_begun ? self->told_at + VGPU_FLEET_AGENT_TELL_MS : NEVER;
    default:
        return NEVER;
    }
}

/* In this order: the lease may be near its end, a start may wait for what is read, and a write takes longer. */
VgpuFleetStep
vgpu_fleet_agent_next(const VgpuFleetAgent *self, gint64 now, gint64 *wait)
{
    gint64 first = NEVER;

    *wait = 0;
    for (VgpuFleetStep step = VGPU_FLEET_STEP_KEEP; step < VGPU_N_FLEET_STEPS; step++) {
        gint64 at = due_at(self, step);

        if (at <= now)
            return step;
        first = MIN(first, at);
    }
    *wait = first - now;
    return VGPU_FLEET_STEP_WAIT;
}

void
vgpu_fleet_agent_begin(VgpuFleetAgent *self, VgpuFleetStep step, gint64 now)
{
    switch (step) {
    case VGPU_FLEET_STEP_KEEP:
        self->kept_at = now;
        break;
    case VGPU_FLEET_STEP_READ:
        self->read_at = NEVER;
        break;
    case VGPU_FLEET_STEP_TELL:
        self->told_at = now;
        break;
    default:
        if (!self->is_begun)
            self->kept_at = self->told_at = now; /* the lease is from now */
        self->is_begun = true;
        self->is_changed = false;
        self->synced_at = now;
        self->read_at = NEVER;
    }
}

void
vgpu_fleet_agent_end(VgpuFleetAgent *self, VgpuFleetStep step, VgpuFleetOutcome outcome,
                     gint64 now)
{
    if (step == VGPU_FLEET_STEP_TELL)
        return;
    if (outcome == VGPU_FLEET_OUTCOME_DONE) {
        /* a lease that can be kept does not mean that the rest can be written */
        if (step == VGPU_FLEET_STEP_SYNC || step == self->failed)
            self->failures = 0;
        return;
    }
    self->is_changed = true; /* whatever was not written, and if it was the lease, all */
    if (outcome == VGPU_FLEET_OUTCOME_ENDED)
        return;
    self->failures = MIN(self->failures + 1, 1000);
    self->failed = step;
    self->failed_at = now;
    self->random = next_random(self->random);
}

void
vgpu_fleet_agent_changed(VgpuFleetAgent *self)
{
    self->is_changed = true;
}

/* The domain may be one that the host has to end. */
void
vgpu_fleet_agent_noticed(VgpuFleetAgent *self, gint64 now)
{
    self->is_changed = true;
    self->read_at = MIN(self->read_at, now + VGPU_FLEET_AGENT_READ_MS);
}

/* A member of the store that was restarted may have lost the lease. */
void
vgpu_fleet_agent_lost(VgpuFleetAgent *self, gint64 now)
{
    gint64 at;

    self->random = next_random(self->random);
    at = now + VGPU_FLEET_AGENT_LOST_MS + self->random % VGPU_FLEET_AGENT_LOST_MS;
    self->read_at = MIN(self->read_at, at);
    self->kept_at = MIN(self->kept_at, at - VGPU_FLEET_AGENT_KEEP_MS);
}
