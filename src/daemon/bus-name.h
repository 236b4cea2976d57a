/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bus-name.h: the daemon's name on the message bus, for as long as it runs
 *
 * If there is no bus yet, or the connection is lost, it is tried again, with growing delays; hooks are
 * served meanwhile. The connection is its own: GLib's shared one is never reopened while anything refers
 * to it. On the main thread. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct VgpuBusName VgpuBusName;

typedef struct {
    bool (*export)(GDBusConnection *connection, gpointer opaque, GError **error);
    void (*unexport)(GDBusConnection *connection, gpointer opaque); /* after it has closed */
} VgpuBusNameOps;

/* @ops is borrowed for as long as it lives. */
VgpuBusName *vgpu_bus_name_own(GBusType type, const char *name, const VgpuBusNameOps *ops,
                               gpointer opaque);
void vgpu_bus_name_free(VgpuBusName *self);
