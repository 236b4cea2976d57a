/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wiring.h: the guard with all that it does */
#pragma once

#include "daemon/guard.h"

/* Before the manager exists. */
VgpuGuard *vgpu_wiring_new(VgpuWorker *worker, const VgpuConfig *config,
                           void (*event)(GVariant *event, gpointer opaque), gpointer opaque);
/* To create the manager with; their opaque is the guard. */
VgpuManagerOps vgpu_wiring_host(void);
/* Begin: connect when libvirt is there. On the main thread. */
void vgpu_wiring_start(VgpuGuard *self, VgpuManager *manager, VgpuHostSetup *host_setup,
                       const char *root);
