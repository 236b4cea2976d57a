/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/mig-list.h"

#include <stdio.h>
#include <string.h>

#include "cli/bus.h"
#include "cli/table.h"

static const VgpuColumn compute_columns[] = {
    { .key = "ci" },
    { .key = "profile" },
    { .key = "uuid" },
    { 0 },
};

static const VgpuColumn instance_columns[] = {
    { .key = "mode" },
    { .key = "gi", .header = "GI" },
    { .key = "profile", .header = "Profile" },
    { .key = "profile_id", .header = "ID" },
    { .key = "start", .header = "Start" },
    { .key = "size", .header = "Size" },
    { .key = "uuid", .header = "UUID", .wide = true },
    { .key = "compute_instances", .nested = compute_columns },
    { .key = "in_use", .header = "In use" },
    { 0 },
};

static const VgpuColumn profile_columns[] = {
    { .key = "mode" },
    { .key = "profile", .header = "Profile" },
    { .key = "id", .header = "ID" },
    { .key = "free", .header = "Free" },
    { .key = "total", .header = "Total" },
    { .key = "memory_gib", .header = "GiB" },
    { .key = "sms", .header = "SMs" },
    { .key = "p2p", .header = "P2P" },
    { .key = "decoders", .header = "Dec" },
    { .key = "encoders", .header = "Enc" },
    { .key = "copy_engines", .header = "CE" },
    { 0 },
};

/* Print what the table does not show about the mode. */
static void
print_mode(VgpuBusManager1 *manager, const char *address, bool profiles, GVariant *rows)
{
    bool is_empty = g_variant_n_children(rows) == 0;
    g_autoptr(GVariant) first = is_empty ? NULL : g_variant_get_child_value(rows, 0);
    g_autoptr(GVariant) gpu =
        is_empty ? vgpu_bus_query(manager, "GetGpu", g_variant_new("(s)", address), NULL) : NULL;
    const char *mode = NULL;
    gboolean is_on = TRUE;

    if (first && g_variant_lookup(first, "mode", "&s", &mode))
        is_on = strcmp(mode, "off") != 0;
    else if (gpu)
        (void) !g_variant_lookup(gpu, "mig", "b", &is_on);
    if (!is_on)
        printf("%sGPU %s: MIG mode is off%s; 'virt-vgpu mig-apply' turns it on\n",
               is_empty ? "" : "\n", address,
               is_empty && profiles ? ", and its driver lists profiles only while it is on" : "");
    else if (is_empty)
        printf("GPU %s: %s\n", address,
               profiles ? "no MIG profiles" : "there are no GPU instances");
}

const VgpuColumn *
vgpu_mig_list_columns(bool profiles)
{
    return profiles ? profile_columns : instance_columns;
}

bool
vgpu_mig_list_print(const VgpuCli *cli, VgpuBusManager1 *manager, const char *address,
                    bool profiles, GError **error)
{
    g_autoptr(GVariant) rows =
        vgpu_bus_call(manager, profiles ? "ListMigProfiles" : "ListMig",
                      g_variant_new("(s)", address), "Waiting for the driver", error);

    if (!rows)
        return false;
    if (cli->json || vgpu_table_is_alone() || g_variant_n_children(rows) > 0)
        vgpu_table_print(vgpu_mig_list_columns(profiles), rows, cli->json, cli->wide);
    if (!cli->json && !vgpu_table_is_alone())
        print_mode(manager, address, profiles, rows);
    return true;
}
