/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/migratable.h"

#include <string.h>

#include "base/names.h"

#define QEMU_XMLNS "http://libvirt.org/schemas/domain/qemu/1.0"
#define QEMU(element) "*[local-name()='" element "' and namespace-uri()='" QEMU_XMLNS "']"
#define PROPERTY "enable-migration"
/* for vfio-pci, and for the types that QEMU derives from it */
#define GLOBAL "vfio-pci." PROPERTY "="

char *
vgpu_migratable_alias(const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuHostdev *hostdev;

    if (!want->uuid_is_users)
        return g_strdup_printf(VGPU_ALIAS_PREFIX "%u", want->index);
    hostdev = want->uuid ? vgpu_domain_find_uuid(domain, want->uuid) : NULL;
    /* libvirt drops others from a definition, and numbers the devices itself */
    return hostdev && hostdev->alias && g_str_has_prefix(hostdev->alias, "ua-")
               ? g_strdup(hostdev->alias)
               : NULL;
}

/* The child @name of @parent with @attribute='@value' (NULL: any), be it a new one. */
static xmlNode *
need_child(xmlNode *parent, xmlNs *ns, const char *name, const char *attribute, const char *value)
{
    xmlNode *node;

    for (node = xmlFirstElementChild(parent); node; node = xmlNextElementSibling(node)) {
        g_autofree char *text = attribute ? vgpu_xml_attr(node, attribute) : NULL;

        if (node->ns && strcmp((const char *) node->ns->href, QEMU_XMLNS) == 0 &&
            strcmp((const char *) node->name, name) == 0 && g_strcmp0(text, value) == 0)
            return node;
    }
    node = xmlNewDocNode(parent->doc, ns, BAD_CAST name, NULL);
    if (attribute)
        xmlSetProp(node, BAD_CAST attribute, BAD_CAST value);
    vgpu_xml_insert(parent, xmlLastElementChild(parent), node);
    return node;
}

/* libvirt looks at the namespace alone, so any prefix does. */
static xmlNs *
need_namespace(xmlNode *root)
{
    xmlNs *ns = xmlSearchNsByHref(root->doc, root, BAD_CAST QEMU_XMLNS);

    if (!ns)
        ns = xmlNewNs(root, BAD_CAST QEMU_XMLNS, BAD_CAST "qemu");
    return ns ? ns : xmlNewNs(root, BAD_CAST QEMU_XMLNS, BAD_CAST "libvirt-qemu");
}

static void
put(xmlNode *root, const char *alias)
{
    xmlNs *ns = need_namespace(root);
    xmlNode *override = need_child(root, ns, "override", NULL, NULL);
    xmlNode *device = need_child(override, ns, "device", "alias", alias);
    xmlNode *frontend = need_child(device, ns, "frontend", NULL, NULL);
    xmlNode *property = need_child(frontend, ns, "property", "name", PROPERTY);

    xmlSetProp(property, BAD_CAST "type", BAD_CAST "string");
    xmlSetProp(property, BAD_CAST "value", BAD_CAST "on");
}

/* Whether there is any. */
static bool
put_all(const VgpuDomain *domain, xmlDoc *doc)
{
    bool any = false;

    for (guint i = 0; i < domain->wants->len; i++) {
        g_autofree char *alias = vgpu_migratable_alias(domain, domain->wants->pdata[i]);

        if (alias)
            put(xmlDocGetRootElement(doc), alias);
        any |= alias != NULL;
    }
    return any;
}

void
vgpu_migratable_put(VgpuDomain *domain)
{
    (void) put_all(domain, domain->doc);
}

char *
vgpu_migratable_element(const VgpuDomain *domain)
{
    g_autoptr(xmlDoc) doc = xmlCopyDoc(domain->doc, 1);
    g_autoptr(xmlDoc) alone = xmlNewDoc(NULL);
    xmlNode *override;

    if (!put_all(domain, doc))
        return NULL;
    override = vgpu_xml_node(doc, NULL, "/domain/" QEMU("override"));
    xmlDocSetRootElement(alone, xmlDocCopyNode(override, alone, 1));
    vgpu_xml_remove_blanks(xmlDocGetRootElement(alone));
    vgpu_xml_indent(xmlDocGetRootElement(alone));
    return vgpu_xml_dump(xmlDocGetRootElement(alone));
}

/* --- the present setting -------------------------------------------------------------------- */

static VgpuSwitch
read_value(const char *value)
{
    return g_strcmp0(value, "on") == 0    ? VGPU_SWITCH_ON
           : g_strcmp0(value, "off") == 0 ? VGPU_SWITCH_OFF
                                          : VGPU_SWITCH_AUTO;
}

/* "-global vfio-pci.enable-migration=VALUE": the last one counts. */
static VgpuSwitch
get_global(xmlDoc *doc)
{
    g_autoptr(GPtrArray) args =
        vgpu_xml_nodes(doc, NULL, "/domain/" QEMU("commandline") "/" QEMU("arg"));
    VgpuSwitch result = VGPU_SWITCH_AUTO;

    for (guint i = 1; i < args->len; i++) {
        g_autofree char *option = vgpu_xml_attr(args->pdata[i - 1], "value");
        g_autofree char *value = vgpu_xml_attr(args->pdata[i], "value");

        if (g_strcmp0(option, "-global") == 0 && value && g_str_has_prefix(value, GLOBAL))
            result = read_value(value + strlen(GLOBAL));
    }
    return result;
}

/* Of the device @alias; @fallback if it is not set. */
static VgpuSwitch
get_one(xmlDoc *doc, const char *alias, VgpuSwitch fallback)
{
    g_autoptr(GPtrArray) properties =
        vgpu_xml_nodes(doc, NULL,
                       "/domain/" QEMU("override") "/" QEMU("device") "/" QEMU(
                           "frontend") "/" QEMU("property") "[@name='" PROPERTY "']");

    for (guint i = 0; i < properties->len; i++) {
        xmlNode *node = properties->pdata[i];
        g_autofree char *device = vgpu_xml_attr(node->parent->parent, "alias");
        g_autofree char *value = vgpu_xml_attr(node, "value");

        if (g_str_equal(alias, device ? device : ""))
            return read_value(value);
    }
    return fallback;
}

VgpuSwitch
vgpu_migratable_get(const VgpuDomain *domain)
{
    VgpuSwitch global = get_global(domain->doc);
    bool all = domain->wants->len > 0;

    for (guint i = 0; i < domain->wants->len; i++) {
        g_autofree char *alias = vgpu_migratable_alias(domain, domain->wants->pdata[i]);
        VgpuSwitch one = alias ? get_one(domain->doc, alias, global) : global;

        if (one == VGPU_SWITCH_OFF)
            return VGPU_SWITCH_OFF;
        all = all && one == VGPU_SWITCH_ON;
    }
    return all ? VGPU_SWITCH_ON : VGPU_SWITCH_AUTO;
}
