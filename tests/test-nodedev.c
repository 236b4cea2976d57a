/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory from node devices. tests/data/nodedev/host.xml is a whole host for libvirt's test
 * driver, host.out the expected inventory; VGPU_REGENERATE=1 rewrites the latter. */
#include "test.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev.h"

static char *
data_path(const char *name)
{
    const char *srcdir = g_getenv("top_srcdir");
    g_autofree char *path =
        g_build_filename(srcdir ? srcdir : ".", "tests", "data", "nodedev", name, NULL);

    return g_canonicalize_filename(path, NULL);
}

static char *
data_read(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = data_path(name);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        fail_msg("%s", error->message);
    return text;
}

static void
add(VgpuInventory *inventory, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = data_read(name);

    if (!vgpu_nodedev_add_xml(inventory, xml, &error))
        fail_msg("%s: %s", name, error->message);
}

static const char *
or_dash(const char *text)
{
    return text ? text : "-";
}

static void
dump_parent(GString *out, const VgpuParent *parent)
{
    g_string_append_printf(out, "  %s %s\n", parent->is_vf ? "VF" : "PF", parent->address);
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        g_string_append_printf(out, "    %s '%s'\n", offer->profile->id, offer->profile->name);
        assert_int_equal(offer->available, VGPU_COUNT_UNKNOWN);
    }
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        g_string_append_printf(out, "    instance %s %s\n", instance->uuid, instance->profile_id);
    }
}

/* All but the drivers, which libvirt's test driver forgets. */
static char *
dump(const VgpuInventory *inventory)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        g_string_append_printf(out, "%s %s %s:%s '%s' %s numa %d vfs %u/%u\n", gpu->address,
                               or_dash(gpu->nodedev), or_dash(gpu->vendor_id),
                               or_dash(gpu->product_id), or_dash(gpu->name),
                               vgpu_interface_to_string(gpu->interface), gpu->numa_node,
                               gpu->vfs_enabled, gpu->vfs_total);
        for (guint j = 0; j < gpu->vfs->len; j++)
            g_string_append_printf(out, "  vf %s\n", (char *) g_ptr_array_index(gpu->vfs, j));
        for (guint j = 0; j < gpu->profiles->len; j++)
            g_string_append_printf(out, "  profile %s\n",
                                   ((VgpuProfile *) g_ptr_array_index(gpu->profiles, j))->id);
        for (guint j = 0; j < gpu->parents->len; j++)
            dump_parent(out, g_ptr_array_index(gpu->parents, j));
    }
    return g_string_free(out, FALSE);
}

static void
check_dump(const VgpuInventory *inventory, const char *expected_name)
{
    g_autofree char *text = dump(inventory);
    g_autofree char *expected = NULL;

    if (g_getenv("VGPU_REGENERATE")) {
        g_autofree char *path = data_path(expected_name);

        assert_true(g_file_set_contents(path, text, -1, NULL));
    }
    expected = data_read(expected_name);
    assert_string_equal(text, expected);
}

/* Reading this node device fails with that code. */
static const char *fail_name;
static int fail_with;
static virError fake_error;

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);
int __real_virGetLastErrorCode(void);
int __wrap_virGetLastErrorCode(void);
const char *__real_virNodeDeviceGetName(virNodeDevicePtr device);
const char *__wrap_virNodeDeviceGetName(virNodeDevicePtr device);
char *__real_virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned flags);
char *__wrap_virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned flags);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error.code ? &fake_error : __real_virGetLastError();
}

int
__wrap_virGetLastErrorCode(void)
{
    return fake_error.code ? fake_error.code : __real_virGetLastErrorCode();
}

char *
__wrap_virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned flags)
{
    if (g_strcmp0(virNodeDeviceGetName(device), fail_name) != 0)
        return __real_virNodeDeviceGetXMLDesc(device, flags);
    fake_error.code = fail_with;
    return NULL;
}

/* As nearly all of libvirt, it resets the last error. */
const char *
__wrap_virNodeDeviceGetName(virNodeDevicePtr device)
{
    fake_error.code = 0;
    return __real_virNodeDeviceGetName(device);
}

static virConnectPtr
open_host(GError **error)
{
    g_autofree char *path = data_path("host.xml");
    g_autofree char *uri = g_strconcat("test://", path, NULL);
    virConnectPtr conn = vgpu_connection_open_once(uri, error);

    assert_non_null(conn);
    return conn;
}

static VgpuInventory *
read_host(GError **error)
{
    virConnectPtr conn = open_host(error);
    VgpuInventory *inventory;

    inventory = vgpu_nodedev_inventory(conn, error);
    virConnectClose(conn);
    return inventory;
}

static void
test_inventory(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuInventory) inventory = read_host(&error);

    assert_non_null(inventory);
    check_dump(inventory, "host.out");
}

static void
test_inventory_vanished(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuInventory) inventory = NULL;

    fail_name = "pci_0000_3b_00_0";
    fail_with = VIR_ERR_NO_NODE_DEVICE;
    inventory = read_host(&error);
    fail_name = NULL;
    fake_error.code = 0;
    assert_non_null(inventory);
    assert_null(vgpu_inventory_find(inventory, "0000:3b:00.0"));
    assert_non_null(vgpu_inventory_find(inventory, "0000:41:00.0"));
}

static void
test_inventory_fails(void **state)
{
    g_autoptr(GError) error = NULL;

    fail_name = "pci_0000_3b_00_0";
    fail_with = VIR_ERR_RPC;
    assert_null(read_host(&error));
    fail_name = NULL;
    fake_error.code = 0;
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    assert_non_null(strstr(error->message, "pci_0000_3b_00_0"));
}

/* The requested functions, as far as they exist, and all mdevs; without serial numbers. */
static void
test_capture(void **state)
{
    static const char *const found[] = { "<name>pci_0000_41_00_0</name>", "<numa node='1'/>",
                                         "<name>pci_0000_41_00_4</name>", "availableInstances",
                                         "<capability type='mdev'>" };
    static const char *const missing[] = { "pci_0000_41_00_5", "pci_0000_18_00_0", "vpd",
                                           "1324522012345" };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) functions = g_ptr_array_new();
    g_autoptr(GPtrArray) xmls = NULL;
    g_autofree char *all = NULL;
    virConnectPtr conn = open_host(&error);

    g_ptr_array_add(functions, (char *) "0000:41:00.0");
    g_ptr_array_add(functions, (char *) "0000:41:00.4");
    g_ptr_array_add(functions, (char *) "0000:99:00.0");
    xmls = vgpu_nodedev_capture(conn, functions, &error);
    virConnectClose(conn);
    assert_non_null(xmls);
    g_ptr_array_add(xmls, NULL);
    all = g_strjoinv("\n", (char **) xmls->pdata);
    for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
        if (!strstr(all, found[i]))
            fail_msg("%s is not in\n%s", found[i], all);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(missing); i++) {
        if (strstr(all, missing[i]))
            fail_msg("%s is in\n%s", missing[i], all);
    }
}

/* Devices come one by one, in any order but for an mdev after its parent. */
static void
test_any_order(void **state)
{
    static const char *const orders[][13] = {
        { "p100.xml", "a2.xml", "a2-vf0.xml", "a2-vf1.xml", "a10-without-vfs.xml",
          "orphan-vf.xml", "gvt-g.xml", "no-class.xml", "vmd-domain.xml", "network-card.xml",
          "mdev-active.xml", "mdev-defined.xml", "mdev-ccw.xml" },
        { "mdev-ccw.xml", "a2-vf1.xml", "network-card.xml", "vmd-domain.xml", "a2-vf0.xml",
          "mdev-active.xml", "a2.xml", "no-class.xml", "gvt-g.xml", "orphan-vf.xml",
          "a10-without-vfs.xml", "p100.xml", "mdev-defined.xml" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();

        /* the second round replaces what the first one found */
        for (int round = 0; round < 2; round++) {
            for (size_t j = 0; j < G_N_ELEMENTS(orders[i]); j++)
                add(inventory, orders[i][j]);
        }
        check_dump(inventory, "host.out");
    }
}

static void
test_drivers(void **state)
{
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    const VgpuGpu *gpu;

    add(inventory, "p100.xml");
    add(inventory, "vmd-domain.xml");
    gpu = vgpu_inventory_find(inventory, "0000:3b:00.0");
    assert_string_equal(gpu->driver, "nvidia");
    assert_string_equal(vgpu_gpu_find_parent(gpu, "0000:3b:00.0")->driver, "nvidia");
    gpu = vgpu_inventory_find(inventory, "10000:02:00.0");
    assert_null(gpu->driver);
}

#define PCI(head, rest)                                                                          \
    "<device><name>pci_x</name><capability type='pci'><class>0x030000</class>" head rest         \
    "</capability></device>"
#define ADDRESS "<domain>0</domain><bus>65</bus><slot>0</slot><function>0</function>"
#define TYPE(inner) "<capability type='mdev_types'><type id='t'>" inner "</type></capability>"

/* One device that is odd in some way. */
static void
test_odd(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *dump; /* NULL: refused */
    } cases[] = {
        { "not XML", "<device>", NULL },
        { "no address", PCI("", ""), NULL },
        { "a bus too high",
          PCI("<domain>0</domain><bus>256</bus><slot>0</slot><function>0</function>", ""), NULL },
        { "a slot that is no number",
          PCI("<domain>0</domain><bus>1</bus><slot>1x</slot><function>0</function>", ""), NULL },
        { "a VF without PF address",
          PCI(ADDRESS, "<capability type='phys_function'><address/></capability>" TYPE("")),
          NULL },
        { "no names", PCI(ADDRESS, ""), "0000:41:00.0 pci_x -:- '-' none numa -1 vfs 0/0\n" },
        { "numbers with 0x",
          PCI("<domain>0x0</domain><bus>0x41</bus><slot>0x1f</slot><function>0x7</function>", ""),
          "0000:41:1f.7 pci_x -:- '-' none numa -1 vfs 0/0\n" },
        { "a product without vendor",
          PCI(ADDRESS, "<product id='0x1'> GPU </product><vendor id='0x2'/>"),
          "0000:41:00.0 pci_x 0x2:0x1 'GPU' none numa -1 vfs 0/0\n" },
        { "a type without number or name", PCI(ADDRESS, TYPE("")),
          "0000:41:00.0 pci_x -:- '-' mdev numa -1 vfs 0/0\n"
          "  profile t\n  PF 0000:41:00.0\n    t 't'\n" },
        { "types inside another capability",
          PCI(ADDRESS, "<capability type='new'>" TYPE(
                           "<availableInstances>3</availableInstances>") "</capability>"),
          "0000:41:00.0 pci_x -:- '-' mdev numa -1 vfs 0/0\n"
          "  profile t\n  PF 0000:41:00.0\n    t 't'\n" },
        { "types on what is no display",
          "<device><name>pci_x</name><capability type='pci'><class>0x120000</class>" ADDRESS TYPE(
              "") "</capability></device>",
          "0000:41:00.0 pci_x -:- '-' mdev numa -1 vfs 0/0\n"
          "  profile t\n  PF 0000:41:00.0\n    t 't'\n" },
        { "an accelerator",
          "<device><name>pci_x</name><capability type='pci'><class>0x120000</class>" ADDRESS
          "</capability></device>",
          "0000:41:00.0 pci_x -:- '-' none numa -1 vfs 0/0\n" },
        { "a disk", "<device><name>d</name><capability type='storage'/></device>", "" },
        { "an mdev of an unknown parent",
          "<device><name>m</name><path>/sys/m</path><parent>pci_0000_41_00_0</parent>"
          "<capability type='mdev'><type id='t'/>"
          "<uuid>4b20d080-1b54-4048-85b3-a6a62d165c01</uuid></capability></device>",
          "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
        bool added = vgpu_nodedev_add_xml(inventory, cases[i].xml, &error);
        g_autofree char *text = dump(inventory);

        if (added != (cases[i].dump != NULL) ||
            (error && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST)))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "taken");
        if (strcmp(text, cases[i].dump ? cases[i].dump : "") != 0)
            fail_msg("%s: got '%s'", cases[i].what, text);
    }
}

/* The driver's offers change between readings. */
static void
test_replaces(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    g_autofree char *text = NULL;

    assert_true(vgpu_nodedev_add_xml(inventory,
                                     PCI(ADDRESS, TYPE("<name>old</name>") "<numa node='1'/>"),
                                     &error));
    assert_true(vgpu_nodedev_add_xml(
        inventory,
        PCI(ADDRESS, "<numa node='0'/><capability type='mdev_types'><type id='u'/></capability>"),
        &error));
    text = dump(inventory);
    assert_string_equal(text, "0000:41:00.0 pci_x -:- '-' mdev numa 0 vfs 0/0\n"
                              "  profile t\n  profile u\n  PF 0000:41:00.0\n    u 'u'\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),
        cmocka_unit_test(test_inventory_vanished),
        cmocka_unit_test(test_inventory_fails),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_capture),
        cmocka_unit_test(test_drivers),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_replaces),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
