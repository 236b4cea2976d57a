/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overview.h: a summary of the host, for a call without a verb */
#pragma once

#include "cli/command.h"

/* Print it, as far as virtvgpud answers; returns the exit status. */
int vgpu_overview_print(const VgpuCli *cli, GError **error);
