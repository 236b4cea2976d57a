/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cordon-row.h"
#include "cli/inventory.h"

/* Keys only: nothing of it is shown in a table. They are those of gpu-info, profile-list, list and
 * pool-list. */
#define KEY(name)                                                                                \
    {                                                                                            \
        .key = name                                                                              \
    }

static const VgpuColumn vf_keys[] = {
    KEY("address"), KEY("state"),     KEY("driver"),          KEY("profile"),
    KEY("uuid"),    KEY("creatable"), KEY("framebuffer_mib"), { 0 },
};

static const VgpuColumn instance_keys[] = {
    KEY("gi"), KEY("profile"), KEY("profile_id"), KEY("start"), KEY("size"), { 0 },
};

static const VgpuColumn profile_keys[] = {
    KEY("gpu"),
    KEY("id"),
    KEY("name"),
    KEY("framebuffer_mib"),
    KEY("num_heads"),
    KEY("frl"),
    KEY("max_resolution"),
    KEY("max_instances"),
    KEY("capacity"),
    KEY("available"),
    KEY("max_per_domain"),
    KEY("interface"),
    KEY("series"),
    KEY("needs_license"),
    KEY("purpose"),
    { 0 },
};

static const VgpuColumn gpu_keys[] = {
    KEY("address"),
    KEY("nodedev"),
    KEY("vendor"),
    KEY("product"),
    KEY("name"),
    KEY("driver"),
    KEY("interface"),
    KEY("numa_node"),
    KEY("vfs_total"),
    KEY("vfs_enabled"),
    KEY("vgpus"),
    { .key = "cordoned", .nested = vgpu_cordon_row_columns },
    KEY("mig"),
    KEY("mixed"),
    KEY("passed_through"),
    { .key = "vfs", .nested = vf_keys },
    { .key = "gpu_instances", .nested = instance_keys },
    { .key = "profiles", .nested = profile_keys },
    { 0 },
};

static const VgpuColumn vgpu_keys[] = {
    KEY("domain"),    KEY("domain_uuid"),
    KEY("index"),     KEY("uuid"),
    KEY("gpu"),       KEY("parent"),
    KEY("profile"),   KEY("profile_id"),
    KEY("interface"), KEY("pool"),
    KEY("tenant"),    KEY("restart_needed"),
    KEY("state"),     { 0 },
};

static const VgpuColumn room_keys[] = {
    KEY("name"), KEY("capacity"), KEY("allocated"), KEY("available"), { 0 },
};

static const VgpuColumn tenant_keys[] = {
    KEY("name"), KEY("max"), KEY("used"), KEY("max_mib"), KEY("used_mib"), { 0 },
};

static const VgpuColumn pool_keys[] = {
    KEY("name"),
    KEY("uuid"),
    KEY("state"),
    KEY("autostart"),
    KEY("gpus"),
    { .key = "profiles", .nested = room_keys },
    { .key = "tenants", .nested = tenant_keys },
    KEY("description"),
    KEY("users"),
    KEY("driver_iso"),
    KEY("driver_version"),
    KEY("params_allow"),
    KEY("params_listed"),
    KEY("params_set"),
    KEY("passed_through"),
    { 0 },
};

static const VgpuColumn host_keys[] = {
    KEY("host"),
    { .key = "gpus", .nested = gpu_keys },
    { .key = "vgpus", .nested = vgpu_keys },
    { .key = "pools", .nested = pool_keys },
    { 0 },
};

static void
put(GVariantDict *dict, const char *key, GVariant *rows)
{
    if (rows)
        g_variant_dict_insert_value(dict, key, rows);
}

char *
vgpu_inventory_json(const char *host, const VgpuHostRows *rows)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) object = NULL;
    g_autofree char *text = NULL;

    g_variant_dict_insert(&dict, "host", "s", host);
    put(&dict, "gpus", rows->gpus);
    put(&dict, "vgpus", rows->vgpus);
    put(&dict, "pools", rows->pools);
    object = g_variant_ref_sink(g_variant_dict_end(&dict));
    text = vgpu_table_json_object(host_keys, object, true);
    return g_strconcat(text, "\n", NULL);
}
