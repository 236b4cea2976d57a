/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process.h: the kernel's information about a process */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* When the process began, in clock ticks since boot; 0 when there is no such process or it is a zombie.
 * Together with the pid it identifies a process. */
guint64 vgpu_process_start_time(pid_t pid);

/* Whether it runs on a CPU, or waits for one, rather than for anything else. */
bool vgpu_process_is_runnable(pid_t pid);
