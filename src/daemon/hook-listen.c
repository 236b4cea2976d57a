/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-listen.c: the hook's socket when systemd has not made it */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/hook-socket.h"

#define BACKLOG 4096
#define HELLO_TIMEOUT_MS 1000

/* A daemon with a thread that is stuck in a driver cannot exit, and its socket keeps accepting
 * connections; but it does not answer. */
static bool
somebody_answers(int fd)
{
    static const char request[] = "VGPU1 hello - - 0 0 0\n";
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    char byte;

    return send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 &&
           poll(&poll_fd, 1, HELLO_TIMEOUT_MS) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static bool
is_taken(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool taken =
        connect(fd, (const struct sockaddr *) addr, sizeof(*addr)) == 0 && somebody_answers(fd);

    close(fd);
    return taken;
}

int
vgpu_hook_socket_listen(const char *path, GError **error)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd;

    if (g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >= sizeof(addr.sun_path)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "%s: path too long for a socket", path);
        return -1;
    }
    if (is_taken(&addr)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY, "%s: another virtvgpud answers there",
                    path);
        return -1;
    }
    (void) unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0177); /* set before the socket exists, so that it is never open to others */
    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0 || listen(fd, BACKLOG) < 0) {
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "listen on %s", path);
        close(fd);
        fd = -1;
    }
    umask(mask);
    return fd;
}
