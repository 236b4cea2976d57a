/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of one document or several. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/xml-limits.h"
#include "base/xml-stream.h"
#include "base/xml.h"

#define DECLARATION "<?xml version='1.0' encoding='UTF-8'?>"

static void
test_split(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        const char *documents[4];
    } cases[] = {
        { "one", "<a>\n<b/></a>\n", { "<a>\n<b/></a>\n" } },
        { "none", "", { "" } },
        { "blanks", "\n \n", { "\n \n" } },
        { "two", "<a>\n<b/>\n</a>\n<a/>\n", { "<a>\n<b/>\n</a>\n", "\n\n\n<a/>\n" } },
        { "on one line", "<a/><b></b>", { "<a/>", "<b></b>" } },
        { "three", "<a/>\n<a/>\n<a/>", { "<a/>\n", "\n<a/>\n", "\n\n<a/>" } },
        { "with declarations",
          DECLARATION "\n<a/>\n" DECLARATION "\n<b/>\n",
          { DECLARATION "\n<a/>\n", DECLARATION "\n\n\n<b/>\n" } },
        { "a comment goes with what is before it",
          "<!--x-->\n<a/><!--y-->\n<b/><!--z-->",
          { "<!--x-->\n<a/><!--y-->\n", "\n\n<b/><!--z-->" } },
        { "tags in comments and sections are none",
          "<a><!--</a><b>--><![CDATA[</a>]]></a>",
          { "<a><!--</a><b>--><![CDATA[</a>]]></a>" } },
        { "text behind it is for the parser", "<a/>\nx\n", { "<a/>\nx\n" } },
        { "no XML", "x < y", { "x < y" } },
        { "broken in the second", "<a/>\n<b", { "<a/>\n<b" } },
        { "not closed", "<a><b></b>\n<a/>", { "<a><b></b>\n<a/>" } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) documents =
            vgpu_xml_stream_split(cases[i].text, strlen(cases[i].text));

        for (guint d = 0; d < documents->len || cases[i].documents[d]; d++) {
            const char *text = d < documents->len ? documents->pdata[d] : NULL;

            if (g_strcmp0(text, cases[i].documents[d]) != 0)
                fail_msg("%s: document %u: %s", cases[i].what, d, text);
        }
    }
}

/* An error in any of them has the line of the whole text. */
static void
test_lines(void **state)
{
    static const char *const texts[] = {
        "<a>\n</a>\n<b>\n</c>\n",
        "<a>\n</a>\n" DECLARATION "<b>\n</c>\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) documents = vgpu_xml_stream_split(texts[i], strlen(texts[i]));
        const char *second;
        g_autoptr(GError) error = NULL;

        assert_int_equal(documents->len, 2);
        second = documents->pdata[1];
        assert_null(vgpu_xml_parse(second, strlen(second), "x.xml", &error));
        assert_int_equal(vgpu_error_line(error), 4);
    }
}

/* The number of documents is limited. */
static void
test_limits(void **state)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GString) large = g_string_new("<a/><b/>");
    g_autoptr(GPtrArray) documents = NULL;
    g_autoptr(GPtrArray) whole = NULL;

    for (guint i = 0; i < 1000; i++)
        g_string_append(many, "<a/>");
    documents = vgpu_xml_stream_split(many->str, many->len);
    assert_int_equal(documents->len, 16);
    assert_int_equal(strlen(documents->pdata[15]), 985 * strlen("<a/>"));

    while (large->len <= VGPU_XML_MAX)
        g_string_append(large, "<a/>\n<b/>\n<c/>\n<d/>\n");
    whole = vgpu_xml_stream_split(large->str, large->len);
    assert_int_equal(whole->len, 1);
    assert_string_equal(whole->pdata[0], large->str);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
