/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults.h: errors of NVIDIA's GPUs, from the kernel's log to the manager
 *
 * The log is read once there is such a GPU, with or without vGPUs: a GPU that breaks while it is idle
 * must not be chosen either, and an idle reader costs nothing. */
#pragma once

#include "daemon/guard.h"

/* See whether the log has to be read by now. Any thread. */
void vgpu_faults_watch(VgpuGuard *self);
