/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver.h: the requests to one driver process, in turn, and its last reading
 *
 * Reads are merged: one serves all callers that asked before it began. Tasks, which change something, go
 * first, in the order of their arrival. All times are us of g_get_monotonic_time(). */
#pragma once

#include "driver/process.h"

/* Whether its last reading is fresh enough for a caller that needs it as of a certain time. */
typedef enum {
    VGPU_SIGHT_FRESH,
    VGPU_SIGHT_ASKED,  /* it is being read, within its limit */
    VGPU_SIGHT_BUSY,   /* with a request of ours, within its limit */
    VGPU_SIGHT_SILENT, /* it does not answer */
} VgpuSight;

typedef struct VgpuDriver VgpuDriver;

typedef struct {
    const char *verb; /* that reads */
    const char *noun; /* before its name, in messages */
    /* A read has succeeded; @results without `error`. False: the results are invalid. */
    bool (*take)(const char *name, GVariant *results, gpointer opaque);
    /* It has begun or ceased to answer, or finished a request: waiting callers may look again. */
    void (*changed)(gpointer opaque);
    /* Whether its process is kept although there was no request for a minute. */
    bool (*is_needed)(const char *name, gpointer opaque);
    gpointer opaque;
} VgpuDriverUser;

/* @name is also the name of its lock. @user and @options are borrowed. */
VgpuDriver *vgpu_driver_new(const VgpuDriverOptions *options, GMainContext *context,
                            const char *name, const VgpuDriverUser *user);
/* Its callbacks are no longer called. */
void vgpu_driver_free(VgpuDriver *self);
/* Free it and fail all waiting tasks, because of @why. */
void vgpu_driver_close(VgpuDriver *self, const char *why);

/* Let it never answer, because of @why. */
void vgpu_driver_fail(VgpuDriver *self, const char *why);

/* The arguments of reads from now on (a{sv}, taken if floating); readings with other arguments are no
 * longer fresh. Returns whether they differ from the previous ones. */
bool vgpu_driver_set_arguments(VgpuDriver *self, GVariant *arguments);

/* Whether there is a reading from @since or later; starts one if not. */
VgpuSight vgpu_driver_see(VgpuDriver *self, gint64 since);
/* Nothing that was read before now is fresh. */
void vgpu_driver_touch(VgpuDriver *self);
/* When its present task began, or a read that a request of ours may delay; 0: neither is in progress. */
gint64 vgpu_driver_working_since(const VgpuDriver *self);
/* Why it does not answer, and since when; NULL: it does. Borrowed. */
const char *vgpu_driver_why(const VgpuDriver *self, gint64 *since);

/* Another process of ours works on that GPU (a removal, a set-up), and may delay its driver: reads have
 * no time limit until as many calls of unhold(), and then the whole one. */
void vgpu_driver_hold(VgpuDriver *self);
void vgpu_driver_unhold(VgpuDriver *self);
/* An id that no other driver of that name has. */
guint64 vgpu_driver_id(const VgpuDriver *self);

typedef struct {
    const char *verb;
    GVariant *arguments; /* taken if it is floating */
    guint limit_ms;      /* after that it counts as silent; the operation continues */
    bool (*is_wanted)(gpointer opaque); /* called right before it is sent; false: NOT_SENT */
    VgpuDriverDone done;                /* called once, later, from the context */
    gpointer opaque;
    GDestroyNotify free_opaque; /* after done, or instead of it when all is freed */
} VgpuDriverTask;

/* A silent driver takes no task, and gives back those that were not sent yet. */
void vgpu_driver_push(VgpuDriver *self, const VgpuDriverTask *task);
