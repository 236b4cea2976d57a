/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* departures.h: domains with vGPUs that migrate from this host to another one
 *
 * No hook is called for that here, before the run is over. libvirt reports that QEMU begins to send the domain,
 * that it is paused, and that it is gone; what the migration has cost comes in an event of its own after that.
 * Kept in memory only: no decision depends on it, only events and statistics. */
#pragma once

#include "core/manager.h"

void vgpu_departures_open(VgpuManager *self);
void vgpu_departures_close(VgpuManager *self);
