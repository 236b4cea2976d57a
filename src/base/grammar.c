#include "base/grammar.h"

#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "base/xml.h"

#define TEXT_MAX 300 /* characters of a stranger's text in an error */

bool
vgpu_grammar_refuse(GError **error, const char *what, const xmlNode *node, const char *format,
                    ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_strdelimit(text, "\n\r\t", ' ');
    if (g_utf8_strlen(text, -1) > TEXT_MAX)
        *g_utf8_offset_to_pointer(text, TEXT_MAX) = '\0';
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s: line %ld: %s", what,
                xmlGetLineNo(node), text);
    return false;
}

bool
vgpu_grammar_is_number(const char *text, guint min, guint max)
{
    guint64 number;

    return g_ascii_isdigit(*text) && (*text != '0' || !text[1]) &&
           g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL);
}

bool
vgpu_grammar_is_pci_address(const char *text)
{
    VgpuPciAddr addr;

    return vgpu_pciaddr_parse(text, &addr);
}

static bool
is_one_of(const char *text, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);

    return g_strv_contains((const char *const *) list, text);
}

static bool
check_attribute(const xmlNode *node, const xmlAttr *attr, const VgpuGrammarElement *element,
                const char *what, GError **error)
{
    const char *name = (const char *) attr->name;
    g_autoptr(GString) known = g_string_new(NULL);

    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++) {
        g_autofree char *value = NULL;

        g_string_append_printf(known, "%s%s", known->len ? ", " : "", rule->name);
        if (attr->ns || !g_str_equal(rule->name, name))
            continue;
        value = vgpu_xml_attr((xmlNode *) node, name);
        if (rule->is_valid ? rule->is_valid(value) : is_one_of(value, rule->expected))
            return true;
        return vgpu_grammar_refuse(error, what, node, "<%s>: %s='%s' is not %s%s", element->name,
                                   name, value, rule->is_valid ? "" : "one of ", rule->expected);
    }
    return vgpu_grammar_refuse(error, what, node, "<%s> has no attribute '%s'; known: %s",
                               element->name, name, known->len ? known->str : "none");
}

static const VgpuGrammarElement *
find_child(const xmlNode *child, const VgpuGrammarElement *element, const char *what,
           GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++) {
        if (!child->ns && xmlStrEqual(child->name, BAD_CAST rule->name))
            return rule;
        g_string_append_printf(known, "%s<%s>", known->len ? ", " : "", rule->name);
    }
    vgpu_grammar_refuse(error, what, child, "<%s> in <%s> is not known; known: %s",
                        (const char *) child->name, element->name,
                        known->len ? known->str : "none");
    return NULL;
}

static bool
came_before(const xmlNode *node)
{
    for (const xmlNode *other = node->prev; other; other = other->prev) {
        if (other->type == XML_ELEMENT_NODE && xmlStrEqual(other->name, node->name))
            return true;
    }
    return false;
}

static bool
check_attributes(const xmlNode *node, const VgpuGrammarElement *element, const char *what,
                 GError **error)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!check_attribute(node, attr, element, what, error))
            return false;
    }
    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++) {
        if (rule->required && !xmlHasNsProp(node, BAD_CAST rule->name, NULL))
            return vgpu_grammar_refuse(error, what, node, "<%s> lacks the attribute '%s'",
                                       element->name, rule->name);
    }
    return true;
}

static bool
check_child(const xmlNode *child, const VgpuGrammarElement *element, const char *what,
            GError **error)
{
    const VgpuGrammarElement *rule = find_child(child, element, what, error);

    if (!rule)
        return false;
    if (!rule->many && came_before(child))
        return vgpu_grammar_refuse(error, what, child, "a second <%s> in <%s>", rule->name,
                                   element->name);
    return vgpu_grammar_walk(child, rule, what, error);
}

static bool
has_child(const xmlNode *node, const char *name)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && (!name || xmlStrEqual(child->name, BAD_CAST name)))
            return true;
    }
    return false;
}

static bool
check_text(const xmlNode *node, const VgpuGrammarElement *element, const char *what,
           GError **error)
{
    g_autofree char *text = vgpu_xml_text(node->doc, (xmlNode *) node, ".");

    if (!element->is_valid || element->is_valid(text))
        return true;
    return vgpu_grammar_refuse(error, what, node, "<%s>: '%s' is not %s", element->name, text,
                               element->text);
}

bool
vgpu_grammar_walk(const xmlNode *node, const VgpuGrammarElement *element, const char *what,
                  GError **error)
{
    if (!check_attributes(node, element, what, error))
        return false;
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            if (!check_child(child, element, what, error))
                return false;
        } else if (!element->text && child->type != XML_COMMENT_NODE &&
                   child->type != XML_PI_NODE && !xmlIsBlankNode(child)) {
            return vgpu_grammar_refuse(error, what, node, "text in <%s> is not allowed",
                                       element->name);
        }
    }
    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++) {
        if (rule->required && !has_child(node, rule->name))
            return vgpu_grammar_refuse(error, what, node, "<%s> lacks <%s>", element->name,
                                       rule->name);
    }
    if (element->filled && !has_child(node, NULL))
        return vgpu_grammar_refuse(error, what, node, "<%s> is empty: %s", element->name,
                                   element->filled);
    return !element->text || check_text(node, element, what, error);
}
