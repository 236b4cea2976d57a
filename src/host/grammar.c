#include "host/grammar.h"

#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "base/relaxng.h"
#include "base/xml.h"
#include "domain/schema-resource.h"

#define SCHEMA "/org/virtvgpu/virt-vgpu-host.rng"
#define TEXT_MAX 300 /* characters of a stranger's text in an error */

typedef struct {
    const char *name;
    bool required;
    const char *expected;               /* the values "a|b"; or in words, with */
    bool (*is_valid)(const char *text); /* what checks it */
} Attribute;

/* Lists end with an entry without a name. */
typedef struct Element {
    const char *name;
    bool many; /* else once in its parent */
    const Attribute *attributes;
    const struct Element *children; /* NULL: none */
} Element;

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

static bool
is_number(const char *text, guint min, guint max)
{
    guint64 number;

    return g_ascii_isdigit(*text) && (*text != '0' || !text[1]) &&
           g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL);
}

static bool
is_pci_address(const char *text)
{
    VgpuPciAddr addr;

    return vgpu_pciaddr_parse(text, &addr);
}

static bool
is_vfs(const char *text)
{
    return g_str_equal(text, "max") || is_number(text, 0, G_MAXUINT16);
}

static bool
is_timeslice(const char *text)
{
    return is_number(text, 1, 30);
}

static bool
is_averaging(const char *text)
{
    return is_number(text, 1, 60);
}

static bool
is_frequency(const char *text)
{
    return is_number(text, 63, 960);
}

static bool
is_count(const char *text)
{
    return is_number(text, 1, 999);
}

static bool
is_mig_profile(const char *text)
{
    return g_ascii_isalnum(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".+_-") == strlen(text);
}

static const Attribute gpu_attributes[] = {
    { "address", true, "a PCI address such as 0000:41:00.0", is_pci_address },
    { NULL },
};
static const Attribute sriov_attributes[] = {
    { "vfs", true, "max or a number", is_vfs },
    { NULL },
};
static const Attribute mode_attributes[] = {
    { "heterogeneous", true, "yes|no" },
    { NULL },
};
static const Attribute scheduler_attributes[] = {
    { "policy", true, "best-effort|equal-share|fixed-share" },
    { "timeslice", false, "a number of milliseconds from 1 to 30", is_timeslice },
    { "averaging", false, "a number from 1 to 60", is_averaging },
    { "frequency", false, "a number of Hz from 63 to 960", is_frequency },
    { "strict", false, "yes|no" },
    { NULL },
};
static const Attribute mig_attributes[] = {
    { "auto", false, "yes|no" },
    { NULL },
};
static const Attribute instance_attributes[] = {
    { "profile", true, "the name or id of a MIG profile such as 1g.12gb", is_mig_profile },
    { "count", false, "a number from 1 to 999", is_count },
    { "compute", false, "yes|no" },
    { NULL },
};

static const Attribute no_attributes[] = { { NULL } };
static const Element mig_children[] = { { "instance", true, instance_attributes }, { NULL } };
static const Element gpu_children[] = {
    { "sriov", false, sriov_attributes },
    { "mode", false, mode_attributes },
    { "scheduler", false, scheduler_attributes },
    { "mig", false, mig_attributes, mig_children },
    { NULL },
};
static const Element root_children[] = { { "gpu", true, gpu_attributes, gpu_children },
                                         { NULL } };
static const Element root_element = { "vgpuhost", false, no_attributes, root_children };

static bool
is_one_of(const char *text, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);

    return g_strv_contains((const char *const *) list, text);
}

static bool
check_attribute(const xmlNode *node, const xmlAttr *attr, const Element *element,
                const char *what, GError **error)
{
    const char *name = (const char *) attr->name;
    g_autoptr(GString) known = g_string_new(NULL);

    for (const Attribute *rule = element->attributes; rule->name; rule++) {
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

static const Element *
find_child(const xmlNode *child, const Element *element, const char *what, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (const Element *rule = element->children; rule && rule->name; rule++) {
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
check_element(const xmlNode *node, const Element *element, const char *what, GError **error)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!check_attribute(node, attr, element, what, error))
            return false;
    }
    for (const Attribute *rule = element->attributes; rule->name; rule++) {
        if (rule->required && !xmlHasNsProp(node, BAD_CAST rule->name, NULL))
            return vgpu_grammar_refuse(error, what, node, "<%s> lacks the attribute '%s'",
                                       element->name, rule->name);
    }
    for (const xmlNode *child = node->children; child; child = child->next) {
        const Element *rule;

        if (child->type == XML_ELEMENT_NODE) {
            if (!(rule = find_child(child, element, what, error)))
                return false;
            if (!rule->many && came_before(child))
                return vgpu_grammar_refuse(error, what, child, "a second <%s> in <%s>",
                                           rule->name, element->name);
            if (!check_element(child, rule, what, error))
                return false;
        } else if (child->type != XML_COMMENT_NODE && child->type != XML_PI_NODE &&
                   !xmlIsBlankNode(child)) {
            return vgpu_grammar_refuse(error, what, node, "text in <%s> is not allowed",
                                       element->name);
        }
    }
    return true;
}

bool
vgpu_grammar_check(xmlDoc *doc, const char *what, GError **error)
{
    const xmlNode *root = xmlDocGetRootElement(doc);

    if (root->ns || !xmlStrEqual(root->name, BAD_CAST root_element.name))
        return vgpu_grammar_refuse(error, what, root,
                                   "the root is <%s>, a host layout begins with <vgpuhost>",
                                   (const char *) root->name);
    return check_element(root, &root_element, what, error) &&
           vgpu_relaxng_validate(vgpu_schema_get_resource(), SCHEMA, doc, what, error);
}
