/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xpathInternals.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml-token.h"

/* IGNORE_ENC: the parsed text must be the text that was checked, and in other encodings such as UTF-7
 * other bytes are tags. */
#define PARSE_OPTIONS                                                                            \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |           \
     XML_PARSE_IGNORE_ENC)

static void
refuse(GError **error, const char *what, long line, const char *reason)
{
    vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, what, line, "%s", reason);
}

/* The text in UTF-8 when it declares one of the encodings that an editor may leave in a file, else
 * NULL. No others: libc would load a converter of the document's choice. */
static char *
to_utf8(const char *xml, gsize len, gsize *out_len)
{
    static const char *const known[] = { "ISO-8859-1", "ISO-8859-15" };
    const char *problem = NULL;
    g_autofree char *declared = NULL;
    VgpuXmlToken token;
    gsize at = 0;

    if (len > VGPU_XML_MAX || !vgpu_xml_token_next(xml, len, &at, &token, &problem) ||
        token.kind != VGPU_XML_TOKEN_INSTRUCTION || !g_str_has_prefix(token.text, "<?xml ") ||
        !(declared = vgpu_xml_token_attr(&token, "encoding")))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_ascii_strcasecmp(declared, known[i]) == 0)
            return g_convert(xml, (gssize) len, "UTF-8", known[i], NULL, out_len, NULL);
    }
    return NULL;
}

/* The first of these elements, and of those in them, that declares a namespace with a '<' in its name; NULL when there
 * is none. libxml2 (xmlNsDumpOutput() of its xmlsave.c) writes such a name without escaping it, and what is written can
 * be read by nobody, which is true of what libvirt prints, too. */
static const xmlNode *
find_bad_declaration(const xmlNode *node)
{
    const xmlNode *found = NULL;

    for (; node && !found; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
            if (ns->href && strchr((const char *) ns->href, '<'))
                return node;
        found = find_bad_declaration(node->children);
    }
    return found;
}

static xmlDoc *
parse(const char *xml, gsize len, const char *what, GError **error)
{
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    const xmlNode *bad;
    xmlDoc *doc;

    if (!ctxt)
        g_error("out of memory");
    doc = xmlCtxtReadMemory(ctxt, xml, (int) len, NULL, NULL, PARSE_OPTIONS);
    if (!doc || !ctxt->wellFormed) {
        const xmlError *err = xmlCtxtGetLastError(ctxt);
        g_autofree char *reason = g_strdup(err && err->message ? err->message : "not XML");

        refuse(error, what, err && err->line > 0 ? err->line : 1,
               g_strdelimit(g_strstrip(reason), "\n", ' '));
        g_clear_pointer(&doc, xmlFreeDoc);
    } else if ((bad = find_bad_declaration(doc->children))) {
        refuse(error, what, xmlGetLineNo(bad), "'<' in the name of a namespace");
        g_clear_pointer(&doc, xmlFreeDoc);
    }
    xmlFreeParserCtxt(ctxt);
    return doc;
}

xmlDoc *
vgpu_xml_parse(const char *xml, gsize len, const char *what, GError **error)
{
    gsize converted_len = 0;
    g_autofree char *converted = to_utf8(xml, len, &converted_len);
    VgpuXmlExcess excess;

    if (converted) {
        xml = converted;
        len = converted_len;
    }
    if (!vgpu_xml_limits_check(xml, len, &excess)) {
        refuse(error, what, excess.line, excess.reason);
        return NULL;
    }
    return parse(xml, len, what, error);
}

static void
free_context(gpointer ctxt)
{
    xmlXPathFreeContext(ctxt);
}

/* One for each thread, as it takes longer to make one, with all its functions, than to parse a domain. */
static xmlXPathContext *
get_context(void)
{
    static GPrivate own = G_PRIVATE_INIT(free_context);
    xmlXPathContext *ctxt = g_private_get(&own);

    if (ctxt)
        return ctxt;
    ctxt = xmlXPathNewContext(NULL);
    if (!ctxt)
        g_error("out of memory");
    xmlXPathRegisterNs(ctxt, BAD_CAST VGPU_XML_PREFIX, BAD_CAST VGPU_XMLNS);
    g_private_set(&own, ctxt);
    return ctxt;
}

GPtrArray *
vgpu_xml_nodes(xmlDoc *doc, xmlNode *node, const char *xpath)
{
    xmlXPathContext *ctxt = get_context();
    g_autoptr(xmlXPathObject) result = NULL;
    GPtrArray *nodes = g_ptr_array_new();

    ctxt->doc = doc;
    ctxt->node = node ? node : (xmlNode *) doc;
    result = xmlXPathEval(BAD_CAST xpath, ctxt);
    ctxt->doc = NULL;
    ctxt->node = NULL;
    if (!result || result->type != XPATH_NODESET || !result->nodesetval)
        return nodes;
    xmlXPathNodeSetSort(result->nodesetval);
    for (int i = 0; i < result->nodesetval->nodeNr; i++)
        g_ptr_array_add(nodes, result->nodesetval->nodeTab[i]);
    return nodes;
}

xmlNode *
vgpu_xml_node(xmlDoc *doc, xmlNode *node, const char *xpath)
{
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, node, xpath);

    return nodes->len ? g_ptr_array_index(nodes, 0) : NULL;
}

/* libxml2 allocates strings with its own allocator. */
static char *
take_text(xmlChar *text)
{
    char *copy = text ? g_strdup((const char *) text) : NULL;

    xmlFree(text);
    return copy;
}

char *
vgpu_xml_text(xmlDoc *doc, xmlNode *node, const char *xpath)
{
    xmlNode *match = vgpu_xml_node(doc, node, xpath);

    return match ? take_text(xmlNodeGetContent(match)) : NULL;
}

char *
vgpu_xml_attr(xmlNode *node, const char *name)
{
    return take_text(xmlGetNoNsProp(node, BAD_CAST name));
}

bool
vgpu_xml_attr_differs(xmlNode *node, const char *name, const char *text)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return value && !g_str_equal(value, text);
}

xmlNode *
vgpu_xml_append(xmlNode *parent, const char *name, int depth)
{
    g_autofree char *indent = g_strdup_printf("\n%*s", 2 * depth, "");
    g_autofree char *outdent = g_strdup_printf("\n%*s", 2 * (depth - 1), "");
    xmlNode *last = xmlGetLastChild(parent);
    xmlNode *node;

    if (last && xmlIsBlankNode(last)) { /* it is the blanks before the end tag */
        xmlUnlinkNode(last);
        xmlFreeNode(last);
    }
    xmlAddChild(parent, xmlNewDocText(parent->doc, BAD_CAST indent));
    node = xmlNewChild(parent, NULL, BAD_CAST name, NULL);
    xmlAddChild(parent, xmlNewDocText(parent->doc, BAD_CAST outdent));
    return node;
}

/* The blanks in front of @node on its line, if known. */
static char *
indentation(xmlNode *node)
{
    const char *newline = NULL;
    g_autofree char *parent = NULL;

    if (node->prev && node->prev->type == XML_TEXT_NODE && xmlIsBlankNode(node->prev))
        newline = strrchr((const char *) node->prev->content, '\n');
    if (newline)
        return g_strdup(newline + 1);
    if (!node->parent || node->parent->type != XML_ELEMENT_NODE)
        return g_strdup("");
    parent = indentation(node->parent);
    return g_strconcat(parent, "  ", NULL);
}

static xmlNode *
newline_new(xmlDoc *doc, const char *indent)
{
    g_autofree char *text = g_strconcat("\n", indent, NULL);

    return xmlNewDocText(doc, BAD_CAST text);
}

/* Give the elements below @node, which has no text in it, lines of their own. */
static void
indent_children(xmlNode *node, const char *indent)
{
    g_autofree char *deeper = g_strconcat(indent, "  ", NULL);

    for (xmlNode *child = node->children; child; child = child->next) {
        xmlAddPrevSibling(child, newline_new(node->doc, deeper));
        indent_children(child, deeper);
    }
    if (node->children)
        xmlAddChild(node, newline_new(node->doc, indent));
}

/* The element goes in first: libxml2 would merge, and free, a text beside a text. */
void
vgpu_xml_insert(xmlNode *parent, xmlNode *after, xmlNode *node)
{
    xmlNode *sibling = xmlFirstElementChild(parent);
    g_autofree char *outer = indentation(parent);
    g_autofree char *indent = sibling ? indentation(sibling) : g_strconcat(outer, "  ", NULL);

    indent_children(node, indent);
    if (after)
        xmlAddNextSibling(after, node);
    else if (parent->children)
        xmlAddPrevSibling(parent->children, node);
    else
        xmlAddChild(parent, node);
    xmlAddPrevSibling(node, newline_new(parent->doc, indent));
    if (!node->next)
        xmlAddNextSibling(node, newline_new(parent->doc, outer));
}

void
vgpu_xml_remove(xmlNode *node)
{
    xmlNode *before = node->prev;

    if (before && xmlIsBlankNode(before)) {
        xmlUnlinkNode(before);
        xmlFreeNode(before);
    }
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

void
vgpu_xml_remove_blanks(xmlNode *node)
{
    for (xmlNode *child = node->children, *next; child; child = next) {
        next = child->next;
        if (child->type == XML_ELEMENT_NODE) {
            vgpu_xml_remove_blanks(child);
        } else if (xmlIsBlankNode(child)) {
            xmlUnlinkNode(child);
            xmlFreeNode(child);
        }
    }
}

void
vgpu_xml_indent(xmlNode *node)
{
    indent_children(node, "");
}

char *
vgpu_xml_dump(xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    xmlNodeDump(buffer, node->doc, node, 0, 0);
    text = g_strdup((const char *) xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

char *
vgpu_xml_dump_doc(xmlDoc *doc)
{
    GString *text = g_string_new(NULL);

    /* the root, and the comments around it */
    for (xmlNode *node = doc->children; node; node = node->next) {
        g_autofree char *part = vgpu_xml_dump(node);

        g_string_append_printf(text, "%s\n", part);
    }
    return g_string_free(text, FALSE);
}
