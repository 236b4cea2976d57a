/* process.h: a write that may never come back, done in a child process
 *
 * A process that is stuck in the kernel cannot be killed, but it need not be ours: the child can
 * be left behind, and found again after a restart by its pid and start time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/sysfs.h"

/* Fork a child that does one write() of @text to @path and exits with the errno value (0: done).
 * Returns its pid, or -1 with @error. The child holds no file of ours but the attribute. */
pid_t vgpu_process_write(const VgpuSysfs *sysfs, const char *path, const char *text,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When the process began, in clock ticks since boot; 0 when there is no such process or it is a
 * zombie. Together with the pid it names a process for good. */
guint64 vgpu_process_start_time(pid_t pid);

/* Whether it has a CPU, or waits for one; one that waits for anything else is not. */
bool vgpu_process_is_runnable(pid_t pid);
