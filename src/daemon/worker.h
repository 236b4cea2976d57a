/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* worker.h: the one thread that owns all allocation state
 *
 * It runs a GMainContext: functions pushed to it, and the manager's own timers and answers. */
#pragma once

#include <glib.h>

typedef struct VgpuWorker VgpuWorker;

/* Not running yet, so that the data that it owns can be set up first. */
VgpuWorker *vgpu_worker_new(void);
GMainContext *vgpu_worker_context(VgpuWorker *self);
void vgpu_worker_start(VgpuWorker *self);
/* Lets the running function finish, and drops the rest. */
void vgpu_worker_stop(VgpuWorker *self);

/* Call @func on the worker. Hook requests overtake all else. */
void vgpu_worker_push_hook(VgpuWorker *self, void (*func)(gpointer data), gpointer data);
void vgpu_worker_push(VgpuWorker *self, void (*func)(gpointer data), gpointer data);
