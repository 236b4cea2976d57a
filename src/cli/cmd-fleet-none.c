/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb fleet in a build without it: scripts that call it are told why it does nothing. */
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/fleet-names.h"

static int
run_fleet(const VgpuCli *cli, char **args, GError **error)
{
    vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                   "this virt-vgpu was built without fleets (--disable-fleet)");
    return EXIT_FAILURE;
}

const VgpuCommand vgpu_commands_fleet[] = {
    { .name = "fleet",
      .synopsis = "[VERB…]",
      .summary = "not available in this build",
      .description = "This virt-vgpu was built without fleets: hosts that share what they have "
                     "through etcd.",
      .example = "virt-vgpu version",
      .max_args = INT_MAX,
      .any_options = true,
      .anywhere = true,
      .run = run_fleet },
    { 0 },
};

const VgpuCommand vgpu_commands_fleet_place[] = { { 0 } };
const VgpuCommand vgpu_commands_fleet_host[] = { { 0 } };
const VgpuCommand vgpu_commands_fleet_quota[] = { { 0 } };

void
vgpu_fleet_names_print_hosts(const VgpuCli *cli)
{
}
