/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill-at.c: preloaded into the daemon and its driver processes; kills them at their Nth effect, see kill-at.h
 *
 * It is loaded before fake-driver.so, whose write() it calls. That write() stands for the kernel, which does
 * not die with its caller: to kill several processes, a test waits for all such calls. A write that a knob
 * blocks delays the kill, too. */
#include "kill-at.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static KillBoard *board; /* NULL: nothing is counted */
static char root[PATH_MAX];
static int us; /* a KillWho; 0: another program */

__attribute__((constructor)) static void
set_up(void)
{
    const char *path = getenv(KILL_BOARD), *dir = getenv(KILL_ROOT);
    const char *name = program_invocation_short_name;
    int fd;

    us = strstr(name, "virt-vgpu-driver") ? KILL_DRIVER
         : strstr(name, "virtvgpud")      ? KILL_DAEMON
                                          : 0;
    if (!us || !path || !dir || !realpath(dir, root))
        return;
    fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        board = NULL;
    close(fd);
}

/* Processes inside the fake kernel hold this lock shared (LOCK_SH), the one that kills others exclusively
 * (LOCK_EX). */
static int
lock_kernel(int how)
{
    char path[PATH_MAX + 32];
    int fd;

    snprintf(path, sizeof(path), "%s/driver/killing", root);
    fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (flock(fd, how) < 0 && errno == EINTR)
        ;
    return fd;
}

/* Returns only if the target is another process, which is dead by then. */
static void
strike(void)
{
    pid_t parent = getppid();

    __atomic_store_n(&board->fired, 1, __ATOMIC_SEQ_CST);
    if (board->who == (KILL_DAEMON | KILL_DRIVER)) {
        (void) lock_kernel(LOCK_EX);
        kill(0, SIGKILL); /* the daemon leads a process group, and its drivers are in it */
    } else if (board->who == us) {
        kill(getpid(), SIGKILL);
    } else {
        kill(parent, SIGKILL);
        while (getppid() == parent)
            usleep(100);
        usleep((unsigned) board->linger_ms * 1000);
        return;
    }
    for (;;)
        pause();
}

/* An effect is about to happen. Returns its number, for over(); 0: it is not counted. */
__attribute__((format(printf, 1, 2))) static int
about_to(const char *what, ...)
{
    va_list args;
    int n;

    if (!board || !board->armed || board->of != us || board->fired)
        return 0;
    n = __atomic_add_fetch(&board->count, 1, __ATOMIC_SEQ_CST);
    if (n <= KILL_LOG) {
        va_start(args, what);
        vsnprintf(board->log[n - 1], sizeof(board->log[0]), what, args);
        va_end(args);
    }
    if (n == board->at && !board->after)
        strike();
    return n;
}

static void
over(int n)
{
    int err = errno;

    if (n && n == board->at && board->after)
        strike();
    errno = err;
}

/* --- counted calls ------------------------------------------------------------------------------ */

/* The part of @path below @dir of the root; NULL: @path is elsewhere. */
static const char *
below(const char *path, const char *dir)
{
    size_t len = strlen(root);

    if (!board || !len || strncmp(path, root, len) != 0 ||
        strncmp(path + len, dir, strlen(dir)) != 0)
        return NULL;
    return path + len + strlen(dir);
}

static const char *
record(const char *path)
{
    const char *name = below(path, "/run/virt-vgpu/claims/");

    return name ? name : below(path, "/var/lib/virt-vgpu/");
}

static bool
path_of(int fd, char path[PATH_MAX])
{
    char link[32];
    struct stat st;
    ssize_t len;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, PATH_MAX - 1);
    path[len > 0 ? len : 0] = '\0';
    return len > 0;
}

static const char *
tail(const char *text, size_t len)
{
    return strlen(text) > len ? text + strlen(text) - len : text;
}

static ssize_t
write_to_kernel(ssize_t (*real)(int, const void *, size_t), int fd, const void *data, size_t len)
{
    int lock = lock_kernel(LOCK_SH);
    ssize_t written = real(fd, data, len);
    int err = errno;

    close(lock);
    errno = err;
    return written;
}

EXPORT ssize_t
write(int fd, const void *data, size_t len)
{
    ssize_t (*real)(int, const void *, size_t) = REAL(write);
    char path[PATH_MAX];
    const char *name;
    ssize_t written;
    int n;

    if (!board || !path_of(fd, path))
        return real(fd, data, len);
    if ((name = below(path, "/sys/"))) {
        n = about_to("write of %.40s to %s", (const char *) data, tail(name, 40));
        written = write_to_kernel(real, fd, data, len);
    } else {
        name = record(path);
        n = name ? about_to("write of record %s", name) : 0;
        written = real(fd, data, len);
    }
    over(n);
    return written;
}

/* A request is a number of eight bytes and a verb, see driver/protocol.h. */
static int
about_to_send(int fd, const char *data, size_t len)
{
    int type = 0;
    socklen_t size = sizeof(type);

    if (!board || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return 0;
    if (type == SOCK_STREAM)
        return about_to("answer to a hook");
    if (type != SOCK_SEQPACKET)
        return 0;
    if (us == KILL_DRIVER)
        return about_to("answer to the daemon");
    return about_to("request '%.*s'", len > 8 ? (int) strnlen(data + 8, len - 8) : 0, data + 8);
}

EXPORT ssize_t
send(int fd, const void *data, size_t len, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int) = REAL(send);
    int n = about_to_send(fd, data, len);
    ssize_t sent = real(fd, data, len, flags);

    over(n);
    return sent;
}

EXPORT int
rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = REAL(rename);
    const char *name = record(to);
    int n = name ? about_to("rename of record %s", name) : 0;
    int result = real(from, to);

    over(n);
    return result;
}

EXPORT int
unlink(const char *path)
{
    int (*real)(const char *) = REAL(unlink);
    const char *name = record(path);
    int n = name ? about_to("removal of record %s", name) : 0;
    int result = real(path);

    over(n);
    return result;
}
