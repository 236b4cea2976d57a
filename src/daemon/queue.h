/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* queue.h: blocking jobs on a few threads, in order per key */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuQueue VgpuQueue;

/* Priorities. */
#define VGPU_QUEUE_FIRST 0 /* a guest waits for its vGPU, or a user for an answer */
#define VGPU_QUEUE_NORMAL 1

VgpuQueue *vgpu_queue_new(guint threads);
/* Does not wait: jobs in progress are left behind with their data. */
void vgpu_queue_stop(VgpuQueue *self);
/* The same, but waits for the jobs under way; the others are dropped. */
void vgpu_queue_free(VgpuQueue *self);

/* Run @func on a thread. Jobs of the same @key (NULL: none) never run at the same time; lower
 * @priority goes first, else first come, first served. @free_data is called after @func. */
void vgpu_queue_push(VgpuQueue *self, int priority, const char *key, void (*func)(gpointer data),
                     gpointer data, GDestroyNotify free_data);

/* Whether a job of that key waits or is under way. */
bool vgpu_queue_has(VgpuQueue *self, const char *key);

/* Makes the calling thread a job, with VGPU_QUEUE_FIRST: waits until it may run, and lasts to the end of
 * its scope. For threads that are not the queue's. */
typedef struct VgpuStandIn VgpuQueueJob;
VgpuQueueJob *vgpu_queue_job_begin(VgpuQueue *self, const char *key) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_queue_job_end(VgpuQueueJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuQueueJob, vgpu_queue_job_end)
