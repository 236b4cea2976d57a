/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overview.h: what there is, in a few lines, for a call without a verb */
#pragma once

#include "cli/command.h"

/* Print it, or as much of it as virtvgpud tells; returns the exit status. */
int vgpu_overview_print(const VgpuCli *cli, GError **error);
