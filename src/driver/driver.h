/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver.h: what is asked of one driver process, in turn, and what is known from it
 *
 * Reads are merged: one serves all who have asked before it began. What changes something (tasks) goes
 * first, in the order in which it came. All times are us of g_get_monotonic_time(). */
#pragma once

#include "driver/process.h"

/* How what is known of it serves somebody who needs it as of a certain time. */
typedef enum {
    VGPU_SIGHT_FRESH,
    VGPU_SIGHT_ASKED,  /* it is being read, within its limit */
    VGPU_SIGHT_BUSY,   /* with something of ours, within its limit */
    VGPU_SIGHT_SILENT, /* it does not answer */
} VgpuSight;

typedef struct VgpuDriver VgpuDriver;

typedef struct {
    const char *verb; /* that reads */
    const char *noun; /* before its name, in messages */
    /* Something has been read; @results without `error`. False: it is of no use. */
    bool (*take)(const char *name, GVariant *results, gpointer opaque);
    /* It answers, or does not, or has done something: callers that wait may look again. */
    void (*changed)(gpointer opaque);
    /* Whether its process is to go on although nobody has asked anything for a minute. */
    bool (*is_needed)(const char *name, gpointer opaque);
    gpointer opaque;
} VgpuDriverUser;

/* @name is that of its lock. @user and @options are borrowed. */
VgpuDriver *vgpu_driver_new(const VgpuDriverOptions *options, GMainContext *context,
                            const char *name, const VgpuDriverUser *user);
/* Nobody is told anything any more. */
void vgpu_driver_free(VgpuDriver *self);
/* Free it and tell those who wait that it has gone, because of @why. */
void vgpu_driver_close(VgpuDriver *self, const char *why);

/* It never answers, because of @why; it takes no notice of anything. */
void vgpu_driver_fail(VgpuDriver *self, const char *why);

/* What a read is asked with from now on (a{sv}, taken if it is floating); what was read with other
 * arguments is no longer fresh. Whether they differ from those before. */
bool vgpu_driver_set_arguments(VgpuDriver *self, GVariant *arguments);

/* What is known as of @since? Has it read if it is not. */
VgpuSight vgpu_driver_see(VgpuDriver *self, gint64 since);
/* Nothing that was read before now is fresh. */
void vgpu_driver_touch(VgpuDriver *self);
/* Since when it has been at its present task, or at a read that something of ours may keep; 0: at neither. */
gint64 vgpu_driver_working_since(const VgpuDriver *self);
/* Why it does not answer, and since when; NULL: it does. Borrowed. */
const char *vgpu_driver_why(const VgpuDriver *self, gint64 *since);

/* Something of ours is on that GPU in another process (a removal, a set-up), and may keep its driver:
 * a read may take as long as it likes until as many calls of unhold(). */
void vgpu_driver_hold(VgpuDriver *self);
void vgpu_driver_unhold(VgpuDriver *self);
/* Tells it from another one of that name. */
guint64 vgpu_driver_id(const VgpuDriver *self);

typedef struct {
    const char *verb;
    GVariant *arguments;                /* taken if it is floating */
    guint limit_ms;                     /* after that it does not answer; what it does goes on */
    bool (*is_wanted)(gpointer opaque); /* asked right before it is sent: else NOT_SENT */
    VgpuDriverDone done;                /* called once, later, from the context */
    gpointer opaque;
    GDestroyNotify free_opaque; /* after done, or instead of it when all is freed */
} VgpuDriverTask;

/* One that does not answer takes no task, and gives back those that it has not been sent. */
void vgpu_driver_push(VgpuDriver *self, const VgpuDriverTask *task);
