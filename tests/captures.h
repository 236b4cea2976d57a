/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* captures.h: tables of what real cards have been seen to list
 *
 * From captures of many hosts, and from NVIDIA's own lists where a capture is incomplete. */
#pragma once

#include "fake-sysfs.h"
#include "gpu/gpu.h"

typedef struct {
    const char *id;
    const char *name; /* NULL: it showed none */
    /* its description; num_heads 0: it showed none, and the name is all that tells */
    guint num_heads, frl, fb_mib;
    const char *max_resolution;
    guint max_instances;
    guint available; /* on each of its functions; with vendor-specific VFIO: it was listed */
    /* what the name means, read by eye */
    char series;
    bool is_mig;
} CaptureType;

typedef struct {
    const char *what;
    FakeFunction pf;
    const char *address; /* of the PF */
    VgpuInterface interface;
    const char *first_vf; /* NULL: the types are on the PF */
    guint vfs_total;
    guint vfs_enabled;
    const CaptureType *types; /* until one without id */
    guint card_mib;           /* what a list that shrinks tells while the card is idle, else 0 */
} Capture;

/* Until one without what. */
extern const Capture captures[];
