/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that keep new vGPUs off a GPU: gpu-cordon, gpu-uncordon. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/bus.h"
#include "cli/command.h"
#include "cli/cordon-row.h"
#include "cli/suggest.h"

static struct {
    char *reason;
} option;

static const GOptionEntry cordon_options[] = {
    { "reason", 0, 0, G_OPTION_ARG_STRING, &option.reason,
      "reason, shown to users: one line of 200 characters at most", "TEXT" },
    { 0 },
};

static const VgpuColumn columns[] = { { .key = "address" },
                                      { .key = "cordoned", .nested = vgpu_cordon_row_columns },
                                      { .key = "vgpus" },
                                      { 0 } };

static int
failed(VgpuBusManager1 *manager, const char *address, GError **error)
{
    if (manager)
        vgpu_suggest_gpu(manager, address, error);
    return EXIT_FAILURE;
}

static int
run_gpu_cordon(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *reason = g_steal_pointer(&option.reason);
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) gpu = NULL;
    guint32 vgpus = 0;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)) ||
        !(gpu = vgpu_bus_call(manager, "CordonGpu",
                              g_variant_new_parsed("(%s, {'reason': <%s>})", address,
                                                   reason ? reason : ""),
                              NULL, error)))
        return failed(manager, address, error);
    if (cli->json) {
        vgpu_table_print_object(columns, gpu);
        return EXIT_SUCCESS;
    }
    (void) !g_variant_lookup(gpu, "vgpus", "u", &vgpus);
    printf("GPU %s is cordoned: no new vGPUs are placed on it", address);
    if (vgpus)
        printf("; %u vGPU%s on it stay%s", vgpus, vgpus == 1 ? "" : "s", vgpus == 1 ? "s" : "");
    printf("\n");
    return EXIT_SUCCESS;
}

static int
run_gpu_uncordon(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) nothing = NULL, row = NULL;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)) ||
        !(nothing =
              vgpu_bus_call(manager, "UncordonGpu", g_variant_new("(s)", address), NULL, error)))
        return failed(manager, address, error);
    if (cli->json) {
        row = g_variant_ref_sink(
            g_variant_new_parsed("{'address': <%s>}", address)); /* cordoned is null */
        vgpu_table_print_object(columns, row);
    } else {
        printf("GPU %s is not cordoned\n", address);
    }
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_cordon[] = {
    { .name = "gpu-cordon",
      .synopsis = "GPU [--reason TEXT]",
      .summary = "place no new vGPUs on it",
      .description = "Places no new vGPU on the GPU until gpu-uncordon, even after a reboot. "
                     "The vGPUs on it stay; a domain that is started again gets its vGPU from "
                     "another GPU. explain, gpu-info and refused starts show the reason.",
      .example = "virt-vgpu gpu-cordon 41:00.0 --reason 'fan needs replacing'",
      .min_args = 1,
      .max_args = 1,
      .options = cordon_options,
      .run = run_gpu_cordon },
    { .name = "gpu-uncordon",
      .synopsis = "GPU",
      .summary = "allow new vGPUs on it again",
      .description = "Allows new vGPUs on a GPU that gpu-cordon, or an error that its driver "
                     "reported, has cordoned. The GPU need not be present.",
      .example = "virt-vgpu gpu-uncordon 41:00.0",
      .min_args = 1,
      .max_args = 1,
      .run = run_gpu_uncordon },
    { 0 },
};
