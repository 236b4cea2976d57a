/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several documents in one stream, as virt-install prints them; and the limits that are checked before libxml2 parses:
 * everything that libxml2 parses as a tag or an attribute has been counted as one. */
#include "fuzz.h"

#include <string.h>

#include "base/xml-stream.h"
#include "base/xml-token.h"
#include "base/xml.h"

typedef struct {
    guint elements, attributes;
} Count;

static void
count_node(const xmlNode *node, Count *count)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        count->elements++;
        for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
            count->attributes++;
        for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
            count->attributes++;
        count_node(node->children, count);
    }
}

static Count
count_tokens(const char *xml, gsize len)
{
    Count count = { 0, 0 };
    const char *problem = NULL;
    VgpuXmlToken token;
    gsize at = 0;

    while (vgpu_xml_token_next(xml, len, &at, &token, &problem)) {
        g_autofree char *value = vgpu_xml_token_attr(&token, "id");

        FUZZ_CHECK(!value || strlen(value) < token.len, "%s", value);
        if (token.kind != VGPU_XML_TOKEN_START && token.kind != VGPU_XML_TOKEN_EMPTY)
            continue;
        count.elements++;
        count.attributes += token.attributes;
    }
    FUZZ_CHECK(!problem && at == len, "%s", problem ? problem : "not to its end");
    return count;
}

static void
check_one(const char *xml, gsize len)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, len, "x.xml", &error);
    g_autoptr(xmlDoc) again = NULL;
    g_autofree char *text = NULL, *stable = NULL;
    Count there = { 0, 0 }, counted;

    fuzz_outcome(doc != NULL, error);
    if (!doc)
        return;
    count_node(doc->children, &there);
    if (g_utf8_validate(xml, (gssize) len, NULL)) {
        counted = count_tokens(xml, len);
        FUZZ_CHECK(there.elements == counted.elements, "%u, %u", there.elements,
                   counted.elements);
        FUZZ_CHECK(there.attributes == counted.attributes, "%u, %u", there.attributes,
                   counted.attributes);
    }
    text = vgpu_xml_dump_doc(doc);
    again = vgpu_xml_parse(text, strlen(text), "x.xml", &error);
    FUZZ_CHECK(again, "%s\n%s", error ? error->message : "", text);
    stable = vgpu_xml_dump_doc(again);
    FUZZ_CHECK(g_str_equal(text, stable), "%s\n%s", text, stable);
}

FUZZ_TARGET(xml)
{
    const char *xml = (const char *) data;
    g_autoptr(GPtrArray) parts = vgpu_xml_stream_split(xml, size);
    g_autoptr(xmlDoc) whole = vgpu_xml_parse(xml, size, "x.xml", NULL);

    FUZZ_CHECK(parts->len >= 1 && parts->len <= 16, "%u documents", parts->len);
    FUZZ_CHECK(!whole || parts->len == 1, "one document was taken for %u", parts->len);
    for (guint i = 0; i < parts->len; i++)
        check_one(parts->pdata[i], strlen(parts->pdata[i]));
    check_one(xml, size);
}
