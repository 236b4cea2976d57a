/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver.c: in libc's place */
#include "fake-driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake-driver-private.h"

#define REQUEST_MAX 4096

void
fake_driver_set_root(const char *path)
{
    if (!path || !realpath(path, fake_root))
        fake_root[0] = '\0';
}

__attribute__((constructor)) static void
set_root_from_environment(void)
{
    fake_driver_set_root(getenv("FAKE_DRIVER_ROOT"));
}

static bool
is_below_root(const char *path, const char *dir)
{
    size_t len = strlen(fake_root);

    return len && strncmp(path, fake_root, len) == 0 &&
           strncmp(path + len, dir, strlen(dir)) == 0;
}

/* The file's name, if it is below the root. */
static bool
name_of(int fd, Path path)
{
    struct stat st;
    char link[32];
    ssize_t len;

    /* first: mostly it is a main loop that is woken, perhaps when its test is over and sets the root */
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, PATH_MAX - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    return is_below_root(path, "/sys/");
}

static bool
has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);

    return len > tail && strcmp(text + len - tail, suffix) == 0;
}

__attribute__((visibility("default"))) ssize_t
write(int fd, const void *data, size_t len)
{
    Path path;
    int err;

    /* what has a NUL in it wakes a main loop, most likely, and is no request */
    if (!len || len > REQUEST_MAX || memchr(data, 0, len) || !name_of(fd, path))
        return syscall(SYS_write, fd, data, len);
    if (has_suffix(path, "/create") && strstr(path, "/mdev_supported_types/"))
        err = fake_mdev_create(path, data, len);
    else if (has_suffix(path, "/remove"))
        err = fake_mdev_remove(path, data, len);
    else if (has_suffix(path, "/nvidia/current_vgpu_type"))
        err = fake_vendor_set_type(path, data, len);
    else if (has_suffix(path, "/nvidia/vgpu_params"))
        err = fake_set_params(path, data, len);
    else
        return syscall(SYS_write, fd, data, len);
    errno = err;
    return err ? -1 : (ssize_t) len;
}

/* A VFIO group can be opened once; its file says whose it is. */
static bool
is_open_already(int dir, const char *path)
{
    const char *group = strstr(path, FAKE_VFIO "/");
    Path real, name;

    struct function function = { 0 };

    if (!fake_root[0] || !group)
        return false;
    if (path[0] == '/') {
        strcpy(real, path);
    } else {
        char link[32];
        ssize_t len;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
        len = dir == AT_FDCWD ? -1 : readlink(link, name, sizeof(name) - 1);
        if (len < 0)
            return false;
        name[len] = '\0';
        if (snprintf(real, sizeof(real), "%s/%s", name, path) >= (int) sizeof(real))
            return false;
    }
    if (!is_below_root(real, "/" FAKE_VFIO "/") || !fake_read_line(real, name, sizeof(name)) ||
        !*name)
        return false;
    function.addr = function.pf = name;
    fake_wait_while_hung("hang_open-", &function);
    return fake_knob_is_there("open-", name);
}

static bool
is_unreadable(const char *path, int flags)
{
    return fake_root[0] && (flags & O_ACCMODE) == O_RDONLY &&
           has_suffix(path, "/nvidia/vgpu_params") && fake_knob_is_there("params_eio", "");
}

/* These are answered by functions of the driver (its show()), which may not come back: how many names
 * below the function's directory they are, 0: another file. */
static int
depth_of_answer(const char *path)
{
    if (has_suffix(path, "/available_instances"))
        return 3;
    return has_suffix(path, "/nvidia/creatable_vgpu_types") ||
                   has_suffix(path, "/nvidia/current_vgpu_type")
               ? 2
               : 0;
}

static void
wait_for_answer(int fd, int flags, int depth)
{
    struct function function;
    Path path;

    if (fd < 0 || !depth || !fake_root[0] || (flags & O_ACCMODE) != O_RDONLY ||
        !name_of(fd, path))
        return;
    while (depth--)
        *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    fake_find_gpu(&function);
    fake_wait_while_hung("hang_read-", &function);
}

static int
open_as_told(int dir, const char *path, int flags, mode_t mode)
{
    int fd;

    if (is_open_already(dir, path)) {
        errno = EBUSY;
        return -1;
    }
    if (is_unreadable(path, flags)) {
        errno = EIO;
        return -1;
    }
    fd = fake_open(dir, path, flags, mode);
    wait_for_answer(fd, flags, depth_of_answer(path));
    return fd;
}

/* libc declares these with attributes of its own */
#define OPEN(name)                                                                               \
    __attribute__((visibility("default"))) int name(const char *path, int flags, ...)            \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;                                       \
        va_end(args);                                                                            \
        return open_as_told(AT_FDCWD, path, flags, mode);                                        \
    }
#define OPENAT(name)                                                                             \
    __attribute__((visibility("default"))) int name(int dir, const char *path, int flags, ...)   \
    {                                                                                            \
        va_list args;                                                                            \
        mode_t mode;                                                                             \
                                                                                                 \
        va_start(args, flags);                                                                   \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                         \
        va_end(args);                                                                            \
        return open_as_told(dir, path, flags, mode);                                             \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
