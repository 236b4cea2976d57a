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
/* The same for a function that changes nothing; after it vgpu_worker_on_pause() is not called. Overtakes what
 * vgpu_worker_push() has queued, as it may be all that a crowd of callers leaves time for. */
void vgpu_worker_push_look(VgpuWorker *self, void (*func)(gpointer data), gpointer data);

/* Call @func on the worker whenever it has run something: then its data may have changed. @func must be quick. Set
 * it once, before the worker starts. */
void vgpu_worker_on_pause(VgpuWorker *self, void (*func)(gpointer data), gpointer data);
