/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nodedevs.h: libvirt's node devices */
#pragma once

#include "daemon/guard.h"

void vgpu_nodedevs_init(VgpuGuard *self);
/* Begin: connect. On the main thread. */
void vgpu_nodedevs_start(VgpuGuard *self, const char *root);
/* Have the GPUs listed and reported to the manager, and wait for that; false: not within @limit_ms. On a
 * thread of a D-Bus method, not in a turn. */
bool vgpu_nodedevs_reread(VgpuGuard *self, guint limit_ms);
