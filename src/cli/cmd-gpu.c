/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that show the GPUs of the host: gpu-list, gpu-info, profile-list. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/bus.h"
#include "cli/command.h"
#include "cli/cordon-row.h"
#include "cli/gpu-columns.h"
#include "cli/gpu-rows.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "gpu/stats.h"

static struct {
    gboolean all;
    gboolean stats;
} option;

#define STATS_OPTION                                                                             \
    {                                                                                            \
        "stats", 0, 0, G_OPTION_ARG_NONE, &option.stats,                                         \
            "with temperature, power, utilisation, memory errors and health, where they are "    \
            "reported",                                                                          \
            NULL                                                                                 \
    }

static const GOptionEntry list_options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &option.all,
      "also the graphics of management controllers (BMC)", NULL },
    STATS_OPTION,
    { 0 },
};

static const GOptionEntry info_options[] = {
    STATS_OPTION,
    { 0 },
};

/* NULL when there are none, which is no error: hosts need not have the vendor's library. */
static GVariant *
get_stats(VgpuBusManager1 *manager)
{
    g_autoptr(GError) error = NULL;
    GVariant *stats = vgpu_bus_call(manager, "GetGpuStats", g_variant_new("()"),
                                    "Waiting for the driver", &error);

    if (!stats)
        fprintf(stderr, "virt-vgpu: cannot get statistics: %s\n", error->message);
    return stats;
}

static const VgpuColumn *
gpu_list_columns(void)
{
    return option.stats ? vgpu_gpu_columns_stats : vgpu_gpu_columns_list;
}

static const VgpuColumn *
profile_list_columns(void)
{
    return vgpu_gpu_columns_profile;
}

static int
run_gpu_list(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) gpus =
        manager ? vgpu_bus_query(manager, "ListGpus", g_variant_new("()"), error) : NULL;
    g_autoptr(GVariant) stats = NULL, listed = NULL, joined = NULL, shown = NULL;

    if (!gpus)
        return EXIT_FAILURE;
    listed = option.all ? g_variant_ref(gpus) : vgpu_gpu_rows_without_consoles(gpus);
    stats = option.stats ? get_stats(manager) : NULL;
    joined = vgpu_stats_join_gpus(listed, stats);
    shown = vgpu_gpu_rows(joined);
    if (!cli->json && g_variant_n_children(shown) == 0)
        fprintf(stderr, "virt-vgpu: no display controller was found%s\n",
                g_variant_n_children(gpus) ? " but the server's console (see --all)" : "");
    else
        vgpu_table_print(gpu_list_columns(), shown, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

static int
run_gpu_info(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    const VgpuColumn *columns =
        option.stats ? vgpu_gpu_columns_info_stats : vgpu_gpu_columns_info;
    g_autoptr(GVariant) bare = NULL, stats = NULL, gpu = NULL;
    g_autofree char *text = NULL;
    const char *obstacle;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    bare = vgpu_bus_query(manager, "GetGpu", g_variant_new("(s)", address), error);
    if (!bare) {
        vgpu_suggest_gpu(manager, address, error);
        return EXIT_FAILURE;
    }
    stats = option.stats ? get_stats(manager) : NULL;
    gpu = vgpu_stats_join_gpu(bare, stats);
    if (cli->json) {
        vgpu_table_print_object(columns, gpu);
        return EXIT_SUCCESS;
    }
    text = vgpu_table_fields(columns, gpu);
    fputs(text, stdout);
    vgpu_cordon_row_print(gpu);
    if (g_variant_lookup(gpu, "obstacle", "&s", &obstacle))
        printf("\nNo vGPU can be made on it now: %s\n", obstacle);
    vgpu_table_print_list(vgpu_gpu_columns_vf, gpu, "vfs", cli->wide);
    vgpu_table_print_list(vgpu_gpu_columns_instance, gpu, "gpu_instances", cli->wide);
    vgpu_table_print_list(vgpu_gpu_columns_short_profile, gpu, "profiles", cli->wide);
    return EXIT_SUCCESS;
}

/* Print why GPUs with room cannot be used; rows of one GPU follow each other. */
static void
print_obstacles(GVariant *profiles)
{
    g_autofree char *last = NULL;

    for (gsize i = 0; i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(profiles, i);
        const char *gpu = "-", *obstacle;

        (void) !g_variant_lookup(row, "gpu", "&s", &gpu);
        if (!g_variant_lookup(row, "obstacle", "&s", &obstacle) || g_strcmp0(gpu, last) == 0)
            continue;
        printf("%s%s: %s\n", last ? "" : "\n", gpu, obstacle);
        g_free(last);
        last = g_strdup(gpu);
    }
}

static int
run_profile_list(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = args[0] ? vgpu_command_address(args[0], error) : g_strdup("");
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) profiles = NULL;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    profiles = vgpu_bus_query(manager, "ListProfiles", g_variant_new("(s)", address), error);
    if (!profiles) {
        vgpu_suggest_gpu(manager, address, error);
        return EXIT_FAILURE;
    }
    vgpu_table_print(vgpu_gpu_columns_profile, profiles, cli->json, cli->wide);
    if (!cli->json && !vgpu_table_is_alone())
        print_obstacles(profiles);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_gpu[] = {
    { .name = "gpu-list",
      .synopsis = "[--all] [--stats]",
      .summary = "the GPUs of this host",
      .description =
          "Lists the GPUs with their drivers, how vGPUs are made on them (mdev, vendor-vfio, vf "
          "or none), their virtual functions (12/16: 12 of 16 are enabled), the vGPUs that exist "
          "now, and why a GPU makes none. The graphics of management controllers (ASPEED, Matrox "
          "and others) are left out without --all. With --stats their temperature, power, "
          "utilisation, memory errors (ECC) and health, where the vendor's library reports them.",
      .example = "virt-vgpu gpu-list\nvirt-vgpu gpu-list --json | jq '.[].address'",
      .options = list_options,
      .columns = gpu_list_columns,
      .run = run_gpu_list },
    { .name = "gpu-info",
      .synopsis = "GPU [--stats]",
      .summary = "one GPU, its virtual functions and profiles",
      .description =
          "Shows one GPU, what each of its virtual functions is used for, its MIG GPU instances "
          "and its profiles with the licence that they need. GPU is a PCI address "
          "(0000:41:00.0, 41:00.0) or libvirt's node device name. With --wide also the profiles "
          "that can be created on each virtual function, with --stats also what gpu-list shows "
          "with it.",
      .example = "virt-vgpu gpu-info 41:00.0",
      .min_args = 1,
      .max_args = 1,
      .options = info_options,
      .run = run_gpu_info },
    { .name = "profile-list",
      .synopsis = "[GPU]",
      .summary = "the vGPU profiles, and how many more fit",
      .description =
          "Lists the vGPU profiles of all GPUs, or of one. \"Max\" is what fits on the empty "
          "GPU, \"Free\" how many more can be made on it now. With --wide also how many one "
          "domain may have, what the series is for and which licence the guest needs.",
      .example = "virt-vgpu profile-list\nvirt-vgpu profile-list 0000:41:00.0 --wide",
      .max_args = 1,
      .columns = profile_list_columns,
      .run = run_profile_list },
    { 0 },
};
