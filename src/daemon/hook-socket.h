/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-socket.h: the socket that virt-vgpu-hook calls
 *
 * A separate thread reads requests and notices clients that disconnect; a few threads parse, one request of
 * a domain after the other; the worker decides and writes the answer. None of them ever touches libvirt:
 * its domain is locked while its hook waits for us.
 *
 * The wire: "VGPU1 OP SUBOP EXTRA STARTTIME NAMELEN XMLLEN\n" and the two blobs; answered by
 * "VGPU1 ok LEN\n" or "VGPU1 refused LEN\n" and a blob. STARTTIME is CLOCK_BOOTTIME in ns. */
#pragma once

#include <glib.h>

#include "core/manager.h"
#include "daemon/worker.h"

/* The total size of requests that are being read or parsed. One for which there is no room stays unread
 * in its socket until there is. */
#define VGPU_HOOK_BYTES_MAX (16u * 1024 * 1024)

typedef struct VgpuHookSocket VgpuHookSocket;

/* Listen at @path, mode 0600; the descriptor, or -1. The socket of a dead daemon is replaced, even if
 * its process lingers in the kernel; VGPU_ERROR_BUSY: another daemon answers there. */
int vgpu_hook_socket_listen(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Serve @fd (taken), and unlink @path (NULL: the socket is not ours, but systemd's) in the end. @nudge
 * is called on the hook's thread after each request: libvirt runs. */
VgpuHookSocket *vgpu_hook_socket_new(int fd, const char *path, VgpuWorker *worker,
                                     VgpuManager *manager, void (*nudge)(gpointer opaque),
                                     gpointer opaque);
void vgpu_hook_socket_free(VgpuHookSocket *self);
