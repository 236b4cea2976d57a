/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* event.h: events, for programs and for the journal
 *
 * An event is the a{sv} of the signal Event of org.virtvgpu.Manager1. */
#pragma once

#include <glib.h>

/* The data of an event; NULL: not present. */
typedef struct {
    const char *event; /* its kind */
    const char *domain, *domain_uuid;
    const char *uuid, *gpu, *parent, *profile, *interface; /* of the vGPU */
    const char *pool;
    const char *outcome; /* NULL: that of its kind */
    const char *reason;
    guint xid;          /* of an error of a GPU; 0: none */
    const char *action; /* the necessary action, a word */
    const char *text;   /* what its driver says */
    gint64 duration_ms; /* negative: it took no time that is worth telling */
    /* the part of it spent in libvirt's calls; negative: none, or not known */
    gint64 libvirt_ms;
    gint64 downtime_ms; /* for how long a migration has paused the guest; 0: none, or not known */
    guint64 data_bytes; /* that were sent; 0: none, or not known */
} VgpuEvent;

/* As of now; floating. */
GVariant *vgpu_event_new(const VgpuEvent *event);

/* Takes a floating @event and gives it back, floating, with its outcome: ok, failed, refused. */
GVariant *vgpu_event_complete(GVariant *event);

/* One line for people. */
char *vgpu_event_text(GVariant *event);

/* Write it to the journal (or to standard error, where that is not the journal), with its fields
 * as VGPU_EVENT, VGPU_DOMAIN and so on, and the MESSAGE_ID of its kind; see virtvgpud(8). Any
 * thread. */
void vgpu_event_log(GVariant *event);
