/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate.h: the way of a D-Bus call from the connection to the thread that answers it
 *
 * A filter in GDBus' own thread counts the calls that come in and refuses with
 * org.freedesktop.DBus.Error.LimitsExceeded what is over the limits (limits.h). The bus is asked once for each
 * connection whose user it is, without waiting; until it has answered, calls of that connection wait here,
 * without a thread. Calls that still wait, here or for a thread, when their caller leaves the bus are dropped.
 * root's calls have threads of their own. It lives as long as the process. */
#pragma once

#include <gio/gio.h>

typedef struct VgpuGate VgpuGate;

/* @answer is called on a thread for each call that has come in, and takes it. */
VgpuGate *vgpu_gate_new(void (*answer)(GDBusMethodInvocation *call, gpointer opaque),
                        gpointer opaque);

/* Before the first call can come in over @connection, the only one at a time. */
void vgpu_gate_install(VgpuGate *self, GDBusConnection *connection);
/* It has closed, and with it all callers have gone; nothing if there is none. On the thread that installed it. */
void vgpu_gate_uninstall(VgpuGate *self);

/* Take @call, which has come over that connection, and have it answered. */
void vgpu_gate_pass(VgpuGate *self, GDBusMethodInvocation *call);
