/* queue.h: blocking jobs on a few threads, in order per key */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuQueue VgpuQueue;

/* Priorities. */
#define VGPU_QUEUE_FIRST 0 /* a guest waits for its vGPU, or a user for an answer */
#define VGPU_QUEUE_NORMAL 1

VgpuQueue *vgpu_queue_new(guint threads);
/* Waits for nothing: jobs under way are left behind with what they need. */
void vgpu_queue_stop(VgpuQueue *self);
/* The same, but waits for the jobs under way; the others are dropped. */
void vgpu_queue_free(VgpuQueue *self);

/* Run @func on a thread. Jobs of the same @key (NULL: none) never run at the same time; lower
 * @priority goes first, else first come, first served. @free_data is called after @func. */
void vgpu_queue_push(VgpuQueue *self, int priority, const char *key, void (*func)(gpointer data),
                     gpointer data, GDestroyNotify free_data);

/* Whether a job of that key waits or is under way. */
bool vgpu_queue_has(VgpuQueue *self, const char *key);

/* Run @func with VGPU_QUEUE_FIRST, and wait until it has returned. */
void vgpu_queue_call(VgpuQueue *self, const char *key, void (*func)(gpointer data),
                     gpointer data);
