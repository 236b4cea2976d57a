/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mig-list.h: MIG GPU instances, as a table or JSON */
#pragma once

#include <stdbool.h>

#include "bus/manager1.h"
#include "cli/command.h"
#include "cli/table.h"

/* The columns of that table. */
const VgpuColumn *vgpu_mig_list_columns(bool profiles);

/* Print those of the GPU @address or, with @profiles, the profiles that it supports. */
bool vgpu_mig_list_print(const VgpuCli *cli, VgpuBusManager1 *manager, const char *address,
                         bool profiles, GError **error) G_GNUC_WARN_UNUSED_RESULT;
