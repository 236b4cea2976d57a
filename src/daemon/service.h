/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service.h: org.virtvgpu.Manager1 on the bus
 *
 * Methods run on threads of their own and wait there for the worker or the guard, so that the main loop
 * never waits. access.h decides which user may call which method. */
#pragma once

#include <gio/gio.h>

#include "daemon/guard.h"
#include "daemon/host-setup.h"
#include "daemon/worker.h"

typedef struct VgpuService VgpuService;

VgpuService *vgpu_service_new(VgpuWorker *worker, VgpuManager *manager, VgpuGuard *guard,
                              VgpuHostSetup *setup, const VgpuConfig *config);

/* Put it on @connection, the only one at a time. */
gboolean vgpu_service_export(VgpuService *self, GDBusConnection *connection, GError **error);
/* Remove it from the connection; calls that its callers still wait for are dropped. */
void vgpu_service_unexport(VgpuService *self);

/* The signal Event, and that of its kind, from any thread; takes a floating @event. */
void vgpu_service_event(VgpuService *self, GVariant *event);
