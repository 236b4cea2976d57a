/* nodedevs.h: libvirt's node devices */
#pragma once

#include "daemon/guard.h"

void vgpu_nodedevs_init(VgpuGuard *self);
/* Begin: connect. On the main thread. */
void vgpu_nodedevs_start(VgpuGuard *self, const char *root);
