/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* limits.h: how much of the daemon the callers of its D-Bus methods may take, as a pure function
 *
 * A call that is over a limit is refused at once, before it has a thread. root has no limits, unlike the
 * daemon's own user if that is another one. While the bus has not told a caller's user yet, the limits
 * of a connection apply; as the caller may be root, more calls are kept until it is known, up to
 * VGPU_LIMITS_UNKNOWN bytes of all such callers together. Beyond that each connection still has its own
 * share, so that many callers cannot keep one out: the total is then bound by the number of connections
 * that the bus allows a user. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_LIMITS_CONNECTION 8u /* calls in flight of one connection */
#define VGPU_LIMITS_USER 16u      /* of all of a user's */
#define VGPU_LIMITS_SIZE (256u * 1024)
#define VGPU_LIMITS_UNKNOWN (64u * 1024 * 1024)

typedef struct {
    bool is_known; /* the calling user */
    guint uid;     /* then: which one */
    gsize size;    /* bytes of the arguments */
    gsize size_max;
    guint of_connection; /* in flight, without this one */
    guint of_user;
    gsize unknown; /* bytes that are kept of callers who are not known */
} VgpuLimitsCall;

/* Why it is refused, as an error for its caller; NULL: it is accepted. */
char *vgpu_limits_refusal(const VgpuLimitsCall *call) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes that the arguments of a method may have. */
gsize vgpu_limits_size(const char *method);
