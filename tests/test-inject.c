/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which <hostdev>s are attached and detached, and what the document picture like then. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/inject.h"
#include "golden.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define UUID_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* UUIDv5(UUID, "virt-vgpu:0") */
#define USERS_UUID "11111111-2222-4333-8444-555555555555"

#define DOMAIN(annotation, devices)                                                              \
    "<domain>\n<name>web1</name>\n<uuid>" UUID "</uuid>\n<metadata>\n"                           \
    "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>\n" annotation                            \
    "\n</vgpu:devices>\n</metadata>\n<devices>\n" devices "\n</devices>\n</domain>\n"
#define DEVICE(attributes) "<vgpu:device profile='NVIDIA A2-4Q' " attributes "/>"
#define HOSTDEV(attributes, uuid, more)                                                          \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci' " attributes                         \
    "><source><address uuid='" uuid "'/></source>" more "</hostdev>"
#define PCI(attributes, bus, driver, more)                                                       \
    "<hostdev mode='subsystem' type='pci' " attributes ">" driver                                \
    "<source><address domain='0x0000' bus='" bus "' slot='0x00' function='0x4'/></source>" more  \
    "</hostdev>"
#define ADDS(elements)                                                                           \
    "<vgpu:device profile='NVIDIA A2-4Q' display='off'><vgpu:hostdev>" elements                  \
    "</vgpu:hostdev></vgpu:device>"
#define ALIAS_0 "<alias name='ua-vgpu-0'/>"
#define VNC "<graphics type='vnc'/>"

#define VENDOR "vendor-vfio 0000:61:00.4"
#define PLAIN "vf 0000:03:00.2"
#define NEW 11003000 /* a libvirt that can do everything */

static VgpuDomain *
parse(const char *xml, const char *places)
{
    VgpuDomain *domain = golden_parse(xml);

    golden_bind(domain, places ? places : "");
    return domain;
}

/* One golden pair: plan, apply, compare; then a second plan must be empty. */
static void
check_pair(const char *name, const char *places, guint n_changes, const char *driver)
{
    g_autofree char *in = golden_read(name);
    g_autofree char *out = NULL, *aim = NULL, *reached = NULL;
    g_autoptr(VgpuDomain) domain = parse(in, places);
    g_autoptr(VgpuDomain) after = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    g_autoptr(GPtrArray) left = NULL;
    g_autoptr(GError) error = NULL;

    domain->driver_iso = g_strdup(driver);
    if (!(changes = vgpu_inject_plan(domain, NEW, &error)))
        fail_msg("%s: %s", name, error->message);
    if (changes->len != n_changes)
        fail_msg("%s: %u changes: %s", name, changes->len, golden_tell(changes));
    out = vgpu_inject_apply(domain, changes);
    golden_compare(name, out);

    after = parse(out, places);
    after->driver_iso = g_strdup(driver);
    left = vgpu_inject_plan(after, NEW, NULL);
    assert_non_null(left);
    if (left->len)
        fail_msg("%s: again: %s", name, golden_tell(left));
    aim = vgpu_inject_aim(domain, NEW);
    reached = vgpu_inject_aim(after, NEW);
    assert_string_equal(aim, reached);
}

static void
test_golden(void **state)
{
    static const struct {
        const char *name;
        guint n_changes;
        const char *places;
        const char *driver;
    } pairs[] = {
        { "simple", 1 },
        { "two-one-ramfb", 2 },
        { "explicit-ramfb-later", 2 },
        { "users-hostdev", 1 },
        { "users-display", 2 },
        { "no-graphics", 1 },
        { "removed", 2 },
        { "fewer", 1 },
        { "clone", 4 },
        { "replaced", 2 },
        { "present", 0 },
        { "spread-alternatives", 3 },
        { "users-uuid", 1 },
        { "alias-twice", 3 },
        { "pci-under-our-alias", 2, "mdev" },
        { "not-our-alias", 0 },
        { "bare", 1 },
        { "vf-vendor", 2, "vendor-vfio 0000:61:00.4, vendor-vfio 0000:61:00.5" },
        { "vf-vendor-from-mdev", 2, "vendor-vfio 0000:61:00.4" },
        { "vf-vendor-moved", 2, "vendor-vfio 0000:62:1f.7" },
        { "vf-vendor-present", 0, "vendor-vfio 0000:61:00.4" },
        { "vf-plain", 2, "vf 0000:03:00.2, vf 0000:03:00.3" },
        { "vf-plain-unmanaged", 2, "vf 0000:03:00.2" },
        { "vf-mixed", 3, "vf 10000:03:00.2, mdev, vendor-vfio 0000:61:00.4" },
        { "additions-vf", 1, "vf 0000:00:02.1" },
        { "additions-followed", 2 },
        { "additions-swapped", 4 },
        { "additions-present", 0 },
        { "driver-q35", 2, NULL, "/iso/grid.iso" },
        { "driver-pc", 2, NULL, "/iso/a & 'b'.iso" },
        { "driver-arm", 1, NULL, "/iso/grid.iso" },
        { "driver-taken", 1, NULL, "/iso/grid.iso" },
        { "driver-replaced", 2, NULL, "/iso/new.iso" },
        { "driver-removed", 1 },
        { "driver-present", 0, NULL, "/iso/grid.iso" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        check_pair(pairs[i].name, pairs[i].places, pairs[i].n_changes, pairs[i].driver);
}

static void
test_plan(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *changes;
        const char *places;
    } cases[] = {
        { "nothing wanted, nothing present", DOMAIN("", ""), "" },
        { "display and ramfb by default", DOMAIN(DEVICE(""), VNC),
          "attach vGPU 0 (" UUID_0 ") with display and ramfb" },
        { "ramfb not wanted", DOMAIN(DEVICE("ramfb='off'"), VNC),
          "attach vGPU 0 (" UUID_0 ") with display" },
        { "display not wanted", DOMAIN(DEVICE("display='off'"), VNC),
          "attach vGPU 0 (" UUID_0 ")" },
        { "no graphics", DOMAIN(DEVICE(""), ""), "attach vGPU 0 (" UUID_0 ")" },
        { "the user has a display",
          DOMAIN(DEVICE(""), VNC HOSTDEV("display='on'", USERS_UUID, "")),
          "attach vGPU 0 (" UUID_0 ")" },
        { "the user has a display on a PCI device",
          DOMAIN(DEVICE(""), VNC "<hostdev mode='subsystem' type='pci' display='on'/>"),
          "attach vGPU 0 (" UUID_0 ")" },
        { "the user has the ramfb, we have a display on demand",
          DOMAIN(DEVICE("display='on'"), VNC HOSTDEV("display='on' ramfb='on'", USERS_UUID, "")),
          "attach vGPU 0 (" UUID_0 ") with display" },
        { "a device with our alias does not count as the user's",
          DOMAIN(DEVICE(""),
                 VNC HOSTDEV("display='on' ramfb='on'", UUID_0, "<alias name='ua-vgpu-0'/>")),
          "" },
        { "defaults filled in by libvirt are no difference",
          DOMAIN(DEVICE("display='off'"),
                 "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' "
                 "display='off'><source><address uuid='" UUID_0 "'/></source>"
                 "<alias name='ua-vgpu-0'/><address type='pci' domain='0x0000' bus='0x00' "
                 "slot='0x05' function='0x0'/></hostdev>"),
          "" },
        { "UUID in upper case is no difference",
          DOMAIN(DEVICE(""), HOSTDEV("", "251E8969-0E28-5C92-B0E8-C8BD34136128",
                                     "<alias name='ua-vgpu-0'/>")),
          "" },
        { "ours where the user now has one",
          DOMAIN(DEVICE("uuid='" USERS_UUID "'"),
                 HOSTDEV("", UUID_0, "<alias name='ua-vgpu-0'/>") HOSTDEV("", USERS_UUID, "")),
          "detach vGPU 0 (" UUID_0 ")" },
        { "ours beside the user's own, with the same UUID",
          DOMAIN(DEVICE("uuid='" USERS_UUID "'"),
                 HOSTDEV("", USERS_UUID, "<alias name='ua-vgpu-0'/>")
                     HOSTDEV("", USERS_UUID, "")),
          "detach vGPU 0 (" USERS_UUID ")" },
        { "only the ramfb differs",
          DOMAIN(DEVICE(""), VNC HOSTDEV("display='on'", UUID_0, "<alias name='ua-vgpu-0'/>")),
          "detach vGPU 0 (" UUID_0 "); attach vGPU 0 (" UUID_0 ") with display and ramfb" },
        { "ours without a UUID",
          DOMAIN("", "<hostdev mode='subsystem' type='mdev'>"
                     "<alias name='ua-vgpu-3'/></hostdev>"),
          "detach vGPU 3 (no device)" },
        { "vendor-specific VFIO is shown like an mdev", DOMAIN(DEVICE(""), VNC),
          "attach vGPU 0 (VF 0000:61:00.4) with display and ramfb", VENDOR },
        { "vendor-specific VFIO without ramfb", DOMAIN(DEVICE("ramfb='off'"), VNC),
          "attach vGPU 0 (VF 0000:61:00.4) with display", VENDOR },
        { "vendor-specific VFIO without display", DOMAIN(DEVICE("display='off'"), VNC),
          "attach vGPU 0 (VF 0000:61:00.4)", VENDOR },
        { "a plain VF never has a display by default", DOMAIN(DEVICE(""), VNC),
          "attach vGPU 0 (VF 0000:03:00.2)", PLAIN },
        { "the vGPU after it has no display either", DOMAIN(DEVICE("count='2'"), VNC),
          "attach vGPU 0 (VF 0000:03:00.2); attach vGPU 1 (VF 0000:61:00.4)", PLAIN ", " VENDOR },
        { "the vGPU after it can have a display", DOMAIN(DEVICE("") DEVICE("display='on'"), VNC),
          "attach vGPU 0 (VF 0000:03:00.2); "
          "attach vGPU 1 (VF 0000:61:00.4) with display and ramfb",
          PLAIN ", " VENDOR },
        { "the user's passed-through GPU is not a display",
          DOMAIN(DEVICE(""), VNC PCI("managed='yes'", "0x41", "", "")),
          "attach vGPU 0 (" UUID_0 ") with display and ramfb" },
        { "the user's VF with display='on' is one",
          DOMAIN(DEVICE(""), VNC PCI("managed='no' display='on'", "0x41", "", "")),
          "attach vGPU 0 (VF 0000:61:00.4)", VENDOR },
        { "the same VF, as libvirt writes it",
          DOMAIN(DEVICE("display='off'"),
                 PCI("managed='no'", "0x61", "<driver name='vfio'/>", ALIAS_0)),
          "", VENDOR },
        { "the same VF, display said to be off",
          DOMAIN(DEVICE("display='off'"),
                 PCI("managed='no' display='off' ramfb='off'", "0x61", "", ALIAS_0)),
          "", VENDOR },
        { "the same VF of a domain that does not say how it is managed",
          DOMAIN(DEVICE("display='off'"), PCI("", "0x61", "", ALIAS_0)), "", VENDOR },
        { "the same VF, but managed",
          DOMAIN(DEVICE("display='off'"), PCI("managed='yes'", "0x61", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:61:00.4); attach vGPU 0 (VF 0000:61:00.4)", VENDOR },
        { "the same VF, not shown",
          DOMAIN(DEVICE(""), VNC PCI("managed='no'", "0x61", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:61:00.4); "
          "attach vGPU 0 (VF 0000:61:00.4) with display and ramfb",
          VENDOR },
        { "a plain VF that is not managed",
          DOMAIN(DEVICE(""), PCI("managed='no'", "0x03", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:03:00.4); attach vGPU 0 (VF 0000:03:00.2)", PLAIN },
        { "another VF", DOMAIN(DEVICE(""), PCI("managed='no'", "0x62", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:62:00.4); attach vGPU 0 (VF 0000:61:00.4)", VENDOR },
        { "from mdev to VF", DOMAIN(DEVICE(""), HOSTDEV("display='off'", UUID_0, ALIAS_0)),
          "detach vGPU 0 (" UUID_0 "); attach vGPU 0 (VF 0000:61:00.4)", VENDOR },
        { "from VF to mdev", DOMAIN(DEVICE(""), PCI("managed='no'", "0x61", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:61:00.4); attach vGPU 0 (" UUID_0 ")", "mdev" },
        { "an address of its own, as libvirt writes it",
          DOMAIN(ADDS("<address type='pci' slot='16'/>"),
                 HOSTDEV("display='off'", UUID_0,
                         ALIAS_0 "<address type='pci' domain='0x0000' bus='0x00' slot='0x10' "
                                 "function='0x0' multifunction='on'/>")),
          "" },
        { "another address",
          DOMAIN(ADDS("<address type='pci' slot='17'/>"),
                 HOSTDEV("", UUID_0, ALIAS_0 "<address type='pci' slot='0x10'/>")),
          "detach vGPU 0 (" UUID_0 "); attach vGPU 0 (" UUID_0 ")" },
        { "another function",
          DOMAIN(ADDS("<address type='pci' slot='0x10' function='1'/>"),
                 HOSTDEV("", UUID_0, ALIAS_0 "<address type='pci' slot='0x10'/>")),
          "detach vGPU 0 (" UUID_0 "); attach vGPU 0 (" UUID_0 ")" },
        { "no address yet",
          DOMAIN(ADDS("<address type='pci' slot='16'/>"), HOSTDEV("", UUID_0, ALIAS_0)),
          "detach vGPU 0 (" UUID_0 "); attach vGPU 0 (" UUID_0 ")" },
        { "an address that is no longer given stays",
          DOMAIN(DEVICE("display='off'"),
                 HOSTDEV("", UUID_0, ALIAS_0 "<address type='pci' slot='0x10'/>")),
          "" },
        { "the ROM, and what libvirt adds",
          DOMAIN(ADDS("<rom file='/v.rom'/><driver model='xe_vfio_pci'/>"),
                 PCI("managed='yes'", "0x03", "<driver name='vfio' model='xe_vfio_pci'/>",
                     ALIAS_0 "<rom file='/v.rom'/>")),
          "", "vf 0000:03:00.4" },
        { "another ROM",
          DOMAIN(ADDS("<rom file='/v.rom'/>"),
                 PCI("managed='yes'", "0x03", "", ALIAS_0 "<rom file='/old.rom'/>")),
          "detach vGPU 0 (VF 0000:03:00.4); attach vGPU 0 (VF 0000:03:00.4)", "vf 0000:03:00.4" },
        { "a ROM of which less is said",
          DOMAIN(ADDS("<rom file='/v.rom'/>"),
                 PCI("managed='yes'", "0x03", "", ALIAS_0 "<rom bar='off' file='/v.rom'/>")),
          "detach vGPU 0 (VF 0000:03:00.4); attach vGPU 0 (VF 0000:03:00.4)", "vf 0000:03:00.4" },
        { "a user's ROM of which nothing is said",
          DOMAIN(ADDS("<boot order='2'/>"),
                 "<disk><boot order='1'/></disk>" PCI("managed='yes'", "0x03", "",
                                                      ALIAS_0
                                                      "<rom file='/v.rom'/><boot order='2'/>")),
          "", "vf 0000:03:00.4" },
        { "not decided where, so that nothing can be said of it",
          DOMAIN(ADDS("<rom file='/v.rom'/>"), PCI("managed='yes'", "0x03", "", ALIAS_0)), "" },
        { "nor is it made an mdev", DOMAIN(ADDS("<rom file='/v.rom'/>"), ""), "" },
        { "no VF needed where nothing is wanted",
          DOMAIN("", PCI("managed='yes'", "0x61", "", ALIAS_0)),
          "detach vGPU 0 (VF 0000:61:00.4)" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml, cases[i].places);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, NEW, &error);
        g_autofree char *text = NULL;

        if (!changes)
            fail_msg("%s: %s", cases[i].what, error->message);
        text = golden_tell(changes);
        if (!g_str_equal(text, cases[i].changes))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

/* A pool's default is dropped where the domain does not support it. */
/* The aim changes with the wants, regardless of the present devices. */
static void
test_aim(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *places;
        bool same; /* as the first one's */
    } cases[] = {
        { "nothing there yet", DOMAIN(DEVICE(""), VNC), NULL, true },
        { "all there",
          DOMAIN(DEVICE(""), VNC HOSTDEV("display='on' ramfb='on'", UUID_0, ALIAS_0)), NULL,
          true },
        { "something else there", DOMAIN(DEVICE(""), VNC HOSTDEV("", USERS_UUID, ALIAS_0)), NULL,
          true },
        { "another display", DOMAIN(DEVICE("display='off'"), VNC), NULL, false },
        { "one more", DOMAIN(DEVICE("") DEVICE(""), VNC), NULL, false },
        { "on a VF", DOMAIN(DEVICE(""), VNC), VENDOR, false },
        { "at an address of its own", DOMAIN(ADDS("<address type='pci' slot='9'/>"), VNC), NULL,
          false },
        { "nothing wanted", DOMAIN("", VNC), NULL, false },
    };
    g_autofree char *first = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml, cases[i].places);
        g_autofree char *aim = vgpu_inject_aim(domain, NEW);

        if (!first)
            first = g_strdup(aim);
        if (g_str_equal(aim, first) != cases[i].same)
            fail_msg("%s: '%s'", cases[i].what, aim);
    }
}

static void
test_wishes(void **state)
{
    static const VgpuDefaults shown = { .display = VGPU_SWITCH_ON, .ramfb = VGPU_SWITCH_ON };
    static const VgpuDefaults hidden = { .display = VGPU_SWITCH_OFF, .ramfb = VGPU_SWITCH_OFF };
    static const struct {
        const char *what;
        const char *xml;
        const VgpuDefaults *defaults;
        const char *changes;
        const char *places;
    } cases[] = {
        { "shown", DOMAIN(DEVICE(""), VNC), &shown,
          "attach vGPU 0 (" UUID_0 ") with display and ramfb" },
        { "not shown", DOMAIN(DEVICE(""), VNC), &hidden, "attach vGPU 0 (" UUID_0 ")" },
        { "not shown, but the device says so", DOMAIN(DEVICE("display='on'"), VNC), &hidden,
          "attach vGPU 0 (" UUID_0 ") with display" },
        { "shown, but the device says no", DOMAIN(DEVICE("display='off'"), VNC), &shown,
          "attach vGPU 0 (" UUID_0 ")" },
        { "no graphics", DOMAIN(DEVICE(""), ""), &shown, "attach vGPU 0 (" UUID_0 ")" },
        { "a plain VF", DOMAIN(DEVICE(""), VNC), &shown, "attach vGPU 0 (VF 0000:03:00.2)",
          PLAIN },
        { "both are shown, one has the ramfb", DOMAIN(DEVICE("count='2'"), VNC), &shown,
          "attach vGPU 0 (VF 0000:61:00.4) with display and ramfb; "
          "attach vGPU 1 (VF 0000:61:00.5) with display",
          VENDOR ", vendor-vfio 0000:61:00.5" },
        { "the user has the ramfb",
          DOMAIN(DEVICE(""), VNC HOSTDEV("display='on' ramfb='on'", USERS_UUID, "")), &shown,
          "attach vGPU 0 (" UUID_0 ") with display" },
        { "a device that insists on the ramfb comes first",
          DOMAIN(DEVICE("") DEVICE("ramfb='on'"), VNC), &shown,
          "attach vGPU 0 (VF 0000:61:00.4) with display; "
          "attach vGPU 1 (VF 0000:61:00.5) with display and ramfb",
          VENDOR ", vendor-vfio 0000:61:00.5" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml, cases[i].places);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *text = NULL;

        for (guint n = 0; n < domain->wants->len; n++)
            vgpu_want_apply(domain->wants->pdata[n], cases[i].defaults);
        if (!(changes = vgpu_inject_plan(domain, NEW, &error)))
            fail_msg("%s: %s", cases[i].what, error->message);
        text = golden_tell(changes);
        if (!g_str_equal(text, cases[i].changes))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

static void
test_contradictions(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *text;
        const char *places;
    } cases[] = {
        { "display without graphics", DOMAIN(DEVICE("display='on'"), ""),
          "domain 'web1': line 6: <vgpu:device> has display='on', but the domain has no <gr" },
        { "ramfb without graphics", DOMAIN(DEVICE("ramfb='on'"), ""),
          "line 6: <vgpu:device> has ramfb='on', but vGPU 0 has no display" },
        { "ramfb on the second device", DOMAIN(DEVICE("") "\n" DEVICE("ramfb='on'"), VNC),
          "line 7: <vgpu:device> has ramfb='on', but vGPU 1 has no display" },
        { "two ramfb", DOMAIN(DEVICE("ramfb='on'") "\n" DEVICE("display='on' ramfb='on'"), VNC),
          "line 7: <vgpu:device> has ramfb='on', but another device" },
        { "ramfb for each of two", DOMAIN(DEVICE("count='2' display='on' ramfb='on'"), VNC),
          "line 6: <vgpu:device> has ramfb='on', but another device" },
        { "ramfb beside the user's",
          DOMAIN(DEVICE("display='on' ramfb='on'"),
                 VNC HOSTDEV("display='on' ramfb='on'", USERS_UUID, "")),
          "line 6: <vgpu:device> has ramfb='on', but another device" },
        { "no hostdev for the uuid", DOMAIN(DEVICE("uuid='" USERS_UUID "'"), ""),
          "line 6: <vgpu:device> names uuid='" USERS_UUID "', but the domain has no "
          "<hostdev type='mdev'>" },
        { "the hostdev for the uuid is ours",
          DOMAIN(DEVICE("uuid='" USERS_UUID "'"),
                 HOSTDEV("", USERS_UUID, "<alias name='ua-vgpu-0'/>")),
          "line 6: <vgpu:device> names uuid='" USERS_UUID "', but the domain has no" },
        { "our UUID without our alias", DOMAIN(DEVICE(""), HOSTDEV("", UUID_0, "")),
          "line 6: the <hostdev> at line 10 has the UUID " UUID_0 " of vGPU 0, but not its alias "
          "'ua-vgpu-0'" },
        { "our VF without our alias", DOMAIN(DEVICE(""), PCI("managed='no'", "0x61", "", "")),
          "line 6: the <hostdev> at line 10 has the VF 0000:61:00.4 of vGPU 0, but not its alias "
          "'ua-vgpu-0'",
          VENDOR },
        { "no UUID", "<domain><name>web1</name></domain>",
          "domain 'web1': the domain has no <uuid>" },
        { "an address that another device has",
          DOMAIN(ADDS("<address type='pci' bus='0' slot='16'/>"),
                 "<interface type='network'>\n<address type='pci' domain='0x0000' bus='0x00' "
                 "slot='0x10' function='0x0'/></interface>"),
          "line 6: <vgpu:hostdev> asks for the address 0000:00:10.0 in the guest, which the "
          "<interface> at line 10 has" },
        { "one that a user's VF has",
          DOMAIN(ADDS("<address type='pci' bus='0x07' slot='0'/>"),
                 PCI("managed='yes'", "0x41", "",
                     "<alias name='ua-vgpu-00'/><address type='pci' domain='0x0000' bus='0x07' "
                     "slot='0x00' function='0x0'/>")),
          "asks for the address 0000:07:00.0 in the guest, which the <hostdev> at line 10 has" },
        { "a boot order that another device has",
          DOMAIN(ADDS("<boot order='1'/>"), "<disk><boot order='1'/></disk>"),
          "line 6: <vgpu:hostdev> has <boot order='1'/>, which the <disk> at line 10 has",
          PLAIN },
        { "a boot order that no other device has",
          DOMAIN(ADDS("<boot order='2'/>"), PCI("", "0x03", "", ALIAS_0 "<boot order='2'/>")),
          "has <boot order='2'/>, but no other device of the domain has an order", PLAIN },
        { "a boot order beside what the firmware boots from",
          "<domain><name>web1</name><uuid>" UUID "</uuid><os><boot dev='hd'/></os><metadata>"
          "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>" ADDS(
              "<boot order='1'/>") "</vgpu:devices></metadata></domain>",
          "has <boot order='1'/>, but the domain has <boot dev='…'/> in its <os>", PLAIN },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml, cases[i].places);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, NEW, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (changes)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
    }
}

/* Requests that depend on the version of libvirt, and on the interface of the vGPU. */
static void
test_impossible(void **state)
{
    static const struct {
        const char *what;
        const char *annotation;
        const char *places;
        gulong libvirt;
        int code; /* -1: possible */
        const char *text;
    } cases[] = {
        { "mdev of any age", DEVICE(""), "mdev", 9000000, -1, "" },
        { "not decided", DEVICE(""), "", 9000000, -1, "" },
        { "plain VF of any age", DEVICE(""), PLAIN, 9000000, -1, "" },
        { "unknown version", DEVICE(""), VENDOR, 0, -1, "" },
        { "vendor-specific VFIO too early", DEVICE(""), VENDOR, 9000000, VGPU_ERROR_NOT_SUPPORTED,
          "domain 'web1': line 6: vGPU 0 is on NVIDIA's vendor-specific VFIO, which needs "
          "libvirt "
          "9.7 or newer; this is 9.0.0" },
        { "vendor-specific VFIO a little too early", DEVICE("display='off'"), VENDOR, 9006999,
          VGPU_ERROR_NOT_SUPPORTED, "needs libvirt 9.7 or newer; this is 9.6.999" },
        { "too early, and no VF chosen: the reason that lasts", DEVICE(""), "vendor-vfio",
          9000000, VGPU_ERROR_NOT_SUPPORTED, "needs libvirt 9.7" },
        { "vendor-specific VFIO just in time", DEVICE("display='off'"), VENDOR, 9007000, -1, "" },
        { "display too early", DEVICE("display='on' ramfb='off'"), VENDOR, 9007000,
          VGPU_ERROR_NOT_SUPPORTED,
          "line 6: <vgpu:device> has display='on', but on NVIDIA's vendor-specific VFIO it needs "
          "libvirt 10.3 or newer, and this is 9.7.0; write display='off' to go without" },
        { "display by itself too early: left out", DEVICE(""), VENDOR, 10002999, -1, "" },
        { "ramfb by itself too early", DEVICE("ramfb='on'"), VENDOR, 10002999,
          VGPU_ERROR_BAD_REQUEST, "has ramfb='on', but vGPU 0 has no display: on NVIDIA's" },
        { "display of the second", DEVICE("display='off'") "\n" DEVICE("display='on'"),
          VENDOR ", vendor-vfio 0000:61:00.5", 10000000, VGPU_ERROR_NOT_SUPPORTED,
          "line 7: <vgpu:device> has display='on', but on NVIDIA's" },
        { "display of an mdev beside it", DEVICE("") DEVICE(""), "mdev, " VENDOR, 10000000, -1,
          "" },
        { "display just in time", DEVICE(""), VENDOR, 10003000, -1, "" },
        { "display of a plain VF", DEVICE("display='on'"), PLAIN, NEW, VGPU_ERROR_NOT_SUPPORTED,
          "line 6: <vgpu:device> has display='on', but a plain VF has none; write" },
        { "ramfb of a plain VF", DEVICE("ramfb='on'"), PLAIN, NEW, VGPU_ERROR_BAD_REQUEST,
          "has ramfb='on', but vGPU 0 has no display" },
        { "nothing is asked of a plain VF", DEVICE("display='off' ramfb='off'"), PLAIN, NEW, -1,
          "" },
        { "no VF", DEVICE(""), "vendor-vfio", NEW, VGPU_ERROR_BUSY,
          "line 6: vGPU 0 needs a VF, but none has been chosen yet; try again in a moment" },
        { "no plain VF", DEVICE(""), "vf", NEW, VGPU_ERROR_BUSY, "none has been chosen yet" },
        { "a ROM of a plain VF", ADDS("<rom file='/v.rom'/>"), PLAIN, 9000000, -1, "" },
        { "a ROM of the vendor's VF", ADDS("<rom bar='off'/>"), VENDOR, 9007000, -1, "" },
        { "a ROM of an mdev", ADDS("<rom file='/v.rom'/>"), "mdev", NEW, VGPU_ERROR_NOT_SUPPORTED,
          "domain 'web1': line 6: <vgpu:hostdev> has <rom>, but vGPU 0 is an mdev, and libvirt "
          "accepts <rom> only for PCI devices; leave it out" },
        { "a boot order of an mdev", ADDS("<boot order='1'/>"), "mdev", 9000000,
          VGPU_ERROR_NOT_SUPPORTED, "<vgpu:hostdev> has <boot>, but vGPU 0 is an mdev" },
        { "a driver of an mdev", ADDS("<vgpu:driver name='vfio'/>"), "mdev", 9000000,
          VGPU_ERROR_NOT_SUPPORTED, "<vgpu:hostdev> has <driver>, but vGPU 0 is an mdev" },
        { "a vGPU that may be an mdev", ADDS("<rom file='/v.rom'/>"), "", NEW, -1, "" },
        { "an address of an mdev", ADDS("<address type='pci' slot='0x10'/>"), "mdev", 9000000, -1,
          "" },
        { "a driver's name of any age", ADDS("<driver name='vfio'/>"), PLAIN, 9000000, -1, "" },
        { "a driver's module too early", ADDS("<driver model='xe_vfio_pci'/>"), PLAIN, 9010000,
          VGPU_ERROR_NOT_SUPPORTED,
          "<driver model='…'>, which needs libvirt 10.0 or newer; this is 9.10.0" },
        { "a driver's module just in time", ADDS("<driver model='xe_vfio_pci'/>"), PLAIN,
          10000000, -1, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(DOMAIN("%s", VNC), cases[i].annotation);
        g_autoptr(VgpuDomain) domain = parse(xml, cases[i].places);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, cases[i].libvirt, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if ((changes != NULL) != (cases[i].code < 0))
            fail_msg("%s: %s", cases[i].what, error ? text : "accepted");
        if (error &&
            (!g_error_matches(error, VGPU_ERROR, cases[i].code) || !strstr(text, cases[i].text)))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
    }
}

static void
test_change(void **state)
{
    g_autoptr(VgpuDomain) domain =
        parse(DOMAIN(DEVICE(""),
                     VNC HOSTDEV("display='off'", USERS_UUID,
                                 "<alias name='ua-vgpu-0'/><address type='pci' slot='0x09'/>")),
              NULL);
    g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, 0, NULL);
    const VgpuChange *detach = g_ptr_array_index(changes, 0);
    const VgpuChange *attach = g_ptr_array_index(changes, 1);

    assert_int_equal(changes->len, 2);
    assert_false(detach->attach);
    assert_string_equal(detach->alias, "ua-vgpu-0");
    assert_string_equal(detach->uuid, USERS_UUID);
    assert_true(attach->attach);
    assert_int_equal(attach->index, 0);
    assert_string_equal(attach->alias, "ua-vgpu-0");
    assert_string_equal(attach->uuid, UUID_0);
    assert_string_equal(attach->xml, "<hostdev mode=\"subsystem\" type=\"mdev\" "
                                     "model=\"vfio-pci\" display=\"on\" ramfb=\"on\">"
                                     "<source><address uuid=\"" UUID_0
                                     "\"/></source><alias name=\"ua-vgpu-0\"/>"
                                     "<address type=\"pci\" slot=\"0x09\"/></hostdev>");
    assert_null(attach->was);
    assert_string_equal(
        detach->was,
        "<hostdev mode=\"subsystem\" type=\"mdev\" model=\"vfio-pci\" display=\"off\">"
        "<source><address uuid=\"" USERS_UUID "\"/></source><alias name=\"ua-vgpu-0\"/>"
        "<address type=\"pci\" slot=\"0x09\"/></hostdev>");
}

/* The detached device has the name of the vGPU, as the kernel has none for it. */
static void
test_change_of_vf(void **state)
{
    g_autoptr(VgpuDomain) domain =
        parse(DOMAIN(DEVICE(""), VNC PCI("managed='no'", "0x62", "",
                                         ALIAS_0 "<address type='pci' slot='0x09'/>")),
              "vendor-vfio 10000:61:00.4");
    g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, NEW, NULL);
    const VgpuChange *detach = g_ptr_array_index(changes, 0);
    const VgpuChange *attach = g_ptr_array_index(changes, 1);

    assert_int_equal(changes->len, 2);
    assert_string_equal(detach->uuid, UUID_0);
    assert_string_equal(attach->uuid, UUID_0);
    assert_string_equal(
        attach->xml,
        "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"no\" display=\"on\" "
        "ramfb=\"on\"><source>"
        "<address domain=\"0x10000\" bus=\"0x61\" slot=\"0x00\" function=\"0x4\"/></source>"
        "<alias name=\"ua-vgpu-0\"/><address type=\"pci\" slot=\"0x09\"/></hostdev>");
}

/* A user's additions to our hostdev are copied to its replacement, as far as that supports
 * them. */
static void
test_additions_stay(void **state)
{
#define ADDED                                                                                    \
    "<driver name='vfio'/><boot order='3'/><rom bar='off' file='/v.rom'/><acpi index='7'/>"      \
    "<teaming type='transient' persistent='ua-net0'/><x:more xmlns:x='urn:x'>z</x:more>"
    static const struct {
        const char *what;
        const char *annotation;
        const char *places;
        const char *was;
        const char *kept; /* names of what is on the new one besides source and alias */
        const char *lost; /* what is said; NULL: nothing */
        bool alone;       /* no other device has a boot order */
    } cases[] = {
        { "a boot order where no other device has one, which libvirt takes only at once",
          DEVICE("display='off'"), VENDOR,
          PCI("managed='no'", "0x62", "<boot order='2'/>", ALIAS_0 "<acpi index='7'/>"), "acpi ",
          "without its <boot>, as no other device has an order", true },
        { "a display that goes", DEVICE("display='off'"), VENDOR,
          PCI("managed='no' display='on' ramfb='on'", "0x61", "", ALIAS_0 ADDED),
          "driver boot rom acpi teaming more ", NULL },
        { "a display that comes", DEVICE("display='on'"), VENDOR,
          PCI("managed='no'", "0x61", "", ADDED ALIAS_0), "driver boot rom acpi teaming more ",
          NULL },
        { "another VF", DEVICE("display='off'"), VENDOR,
          PCI("managed='no'", "0x62", "<rom file='/v.rom'/>", ALIAS_0), "rom ", NULL },
        { "a plain VF instead of the vendor's", DEVICE(""), PLAIN,
          PCI("managed='no'", "0x61", "", ALIAS_0 "<boot order='2'/>"), "boot ", NULL },
        { "a clone's mdev", DEVICE("display='off'"), "mdev",
          HOSTDEV("display='off'", USERS_UUID,
                  ALIAS_0 "<acpi index='7'/><address type='pci' slot='0x09'/>"),
          "acpi address ", NULL },
        { "a VF instead of an mdev", DEVICE("display='off'"), VENDOR,
          HOSTDEV("display='on' ramfb='on'", UUID_0, ALIAS_0 "<acpi index='7'/>"), "acpi ",
          NULL },
        { "an mdev instead of a VF", DEVICE("display='off'"), "mdev",
          PCI("managed='no'", "0x61", "", ADDED ALIAS_0 "<address type='pci' slot='0x09'/>"),
          "acpi more address ", "an mdev cannot have its <rom> and <boot> and <teaming>" },
        { "an mdev instead of a VF that nothing was added to", DEVICE("display='off'"), "mdev",
          PCI("managed='no'", "0x61", "<driver name='vfio'/>", ALIAS_0), "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf(DOMAIN("%s", VNC "%s%s"), cases[i].annotation,
                            cases[i].alone ? "" : "<disk><boot order='1'/></disk>", cases[i].was);
        g_autoptr(VgpuDomain) domain = parse(xml, cases[i].places);
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, NEW, NULL);
        const VgpuChange *attach = g_ptr_array_index(changes, 1);
        g_autoptr(xmlDoc) doc = vgpu_xml_parse(attach->xml, strlen(attach->xml), "new", NULL);
        g_autoptr(GPtrArray) nodes =
            vgpu_xml_nodes(doc, NULL, "/hostdev/*[not(self::source or self::alias)]");
        g_autoptr(GString) kept = g_string_new(NULL);

        for (guint j = 0; j < nodes->len; j++)
            g_string_append_printf(kept, "%s ",
                                   (const char *) ((xmlNode *) nodes->pdata[j])->name);
        if (!g_str_equal(kept->str, cases[i].kept) ||
            (strchr(attach->text, ';') != NULL) != (cases[i].lost != NULL) ||
            (cases[i].lost && !g_str_has_suffix(attach->text, cases[i].lost)))
            fail_msg("%s: '%s', %s: %s", cases[i].what, kept->str, attach->text, attach->xml);
    }
#undef ADDED
}

#define ASIDE(elements) "<devices>" elements "</devices>"
#define AT(slot) "<address type='pci' domain='0x0000' bus='0x00' slot='" slot "' function='0x0'/>"
#define ROM "<rom file='/v.rom'/>"

/* Elements that were set aside from the definition are restored with the new device. */
static void
test_aside(void **state)
{
    static const struct {
        const char *what;
        const char *annotation;
        const char *devices;
        const char *aside;
        const char *places;
        const char *with;    /* the new one has that; NULL: there is none */
        const char *without; /* and not that */
    } cases[] = {
        { "all of it", DEVICE("display='off'"), "",
          ASIDE(PCI("managed='no'", "0x62", "", ALIAS_0 ROM AT("0x10"))), VENDOR,
          "<rom file='/v.rom'/><address type='pci' domain='0x0000' bus='0x00' slot='0x10'",
          "0x62" },
        { "another vGPU's", DEVICE("display='off'"), "",
          ASIDE(PCI("managed='no'", "0x62", "", "<alias name='ua-vgpu-1'/>" ROM)), VENDOR,
          "bus='0x61'", "rom" },
        { "the second of two", DEVICE("display='off' count='2'"),
          PCI("managed='no'", "0x61", "", ALIAS_0),
          ASIDE(PCI("managed='no'", "0x62", "", ALIAS_0)
                    PCI("managed='no'", "0x62", "", "<alias name='ua-vgpu-1'/>" ROM)),
          VENDOR ", vendor-vfio 0000:63:00.4", "<alias name='ua-vgpu-1'/><rom", "0x62" },
        { "its place, which another device has by now", DEVICE("display='off'"),
          "<interface type='user'>" AT("0x10") "</interface>",
          ASIDE(PCI("managed='no'", "0x62", "", ALIAS_0 ROM AT("0x10"))), VENDOR,
          "<rom file='/v.rom'/>", "0x10" },
        { "a device that is back, so that the definition counts", DEVICE("display='off'"),
          PCI("managed='no'", "0x61", "", ALIAS_0), ASIDE(PCI("", "0x62", "", ALIAS_0 ROM)),
          VENDOR, NULL, NULL },
        { "a different device is present", DEVICE("display='off'"), PCI("", "0x62", "", ALIAS_0),
          ASIDE(PCI("", "0x62", "", ALIAS_0 ROM)), VENDOR, "bus='0x61'", "rom" },
        { "no longer wanted", "", "", ASIDE(PCI("", "0x62", "", ALIAS_0 ROM)), "", NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf(DOMAIN("%s", "%s"), cases[i].annotation, cases[i].devices);
        g_autoptr(VgpuDomain) domain = parse(xml, cases[i].places);
        g_autoptr(GPtrArray) changes = NULL;
        const VgpuChange *last;

        domain->aside = g_strdup(cases[i].aside);
        changes = vgpu_inject_plan(domain, NEW, NULL);
        last = changes->len ? changes->pdata[changes->len - 1] : NULL;
        if (last && last->xml)
            g_strdelimit(last->xml, "\"", '\'');
        if ((last != NULL) != (cases[i].with != NULL) ||
            (last && (!strstr(last->xml, cases[i].with) || strstr(last->xml, cases[i].without))))
            fail_msg("%s: %s", cases[i].what, last ? last->xml : "nothing");
    }
}

/* The elements to set aside: those that are removed now, and those set aside before that are still missing. */
static void
test_set_aside(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        const char *aside; /* NULL: nothing */
        const char *result;
    } cases[] = {
        { "nothing present", "", NULL, NULL },
        { "no difference", PCI("managed='no'", "0x61", "", ALIAS_0), NULL, NULL },
        { "a removed device", PCI("managed='yes'", "0x62", "", ALIAS_0 ROM), NULL,
          ASIDE(PCI("managed='yes'", "0x62", "", ALIAS_0 ROM)) },
        { "a device set aside before", "", ASIDE(PCI("managed='yes'", "0x62", "", ALIAS_0 ROM)),
          ASIDE(PCI("managed='yes'", "0x62", "", ALIAS_0 ROM)) },
        { "the removed device is newer", PCI("managed='yes'", "0x63", "", ALIAS_0 ROM),
          ASIDE(PCI("managed='yes'", "0x62", "", ALIAS_0)
                    PCI("managed='yes'", "0x64", "", "<alias name='ua-vgpu-1'/>")),
          ASIDE(PCI("managed='yes'", "0x63", "", ALIAS_0 ROM)
                    PCI("managed='yes'", "0x64", "", "<alias name='ua-vgpu-1'/>")) },
        { "a device that is back", PCI("managed='no'", "0x61", "", ALIAS_0),
          ASIDE(PCI("managed='yes'", "0x62", "", ALIAS_0)), NULL },
        { "the cdrom", "<disk device='cdrom'><alias name='ua-vgpu-driver'/></disk>", NULL,
          ASIDE("<disk device='cdrom'><alias name='ua-vgpu-driver'/></disk>") },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf(DOMAIN("%s", "%s"), DEVICE("display='off'"), cases[i].devices);
        g_autoptr(VgpuDomain) domain = parse(xml, VENDOR);
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *result = NULL;

        domain->aside = g_strdup(cases[i].aside);
        changes = vgpu_inject_plan(domain, NEW, NULL);
        result = vgpu_inject_set_aside(domain, changes);
        if (result)
            g_strdelimit(result, "\"", '\'');
        if (g_strcmp0(result, cases[i].result) != 0)
            fail_msg("%s: %s", cases[i].what, result ? result : "nothing");
    }
}

static void
test_live_xml(void **state)
{
    static const struct {
        const char *what;
        VgpuWant want;
        const char *xml;
    } cases[] = {
        { "not decided",
          { .index = 3, .uuid = (char *) UUID_0 },
          "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off' ramfb='off'>"
          "<source><address uuid='" UUID_0 "'/></source><alias name='ua-vgpu-3'/></hostdev>" },
        { "mdev, shown in the definition",
          { .uuid = (char *) UUID_0,
            .interface = VGPU_INTERFACE_MDEV,
            .display = VGPU_SWITCH_ON,
            .ramfb = VGPU_SWITCH_ON },
          "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off' ramfb='off'>"
          "<source><address uuid='" UUID_0 "'/></source><alias name='ua-vgpu-0'/></hostdev>" },
        { "vendor-specific VFIO",
          { .uuid = (char *) UUID_0,
            .interface = VGPU_INTERFACE_VENDOR_VFIO,
            .vf = (char *) "0000:61:00.4",
            .display = VGPU_SWITCH_ON },
          "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' "
          "bus='0x61' slot='0x00' function='0x4'/></source><alias name='ua-vgpu-0'/></hostdev>" },
        { "plain VF",
          { .index = 15,
            .uuid = (char *) UUID_0,
            .interface = VGPU_INTERFACE_VF,
            .vf = (char *) "0000:03:1f.7" },
          "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
          "bus='0x03' slot='0x1f' function='0x7'/></source><alias name='ua-vgpu-15'/>"
          "</hostdev>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = vgpu_inject_live_xml(NULL, &cases[i].want);

        if (!g_str_equal(xml, cases[i].xml))
            fail_msg("%s: %s", cases[i].what, xml);
    }
}

/* The additions of the annotation that can be hotplugged. */
static void
test_live_additions(void **state)
{
#define LIVE(machine, devices)                                                                   \
    "<domain id='1'><name>a</name><uuid>" UUID                                                   \
    "</uuid><os><type arch='x86_64' machine='" machine "'>hvm</type></os><devices>" devices      \
    "</devices></domain>"
#define PORT(index)                                                                              \
    "<controller type='pci' model='pcie-root-port' index='" index                                \
    "'><address type='pci' bus='0' "                                                             \
    "slot='0x0" index "'/></controller>"
#define PLACE(place) "<hostdev><address type=\"pci\" " place "/></hostdev>"
#define ALL                                                                                      \
    "<hostdev><address type=\"pci\" bus=\"7\" slot=\"0\"/><rom file=\"/v.rom\"/><boot "          \
    "order=\"1\"/><driver name=\"vfio\"/></hostdev>"
    static const struct {
        const char *what;
        const char *running; /* NULL: not known */
        VgpuInterface interface;
        const char *additions;
        const char *end; /* of what is plugged */
    } cases[] = {
        { "a free slot", LIVE("pc-i440fx-7.2", ""), VGPU_INTERFACE_MDEV, PLACE("slot=\"0x10\""),
          "<alias name=\"ua-vgpu-0\"/><address type=\"pci\" slot=\"0x10\"/></hostdev>" },
        { "a slot that something has",
          LIVE("pc", "<interface><address type='pci' bus='0x00' slot='0x10'/></interface>"),
          VGPU_INTERFACE_MDEV, PLACE("slot=\"16\""), "<alias name=\"ua-vgpu-0\"/></hostdev>" },
        { "a slot that QEMU has", LIVE("pc", ""), VGPU_INTERFACE_MDEV, PLACE("slot=\"1\""),
          "<alias name=\"ua-vgpu-0\"/></hostdev>" },
        { "a bus that takes nothing", LIVE("pc-q35-8.0", PORT("7")), VGPU_INTERFACE_MDEV,
          PLACE("slot=\"0x10\""), "<alias name=\"ua-vgpu-0\"/></hostdev>" },
        { "another function", LIVE("pc", ""), VGPU_INTERFACE_MDEV,
          PLACE("slot=\"0x10\" function=\"1\""), "<alias name=\"ua-vgpu-0\"/></hostdev>" },
        { "a running domain that cannot be read", NULL, VGPU_INTERFACE_MDEV,
          PLACE("slot=\"0x10\""), "<alias name=\"ua-vgpu-0\"/></hostdev>" },
        { "all of a VF, at a free port", LIVE("q35", PORT("7")), VGPU_INTERFACE_VF, ALL,
          "<alias name=\"ua-vgpu-0\"/><address type=\"pci\" bus=\"7\" slot=\"0\"/><rom "
          "file=\"/v.rom\"/><driver name=\"vfio\"/></hostdev>" },
        { "all of a VF, at a port that is not there", LIVE("q35", PORT("6")), VGPU_INTERFACE_VF,
          ALL,
          "<alias name=\"ua-vgpu-0\"/><rom file=\"/v.rom\"/><driver name=\"vfio\"/></hostdev>" },
        { "all of an mdev", LIVE("q35", PORT("7")), VGPU_INTERFACE_MDEV, ALL,
          "<alias name=\"ua-vgpu-0\"/><address type=\"pci\" bus=\"7\" slot=\"0\"/></hostdev>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) running = cases[i].running ? golden_parse(cases[i].running) : NULL;
        VgpuWant want = { .uuid = (char *) UUID_0,
                          .interface = cases[i].interface,
                          .vf = (char *) "0000:03:00.1",
                          .additions = (char *) cases[i].additions };
        g_autofree char *xml = vgpu_inject_live_xml(running, &want);

        if (!g_str_has_suffix(xml, cases[i].end))
            fail_msg("%s: %s", cases[i].what, xml);
    }
#undef LIVE
#undef PORT
#undef PLACE
#undef ALL
}

static void
test_version(void **state)
{
    static const struct {
        gulong libvirt;
        const char *text;
    } cases[] = {
        { 11003000, "11.3.0" }, { 9000000, "9.0.0" }, { 10000001, "10.0.1" },
        { 8005002, "8.5.2" },   { 0, "0.0.0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = vgpu_hostdev_libvirt_text(cases[i].libvirt);

        assert_string_equal(text, cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_change_of_vf),
        cmocka_unit_test(test_additions_stay),
        cmocka_unit_test(test_aside),
        cmocka_unit_test(test_set_aside),
        cmocka_unit_test(test_live_xml),
        cmocka_unit_test(test_live_additions),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_aim),
        cmocka_unit_test(test_wishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
