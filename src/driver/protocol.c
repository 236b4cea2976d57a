/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/protocol.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

#define MESSAGE_MAX (256 * 1024)

bool
vgpu_driver_protocol_socketpair(int fds[2], GError **error)
{
    const int size = MESSAGE_MAX; /* the kernel doubles it, for its own needs */

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot make a socket pair");
    for (int i = 0; i < 2; i++)
        (void) setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

static bool
set_ended(GError **error)
{
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, "it has ended");
    return false;
}

bool
vgpu_driver_protocol_send(int fd, GVariant *message, GError **error)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(message);
    gsize size = g_variant_get_size(owned);
    ssize_t sent;

    if (size > MESSAGE_MAX) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                    "a message of %zu bytes is longer than %d", size, MESSAGE_MAX);
        return false;
    }
    do
        sent = send(fd, g_variant_get_data(owned), size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
        return set_ended(error);
    if (sent < 0)
        return vgpu_error_errno(error,
                                errno == EMSGSIZE ? VGPU_ERROR_NOT_SUPPORTED : VGPU_ERROR_FAILED,
                                errno, "cannot send a message of %zu bytes", size);
    return true;
}

GVariant *
vgpu_driver_protocol_receive(int fd, const GVariantType *type, bool wait, GError **error)
{
    g_autofree char *data = g_malloc(MESSAGE_MAX);
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GBytes) bytes = NULL;
    ssize_t len;

    do
        len = recv(fd, data, MESSAGE_MAX, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
    while (len < 0 && errno == EINTR);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return NULL;
    if (len == 0 || (len < 0 && errno == ECONNRESET)) { /* with or without having read it all */
        (void) set_ended(error);
        return NULL;
    }
    if (len < 0) {
        vgpu_error_errno(error, VGPU_ERROR_UNAVAILABLE, errno, "cannot receive a message");
        return NULL;
    }
    if (len <= MESSAGE_MAX) { /* copied, so that it is aligned and takes no more memory than
                               * needed */
        bytes = g_bytes_new(data, (gsize) len);
        message = g_variant_ref_sink(g_variant_new_from_bytes(type, bytes, FALSE));
    }
    if (!message || !g_variant_is_normal_form(message)) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                            "it has sent an invalid message");
        return NULL;
    }
    return g_steal_pointer(&message);
}
