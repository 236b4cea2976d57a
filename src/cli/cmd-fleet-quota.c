/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb fleet quota: what tenants have in the fleet, and may have. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/fleet-store.h"
#include "cli/table.h"
#include "fleet/holding.h"
#include "fleet/tenant.h"

static struct {
    char *max, *max_mib;
    gboolean remove;
} option;

static const GOptionEntry quota_options[] = {
    { "max", 0, 0, G_OPTION_ARG_STRING, &option.max, "vGPUs on all hosts; 0: no limit", "N" },
    { "max-mib", 0, 0, G_OPTION_ARG_STRING, &option.max_mib,
      "their frame buffer, in MiB; 0: no limit", "M" },
    { "remove", 0, 0, G_OPTION_ARG_NONE, &option.remove, "no limits any longer", NULL },
    { 0 },
};

static const VgpuColumn columns[] = {
    { .key = "tenant", .header = "Tenant", .fit = VGPU_FIT_CUT },
    { .key = "used", .header = "Used" },
    { .key = "max", .header = "Max" },
    { .key = "used_mib", .header = "Used MiB" },
    { .key = "max_mib", .header = "Max MiB" },
    { 0 },
};

static const VgpuColumn *
quota_table(void)
{
    return columns;
}

static GVariant *
row_of(const VgpuTenant *tenant)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "tenant", "s", tenant->name);
    g_variant_dict_insert(&dict, "used", "u", tenant->used.devices);
    g_variant_dict_insert(&dict, "used_mib", "t", tenant->used.mib);
    if (tenant->is_limited && tenant->max.devices)
        g_variant_dict_insert(&dict, "max", "u", tenant->max.devices);
    if (tenant->is_limited && tenant->max.mib)
        g_variant_dict_insert(&dict, "max_mib", "t", tenant->max.mib);
    return g_variant_dict_end(&dict);
}

/* @only: one tenant, NULL: all. One that has nothing and no limits is not listed. */
static int
show(const VgpuCli *cli, VgpuStore *store, const char *only, GError **error)
{
    g_autoptr(GPtrArray) tenants = vgpu_tenant_list(store, error);
    g_autoptr(GVariant) rows = NULL;
    GVariantBuilder builder;
    bool found = false;

    if (!tenants)
        return EXIT_FAILURE;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < tenants->len; i++) {
        const VgpuTenant *tenant = g_ptr_array_index(tenants, i);

        if (only && !g_str_equal(tenant->name, only))
            continue;
        found = true;
        g_variant_builder_add_value(&builder, row_of(tenant));
    }
    rows = g_variant_ref_sink(g_variant_builder_end(&builder));
    if (only && !found) {
        vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                       "tenant '%s' has nothing in the fleet, and no quota", only);
        return EXIT_FAILURE;
    }
    vgpu_table_print(columns, rows, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

static bool
number(const char *name, const char *text, guint64 max, guint64 *out, GError **error)
{
    if (!text || g_ascii_string_to_unsigned(text, 10, 0, max, out, NULL))
        return true;
    vgpu_command_usage(error, "%s %s: a number from 0 to %" G_GUINT64_FORMAT, name, text, max);
    return false;
}

static int
run_quota(const VgpuCli *cli, char **args, GError **error)
{
    const char *tenant = args[0];
    bool is_change = option.max || option.max_mib || option.remove;
    g_autoptr(VgpuStore) store = NULL;
    guint64 max = 0, mib = 0;
    guint devices;

    if (is_change && !tenant)
        return vgpu_command_usage(error, "--max, --max-mib and --remove need a TENANT");
    if (option.remove && (option.max || option.max_mib))
        return vgpu_command_usage(error, "either --remove, or --max and --max-mib");
    if (!number("--max", option.max, G_MAXINT32, &max, error) ||
        !number("--max-mib", option.max_mib, G_MAXINT32, &mib, error))
        return VGPU_EXIT_USAGE;
    if (tenant && (!*tenant || g_utf8_strlen(tenant, -1) > VGPU_HOLDING_NAME))
        return vgpu_command_usage(error, "a tenant's name has 1 to %d characters",
                                  VGPU_HOLDING_NAME);
    if (!(store = vgpu_fleet_store_open(cli, error)))
        return EXIT_FAILURE;
    if (!is_change)
        return show(cli, store, tenant, error);
    devices = (guint) max;
    if (option.remove ? !vgpu_tenant_unlimit(store, tenant, error)
                      : !vgpu_tenant_limit(store, tenant, option.max ? &devices : NULL,
                                           option.max_mib ? &mib : NULL, error))
        return EXIT_FAILURE;
    if (option.remove && !cli->json)
        printf("Tenant '%s' has no quota in the fleet\n", tenant);
    else if (option.remove)
        vgpu_table_print(columns, g_variant_new_parsed("@aa{sv} [{'tenant': <%s>}]", tenant),
                         true, false);
    return option.remove ? EXIT_SUCCESS : show(cli, store, tenant, error);
}

const VgpuCommand vgpu_commands_fleet_quota[] = {
    { .name = "fleet quota",
      .synopsis = "[TENANT] [--max N] [--max-mib M] [--remove]",
      .summary = "what tenants have in the fleet, and may have",
      .description =
          "Lists the tenants that have vGPUs in the fleet or a quota, or only TENANT. With --max "
          "or --max-mib sets how much TENANT may have on all hosts together; the other limit "
          "stays. What it has already stays as well. Limits of a host's pools apply beside it.",
      .example = "virt-vgpu fleet quota\nvirt-vgpu fleet quota acme --max 16 --max-mib 65536",
      .max_args = 1,
      .options = quota_options,
      .anywhere = true,
      .columns = quota_table,
      .run = run_quota },
    { 0 },
};
