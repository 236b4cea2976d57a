/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* objects.h: the host's GPUs, VFs, GPU instances, vGPUs and pools as objects on the bus
 *
 * They are a picture (picture.h) of one reading, which a thread of its own renews after the worker has run
 * something, at most ten times a second, and on large hosts less often. It has only GPUs read that we have
 * touched, and nothing waits for it. Calls go through the gate and are answered from the picture. Not by
 * GDBusObjectManagerServer: that answers on the main thread, which hooks need, and without limits. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "core/manager.h"
#include "daemon/gate.h"
#include "daemon/worker.h"

typedef struct VgpuObjects VgpuObjects;

/* Before the worker starts; lasts to the program's end. @manager is the worker's. */
VgpuObjects *vgpu_objects_new(VgpuWorker *worker, VgpuManager *manager, VgpuGate *gate);

/* On the main thread. */
bool vgpu_objects_export(VgpuObjects *self, GDBusConnection *connection, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_objects_unexport(VgpuObjects *self);

/* Whether a call that has passed the gate is for the objects, and not for the manager. */
bool vgpu_objects_has(GDBusMethodInvocation *call);
/* Answer it, on a thread of the gate's. */
void vgpu_objects_answer(VgpuObjects *self, GDBusMethodInvocation *call);
