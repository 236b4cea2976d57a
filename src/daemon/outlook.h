/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* outlook.h: decides how to proceed after an error of libvirt or of the manager */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The step that failed. */
typedef enum {
    VGPU_STEP_READ,    /* reading a domain, or all, or subscribing to their events */
    VGPU_STEP_FOLLOW,  /* changing a definition, or deciding how */
    VGPU_STEP_PLUG,    /* a hotplug */
    VGPU_STEP_NODEDEV, /* reading or changing node devices */
    VGPU_N_STEPS
} VgpuStep;

typedef enum {
    VGPU_OUTLOOK_DONE,           /* there is nothing left to do */
    VGPU_OUTLOOK_AGAIN,          /* it may succeed later, without an event */
    VGPU_OUTLOOK_RECONNECT,      /* the same, and if it keeps failing, on a new connection */
    VGPU_OUTLOOK_WHEN_CONNECTED, /* libvirt is away */
    VGPU_OUTLOOK_WHEN_CHANGED,   /* only a change of the domain or of the host helps */
    VGPU_N_OUTLOOKS
} VgpuOutlook;

/* @error may be NULL. @connected: the connection that was used still stands. Pure. */
VgpuOutlook vgpu_outlook(VgpuStep step, const GError *error, bool connected);
