/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* limits.h: how much of the daemon the callers of its D-Bus methods may take, as a pure function
 *
 * A call that is over a limit is refused at once, before it has a thread. root is outside the limits, the
 * daemon's own user is not when it is another one. Of a caller whose user the bus has not told yet as much
 * is let in as of any connection; as they may be root, more is kept until they are known, while it makes no more than
 * VGPU_LIMITS_UNKNOWN bytes of all such callers together. Beyond that each connection still has what any has, so
 * that others cannot keep a caller out by being many: what is kept then is bound by the bus, which lets a user have so
 * many connections. */
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
    guint of_connection; /* in flight, this one not among them */
    guint of_user;
    gsize unknown; /* bytes that are kept of callers who are not known */
} VgpuLimitsCall;

/* Why it may not come in, in words for its caller; NULL: it may. */
char *vgpu_limits_refusal(const VgpuLimitsCall *call) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes that the arguments of a method may have. */
gsize vgpu_limits_size(const char *method);
