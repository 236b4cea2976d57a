/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>

#include "base/pciaddr.h"
#include "cli/inventory-private.h"

static guint
number(GVariant *row, const char *key)
{
    double value;

    return vgpu_gauges_number(row, key, &value) && value > 0 ? (guint) value : 0;
}

/* A custom name: letters, digits and underscores after @prefix (os_resource_classes and os_traits make
 * such names alike). */
static char *
custom_name(const char *prefix, const char *what)
{
    g_autofree char *upper = g_ascii_strup(what, -1);

    for (char *c = upper; *c; c++) {
        if (!g_ascii_isalnum(*c))
            *c = '_';
    }
    return g_strconcat(prefix, upper, NULL);
}

static guint
count_vgpus(GVariant *vgpus, const char *gpu, const char *profile_id)
{
    guint count = 0;

    for (gsize i = 0; vgpus && i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        count += g_str_equal(vgpu_inventory_text(vgpu, "gpu"), gpu) &&
                 g_str_equal(vgpu_inventory_text(vgpu, "profile_id"), profile_id) &&
                 !g_str_equal(vgpu_inventory_text(vgpu, "state"), "planned");
    }
    return count;
}

static void
put_number(JsonBuilder *out, const char *key, guint value)
{
    json_builder_set_member_name(out, key);
    json_builder_add_int_value(out, value);
}

static void
put_inventory(JsonBuilder *out, const char *resource_class, guint total, guint reserved,
              guint max_unit)
{
    json_builder_set_member_name(out, resource_class);
    json_builder_begin_object(out);
    put_number(out, "total", total);
    put_number(out, "reserved", reserved);
    put_number(out, "min_unit", 1);
    put_number(out, "max_unit", max_unit);
    put_number(out, "step_size", 1);
    json_builder_set_member_name(out, "allocation_ratio");
    json_builder_add_double_value(out, 1.0);
    json_builder_end_object(out);
}

/* vGPUs that are not available because others are on the GPU count as reserved. */
static void
put_profile(JsonBuilder *out, GVariant *profile, guint allocated)
{
    guint available = vgpu_inventory_available(profile);
    guint total = MAX(number(profile, "capacity"), allocated + available);
    guint limit = number(profile, "max_per_domain");
    g_autofree char *name = custom_name("CUSTOM_VGPU_", vgpu_inventory_text(profile, "name"));

    if (total) /* Placement knows no empty inventory */
        put_inventory(out, name, total, total - allocated - available,
                      limit ? MIN(limit, total) : total);
}

static void
put_inventories(JsonBuilder *out, GVariant *gpu, GVariant *profiles, GVariant *vgpus)
{
    guint best = 0;
    guint total;

    json_builder_set_member_name(out, "inventories");
    json_builder_begin_object(out);
    for (gsize i = 0; profiles && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);

        best = MAX(best, vgpu_inventory_available(profile));
    }
    total = number(gpu, "vgpus") + best;
    if (total)
        put_inventory(out, "VGPU", total, 0, total);
    for (gsize i = 0; profiles && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);

        put_profile(out, profile,
                    count_vgpus(vgpus, vgpu_inventory_text(gpu, "address"),
                                vgpu_inventory_text(profile, "id")));
    }
    json_builder_end_object(out);
}

/* The types that it has or would take now. */
static void
put_traits(JsonBuilder *out, GVariant *gpu, GVariant *profiles, GVariant *vgpus)
{
    json_builder_set_member_name(out, "traits");
    json_builder_begin_array(out);
    for (gsize i = 0; profiles && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);
        g_autofree char *trait = custom_name("CUSTOM_", vgpu_inventory_text(profile, "id"));

        if (vgpu_inventory_available(profile) ||
            count_vgpus(vgpus, vgpu_inventory_text(gpu, "address"),
                        vgpu_inventory_text(profile, "id")))
            json_builder_add_string_value(out, trait);
    }
    json_builder_end_array(out);
}

static void
put_provider(JsonBuilder *out, const char *host, GVariant *gpu, GVariant *vgpus)
{
    g_autoptr(GVariant) profiles =
        g_variant_lookup_value(gpu, "profiles", G_VARIANT_TYPE("aa{sv}"));
    g_autofree char *nodedev = vgpu_pciaddr_nodedev(vgpu_inventory_text(gpu, "address"));
    g_autofree char *name = g_strjoin("_", host, nodedev, NULL);

    json_builder_begin_object(out);
    json_builder_set_member_name(out, "name");
    json_builder_add_string_value(out, name);
    json_builder_set_member_name(out, "parent_provider");
    json_builder_add_string_value(out, host);
    put_inventories(out, gpu, profiles, vgpus);
    put_traits(out, gpu, profiles, vgpus);
    json_builder_end_object(out);
}

char *
vgpu_inventory_placement(const char *host, const VgpuHostRows *rows)
{
    g_autoptr(JsonBuilder) out = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *json = NULL;

    json_builder_begin_object(out);
    json_builder_set_member_name(out, "resource_providers");
    json_builder_begin_array(out);
    for (gsize i = 0; rows->gpus && i < g_variant_n_children(rows->gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(rows->gpus, i);

        if (!g_str_equal(vgpu_inventory_text(gpu, "interface"), "none"))
            put_provider(out, host, gpu, rows->vgpus);
    }
    json_builder_end_array(out);
    json_builder_end_object(out);
    root = json_builder_get_root(out);
    json = json_to_string(root, TRUE);
    return g_strconcat(json, "\n", NULL);
}
