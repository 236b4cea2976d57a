/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/additions.h"

#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "base/printable.h"
#include "base/xml.h"

#define BOOT_ORDER_MAX 9999u

/* --- what there can be ---------------------------------------------------------------------- */

/* As libvirt writes it, with 0x, or decimal. */
static bool
is_number(const char *text, guint digits, guint max)
{
    const char *hex;

    if (!g_str_has_prefix(text, "0x"))
        return vgpu_grammar_is_number(text, 0, max);
    hex = text + strlen("0x");
    return *hex && strlen(hex) <= digits && hex[strspn(hex, "0123456789abcdefABCDEF")] == '\0' &&
           g_ascii_strtoull(hex, NULL, 16) <= max;
}

static bool
is_domain(const char *text)
{
    return is_number(text, 4, 0xffff);
}

static bool
is_bus(const char *text)
{
    return is_number(text, 2, 0xff);
}

static bool
is_slot(const char *text)
{
    return is_number(text, 2, 0x1f);
}

static bool
is_function(const char *text)
{
    return is_number(text, 1, 7);
}

static bool
is_order(const char *text)
{
    return vgpu_grammar_is_number(text, 1, BOOT_ORDER_MAX);
}

static bool
is_path(const char *text)
{
    return text[0] == '/' && text[1] && vgpu_printable_is(text);
}

static bool
is_module(const char *text)
{
    return *text && text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-")] == '\0';
}

static const VgpuGrammarAttribute address_attributes[] = {
    { "type", true, "pci" },
    { "domain", false, "a number from 0 to 0xffff", is_domain },
    { "bus", false, "a number from 0 to 0xff", is_bus },
    { "slot", true, "a number from 0 to 0x1f", is_slot },
    { "function", false, "a number from 0 to 7", is_function },
    { "multifunction", false, "on|off" },
    { NULL },
};

static const VgpuGrammarAttribute rom_attributes[] = {
    { "enabled", false, "yes|no" },
    { "bar", false, "on|off" },
    { "file", false, "an absolute path", is_path },
    { NULL },
};

static const VgpuGrammarAttribute boot_attributes[] = {
    { "order", true, "a number from 1 to 9999", is_order },
    { NULL },
};

static const VgpuGrammarAttribute driver_attributes[] = {
    { "name", false, "vfio" },
    { "model", false, "the name of a kernel module", is_module },
    { NULL },
};

const VgpuGrammarElement vgpu_additions_grammar[] = {
    { .name = "address", .is_libvirts = true, .attributes = address_attributes },
    { .name = "rom", .is_libvirts = true, .attributes = rom_attributes },
    { .name = "boot", .is_libvirts = true, .attributes = boot_attributes },
    { .name = "driver", .is_libvirts = true, .attributes = driver_attributes },
    { NULL },
};

/* --- one element ---------------------------------------------------------------------------- */

static xmlNode *
find(xmlNode *parent, const char *name)
{
    for (xmlNode *child = parent->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && xmlStrEqual(child->name, BAD_CAST name))
            return child;
    }
    return NULL;
}

static bool
is_address(const VgpuGrammarElement *element)
{
    return element->attributes == address_attributes;
}

/* Absent is 0, as for libvirt. */
static guint64
number_of(xmlNode *node, const char *attribute)
{
    g_autofree char *text = vgpu_xml_attr(node, attribute);

    return text ? g_ascii_strtoull(text, NULL, 0) : 0;
}

static bool
is_same_place(xmlNode *a, xmlNode *b)
{
    static const char *const parts[] = { "domain", "bus", "slot", "function" };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (number_of(a, parts[i]) != number_of(b, parts[i]))
            return false;
    }
    return !vgpu_xml_attr_differs(b, "type", "pci");
}

/* What libvirt fills in where nothing is said. */
static bool
is_filled_in(const char *attribute)
{
    return g_str_equal(attribute, "multifunction") || g_str_equal(attribute, "name");
}

/* Whether @there is as @wanted asks for. */
static bool
is_same(xmlNode *wanted, xmlNode *there, const VgpuGrammarElement *element)
{
    if (is_address(element) && !is_same_place(wanted, there))
        return false;
    for (const VgpuGrammarAttribute *rule = element->attributes; rule->name; rule++) {
        g_autofree char *value = vgpu_xml_attr(wanted, rule->name);
        g_autofree char *other = vgpu_xml_attr(there, rule->name);

        if ((is_address(element) && rule->is_valid) || (!value && is_filled_in(rule->name)))
            continue;
        if (g_strcmp0(value, other) != 0)
            return false;
    }
    return true;
}

static void
add_element(GString *xml, xmlNode *node, const VgpuGrammarElement *element)
{
    g_string_append_printf(xml, "<%s", element->name);
    for (const VgpuGrammarAttribute *rule = element->attributes; rule->name; rule++) {
        g_autofree char *value = vgpu_xml_attr(node, rule->name);
        g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

        if (escaped)
            g_string_append_printf(xml, " %s=\"%s\"", rule->name, escaped);
    }
    g_string_append(xml, "/>");
}

/* --- all of them ---------------------------------------------------------------------------- */

static xmlDoc *
parse_text(const char *self)
{
    return self ? vgpu_xml_parse(self, strlen(self), "additions", NULL) : NULL;
}

static bool
check_rom(xmlNode *rom, const char *what, GError **error)
{
    bool is_off = vgpu_xml_attr_differs(rom, "enabled", "yes");

    if (!rom->properties)
        return vgpu_grammar_refuse(error, what, rom, "<rom> is empty: set bar or file");
    return !is_off || !rom->properties->next ||
           vgpu_grammar_refuse(error, what, rom,
                               "<rom> has enabled='no' beside bar or file, but libvirt accepts "
                               "only one of the two");
}

static bool
check_address(xmlNode *address, const char *what, GError **error)
{
    return number_of(address, "domain") || number_of(address, "bus") ||
           number_of(address, "slot") ||
           vgpu_grammar_refuse(error, what, address,
                               "<address> is 0000:00:00, which is the host bridge's; give it "
                               "another slot");
}

/* Check combinations of elements of @hostdev. */
static bool
check(xmlNode *device, xmlNode *hostdev, const char *what, GError **error)
{
    xmlNode *address = find(hostdev, "address");
    xmlNode *rom = find(hostdev, "rom");
    xmlNode *driver = find(hostdev, "driver");
    xmlNode *alone = address ? address : find(hostdev, "boot");

    if (xmlHasNsProp(device, BAD_CAST "uuid", NULL))
        return vgpu_grammar_refuse(error, what, hostdev,
                                   "<vgpu:device> has uuid together with <vgpu:hostdev>; write "
                                   "its elements on the domain's own <hostdev>");
    if (alone && vgpu_xml_attr_differs(device, "count", "1"))
        return vgpu_grammar_refuse(error, what, alone,
                                   "<%s> is for one vGPU, but its <vgpu:device> has a count; "
                                   "write a <vgpu:device> for each",
                                   alone->name);
    if (driver && !driver->properties)
        return vgpu_grammar_refuse(error, what, driver, "<driver> is empty: set name or model");
    return (!address || check_address(address, what, error)) &&
           (!rom || check_rom(rom, what, error));
}

bool
vgpu_additions_parse(xmlNode *device, const char *what, char **out, GError **error)
{
    xmlNode *hostdev = vgpu_xml_node(device->doc, device, "vgpu:hostdev");
    g_autoptr(GString) xml = g_string_new(NULL);

    if (hostdev && !check(device, hostdev, what, error))
        return false;
    for (gsize i = 0; hostdev && vgpu_additions_grammar[i].name; i++) {
        xmlNode *node = find(hostdev, vgpu_additions_grammar[i].name);

        if (node)
            add_element(xml, node, &vgpu_additions_grammar[i]);
    }
    *out = xml->len ? g_strdup_printf("<hostdev>%s</hostdev>", xml->str) : NULL;
    return true;
}

const char *
vgpu_additions_for_pci(const char *self)
{
    static const char *const names[] = { "<rom", "<boot", "<driver" };
    static const char *const shown[] = { "<rom>", "<boot>", "<driver>" };

    for (gsize i = 0; self && i < G_N_ELEMENTS(names); i++) {
        if (strstr(self, names[i])) /* in no attribute: there it is escaped */
            return shown[i];
    }
    return NULL;
}

bool
vgpu_additions_name_driver(const char *self)
{
    g_autoptr(xmlDoc) doc = parse_text(self);

    return doc && vgpu_xml_node(doc, NULL, "/hostdev/driver/@model");
}

guint
vgpu_additions_boot_order(const char *self)
{
    g_autoptr(xmlDoc) doc = parse_text(self);
    xmlNode *boot = doc ? find(xmlDocGetRootElement(doc), "boot") : NULL;

    return boot ? (guint) number_of(boot, "order") : 0;
}

char *
vgpu_additions_place(const char *self)
{
    g_autoptr(xmlDoc) doc = parse_text(self);
    xmlNode *address = doc ? find(xmlDocGetRootElement(doc), "address") : NULL;
    VgpuPciAddr place;

    if (!address)
        return NULL;
    place = (VgpuPciAddr) {
        .domain = (guint32) number_of(address, "domain"),
        .bus = (guint8) number_of(address, "bus"),
        .slot = (guint8) number_of(address, "slot"),
        .function = (guint8) number_of(address, "function"),
    };
    return vgpu_pciaddr_format(&place);
}

bool
vgpu_additions_are_on(const char *self, xmlNode *hostdev)
{
    g_autoptr(xmlDoc) doc = parse_text(self);

    for (gsize i = 0; doc && vgpu_additions_grammar[i].name; i++) {
        const VgpuGrammarElement *element = &vgpu_additions_grammar[i];
        xmlNode *wanted = find(xmlDocGetRootElement(doc), element->name);
        xmlNode *there = find(hostdev, element->name);

        if (wanted && !(there && is_same(wanted, there, element)))
            return false;
    }
    return true;
}

void
vgpu_additions_put(const char *self, xmlNode *hostdev)
{
    g_autoptr(xmlDoc) doc = parse_text(self);

    for (gsize i = 0; doc && vgpu_additions_grammar[i].name; i++) {
        const char *name = vgpu_additions_grammar[i].name;
        xmlNode *wanted = find(xmlDocGetRootElement(doc), name);
        xmlNode *there = wanted ? find(hostdev, name) : NULL;

        if (there)
            vgpu_xml_remove(there);
        if (wanted)
            xmlAddChild(hostdev, xmlDocCopyNode(wanted, hostdev->doc, 1));
    }
}
