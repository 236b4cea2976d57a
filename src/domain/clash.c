/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/clash.h"

#include <string.h>

#include "base/names.h"
#include "base/xml.h"
#include "domain/additions.h"
#include "domain/schema.h"

/* Set an error: the annotation at @want contradicts the domain. */
#define refuse(error, domain, want, ...)                                                         \
    vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, (domain)->what, (want)->line, __VA_ARGS__)

/* Whether another device of the domain has that place in the guest. Ours do not count: they make way. */
static bool
check_place(const VgpuDomain *domain, const VgpuWant *want, GError **error)
{
    g_autofree char *wanted = vgpu_additions_place(want->additions);
    g_autoptr(GPtrArray) addresses = NULL;

    if (!wanted)
        return true;
    addresses = vgpu_xml_nodes(domain->doc, NULL, "/domain/devices/*/address[@type='pci']");
    for (guint i = 0; i < addresses->len; i++) {
        xmlNode *address = addresses->pdata[i];
        g_autofree char *alias = vgpu_xml_text(domain->doc, address->parent, "alias/@name");
        g_autofree char *place = vgpu_domain_read_address(address);

        if (vgpu_domain_parse_alias(alias) < 0 && g_strcmp0(place, wanted) == 0)
            return refuse(
                error, domain, want,
                "<vgpu:hostdev> asks for the address %s in the guest, which the <%s> at line "
                "%ld has",
                wanted, (const char *) address->parent->name, xmlGetLineNo(address->parent));
    }
    return true;
}

/* Whether a device other than ours has a boot order. While none has, libvirt has the firmware boot from the
 * disks (virDomainDefBootPostParse()), and takes no order any more. */
static bool
has_boot_order(const VgpuDomain *domain)
{
    return vgpu_xml_node(domain->doc, NULL,
                         "/domain/devices/*[boot/@order and not(starts-with(alias/@name, "
                         "'" VGPU_ALIAS_PREFIX "'))]") != NULL;
}

static bool
check_boot_order(const VgpuDomain *domain, const VgpuWant *want, GError **error)
{
    guint order = vgpu_additions_boot_order(want->additions);
    g_autofree char *xpath = g_strdup_printf("/domain/devices/*[boot/@order='%u']", order);
    g_autoptr(GPtrArray) nodes = NULL;

    if (!order)
        return true;
    if (vgpu_xml_node(domain->doc, NULL, "/domain/os/boot"))
        return refuse(
            error, domain, want,
            "<vgpu:hostdev> has <boot order='%u'/>, but the domain has <boot dev='…'/> in "
            "its <os>, but libvirt accepts only one of the two",
            order);
    if (!has_boot_order(domain))
        return refuse(
            error, domain, want,
            "<vgpu:hostdev> has <boot order='%u'/>, but no other device of the domain has "
            "an order, and libvirt then boots from the disks",
            order);
    nodes = vgpu_xml_nodes(domain->doc, NULL, xpath);
    for (guint i = 0; i < nodes->len; i++) {
        xmlNode *node = nodes->pdata[i];
        g_autofree char *alias = vgpu_xml_text(domain->doc, node, "alias/@name");

        if (vgpu_domain_parse_alias(alias) < 0)
            return refuse(error, domain, want,
                          "<vgpu:hostdev> has <boot order='%u'/>, which the <%s> at line %ld has",
                          order, (const char *) node->name, xmlGetLineNo(node));
    }
    return true;
}

bool
vgpu_clash_check(const VgpuDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (want->additions &&
            (!check_place(domain, want, error) || !check_boot_order(domain, want, error)))
            return false;
    }
    return true;
}

bool
vgpu_clash_over_place(const VgpuDomain *domain, int index, const char *place)
{
    for (guint i = 0; place && i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];
        g_autofree char *wanted = vgpu_additions_place(want->additions);

        if ((int) i != index && g_strcmp0(wanted, place) == 0)
            return true;
    }
    return false;
}

/* Whether a device other than @alias has that place, which the device that is set aside has left. */
static bool
is_taken(const VgpuDomain *domain, const char *alias, const char *place)
{
    g_autoptr(GPtrArray) addresses =
        vgpu_xml_nodes(domain->doc, NULL, "/domain/devices/*/address[@type='pci']");

    for (guint i = 0; i < addresses->len; i++) {
        xmlNode *address = addresses->pdata[i];
        g_autofree char *its = vgpu_xml_text(domain->doc, address->parent, "alias/@name");
        g_autofree char *there = vgpu_domain_read_address(address);

        if (g_strcmp0(its, alias) != 0 && g_strcmp0(there, place) == 0)
            return true;
    }
    return false;
}

char *
vgpu_clash_trim(const VgpuDomain *domain, const char *alias, guint index, const char *old,
                bool *unbootable)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(old, strlen(old), "hostdev", NULL);
    xmlNode *address = vgpu_xml_node(doc, NULL, "/*/address[@type='pci']");
    xmlNode *boot = vgpu_xml_node(doc, NULL, "/*/boot");
    g_autofree char *place = address ? vgpu_domain_read_address(address) : NULL;

    if (place &&
        (vgpu_clash_over_place(domain, (int) index, place) || is_taken(domain, alias, place)))
        vgpu_xml_remove(address);
    *unbootable = boot && !has_boot_order(domain);
    if (*unbootable)
        vgpu_xml_remove(boot);
    return vgpu_xml_dump(xmlDocGetRootElement(doc));
}
