/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process.h: one virt-vgpu-driver, as virtvgpud sees it
 *
 * It is started with its first request, on a separate thread, as reading a program from disk takes time.
 * It has the name of a GPU or vGPU, and holds the lock of that name for as long as it lives: no second
 * one is ever started for the same GPU or vGPU, not even by the next daemon. One that is stuck in a
 * driver is left behind. All functions are for the thread of the context. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *program; /* virt-vgpu-driver */
    const char *root;    /* where /sys, /dev and /run are */
    bool debug;          /* its messages go where ours go; otherwise they are dropped, as they may
                       * not be read */
    bool has_no_lock;    /* for callers that only look, and need not be root */
} VgpuDriverOptions;

typedef struct VgpuDriverProcess VgpuDriverProcess;

typedef enum {
    VGPU_DRIVER_ANSWERED, /* by results, `error` among them or not */
    VGPU_DRIVER_NOT_SENT, /* nothing was done: it could not be started */
    VGPU_DRIVER_LOCKED,   /* the same: a process that an earlier daemon started has the lock */
    VGPU_DRIVER_DOUBT,    /* it has exited meanwhile, and may or may not have done it */
} VgpuDriverOutcome;

/* @results (a{sv}) if it was answered, else the reason @why not; both borrowed. The process may be asked
 * again, or freed, from here. */
typedef void (*VgpuDriverDone)(VgpuDriverOutcome outcome, GVariant *results, const char *why,
                               gpointer opaque);

/* @options are borrowed for as long as it lives. */
VgpuDriverProcess *vgpu_driver_process_new(const VgpuDriverOptions *options,
                                           GMainContext *context, const char *name);

/* Let go of it: it finishes its request and exits. Its callbacks are no longer called. */
void vgpu_driver_process_free(VgpuDriverProcess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDriverProcess, vgpu_driver_process_free)

/* Send a request; only one at a time. Takes @arguments (a{sv}) if they are floating. @done is called
 * later, from the context. */
void vgpu_driver_process_ask(VgpuDriverProcess *self, const char *verb, GVariant *arguments,
                             VgpuDriverDone done, gpointer opaque);

bool vgpu_driver_process_is_asked(const VgpuDriverProcess *self);
/* When the present request was sent (us of g_get_monotonic_time()); 0: not yet, as the process is being
 * started. */
gint64 vgpu_driver_process_sent_at(const VgpuDriverProcess *self);
/* Whether it runs on a CPU or waits for one: then its driver is not the reason for a delay. */
bool vgpu_driver_process_is_runnable(const VgpuDriverProcess *self);
/* Whether it runs, so that a request need not start it. */
bool vgpu_driver_process_is_up(const VgpuDriverProcess *self);

/* Whether a process of any daemon has the lock of that name. */
bool vgpu_driver_process_is_locked(const VgpuDriverOptions *options, const char *name);
