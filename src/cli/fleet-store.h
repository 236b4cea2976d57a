/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-store.h: the store of this host's fleet, as the group [fleet] of the configuration says */
#pragma once

#include "cli/command.h"
#include "fleet/store.h"

VgpuStore *vgpu_fleet_store_open(const VgpuCli *cli, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Who asks, for others to read: "USER@HOST". */
char *vgpu_fleet_store_user(void);

/* Add ": TEXT" to an error of that code: the next step. */
void vgpu_fleet_store_advise(GError **error, VgpuError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
