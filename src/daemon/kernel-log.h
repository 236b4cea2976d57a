/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel-log.h: reads the kernel's log for errors of NVIDIA's GPUs
 *
 * One thread that sleeps while the kernel writes nothing, and otherwise wakes once a second at most. Its
 * position in this boot is remembered across restarts of the daemon, so that an error in between is not
 * missed, and one that was handled is not found again. */
#pragma once

#include "gpu/xid.h"

typedef struct VgpuKernelLog VgpuKernelLog;

/* Read it below @root, which is borrowed, from now on, and call @found (on that thread) for each record
 * that has an Xid. The position is saved once @is_kept, which may wait, has said that the consequences
 * of these records are on disk. If the log cannot be read, that is only logged. */
VgpuKernelLog *vgpu_kernel_log_start(const char *root,
                                     void (*found)(const VgpuXidRecord *record, gpointer opaque),
                                     bool (*is_kept)(gpointer opaque), gpointer opaque);
