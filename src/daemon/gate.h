/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate.h: passes D-Bus calls from the connection to the threads that answer them
 *
 * A filter in GDBus' own thread counts incoming calls and refuses those over the limits (limits.h) with
 * org.freedesktop.DBus.Error.LimitsExceeded. The bus is asked once for the user of each connection,
 * without blocking; until it has answered, calls of that connection wait here, without a thread. Calls
 * that still wait, here or for a thread, when their caller leaves the bus are dropped. root's calls have
 * threads of their own. It lives as long as the process. */
#pragma once

#include <gio/gio.h>

typedef struct VgpuGate VgpuGate;

/* @answer is called on a thread for each call that has come in, and takes it. */
VgpuGate *vgpu_gate_new(void (*answer)(GDBusMethodInvocation *call, gpointer opaque),
                        gpointer opaque);

/* To be called before the first call can come in over @connection; only one connection at a time. */
void vgpu_gate_install(VgpuGate *self, GDBusConnection *connection);
/* The connection has closed, so all callers are disconnected; does nothing if there is none. On the
 * thread that installed it. */
void vgpu_gate_uninstall(VgpuGate *self);

/* Take @call, which has come over that connection, and have it answered. */
void vgpu_gate_pass(VgpuGate *self, GDBusMethodInvocation *call);
