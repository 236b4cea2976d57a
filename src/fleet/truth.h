/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* truth.h: what an agent does when the domains of its host and the store differ; pure
 *
 * What runs on a host is true there, with or without the store. The store is changed to say so, unless it says that
 * the domain runs on another host: that host's agent is as right as ours, so it is only reported. */
#pragma once

#include "fleet/holding.h"

typedef enum {
    VGPU_TRUTH_NOTHING,
    VGPU_TRUTH_PUT,       /* vgpu_reserve_run() */
    VGPU_TRUTH_TAKE_OVER, /* the same, and report that it was reserved for another host */
    VGPU_TRUTH_CONFLICT,  /* report that it runs on two hosts, and change nothing */
    VGPU_TRUTH_END,       /* vgpu_reserve_end() */
    VGPU_TRUTH_TIDY, /* on/HOST/DOMAIN is left from a domain that has gone elsewhere: delete it */
} VgpuTruth;

/* @host: ours. @local: what the domain has here, NULL: nothing. @now: what its key says, NULL: there is no key.
 * @is_reserved: resv/ has it on the host that the key names. A reservation
 * without an id was given up. */
VgpuTruth vgpu_truth_next(const char *host, const VgpuHolding *local, const VgpuHolding *now,
                          bool is_reserved);
