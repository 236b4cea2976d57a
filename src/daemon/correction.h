/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* correction.h: who may change what is ours in a domain */
#pragma once

#include "daemon/contest.h"
#include "daemon/guard.h"
#include "libvirt/domains.h"

/* Whether the domain may be changed so that it is as @wanted: somebody who undoes our changes again and
 * again will not be fought, then it is VGPU_ERROR_FAILED ("contested"), with an event. */
bool vgpu_correction_is_allowed(VgpuGuard *self, const VgpuDomainState *state,
                                VgpuContestKind kind, const char *wanted, GError **error);
/* libvirt did not take what would have made it so, and it was put back as it was: that is an event for libvirt,
 * after which we look again; so after five times within a minute it is not allowed for a while. */
void vgpu_correction_refused(VgpuGuard *self, const char *domain_uuid, const char *wanted);
/* It has been changed. */
void vgpu_correction_done(VgpuGuard *self, const char *domain_uuid, VgpuContestKind kind,
                          const char *wanted);

/* A user has just had the annotation changed, or the domain has gone: what was corrected before that
 * is no fight. */
void vgpu_correction_expect(VgpuGuard *self, const char *domain_uuid);
