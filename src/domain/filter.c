#include "domain/filter.h"

#include <string.h>

#include "base/error.h"
#include "base/xml.h"
#include "domain/hostdev.h"
#include "domain/inject.h"
#include "domain/refusals.h"
#include "domain/schema.h"

/* Attributes of a <hostdev> that go with its type. */
static const char *const type_attributes[] = { "type", "model", "managed", "display", "ramfb" };

/* What @hostdev, if it is ours, is to be; NULL: it is left alone. */
static const VgpuWant *
find_want(const VgpuDomain *domain, const VgpuHostdev *hostdev)
{
    const VgpuWant *want;

    if (hostdev->index < 0 || (guint) hostdev->index >= domain->wants->len)
        return NULL;
    want = domain->wants->pdata[hostdev->index];
    return want->uuid_is_users ? NULL : want;
}

static bool
is_mdev(xmlNode *node)
{
    g_autofree char *type = vgpu_xml_attr(node, "type");

    return g_strcmp0(type, "mdev") == 0;
}

static VgpuPicture
looks_of(const VgpuHostdev *hostdev)
{
    return (VgpuPicture) { .display = hostdev->display, .ramfb = hostdev->ramfb };
}

static bool
check(const VgpuDomain *domain, const VgpuHostdev *hostdev, const VgpuWant *want, bool was_mdev,
      gulong libvirt, GError **error)
{
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    if (!vgpu_hostdev_check(domain, want, looks_of(hostdev), libvirt, error))
        return false;
    if (was_mdev != vgpu_hostdev_is_mdev(want) && libvirt && libvirt < VGPU_LIBVIRT_MDEV_TO_VF)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u was %s and is %s here; moving between the two needs "
                                  "libvirt 11.0 or newer; this is %s",
                                  want->index, was_mdev ? "an mdev" : "a VF",
                                  was_mdev ? "a VF" : "an mdev", version);
    return true;
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

/* What libvirt says of how it binds a PCI device means nothing for an mdev. */
static void
drop_driver(xmlNode *node)
{
    xmlNode *driver = vgpu_xml_node(node->doc, node, "driver");

    if (driver)
        vgpu_inject_remove(driver);
}

static void
replace_source(xmlNode *node, xmlNode *model)
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
        vgpu_inject_remove(source);
    vgpu_inject_insert(node, NULL, wanted);
}

/* The device as we would write it is the model for what has to change. */
static void
rewrite(xmlNode *node, const VgpuHostdev *hostdev, const VgpuWant *want)
{
    g_autofree char *xml = vgpu_hostdev_format(want, looks_of(hostdev), NULL);
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "hostdev", NULL);
    xmlNode *model = xmlDocGetRootElement(doc);
    bool same_type = is_mdev(node) == vgpu_hostdev_is_mdev(want);

    if (same_type && !vgpu_hostdev_is_mdev(want))
        copy_attribute(node, model, "managed");
    for (gsize i = 0; !same_type && i < G_N_ELEMENTS(type_attributes); i++)
        copy_attribute(node, model, type_attributes[i]);
    if (!same_type && vgpu_hostdev_is_mdev(want))
        drop_driver(node);
    replace_source(node, model);
}

/* All are checked before the first is changed. */
static bool
check_all(const VgpuDomain *domain, const GPtrArray *nodes, gulong libvirt, GError **error)
{
    for (guint i = 0; i < nodes->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];
        const VgpuWant *want = find_want(domain, hostdev);

        if (want && !check(domain, hostdev, want, is_mdev(nodes->pdata[i]), libvirt, error))
            return false;
    }
    return true;
}

bool
vgpu_filter_domain(VgpuDomain *domain, gulong libvirt, char **xml, GError **error)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(domain);
    bool changed = false;

    if (!domain->uuid)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, domain->what, 0,
                                  VGPU_REFUSAL_NO_UUID);
    if (!check_all(domain, nodes, libvirt, error))
        return false;
    for (guint i = 0; i < nodes->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];
        const VgpuWant *want = find_want(domain, hostdev);

        if (want && !vgpu_hostdev_names(hostdev, want)) {
            rewrite(nodes->pdata[i], hostdev, want);
            changed = true;
        }
    }
    *xml = changed ? vgpu_xml_dump_doc(domain->doc) : NULL;
    return true;
}
