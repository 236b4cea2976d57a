/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lost.h: vGPUs that have vanished under running domains: VFs turned off, a mediated device removed, a PF that another
 * driver or a guest has taken */
#pragma once

#include "core/manager.h"

/* Why that vGPU, which its domain runs with, no longer exists; NULL: it exists, or that is not known.
 * @is_read: its GPU was read after it had been made; otherwise only its function is looked for. Pure;
 * owned by the caller. */
char *vgpu_lost_why(const VgpuInventory *inventory, const VgpuClaim *claim, bool is_read);

/* GPU @gpu was just read (NULL: all were discovered): note which vGPUs of running domains no longer
 * exist, and report each once. A GPU's driver process makes and reads in turn, so a later reading
 * contains all that it has made. */
void vgpu_lost_check(VgpuManager *self, const char *gpu);
