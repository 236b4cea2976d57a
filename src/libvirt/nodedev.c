/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/nodedev.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev-private.h"
#include "libvirt/virerror.h"

/* A number as libvirt writes it, decimal or with 0x. */
static bool
to_number(const char *text, guint64 limit, guint64 *out)
{
    char *end = NULL;
    guint64 value = text ? g_ascii_strtoull(text, &end, 0) : 0;

    if (!text || end == text || *end || value > limit)
        return false;
    *out = value;
    return true;
}

/* Below @node, as attributes of an <address> or as elements of the capability itself; canonical,
 * NULL when it is not a PCI address. */
static char *
read_address(xmlDoc *doc, xmlNode *node, const char *at)
{
    static const struct {
        const char *name;
        guint64 limit;
    } parts[] = {
        { "domain", G_MAXUINT32 }, { "bus", 0xff }, { "slot", 0x1f }, { "function", 7 }
    };
    guint64 values[G_N_ELEMENTS(parts)];

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *xpath = g_strconcat(at, parts[i].name, NULL);
        g_autofree char *text = vgpu_xml_text(doc, node, xpath);

        if (!to_number(text, parts[i].limit, &values[i]))
            return NULL;
    }
    return vgpu_pciaddr_format(&(VgpuPciAddr) {
        .domain = (guint32) values[0],
        .bus = (guint8) values[1],
        .slot = (guint8) values[2],
        .function = (guint8) values[3],
    });
}

static int
compare_profiles(gconstpointer a, gconstpointer b)
{
    const VgpuProfile *x = *(const VgpuProfile *const *) a;
    const VgpuProfile *y = *(const VgpuProfile *const *) b;

    return g_strcmp0(x->id, y->id);
}

static int
compare_offers(gconstpointer a, gconstpointer b)
{
    const VgpuOffer *x = *(const VgpuOffer *const *) a;
    const VgpuOffer *y = *(const VgpuOffer *const *) b;

    return g_strcmp0(x->profile->id, y->profile->id);
}

/* VFs are numbered by ascending address (PCIe: first offset and stride); the PF is before them. */
static int
compare_parents(gconstpointer a, gconstpointer b)
{
    const VgpuParent *x = *(const VgpuParent *const *) a;
    const VgpuParent *y = *(const VgpuParent *const *) b;
    VgpuPciAddr p = { 0 }, q = { 0 };

    if (x->is_vf != y->is_vf)
        return x->is_vf ? 1 : -1;
    if (!vgpu_pciaddr_parse(x->address, &p) || !vgpu_pciaddr_parse(y->address, &q))
        return g_strcmp0(x->address, y->address);
    return (p.bus - q.bus) * 256 + (p.slot - q.slot) * 8 + (p.function - q.function);
}

static VgpuGpu *
get_gpu(VgpuInventory *into, const char *address)
{
    VgpuGpu *gpu = vgpu_inventory_find(into, address);

    if (!gpu) {
        gpu = vgpu_gpu_new(address);
        vgpu_inventory_take(into, gpu);
    }
    return gpu;
}

static VgpuParent *
get_parent(VgpuGpu *gpu, const char *address)
{
    VgpuParent *parent = vgpu_gpu_find_parent(gpu, address);

    if (!parent) {
        parent = vgpu_gpu_add_parent(gpu, address, !g_str_equal(address, gpu->address));
        g_ptr_array_sort(gpu->parents, compare_parents);
    }
    return parent;
}

static void
replace(char **field, char *value)
{
    g_free(*field);
    *field = value;
}

/* "VENDOR PRODUCT" as far as there is any; libvirt leaves out what its database does not know. */
static char *
read_name(xmlDoc *doc, xmlNode *pci)
{
    g_autofree char *vendor = vgpu_xml_text(doc, pci, "vendor");
    g_autofree char *product = vgpu_xml_text(doc, pci, "product");
    g_autofree char *name = g_strdup_printf("%s %s", vendor ? g_strstrip(vendor) : "",
                                            product ? g_strstrip(product) : "");

    return *g_strstrip(name) ? g_steal_pointer(&name) : NULL;
}

/* "0x10de"; libvirt's test driver passes its input on, in upper or lower case. */
static char *
read_id(xmlDoc *doc, xmlNode *pci, const char *xpath)
{
    g_autofree char *text = vgpu_xml_text(doc, pci, xpath);

    return text ? g_ascii_strdown(text, -1) : NULL;
}

static void
read_vfs(VgpuGpu *gpu, xmlDoc *doc, xmlNode *pci)
{
    g_autoptr(GPtrArray) nodes =
        vgpu_xml_nodes(doc, pci, "capability[@type='virt_functions']/address");
    g_autofree char *total =
        vgpu_xml_text(doc, pci, "capability[@type='virt_functions']/@maxCount");
    guint64 value = 0;

    g_ptr_array_set_size(gpu->vfs, 0);
    for (guint i = 0; i < nodes->len; i++) {
        char *address = read_address(doc, g_ptr_array_index(nodes, i), "@");

        if (address)
            g_ptr_array_add(gpu->vfs, address);
    }
    gpu->vfs_enabled = gpu->vfs->len;
    gpu->vfs_total = to_number(total, G_MAXUINT, &value) ? (guint) value : gpu->vfs_enabled;
}

static void
read_identity(VgpuGpu *gpu, xmlDoc *doc, xmlNode *pci)
{
    g_autofree char *numa = vgpu_xml_text(doc, pci, "numa/@node");
    guint64 value = 0;

    replace(&gpu->nodedev, vgpu_xml_text(doc, NULL, "/device/name"));
    replace(&gpu->vendor_id, read_id(doc, pci, "vendor/@id"));
    replace(&gpu->product_id, read_id(doc, pci, "product/@id"));
    replace(&gpu->name, read_name(doc, pci));
    replace(&gpu->driver, vgpu_xml_text(doc, NULL, "/device/driver/name"));
    gpu->numa_node = to_number(numa, G_MAXINT, &value) ? (int) value : -1;
    read_vfs(gpu, doc, pci);
}

static void
read_offers(VgpuGpu *gpu, const char *address, xmlDoc *doc, const GPtrArray *types)
{
    VgpuParent *parent = get_parent(gpu, address);

    gpu->interface = VGPU_INTERFACE_MDEV;
    replace(&parent->driver, vgpu_xml_text(doc, NULL, "/device/driver/name"));
    g_ptr_array_set_size(parent->offers, 0);
    for (guint i = 0; i < types->len; i++) {
        xmlNode *type = g_ptr_array_index(types, i);
        g_autofree char *id = vgpu_xml_attr(type, "id");
        g_autofree char *name = vgpu_xml_text(doc, type, "name");

        if (id)
            vgpu_parent_add_offer(parent, vgpu_gpu_take_profile(gpu, vgpu_profile_new(id, name)),
                                  VGPU_COUNT_UNKNOWN);
    }
    g_ptr_array_sort(parent->offers, compare_offers);
    g_ptr_array_sort(gpu->profiles, compare_profiles);
}

/* Display controllers, and accelerators, which is the class of compute-only cards. And devices with VFs,
 * since a pool may name them. It does not matter that devices other than GPUs are read: which ones are
 * GPUs is not decided here. */
static bool
may_be_gpu_class(const char *class)
{
    return g_str_has_prefix(class, "0x03") || g_str_has_prefix(class, "0x12");
}

static bool
add_pci(VgpuInventory *into, xmlDoc *doc, xmlNode *pci, GError **error)
{
    /* anywhere below: it may stand in another capability */
    g_autoptr(GPtrArray) types =
        vgpu_xml_nodes(doc, pci, ".//capability[@type='mdev_types']/type");
    xmlNode *pf = vgpu_xml_node(doc, pci, "capability[@type='phys_function']/address");
    g_autofree char *class = vgpu_xml_text(doc, pci, "class");
    g_autofree char *address = read_address(doc, pci, "");
    g_autofree char *pf_address = pf ? read_address(doc, pf, "@") : NULL;
    bool has_vfs = vgpu_xml_node(doc, pci, "capability[@type='virt_functions']") != NULL;
    bool is_candidate = has_vfs || (class && may_be_gpu_class(class));
    VgpuGpu *gpu;

    if (!types->len && (pf || !is_candidate))
        return true;
    if (!address || (pf && !pf_address))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "node device: line %ld: not a PCI address",
                              xmlGetLineNo(pf ? pf : pci));

    gpu = get_gpu(into, pf ? pf_address : address);
    if (!pf)
        read_identity(gpu, doc, pci);
    if (types->len)
        read_offers(gpu, address, doc, types);
    return true;
}

void
vgpu_nodedev_mdev_clear(VgpuNodedevMdev *self)
{
    g_clear_pointer(&self->uuid, g_free);
    g_clear_pointer(&self->parent, g_free);
    g_clear_pointer(&self->type_id, g_free);
}

bool
vgpu_nodedev_mdev_read(VgpuNodedevMdev *self, xmlDoc *doc)
{
    xmlNode *mdev = vgpu_xml_node(doc, NULL, "/device/capability[@type='mdev']");
    g_autofree char *uuid = mdev ? vgpu_xml_text(doc, mdev, "uuid") : NULL;
    g_autofree char *parent = mdev ? vgpu_xml_text(doc, mdev, "parent_addr") : NULL;

    if (!mdev)
        return false;
    if (!parent)
        parent = vgpu_xml_text(doc, NULL, "/device/parent");
    self->uuid = uuid ? vgpu_uuid_canonical(uuid) : NULL;
    self->parent = parent ? vgpu_pciaddr_canonical(parent) : NULL;
    self->type_id = vgpu_xml_text(doc, mdev, "type/@id");
    self->active = vgpu_xml_node(doc, NULL, "/device/path") != NULL;
    return true;
}

static void
add_mdev(VgpuInventory *into, const VgpuNodedevMdev *mdev)
{
    VgpuGpu *gpu = mdev->parent ? vgpu_inventory_find_by_function(into, mdev->parent) : NULL;
    VgpuParent *parent;

    if (!gpu || !mdev->uuid || !mdev->active)
        return;
    parent = get_parent(gpu, mdev->parent);
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *known = g_ptr_array_index(parent->instances, i);

        if (g_strcmp0(known->uuid, mdev->uuid) == 0)
            return;
    }
    vgpu_parent_add_instance(parent, mdev->uuid, mdev->type_id);
}

xmlDoc *
vgpu_nodedev_parse(const char *xml, GError **error)
{
    return vgpu_xml_parse(xml, strlen(xml), "node device", error);
}

bool
vgpu_nodedev_add_xml(VgpuInventory *into, const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_nodedev_parse(xml, error);
    g_auto(VgpuNodedevMdev) mdev = { NULL };
    xmlNode *pci;

    if (!doc)
        return false;
    if ((pci = vgpu_xml_node(doc, NULL, "/device/capability[@type='pci']")))
        return add_pci(into, doc, pci, error);
    if (vgpu_nodedev_mdev_read(&mdev, doc))
        add_mdev(into, &mdev);
    return true;
}

static void
free_device(gpointer device)
{
    virNodeDeviceFree(device);
}

GPtrArray *
vgpu_nodedev_list(virConnectPtr conn, guint flags, GError **error)
{
    GPtrArray *devices;
    virNodeDevicePtr *list = NULL;
    int n;

    vgpu_blocking_check("libvirt");
    n = virConnectListAllNodeDevices(conn, &list, flags);
    if (n < 0) {
        vgpu_virerror_take(error, "cannot read node devices");
        return NULL;
    }
    devices = g_ptr_array_new_full((guint) n, free_device);
    for (int i = 0; i < n; i++)
        g_ptr_array_add(devices, list[i]);
    free(list);
    return devices;
}

char *
vgpu_nodedev_xml(virNodeDevicePtr device, GError **error)
{
    const char *name = virNodeDeviceGetName(device); /* now: it resets libvirt's error */
    char *xml = virNodeDeviceGetXMLDesc(device, 0);
    char *copy = g_strdup(xml);

    if (!xml && virGetLastErrorCode() != VIR_ERR_NO_NODE_DEVICE)
        vgpu_virerror_take(error, "cannot read node device %s", name);
    free(xml);
    return copy;
}

#define CLASS_TAG "<class>"

/* Most PCI devices of a host are not GPUs, and not worth parsing. */
static bool
may_be_gpu(const char *xml)
{
    const char *class = strstr(xml, CLASS_TAG);

    return strstr(xml, "mdev_types") || strstr(xml, "virt_functions") ||
           (class && may_be_gpu_class(class + strlen(CLASS_TAG)));
}

static bool
is_mdev(const char *xml)
{
    return strstr(xml, "<capability type='mdev'>") != NULL;
}

/* One list for all: libvirt reads all devices of the host again for each. */
VgpuInventory *
vgpu_nodedev_inventory(virConnectPtr conn, GError **error)
{
    const guint flags =
        VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV | VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV;
    g_autoptr(GPtrArray) devices = vgpu_nodedev_list(conn, flags, error);
    g_autoptr(GPtrArray) mdevs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();

    if (!devices)
        return NULL;
    for (guint i = 0; i < devices->len; i++) {
        g_autoptr(GError) failure = NULL;
        g_autofree char *xml = vgpu_nodedev_xml(g_ptr_array_index(devices, i), &failure);

        if (failure ||
            (xml && may_be_gpu(xml) && !vgpu_nodedev_add_xml(inventory, xml, &failure))) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        if (xml && is_mdev(xml))
            g_ptr_array_add(mdevs, g_steal_pointer(&xml));
    }
    /* the GPUs that they belong to are known now */
    for (guint i = 0; i < mdevs->len; i++) {
        if (!vgpu_nodedev_add_xml(inventory, g_ptr_array_index(mdevs, i), error))
            return NULL;
    }
    return g_steal_pointer(&inventory);
}
