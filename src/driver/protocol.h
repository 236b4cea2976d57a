/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* protocol.h: the protocol between virtvgpud and virt-vgpu-driver
 *
 * A message is one GVariant in normal form in one packet of a SOCK_SEQPACKET pair, MESSAGE_MAX bytes
 * at most. The child begins with a hello, `s`, which has to be VGPU_DRIVER_HELLO: a package may be
 * upgraded under a daemon that runs. Then the daemon asks, `(tsa{sv})`: serial, verb, arguments; and
 * the child answers, `(ta{sv})`: the same serial, results. One request at a time.
 *
 * Arguments and results by verb; those of a vGPU's place are `interface` (u, VgpuInterface), `parent`,
 * `profile_id` and `uuid` (s, left out where they are not known):
 *   discover   round (t), named (as),          unchanged (b), or discovery (gpu/contents.h)
 *              details (b): of GPUs, too       and details (a(sutu)): address, class, size of BAR1 (0: not
 *                                              known), VFs that are bound to vfio-pci
 *   read       interface, gpu (s),             began (x, us of CLOCK_MONOTONIC),
 *              driver (s), functions (a(sb))   contents (gpu/contents.h)
 *   create     place, exists (b), params (s)   made (b, also of one that is left after an error),
 *                                              existed (b), doubt (s), or error (us), and
 *                                              futile (b: nor would it on the GPU's others)
 *   probe      place                           exists (b), seen_parent, seen_profile (s), use (u,
 *                                              VgpuUse), unusable (s, why), grace (u, ms),
 *                                              params (s, those that it has)
 *   remove     place, closed (u, ms)           as of probe; and where it was written, errno (i) and
 *                                              left (b: it is there still)
 *   capture    function (s; left out: the host) files, links, unreadable (a(ss), backend/capture.h)
 * Parameters are written to what is made, and ("": that there are none) to what `exists`; never to what
 * turned out to have existed. A removal is written only for what no process has open, and its driver would
 * not remove by itself: not before it has been closed for its grace.
 * A verb that failed answers error (us): code (VgpuError) and text. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "config.h"

#define VGPU_DRIVER_HELLO PACKAGE_VERSION " 3"

#define VGPU_DRIVER_DISCOVER "discover"
#define VGPU_DRIVER_READ "read"
#define VGPU_DRIVER_CREATE "create"
#define VGPU_DRIVER_PROBE "probe"
#define VGPU_DRIVER_REMOVE "remove"
#define VGPU_DRIVER_CAPTURE "capture"

/* The child's descriptors: its end of the socket pair; and its lock, held for as long as it lives. */
#define VGPU_DRIVER_SOCKET_FD 3
#define VGPU_DRIVER_LOCK_FD 4

#define VGPU_DRIVER_REQUEST G_VARIANT_TYPE("(tsa{sv})")
#define VGPU_DRIVER_ANSWER G_VARIANT_TYPE("(ta{sv})")

/* With buffers for a message of the maximal length. VGPU_ERROR_FAILED. */
bool vgpu_driver_protocol_socketpair(int fds[2], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes @message if it is floating. VGPU_ERROR_FAILED; VGPU_ERROR_NOT_SUPPORTED: it is too long;
 * VGPU_ERROR_UNAVAILABLE: the other end is closed. */
bool vgpu_driver_protocol_send(int fd, GVariant *message, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The next message. NULL without an error: there is none yet (never where @wait is set). NULL with one:
 * VGPU_ERROR_UNAVAILABLE: the other end is closed; VGPU_ERROR_FAILED: it is not of @type. */
GVariant *vgpu_driver_protocol_receive(int fd, const GVariantType *type, bool wait,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
