/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-rows.h"

const VgpuColumn vgpu_fleet_rows_want[] = { { .key = "profile" }, { .key = "count" }, { 0 } };

GVariant *
vgpu_fleet_rows_wants(const VgpuHolding *holding)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < holding->wants->len; i++) {
        const VgpuWant *want = &g_array_index(holding->wants, VgpuWant, i);

        g_variant_builder_add_value(&rows,
                                    g_variant_new_parsed("{'profile': <%s>, 'count': <%u>}",
                                                         want->profile, want->count));
    }
    return g_variant_builder_end(&rows);
}

void
vgpu_fleet_rows_put(GVariantDict *dict, const char *key, const char *text)
{
    if (text)
        g_variant_dict_insert(dict, key, "s", text);
}
