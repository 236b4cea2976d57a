/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-host.h: the methods of org.virtvgpu.Manager1 that set the host up */
#pragma once

#include "bus/manager1.h"
#include "daemon/host-setup.h"

/* Answer them on @skeleton, each on a thread of its own. */
void vgpu_service_host_connect(VgpuBusManager1 *skeleton, VgpuHostSetup *setup);
