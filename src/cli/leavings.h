/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* leavings.h: the effects of removing virt-vgpu
 *
 * The verb uninstall-check: domains that would not start any more, vGPUs that exist, records, set-up of
 * the host that would not come back, the hook. A row is {check, status, detail, fix} as doctor's; "ok"
 * means that nothing is left. */
#pragma once

#include "cli/command.h"
#include "cli/table.h"

/* The columns of its table. */
const VgpuColumn *vgpu_leavings_columns(void);
int vgpu_leavings_run(const VgpuCli *cli, char **args, GError **error);
