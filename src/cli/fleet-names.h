/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-names.h: names of the fleet, for the shell's completion */
#pragma once

#include "cli/command.h"

/* Print the names of the hosts whose agents are there, a line each; nothing without a fleet. */
void vgpu_fleet_names_print_hosts(const VgpuCli *cli);
