/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "saved.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As VGPU_PATH_SAVED_NOTES in src/base/names.h. In /run: after a reboot the note would be older than the host. */
#define NOTES "run/virt-vgpu/saved"

void
hook_note_saved(const char *root, const char uuid[UUID_LEN + 1], long long time)
{
    char path[PATH_MAX];
    int fd;

    if (snprintf(path, sizeof(path), "%s/" NOTES "/%s", root, uuid) >= PATH_MAX)
        return;
    path[strlen(path) - UUID_LEN - 1] = '\0';
    (void) !mkdir(path, 0700);
    path[strlen(path)] = '/';
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    dprintf(fd, "%lld\n", time);
    close(fd);
}
