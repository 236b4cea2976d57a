/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser is hardened: untrusted input can neither open a file nor exhaust memory,
 * and libxml2 prints nothing. */
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/xml.h"

#define LOL(n, m)                                                                                \
    "<!ENTITY lol" n " \"&lol" m ";&lol" m ";&lol" m ";&lol" m ";&lol" m ";&lol" m ";&lol" m     \
    ";&lol" m ";&lol" m ";&lol" m ";\">\n"

/* While this is open, everything written to standard error goes to a file. */
typedef struct {
    int saved;
    int file;
} Silence;

static Silence
silence_begin(void)
{
    g_autofree char *path = NULL;
    Silence self = { .saved = dup(STDERR_FILENO) };

    self.file = g_file_open_tmp("test-xml-XXXXXX", &path, NULL);
    assert_true(self.file >= 0 && self.saved >= 0);
    unlink(path);
    dup2(self.file, STDERR_FILENO);
    return self;
}

/* The number of bytes written. */
static gint64
silence_end(Silence self)
{
    struct stat st;

    dup2(self.saved, STDERR_FILENO);
    assert_int_equal(fstat(self.file, &st), 0);
    close(self.saved);
    close(self.file);
    return st.st_size;
}

static void
test_refused(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *text;
    } cases[] = {
        { "nothing", "", "web1: line 1: " },
        { "blanks", "\n\n", "web1: line " },
        { "not XML", "hello", "web1: line 1: " },
        { "binary", "\x01\x02\xff", "web1: line 1: " },
        { "not UTF-8", "<a>\n\xff\xfe</a>", "web1: line 2: " },
        { "cut off", "<a>\n<b>", "web1: line 2: " },
        { "wrong nesting", "<a>\n\n<b></a></b>", "web1: line 3: " },
        { "two roots", "<a/>\n<b/>", "web1: line 2: " },
        { "attribute twice", "<a\nb='1' b='2'/>", "web1: line 2: " },
        { "unknown entity", "<a>&nosuch;</a>", "nosuch" },
        { "a namespace that cannot be written", "<a>\n<b xmlns='u&lt;v'/></a>",
          "web1: line 2: '<' in the name of a namespace" },
        { "one with a prefix, deeper", "<a>\n<b><c/>\n<c xmlns:x='u&#x3c;v'/></b></a>",
          "web1: line 3: '<' in the name of a namespace" },
        { "empty DTD", "<!DOCTYPE a><a/>",
          "web1: line 1: a document type declaration (DTD) is not allowed" },
        { "DTD from a file", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
          "(DTD) is not allowed" },
        { "DTD from the net", "<!DOCTYPE a PUBLIC '-//x//y' 'http://localhost:1/x.dtd'><a/>",
          "(DTD) is not allowed" },
        { "external entity", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
          "(DTD) is not allowed" },
        { "external parameter entity",
          "<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><a/>", "web1: line 1: " },
        { "a billion laughs",
          "<!DOCTYPE a [<!ENTITY lol0 \"lolololololololo\">\n" LOL("1", "0") LOL("2", "1")
              LOL("3", "2") LOL("4", "3") LOL("5", "4") LOL("6", "5") LOL("7", "6") LOL("8", "7")
                  LOL("9", "8") "]><a>&lol9;</a>",
          "web1: line 1" },
        { "a billion laughs in an attribute",
          "<!DOCTYPE a [<!ENTITY lol0 \"lolololololololo\">\n" LOL("1", "0") LOL("2", "1")
              LOL("3", "2") LOL("4", "3") LOL("5", "4") LOL("6", "5") LOL("7", "6") LOL("8", "7")
                  LOL("9", "8") "]><a b='&lol9;'/>",
          "web1: line 1" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Silence silence = silence_begin();
        g_autoptr(xmlDoc) doc =
            vgpu_xml_parse(cases[i].xml, strlen(cases[i].xml), "web1", &error);
        gint64 printed = silence_end(silence);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (doc)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
        if (strchr(text, '\n'))
            fail_msg("%s: more than one line: %s", cases[i].what, text);
        if (printed)
            fail_msg("%s: something was printed", cases[i].what);
    }
}

static void
test_size(void **state)
{
    static const struct {
        const char *what;
        gsize len;
        bool accepted;
    } cases[] = {
        { "as much as libvirt sends", VGPU_XML_MAX, true },
        { "a byte more", VGPU_XML_MAX + 1, false },
        { "5 MiB", 5u * 1024 * 1024, false },
        { "more than an int", (gsize) G_MAXINT + 2, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize len = MIN(cases[i].len, 6u * 1024 * 1024); /* the rest is not read */
        g_autofree char *xml = g_malloc(len);
        g_autoptr(GError) error = NULL;
        g_autoptr(xmlDoc) doc = NULL;

        memset(xml, '\n', len);
        memcpy(xml, "<a>", 3);
        memcpy(xml + len - 4, "</a>", 4);
        doc = vgpu_xml_parse(xml, cases[i].len, "web1", &error);
        if ((doc != NULL) != cases[i].accepted)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "accepted");
        if (error && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
                      !g_str_has_suffix(error->message, "longer than 4 MiB")))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
}

static char *
nested(guint depth)
{
    GString *xml = g_string_new(NULL);

    for (guint i = 0; i < depth; i++)
        g_string_append(xml, "<a>");
    for (guint i = 0; i < depth; i++)
        g_string_append(xml, "</a>");
    return g_string_free(xml, FALSE);
}

static void
test_nesting(void **state)
{
    g_autofree char *deep = nested(200);
    g_autofree char *too_deep = nested(100000);
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) good = vgpu_xml_parse(deep, strlen(deep), "web1", NULL);
    g_autoptr(xmlDoc) bad = vgpu_xml_parse(too_deep, strlen(too_deep), "web1", &error);

    assert_non_null(good);
    assert_null(bad);
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
}

/* External entities are not followed, and nothing is fetched. */
static void
test_xinclude(void **state)
{
    const char *xml = "<a xmlns:xi='http://www.w3.org/2001/XInclude'>"
                      "<xi:include href='/etc/passwd' parse='text'/></a>";
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "web1", NULL);
    g_autofree char *text = vgpu_xml_text(doc, NULL, "/a");

    assert_string_equal(text, "");
}

static void
test_search(void **state)
{
    const char *xml = "<a><b n='1'>one</b>\n<c/><b n='2'>t&lt;o</b>"
                      "<v:d xmlns:v='urn:virt-vgpu:domain:1' v:n='3'/></a>";
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "web1", NULL);
    g_autoptr(GPtrArray) all = vgpu_xml_nodes(doc, NULL, "//b | //c");
    g_autoptr(GPtrArray) none = vgpu_xml_nodes(doc, NULL, "//e");
    g_autoptr(GPtrArray) number = vgpu_xml_nodes(doc, NULL, "count(//b)");
    g_autofree char *text = vgpu_xml_text(doc, all->pdata[2], ".");
    g_autofree char *attribute = vgpu_xml_text(doc, NULL, "/a/b/@n");
    g_autofree char *missing = vgpu_xml_text(doc, NULL, "/a/e");
    g_autofree char *plain = vgpu_xml_attr(all->pdata[2], "n");
    g_autofree char *qualified = vgpu_xml_attr(vgpu_xml_node(doc, NULL, "//vgpu:d"), "n");

    assert_int_equal(all->len, 3);
    assert_string_equal((const char *) ((xmlNode *) all->pdata[1])->name, "c");
    assert_int_equal(xmlGetLineNo(all->pdata[1]), 2);
    assert_int_equal(none->len, 0);
    assert_int_equal(number->len, 0);
    assert_string_equal(text, "t<o");
    assert_string_equal(attribute, "1");
    assert_null(missing);
    assert_string_equal(plain, "2");
    assert_null(qualified);
}

static void
test_dump(void **state)
{
    const char *xml = "<?xml version='1.0' encoding='UTF-8'?>\n<!-- head -->\n"
                      "<a>\n  <b n='1'>B\u00fcro</b>\n</a>\n";
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "web1", NULL);
    g_autofree char *whole = vgpu_xml_dump_doc(doc);
    g_autofree char *part = vgpu_xml_dump(vgpu_xml_node(doc, NULL, "//b"));

    assert_string_equal(whole, "<!-- head -->\n<a>\n  <b n=\"1\">B\u00fcro</b>\n</a>\n");
    assert_string_equal(part, "<b n=\"1\">B\u00fcro</b>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_size),
        cmocka_unit_test(test_nesting), cmocka_unit_test(test_xinclude),
        cmocka_unit_test(test_search),  cmocka_unit_test(test_dump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
