/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-libvirtd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CLIENTS 8
#define PID_FILE "run/libvirtd.pid"

/* src/rpc/virnetprotocol.x, src/remote/remote_protocol.x */
#define HEADER_WORDS 7 /* length, program, version, procedure, type, serial, status */
#define TYPE_REPLY 1
#define PROC_AUTH_LIST 66

/* Shared with the child. */
typedef struct {
    int ready;
    int accepted;
    int clients;
    int drop;
} Board;

struct FakeLibvirtd {
    pid_t pid;
    Board *board;
};

FakeHost *
fake_host_new(void)
{
    FakeHost *self = g_new0(FakeHost, 1);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *run_dir = NULL;

    self->root = g_dir_make_tmp("virt-vgpu-XXXXXX", NULL);
    run_dir = g_build_filename(self->root, "run", NULL);
    g_assert_cmpint(mkdir(run_dir, 0700), ==, 0);
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", self->root);
    self->uri = g_strdup_printf("qemu+unix:///system?socket=%s", address.sun_path);
    self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(self->listener, (struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(self->listener, MAX_CLIENTS), ==, 0);
    return self;
}

void
fake_host_free(FakeHost *self)
{
    static const char *const names[] = { PID_FILE, "run", "sock", "" };

    close(self->listener);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(self->root, names[i], NULL);

        remove(path);
    }
    g_free(self->root);
    g_free(self->uri);
    g_free(self);
}

bool
fake_host_was_knocked(const FakeHost *self)
{
    struct pollfd pollfd = { .fd = self->listener, .events = POLLIN };

    return poll(&pollfd, 1, 0) > 0;
}

void
fake_host_leave_pid_file(const FakeHost *self)
{
    g_autofree char *path = g_build_filename(self->root, PID_FILE, NULL);

    g_assert_true(g_file_set_contents(path, "1", -1, NULL));
}

/* Below: the child, which after fork() may do nothing but system calls. */

static bool
read_all(int fd, void *buffer, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(fd, (char *) buffer + done, len - done);

        if (n <= 0)
            return false;
        done += (size_t) n;
    }
    return true;
}

/* One call in, one successful reply out, with zeros in it. */
static bool
answer(int fd)
{
    guint32 header[HEADER_WORDS], reply[HEADER_WORDS + 2];
    char payload[65536];
    guint32 len;

    if (!read_all(fd, header, sizeof(header)))
        return false;
    len = ntohl(header[0]);
    if (len < sizeof(header) || len > sizeof(payload) ||
        !read_all(fd, payload, len - sizeof(header)))
        return false;

    memcpy(reply, header, sizeof(header));
    reply[0] = htonl(sizeof(reply));
    reply[4] = htonl(TYPE_REPLY);
    reply[6] = 0;
    reply[HEADER_WORDS] = reply[HEADER_WORDS + 1] = 0;
    if (ntohl(header[3]) == PROC_AUTH_LIST)
        reply[HEADER_WORDS] = htonl(1); /* one method, REMOTE_AUTH_NONE (0) */
    return write(fd, reply, sizeof(reply)) == sizeof(reply);
}

static void
drop_client(Board *board, struct pollfd *client)
{
    close(client->fd);
    client->fd = -1;
    g_atomic_int_dec_and_test(&board->clients);
}

static void
accept_client(Board *board, int listener, struct pollfd *clients, FakeMode mode)
{
    int fd = accept(listener, NULL, NULL);

    g_atomic_int_inc(&board->accepted);
    if (mode == FAKE_REFUSES) {
        close(fd);
        return;
    }
    g_atomic_int_inc(&board->clients);
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].fd >= 0)
            continue;
        clients[i] = (struct pollfd) { .fd = fd, .events = POLLIN };
        return;
    }
    _exit(1);
}

static void G_GNUC_NORETURN
serve(Board *board, int listener, const char *pid_file, FakeMode mode)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
    struct pollfd fds[1 + MAX_CLIENTS] = { { .fd = listener, .events = POLLIN } };
    int fd = open(pid_file, O_RDWR | O_CREAT, 0644);

    for (int i = 1; i <= MAX_CLIENTS; i++)
        fds[i].fd = -1;
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || ftruncate(fd, 0) < 0 ||
        write(fd, "1\n", 2) != 2)
        _exit(1);
    g_atomic_int_set(&board->ready, 1);

    for (;;) {
        poll(fds, G_N_ELEMENTS(fds), 10);
        if (g_atomic_int_get(&board->drop))
            fds[0].fd = -1;
        for (int i = 1; i <= MAX_CLIENTS; i++) {
            if (fds[i].fd < 0)
                continue;
            if (g_atomic_int_get(&board->drop) ||
                (mode == FAKE_ANSWERS && fds[i].revents && !answer(fds[i].fd)) ||
                (mode == FAKE_SILENT && fds[i].revents & POLLHUP))
                drop_client(board, &fds[i]);
        }
        if (fds[0].fd >= 0 && fds[0].revents)
            accept_client(board, listener, fds + 1, mode);
    }
}

/* The test's own end of a connection must not live on in the child. */
static void
close_others(int keep)
{
    if (keep > 3)
        close_range(3, (unsigned) keep - 1, 0);
    close_range((unsigned) keep + 1, ~0u, 0);
}

FakeLibvirtd *
fake_libvirtd_start(const FakeHost *host, FakeMode mode)
{
    FakeLibvirtd *self = g_new0(FakeLibvirtd, 1);
    g_autofree char *pid_file = g_build_filename(host->root, PID_FILE, NULL);

    self->board =
        mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(self->board != MAP_FAILED);
    self->pid = fork();
    g_assert_cmpint(self->pid, >=, 0);
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close_others(host->listener);
        serve(self->board, host->listener, pid_file, mode);
    }
    while (!g_atomic_int_get(&self->board->ready)) {
        g_assert_cmpint(waitpid(self->pid, NULL, WNOHANG), ==, 0);
        g_usleep(1000);
    }
    return self;
}

void
fake_libvirtd_kill(FakeLibvirtd *self)
{
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
    munmap(self->board, sizeof(Board));
    g_free(self);
}

void
fake_libvirtd_drop_clients(FakeLibvirtd *self)
{
    g_atomic_int_set(&self->board->drop, 1);
}

int
fake_libvirtd_accepted(const FakeLibvirtd *self)
{
    return g_atomic_int_get(&self->board->accepted);
}

int
fake_libvirtd_clients(const FakeLibvirtd *self)
{
    return g_atomic_int_get(&self->board->clients);
}
