/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boot-lines.h: users' own scripts that make vGPUs when the host boots
 *
 * Units, scripts, udev rules and hooks that write a vGPU's UUID or type into sysfs, or have mdevctl
 * start one. They are only reported, for the administrator to disable; nothing here changes them. */
#pragma once

#include "sysfs/sysfs.h"

typedef struct {
    char *path; /* absolute */
    guint line;
    char *text; /* that line, without blanks around it, or its beginning */
    char *unit; /* the unit that runs it, or that it is of; NULL: none is known */
} VgpuBootLine;

/* Of VgpuBootLine, by path; files that may not be read are left out. */
GPtrArray *vgpu_boot_lines_find(const VgpuSysfs *fs);

/* "FILE:LINE: TEXT; what to do" */
char *vgpu_boot_line_advice(const VgpuBootLine *self);
