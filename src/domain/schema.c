#include "domain/schema.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "base/xml.h"

#define TEXT_MAX 1000 /* characters of an error */

bool
vgpu_schema_refuse(GError **error, VgpuError code, const char *what, long line,
                   const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);

    /* It repeats what a stranger wrote, and has to fit one line of a log. */
    g_strdelimit(text, "\n\r\t", ' ');
    if (g_utf8_strlen(text, -1) > TEXT_MAX)
        *g_utf8_offset_to_pointer(text, TEXT_MAX) = '\0';
    if (line > 0)
        g_set_error(error, VGPU_ERROR, code, "%s: line %ld: %s", what, line, text);
    else
        g_set_error(error, VGPU_ERROR, code, "%s: %s", what, text);
    return false;
}

/* Every character of @text is printable and there are no blanks at the ends. */
static bool
is_name(const char *text)
{
    if (!*text || g_ascii_isspace(*text) || g_ascii_isspace(text[strlen(text) - 1]))
        return false;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return false;
    }
    return true;
}

static bool
is_count(const char *text)
{
    guint64 count;

    return *text != '0' && g_ascii_string_to_unsigned(text, 10, 1, VGPU_COUNT_MAX, &count, NULL);
}

static bool
is_uuid(const char *text)
{
    g_autofree char *uuid = vgpu_uuid_canonical(text);

    return uuid != NULL;
}

static bool
is_param_name(const char *text)
{
    return g_ascii_isalpha(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == strlen(text);
}

/* It is handed to the driver in a comma-separated list of NAME=VALUE. */
static bool
is_param_value(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p) || *p == ',' || *p == '=')
            return false;
    }
    return *text != '\0';
}

#define A_PROFILE "the name or id of a profile"

static const VgpuGrammarAttribute devices_attributes[] = {
    { "tenant", false, "a name", is_name },
    { NULL },
};

static const VgpuGrammarAttribute device_attributes[] = {
    { "profile", false, A_PROFILE, is_name },
    { "pool", false, "a name", is_name },
    { "count", false, "a number from 1 to 16", is_count },
    { "display", false, "auto|on|off" },
    { "ramfb", false, "auto|on|off" },
    { "placement", false, "pack|spread|numa" },
    { "gpu", false, "a PCI address such as 0000:41:00.0", vgpu_grammar_is_pci_address },
    { "uuid", false, "a UUID", is_uuid },
    { "create", false, "start|define" },
    { "lateAttach", false, "on|off" },
    { "driverISO", false, "yes|no" },
    { "frameRateLimit", false, "on|off" },
    { "consoleVNC", false, "on|off" },
    { "unifiedMemory", false, "on|off" },
    { "debugging", false, "on|off" },
    { "profiling", false, "on|off" },
    { NULL },
};

static const VgpuGrammarAttribute profile_attributes[] = {
    { "name", true, A_PROFILE, is_name },
    { NULL },
};

static const VgpuGrammarAttribute param_attributes[] = {
    { "name", true, "a letter, then letters, digits, '_' and '-'", is_param_name },
    { "value", true, "ASCII characters without blanks, ',' and '='", is_param_value },
    { NULL },
};

static const VgpuGrammarElement device_children[] = {
    { .name = "profile", .many = true, .attributes = profile_attributes },
    { .name = "param", .many = true, .attributes = param_attributes },
    { NULL },
};

static const VgpuGrammarElement devices_children[] = {
    { .name = "device",
      .many = true,
      .attributes = device_attributes,
      .children = device_children },
    { NULL },
};

const VgpuGrammarElement vgpu_schema_grammar = {
    .name = "devices",
    .attributes = devices_attributes,
    .children = devices_children,
};

static bool
is_allowed(const VgpuGrammarAttribute *rule, const char *value)
{
    g_auto(GStrv) values = NULL;

    if (rule->is_valid)
        return rule->is_valid(value);
    values = g_strsplit(rule->expected, "|", -1);
    return g_strv_contains((const char *const *) values, value);
}

static char *
list_attributes(const VgpuGrammarAttribute *rule)
{
    GString *names = g_string_new(NULL);

    for (; rule->name; rule++)
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", rule->name);
    return g_string_free(names, FALSE);
}

static char *
list_children(const VgpuGrammarElement *rule)
{
    GString *names = g_string_new(NULL);

    for (; rule && rule->name; rule++)
        g_string_append_printf(names, "%s<vgpu:%s>", names->len ? " and " : "", rule->name);
    return g_string_free(names, FALSE);
}

static bool
check_attribute(xmlNode *node, const xmlAttr *attr, const VgpuGrammarElement *element,
                const char *what, GError **error)
{
    const VgpuGrammarAttribute *rule = element->attributes;
    g_autofree char *value = vgpu_xml_attr(node, (const char *) attr->name);

    while (rule->name && !(!attr->ns && g_str_equal(rule->name, (const char *) attr->name)))
        rule++;
    if (!rule->name) {
        g_autofree char *known = list_attributes(element->attributes);

        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                  "unknown attribute '%s%s%s' on <vgpu:%s>; known: %s",
                                  attr->ns ? (const char *) attr->ns->prefix : "",
                                  attr->ns ? ":" : "", (const char *) attr->name, element->name,
                                  known);
    }
    if (!is_allowed(rule, value)) {
        g_auto(GStrv) values = g_strsplit(rule->expected, "|", -1);
        g_autofree char *expected = g_strjoinv(", ", values);

        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                  "attribute '%s' on <vgpu:%s> is '%s', expected %s%s",
                                  rule->name, element->name, value,
                                  rule->is_valid ? "" : "one of: ", expected);
    }
    return true;
}

/* The rule for @child; NULL with @error when it must not be there. */
static const VgpuGrammarElement *
find_child_rule(xmlNode *child, const VgpuGrammarElement *parent, const char *what,
                GError **error)
{
    g_autofree char *known = NULL;
    const char *prefix = child->ns ? (const char *) child->ns->prefix : NULL;

    if (child->ns && g_str_equal((const char *) child->ns->href, VGPU_XMLNS)) {
        for (const VgpuGrammarElement *rule = parent->children; rule && rule->name; rule++) {
            if (g_str_equal(rule->name, (const char *) child->name))
                return rule;
        }
    }
    known = list_children(parent->children);
    vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(child),
                       "unknown element <%s%s%s> in <vgpu:%s>%s%s", prefix ? prefix : "",
                       prefix ? ":" : "", (const char *) child->name, parent->name,
                       *known ? "; known: " : ", which is always empty", known);
    return NULL;
}

static bool
check_element(xmlNode *node, const VgpuGrammarElement *rule, const char *what, GError **error)
{
    for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!check_attribute(node, attr, rule, what, error))
            return false;
    }
    for (const VgpuGrammarAttribute *attr = rule->attributes; attr->name; attr++) {
        if (attr->required && !xmlHasNsProp(node, BAD_CAST attr->name, NULL))
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                      "<vgpu:%s> lacks the attribute '%s'", rule->name,
                                      attr->name);
    }
    for (xmlNode *child = node->children; child; child = child->next) {
        const VgpuGrammarElement *child_rule;

        if (child->type == XML_ELEMENT_NODE) {
            if (!(child_rule = find_child_rule(child, rule, what, error)) ||
                !check_element(child, child_rule, what, error))
                return false;
        } else if (child->type != XML_COMMENT_NODE && child->type != XML_PI_NODE &&
                   !xmlIsBlankNode(child)) {
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                      "text in <vgpu:%s> is not allowed", rule->name);
        }
    }
    return true;
}

static bool
is_other_than(xmlNode *node, const char *attribute, const char *expected)
{
    g_autofree char *value = vgpu_xml_attr(node, attribute);

    return value && !g_str_equal(value, expected);
}

/* What the attributes of one <vgpu:device> say together. */
static bool
check_device(xmlNode *device, const char *what, GError **error)
{
    g_autofree char *display = vgpu_xml_attr(device, "display");
    g_autofree char *ramfb = vgpu_xml_attr(device, "ramfb");
    bool has_attribute = xmlHasNsProp(device, BAD_CAST "profile", NULL);
    bool has_children = vgpu_xml_node(device->doc, device, "vgpu:profile") != NULL;
    const char *wrong = NULL;

    if (has_attribute && has_children)
        wrong = "<vgpu:device> has both a profile attribute and <vgpu:profile> elements; "
                "write all of them as elements";
    else if (!has_attribute && !has_children && !xmlHasNsProp(device, BAD_CAST "pool", NULL))
        wrong =
            "<vgpu:device> has no profile: write profile='NAME', or <vgpu:profile name='NAME'/> "
            "elements in the order of preference, or pool='NAME' for the pool's default";
    else if (display && ramfb && g_str_equal(display, "off") && g_str_equal(ramfb, "on"))
        wrong = "<vgpu:device> has ramfb='on' and display='off': ramfb needs a display";

    if (!wrong && xmlHasNsProp(device, BAD_CAST "uuid", NULL)) {
        if (is_other_than(device, "count", "1"))
            wrong = "<vgpu:device> has both uuid and count; a UUID names one device";
        else if (is_other_than(device, "display", "auto") ||
                 is_other_than(device, "ramfb", "auto"))
            wrong = "<vgpu:device> has uuid together with display or ramfb; write these on the "
                    "domain's own <hostdev>";
    }
    if (wrong)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(device), "%s",
                                  wrong);
    return true;
}

bool
vgpu_schema_check(xmlNode *devices, const char *what, GError **error)
{
    g_autoptr(GPtrArray) list = vgpu_xml_nodes(devices->doc, devices, "vgpu:device");

    if (!check_element(devices, &vgpu_schema_grammar, what, error))
        return false;
    for (guint i = 0; i < list->len; i++) {
        if (!check_device(list->pdata[i], what, error))
            return false;
    }
    return true;
}
