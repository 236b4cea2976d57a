/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables from captures of real cards: rows of different objects never look alike, at any width. */
#include "test.h"

#include <string.h>

#include "captures.h"
#include "cli/cells.h"
#include "cli/gpu-columns.h"
#include "cli/gpu-rows.h"
#include "cli/rows.h"

static const guint widths[] = { 60, 80, 120 };

/* As pci.ids has it. */
static const char *
name_of(const char *device)
{
    static const char *const names[][2] = {
        { "0x25b6", "GA107GL [A2 / A16]" },
        { "0x2236", "GA102GL [A10]" },
        { "0x2235", "GA102GL [A40]" },
        { "0x20f1", "GA100 [A100 PCIe 40GB]" },
        { "0x27b8", "AD104GL [L4]" },
        { "0x26b9", "AD102GL [L40S]" },
        { "0x2331", "GH100 [H100 PCIe]" },
        { "0x2335", "GH100 [H200 SXM 141GB]" },
        { "0x13bd", "GM107GL [Tesla M10]" },
        { "0x13f2", "GM204GL [Tesla M60]" },
        { "0x1b38", "GP102GL [Tesla P40]" },
        { "0x15f8", "GP100GL [Tesla P100 PCIe 16GB]" },
        { "0x1eb8", "TU104GL [Tesla T4]" },
        { "0x1db6", "GV100GL [Tesla V100 PCIe 32GB]" },
        { "0x2bb5", "GB202GL [RTX PRO 6000 Blackwell Server Edition]" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i][0], device) == 0)
            return names[i][1];
    fail_msg("%s has no name", device);
    return NULL;
}

/* The captures as one host: several were in the same slot, so each has a bus of its own. */
static char *
address_of(const Capture *capture, guint function)
{
    return g_strdup_printf("0000:%02x:00.%u", (guint) (capture - captures) + 1, function);
}

static GVariant *
gpu_row(const Capture *capture)
{
    g_autofree char *address = address_of(capture, 0);
    g_autofree char *name = g_strconcat("NVIDIA Corporation ", name_of(capture->pf.device), NULL);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "address", "s", address);
    g_variant_dict_insert(&dict, "vendor", "s", capture->pf.vendor);
    g_variant_dict_insert(&dict, "product", "s", capture->pf.device);
    g_variant_dict_insert(&dict, "name", "s", name);
    g_variant_dict_insert(&dict, "driver", "s", capture->pf.driver);
    g_variant_dict_insert(&dict, "interface", "s", vgpu_interface_to_string(capture->interface));
    g_variant_dict_insert(&dict, "numa_node", "i", 0);
    g_variant_dict_insert(&dict, "vfs_total", "u", capture->vfs_total);
    g_variant_dict_insert(&dict, "vfs_enabled", "u", capture->vfs_enabled);
    g_variant_dict_insert(&dict, "vgpus", "u", 0);
    return g_variant_dict_end(&dict);
}

static GVariant *
profile_row(const Capture *capture, const CaptureType *type)
{
    g_autofree char *gpu = address_of(capture, 0);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "gpu", "s", gpu);
    g_variant_dict_insert(&dict, "id", "s", type->id);
    g_variant_dict_insert(&dict, "name", "s", type->name ? type->name : type->id);
    if (type->num_heads) {
        g_variant_dict_insert(&dict, "framebuffer_mib", "u", type->fb_mib);
        g_variant_dict_insert(&dict, "num_heads", "u", type->num_heads);
        g_variant_dict_insert(&dict, "max_instances", "u", type->max_instances);
    }
    g_variant_dict_insert(&dict, "available", "u", type->available);
    return g_variant_dict_end(&dict);
}

/* A vGPU of that profile: of a running domain, planned, without a domain, or created without virt-vgpu on a VF. */
static GVariant *
vgpu_row(const Capture *capture, const CaptureType *type, guint n)
{
    static const char *const states[] = { "active", "planned", "active", "foreign" };
    g_autofree char *gpu = address_of(capture, 0);
    g_autofree char *parent = address_of(capture, n % 8);
    g_autofree char *uuid = g_strdup_printf("%08x-2222-5333-8444-555555555555", n);
    g_autofree char *domain = g_strdup_printf("render-farm-of-the-second-floor-%u", n / 3);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (n % 4 < 2) {
        g_variant_dict_insert(&dict, "domain", "s", domain);
        g_variant_dict_insert(&dict, "index", "u", n % 3);
    }
    if (n % 4 < 3)
        g_variant_dict_insert(&dict, "uuid", "s", uuid);
    if (n % 4 != 1) {
        g_variant_dict_insert(&dict, "gpu", "s", gpu);
        g_variant_dict_insert(&dict, "parent", "s", parent);
    }
    g_variant_dict_insert(&dict, "profile", "s", type->name ? type->name : type->id);
    g_variant_dict_insert(&dict, "state", "s", states[n % 4]);
    return g_variant_dict_end(&dict);
}

static GVariant *
pool_row(const Capture *capture)
{
    g_autofree char *address = address_of(capture, 0);
    g_autofree char *name = g_strconcat("pool for the cards of kind ", capture->what, NULL);
    g_autofree char *uuid =
        g_strdup_printf("%08x-0000-4000-8000-000000000001", (guint) (capture - captures));
    const char *gpus[] = { address, NULL };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "name", "s", name);
    g_variant_dict_insert(&dict, "uuid", "s", uuid);
    g_variant_dict_insert(&dict, "state", "s", "active");
    g_variant_dict_insert(&dict, "autostart", "b", TRUE);
    if ((capture - captures) % 2) /* the others have no GPU that is there */
        g_variant_dict_insert(&dict, "gpus", "^as", gpus);
    return g_variant_dict_end(&dict);
}

static GVariant *
pool_profile_row(const CaptureType *type)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "name", "s", type->name ? type->name : type->id);
    g_variant_dict_insert(&dict, "capacity", "u", 4);
    g_variant_dict_insert(&dict, "allocated", "u", 0);
    g_variant_dict_insert(&dict, "available", "u", 4);
    return g_variant_dict_end(&dict);
}

/* The table of @rows with those at @a and @b in each other's place. */
static char *
swapped(const VgpuColumn *columns, GVariant *rows, gsize a, gsize b, guint width)
{
    const VgpuTableStyle style = { .width = width };
    g_autoptr(GVariant) order = NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i == a ? b : (i == b ? a : i));

        g_variant_builder_add_value(&builder, row);
    }
    order = g_variant_ref_sink(g_variant_builder_end(&builder));
    return vgpu_table_text(columns, order, &style);
}

static void
check_width(const char *what, const char *text, guint width)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (vgpu_cells_width(*line) > width)
            fail_msg("%s: wider than %u:\n%s", what, width, text);
}

static guint
count_equal(GVariant *a, GVariant *b)
{
    GVariantIter iter;
    GVariant *value;
    const char *key;
    guint n = 0;

    g_variant_iter_init(&iter, a);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        g_autoptr(GVariant) other = g_variant_lookup_value(b, key, NULL);

        n += other && g_variant_equal(value, other);
    }
    return n;
}

/* The row that has most in common with the one at @at. */
static gsize
find_nearest(GVariant *rows, gsize at)
{
    g_autoptr(GVariant) row = g_variant_get_child_value(rows, at);
    gsize nearest = at;
    guint most = 0;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) other = g_variant_get_child_value(rows, i);
        guint n = i == at ? 0 : count_equal(row, other);

        if (n > most) {
            most = n;
            nearest = i;
        }
    }
    return nearest;
}

/* Compare each row with the most similar one. Takes @builder. */
static void
check_rows(const char *what, const VgpuColumn *columns, GVariantBuilder *builder)
{
    g_autoptr(GVariant) rows = g_variant_ref_sink(g_variant_builder_end(builder));

    for (gsize w = 0; w < G_N_ELEMENTS(widths); w++) {
        g_autofree char *before = swapped(columns, rows, 0, 0, widths[w]);

        check_width(what, before, widths[w]);
        for (gsize a = 0; a < g_variant_n_children(rows); a++) {
            gsize b = find_nearest(rows, a);
            g_autofree char *after = swapped(columns, rows, a, b, widths[w]);

            if (a != b && strcmp(before, after) == 0)
                fail_msg("%s: rows %zu and %zu look the same:\n%s", what, a, b, before);
        }
    }
}

static void
test_gpus(void **state)
{
    const VgpuColumn *const lists[] = { vgpu_gpu_columns_list, vgpu_gpu_columns_stats };

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GVariant) gpus = NULL, shown = NULL;
        GVariantBuilder builder, again;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (const Capture *capture = captures; capture->what; capture++)
            g_variant_builder_add_value(&builder, gpu_row(capture));
        gpus = g_variant_ref_sink(g_variant_builder_end(&builder));
        shown = vgpu_gpu_rows(gpus);
        g_variant_builder_init(&again, G_VARIANT_TYPE("aa{sv}"));
        for (gsize r = 0; r < g_variant_n_children(shown); r++) {
            g_autoptr(GVariant) row = g_variant_get_child_value(shown, r);

            g_variant_builder_add_value(&again, row);
        }
        check_rows("GPUs", lists[i], &again);
    }
}

/* Boards that differ do so by name, too. */
static void
test_boards(void **state)
{
    for (const Capture *a = captures; a->what; a++) {
        for (const Capture *b = a + 1; b->what; b++) {
            g_autofree char *one = vgpu_gpu_rows_board(name_of(a->pf.device));
            g_autofree char *other = vgpu_gpu_rows_board(name_of(b->pf.device));

            if (strcmp(a->pf.device, b->pf.device) != 0 && strcmp(one, other) == 0)
                fail_msg("%s and %s are both '%s'", a->what, b->what, one);
        }
    }
}

static void
test_profiles(void **state)
{
    const VgpuColumn *const lists[] = { vgpu_gpu_columns_profile,
                                        vgpu_gpu_columns_short_profile };

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (const Capture *capture = captures; capture->what; capture++) {
            GVariantBuilder builder;

            g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
            for (const CaptureType *type = capture->types; type->id; type++)
                g_variant_builder_add_value(&builder, profile_row(capture, type));
            check_rows(capture->what, lists[i], &builder);
        }
    }
}

/* The same profile on the GPUs of one board. */
static void
test_profiles_of_a_board(void **state)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (const Capture *capture = captures; capture->what; capture++)
        if (g_str_has_prefix(capture->what, "M10, GPU"))
            for (const CaptureType *type = capture->types; type->id; type++)
                g_variant_builder_add_value(&builder, profile_row(capture, type));
    check_rows("one board", vgpu_gpu_columns_profile, &builder);
}

static void
test_vgpus(void **state)
{
    for (const Capture *capture = captures; capture->what; capture++) {
        GVariantBuilder builder;
        guint n = 0;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (const CaptureType *type = capture->types; type->id; type++)
            g_variant_builder_add_value(&builder, vgpu_row(capture, type, n++));
        check_rows(capture->what, vgpu_rows_vgpu, &builder);
    }
}

static void
test_pools(void **state)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (const Capture *capture = captures; capture->what; capture++)
        g_variant_builder_add_value(&builder, pool_row(capture));
    check_rows("pools", vgpu_rows_pool, &builder);
    for (const Capture *capture = captures; capture->what; capture++) {
        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (const CaptureType *type = capture->types; type->id; type++)
            g_variant_builder_add_value(&builder, pool_profile_row(type));
        check_rows(capture->what, vgpu_rows_pool_profile, &builder);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gpus),     cmocka_unit_test(test_boards),
        cmocka_unit_test(test_profiles), cmocka_unit_test(test_profiles_of_a_board),
        cmocka_unit_test(test_vgpus),    cmocka_unit_test(test_pools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
