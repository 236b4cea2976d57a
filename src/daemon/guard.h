/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guard.h: all work that may have to wait for libvirt
 *
 * A set of domains that need a look. At most four calls at a time (libvirt serves five requests of one
 * client), one per domain, late attaches first. A change of a definition waits while that domain's
 * start is in flight. Calls about node devices have a thread and a connection of their own, for which
 * nothing else waits. Nothing on the hook's way ever waits for the guard. */
#pragma once

#include <glib.h>

#include "base/event.h"
#include "core/manager.h"
#include "daemon/host-setup.h"
#include "daemon/worker.h"
#include "domain/annotate.h"
#include "libvirt/connection.h"

typedef struct VgpuGuard VgpuGuard;

/* Calls under way are left behind. */
void vgpu_guard_stop(VgpuGuard *self);

/* A hook has called, so libvirt runs. Any thread. */
void vgpu_guard_nudge(VgpuGuard *self);
bool vgpu_guard_is_connected(VgpuGuard *self);
/* Compare records, devices and domains once more, and follow all definitions, soon. Any thread. */
void vgpu_guard_push_sweep(VgpuGuard *self);
/* Tell the program around of something that no domain is about. Any thread. */
void vgpu_guard_tell(VgpuGuard *self, const VgpuEvent *event);
/* Read libvirt's view of the GPUs again, soon. Any thread. */
void vgpu_guard_reread_gpus(VgpuGuard *self);
