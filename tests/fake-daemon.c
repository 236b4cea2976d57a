/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-daemon.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct _FakeDaemon {
    FakeMode mode;
    const char *reply;
    gsize len;
    int fd;   /* that listens, or -1 */
    int stop; /* an eventfd, readable once it is to end */
    GThread *thread;
    GArray *held; /* int: connections that are never answered */
    GString *request;
    guint contacts;
    gboolean half_closed;
};

/* Bytes of the whole request, 0 when the header line is not there yet. */
static gsize
request_size(const GString *request)
{
    const char *eol = memchr(request->str, '\n', request->len);
    gulong name, xml;

    if (!eol || sscanf(request->str, "VGPU1 %*s %*s %*s %*s %lu %lu", &name, &xml) != 2)
        return 0;
    return eol + 1 - request->str + name + xml;
}

static void
read_request(FakeDaemon *self, int fd)
{
    char buffer[65536];
    gsize size = 0;

    g_string_truncate(self->request, 0);
    while (size == 0 || self->request->len < size) {
        gssize n = recv(fd, buffer, sizeof(buffer), 0);

        if (n <= 0)
            return;
        g_string_append_len(self->request, buffer, n);
        size = request_size(self->request);
    }
    self->half_closed = recv(fd, buffer, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
send_reply(const FakeDaemon *self, int fd)
{
    gsize part = self->mode == FAKE_DRIBBLE ? 1 : 65536;

    for (gsize done = 0; done < self->len;) {
        gssize n = send(fd, self->reply + done, MIN(part, self->len - done), MSG_NOSIGNAL);

        if (n < 0)
            return;
        done += n;
    }
}

static void
serve(FakeDaemon *self, int fd)
{
    self->contacts++;
    if (self->mode == FAKE_HUNG) {
        g_array_append_val(self->held, fd);
        return;
    }
    if (self->mode != FAKE_EARLY && self->len > 0)
        read_request(self, fd);
    send_reply(self, fd);
    close(fd);
}

static gpointer
run(gpointer data)
{
    FakeDaemon *self = data;
    struct pollfd fds[] = { { .fd = self->fd, .events = POLLIN },
                            { .fd = self->stop, .events = POLLIN } };

    /* Clients in the queue count, even if the daemon has to stop at the same time. */
    while (poll(fds, 2, -1) >= 0) {
        if (fds[0].revents & POLLIN) {
            if (self->mode == FAKE_SLOW)
                g_usleep(self->contacts == 0 ? 500000 : 500);
            serve(self, accept4(self->fd, NULL, NULL, SOCK_CLOEXEC));
        } else if (fds[1].revents) {
            break;
        }
    }
    return NULL;
}

FakeDaemon *
fake_daemon_start(const char *root, FakeMode mode, const char *reply, gsize len)
{
    FakeDaemon *self = g_new0(FakeDaemon, 1);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    g_autofree char *claims = g_build_filename(root, "run/virt-vgpu/claims", NULL);

    self->mode = mode;
    self->reply = reply;
    self->len = len;
    self->held = g_array_new(FALSE, FALSE, sizeof(int));
    self->request = g_string_new(NULL);
    self->fd = -1;
    self->stop = eventfd(0, EFD_CLOEXEC);
    g_assert_cmpint(g_mkdir_with_parents(claims, 0755), ==, 0);
    if (mode == FAKE_ABSENT)
        return self;

    g_snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/virt-vgpu/hook.sock", root);
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(self->fd, (struct sockaddr *) &addr, sizeof(addr)), ==, 0);
    if (mode == FAKE_DEAF)
        return self;
    g_assert_cmpint(listen(self->fd, mode == FAKE_SLOW ? 1 : 64), ==, 0);
    self->thread = g_thread_new("fake-daemon", run, self);
    return self;
}

void
fake_daemon_stop(FakeDaemon *self)
{
    if (!self->thread)
        return;
    eventfd_write(self->stop, 1);
    g_thread_join(g_steal_pointer(&self->thread));
}

guint
fake_daemon_contacts(const FakeDaemon *self)
{
    return self->contacts;
}

const GString *
fake_daemon_request(const FakeDaemon *self)
{
    return self->request;
}

gboolean
fake_daemon_half_closed(const FakeDaemon *self)
{
    return self->half_closed;
}

void
fake_daemon_free(FakeDaemon *self)
{
    fake_daemon_stop(self);
    for (guint i = 0; i < self->held->len; i++)
        close(g_array_index(self->held, int, i));
    if (self->fd >= 0)
        close(self->fd);
    close(self->stop);
    g_array_unref(self->held);
    g_string_free(self->request, TRUE);
    g_free(self);
}
