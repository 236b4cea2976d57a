/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attach-device.h: one more vGPU for a domain, asked for by a user */
#pragma once

#include "daemon/guard.h"

/* One more device (or `count` of them) for a domain, live, in its definition, or both; on failure all is
 * undone. @caller is the user whose libvirt rights are used. Returns the UUIDs of the vGPUs that the
 * running domain has got. For the threads of D-Bus methods. */
char **vgpu_attach_device(VgpuGuard *self, const char *domain_uuid,
                          const VgpuAnnotateOptions *device, bool live, bool config, guint caller,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
