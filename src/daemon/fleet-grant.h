/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-grant.h: the arguments of the method FleetGrant; pure */
#pragma once

#include "core/fleet-picture.h"

/* @domains a(sa{sv}), @options a{sv} as in the interface; @now: CLOCK_BOOTTIME, ns. VGPU_ERROR_BAD_REQUEST. */
VgpuFleetPicture *vgpu_fleet_grant_read(GVariant *domains, GVariant *options, guint64 now,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
