/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents that are refused before libxml2 is called, and the tokens by which they are
 * judged. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/xml-token.h"
#include "base/xml.h"

static guint n_parsed;

xmlDoc *__real_xmlCtxtReadMemory(xmlParserCtxt *ctxt, const char *xml, int len, const char *url,
                                 const char *encoding, int options);
xmlDoc *__wrap_xmlCtxtReadMemory(xmlParserCtxt *ctxt, const char *xml, int len, const char *url,
                                 const char *encoding, int options);

xmlDoc *
__wrap_xmlCtxtReadMemory(xmlParserCtxt *ctxt, const char *xml, int len, const char *url,
                         const char *encoding, int options)
{
    n_parsed++;
    return __real_xmlCtxtReadMemory(ctxt, xml, len, url, encoding, options);
}

/* @before, then @n times @unit with each '#' in it replaced by the number, then @after. */
static GString *
repeated(const char *before, guint n, const char *unit, const char *after)
{
    g_auto(GStrv) parts = g_strsplit(unit, "#", -1);
    GString *xml = g_string_new(before);

    for (guint i = 0; i < n; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *text = g_strjoinv(number, parts);

        g_string_append(xml, text);
    }
    g_string_append(xml, after);
    return xml;
}

/* @excess NULL: libxml2 gets it, and takes it when it is @good. */
static int
check(const char *what, const char *xml, gsize len, const char *excess, bool good)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *expected = excess ? g_strdup_printf("web1: %s", excess) : NULL;
    g_autofree char *text = NULL;

    n_parsed = 0;
    doc = vgpu_xml_parse(xml, len, "web1", &error);
    text = error ? vgpu_error_text(error) : NULL;
    if ((doc != NULL) == (good && !excess) && n_parsed == !excess &&
        (!excess || (g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) &&
                     g_str_equal(text, expected))))
        return 0;
    print_error("%s: %s, parsed %u times\n", what, text ? text : "accepted", n_parsed);
    return 1;
}

#define FOREIGN "<domain>\n<metadata>\n<o:x xmlns:o='urn:other'"
#define FOREIGN_END "</metadata></domain>"
#define ATTRIBUTES "line 3: a tag with more than 256 attributes"
#define DECLARATIONS "line 1: more than 4096 namespace declarations"
#define DTD "a document type declaration (DTD) is not allowed"

static void
test_limits(void **state)
{
    static const struct {
        const char *what;
        const char *before;
        guint n;
        const char *unit;
        const char *after;
        const char *excess; /* NULL: none */
    } cases[] = {
        { "60,000 attributes on a foreign element", FOREIGN, 60000, " a#='1'", "/>" FOREIGN_END,
          ATTRIBUTES },
        { "256 attributes", FOREIGN, 255, " a#='1'", "/>" FOREIGN_END, NULL },
        { "257 attributes", FOREIGN, 256, " a#='1'", "/>" FOREIGN_END, ATTRIBUTES },
        { "257 attributes, '>' in values", FOREIGN, 256, "\na#=\"'>/>\"", ">" FOREIGN_END,
          ATTRIBUTES },
        { "60,000 in a comment", "<a><!-- <x", 60000, " a#='1'", "> --></a>", NULL },
        { "60,000 in a CDATA section", "<a><![CDATA[ <x", 60000, " a#='1'", "> ]]></a>", NULL },
        { "60,000 in a processing instruction", "<a><?x", 60000, " a#='1'", " ?></a>", NULL },
        { "60,000 in a text", "<a>", 60000, " a#='1'", "</a>", NULL },
        { "60,000 in a value", "<a b=\"", 60000, " a#='1'", "\"/>",
          "line 1: a tag longer than 256 KiB" },
        { "a long comment", "<a><!--", 2000000, ".", "--></a>", NULL },
        { "256 KiB in a tag", "<a b='", 256 * 1024 - 9, ".", "'/>", NULL },
        { "a byte more", "<a b='", 256 * 1024 - 8, ".", "'/>",
          "line 1: a tag longer than 256 KiB" },
        { "2.4 MB of namespaces, each on an element of its own", "<a>", 60000,
          "<e xmlns:n#='urn:of-another-name:#'/>", "</a>", DECLARATIONS },
        { "2.4 MB of namespaces that stay in scope", "<a>", 60000, "<e xmlns:n#='urn:a-name:#'>",
          "", DECLARATIONS },
        { "4096 declarations", "<a>", 4096, "<e xmlns:n#='u'/>", "</a>", NULL },
        { "4097 declarations", "<a>", 4097, "<e xmlns:n#='u'/>", "</a>", DECLARATIONS },
        { "4097 default ones", "<a>", 4097, "<e xmlns = 'u#'/>", "</a>", DECLARATIONS },
        { "attributes that only begin like one", "<a>", 5000, "<e xmlnsx#='u'/>", "</a>", NULL },
        { "names that end like one", "<a>", 5000, "<e b-xmlns='u'/>", "</a>", NULL },
        { "an ATTLIST of 1.7 MB", "<!-- -->\n<!DOCTYPE a [<!ATTLIST a", 100000,
          " a# CDATA #IMPLIED", ">]><a/>", "line 2: " DTD },
        { "a DTD alone", "<!DOCTYPE a><a/>", 0, "", "", "line 1: " DTD },
        { "500,000 comments", "<a>", 500000, "<!---->", "</a>", NULL },
        { "250 levels", "<a>", 249, "<e>", "", NULL },
        { "100,000 levels", "<a>", 100000, "<e>", "", NULL },
    };
    int failures = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *xml = repeated(cases[i].before, cases[i].n, cases[i].unit, cases[i].after);
        bool open = strstr(cases[i].what, "levels");

        failures += check(cases[i].what, xml->str, xml->len, cases[i].excess, !open);
        g_string_free(xml, TRUE);
    }
    assert_int_equal(failures, 0);
}

#define BAD_BYTE ": a byte that is not valid UTF-8 or not allowed in XML"

/* After most errors libxml2 continues to look for tags, so it must not get documents in which it would find
 * others than were counted. */
static void
test_malformed(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *excess; /* NULL: libxml2 decides */
        bool good;
    } cases[] = {
        { "a tag in a value", "<a>\n<b c='<d e=\"1\"/>'/></a>",
          "line 2: '<' in the value of an attribute" },
        { "a tag in a tag", "<a <b c='1'/>></a>", "line 1: '<' in a tag" },
        { "a tag in an end tag", "<a></a <b c='1'/>>", "line 1: '<' in a tag" },
        { "a tag that does not end", "<a>\n<b", "line 2: a tag without an end" },
        { "a value that does not end", "<a b='>", "line 1: a tag without an end" },
        { "a comment that does not end", "<a><!-- ->", "line 1: a comment without an end" },
        { "a comment that is too short", "<a><!--></a>", "line 1: a comment without an end" },
        { "a comment in two", "<a><!-- -- <b c='1'/> --></a>", "line 1: '--' in a comment" },
        { "a comment with an end too long", "<a><!-- ---></a>", "line 1: '--' in a comment" },
        { "a tag in an instruction", "<a><? <b c='1'/> ?></a>",
          "line 1: '<' in a processing instruction" },
        { "an instruction that does not end", "<a><?b >",
          "line 1: a processing instruction without an end" },
        { "a CDATA section that does not end", "<a><![CDATA[ ]>",
          "line 1: a CDATA section without an end" },
        { "some declaration", "<a><!ELEMENT b ANY></a>",
          "line 1: '<!' that begins neither a comment nor a CDATA section" },
        { "a DTD in small letters", "<!doctype a><a/>",
          "line 1: '<!' that begins neither a comment nor a CDATA section" },
        { "a control character in a comment", "<a>\n<!-- \x01 <b c='1'/> --></a>",
          "line 2" BAD_BYTE },
        { "U+FFFF in a comment", "<a><!-- \xef\xbf\xbf <b c='1'/> --></a>", "line 1" BAD_BYTE },
        { "no UTF-8 in a comment", "<a>\n\n<!-- \xe4 <b c='1'/> --></a>", "line 3" BAD_BYTE },
        { "UTF-16", "\xff\xfe<", "line 1" BAD_BYTE },
        { "a name that is none", "<1 b='1'/>", NULL },
        { "two roots", "<a/><b/>", NULL },
        { "values without quotes", "<a b=c/>", NULL },
        { "nothing", "", NULL },
        { "a byte order mark", "\xef\xbb\xbf<a/>", NULL, true },
        { "an instruction", "<?xml version='1.0'?><?b c='1'?><a/>", NULL, true },
        { "letters", "<?xml version='1.0' encoding='UTF-8'?><\u00e4 \u00f6='\u20ac'/>", NULL,
          true },
        { "bytes that another encoding would make a tag",
          "<?xml version='1.0' encoding='UTF-7'?><a b='+ADw-'/>", NULL, true },
        { "a two-byte encoding", "<?xml version='1.0' encoding='UTF-16'?><a/>", NULL, true },
    };
    int failures = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        failures += check(cases[i].what, cases[i].xml, strlen(cases[i].xml), cases[i].excess,
                          cases[i].good);
    failures += check("a NUL", "<a>\0</a>", 8, "line 1" BAD_BYTE, false);
    failures += check("big-endian UTF-16", "\0<\0a\0/\0>", 8, "line 1" BAD_BYTE, false);
    assert_int_equal(failures, 0);
}

#define DECLARED(encoding) "<?xml version='1.0' encoding='" encoding "'?>"

/* libxml2 parses exactly the tags and attributes that were counted. */
static void
test_encoding(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *text; /* NULL: refused */
    } cases[] = {
        { "not declared", "<a>B\u00fcro</a>", "B\u00fcro" },
        { "UTF-8", DECLARED("utf-8") "<a>B\u00fcro</a>", "B\u00fcro" },
        { "Latin-1", DECLARED("iso-8859-1") "<a>B\xfcro</a>", "B\u00fcro" },
        { "Latin-9", DECLARED("ISO-8859-15") "<a>B\xfcro \xa4</a>", "B\u00fcro \u20ac" },
        { "Latin-1, not declared", "<a>B\xfcro</a>", NULL },
        { "Latin-1, declared too late", "<a/>" DECLARED("ISO-8859-1") "<a>B\xfcro</a>", NULL },
        { "another one", DECLARED("windows-1252") "<a>B\xfcro</a>", NULL },
        { "another one without need", DECLARED("windows-1252") "<a>x</a>", "x" },
        { "Latin-1 with a DTD", DECLARED("ISO-8859-1") "<!DOCTYPE a><a>\xfc</a>", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(xmlDoc) doc = vgpu_xml_parse(cases[i].xml, strlen(cases[i].xml), "web1", NULL);
        g_autofree char *text = doc ? vgpu_xml_text(doc, NULL, "/a") : NULL;

        if (g_strcmp0(text, cases[i].text) != 0)
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* A letter for each token, in the order of VgpuXmlTokenKind. */
static const char letters[] = "tc!?DSE/";

static void
test_tokens(void **state)
{
    static const struct {
        const char *xml;
        const char *tokens;
    } cases[] = {
        { "", "" },
        { " text ", "t" },
        { "<?xml version='1.0'?>\n<a>b<c/> <d e='/>'></d></a >", "?tStEtS//" },
        { "<a/><a /><a></a><a b='/'>", "EES/S" },
        { "<!-- <a> --><![CDATA[ <a> ]]]]><?a >?><a>", "!c?S" },
        { "<!DOCTYPE a []><a/>", "DtE" },
        { "<a></b>", "S/" }, /* names are not compared */
        { "<a><", "S" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) tokens = g_string_new(NULL);
        const char *problem = NULL;
        gsize at = 0, seen = 0;
        VgpuXmlToken token;

        while (vgpu_xml_token_next(cases[i].xml, strlen(cases[i].xml), &at, &token, &problem)) {
            g_string_append_c(tokens, letters[token.kind]);
            assert_ptr_equal(token.text, cases[i].xml + seen);
            seen += token.len;
            assert_int_equal(at, seen);
        }
        if (!g_str_equal(tokens->str, cases[i].tokens))
            fail_msg("%s: %s", cases[i].xml, tokens->str);
        assert_true(problem || at == strlen(cases[i].xml));
    }
}

static void
test_attributes(void **state)
{
    static const struct {
        const char *xml;
        const char *name;
        const char *value;
    } cases[] = {
        { "<domain type='kvm' id='7'>", "id", "7" },
        { "<domain id = \"7\"/>", "id", "7" },
        { "<domain\n\tid='7'\n>", "id", "7" },
        { "<domain uuid=\"id='8'\" id='7'>", "id", "7" },
        { "<domain x:id='8'>", "id", NULL },
        { "<domain idx='8' i='9'>", "id", NULL },
        { "<domain id=''>", "id", "" },
        { "<domain id>", "id", NULL },
        { "<id='8'>", "id", NULL },
        { "<domain>", "id", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *problem = NULL;
        g_autofree char *value = NULL;
        VgpuXmlToken token;
        gsize at = 0;

        assert_true(
            vgpu_xml_token_next(cases[i].xml, strlen(cases[i].xml), &at, &token, &problem));
        assert_int_equal(vgpu_xml_token_is(&token, "domain"), cases[i].xml[1] == 'd');
        assert_false(vgpu_xml_token_is(&token, "domai"));
        assert_false(vgpu_xml_token_is(&token, "domains"));
        value = vgpu_xml_token_attr(&token, cases[i].name);
        if (g_strcmp0(value, cases[i].value) != 0)
            fail_msg("%s: %s", cases[i].xml, value);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_encoding),   cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
