/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/grammar.h"

#include <string.h>

#include "base/names.h"
#include "base/pciaddr.h"
#include "base/printable.h"
#include "base/uuid.h"
#include "base/xml.h"

#define TEXT_MAX 1000 /* characters of an error */

/* The data of a walk. */
typedef struct {
    const char *space; /* the namespace of the elements, or NULL */
    const char *what;
} Walk;

/* The error quotes untrusted text, and has to fit on one line of a log or a terminal. */
static char *
as_line(const char *text)
{
    GString *line = g_string_new(NULL);

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        g_string_append_unichar(line, vgpu_printable_char(c) ? c : ' ');
    }
    return g_string_free(line, FALSE);
}

bool
vgpu_grammar_refuse_at(GError **error, VgpuError code, const char *what, long line,
                       const char *format, va_list args)
{
    g_autofree char *raw = g_strdup_vprintf(format, args);
    g_autofree char *text = as_line(raw);

    if (g_utf8_strlen(text, -1) > TEXT_MAX)
        *g_utf8_offset_to_pointer(text, TEXT_MAX) = '\0';
    return vgpu_error_at(error, code, what, line, "%s", text);
}

bool
vgpu_grammar_refuse(GError **error, const char *what, const xmlNode *node, const char *format,
                    ...)
{
    va_list args;

    va_start(args, format);
    vgpu_grammar_refuse_at(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node), format, args);
    va_end(args);
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

bool
vgpu_grammar_is_uuid(const char *text)
{
    g_autofree char *uuid = vgpu_uuid_canonical(text);

    return uuid != NULL;
}

bool
vgpu_grammar_is_name(const char *text)
{
    return *text && !g_ascii_isspace(*text) && !g_ascii_isspace(text[strlen(text) - 1]) &&
           vgpu_printable_is(text) && g_utf8_strlen(text, -1) <= VGPU_GRAMMAR_NAME_MAX;
}

static bool
is_one_of(const char *text, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);

    return g_strv_contains((const char *const *) list, text);
}

/* Of an element of the grammar, in errors. */
static const char *
prefix(const Walk *walk, const VgpuGrammarElement *element)
{
    return walk->space && !element->is_libvirts ? VGPU_XML_PREFIX ":" : "";
}

static bool
refuse_attribute(const Walk *walk, const xmlNode *node, const xmlAttr *attr,
                 const VgpuGrammarElement *element, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++)
        g_string_append_printf(known, "%s%s", known->len ? ", " : "", rule->name);
    if (!walk->space)
        return vgpu_grammar_refuse(error, walk->what, node,
                                   "<%s> has no attribute '%s'; known: %s", element->name,
                                   attr->name, known->len ? known->str : "none");
    return vgpu_grammar_refuse(error, walk->what, node,
                               "unknown attribute '%s%s%s' on <%s%s>; known: %s",
                               attr->ns ? (const char *) attr->ns->prefix : "",
                               attr->ns ? ":" : "", attr->name, prefix(walk, element),
                               element->name, known->str);
}

static bool
refuse_value(const Walk *walk, const xmlNode *node, const VgpuGrammarAttribute *rule,
             const char *value, const VgpuGrammarElement *element, GError **error)
{
    g_auto(GStrv) words = g_strsplit(rule->expected, "|", -1);
    g_autofree char *expected = g_strjoinv(", ", words);

    if (!walk->space)
        return vgpu_grammar_refuse(error, walk->what, node, "<%s>: %s='%s' is not %s%s",
                                   element->name, rule->name, value,
                                   rule->is_valid ? "" : "one of ", rule->expected);
    return vgpu_grammar_refuse(error, walk->what, node,
                               "attribute '%s' on <%s%s> is '%s', expected %s%s", rule->name,
                               prefix(walk, element), element->name, value,
                               rule->is_valid ? "" : "one of: ", expected);
}

static bool
check_attribute(const Walk *walk, const xmlNode *node, const xmlAttr *attr,
                const VgpuGrammarElement *element, GError **error)
{
    const char *name = (const char *) attr->name;

    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++) {
        g_autofree char *value = NULL;

        if (attr->ns || !g_str_equal(rule->name, name))
            continue;
        value = vgpu_xml_attr((xmlNode *) node, name);
        return (rule->is_valid ? rule->is_valid(value) : is_one_of(value, rule->expected)) ||
               refuse_value(walk, node, rule, value, element, error);
    }
    return refuse_attribute(walk, node, attr, element, error);
}

static bool
check_attributes(const Walk *walk, const xmlNode *node, const VgpuGrammarElement *element,
                 GError **error)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!check_attribute(walk, node, attr, element, error))
            return false;
    }
    for (const VgpuGrammarAttribute *rule = element->attributes; rule && rule->name; rule++) {
        if (rule->required && !xmlHasNsProp(node, BAD_CAST rule->name, NULL))
            return vgpu_grammar_refuse(error, walk->what, node, "<%s%s> lacks the attribute '%s'",
                                       prefix(walk, element), element->name, rule->name);
    }
    return true;
}

static bool
refuse_child(const Walk *walk, const xmlNode *child, const VgpuGrammarElement *element,
             GError **error)
{
    const char *its = child->ns ? (const char *) child->ns->prefix : NULL;
    g_autoptr(GString) known = g_string_new(NULL);

    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++)
        g_string_append_printf(known, "%s<%s%s>",
                               !known->len   ? ""
                               : walk->space ? " and "
                                             : ", ",
                               prefix(walk, rule), rule->name);
    if (!walk->space)
        return vgpu_grammar_refuse(error, walk->what, child,
                                   "<%s> in <%s> is not known; known: %s", child->name,
                                   element->name, known->len ? known->str : "none");
    return vgpu_grammar_refuse(error, walk->what, child, "unknown element <%s%s%s> in <%s%s>%s%s",
                               its ? its : "", its ? ":" : "", child->name, prefix(walk, element),
                               element->name,
                               known->len ? "; known: " : ", which is always empty", known->str);
}

static const VgpuGrammarElement *
find_child(const Walk *walk, const xmlNode *child, const VgpuGrammarElement *element)
{
    const char *space = child->ns ? (const char *) child->ns->href : NULL;

    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++) {
        if (xmlStrEqual(child->name, BAD_CAST rule->name) &&
            (g_strcmp0(space, walk->space) == 0 || (!space && rule->is_libvirts)))
            return rule;
    }
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

static bool walk_element(const Walk *walk, const xmlNode *node, const VgpuGrammarElement *element,
                         GError **error);

static bool
check_child(const Walk *walk, const xmlNode *child, const VgpuGrammarElement *element,
            GError **error)
{
    const VgpuGrammarElement *rule = find_child(walk, child, element);

    if (!rule)
        return refuse_child(walk, child, element, error);
    if (!rule->many && came_before(child))
        return vgpu_grammar_refuse(error, walk->what, child, "a second <%s%s> in <%s%s>",
                                   prefix(walk, rule), rule->name, prefix(walk, element),
                                   element->name);
    return walk_element(walk, child, rule, error);
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
check_text(const Walk *walk, const xmlNode *node, const VgpuGrammarElement *element,
           GError **error)
{
    g_autofree char *text = vgpu_xml_text(node->doc, (xmlNode *) node, ".");

    if (!element->is_valid || element->is_valid(text))
        return true;
    return vgpu_grammar_refuse(error, walk->what, node, "<%s%s>: '%s' is not %s",
                               prefix(walk, element), element->name, text, element->text);
}

static bool
walk_element(const Walk *walk, const xmlNode *node, const VgpuGrammarElement *element,
             GError **error)
{
    if (!check_attributes(walk, node, element, error))
        return false;
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            if (!check_child(walk, child, element, error))
                return false;
        } else if (!element->text && child->type != XML_COMMENT_NODE &&
                   child->type != XML_PI_NODE && !xmlIsBlankNode(child)) {
            return vgpu_grammar_refuse(error, walk->what, node, "text in <%s%s> is not allowed",
                                       prefix(walk, element), element->name);
        }
    }
    for (const VgpuGrammarElement *rule = element->children; rule && rule->name; rule++) {
        if (rule->required && !has_child(node, rule->name))
            return vgpu_grammar_refuse(error, walk->what, node, "<%s%s> lacks <%s%s>",
                                       prefix(walk, element), element->name, prefix(walk, rule),
                                       rule->name);
    }
    if (element->filled && !has_child(node, NULL))
        return vgpu_grammar_refuse(error, walk->what, node, "<%s%s> is empty: %s",
                                   prefix(walk, element), element->name, element->filled);
    return !element->text || check_text(walk, node, element, error);
}

bool
vgpu_grammar_walk(const xmlNode *node, const VgpuGrammarElement *element, const char *space,
                  const char *what, GError **error)
{
    return walk_element(&(Walk) { .space = space, .what = what }, node, element, error);
}
