/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults.h: errors of NVIDIA's GPUs, from the kernel's log to the manager
 *
 * The log is read from the moment on when there is such a GPU, whether vGPUs are on it or not: one that breaks while it
 * is idle is not to be chosen either, and a reader that nothing is written for costs nothing. */
#pragma once

#include "daemon/guard.h"

/* See whether the log has to be read by now. Any thread. */
void vgpu_faults_watch(VgpuGuard *self);
