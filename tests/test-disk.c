/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the cdrom with the guest's driver is attached, and how one that exists is changed. */
#include "test.h"

#include <string.h>

#include "domain/inject.h"
#include "golden.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define UUID_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* UUIDv5(UUID, "virt-vgpu:0") */
#define NEW 11003000                                  /* a libvirt that can do everything */

#define HOSTDEV(attributes, uuid, more)                                                          \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci' " attributes                         \
    "><source><address uuid='" uuid "'/></source>" more "</hostdev>"
#define MACHINE(type, devices)                                                                   \
    "<domain><name>x</name><uuid>" UUID "</uuid><os>" type "</os><devices>" devices              \
    "</devices></domain>"
#define Q35 "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
#define PC "<type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>"
#define DISK(target, more) "<disk type='file' device='disk'>" target more "</disk>"
#define TARGET(dev, bus) "<target dev='" dev "' bus='" bus "'/>"
#define DRIVE(controller, bus, unit)                                                             \
    "<address type='drive' controller='" controller "' bus='" bus "' unit='" unit "'/>"
#define DRIVER(file, more)                                                                       \
    "<disk type='file' device='cdrom'>" file more                                                \
    "<readonly/><alias name='ua-vgpu-driver'/></disk>"
#define FILE_A "<source file='/a.iso'/>"

static void
test_driver(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *driver;
        const char *changes;
        const char *target; /* and address of what is attached; NULL: nothing is */
    } cases[] = {
        { "not wanted, not there", .xml = MACHINE(Q35, ""), .changes = "" },
        { "q35", .xml = MACHINE(Q35, ""), .driver = "/a.iso",
          .changes = "attach the guest's driver (/a.iso)", .target = TARGET("sda", "sata") },
        { "q35 by its short name", .xml = MACHINE("<type machine='q35'>hvm</type>", ""),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "sata") },
        { "i440fx", .xml = MACHINE(PC, ""), .driver = "/a.iso",
          .changes = "attach the guest's driver (/a.iso)", .target = TARGET("hda", "ide") },
        { "no machine named", .xml = MACHINE("<type>hvm</type>", ""), .driver = "/a.iso",
          .changes = "attach the guest's driver (/a.iso)", .target = TARGET("hda", "ide") },
        { "a machine without IDE",
          .xml = MACHINE("<type arch='x86_64' machine='microvm'>hvm</type>", ""),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "scsi") },
        { "another architecture",
          .xml = MACHINE("<type arch='aarch64' machine='virt-7.2'>hvm</type>", ""),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "scsi") },
        { "the name is taken on the bus", .xml = MACHINE(Q35, DISK(TARGET("sda", "sata"), "")),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "the name is taken on another bus", .xml = MACHINE(Q35, DISK(TARGET("sda", "usb"), "")),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "a gap is filled",
          .xml = MACHINE(Q35, DISK(TARGET("sda", "sata"), "") DISK(TARGET("sdc", "sata"), "")),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "the address is taken by a disk of another name",
          .xml = MACHINE(Q35, DISK(TARGET("sdx", "sata"), DRIVE("0", "0", "0"))),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "an address on another bus is another one",
          .xml = MACHINE(Q35, DISK(TARGET("sdx", "scsi"), DRIVE("0", "0", "0"))),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "sata") },
        { "an address on the second channel",
          .xml = MACHINE(PC, DISK(TARGET("hda", "ide"), DRIVE("0", "1", "0"))),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("hdb", "ide") },
        { "and the name that stands for it",
          .xml = MACHINE(PC, DISK(TARGET("hda", "ide"), DRIVE("0", "0", "0"))
                                 DISK(TARGET("hdb", "ide"), DRIVE("0", "1", "0"))),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("hdd", "ide") },
        { "an address on the second controller",
          .xml =
              MACHINE(
                  "<type arch='aarch64'>hvm</type>",
                  DISK(TARGET("sda", "scsi"), DRIVE("0", "0", "0")) DISK(
                      TARGET("sdc", "scsi"),
                      DRIVE(
                          "1", "0",
                          "0")) "<hostdev mode='subsystem' type='scsi'>" DRIVE("0", "0",
                                                                               "1") "</hostdev>"),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdd", "scsi") },
        { "IDE is full",
          .xml = MACHINE(PC, DISK(TARGET("hda", "ide"), "") DISK(TARGET("hdb", "ide"), "")
                                 DISK(TARGET("hdc", "ide"), "") DISK(TARGET("hdd", "ide"), "")),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "sata") },
        { "virtio disks do not count", .xml = MACHINE(Q35, DISK(TARGET("vda", "virtio"), "")),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "sata") },
        { "present", .xml = MACHINE(Q35, DRIVER(FILE_A, TARGET("sdb", "sata"))),
          .driver = "/a.iso", .changes = "" },
        { "no longer wanted", .xml = MACHINE(Q35, DRIVER(FILE_A, TARGET("sdb", "sata"))),
          .changes = "detach the guest's driver (/a.iso)" },
        { "another image, the target stays",
          .xml = MACHINE(Q35, DRIVER(FILE_A, TARGET("sdb", "usb"))), .driver = "/b.iso",
          .changes = "detach the guest's driver (/a.iso); attach the guest's driver (/b.iso)",
          .target = TARGET("sdb", "usb") },
        { "another image, the address stays",
          .xml = MACHINE(Q35, DRIVER(FILE_A, "<target dev='sdb' bus='sata' tray='open'/>" DRIVE(
                                                 "0", "0", "4"))),
          .driver = "/b.iso",
          .changes = "detach the guest's driver (/a.iso); attach the guest's driver (/b.iso)",
          .target = TARGET("sdb", "sata") DRIVE("0", "0", "4") },
        { "empty", .xml = MACHINE(Q35, DRIVER("", TARGET("sdb", "sata"))), .driver = "/a.iso",
          .changes = "detach the guest's driver (no image); attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "a target that cannot be kept", .xml = MACHINE(Q35, DRIVER("", "")), .driver = "/a.iso",
          .changes = "detach the guest's driver (no image); attach the guest's driver (/a.iso)",
          .target = TARGET("sda", "sata") },
        { "a user's cdrom with the same image is not ours",
          .xml =
              MACHINE(Q35,
                      "<disk type='file' device='cdrom'>" FILE_A TARGET("sda", "sata") "</disk>"),
          .driver = "/a.iso", .changes = "attach the guest's driver (/a.iso)",
          .target = TARGET("sdb", "sata") },
        { "vGPUs and cdrom: what goes first, then what comes",
          .xml = MACHINE(Q35, DRIVER(FILE_A, TARGET("sda", "sata"))
                                  HOSTDEV("", UUID_0, "<alias name='ua-vgpu-0'/>")),
          .driver = "/b.iso",
          .changes = "detach vGPU 0 (" UUID_0 "); detach the guest's driver (/a.iso); "
                     "attach the guest's driver (/b.iso)",
          .target = TARGET("sda", "sata") },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = golden_parse(cases[i].xml);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *text = NULL;
        const VgpuChange *last;

        domain->driver_iso = g_strdup(cases[i].driver);
        if (!(changes = vgpu_inject_plan(domain, NEW, &error)))
            fail_msg("%s: %s", cases[i].what, error->message);
        text = golden_tell(changes);
        if (!g_str_equal(text, cases[i].changes))
            fail_msg("%s: %s", cases[i].what, text);
        last = changes->len ? changes->pdata[changes->len - 1] : NULL;
        if (last && last->xml) /* one that was edited has the others */
            g_strdelimit(last->xml, "\"", '\'');
        if ((last && last->attach) != (cases[i].target != NULL) ||
            (cases[i].target && !strstr(last->xml, cases[i].target)))
            fail_msg("%s: %s", cases[i].what, last ? last->xml : "nothing");
    }
}

/* More disks than letters in the alphabet. */
static void
test_driver_many_disks(void **state)
{
    g_autoptr(GString) disks = g_string_new(NULL);
    g_autofree char *xml = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    const VgpuChange *attach;

    for (char letter = 'a'; letter <= 'z'; letter++)
        g_string_append_printf(disks, DISK("<target dev='sd%c' bus='sata'/>", ""), letter);
    g_string_append(disks, DISK(TARGET("sdaa", "usb"), ""));
    xml = g_strdup_printf(MACHINE(Q35, "%s"), disks->str);
    domain = golden_parse(xml);
    domain->driver_iso = g_strdup("/a.iso");
    changes = vgpu_inject_plan(domain, NEW, NULL);
    attach = g_ptr_array_index(changes, 0);

    assert_int_equal(changes->len, 1);
    assert_non_null(strstr(attach->xml, TARGET("sdab", "sata")));
}

static void
test_driver_change(void **state)
{
    g_autoptr(VgpuDomain) domain =
        golden_parse(MACHINE(Q35, DRIVER(FILE_A, TARGET("sdb", "sata") "<boot order='2'/>")));
    g_autoptr(GPtrArray) changes = NULL;
    const VgpuChange *detach, *attach;

    domain->driver_iso = g_strdup("/b<1>.iso");
    changes = vgpu_inject_plan(domain, 0, NULL);
    assert_int_equal(changes->len, 2);
    detach = changes->pdata[0];
    attach = changes->pdata[1];

    assert_false(detach->attach);
    assert_int_equal(detach->index, VGPU_INDEX_DRIVER);
    assert_string_equal(detach->alias, "ua-vgpu-driver");
    assert_null(detach->uuid);
    assert_true(attach->attach);
    assert_int_equal(attach->index, VGPU_INDEX_DRIVER);
    assert_string_equal(attach->alias, "ua-vgpu-driver");
    assert_null(attach->uuid);
    g_strdelimit(attach->xml, "\"", '\'');
    assert_string_equal(
        attach->xml,
        "<disk type='file' device='cdrom'><source file='/b&lt;1&gt;.iso' "
        "startupPolicy='optional'/><target dev='sdb' "
        "bus='sata'/><boot order='2'/><readonly/><alias name='ua-vgpu-driver'/></disk>");
}

/* One change corrects the cdrom, however a user has edited it. */
static void
test_driver_edit(void **state)
{
#define REST "<target dev='sdb' bus='sata'/><readonly/><alias name='ua-vgpu-driver'/>"
#define SOURCE_B "<source startupPolicy='optional' file='/b.iso'/>"
    static const struct {
        const char *what;
        const char *old;
        const char *wanted;
    } cases[] = {
        { "a drive of the host",
          "<disk type='block' device='cdrom'><driver name='qemu' type='raw' io='native'/>"
          "<source dev='/dev/sr0' index='1'/>" REST "</disk>",
          "<disk type='file' device='cdrom'><driver name='qemu' type='raw' io='native'/>" REST
              SOURCE_B "</disk>" },
        { "a drive of the host that has a file, too",
          "<disk type='block' device='cdrom'><source dev='/dev/sr0' file='/b.iso'/>" REST
          "</disk>",
          "<disk type='file' device='cdrom'>" REST SOURCE_B "</disk>" },
        { "an image of the network",
          "<disk type='network' device='cdrom'><source protocol='http' name='a.iso'>"
          "<host name='x'/></source>" REST "</disk>",
          "<disk type='file' device='cdrom'>" REST SOURCE_B "</disk>" },
        { "an image with others below",
          "<disk type='file' device='cdrom'><driver name='qemu' type='qcow2'/>"
          "<source file='/a.qcow2'><seclabel relabel='no'/></source><backingStore type='file'>"
          "<format type='raw'/><source file='/a.iso'/></backingStore>" REST "</disk>",
          "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
          "<source file='/b.iso' startupPolicy='optional'><seclabel relabel='no'/></source>" REST
          "</disk>" },
        { "an empty one of no type", "<disk device='cdrom'>" REST "</disk>",
          "<disk device='cdrom' type='file'>" REST SOURCE_B "</disk>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(MACHINE(Q35, "%s"), cases[i].old);
        g_autoptr(VgpuDomain) domain = golden_parse(xml), then = NULL;
        g_autoptr(GPtrArray) changes = NULL, further = NULL;
        g_autofree char *changed = NULL;
        const VgpuChange *attach;

        domain->driver_iso = g_strdup("/b.iso");
        changes = vgpu_inject_plan(domain, 0, NULL);
        assert_int_equal(changes->len, 2);
        attach = changes->pdata[1];
        g_strdelimit(attach->xml, "\"", '\'');
        if (!g_str_equal(attach->xml, cases[i].wanted))
            fail_msg("%s: %s", cases[i].what, attach->xml);
        changed = g_strdup_printf(MACHINE(Q35, "%s"), attach->xml);
        then = golden_parse(changed);
        then->driver_iso = g_strdup("/b.iso");
        further = vgpu_inject_plan(then, 0, NULL);
        if (further->len)
            fail_msg("%s: it changes again", cases[i].what);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_driver),
        cmocka_unit_test(test_driver_many_disks),
        cmocka_unit_test(test_driver_edit),
        cmocka_unit_test(test_driver_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
