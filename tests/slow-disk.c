/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* slow-disk.c: preloaded into the daemon, in the place of fsync()
 *
 * For files below var/lib and etc of $FAKE_DRIVER_ROOT, by knobs in its directory knobs/, which are looked
 * at all the time:
 *   fsync_hangs  while the knob exists, no fsync() of such a file returns, and while one blocks, the
 *                file knobs/fsync_is_hanging exists
 *   fsync_fails  while the knob exists, fsync() fails with ENOSPC, as on a disk whose quota is used up */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static const char *
root(void)
{
    const char *dir = getenv("FAKE_DRIVER_ROOT");

    return dir ? dir : "";
}

static void
knob_path(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/knobs/%s", root(), name);
}

static bool
has_knob(const char *name)
{
    char path[4096];

    knob_path(path, sizeof(path), name);
    return access(path, F_OK) == 0;
}

static bool
is_on_disk(int fd)
{
    char link[64], target[4096], prefix[4096];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, target, sizeof(target) - 1);
    if (len < 0)
        return false;
    target[len] = '\0';
    snprintf(prefix, sizeof(prefix), "%s/var/lib/", root());
    if (strncmp(target, prefix, strlen(prefix)) == 0)
        return true;
    snprintf(prefix, sizeof(prefix), "%s/etc/", root());
    return strncmp(target, prefix, strlen(prefix)) == 0;
}

static void
hang(void)
{
    char path[4096];
    int fd;

    knob_path(path, sizeof(path), "fsync_is_hanging");
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    while (has_knob("fsync_hangs"))
        usleep(5000);
    unlink(path);
}

EXPORT int
fsync(int fd)
{
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, __func__);

    if (!is_on_disk(fd))
        return real(fd);
    if (has_knob("fsync_hangs"))
        hang();
    if (has_knob("fsync_fails")) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd);
}
