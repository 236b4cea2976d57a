/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* turn.h: a turn on the worker: it is blocked while another thread calls the manager in its place
 *
 * Hook requests overtake a turn that has not begun, and wait for one that has. So it must be short, and
 * must not wait for anything: no calls of libvirt, no waiting for another thread or a disk. It ends with
 * its scope. For any thread but the worker and the main one. */
#pragma once

#include "core/manager.h"
#include "daemon/worker.h"

typedef struct VgpuStandIn VgpuTurn;

/* Waits until the worker is ready for it. */
VgpuTurn *vgpu_turn_begin(VgpuWorker *worker) G_GNUC_WARN_UNUSED_RESULT;
/* The same, once the readings of the GPUs are not older than @age_ms, as far as possible (see
 * vgpu_manager_when_seen()). */
VgpuTurn *vgpu_turn_begin_seen(VgpuWorker *worker, VgpuManager *manager, guint age_ms)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for one that changes nothing (see vgpu_worker_push_look()), once no reading is older than what we have
 * done on its GPU; no GPU is read that we have not touched. */
VgpuTurn *vgpu_turn_begin_look(VgpuWorker *worker, VgpuManager *manager)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for one that changes nothing which the objects on the bus show, without any condition. */
VgpuTurn *vgpu_turn_begin_aside(VgpuWorker *worker) G_GNUC_WARN_UNUSED_RESULT;

void vgpu_turn_end(VgpuTurn *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuTurn, vgpu_turn_end)
