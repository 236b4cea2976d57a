#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"

/* In the child: only calls that are safe after fork() in a program with threads. */
static void G_GNUC_NORETURN
write_and_exit(int root_fd, const char *path, const char *text)
{
    size_t len = strlen(text);
    int fd = openat(root_fd, path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        _exit(errno);
    /* a client that waits for our end of a socket must not wait for this child */
    if (fd > 3 && dup2(fd, 3) == 3)
        fd = 3;
    if (fd == 3)
        (void) close_range(4, ~0u, 0);
    _exit(write(fd, text, len) < 0 ? errno : 0);
}

pid_t
vgpu_process_write(const VgpuSysfs *sysfs, const char *path, const char *text, GError **error)
{
    int root_fd = vgpu_sysfs_root_fd(sysfs);
    pid_t pid = fork();

    if (pid == 0)
        write_and_exit(root_fd, path, text);
    if (pid < 0)
        vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "start a process to write /%s", path);
    return pid;
}

/* False: there is no such process. */
static bool
read_stat(pid_t pid, char *state, guint64 *start)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *stat = NULL;
    const char *after_name;

    if (pid <= 0 || !g_file_get_contents(path, &stat, NULL, NULL))
        return false;
    /* the name in parentheses may hold anything, also parentheses (proc(5)) */
    after_name = strrchr(stat, ')');
    return after_name &&
           sscanf(after_name + 1,
                  " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%" G_GUINT64_FORMAT,
                  state, start) == 2;
}

guint64
vgpu_process_start_time(pid_t pid)
{
    char state;
    guint64 start;

    return read_stat(pid, &state, &start) && state != 'Z' ? start : 0;
}

bool
vgpu_process_is_runnable(pid_t pid)
{
    char state;
    guint64 start;

    return read_stat(pid, &state, &start) && state == 'R';
}
