/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process.h: what the kernel says of a process */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* When the process began, in clock ticks since boot; 0 when there is no such process or it is a
 * zombie. Together with the pid it names a process for good. */
guint64 vgpu_process_start_time(pid_t pid);

/* Whether it has a CPU, or waits for one; one that waits for anything else is not. */
bool vgpu_process_is_runnable(pid_t pid);
