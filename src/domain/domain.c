/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/domain.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml-token.h"
#include "domain/schema.h"

#define ANY_DOMAIN "domain XML" /* as long as its name is not known */

#define DRIVER_DISK "devices/disk[alias/@name='" VGPU_ALIAS_DRIVER "']"

#define HOSTDEVS "devices/hostdev[not(@mode) or @mode='subsystem'][@type='mdev' or @type='pci']"

static void
hostdev_free(VgpuHostdev *self)
{
    g_free(self->uuid);
    g_free(self->source);
    g_free(self->alias);
    g_free(self->place);
    g_free(self->xml);
    g_free(self);
}

int
vgpu_domain_parse_alias(const char *alias)
{
    const char *digits;
    guint64 index;

    if (!alias || !g_str_has_prefix(alias, VGPU_ALIAS_PREFIX))
        return -1;
    digits = alias + strlen(VGPU_ALIAS_PREFIX);
    if ((digits[0] == '0' && digits[1]) ||
        !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT, &index, NULL))
        return -1;
    return (int) index;
}

static bool
has_value(xmlNode *node, const char *attribute, const char *expected)
{
    g_autofree char *value = vgpu_xml_attr(node, attribute);

    return g_strcmp0(value, expected) == 0;
}

/* As libvirt writes it, with 0x, or as people do; absent is 0. */
static bool
read_number(xmlNode *node, const char *attribute, guint64 max, guint64 *out)
{
    g_autofree char *text = vgpu_xml_attr(node, attribute);
    char *end;

    *out = 0;
    if (!text)
        return true;
    *out = g_ascii_strtoull(text, &end, 0);
    return g_ascii_isdigit(*text) && !*end && *out <= max;
}

char *
vgpu_domain_read_address(xmlNode *address)
{
    guint64 domain, bus, slot, function;
    VgpuPciAddr addr;

    if (!read_number(address, "domain", G_MAXUINT32, &domain) ||
        !read_number(address, "bus", 255, &bus) || !read_number(address, "slot", 31, &slot) ||
        !read_number(address, "function", 7, &function) || !(domain || bus || slot))
        return NULL;
    addr = (VgpuPciAddr) {
        .domain = (guint32) domain,
        .bus = (guint8) bus,
        .slot = (guint8) slot,
        .function = (guint8) function,
    };
    return vgpu_pciaddr_format(&addr);
}

/* In a document of its own, since a namespace may be declared further up. */
static char *
dump_alone(xmlNode *node)
{
    g_autoptr(xmlDoc) doc = xmlNewDoc(NULL);

    xmlDocSetRootElement(doc, xmlDocCopyNode(node, doc, 1));
    return vgpu_xml_dump(xmlDocGetRootElement(doc));
}

static VgpuHostdev *
read_hostdev(xmlNode *node)
{
    VgpuHostdev *self = g_new0(VgpuHostdev, 1);
    g_autofree char *uuid =
        vgpu_xml_text(node->doc, node, "self::*[@type='mdev']/source/address/@uuid");
    xmlNode *source = vgpu_xml_node(node->doc, node, "self::*[@type='pci']/source/address");
    xmlNode *place = vgpu_xml_node(node->doc, node, "address[@type='pci']");

    self->uuid = vgpu_uuid_from_xml(uuid);
    self->source = source ? vgpu_domain_read_address(source) : NULL;
    self->managed = has_value(node, "managed", "yes");
    self->alias = vgpu_xml_text(node->doc, node, "alias/@name");
    self->index = vgpu_domain_parse_alias(self->alias);
    self->display = has_value(node, "display", "on");
    self->ramfb = has_value(node, "ramfb", "on");
    self->place = place ? vgpu_domain_read_address(place) : NULL;
    self->xml = self->index >= 0 ? dump_alone(node) : NULL;
    self->line = xmlGetLineNo(node);
    return self;
}

static GPtrArray *
read_hostdevs(const VgpuDomain *self)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(self);
    GPtrArray *hostdevs = g_ptr_array_new_with_free_func((GDestroyNotify) hostdev_free);

    for (guint i = 0; i < nodes->len; i++)
        g_ptr_array_add(hostdevs, read_hostdev(nodes->pdata[i]));
    return hostdevs;
}

static bool
read_name(VgpuDomain *self, xmlNode *root, const char *what, GError **error)
{
    const char *source = what ? what : ANY_DOMAIN;

    if (root->ns || !g_str_equal((const char *) root->name, "domain"))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, source, xmlGetLineNo(root),
                                  "<%s> is not a <domain>", (const char *) root->name);
    self->name = vgpu_xml_text(self->doc, root, "name");
    if (!self->name || !*self->name)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, source, xmlGetLineNo(root),
                                  "the domain has no <name>");
    self->what = what ? g_strdup(what) : g_strdup_printf("domain '%s'", self->name);
    return true;
}

static bool
read_identity(VgpuDomain *self, xmlNode *root, GError **error)
{
    xmlNode *node = vgpu_xml_node(self->doc, root, "uuid");
    g_autofree char *uuid = vgpu_xml_text(self->doc, root, "uuid");
    g_autofree char *id = vgpu_xml_attr(root, "id");
    guint64 number;

    if (uuid && !(self->uuid = vgpu_uuid_from_xml(uuid)))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, self->what, xmlGetLineNo(node),
                                  "<uuid> is '%s', expected a UUID", g_strstrip(uuid));
    self->id = -1;
    if (id && g_ascii_string_to_unsigned(id, 10, 0, G_MAXINT, &number, NULL))
        self->id = (int) number;
    return true;
}

/* One number of a set. */
static bool
read_member(const char *text, guint64 *number)
{
    return g_ascii_isdigit(*text) &&
           g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, number, NULL);
}

/* "0", "0-3" or "^2"; the last removes a CPU from those before it. */
static bool
apply_member(char *text, guint64 *set)
{
    char *dash = strchr(text, '-');
    guint64 first, last;

    if (*text == '^') {
        if (!read_member(text + 1, &first))
            return false;
        *set &= first < 64 ? ~(G_GUINT64_CONSTANT(1) << first) : ~G_GUINT64_CONSTANT(0);
        return true;
    }
    if (dash)
        *dash = '\0';
    if (!read_member(g_strchomp(text), &first))
        return false;
    last = first;
    if (dash && (!read_member(g_strchug(dash + 1), &last) || last < first))
        return false;
    for (guint64 i = first; i <= last && i < 64; i++)
        *set |= G_GUINT64_CONSTANT(1) << i;
    return true;
}

bool
vgpu_domain_parse_set(const char *text, guint64 *set)
{
    g_auto(GStrv) members = g_strsplit(text, ",", -1);
    guint64 bits = 0;

    for (gsize i = 0; members[i]; i++) {
        if (!apply_member(g_strstrip(members[i]), &bits))
            return false;
    }
    if (!members[0])
        return false;
    *set = bits;
    return true;
}

static void
read_places(VgpuDomain *self, xmlNode *root)
{
    g_autofree char *nodes =
        vgpu_xml_text(self->doc, root, "numatune/memory[not(@mode) or @mode='strict']/@nodeset");
    g_autoptr(GPtrArray) pins = vgpu_xml_nodes(self->doc, root, "cputune/vcpupin");
    g_autoptr(GString) joined = g_string_new(NULL);

    if (nodes && !vgpu_domain_parse_set(nodes, &self->numa_nodes))
        self->numa_nodes = 0;
    self->cpuset = vgpu_xml_text(self->doc, root, "vcpu[not(@placement='auto')]/@cpuset");
    for (guint i = 0; !self->cpuset && i < pins->len; i++) {
        g_autofree char *set = vgpu_xml_attr(pins->pdata[i], "cpuset");

        if (set)
            g_string_append_printf(joined, "%s%s", joined->len ? "," : "", set);
    }
    if (joined->len)
        self->cpuset = g_strdup(joined->str);
}

static void
read_driver_disk(VgpuDomain *self, xmlNode *root)
{
    self->has_driver_disk = vgpu_xml_node(self->doc, root, DRIVER_DISK) != NULL;
    self->driver_disk_file =
        vgpu_xml_text(self->doc, root, DRIVER_DISK "[not(@type) or @type='file']/source/@file");
}

VgpuDomain *
vgpu_domain_from_doc(xmlDoc *doc, const char *what, GError **error)
{
    g_autoptr(VgpuDomain) self = g_new0(VgpuDomain, 1);
    xmlNode *root = xmlDocGetRootElement(doc);
    VgpuAnnotation annotation;

    self->doc = doc;
    if (!read_name(self, root, what, error) || !read_identity(self, root, error) ||
        !vgpu_annotation_parse(root, self->uuid, self->what, &annotation, error))
        return NULL;

    self->annotated = annotation.annotated;
    self->wants = annotation.wants;
    self->tenant = annotation.tenant;
    self->keep_room = annotation.keep_room;
    self->has_graphics = vgpu_xml_node(self->doc, root, "devices/graphics") != NULL;
    self->has_gl = vgpu_xml_node(self->doc, root,
                                 "devices/graphics[@type='egl-headless' or "
                                 "gl/@enable='yes']") != NULL;
    self->hostdevs = read_hostdevs(self);
    read_places(self, root);
    read_driver_disk(self, root);
    return g_steal_pointer(&self);
}

static bool
contains(const char *xml, gsize len, const char *text)
{
    return memmem(xml, len, text, strlen(text)) != NULL;
}

bool
vgpu_domain_is_marked(const char *xml, gsize len)
{
    return contains(xml, len, VGPU_XMLNS_FAMILY) || contains(xml, len, VGPU_ALIAS_PREFIX);
}

char *
vgpu_domain_peek_uuid(const char *xml, gsize len)
{
    const char *problem = NULL;
    VgpuXmlToken token;
    guint depth = 0;
    gsize at = 0;

    while (vgpu_xml_token_next(xml, len, &at, &token, &problem)) {
        if (token.kind == VGPU_XML_TOKEN_START) {
            if (depth == 0 && !vgpu_xml_token_is(&token, "domain"))
                return NULL;
            if (depth == 1 && vgpu_xml_token_is(&token, "uuid"))
                break;
            depth++;
        } else if (token.kind == VGPU_XML_TOKEN_END && depth-- <= 1) {
            return NULL;
        }
    }
    if (vgpu_xml_token_next(xml, len, &at, &token, &problem) &&
        token.kind == VGPU_XML_TOKEN_TEXT) {
        g_autofree char *text = g_strndup(token.text, token.len);

        return vgpu_uuid_from_xml(text);
    }
    return NULL;
}

bool
vgpu_domain_peek_id(const char *xml, gsize len, int *id)
{
    const char *problem = NULL;
    g_autofree char *text = NULL;
    VgpuXmlToken token = { 0 };
    guint64 number;
    gsize at = 0;

    while (vgpu_xml_token_next(xml, len, &at, &token, &problem)) {
        if (token.kind >= VGPU_XML_TOKEN_START)
            break;
    }
    if (vgpu_xml_token_is(&token, "domain"))
        text = vgpu_xml_token_attr(&token, "id");
    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL))
        return false;
    *id = (int) number;
    return true;
}

VgpuDomain *
vgpu_domain_parse(const char *xml, gsize len, const char *what, GError **error)
{
    xmlDoc *doc = vgpu_xml_parse(xml, len, what ? what : ANY_DOMAIN, error);

    return doc ? vgpu_domain_from_doc(doc, what, error) : NULL;
}

void
vgpu_domain_free(VgpuDomain *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->doc, xmlFreeDoc);
    g_clear_pointer(&self->wants, g_ptr_array_unref);
    g_clear_pointer(&self->hostdevs, g_ptr_array_unref);
    g_free(self->what);
    g_free(self->name);
    g_free(self->uuid);
    g_free(self->tenant);
    g_free(self->cpuset);
    g_free(self->driver_disk_file);
    g_free(self->driver_iso);
    g_free(self->aside);
    g_free(self);
}

const VgpuHostdev *
vgpu_domain_find_ours(const VgpuDomain *self, guint index)
{
    for (guint i = 0; i < self->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = self->hostdevs->pdata[i];

        if (hostdev->index >= 0 && (guint) hostdev->index == index)
            return hostdev;
    }
    return NULL;
}

GPtrArray *
vgpu_domain_hostdev_nodes(const VgpuDomain *self)
{
    return vgpu_xml_nodes(self->doc, xmlDocGetRootElement(self->doc), HOSTDEVS);
}

const VgpuHostdev *
vgpu_domain_find_uuid(const VgpuDomain *self, const char *uuid)
{
    for (guint i = 0; i < self->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = self->hostdevs->pdata[i];

        if (hostdev->uuid && g_ascii_strcasecmp(hostdev->uuid, uuid) == 0)
            return hostdev;
    }
    return NULL;
}
