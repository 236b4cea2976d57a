/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/system.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* In libvirt's own order of preference. */
static const struct {
    const char *pid_file;
    const char *mode;
} daemons[] = {
    { "virtqemud.pid", "direct" },
    { "libvirtd.pid", "legacy" },
};

bool
vgpu_system_serves(const char *uri)
{
    static const char *const prefixes[] = { "qemu:///system", "qemu+unix:///system" };

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        gsize len = strlen(prefixes[i]);

        if (strncmp(uri, prefixes[i], len) == 0 && (uri[len] == '\0' || uri[len] == '?'))
            return true;
    }
    return false;
}

/* The pid file of a daemon that has crashed is not locked. */
static bool
is_locked(const char *path, pid_t *pid)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool locked;

    if (fd < 0)
        return false;
    locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (locked)
        *pid = MAX(lock.l_pid, 0);
    close(fd);
    return locked;
}

bool
vgpu_system_find(const char *run_dir, VgpuSystemDaemon *out)
{
    for (gsize i = 0; i < G_N_ELEMENTS(daemons); i++) {
        g_autofree char *path = g_build_filename(run_dir, daemons[i].pid_file, NULL);
        pid_t pid;

        if (is_locked(path, &pid)) {
            *out = (VgpuSystemDaemon) { .mode = daemons[i].mode, .pid = pid };
            return true;
        }
    }
    return false;
}

bool
vgpu_system_is_pid_file(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(daemons); i++) {
        if (g_str_equal(name, daemons[i].pid_file))
            return true;
    }
    return false;
}

bool
vgpu_system_is_nodedev_pid_file(const char *name)
{
    return g_str_equal(name, "virtnodedevd.pid");
}

char *
vgpu_system_uri(const char *uri, const VgpuSystemDaemon *daemon)
{
    return strchr(uri, '?') ? g_strdup(uri) : g_strconcat(uri, "?mode=", daemon->mode, NULL);
}
