#include "test.h"

#include <json-glib/json-glib.h>
#include <string.h>

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

/* Numbers and addresses are kept even if the table becomes too wide for them. */
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

    if (!strstr(text, " " LONG_NAME LONG_NAME "  abcdefg…\n"))
        fail_msg("a kept column was shortened, or the other one not to its least:\n%s", text);
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

/* Colours take no room, and only those cells have one that are a state. */
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
        cmocka_unit_test(test_json_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
