/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-pools.h: the pools of the fake daemon, which remembers changes to them */
#pragma once

#include "bus/manager1.h"

/* Answer the methods about pools. At first there are `default` and the active pool `design`, which the
 * domains web1 and web2 use. XML without a <name> is refused, an active pool cannot be undefined, and
 * access to a pool named `forbidden` is denied. */
void fake_pools_serve(VgpuBusManager1 *manager);
