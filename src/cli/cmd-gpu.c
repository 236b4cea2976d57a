/* Verbs about what the host has: gpu-list, gpu-info, profile-list. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/bus.h"
#include "cli/command.h"
#include "cli/table.h"

static const VgpuColumn vf_columns[] = {
    { .key = "address", .header = "VF" },
    { .key = "state", .header = "State" },
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_CUT },
    { .key = "uuid", .header = "UUID" },
    { .key = "creatable", .header = "Creatable", .fit = VGPU_FIT_WRAP, .wide = true },
    { 0 },
};

#define GPU_COLUMNS                                                                              \
    { .key = "address", .header = "GPU" },                                                       \
        { .key = "nodedev", .header = "Node device", .wide = true },                             \
        { .key = "vendor", .header = "Vendor", .wide = true },                                   \
        { .key = "product", .header = "Product", .wide = true },                                 \
        { .key = "name", .header = "Name", .fit = VGPU_FIT_CUT },                                \
        { .key = "driver", .header = "Driver", .fit = VGPU_FIT_CUT },                            \
        { .key = "interface", .header = "Interface" }, { .key = "numa_node", .header = "NUMA" }, \
        { .key = "vfs_total", .header = "VFs possible", .wide = true },                          \
        { .key = "vfs_enabled", .header = "VFs" },                                               \
    {                                                                                            \
        .key = "vgpus", .header = "vGPUs"                                                        \
    }

static const VgpuColumn gpu_columns[] = { GPU_COLUMNS, { 0 } };

static const VgpuColumn profile_columns[] = {
    { .key = "gpu", .header = "GPU" },
    { .key = "id", .header = "ID" },
    { .key = "name", .header = "Name", .fit = VGPU_FIT_CUT },
    { .key = "framebuffer_mib", .header = "MiB" },
    { .key = "num_heads", .header = "Heads" },
    { .key = "frl", .header = "FRL", .wide = true },
    { .key = "max_resolution", .header = "Resolution", .wide = true },
    { .key = "max_instances", .header = "Max" },
    { .key = "available", .header = "Free" },
    { .key = "max_per_domain", .header = "Max/domain", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "series", .header = "Series" },
    { .key = "needs_license", .header = "License", .wide = true },
    { .key = "purpose", .header = "For", .wide = true },
    { 0 },
};

/* The same, of one GPU that has been named already. */
static const VgpuColumn short_profile_columns[] = {
    { .key = "id", .header = "ID" },
    { .key = "name", .header = "Profile", .fit = VGPU_FIT_CUT },
    { .key = "framebuffer_mib", .header = "MiB" },
    { .key = "available", .header = "Free" },
    { .key = "series", .header = "Series" },
    { .key = "needs_license", .header = "License", .fit = VGPU_FIT_CUT },
    { .key = "purpose", .header = "For", .wide = true },
    { 0 },
};

static const VgpuColumn gpu_instance_columns[] = {
    { .key = "gi", .header = "GI" },         { .key = "profile", .header = "MIG profile" },
    { .key = "profile_id", .header = "ID" }, { .key = "start", .header = "Start" },
    { .key = "size", .header = "Size" },     { 0 },
};

static const VgpuColumn gpu_info_columns[] = {
    GPU_COLUMNS,
    { .key = "mig", .header = "MIG mode" },
    { .key = "mixed", .header = "Mixed sizes" },
    { .key = "passed_through", .header = "Passed through" },
    { .key = "vfs", .nested = vf_columns },
    { .key = "gpu_instances", .nested = gpu_instance_columns },
    { .key = "profiles", .nested = profile_columns },
    { 0 },
};

static int
run_gpu_list(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) gpus =
        manager ? vgpu_bus_query(manager, "ListGpus", g_variant_new("()"), error) : NULL;

    if (!gpus)
        return EXIT_FAILURE;
    vgpu_table_print(gpu_columns, gpus, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

static void
print_list_of(GVariant *gpu, const char *key, const VgpuColumn *columns, bool wide)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(gpu, key, G_VARIANT_TYPE("aa{sv}"));

    if (!list || g_variant_n_children(list) == 0)
        return;
    printf("\n");
    vgpu_table_print(columns, list, false, wide);
}

static int
run_gpu_info(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) gpu = NULL;
    g_autofree char *text = NULL;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    gpu = vgpu_bus_query(manager, "GetGpu", g_variant_new("(s)", address), error);
    if (!gpu)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(gpu_info_columns, gpu);
        return EXIT_SUCCESS;
    }
    text = vgpu_table_fields(gpu_info_columns, gpu);
    fputs(text, stdout);
    print_list_of(gpu, "vfs", vf_columns, cli->wide);
    print_list_of(gpu, "gpu_instances", gpu_instance_columns, cli->wide);
    print_list_of(gpu, "profiles", short_profile_columns, cli->wide);
    return EXIT_SUCCESS;
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
    if (!profiles)
        return EXIT_FAILURE;
    vgpu_table_print(profile_columns, profiles, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_gpu[] = {
    { .name = "gpu-list",
      .synopsis = "",
      .summary = "the GPUs of this host",
      .description =
          "Lists the GPUs with their drivers, how vGPUs are made on them (mdev, vendor-vfio, vf "
          "or none), their enabled virtual functions and the vGPUs that exist now.",
      .example = "virt-vgpu gpu-list\nvirt-vgpu gpu-list --json | jq '.[].address'",
      .run = run_gpu_list },
    { .name = "gpu-info",
      .synopsis = "GPU",
      .summary = "one GPU, its virtual functions and profiles",
      .description =
          "Shows one GPU, what each of its virtual functions is used for, its MIG GPU instances "
          "and its profiles with the licence that they need. GPU is a PCI address "
          "(0000:41:00.0, 41:00.0) or libvirt's node device name. With --wide also the profiles "
          "that can be created on each virtual function.",
      .example = "virt-vgpu gpu-info 41:00.0",
      .min_args = 1,
      .max_args = 1,
      .run = run_gpu_info },
    { .name = "profile-list",
      .synopsis = "[GPU]",
      .summary = "the vGPU profiles, and how many more fit",
      .description =
          "Lists the vGPU profiles of all GPUs, or of one. \"Max\" is what fits on the empty "
          "GPU, \"Free\" how many more can be made on it now. With --wide also how many one "
          "domain "
          "may have, what the series is for and which licence the guest needs.",
      .example = "virt-vgpu profile-list\nvirt-vgpu profile-list 0000:41:00.0 --wide",
      .max_args = 1,
      .run = run_profile_list },
    { 0 },
};
