/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-events.h: what happens in a fleet, a JSON object a line */
#pragma once

#include <stdbool.h>

#include "fleet/store.h"

/* Until SIGINT or SIGTERM. A store that does not answer for a while is waited for, and what was missed is found by
 * comparison. */
bool vgpu_fleet_events_follow(VgpuStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
