/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-private.h: shared by service.c and its neighbours */
#pragma once

#include "base/error.h"
#include "bus/manager1.h"
#include "daemon/gate.h"
#include "daemon/objects.h"
#include "daemon/service.h"
#include "daemon/turn.h"

struct VgpuService {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuGuard *guard;
    const VgpuConfig *config;
    GMutex pools_lock;         /* one verb that changes pools at a time */
    GMutex fleet_lock;         /* one FleetGrant at a time */
    VgpuBusManager1 *skeleton; /* has the handlers and the properties */
    VgpuGate *gate;
    VgpuObjects *objects;
    GDBusConnection *connection; /* NULL: not on a bus now */
    guint exported;              /* the interface on it */
};

/* VgpuAccessComplete, of a service: pool and tenant. */
void vgpu_service_subject(const char *method, GVariant *arguments, GVariantDict *details,
                          gpointer opaque);

/* A turn that begins when the GPUs have been read. */
VgpuTurn *vgpu_service_turn(VgpuService *self) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the caller may manage pools; others see them in part. Not in a turn. */
bool vgpu_service_may_manage(VgpuService *self, GDBusMethodInvocation *call);

/* The result of Explain, floating. Not in a turn. */
GVariant *vgpu_service_explain(VgpuService *self, VgpuDomain *domain);

/* Answer @call with an error; all return the value for the handler to return. */
gboolean vgpu_service_fail(GDBusMethodInvocation *call, VgpuError code, const char *what,
                           const char *text);
/* Takes @error. */
gboolean vgpu_service_take(GDBusMethodInvocation *call, GError *error);
gboolean vgpu_service_no_address(GDBusMethodInvocation *call, const char *text);
gboolean vgpu_service_no_uuid(GDBusMethodInvocation *call, const char *text);

typedef struct {
    const char *signal;
    GCallback callback;
} VgpuHandler;

/* Connect all handlers of a file, with @opaque. */
void vgpu_service_connect(VgpuBusManager1 *skeleton, const VgpuHandler *handlers, gsize n,
                          gpointer opaque);

/* The methods of one file each. */
void vgpu_service_connect_queries(VgpuService *self);
void vgpu_service_connect_changes(VgpuService *self);
void vgpu_service_connect_pools(VgpuService *self);
void vgpu_service_connect_cordons(VgpuService *self);
void vgpu_service_connect_fleet(VgpuService *self);
void vgpu_service_connect_annotations(VgpuService *self);
