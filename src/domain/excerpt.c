/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/excerpt.h"

#include "base/names.h"
#include "base/xml.h"

/* The removed parts: metadata of others, everything that is not a device, and of devices that no caller
 * needs everything but their places. */
static const char *const needless[] = {
    "//comment()",
    "//processing-instruction()",
    "/domain/metadata/*[not(starts-with(namespace-uri(), '" VGPU_XMLNS_FAMILY "'))]",
    "/domain/*[not(self::name or self::uuid or self::metadata or self::memory or self::memtune "
    "or self::vcpu or "
    "self::cputune or self::numatune or self::os or self::devices)]",
    "/domain/devices/*[not(self::hostdev or self::graphics or self::controller or "
    "alias/@name='" VGPU_ALIAS_DRIVER
    "')]/*[not(self::address or self::alias or self::boot or self::target or "
    "self::model)]",
};

static xmlDoc *
make(const VgpuDomain *domain)
{
    xmlDoc *doc = xmlCopyDoc(domain->doc, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(needless); i++) {
        g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, needless[i]);

        for (guint n = 0; n < nodes->len; n++) {
            xmlUnlinkNode(nodes->pdata[n]);
            xmlFreeNode(nodes->pdata[n]);
        }
    }
    return doc;
}

char *
vgpu_excerpt_make(const VgpuDomain *domain)
{
    g_autoptr(xmlDoc) doc = make(domain);

    return vgpu_xml_dump_doc(doc);
}

char *
vgpu_excerpt_make_portable(const VgpuDomain *domain)
{
    g_autoptr(xmlDoc) doc = make(domain);
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, "/domain/devices/hostdev");

    for (guint i = 0; i < nodes->len; i++) {
        g_autofree char *alias = vgpu_xml_text(doc, nodes->pdata[i], "alias/@name");

        if (alias && vgpu_domain_parse_alias(alias) >= 0)
            vgpu_xml_remove(nodes->pdata[i]);
    }
    xmlUnsetProp(xmlDocGetRootElement(doc), BAD_CAST "id");
    return vgpu_xml_dump_doc(doc);
}
