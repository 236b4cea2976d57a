/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign text for terminals, logs and labels. */
#include "test.h"

#include <string.h>

#include "../hooks/printable.h"
#include "base/exposition.h"
#include "base/printable.h"

static const struct {
    const char *text;
    const char *line;
    const char *lines;
} texts[] = {
    { "a b", "a b", "a b" },
    { "", "", "" },
    { "two\n\tlines", "two  lines", "two\n\tlines" },
    { "\033[31mred\r\a", "?[31mred ?", "?[31mred??" },
    { "\302\2332J, \303\251", "?2J, \303\251", "?2J, \303\251" }, /* U+009B is ESC [ */
    { "a\342\200\256b", "a?b", "a?b" },                           /* U+202E */
    { "a\342\201\246b", "a?b", "a?b" },                           /* U+2066 */
    { "a\342\200\251b", "a b", "a?b" },                           /* U+2029 */
    { "a\315\270", "a\315\270", "a\315\270" },                    /* U+0378, not assigned */
    { "\377", "\357\277\275", "\357\277\275" },                   /* no UTF-8 */
    { "\346\227\245\346\234\254", "\346\227\245\346\234\254", "\346\227\245\346\234\254" },
};

static void
test_texts(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *line = vgpu_printable_line(texts[i].text);
        g_autofree char *lines = vgpu_printable_lines(texts[i].text);

        assert_string_equal(line, texts[i].line);
        assert_string_equal(lines, texts[i].lines);
    }
}

static void
test_json(void **state)
{
    g_autofree char *json =
        vgpu_printable_json("[\n \"a\302\233\342\200\256\303\251\177\363\240\200\201\"\n]");

    (void) state;
    assert_string_equal(json, "[\n \"a\\u009b\\u202e\303\251\\u007f\\udb40\\udc01\"\n]");
}

static void
test_cut(void **state)
{
    static const char *const cuts[][2] = {
        { "abcd", "abcd" },
        { "abcde", "abc\342\200\246" },
        { "\303\251\303\251\303\251\303\251", "\303\251\303\251\303\251\303\251" },
        { "\303\251\303\251\303\251\303\251\303\251", "\303\251\303\251\303\251\342\200\246" },
        { "a\377", "a\357\277\275" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_autofree char *cut = vgpu_printable_cut(cuts[i][0], 4);

        assert_string_equal(cut, cuts[i][1]);
    }
}

static void
test_label(void **state)
{
    g_autofree char *name = g_strnfill(1000000, 'p');
    VgpuExposition *exposition = vgpu_exposition_new();
    g_autofree char *text = NULL;

    (void) state;
    vgpu_exposition_family(exposition, "f", "gauge", "h");
    vgpu_exposition_add(exposition, 1, "tenant", name, NULL);
    text = vgpu_exposition_end(exposition);
    assert_int_equal(strspn(strstr(text, "=\"") + 2, "p"), 255);
    assert_true(g_str_has_prefix(strstr(text, "=\"") + 2 + 255, "\342\200\246\"}"));
    assert_true(g_utf8_validate(text, -1, NULL));
}

/* --- every character --------------------------------------------------------------------------- */

/* @text as the hook shows it. */
static char *
show_in_hook(const char *text)
{
    char *line = g_strdup(text);

    line[hook_make_printable(line, (int) strlen(line))] = '\0';
    return line;
}

/* The characters that affect terminals and lines, by this GLib's version of Unicode. */
static bool
is_known_to_be_bad(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_SURROGATE ||
           type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

static void
test_every_character(void **state)
{
    (void) state;
    for (gunichar c = 1; c <= 0x10ffff; c++) {
        char text[8] = "";
        g_autofree char *shown = NULL;
        bool good = vgpu_printable_char(c);

        g_unichar_to_utf8(c, text);
        shown = show_in_hook(text);
        if (!g_str_equal(shown, good ? text : c < ' ' || c == 0x7f ? " " : "?"))
            fail_msg("U+%04X: %s in base/printable.c, the hook shows '%s'", c,
                     good ? "printable" : "not printable", shown);
        if (vgpu_printable_is(text) != good)
            fail_msg("U+%04X: not as in a text", c);
        if (good && is_known_to_be_bad(c))
            fail_msg("U+%04X is new in GLib %u.%u: add it to the lists, see base/printable.h", c,
                     glib_major_version, glib_minor_version);
        if (!good && g_unichar_isprint(c) && !is_known_to_be_bad(c))
            fail_msg("U+%04X is printable", c);
    }
    assert_false(vgpu_printable_char(0));
    assert_false(vgpu_printable_char(0x110000));
}

/* The hook's input may be truncated, and need not be UTF-8. */
static void
test_hook_bytes(void **state)
{
    static const char *const bytes[][2] = {
        { "a\377b", "a?b" },
        { "\301\201", "??" },           /* "A" in two bytes, */
        { "\340\201\201", "???" },      /* three */
        { "\360\200\201\201", "????" }, /* and four */
        { "\340\202\233", "???" },      /* U+009B in three */
        { "\340\200\200", "???" },      /* U+0000 */
        { "\355\240\200", "?" },        /* half of a pair */
        { "\364\217\277\277", "\364\217\277\277" },
        { "\364\220\200\200", "????" }, /* beyond the last one */
        { "a\303", "a?" },
        { "a\342\200", "a??" },
        { "\303\303\251", "?\303\251" },
        { "\200", "?" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(bytes); i++) {
        g_autofree char *shown = show_in_hook(bytes[i][0]);

        assert_string_equal(shown, bytes[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_hook_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
