/* How it works: the tables repeat what the schema says, because libxml2's own messages do not help
 * an administrator ("Extra element device in interleave"). The schema has the last word. */
#include "domain/schema.h"

#include <gio/gio.h>
#include <libxml/relaxng.h>
#include <libxml/xmlerror.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "domain/schema-resource.h"

#define SCHEMA_PATH "/org/virtvgpu/virt-vgpu-domain.rng"
#define TEXT_MAX 1000 /* characters of an error */

typedef struct {
    const char *name;
    const char *expected;               /* the allowed values, "a|b"; or in words, with */
    bool (*is_valid)(const char *text); /* what checks it */
} AttributeRule;

/* Both lists end with an entry without a name. */
typedef struct ElementRule {
    const char *name;
    const AttributeRule *attributes;
    const char *required[3];            /* attributes that must be there */
    const struct ElementRule *children; /* NULL: none */
} ElementRule;

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
is_pci_address(const char *text)
{
    VgpuPciAddr addr;

    return vgpu_pciaddr_parse(text, &addr);
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

static const AttributeRule devices_attributes[] = {
    { "tenant", "a name", is_name },
    { NULL },
};

static const AttributeRule device_attributes[] = {
    { "profile", "the name or id of a profile", is_name },
    { "pool", "a name", is_name },
    { "count", "a number from 1 to 16", is_count },
    { "display", "auto|on|off" },
    { "ramfb", "auto|on|off" },
    { "placement", "pack|spread|numa" },
    { "gpu", "a PCI address such as 0000:41:00.0", is_pci_address },
    { "uuid", "a UUID", is_uuid },
    { "create", "start|define" },
    { "lateAttach", "on|off" },
    { "driverISO", "yes|no" },
    { "frameRateLimit", "on|off" },
    { "consoleVNC", "on|off" },
    { "unifiedMemory", "on|off" },
    { "debugging", "on|off" },
    { "profiling", "on|off" },
    { NULL },
};

static const AttributeRule profile_attributes[] = {
    { "name", "the name or id of a profile", is_name },
    { NULL },
};

static const AttributeRule param_attributes[] = {
    { "name", "a letter, then letters, digits, '_' and '-'", is_param_name },
    { "value", "ASCII characters without blanks, ',' and '='", is_param_value },
    { NULL },
};

static const ElementRule device_children[] = {
    { .name = "profile", .attributes = profile_attributes, .required = { "name" } },
    { .name = "param", .attributes = param_attributes, .required = { "name", "value" } },
    { NULL },
};

static const ElementRule devices_children[] = {
    { .name = "device", .attributes = device_attributes, .children = device_children },
    { NULL },
};

static const ElementRule devices_rule = {
    .name = "devices",
    .attributes = devices_attributes,
    .children = devices_children,
};

static bool
is_allowed(const AttributeRule *rule, const char *value)
{
    g_auto(GStrv) values = NULL;

    if (rule->is_valid)
        return rule->is_valid(value);
    values = g_strsplit(rule->expected, "|", -1);
    return g_strv_contains((const char *const *) values, value);
}

static char *
list_attributes(const AttributeRule *rule)
{
    GString *names = g_string_new(NULL);

    for (; rule->name; rule++)
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", rule->name);
    return g_string_free(names, FALSE);
}

static char *
list_children(const ElementRule *rule)
{
    GString *names = g_string_new(NULL);

    for (; rule && rule->name; rule++)
        g_string_append_printf(names, "%s<vgpu:%s>", names->len ? " and " : "", rule->name);
    return g_string_free(names, FALSE);
}

static bool
check_attribute(xmlNode *node, const xmlAttr *attr, const ElementRule *element, const char *what,
                GError **error)
{
    const AttributeRule *rule = element->attributes;
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
static const ElementRule *
find_child_rule(xmlNode *child, const ElementRule *parent, const char *what, GError **error)
{
    g_autofree char *known = NULL;
    const char *prefix = child->ns ? (const char *) child->ns->prefix : NULL;

    if (child->ns && g_str_equal((const char *) child->ns->href, VGPU_XMLNS)) {
        for (const ElementRule *rule = parent->children; rule && rule->name; rule++) {
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
check_element(xmlNode *node, const ElementRule *rule, const char *what, GError **error)
{
    for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!check_attribute(node, attr, rule, what, error))
            return false;
    }
    for (gsize i = 0; rule->required[i]; i++) {
        if (!xmlHasNsProp(node, BAD_CAST rule->required[i], NULL))
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                      "<vgpu:%s> lacks the attribute '%s'", rule->name,
                                      rule->required[i]);
    }
    for (xmlNode *child = node->children; child; child = child->next) {
        const ElementRule *child_rule;

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

    if (!check_element(devices, &devices_rule, what, error))
        return false;
    for (guint i = 0; i < list->len; i++) {
        if (!check_device(list->pdata[i], what, error))
            return false;
    }
    return true;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

#if LIBXML_VERSION >= 21200
typedef const xmlError CapturedError;
#else
typedef xmlError CapturedError;
#endif

typedef struct {
    char *text;
    long line;
} Capture;

/* The first message is the nearest to the mistake; what follows only repeats it further up. */
static void
on_error(void *opaque, CapturedError *err)
{
    Capture *capture = opaque;

    if (capture->text)
        return;
    capture->text = g_strstrip(g_strdup(err->message ? err->message : "not valid"));
    capture->line = err->line;
}

/* The schema is part of the program, so one that cannot be read is a bug. */
static xmlRelaxNG *
load_schema(void)
{
    g_autoptr(GBytes) bytes = g_resource_lookup_data(vgpu_schema_get_resource(), SCHEMA_PATH,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    Capture capture = { 0 };
    xmlRelaxNGParserCtxt *ctxt;
    xmlRelaxNG *schema;

    if (!bytes)
        g_error("%s is not built in", SCHEMA_PATH);
    ctxt =
        xmlRelaxNGNewMemParserCtxt(g_bytes_get_data(bytes, NULL), (int) g_bytes_get_size(bytes));
    xmlRelaxNGSetParserStructuredErrors(ctxt, on_error, &capture);
    schema = xmlRelaxNGParse(ctxt);
    xmlRelaxNGFreeParserCtxt(ctxt);
    if (!schema)
        g_error("%s: line %ld: %s", SCHEMA_PATH, capture.line, capture.text);
    g_free(capture.text);
    return schema;
}

bool
vgpu_schema_validate(xmlNode *devices, const char *what, GError **error)
{
    /* libxml2 does not promise that a parsed schema can be used by two threads at once */
    static GMutex lock;
    static xmlRelaxNG *schema;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autoptr(xmlRelaxNGValidCtxt) ctxt = NULL;
    g_autoptr(xmlDoc) doc = xmlNewDoc(NULL);
    Capture capture = { 0 };
    bool valid;

    if (!schema)
        schema = load_schema();
    ctxt = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidStructuredErrors(ctxt, on_error, &capture);

    /* In a document of its own: xmlRelaxNGValidateFullElement() refuses what is valid, without a
     * reason (2.9.14). */
    xmlDocSetRootElement(doc, xmlDocCopyNode(devices, doc, 1));
    valid = xmlRelaxNGValidateDoc(ctxt, doc) == 0;
    if (!valid)
        vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what,
                           capture.line > 0 ? capture.line : xmlGetLineNo(devices), "%s",
                           capture.text ? capture.text : "not a valid annotation");
    g_free(capture.text);
    return valid;
}
