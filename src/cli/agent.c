/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define PROGRAM "pkttyagent"
#define NOTIFY_FD 3
#define PATIENCE_MS 5000 /* polkit may have to be started first */

struct VgpuAgent {
    GSubprocess *process;
};

bool
vgpu_agent_is_useful(void)
{
    return geteuid() != 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* It closes its end of the pipe when polkit knows it, and when it gives up. */
static void
wait_for_end(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    while (poll(&poll_fd, 1, PATIENCE_MS) < 0 && errno == EINTR)
        ;
}

VgpuAgent *
vgpu_agent_new(void)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autofree char *own_pid = g_strdup_printf("%d", (int) getpid());
    g_autofree char *notify_fd = g_strdup_printf("%d", NOTIFY_FD);
    GSubprocess *process;
    VgpuAgent *self;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    g_subprocess_launcher_take_fd(launcher, ends[1], NOTIFY_FD);
    /* --fallback: an agent of the user's session goes before it */
    process = g_subprocess_launcher_spawn(launcher, NULL, PROGRAM, "--process", own_pid,
                                          "--notify-fd", notify_fd, "--fallback", NULL);
    g_subprocess_launcher_close(launcher);
    if (process)
        wait_for_end(ends[0]);
    close(ends[0]);
    if (!process)
        return NULL;

    self = g_new0(VgpuAgent, 1);
    self->process = process;
    return self;
}

void
vgpu_agent_free(VgpuAgent *self)
{
    if (!self)
        return;
    /* it puts the terminal back as it was before it ends */
    g_subprocess_send_signal(self->process, SIGTERM);
    (void) !g_subprocess_wait(self->process, NULL, NULL);
    g_object_unref(self->process);
    g_free(self);
}
