/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/hostdev.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/xml.h"
#include "domain/additions.h"
#include "domain/schema.h"

char *
vgpu_hostdev_libvirt_text(gulong libvirt)
{
    return g_strdup_printf("%lu.%lu.%lu", libvirt / 1000000, libvirt / 1000 % 1000,
                           libvirt % 1000);
}

bool
vgpu_hostdev_is_mdev(const VgpuWant *self)
{
    return self->interface == VGPU_INTERFACE_NONE || self->interface == VGPU_INTERFACE_MDEV;
}

char *
vgpu_hostdev_device_text(const VgpuWant *self)
{
    return vgpu_hostdev_is_mdev(self) ? g_strdup(self->uuid) : g_strdup_printf("VF %s", self->vf);
}

static bool
check_libvirt(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture, gulong libvirt,
              GError **error)
{
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    if (libvirt < VGPU_LIBVIRT_VENDOR_VFIO)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is on NVIDIA's vendor-specific VFIO, which needs "
                                  "libvirt 9.7 or newer; this is %s",
                                  want->index, version);
    if ((picture.display || picture.ramfb) && libvirt < VGPU_LIBVIRT_PCI_DISPLAY)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is on NVIDIA's vendor-specific VFIO, where %s needs "
                                  "libvirt 10.3 or newer; this is %s; write display='off' to go "
                                  "without",
                                  want->index, picture.display ? "a display" : "ramfb", version);
    return true;
}

static bool
check_additions(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt, GError **error)
{
    const char *for_pci = vgpu_additions_for_pci(want->additions);
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    if (for_pci && want->interface == VGPU_INTERFACE_MDEV)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "<vgpu:hostdev> has %s, but vGPU %u is an mdev, and libvirt "
                                  "accepts %s only for PCI devices; leave it out",
                                  for_pci, want->index, for_pci);
    if (libvirt && libvirt < VGPU_LIBVIRT_DRIVER_MODEL &&
        vgpu_additions_name_driver(want->additions))
        return vgpu_schema_refuse(
            error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
            "<vgpu:hostdev> has <driver model='…'>, which needs libvirt 10.0 "
            "or newer; this is %s",
            version);
    return true;
}

bool
vgpu_hostdev_check(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture,
                   gulong libvirt, GError **error)
{
    if (want->additions && !check_additions(domain, want, libvirt, error))
        return false;
    if (vgpu_hostdev_is_mdev(want))
        return true;
    if (want->interface == VGPU_INTERFACE_VENDOR_VFIO && libvirt &&
        !check_libvirt(domain, want, picture, libvirt, error))
        return false;
    if (want->interface == VGPU_INTERFACE_VF && (picture.display || picture.ramfb))
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is a plain VF, which can have neither display nor "
                                  "ramfb; leave them out, or write 'off'",
                                  want->index);
    if (!want->vf)
        return vgpu_schema_refuse(error, VGPU_ERROR_BUSY, domain->what, want->line,
                                  "vGPU %u needs a VF, but none has been chosen yet; try again "
                                  "in a moment",
                                  want->index);
    return true;
}

/* Only a PCI hostdev may be silent about its picture: of an mdev libvirt wants to know it. */
static char *
format_attributes(const VgpuWant *want, VgpuPicture picture)
{
    g_autofree char *shown =
        g_strdup_printf(" display='%s' ramfb='%s'", picture.display ? "on" : "off",
                        picture.ramfb ? "on" : "off");

    if (vgpu_hostdev_is_mdev(want))
        return g_strconcat("type='mdev' model='vfio-pci'", shown, NULL);
    return g_strconcat("type='pci' managed='",
                       want->interface == VGPU_INTERFACE_VF ? "yes" : "no", "'",
                       picture.display || picture.ramfb ? shown : "", NULL);
}

/* In the form in which libvirt writes it; some hosts have PCI domains of more than four
 * digits. */
static char *
format_source(const VgpuWant *want)
{
    VgpuPciAddr addr = { 0 };

    if (vgpu_hostdev_is_mdev(want))
        return g_strdup_printf("<address uuid='%s'/>", want->uuid);
    if (!vgpu_pciaddr_parse(want->vf, &addr))
        g_critical("vGPU %u is on '%s'", want->index, want->vf);
    return g_strdup_printf("<address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
                           "function='0x%x'/>",
                           addr.domain, addr.bus, addr.slot, addr.function);
}

char *
vgpu_hostdev_format(const VgpuWant *want, VgpuPicture picture)
{
    g_autofree char *attributes = format_attributes(want, picture);
    g_autofree char *source = format_source(want);

    return g_strdup_printf("<hostdev mode='subsystem' %s><source>%s</source>"
                           "<alias name='" VGPU_ALIAS_PREFIX "%u'/></hostdev>",
                           attributes, source, want->index);
}

/* --- one that is there ---------------------------------------------------------------------- */

static bool
is_on(xmlNode *node, const char *attribute)
{
    g_autofree char *value = vgpu_xml_attr(node, attribute);

    return g_strcmp0(value, "on") == 0;
}

static bool
is_mdev_node(xmlNode *node)
{
    g_autofree char *type = vgpu_xml_attr(node, "type");

    return g_strcmp0(type, "mdev") == 0;
}

static void
copy_attribute(xmlNode *node, xmlNode *model, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(model, name);

    if (value)
        xmlSetProp(node, BAD_CAST name, BAD_CAST value);
    else
        xmlUnsetProp(node, BAD_CAST name);
}

/* As libvirt writes it "off" may be said, or not. */
static void
copy_switch(xmlNode *node, xmlNode *model, const char *name)
{
    if (is_on(node, name) != is_on(model, name))
        copy_attribute(node, model, name);
}

static void
edit_attributes(xmlNode *node, xmlNode *model)
{
    static const char *const of_type[] = { "type", "model", "managed", "display", "ramfb" };
    bool is_mdev = is_mdev_node(model);

    if (is_mdev_node(node) != is_mdev) {
        for (gsize i = 0; i < G_N_ELEMENTS(of_type); i++)
            copy_attribute(node, model, of_type[i]);
        return;
    }
    copy_switch(node, model, "display");
    copy_switch(node, model, "ramfb");
    if (!is_mdev) /* for which it means nothing */
        copy_attribute(node, model, "managed");
}

static void
edit_source(xmlNode *node, xmlNode *model)
{
    xmlNode *source = vgpu_xml_node(node->doc, node, "source");
    xmlNode *address = vgpu_xml_node(node->doc, node, "source/address");
    xmlNode *wanted =
        xmlDocCopyNode(vgpu_xml_node(model->doc, model, address ? "source/address" : "source"),
                       node->doc, 1);

    if (address) {
        xmlReplaceNode(address, wanted);
        xmlFreeNode(address);
        return;
    }
    if (source)
        vgpu_xml_remove(source);
    vgpu_xml_insert(node, NULL, wanted);
}

/* Elements that libvirt refuses for an mdev, or drops. The driver for binding a PCI device is
 * meaningless there, and libvirt itself adds it for a running domain, so its loss is not reported. */
static char *
drop_of_pci(xmlNode *node)
{
    static const char *const of_pci[] = { "driver", "rom", "boot", "teaming" };
    GString *lost = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(of_pci); i++) {
        xmlNode *child = vgpu_xml_node(node->doc, node, of_pci[i]);

        if (!child)
            continue;
        vgpu_xml_remove(child);
        if (i > 0)
            g_string_append_printf(lost, "%s<%s>", lost->len ? " and " : "", of_pci[i]);
    }
    return g_string_free(lost, lost->len == 0);
}

char *
vgpu_hostdev_edit(xmlNode *node, const VgpuWant *want, VgpuPicture picture)
{
    /* as we would write it ourselves */
    g_autofree char *xml = vgpu_hostdev_format(want, picture);
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "hostdev", NULL);
    xmlNode *model = xmlDocGetRootElement(doc);
    bool becomes_mdev = is_mdev_node(model) && !is_mdev_node(node);

    edit_attributes(node, model);
    edit_source(node, model);
    return becomes_mdev ? drop_of_pci(node) : NULL;
}

char *
vgpu_hostdev_replace(const char *old, const VgpuWant *want, VgpuPicture picture, char **lost)
{
    g_autofree char *plain = vgpu_hostdev_format(want, picture);
    g_autoptr(xmlDoc) doc = old ? vgpu_xml_parse(old, strlen(old), "hostdev", NULL) : NULL;
    xmlNode *node;

    *lost = NULL;
    if (!doc && !want->additions)
        return g_steal_pointer(&plain);
    if (doc) {
        *lost = vgpu_hostdev_edit(xmlDocGetRootElement(doc), want, picture);
        vgpu_xml_remove_blanks(xmlDocGetRootElement(doc));
    } else {
        doc = vgpu_xml_parse(plain, strlen(plain), "hostdev", NULL);
    }
    node = xmlDocGetRootElement(doc);
    vgpu_additions_put(want->additions, node);
    return vgpu_xml_dump(node);
}

char *
vgpu_hostdev_format_live(const VgpuWant *want, bool keep_place)
{
    g_autofree char *plain = vgpu_hostdev_format(want, (VgpuPicture) { 0 });
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *lost = NULL;
    xmlNode *node, *child;

    if (!want->additions)
        return g_steal_pointer(&plain);
    doc = vgpu_xml_parse(plain, strlen(plain), "hostdev", NULL);
    node = xmlDocGetRootElement(doc);
    vgpu_additions_put(want->additions, node);
    if (vgpu_hostdev_is_mdev(want))
        lost = drop_of_pci(node);
    if (!keep_place && (child = vgpu_xml_node(doc, node, "address")))
        vgpu_xml_remove(child);
    if ((child = vgpu_xml_node(doc, node, "boot")))
        vgpu_xml_remove(child);
    return vgpu_xml_dump(node);
}

bool
vgpu_hostdev_names(const VgpuHostdev *self, const VgpuWant *want)
{
    if (vgpu_hostdev_is_mdev(want)) /* of which libvirt ignores `managed` */
        return g_strcmp0(self->uuid, want->uuid) == 0;
    return g_strcmp0(self->source, want->vf) == 0 &&
           self->managed == (want->interface == VGPU_INTERFACE_VF);
}

bool
vgpu_hostdev_has_additions(const VgpuHostdev *self, const VgpuWant *want)
{
    g_autoptr(xmlDoc) doc =
        want->additions ? vgpu_xml_parse(self->xml, strlen(self->xml), "hostdev", NULL) : NULL;

    return !doc || vgpu_additions_are_on(want->additions, xmlDocGetRootElement(doc));
}
