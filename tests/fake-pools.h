/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-pools.h: the pools of the fake daemon, which remembers what was done to them */
#pragma once

#include "bus/manager1.h"

/* Answer the methods about pools. At first there are `default` and the active pool `design`, which the
 * domains web1 and web2 use. XML without a <name> is refused, an active pool is not undefined, and
 * nobody may do anything to a pool named `forbidden`. */
void fake_pools_serve(VgpuBusManager1 *manager);
