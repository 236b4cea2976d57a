/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/schema.h"

#include <string.h>

#include "base/names.h"
#include "base/xml.h"
#include "domain/additions.h"

bool
vgpu_schema_refuse(GError **error, VgpuError code, const char *what, long line,
                   const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vgpu_grammar_refuse_at(error, code, what, line, format, args);
    va_end(args);
    return false;
}

static bool
is_count(const char *text)
{
    return vgpu_grammar_is_number(text, 1, VGPU_COUNT_MAX);
}

bool
vgpu_schema_is_param_name(const char *text)
{
    return g_ascii_isalpha(*text) && strlen(text) <= VGPU_GRAMMAR_NAME_MAX &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == strlen(text);
}

/* It is handed to the driver in a comma-separated list of NAME=VALUE. */
bool
vgpu_schema_is_param_value(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p) || *p == ',' || *p == '=')
            return false;
    }
    return *text != '\0';
}

#define A_PROFILE "the name or id of a profile"

static const VgpuGrammarAttribute devices_attributes[] = {
    { "tenant", false, "a name", vgpu_grammar_is_name },
    { "keepRoom", false, "yes|no" },
    { NULL },
};

static const VgpuGrammarAttribute device_attributes[] = {
    { "profile", false, A_PROFILE, vgpu_grammar_is_name },
    { "pool", false, "a name", vgpu_grammar_is_name },
    { "count", false, "a number from 1 to 16", is_count },
    { "display", false, "auto|on|off" },
    { "ramfb", false, "auto|on|off" },
    { "placement", false, "pack|spread|numa" },
    { "gpu", false, "a PCI address such as 0000:41:00.0", vgpu_grammar_is_pci_address },
    { "uuid", false, "a UUID", vgpu_grammar_is_uuid },
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
    { "name", true, A_PROFILE, vgpu_grammar_is_name },
    { NULL },
};

static const VgpuGrammarAttribute param_attributes[] = {
    { "name", true, "a letter, then letters, digits, '_' and '-'", vgpu_schema_is_param_name },
    { "value", true, "ASCII characters without blanks, ',' and '='", vgpu_schema_is_param_value },
    { NULL },
};

static const VgpuGrammarElement device_children[] = {
    { .name = "profile", .many = true, .attributes = profile_attributes },
    { .name = "param", .many = true, .attributes = param_attributes },
    { .name = "hostdev", .children = vgpu_additions_grammar },
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

/* Check combinations of attributes of one <vgpu:device>. */
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
        if (vgpu_xml_attr_differs(device, "count", "1"))
            wrong = "<vgpu:device> has both uuid and count; a UUID names one device";
        else if (vgpu_xml_attr_differs(device, "display", "auto") ||
                 vgpu_xml_attr_differs(device, "ramfb", "auto"))
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

    if (!vgpu_grammar_walk(devices, &vgpu_schema_grammar, VGPU_XMLNS, what, error))
        return false;
    for (guint i = 0; i < list->len; i++) {
        if (!check_device(list->pdata[i], what, error))
            return false;
    }
    return true;
}
