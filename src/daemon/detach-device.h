/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* detach-device.h: one vGPU less for a domain, asked for by a user */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"

/* Take vGPU @index away, and wait until the guest has let go. What was done, a line each.
 * For the threads of D-Bus methods. */
char **vgpu_detach_device(VgpuGuard *self, const char *domain_uuid, guint index, bool live,
                          bool config, guint caller, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Take vGPU @index away from the running domain with that id, and wait until the guest has let go
 * of it; one that is not there is no failure. Not in a job. VGPU_ERROR_BUSY: it has not. */
bool vgpu_detach_device_live(VgpuGuard *self, const VgpuDomainState *domain, guint index,
                             GError **error);
