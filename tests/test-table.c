/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/printable.h"
#include "cli/cells.h"
#include "cli/gpu-rows.h"
#include "cli/rows.h"
#include "cli/table.h"

static const VgpuColumn inner[] = {
    { .key = "address", .header = "VF" },
    { .key = "state", .header = "State" },
    { 0 },
};

static const VgpuColumn columns[] = {
    { .key = "name", .header = "Name", .fit = VGPU_FIT_CUT },
    { .key = "n", .header = "Number" },
    { .key = "ok", .header = "OK" },
    { .key = "list", .header = "List", .wide = true },
    { .key = "why", .header = "Why", .fit = VGPU_FIT_WRAP },
    { .key = "vfs", .nested = inner },
    { 0 },
};

#define LONG_NAME "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
#define LONG_WHY "one two three four five six seven eight nine ten eleven twelve"

static GVariant *
parse(const char *type, const char *text)
{
    GVariant *value = g_variant_parse(G_VARIANT_TYPE(type), text, NULL, NULL, NULL);

    if (!value)
        fail_msg("the test's own data is wrong: %s", text);
    return value;
}

static void
assert_text(const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s:\n%s\nexpected:\n%s", what, got, want);
}

static void
test_text(void **state)
{
    static const struct {
        const char *what;
        const char *rows;
        bool wide;
        const char *want;
    } cases[] = {
        { "an empty list is its header", "[]", false,
          " Name  Number  OK  Why\n"
          "----------------------\n" },
        { "--wide shows all columns", "[]", true,
          " Name  Number  OK  List  Why\n"
          "----------------------------\n" },
        { "every integer type is a number", "[{'name': <'a'>, 'n': <uint64 7>}, {'n': <-1>}]",
          false,
          " Name  Number  OK  Why\n"
          "----------------------\n"
          " a     7       -   -\n"
          " -     -1      -   -\n" },
        { "booleans, lists and the empty string",
          "[{'ok': <true>, 'list': <['a', 'b']>, 'why': <''>}, {'ok': <false>, 'list': <@as "
          "[]>}]",
          true,
          " Name  Number  OK   List  Why\n"
          "-----------------------------\n"
          " -     -       yes  a, b  -\n"
          " -     -       no   -     -\n" },
        { "control characters do not reach the terminal", "[{'name': <'a\\u001bb\\nc'>}]", false,
          " Name   Number  OK  Why\n"
          "-----------------------\n"
          " a?b c  -       -   -\n" },
        { "wide characters take two columns", "[{'name': <'日本'>, 'ok': <true>}]", false,
          " Name  Number  OK   Why\n"
          "-----------------------\n"
          " 日本  -       yes  -\n" },
        { "the widest gives way first, by its own means",
          "[{'name': <'" LONG_NAME "'>, 'why': <'" LONG_WHY "'>}]", false,
          " Name                              Number  OK  Why\n"
          "--------------------------------------------------------------------------------\n"
          " abcdefghijklmnopqrstuvwxyzabcde…  -       -   one two three four five six seven\n"
          "                                               eight nine ten eleven twelve\n" },
        { "a word that is too long is broken",
          "[{'name': <'x'>, 'why': <'" LONG_NAME LONG_NAME "'>}]", false,
          " Name  Number  OK  Why\n"
          "--------------------------------------------------------------------------------\n"
          " x     -       -   abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi\n"
          "                   jklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n" },
        { "--wide cuts nothing", "[{'name': <'" LONG_NAME LONG_NAME "'>}]", true,
          " Name                                                                               "
          "                       Number  OK  List  Why\n"
          "------------------------------------------------------------------------------------"
          "--------------------------------------------\n"
          " " LONG_NAME LONG_NAME "  -       -   -     -\n" },
    };

    VgpuTableStyle style = { .width = 80 };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) rows = parse("aa{sv}", cases[i].rows);
        g_autofree char *text = NULL;

        style.wide = cases[i].wide;
        text = vgpu_table_text(columns, rows, &style);

        assert_text(cases[i].what, text, cases[i].want);
    }
}

/* Numbers and addresses are wrapped only if no other column can shrink further. */
static void
test_kept_columns(void **state)
{
    static const VgpuColumn kept[] = {
        { .key = "a", .header = "A" },
        { .key = "b", .header = "B", .fit = VGPU_FIT_CUT },
        { 0 },
    };
    g_autofree char *source =
        g_strdup_printf("[{'a': <'%s%s'>, 'b': <'%s'>}]", LONG_NAME, LONG_NAME, LONG_NAME);
    g_autoptr(GVariant) rows = parse("aa{sv}", source);
    const VgpuTableStyle style = { .width = 80 };
    g_autofree char *text = vgpu_table_text(kept, rows, &style);

    if (!strstr(text, " " LONG_NAME "abcdefghijklmnopqrs  abcde…\n tuvwxyz"))
        fail_msg("a kept column was shortened, or the other one not to its least:\n%s", text);
}

#define A2 "0000:41:00.0"
#define L40S "0000:61:00.0"
#define ROW(gpu, name, heads) "{'gpu': <'" gpu "'>, 'name': <'" name "'>, 'heads': <" heads ">}"
#define PRO "NVIDIA RTX Pro 6000 Blackwell DC-"

static const VgpuColumn apart[] = {
    { .key = "gpu", .header = "GPU", .wide = true, .tells = true },
    { .key = "name", .header = "Name", .fit = VGPU_FIT_FRONT },
    { .key = "heads", .header = "Heads", .spare = true },
    { .key = "note", .header = "Note", .wide = true, .derived = true },
    { 0 },
};

/* Shortening keeps the parts that distinguish rows. */
static void
test_apart(void **state)
{
    static const struct {
        const char *what;
        const char *rows;
        guint width;
        const char *want;
    } cases[] = {
        { "there is room", ROW(A2, PRO "48Q", "4"), 80, PRO "48Q  4\n" },
        { "the vendor's name goes first", ROW(A2, PRO "48Q", "4"), 38,
          "RTX Pro 6000 Blackwell DC-48Q       4\n" },
        { "then the beginning", ROW(A2, PRO "48Q", "4"), 25, "…000 Blackwell DC-48Q  4\n" },
        { "optional words are dropped", ROW(A2, PRO "48Q", "4"), 11, "…ll DC-48Q\n" },
        { "but not where it distinguishes rows",
          ROW(A2, "NVIDIA A2-4Q", "4") ", " ROW(A2, "NVIDIA A2-4Q", "2"), 11,
          "A2-4Q    4\nA2-4Q    2\n" },
        { "a column that distinguishes rows is shown",
          ROW(A2, "NVIDIA A2-4Q", "4") ", " ROW(L40S, "NVIDIA A2-4Q", "4"), 80,
          A2 "  NVIDIA A2-4Q  4\n" L40S "  NVIDIA A2-4Q  4\n" },
        { "not for rows that are the same",
          ROW(A2, "NVIDIA A2-4Q", "4") ", " ROW(A2, "NVIDIA A2-4Q", "4"), 80,
          "NVIDIA A2-4Q  4\nNVIDIA A2-4Q  4\n" },
        { "names that would look alike are printed in full",
          ROW(A2, "one that ends alike", "4") ", " ROW(A2, "another that ends alike", "4"), 16,
          "one that      4\nends alike\nanother that  4\nends alike\n" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuTableStyle style = { .width = cases[i].width, .bare = true };
        g_autofree char *source = g_strdup_printf("[%s]", cases[i].rows);
        g_autoptr(GVariant) rows = parse("aa{sv}", source);
        g_autofree char *text = vgpu_table_text(apart, rows, &style);

        assert_text(cases[i].what, text, cases[i].want);
    }
}

/* The common name of a board, and why it has no vGPUs. */
static void
test_gpus(void **state)
{
    static const struct {
        const char *gpu;
        const char *board, *vfs, *status; /* NULL: none */
    } cases[] = {
        { "{'name': <'NVIDIA Corporation GA107GL [A2 / A16]'>, 'driver': <'nvidia'>, "
          "'interface': "
          "<'mdev'>, 'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 12>}",
          "A2 / A16", "12/16", "ok" },
        { "{'name': <'NVIDIA Corporation AD102GL [L40S]'>, 'driver': <'nvidia'>, 'interface': "
          "<'vendor-vfio'>, 'vfs_total': <uint32 32>, 'vfs_enabled': <uint32 0>}",
          "L40S", "0/32", "VFs are off" },
        { "{'name': <'Advanced Micro Devices, Inc. [AMD/ATI] Navi 31'>, 'driver': <'vfio-pci'>}",
          "Navi 31", NULL, "passed through" },
        { "{'name': <'Intel Corporation Data Center GPU Flex 170'>, 'interface': <'none'>}",
          "Data Center GPU Flex 170", NULL, "no driver" },
        { "{'driver': <'nouveau'>, 'interface': <'none'>, 'vfs_total': <uint32 0>}", NULL, NULL,
          "no vGPU driver" },
        { "{'vendor': <'0x10de'>, 'product': <'0x25b6'>, 'driver': <'nvidia'>, 'interface': "
          "<'mdev'>}",
          "10de:25b6", NULL, "ok" },
        { "{'name': <'odd []'>, 'driver': <'i915'>, 'interface': <'mdev'>}", "odd []", NULL,
          "ok" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *source = g_strdup_printf("[%s]", cases[i].gpu);
        g_autoptr(GVariant) rows = parse("aa{sv}", source);
        g_autoptr(GVariant) more = vgpu_gpu_rows(rows);
        g_autoptr(GVariant) row = g_variant_get_child_value(more, 0);
        const char *board = NULL, *vfs = NULL, *status = NULL;

        (void) !g_variant_lookup(row, "board", "&s", &board);
        (void) !g_variant_lookup(row, "vfs", "&s", &vfs);
        (void) !g_variant_lookup(row, "status", "&s", &status);
        if (g_strcmp0(board, cases[i].board) != 0 || g_strcmp0(vfs, cases[i].vfs) != 0 ||
            g_strcmp0(status, cases[i].status) != 0)
            fail_msg("%s: %s, %s, %s", cases[i].gpu, board, vfs, status);
    }
}

#define ROWS 9u

static GVariant *
random_row(GRand *rand)
{
    static const char *const domains[] = {
        "web1",
        "web2",
        "a-domain-with-a-long-name-that-ends-in-1",
        "a-domain-with-a-long-name-that-ends-in-2",
        "another-domain-whose-name-ends-in-1",
        "日本の計算機",
    };
    static const char *const profiles[] = {
        "NVIDIA A2-4Q",   "NVIDIA A2-8Q",           PRO "1-2Q",       PRO "4-96Q", PRO "48Q",
        "GRID A100-1-5C", "NVIDIA RTX6000-Ada-24Q", "i915-GVTg_V5_4",
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (g_rand_int_range(rand, 0, 4)) {
        g_variant_dict_insert(&dict, "domain", "s", domains[g_rand_int_range(rand, 0, 6)]);
        g_variant_dict_insert(&dict, "index", "u", g_rand_int_range(rand, 0, 2));
    }
    if (g_rand_int_range(rand, 0, 4)) {
        g_autofree char *uuid =
            g_strdup_printf("%08x-2222-5333-8444-555555555555", g_rand_int_range(rand, 0, 3));

        g_variant_dict_insert(&dict, "uuid", "s", uuid);
    }
    if (g_rand_int_range(rand, 0, 4)) {
        g_autofree char *parent = g_strdup_printf("0000:41:00.%d", g_rand_int_range(rand, 0, 8));

        g_variant_dict_insert(&dict, "gpu", "s", A2);
        g_variant_dict_insert(&dict, "parent", "s", parent);
    }
    g_variant_dict_insert(&dict, "profile", "s", profiles[g_rand_int_range(rand, 0, 8)]);
    g_variant_dict_insert(&dict, "state", "s", g_rand_boolean(rand) ? "attaching *" : "active");
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

/* The table of @rows, with those at @a and @b in each other's place. */
static char *
swapped(GVariant *const *rows, guint a, guint b, guint width)
{
    const VgpuTableStyle style = { .width = width };
    GVariant *order[ROWS];
    g_autoptr(GVariant) all = NULL;

    memcpy(order, rows, sizeof(order));
    order[a] = rows[b];
    order[b] = rows[a];
    all = g_variant_ref_sink(g_variant_new_array(NULL, order, ROWS));
    return vgpu_table_text(vgpu_rows_vgpu, all, &style);
}

/* In whatever table of vGPUs: no line is too long, and two rows that differ do not look the same. */
static void
test_any_rows(void **state)
{
    static const guint widths[] = { 60, 80, 120 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(4711);

    for (guint i = 0; i < 300; i++) {
        guint width = widths[i % G_N_ELEMENTS(widths)];
        guint a = (guint) g_rand_int_range(rand, 0, ROWS), b = (a + 1) % ROWS;
        GVariant *rows[ROWS];
        g_autofree char *before = NULL, *after = NULL;
        g_auto(GStrv) lines = NULL;

        for (guint r = 0; r < ROWS; r++)
            rows[r] = random_row(rand);
        if (i % 2) { /* the only difference between these two */
            for (guint r = 0; r < 2; r++) {
                GVariantDict dict;

                g_variant_dict_init(&dict, rows[a]);
                g_variant_dict_insert(&dict, "domain", "s",
                                      r ? "a-domain-with-a-long-name-that-ends-in-1"
                                        : "a-domain-with-a-long-name-that-ends-in-2");
                g_variant_unref(rows[r ? a : b]);
                rows[r ? a : b] = g_variant_ref_sink(g_variant_dict_end(&dict));
            }
        }
        before = swapped(rows, a, a, width);
        after = swapped(rows, a, b, width);
        if (!g_variant_equal(rows[a], rows[b]) && strcmp(before, after) == 0)
            fail_msg("%u: two rows look the same:\n%s", i, before);
        lines = g_strsplit(before, "\n", -1);
        for (char **line = lines; *line; line++)
            if (vgpu_cells_width(*line) > width)
                fail_msg("%u: wider than %u:\n%s", i, width, before);
        for (guint r = 0; r < ROWS; r++)
            g_variant_unref(rows[r]);
    }
}

/* Quoted text contains no terminal escapes. */
static void
test_lines(void **state)
{
    static const char *const texts[][2] = {
        { "two\n\tlines", "two\n\tlines" }, { "\033[31mred\r\a", "?[31mred??" },
        { "\302\2332J, é", "?2J, é" }, /* U+009B is ESC [ */
        { "a\342\200\256b", "a?b" },   /* from right to left */
        { "\377", "\357\277\275" },    /* no UTF-8 */
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *shown = vgpu_printable_lines(texts[i][0]);

        assert_string_equal(shown, texts[i][1]);
    }
}

static void
test_choose(void **state)
{
    static const struct {
        const char *names;
        const char *refused;
    } cases[] = {
        { "name", NULL },
        { "heads,GPU", NULL },
        { "GPU,gpu,Note", NULL },
        { "frob", "there is no column 'frob'; the columns are gpu, name, heads, note" },
        { "name,", "there is no column ''; the columns are gpu, name, heads, note" },
        { "", NULL },
    };

    assert_false(vgpu_table_is_chosen());
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_table_choose(apart, cases[i].names, &error) != !cases[i].refused)
            fail_msg("'%s': %s", cases[i].names, error ? error->message : "taken");
        if (error)
            assert_text(cases[i].names, error->message, cases[i].refused);
    }
    assert_true(vgpu_table_is_chosen());
}

static void
test_width(void **state)
{
    static const struct {
        const char *what;
        guint width;
        const char *want;
    } cases[] = {
        { "a narrow terminal", 40,
          " Name          Number  OK  Why\n"
          "----------------------------------------\n"
          " abcdefghijk…  -       -   one two three\n"
          "                           four five six\n"
          "                           seven eight\n"
          "                           nine ten\n"
          "                           eleven twelve\n" },
        { "a wide one is not filled", 200,
          " Name                                                  Number  OK  Why\n"
          "------------------------------------------------------------------------------------"
          "---------------------------------------------\n"
          " " LONG_NAME "  -       -   " LONG_WHY "\n" },
    };
    g_autoptr(GVariant) rows =
        parse("aa{sv}", "[{'name': <'" LONG_NAME "'>, 'why': <'" LONG_WHY "'>}]");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuTableStyle style = { .width = cases[i].width };
        g_autofree char *text = vgpu_table_text(columns, rows, &style);

        assert_text(cases[i].what, text, cases[i].want);
    }
}

/* Colours do not affect the width, and only states are coloured. */
static void
test_colour(void **state)
{
    static const VgpuColumn states[] = {
        { .key = "state", .header = "State", .state = true },
        { .key = "name", .header = "Name" },
        { 0 },
    };
    g_autoptr(GVariant) rows =
        parse("aa{sv}", "[{'state': <'active *'>, 'name': <'active'>}, {'state': <'foreign'>}]");
    const VgpuTableStyle style = { .width = 80, .colour = true };
    g_autofree char *text = vgpu_table_text(states, rows, &style);

    assert_text("a table with colours", text,
                " State     Name\n"
                "-----------------\n"
                " \033[32mactive *\033[0m  active\n"
                " foreign   -\n");
}

static void
test_fields(void **state)
{
    g_autoptr(GVariant) row = parse("a{sv}", "{'name': <'a'>, 'n': <4>, 'vfs': <@aa{sv} []>}");
    g_autofree char *text = vgpu_table_fields(columns, row);

    assert_text("one field a line, lists of rows left out", text,
                "Name:    a\n"
                "Number:  4\n"
                "OK:      -\n"
                "List:    -\n"
                "Why:     -\n");
}

static void
test_json(void **state)
{
    static const struct {
        const char *what;
        const char *row;
        const char *want;
    } cases[] = {
        { "every key is there", "@a{sv} {}",
          "{\"name\":null,\"n\":null,\"ok\":null,\"list\":null,\"why\":null,\"vfs\":null}" },
        { "values keep their type",
          "{'name': <'a \"b\"'>, 'n': <byte 0x05>, 'ok': <false>, "
          "'list': <['x', 'y']>, 'why': <''>}",
          "{\"name\":\"a \\\"b\\\"\",\"n\":5,\"ok\":false,\"list\":[\"x\",\"y\"],\"why\":\"\","
          "\"vfs\":null}" },
        { "keys that no column names stay out", "{'n': <uint32 1>, 'secret': <2>}",
          "{\"name\":null,\"n\":1,\"ok\":null,\"list\":null,\"why\":null,\"vfs\":null}" },
        { "so do nested rows' keys", "{'vfs': <[{'address': <'a'>, 'other': <1>}]>}",
          "{\"name\":null,\"n\":null,\"ok\":null,\"list\":null,\"why\":null,"
          "\"vfs\":[{\"address\":\"a\",\"state\":null}]}" },
        { "an empty list is one, not null", "{'list': <@as []>, 'vfs': <@aa{sv} []>}",
          "{\"name\":null,\"n\":null,\"ok\":null,\"list\":[],\"why\":null,\"vfs\":[]}" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) row = parse("a{sv}", cases[i].row);
        g_autofree char *text = vgpu_table_json_object(columns, row, false);

        assert_text(cases[i].what, text, cases[i].want);
    }
}

static void
test_json_rows(void **state)
{
    g_autoptr(GVariant) none = parse("aa{sv}", "[]");
    g_autoptr(GVariant) two = parse("aa{sv}", "[{'address': <'a'>}, {}]");
    g_autofree char *empty = vgpu_table_json(inner, none);
    g_autofree char *text = vgpu_table_json(inner, two);
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    assert_text("no rows", empty, "[]");
    assert_non_null(node);
    assert_int_equal(json_array_get_length(json_node_get_array(node)), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_kept_columns),
        cmocka_unit_test(test_width),     cmocka_unit_test(test_colour),
        cmocka_unit_test(test_fields),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_rows), cmocka_unit_test(test_apart),
        cmocka_unit_test(test_choose),    cmocka_unit_test(test_any_rows),
        cmocka_unit_test(test_gpus),      cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
