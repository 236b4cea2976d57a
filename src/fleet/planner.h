/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner.h: finds a host for a domain, and reserves its room there
 *
 * Each function asks the store several times, and trusts nothing that it has read until a transaction has
 * confirmed it. Hosts that are full publish nothing about a profile, so the first page of fit/PROFILE/ has room as
 * a rule, in a fleet of any size: to fill hosts a planner begins with the first, to spread domains with one that
 * depends on the domain. */
#pragma once

#include "fleet/choose.h"
#include "fleet/store.h"

typedef struct {
    const char *by;   /* who asks, for others to read */
    gint64 now;       /* s since 1970 */
    guint page;       /* hosts that are read at once; 0: 128 */
    const char *host; /* only this one; NULL: any */
    bool dry_run;     /* reserve nothing: the holding has no id */
} VgpuPlannerOptions;

/* The holding says which host it is. NULL: VGPU_ERROR_BUSY: the domain has a place already; NO_CAPACITY: no host
 * has room, or the tenant has no more quota; UNKNOWN: the store cannot be asked whether it was reserved. */
VgpuHolding *vgpu_planner_reserve(VgpuStore *store, const VgpuAsk *ask,
                                  const VgpuPlannerOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Give a reservation up; its host's agent ends it. BUSY: the domain runs, NOT_FOUND: it has none. */
bool vgpu_planner_release(VgpuStore *store, const char *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Forget the domains of a host that is gone and does not come back; BUSY: its agent is there. @n: how many */
bool vgpu_planner_forget(VgpuStore *store, const char *host, guint *n, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* What the domain's key says. *@now NULL: there is none. @is_valid: it is more than a reservation that has expired */
bool vgpu_planner_domain(VgpuStore *store, const char *domain, VgpuHolding **now, gint64 *changed,
                         bool *is_valid, GError **error) G_GNUC_WARN_UNUSED_RESULT;
