/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsing a domain's XML, and how many devices can be plugged into the domain. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/domain.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define OTHER_UUID "11111111-2222-4333-8444-555555555555"

#define PCI(address) "<hostdev type='pci'><source><address " address "/></source></hostdev>"

static VgpuDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

static void
test_identity(void **state)
{
    g_autoptr(VgpuDomain) live = parse("<domain type='kvm' id='7'><name>web 1</name>"
                                       "<uuid>\n 6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10 </uuid>"
                                       "<devices><graphics type='spice'/></devices></domain>");
    g_autoptr(VgpuDomain) file = parse("<domain><name>file</name></domain>");
    g_autoptr(VgpuDomain) dashless =
        parse("<domain><name>x</name>"
              "<uuid>6f0c5c1e7a0b4b579c1d3b1f0a7c9e10</uuid></domain>");

    assert_string_equal(live->name, "web 1");
    assert_string_equal(live->uuid, UUID);
    assert_int_equal(live->id, 7);
    assert_true(live->has_graphics);
    assert_false(live->annotated);
    assert_int_equal(live->wants->len, 0);
    assert_int_equal(live->hostdevs->len, 0);

    assert_string_equal(dashless->uuid, UUID);
    assert_null(file->uuid);
    assert_int_equal(file->id, -1);
    assert_false(file->has_graphics);
}

static void
test_bad(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *source; /* as given by the caller */
        const char *text;
    } cases[] = {
        { "no XML", "hello", NULL, "domain XML: line 1: " },
        { "empty", "", "web1.xml", "web1.xml: line 1: " },
        { "cut off", "<domain>\n<name>x</name>\n", "web1.xml", "web1.xml: line 3: " },
        { "another root", "\n<network><name>x</name></network>", NULL,
          "domain XML: line 2: <network> is not a <domain>" },
        { "a snapshot", "<domainsnapshot><domain><name>x</name></domain></domainsnapshot>", NULL,
          "<domainsnapshot> is not a <domain>" },
        { "a foreign root element", "<domain xmlns='urn:x'><name>x</name></domain>", NULL,
          "is not a <domain>" },
        { "no name", "<domain/>", "web1.xml", "web1.xml: line 1: the domain has no <name>" },
        { "empty name", "<domain><name></name></domain>", NULL,
          "domain XML: line 1: the domain has no <name>" },
        { "bad UUID", "<domain>\n<name>x</name>\n<uuid>42</uuid>\n</domain>", NULL,
          "domain 'x': line 3: <uuid> is '42', expected a UUID" },
        { "bad annotation of a file",
          "<domain><name>x</name><metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1' a='b'/>"
          "</metadata></domain>",
          "web1.xml", "web1.xml: line 1: unknown attribute 'a'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain =
            vgpu_domain_parse(cases[i].xml, strlen(cases[i].xml), cases[i].source, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (domain)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
    }
}

static void
test_hostdevs(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        bool recorded;
        int index;
        const char *uuid;
        bool display;
        bool ramfb;
        const char *place;
        const char *source;
        bool managed;
    } cases[] = {
        { "ours",
          "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='on' "
          "ramfb='on'><source>"
          "<address uuid='" OTHER_UUID "'/></source><alias name='ua-vgpu-12'/>"
          "<address type='pci' slot='0x05'/></hostdev>",
          true, 12, OTHER_UUID, true, true, "0000:00:05.0" },
        { "a user's, without mode and alias",
          "<hostdev type='mdev' display='off'><source>"
          "<address uuid='11111111-2222-4333-8444-555555555555'/></source></hostdev>",
          true, -1, OTHER_UUID },
        { "UUID in upper case",
          "<hostdev type='mdev'><source><address uuid='ABCDEF00-2222-4333-8444-555555555555'/>"
          "</source><alias name='hostdev0'/></hostdev>",
          true, -1, "abcdef00-2222-4333-8444-555555555555" },
        { "UUID without dashes",
          "<hostdev type='mdev'><source><address uuid='11111111222243338444555555555555'/>"
          "</source><alias name='hostdev0'/></hostdev>",
          true, -1, OTHER_UUID },
        { "bad UUID",
          "<hostdev type='mdev'><source><address uuid='../x'/></source>"
          "<alias name='ua-vgpu-0'/></hostdev>",
          true, 0 },
        { "no source", "<hostdev type='mdev'/>", true, -1 },
        { "leading zero", "<hostdev type='mdev'><alias name='ua-vgpu-01'/></hostdev>", true, -1 },
        { "no number", "<hostdev type='mdev'><alias name='ua-vgpu-'/></hostdev>", true, -1 },
        { "sign", "<hostdev type='mdev'><alias name='ua-vgpu-+1'/></hostdev>", true, -1 },
        { "more than a number", "<hostdev type='mdev'><alias name='ua-vgpu-1a'/></hostdev>", true,
          -1 },
        { "too big a number", "<hostdev type='mdev'><alias name='ua-vgpu-4294967296'/></hostdev>",
          true, -1 },
        { "a PCI device of the user",
          "<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='0x41'/>"
          "</source></hostdev>",
          true, -1, .source = "0000:41:00.0", .managed = true },
        { "PCI device with a display", "<hostdev type='pci' display='on'/>", true, -1, NULL,
          true },
        { "a VF with our alias",
          "<hostdev mode='subsystem' type='pci' managed='no' display='on' ramfb='on'>"
          "<driver name='vfio'/><source>"
          "<address domain='0x0000' bus='0xC1' slot='0x1f' function='0x7'/></source>"
          "<alias name='ua-vgpu-0'/><address type='pci' slot='0x05'/></hostdev>",
          true, 0, NULL, true, true, "0000:00:05.0", "0000:c1:1f.7" },
        { "numbers in decimal, a long domain",
          PCI("domain='65536' bus='65' slot='0' function='4'"), true, -1,
          .source = "10000:41:00.4" },
        { "the longest domain", PCI("domain='0xffffffff' bus='0x01'"), true, -1,
          .source = "ffffffff:01:00.0" },
        { "domain out of range", PCI("domain='0x100000000' bus='0x01'"), true, -1 },
        { "bus out of range", PCI("bus='0x100'"), true, -1 },
        { "slot out of range", PCI("bus='1' slot='32'"), true, -1 },
        { "function out of range", PCI("bus='1' function='8'"), true, -1 },
        { "negative number", PCI("bus='-1'"), true, -1 },
        { "no number", PCI("bus='x'"), true, -1 },
        { "more than a number", PCI("bus='0x41 '"), true, -1 },
        { "empty number", PCI("bus=''"), true, -1 },
        { "all zero, which libvirt takes for none", PCI("bus='0x00' function='0x1'"), true, -1 },
        { "PCI device with the address of an mdev",
          "<hostdev mode='subsystem' type='pci'><source><address uuid='" OTHER_UUID "'/></source>"
          "<alias name='ua-vgpu-0'/></hostdev>",
          true, 0 },
        { "mdev with the address of a PCI device",
          "<hostdev type='mdev' managed='yes'><source><address bus='0x41'/></source></hostdev>",
          true, -1, .managed = true },
        { "USB device", "<hostdev mode='subsystem' type='usb'/>", false },
        { "no device of the host's", "<hostdev mode='capabilities' type='mdev'/>", false },
        { "another element", "<interface type='mdev'/>", false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strconcat("<domain><name>x</name>\n<devices>\n", cases[i].xml,
                                           "</devices></domain>", NULL);
        g_autoptr(VgpuDomain) domain = parse(xml);
        const VgpuHostdev *hostdev;

        if (domain->hostdevs->len != cases[i].recorded)
            fail_msg("%s: %u recorded", cases[i].what, domain->hostdevs->len);
        if (!cases[i].recorded)
            continue;
        hostdev = g_ptr_array_index(domain->hostdevs, 0);
        if (hostdev->index != cases[i].index || g_strcmp0(hostdev->uuid, cases[i].uuid) != 0 ||
            hostdev->display != cases[i].display || hostdev->ramfb != cases[i].ramfb ||
            g_strcmp0(hostdev->place, cases[i].place) != 0 || hostdev->line != 3 ||
            g_strcmp0(hostdev->source, cases[i].source) != 0 ||
            hostdev->managed != cases[i].managed)
            fail_msg(
                "%s: index %d, UUID %s, source %s, managed %d, display %d, ramfb %d, address "
                "%s, line %ld",
                cases[i].what, hostdev->index, hostdev->uuid, hostdev->source, hostdev->managed,
                hostdev->display, hostdev->ramfb, hostdev->place, hostdev->line);
    }
}

static void
test_set(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        bool valid;
        guint64 set;
    } cases[] = {
        { "one", "0", true, 0x1 },
        { "several", "0,2,5", true, 0x25 },
        { "a range", "1-3", true, 0xe },
        { "a range of one", "4-4", true, 0x10 },
        { "ranges and one taken back", "0-3,8,^2", true, 0x10b },
        { "taken back and given again", "0-3,^2,2", true, 0xf },
        { "taken back before it was given", "^2,0-3", true, 0xf },
        { "blanks", " 0 - 1 , 3 ", true, 0xb },
        { "the last bit", "63", true, G_GUINT64_CONSTANT(1) << 63 },
        { "beyond the last bit", "1,64", true, 0x2 },
        { "a range that goes beyond", "62-4095", true, G_GUINT64_CONSTANT(3) << 62 },
        { "taken back beyond", "0,^64", true, 0x1 },
        { "empty", "", false },
        { "an empty member", "0,,1", false },
        { "a comma at the end", "0,", false },
        { "a word", "all", false },
        { "negative", "-1", false },
        { "an open range", "1-", false },
        { "a range upside down", "3-1", false },
        { "a range taken back", "0-3,^1-2", false },
        { "nothing taken back", "0,^", false },
        { "more than a number", "0x1", false },
        { "too big a number", "4294967296", false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint64 set = 0xabcd;
        bool valid = vgpu_domain_parse_set(cases[i].text, &set);

        if (valid != cases[i].valid || set != (valid ? cases[i].set : 0xabcd))
            fail_msg("%s: %d, %" G_GINT64_MODIFIER "x", cases[i].what, valid, set);
    }
}

#define NUMATUNE(memory) "<numatune>" memory "</numatune>"
#define CPUTUNE                                                                                  \
    "<cputune><vcpupin vcpu='0' cpuset='4'/><vcpupin vcpu='1' cpuset='5-6'/></cputune>"

static void
test_places(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        guint64 nodes;
        const char *cpuset;
    } cases[] = {
        { "nothing said", "", 0, NULL },
        { "strict memory", NUMATUNE("<memory mode='strict' nodeset='1'/>"), 0x2, NULL },
        { "memory without a mode", NUMATUNE("<memory nodeset='0-1'/>"), 0x3, NULL },
        { "memory that is only preferred", NUMATUNE("<memory mode='preferred' nodeset='1'/>"), 0,
          NULL },
        { "memory spread on purpose", NUMATUNE("<memory mode='interleave' nodeset='0-1'/>"), 0,
          NULL },
        { "memory left to libvirt", NUMATUNE("<memory mode='strict' placement='auto'/>"), 0,
          NULL },
        { "a set that is none", NUMATUNE("<memory nodeset='0,x'/>"), 0, NULL },
        { "CPUs of all", "<vcpu placement='static' cpuset='8-15,^12'>4</vcpu>", 0, "8-15,^12" },
        { "CPUs left to libvirt", "<vcpu placement='auto' cpuset='8-15'>4</vcpu>", 0, NULL },
        { "CPUs of each", "<vcpu>2</vcpu>" CPUTUNE, 0, "4,5-6" },
        { "CPUs of all come first", "<vcpu cpuset='0'>2</vcpu>" CPUTUNE, 0, "0" },
        { "CPUs of the emulator are no matter", "<cputune><emulatorpin cpuset='3'/></cputune>", 0,
          NULL },
        { "both", "<vcpu cpuset='2'>1</vcpu>" NUMATUNE("<memory nodeset='3'/>"), 0x8, "2" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strconcat("<domain><name>x</name>", cases[i].xml, "</domain>", NULL);
        g_autoptr(VgpuDomain) domain = parse(xml);

        if (domain->numa_nodes != cases[i].nodes ||
            g_strcmp0(domain->cpuset, cases[i].cpuset) != 0)
            fail_msg("%s: nodes %" G_GINT64_MODIFIER "x, CPUs %s", cases[i].what,
                     domain->numa_nodes, domain->cpuset);
    }
}

static void
test_driver_disk(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        bool there;
        const char *file;
    } cases[] = {
        { "none", "", false, NULL },
        { "ours", "<disk><source file='/a.iso'/><alias name='ua-vgpu-driver'/></disk>", true,
          "/a.iso" },
        { "ours, empty", "<disk><alias name='ua-vgpu-driver'/></disk>", true, NULL },
        { "ours beside others",
          "<disk><source file='/x'/><alias name='ua-disk'/></disk><disk><source "
          "file='/y'/></disk>"
          "<disk><source file='/a.iso'/><alias name='ua-vgpu-driver'/></disk>",
          true, "/a.iso" },
        { "the user's", "<disk><source file='/a.iso'/><alias name='ua-vgpu-driver2'/></disk>",
          false, NULL },
        { "no disk", "<hostdev type='mdev'><alias name='ua-vgpu-driver'/></hostdev>", false,
          NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strconcat("<domain><name>x</name><devices>", cases[i].devices,
                                           "</devices></domain>", NULL);
        g_autoptr(VgpuDomain) domain = parse(xml);

        if (domain->has_driver_disk != cases[i].there ||
            g_strcmp0(domain->driver_disk_file, cases[i].file) != 0)
            fail_msg("%s: %d, %s", cases[i].what, domain->has_driver_disk,
                     domain->driver_disk_file);
        assert_null(domain->driver_iso);
        for (guint n = 0; n < domain->hostdevs->len; n++)
            assert_int_equal(((VgpuHostdev *) domain->hostdevs->pdata[n])->index, -1);
    }
}

/* Information that is found without parsing the XML. */
static void
test_peek(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *uuid;
        int id; /* -1: none */
        bool is_marked;
    } cases[] = {
        { "as libvirt writes it",
          "<domain type='kvm' id='7'>\n  <name>x</name>\n  <uuid>" UUID "</uuid>\n</domain>",
          UUID, 7 },
        { "with an XML declaration and a comment",
          "<?xml version='1.0'?>\n<!-- x -->\n<domain><uuid> " UUID "\n</uuid></domain>", UUID,
          -1 },
        { "in capitals", "<domain><uuid>6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10</uuid></domain>",
          UUID, -1 },
        { "none", "<domain><name>x</name></domain>", NULL, -1 },
        { "without dashes", "<domain><uuid>6f0c5c1e7a0b4b579c1d3b1f0a7c9e10</uuid></domain>",
          UUID, -1 },
        { "empty", "<domain><uuid/><uuid></uuid></domain>", NULL, -1 },
        { "a bad one", "<domain id='x'><uuid>42</uuid></domain>", NULL, -1 },
        { "a <uuid> in the metadata",
          "<domain><metadata><uuid>" UUID "</uuid></metadata></domain>", NULL, -1 },
        { "after another element",
          "<domain><a b='>'><c/><!-- </a> --></a><uuid>" UUID "</uuid></domain>", UUID, -1 },
        { "in a comment", "<!--<domain id='7'><uuid>" UUID "</uuid>--><domain/>", NULL, -1 },
        { "behind the domain", "<domain></domain><uuid>" UUID "</uuid>", NULL, -1 },
        { "no domain", "<network id='7'><uuid>" UUID "</uuid></network>", NULL, -1 },
        { "cut off", "<domain id='7'><uuid>" UUID, UUID, 7 },
        { "cut off before", "<domain id='7'><uuid>", NULL, 7 },
        { "nothing", "", NULL, -1 },
        { "our namespace", "<a xmlns='urn:virt-vgpu:domain:9'/>", NULL, -1, true },
        { "our alias", "<alias name='ua-vgpu-0'/>", NULL, -1, true },
        { "another's", "<alias name='ua-vgpux0' xmlns='urn:virt-vgpu:pool'/>", NULL, -1, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize len = strlen(cases[i].xml);
        g_autofree char *uuid = vgpu_domain_peek_uuid(cases[i].xml, len);
        bool is_marked = vgpu_domain_is_marked(cases[i].xml, len);
        int id = -1;
        bool has_id = vgpu_domain_peek_id(cases[i].xml, len, &id);

        if (g_strcmp0(uuid, cases[i].uuid) != 0 || id != cases[i].id || has_id != (id >= 0) ||
            is_marked != cases[i].is_marked)
            fail_msg("%s: %s, %d, %d", cases[i].what, uuid, id, is_marked);
    }
}

/* The elements are those of `hostdevs`, one by one. */
static void
test_nodes(void **state)
{
    g_autoptr(VgpuDomain) domain =
        parse("<domain><name>x</name><devices><hostdev type='usb'/>"
              "<hostdev type='mdev'><alias name='ua-vgpu-0'/></hostdev>\n<disk/>"
              "\n<hostdev type='pci'/>\n<hostdev type='mdev'/></devices></domain>");
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(domain);

    assert_int_equal(nodes->len, 3);
    assert_int_equal(domain->hostdevs->len, 3);
    for (guint i = 0; i < nodes->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];

        assert_int_equal(xmlGetLineNo(nodes->pdata[i]), hostdev->line);
    }
}

static void
test_find(void **state)
{
    g_autoptr(VgpuDomain) domain =
        parse("<domain><name>x</name><devices>"
              "<hostdev type='mdev'/>"
              "<hostdev type='mdev'><source><address uuid='" OTHER_UUID "'/></source></hostdev>"
              "<hostdev type='mdev'><source><address uuid='" UUID "'/></source>"
              "<alias name='ua-vgpu-0'/></hostdev></devices></domain>");

    assert_ptr_equal(vgpu_domain_find_ours(domain, 0), domain->hostdevs->pdata[2]);
    assert_null(vgpu_domain_find_ours(domain, 1));
    assert_null(vgpu_domain_find_ours(domain, G_MAXUINT));
    assert_ptr_equal(vgpu_domain_find_uuid(domain, OTHER_UUID), domain->hostdevs->pdata[1]);
    assert_ptr_equal(vgpu_domain_find_uuid(domain, UUID), domain->hostdevs->pdata[2]);
    assert_null(vgpu_domain_find_uuid(domain, "22222222-2222-4333-8444-555555555555"));
}

#define PC "<type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>"
#define Q35 "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
#define AT(bus, slot)                                                                            \
    "<address type='pci' domain='0x0000' bus='" bus "' slot='" slot "' function='0x0'/>"
#define PORT(index, at)                                                                          \
    "<controller type='pci' index='" index "' model='pcie-root-port'>" at "</controller>"
#define PORTS                                                                                    \
    PORT("1", AT("0x00", "0x02")) PORT("2", AT("0x00", "0x03")) PORT("3", AT("0x00", "0x04"))
#define NO_BALLOON "<memballoon model='none'/>"

static void
test_hotplug(void **state)
{
    static const struct {
        const char *what;
        const char *type;
        const char *devices;
        guint slots;
    } cases[] = {
        { "pc: three slots are always taken", PC, "<video>" AT("0x00", "0x02") "</video>", 29 },
        { "pc: a device, in decimal", PC,
          "<video>" AT("0x00", "0x02") "</video><interface>" AT("0", "3") "</interface>", 28 },
        { "pc: no video, but its place is kept", PC,
          "<interface>" AT("0x00", "0x03") "</interface>", 28 },
        { "pc: functions of one slot count once", PC,
          "<controller type='usb'>" AT("0x00",
                                       "0x04") "</controller>"
                                               "<controller type='usb'><address type='pci' "
                                               "bus='0x00' slot='0x04' function='0x7'/>"
                                               "</controller>",
          28 },
        { "pc: another bus does not count", PC, "<interface>" AT("0x01", "0x03") "</interface>",
          29 },
        { "pc: where the host has a device does not count", PC,
          "<video>" AT("0x00", "0x02") "</video><hostdev mode='subsystem' type='pci'><source>"
                                       "<address type='pci' domain='0x0000' bus='0x00' "
                                       "slot='0x07' function='0x0'/></source>"
                                       "</hostdev>",
          29 },
        { "pc: addresses that are not PCI do not count", PC,
          "<video>" AT("0x00", "0x02") "</video><disk><address type='drive' bus='0' slot='9'/>"
                                       "</disk>",
          29 },
        { "pc: nonsense is not counted", PC, "<interface>" AT("0x00", "0x40") "</interface>",
          29 },
        { "short name", "<type arch='x86_64' machine='pc'>hvm</type>", NO_BALLOON, 29 },
        { "no machine named", "<type arch='x86_64'>hvm</type>", NO_BALLOON, 29 },
        { "nothing named", "<type>hvm</type>", NO_BALLOON, 29 },
        { "pc, no addresses yet: libvirt adds a balloon", PC, "", 28 },
        { "pc, no addresses yet: a slot each", PC,
          "<disk><target dev='vda' bus='virtio'/></disk><disk><target dev='hda' "
          "bus='ide'/></disk>"
          "<interface/><controller type='usb' model='piix3-uhci'/>"
          "<controller type='virtio-serial'/><input type='tablet' bus='usb'/><sound "
          "model='ich6'/><rng/><graphics type='vnc'/>"
          "<video/><hostdev mode='subsystem' type='mdev'/><serial/>" NO_BALLOON,
          29 - 6 },
        { "q35: empty ports", Q35, PORTS, 3 },
        { "q35: one is used", Q35, PORTS "<interface>" AT("0x02", "0x00") "</interface>", 2 },
        { "q35: all are used", Q35,
          PORTS "<interface>" AT("0x01", "0x00") "</interface><disk>" AT(
              "0x02", "0x00") "</disk><memballoon>" AT("0x03", "0x00") "</memballoon>",
          0 },
        { "q35: port that cannot be plugged into", Q35,
          PORTS "<controller type='pci' index='4' model='pcie-root-port'><target hotplug='off'/>"
                "</controller>",
          3 },
        { "q35: a switch uses its port and has its own", Q35,
          PORTS "<controller type='pci' index='4' model='pcie-switch-upstream-port'>" AT(
              "0x01",
              "0x00") "</controller>"
                      "<controller type='pci' index='5' model='pcie-switch-downstream-port'>" AT(
                          "0x04", "0x00") "</controller>",
          3 },
        { "q35: no ports", Q35, "<interface>" AT("0x00", "0x03") "</interface>", 0 },
        { "q35, no addresses yet", Q35,
          PORT("1", "") PORT("2", "") PORT("3", "") "<interface/>" NO_BALLOON, 2 },
        { "q35, no addresses and too few ports", Q35, PORT("1", "") "<interface/><rng/>", 0 },
        { "short name of q35", "<type arch='x86_64' machine='q35'>hvm</type>", PORTS, 3 },
        { "arm", "<type arch='aarch64' machine='virt-7.2'>hvm</type>", PORTS, 3 },
        { "arm has no pc", "<type arch='aarch64' machine='pc'>hvm</type>", PORTS, 0 },
        { "x86 has no virt", "<type arch='x86_64' machine='virt'>hvm</type>", PORTS, 0 },
        { "no PCI", "<type arch='x86_64' machine='isapc'>hvm</type>", "", 0 },
        { "microvm", "<type arch='x86_64' machine='microvm'>hvm</type>", "", 0 },
        { "mainframe", "<type arch='s390x' machine='s390-ccw-virtio-7.2'>hvm</type>", "", 0 },
        { "other architecture, no machine", "<type arch='s390x'>hvm</type>", "", 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain><name>x</name><os>%s</os><devices>%s</devices></domain>",
                            cases[i].type, cases[i].devices);
        g_autoptr(VgpuDomain) domain = parse(xml);
        guint slots = vgpu_domain_hotplug_slots(domain);

        if (slots != cases[i].slots)
            fail_msg("%s: %u instead of %u", cases[i].what, slots, cases[i].slots);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_set),         cmocka_unit_test(test_places),
        cmocka_unit_test(test_driver_disk), cmocka_unit_test(test_hostdevs),
        cmocka_unit_test(test_peek),        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_find),        cmocka_unit_test(test_hotplug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
