/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs for other programs: inventory, metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/device-users.h"
#include "cli/inventory.h"
#include "cli/samples.h"
#include "sysfs/sysfs.h"

#define FORMATS "json, opennebula, prometheus, placement, cloudstack, pacemaker or kubernetes"

static char *format;

/* --- the data -------------------------------------------------------------------- */

/* All of each GPU. A GPU that has disappeared since it was listed is left as it was. */
static GVariant *
get_gpus(VgpuBusManager1 *manager, GVariant *list, GError **error)
{
    g_autoptr(GVariantBuilder) gpus = g_variant_builder_new(G_VARIANT_TYPE("aa{sv}"));

    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);
        g_autoptr(GVariant) gpu = NULL;
        g_autoptr(GError) reason = NULL;
        const char *address = "";

        (void) !g_variant_lookup(row, "address", "&s", &address);
        gpu = vgpu_bus_query(manager, "GetGpu", g_variant_new("(s)", address), &reason);
        if (!gpu && !g_error_matches(reason, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
        g_variant_builder_add_value(gpus, gpu ? gpu : row);
    }
    return g_variant_ref_sink(g_variant_builder_end(gpus));
}

static bool
read_host(VgpuBusManager1 *manager, VgpuHostRows *rows, GError **error)
{
    g_autoptr(GVariant) list = vgpu_bus_query(manager, "ListGpus", NULL, error);

    if (!list || !(rows->gpus = get_gpus(manager, list, error)))
        return false;
    rows->profiles = vgpu_bus_query(manager, "ListProfiles", g_variant_new("(s)", ""), error);
    if (!rows->profiles)
        return false;
    rows->vgpus = vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", TRUE), error);
    rows->pools = vgpu_bus_query(manager, "ListPools", NULL, NULL); /* an old daemon has none */
    return rows->vgpus != NULL;
}

/* --- the formats ------------------------------------------------------------------------- */

/* The first four digits of a number as sysfs has it, "0x030200". */
static void
read_id(const VgpuSysfs *fs, const char *address, const char *attribute, char into[5])
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", address, attribute);
    g_autofree char *number = vgpu_sysfs_read(fs, path, NULL);

    if (number && g_str_has_prefix(number, "0x"))
        g_strlcpy(into, number + 2, 5);
}

static void
look_up(const char *address, VgpuPciIds *ids, gpointer fs)
{
    read_id(fs, address, "vendor", ids->vendor);
    read_id(fs, address, "device", ids->device);
    read_id(fs, address, "class", ids->class);
}

static char *
as_json(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    return vgpu_inventory_json(g_get_host_name(), rows);
}

static char *
as_opennebula(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(cli->root, error);

    return fs ? vgpu_inventory_opennebula(rows, look_up, fs) : NULL;
}

static char *
as_prometheus(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    return vgpu_inventory_prometheus(rows);
}

static char *
as_placement(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    return vgpu_inventory_placement(g_get_host_name(), rows);
}

typedef struct {
    VgpuSysfs *fs;
    GHashTable *users;
} Sources;

static void
look_up_of(const char *address, VgpuPciIds *ids, gpointer opaque)
{
    const Sources *from = opaque;

    look_up(address, ids, from->fs);
}

static char *
iommu_group_of(const char *address, gpointer opaque)
{
    const Sources *from = opaque;
    g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/iommu_group", address);

    return vgpu_sysfs_link_name(from->fs, path);
}

/* Up through bridges, as long as the device above is a PCI device itself. */
static char *
root_of(const char *address, gpointer opaque)
{
    const Sources *from = opaque;
    char *root = g_strdup(address);

    for (;;) {
        g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s", root);
        g_autofree char *parent = vgpu_sysfs_link_parent(from->fs, path);
        g_autofree char *above = parent ? vgpu_pciaddr_canonical(parent) : NULL;

        if (!above || g_str_equal(above, root))
            return root;
        g_free(root);
        root = g_steal_pointer(&above);
    }
}

static const char *
user_of(const char *device, gpointer opaque)
{
    const Sources *from = opaque;

    return g_hash_table_lookup(from->users, device);
}

static char *
as_cloudstack(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(cli->root, error);
    g_autoptr(GHashTable) users = fs ? vgpu_device_users_read(cli, error) : NULL;
    Sources from = { fs, users };

    return users ? vgpu_inventory_cloudstack(rows,
                                             &(VgpuInventoryLookup) { look_up_of, iommu_group_of,
                                                                      root_of, user_of, &from })
                 : NULL;
}

static char *
as_pacemaker(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    return vgpu_inventory_pacemaker(rows);
}

static char *
as_kubernetes(const VgpuCli *cli, const VgpuHostRows *rows, GError **error)
{
    return vgpu_inventory_kubernetes(rows);
}

static const struct {
    const char *name;
    char *(*print)(const VgpuCli *cli, const VgpuHostRows *rows, GError **error);
} formats[] = {
    { "json", as_json },
    { "opennebula", as_opennebula },
    { "prometheus", as_prometheus },
    { "placement", as_placement },
    { "cloudstack", as_cloudstack },
    { "pacemaker", as_pacemaker },
    { "kubernetes", as_kubernetes },
};

/* --- verbs -------------------------------------------------------------------------------- */

static int
run_inventory(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_auto(VgpuHostRows) rows = { 0 };
    g_autofree char *text = NULL;
    gsize i = 0;

    while (format && i < G_N_ELEMENTS(formats) && strcmp(format, formats[i].name) != 0)
        i++;
    if (i == G_N_ELEMENTS(formats))
        return vgpu_command_usage(error, "unknown format '%s': " FORMATS, format);
    if (cli->json && i > 0)
        return vgpu_command_usage(error, "--json cannot be combined with --format %s", format);
    if (!(manager = vgpu_bus_open(cli->bus, error)) || !read_host(manager, &rows, error) ||
        !(text = formats[i].print(cli, &rows, error)))
        return EXIT_FAILURE;
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

static void
print_metrics(const VgpuCli *cli, const char *text)
{
    g_autofree char *json = cli->json ? vgpu_samples_json(text) : NULL;

    printf("%s%s", json ? json : text, json ? "\n" : "");
}

/* Scrapers must be able to distinguish an empty host from a daemon that is down. */
static int
print_down(const VgpuCli *cli)
{
    VgpuExposition *out = vgpu_exposition_new();
    g_autofree char *text = NULL;

    vgpu_gauges_write_up(out, FALSE);
    text = vgpu_exposition_end(out);
    if (!cli->json) /* the JSON output has the error then */
        print_metrics(cli, text);
    return EXIT_FAILURE;
}

static int
run_metrics(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) text = NULL;

    if ((manager = vgpu_bus_open(cli->bus, error)))
        text = vgpu_bus_query(manager, "GetMetrics", NULL, error);
    if (!text)
        return print_down(cli);
    print_metrics(cli, g_variant_get_string(text, NULL));
    return EXIT_SUCCESS;
}

static const GOptionEntry inventory_options[] = {
    { "format", 0, 0, G_OPTION_ARG_STRING, &format, FORMATS " [json]", "FORMAT" },
    { 0 },
};

static const char *const inventory_values[] = {
    "format json opennebula prometheus placement cloudstack pacemaker kubernetes",
    NULL,
};

const VgpuCommand vgpu_commands_inventory[] = {
    { .name = "inventory",
      .synopsis = "[--format FORMAT]",
      .summary = "the whole host, for other programs",
      .description =
          "Prints all GPUs with their virtual functions and profiles, all vGPUs and pools: as "
          "one JSON object (json), as OpenNebula's PCI probe does (opennebula), as gauges for "
          "Prometheus (prometheus), as resource providers of OpenStack Placement (placement), as "
          "CloudStack's discovery of GPUs does (cloudstack), as "
          "utilization attributes of a Pacemaker node (pacemaker), or as a patch of a Kubernetes "
          "node (kubernetes).",
      .example = "virt-vgpu inventory --format opennebula\n"
                 "virt-vgpu inventory | jq '.gpus[].address'",
      .options = inventory_options,
      .values = inventory_values,
      .run = run_inventory },
    { .name = "metrics",
      .synopsis = "",
      .summary = "metrics for Prometheus",
      .description =
          "Prints what the host has and what the daemon has counted since it started, in "
          "Prometheus' text format. Without the daemon it prints virtvgpu_up 0 and exits 6. "
          "With --json an array of samples. virt-vgpu.conf(5) describes how the daemon writes "
          "the same to a file for node_exporter.",
      .example = "virt-vgpu metrics",
      .run = run_metrics },
    { 0 },
};
