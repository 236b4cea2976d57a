/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and JSON of rows with any names that users may choose: no terminal escapes, one line per row, and no wider
 * than the given width where possible. */
#include "fuzz.h"

#include <string.h>

#include "cli/gpu-rows.h"
#include "cli/rows.h"
#include "rows.h"

static const char *const keys[] = {
    "domain",      "domain_uuid", "uuid",      "gpu",    "parent",    "profile",  "profile_id",
    "state",       "interface",   "pool",      "tenant", "name",      "profiles", "tenants",
    "capacity",    "available",   "allocated", "active", "autostart", "address",  "vendor",
    "vfs_enabled", "vfs_total",   "driver",    "reason", "index",     "max",      "used",
    "gpus",        "fb_mib",      "gpu_util",  NULL,
};

static void
check(const VgpuColumn *columns, GVariant *rows, const VgpuTableStyle *style)
{
    g_autofree char *text = vgpu_table_text(columns, rows, style);
    g_autofree char *json = vgpu_table_json(columns, rows);

    FUZZ_CHECK(fuzz_is_printable(text), "%s", text);
    FUZZ_CHECK(g_str_has_suffix(text, "\n") || (style->bare && !*text), "%s", text);
    FUZZ_CHECK(g_utf8_validate(json, -1, NULL), "%s", json);
    if (g_variant_n_children(rows)) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, 0);
        g_autofree char *fields = vgpu_table_fields(columns, row);
        g_autofree char *object = vgpu_table_json_object(columns, row, true);

        FUZZ_CHECK(fuzz_is_printable(fields), "%s", fields);
        FUZZ_CHECK(g_utf8_validate(object, -1, NULL), "%s", object);
    }
}

FUZZ_TARGET(table)
{
    static const VgpuTableStyle styles[] = {
        { .width = 80 },
        { .width = 20 },
        { .wide = true, .bare = true },
    };
    const VgpuTableStyle *style = &styles[fuzz_pick(data, size, G_N_ELEMENTS(styles))];
    g_autoptr(GVariant) rows = fuzz_rows(&data, &size, keys);
    g_autoptr(GVariant) gpus = NULL, some = NULL;

    check(vgpu_rows_vgpu, rows, style);
    check(vgpu_rows_pool, rows, style);
    gpus = vgpu_gpu_rows(rows);
    some = vgpu_gpu_rows_without_consoles(gpus);
    FUZZ_CHECK(g_variant_n_children(some) <= g_variant_n_children(rows), "more GPUs");
}
