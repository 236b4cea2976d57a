/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reserve.h: the transactions about a domain, and what a lost race means; pure
 *
 * Each of them names the revision of the domain's key that its caller has read, so of two that were made from
 * the same state one is done.
 *
 * Only the host of a domain ends what the domain has there, because only the host knows whether the domain has been
 * started: a reservation that has expired, or was given up, keeps the domain until the host's agent, or a
 * person by 'fleet forget', says that it does not run. Otherwise it could run twice. */
#pragma once

#include "fleet/holding.h"
#include "fleet/txn.h"

#define VGPU_RESERVE_TTL 600 /* s: how long a reservation waits for its start */

typedef struct {
    const VgpuHolding *holding; /* with host and id */
    gint64 gen_changed;         /* revision of gen/HOST; here and below 0: there is none */
    const gint64 *fits_changed; /* of fit/PROFILE/HOST, for each want */
    gint64 quota_changed;       /* of the tenant */
    gint64 tenant_read;         /* the revision in which its domains were listed */
    gint64 lease;
} VgpuReservation;

VgpuTxn *vgpu_reserve_begin(const VgpuReservation *self);

typedef enum {
    VGPU_RACE_WON,   /* it was done after all */
    VGPU_RACE_TAKEN, /* the domain has a place, by another planner or on a host: choose nothing */
    VGPU_RACE_AGAIN, /* the host, or what its tenant has, has changed: read it again, or take the next host */
} VgpuRace;

/* After a transaction that was refused, or whose outcome is not known. @now: what domains/DOMAIN says, NULL: there
 * is none */
VgpuRace vgpu_reserve_race(const VgpuHolding *now, const char *id);

/* Give a reservation up: without its id it allows no start, and the host's agent ends it. @changed: revision of the
 * domain's key */
VgpuTxn *vgpu_reserve_release(const VgpuHolding *now, gint64 changed);

/* The domain runs (or is saved) on @local's host. @now: what its key says so far, NULL: there is none; what
 * that has on another host is taken away. */
VgpuTxn *vgpu_reserve_run(const VgpuHolding *local, const VgpuHolding *now, gint64 changed);

/* The domain of that key is no longer on its host. */
VgpuTxn *vgpu_reserve_end(const VgpuHolding *now, gint64 changed);

/* How many domains one transaction of the next function can have */
#define VGPU_RESERVE_FORGET 30
/* Forget domains of a host that is gone. @changed: revision of each key. It is refused if the host's agent is back. */
VgpuTxn *vgpu_reserve_forget(const char *host, const VgpuHolding *const *domains,
                             const gint64 *changed, guint n);
