/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fate.h: whether a domain whose room is kept (keepRoom) was saved */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"

/* To be noted before the domain is read from libvirt, for vgpu_fate_follow(). */
guint64 vgpu_fate_as_of(VgpuGuard *self, const char *domain_uuid);
/* Report how its run has ended; @state NULL: it does not exist. Does nothing if no room is kept for it. */
bool vgpu_fate_follow(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                      const VgpuDomainState *state, guint64 as_of, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
