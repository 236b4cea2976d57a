/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host.h: virtvgpud, over D-Bus; it is never started by this
 *
 * Of one thread, which runs the default main context. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    /* Anything: virtvgpud has come or gone, or its answer to GetState may be another one. */
    void (*changed)(gpointer data);
    /* A domain begins to migrate, to this host or away from it, or has arrived or left. @domain: UUID */
    void (*moves)(const char *domain, bool begins, gpointer data);
    /* The message bus has gone, for good. */
    void (*closed)(gpointer data);
} VgpuFleetHostOps;

typedef struct VgpuFleetHost VgpuFleetHost;

VgpuFleetHost *vgpu_fleet_host_new(GBusType bus, const VgpuFleetHostOps *ops, gpointer data,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_fleet_host_free(VgpuFleetHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFleetHost, vgpu_fleet_host_free)

/* The answer to GetState, not floating. UNAVAILABLE: virtvgpud does not run. */
GVariant *vgpu_fleet_host_state(VgpuFleetHost *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tell it about the fleet (promises.h); takes floating arguments. A failure is logged, once for each virtvgpud: what it
 * was told before is over soon. */
void vgpu_fleet_host_grant(VgpuFleetHost *self, GVariant *domains, GVariant *options);
