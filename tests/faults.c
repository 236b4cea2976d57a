/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults.c: preloaded into the daemon and its driver processes; makes system calls fail as the board of faults.h says
 *
 * It is loaded before fake-driver.so, which stands for the kernel, so calls of that are not counted. Neither are calls
 * inside the C library, for instance in fopen(), nor those that cannot fail this way: an eventfd is not a file. */
#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
/* The one of fake-driver.so, or of libc. */
#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static FaultBoard *board; /* NULL: nothing fails */
static char root[PATH_MAX];
static FaultProgram us;
static __thread int depth; /* of our calls: those of the fake driver are in them */

static const char *const names[FAULT_CALLS] = {
    "open", "read", "write", "fsync", "rename", "mkdir", "exec", "socket", "accept",
};

__attribute__((constructor)) static void
set_up(void)
{
    const char *path = getenv(FAULT_BOARD), *dir = getenv(FAULT_ROOT);
    const char *name = program_invocation_short_name;
    int fd;

    if (strstr(name, "virt-vgpu-driver"))
        us = FAULT_DRIVER;
    else if (strstr(name, "virtvgpud"))
        us = FAULT_DAEMON;
    else
        return;
    if (!path || !dir || !realpath(dir, root))
        return;
    fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        board = NULL;
    close(fd);
}

static void
note(FaultCall call, int n, int err, const char *about)
{
    int line = __atomic_fetch_add(&board->fired, 1, __ATOMIC_SEQ_CST);
    size_t len = strlen(root);

    if (line >= FAULT_LOG)
        return;
    if (strncmp(about, root, len) == 0)
        about += len;
    snprintf(board->log[line], sizeof(board->log[line]), "%s %d of the %s (%s): %s", names[call],
             n, us == FAULT_DAEMON ? "daemon" : "driver", about, strerrorname_np(err));
}

/* True: the call has to fail, with the error in errno. */
static bool
fails(FaultCall call, const char *about)
{
    int n;

    if (!board || depth || !__atomic_load_n(&board->armed, __ATOMIC_SEQ_CST))
        return false;
    n = __atomic_add_fetch(&board->counts[us][call], 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < FAULT_MOST; i++) {
        const Fault *fault = &board->faults[i];

        if (fault->call == (int) call && fault->program == (int) us && n >= fault->at &&
            n - fault->at < fault->row) {
            note(call, n, fault->err, about);
            errno = fault->err;
            return true;
        }
    }
    return false;
}

/* Files that control the test are not subject to faults. */
static bool
is_ours(const char *path)
{
    size_t len = strlen(root);

    return board && strncmp(path, root, len) == 0 &&
           (strncmp(path + len, "/knobs", 6) == 0 || strncmp(path + len, "/driver", 7) == 0);
}

static bool
path_fails(FaultCall call, const char *path)
{
    return !is_ours(path) && fails(call, path);
}

static bool
fd_fails(FaultCall call, int fd)
{
    char link[32], path[PATH_MAX];
    struct stat st;
    ssize_t len;

    if (!board || depth || !board->armed || fstat(fd, &st) < 0 || !(st.st_mode & S_IFMT))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    return path_fails(call, path);
}

#define PASS_ON(type, call)                                                                      \
    do {                                                                                         \
        type result_;                                                                            \
        depth++;                                                                                 \
        result_ = (call);                                                                        \
        depth--;                                                                                 \
        return result_;                                                                          \
    } while (0)

/* --- files ---------------------------------------------------------------------------------------- */

static mode_t
mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                                                        \
    EXPORT int name(const char *path, int flags, ...)                                            \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = mode_of(flags, args);                                                             \
        va_end(args);                                                                            \
        if (path_fails(FAULT_OPEN, path))                                                        \
            return -1;                                                                           \
        PASS_ON(int, REAL(name)(path, flags, mode));                                             \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                                      \
    EXPORT int name(int dir, const char *path, int flags, ...)                                   \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = mode_of(flags, args);                                                             \
        va_end(args);                                                                            \
        if (path_fails(FAULT_OPEN, path))                                                        \
            return -1;                                                                           \
        PASS_ON(int, REAL(name)(dir, path, flags, mode));                                        \
    }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* As <bits/fcntl2.h> has them. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
ssize_t __read_chk(int fd, void *data, size_t len, size_t size);
ssize_t __recv_chk(int fd, void *data, size_t len, size_t size, int flags);

EXPORT int
__open_2(const char *path, int flags)
{
    return open(path, flags);
}

EXPORT int
__open64_2(const char *path, int flags)
{
    return open64(path, flags);
}

EXPORT DIR *
opendir(const char *path)
{
    if (path_fails(FAULT_OPEN, path))
        return NULL;
    PASS_ON(DIR *, REAL(opendir)(path));
}

#define DEFINE_ON_FD(call, type, name, parameters, arguments)                                    \
    EXPORT type name parameters                                                                  \
    {                                                                                            \
        if (fd_fails(call, fd))                                                                  \
            return -1;                                                                           \
        PASS_ON(type, REAL(name) arguments);                                                     \
    }
DEFINE_ON_FD(FAULT_READ, ssize_t, read, (int fd, void *data, size_t len), (fd, data, len))
DEFINE_ON_FD(FAULT_READ, ssize_t, __read_chk, (int fd, void *data, size_t len, size_t size),
             (fd, data, len, size))
DEFINE_ON_FD(FAULT_READ, ssize_t, pread, (int fd, void *data, size_t len, off_t at),
             (fd, data, len, at))
DEFINE_ON_FD(FAULT_READ, ssize_t, pread64, (int fd, void *data, size_t len, off64_t at),
             (fd, data, len, at))
DEFINE_ON_FD(FAULT_READ, ssize_t, recv, (int fd, void *data, size_t len, int flags),
             (fd, data, len, flags))
DEFINE_ON_FD(FAULT_READ, ssize_t, __recv_chk,
             (int fd, void *data, size_t len, size_t size, int flags),
             (fd, data, len, size, flags))
DEFINE_ON_FD(FAULT_READ, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
             (fd, message, flags))
DEFINE_ON_FD(FAULT_WRITE, ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
DEFINE_ON_FD(FAULT_WRITE, ssize_t, writev, (int fd, const struct iovec *parts, int n),
             (fd, parts, n))
DEFINE_ON_FD(FAULT_WRITE, ssize_t, send, (int fd, const void *data, size_t len, int flags),
             (fd, data, len, flags))
DEFINE_ON_FD(FAULT_WRITE, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
             (fd, message, flags))
DEFINE_ON_FD(FAULT_FSYNC, int, fsync, (int fd), (fd))
DEFINE_ON_FD(FAULT_FSYNC, int, fdatasync, (int fd), (fd))
DEFINE_ON_FD(FAULT_ACCEPT, int, accept, (int fd, struct sockaddr *addr, socklen_t *len),
             (fd, addr, len))
DEFINE_ON_FD(FAULT_ACCEPT, int, accept4,
             (int fd, struct sockaddr *addr, socklen_t *len, int flags), (fd, addr, len, flags))

EXPORT int
rename(const char *from, const char *to)
{
    if (path_fails(FAULT_RENAME, to))
        return -1;
    PASS_ON(int, REAL(rename)(from, to));
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
    if (path_fails(FAULT_MKDIR, path))
        return -1;
    PASS_ON(int, REAL(mkdir)(path, mode));
}

/* --- sockets and programs --------------------------------------------------------------------------- */

EXPORT int
socket(int domain, int type, int protocol)
{
    if (fails(FAULT_SOCKET, "socket"))
        return -1;
    PASS_ON(int, REAL(socket)(domain, type, protocol));
}

EXPORT int
socketpair(int domain, int type, int protocol, int fds[2])
{
    if (fails(FAULT_SOCKET, "socketpair"))
        return -1;
    PASS_ON(int, REAL(socketpair)(domain, type, protocol, fds));
}

EXPORT int
execve(const char *path, char *const argv[], char *const env[])
{
    return path_fails(FAULT_EXEC, path) ? -1 : REAL(execve)(path, argv, env);
}

EXPORT int
execv(const char *path, char *const argv[])
{
    return path_fails(FAULT_EXEC, path) ? -1 : REAL(execv)(path, argv);
}

EXPORT int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    return path_fails(FAULT_EXEC, path)
               ? errno
               : REAL(posix_spawn)(pid, path, actions, attributes, argv, env);
}

EXPORT int
posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    return path_fails(FAULT_EXEC, path)
               ? errno
               : REAL(posix_spawnp)(pid, path, actions, attributes, argv, env);
}
