/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/process.h"

#include <stdio.h>
#include <string.h>

/* False: there is no such process. */
static bool
read_stat(pid_t pid, char *state, guint64 *start)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *stat = NULL;
    const char *after_name;

    if (pid <= 0 || !g_file_get_contents(path, &stat, NULL, NULL))
        return false;
    /* the name in parentheses may contain anything, even parentheses (proc(5)) */
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
