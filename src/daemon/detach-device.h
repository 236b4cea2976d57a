/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* detach-device.h: one vGPU less for a domain, asked for by a user */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"

/* Detach vGPU @index, and wait until the guest has released it. Returns what was done, a line each. For
 * the threads of D-Bus methods. */
char **vgpu_detach_device(VgpuGuard *self, const char *domain_uuid, guint index, bool live,
                          bool config, guint caller, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Detach vGPU @index from the running domain with that id, and wait until the guest has released it; if
 * the domain does not have it, that is no failure. Not in a job. VGPU_ERROR_BUSY: the guest has not
 * released it. */
bool vgpu_detach_device_live(VgpuGuard *self, const VgpuDomainState *domain, guint index,
                             GError **error);
