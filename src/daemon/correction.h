/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* correction.h: reverts others' changes of our parts of a domain */
#pragma once

#include "daemon/contest.h"
#include "daemon/guard.h"
#include "libvirt/domains.h"

/* Whether the domain may be changed so that it is as @wanted: if another program or user keeps undoing
 * our changes, it is VGPU_ERROR_FAILED ("contested"), with an event. */
bool vgpu_correction_is_allowed(VgpuGuard *self, const VgpuDomainState *state,
                                VgpuContestKind kind, const char *wanted, GError **error);
/* libvirt has refused the change, and the domain was put back as it was. libvirt reports that as an
 * event, after which we look again; so after five times within a minute no change is allowed for a
 * while. */
void vgpu_correction_refused(VgpuGuard *self, const char *domain_uuid, const char *wanted);
/* It has been changed. */
void vgpu_correction_done(VgpuGuard *self, const char *domain_uuid, VgpuContestKind kind,
                          const char *wanted);

/* A user has just changed the annotation, or the domain no longer exists: forget earlier corrections. */
void vgpu_correction_expect(VgpuGuard *self, const char *domain_uuid);
