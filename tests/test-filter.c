/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The XML that the hook's migrate and restore answer with. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/filter.h"
#include "golden.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define UUID_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* UUIDv5(UUID, "virt-vgpu:0") */
#define USERS_UUID "11111111-2222-4333-8444-555555555555"
#define NEW 11003000 /* a libvirt that can do everything */

#define DOMAIN(annotation, devices)                                                              \
    "<domain><name>web1</name>\n<uuid>" UUID "</uuid>"                                           \
    "<metadata><vgpu:devices xmlns:vgpu=\"urn:virt-vgpu:domain:1\">" annotation                  \
    "</vgpu:devices></metadata><devices>" devices "</devices></domain>\n"
#define DEVICE "<vgpu:device profile=\"p\"/>"
#define USERS_DEVICE "<vgpu:device profile=\"p\" uuid=\"" USERS_UUID "\"/>"
#define MDEV(attributes, uuid, alias)                                                            \
    "<hostdev mode=\"subsystem\" type=\"mdev\" model=\"vfio-pci\"" attributes "><source>"        \
    "<address uuid=\"" uuid "\"/></source><alias name=\"" alias "\"/></hostdev>"
#define VF(attributes, bus, alias)                                                               \
    "<hostdev mode=\"subsystem\" type=\"pci\"" attributes "><source><address domain=\"0x0000\" " \
    "bus=\"" bus "\" slot=\"0x00\" function=\"0x4\"/></source><alias name=\"" alias              \
    "\"/></hostdev>"

/* One golden pair. Filtering the output again changes nothing. */
static void
check_pair(const char *name, const char *places)
{
    g_autofree char *in = golden_read(name);
    g_autofree char *out = NULL;
    g_autofree char *again = NULL;
    g_autofree char *lost = NULL;
    g_autoptr(VgpuDomain) domain = golden_parse(in);
    g_autoptr(VgpuDomain) after = NULL;
    g_autoptr(GError) error = NULL;

    golden_bind(domain, places);
    if (!vgpu_filter_domain(domain, NEW, &out, &lost, &error))
        fail_msg("%s: %s", name, error->message);
    if (!out)
        fail_msg("%s: nothing changed", name);
    golden_compare(name, out);

    after = golden_parse(out);
    assert_int_equal(after->hostdevs->len, domain->hostdevs->len);
    for (guint i = 0; i < after->hostdevs->len; i++) {
        const VgpuHostdev *before = domain->hostdevs->pdata[i];
        const VgpuHostdev *now = after->hostdevs->pdata[i];

        assert_string_equal(before->alias, now->alias);
        assert_string_equal(before->place, now->place);
        assert_true(before->display == now->display && before->ramfb == now->ramfb);
    }
    golden_bind(after, places);
    assert_true(vgpu_filter_domain(after, NEW, &again, &lost, NULL));
    assert_null(again);
}

static void
test_golden(void **state)
{
    check_pair("filter-vf", "vendor-vfio 0000:62:00.4, vendor-vfio 10000:62:00.7");
    check_pair("filter-mdev-to-vf", "vendor-vfio 0000:62:00.4, vendor-vfio 0000:62:00.5");
    check_pair("filter-vf-to-mdev", "mdev, mdev");
    check_pair("filter-plain", "vf 0000:04:00.3, mdev");
}

static void
test_filter(void **state)
{
    static const struct {
        const char *what;
        const char *in;
        const char *places;
        gulong libvirt;
        const char *out; /* NULL: nothing changes */
    } cases[] = {
        { "the same mdev", DOMAIN(DEVICE, MDEV(" display=\"off\"", UUID_0, "ua-vgpu-0")), "mdev",
          9000000, NULL },
        { "an mdev, and nothing decided", DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0")), "",
          9000000, NULL },
        { "the same VF", DOMAIN(DEVICE, VF(" managed=\"no\"", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 9007000, NULL },
        { "the same VF, shown",
          DOMAIN(DEVICE, VF(" managed=\"no\" display=\"on\"", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 10003000, NULL },
        { "no annotation", DOMAIN("", VF(" managed=\"no\"", "0x61", "ua-vgpu-0")), "", NEW,
          NULL },
        { "a device more than wanted is left alone",
          DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0") VF("", "0x62", "ua-vgpu-1")), "mdev", NEW,
          NULL },
        { "a device that is missing is not added", DOMAIN(DEVICE, ""), "mdev", NEW, NULL },
        { "a device that is missing needs no VF", DOMAIN(DEVICE, ""), "vendor-vfio", 9000000,
          NULL },
        { "the user's own", DOMAIN(USERS_DEVICE, MDEV("", USERS_UUID, "hostdev0")), "mdev", NEW,
          NULL },
        { "our alias, but the user has another one",
          DOMAIN(USERS_DEVICE, MDEV("", UUID_0, "ua-vgpu-0")), "mdev", NEW, NULL },
        { "not our alias", DOMAIN(DEVICE, VF("", "0x62", "ua-vgpu-00")), "mdev", NEW, NULL },
        { "another UUID", DOMAIN(DEVICE, MDEV("", USERS_UUID, "ua-vgpu-0")), "mdev", 9000000,
          DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0")) },
        { "another VF, on a libvirt that cannot mix",
          DOMAIN(DEVICE, VF(" managed=\"no\"", "0x62", "ua-vgpu-0")), "vendor-vfio 0000:61:00.4",
          9007000, DOMAIN(DEVICE, VF(" managed=\"no\"", "0x61", "ua-vgpu-0")) },
        { "the display attribute stays",
          DOMAIN(DEVICE, VF(" managed=\"no\" ramfb=\"off\"", "0x62", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", NEW,
          DOMAIN(DEVICE, VF(" managed=\"no\" ramfb=\"off\"", "0x61", "ua-vgpu-0")) },
        { "a plain VF is managed", DOMAIN(DEVICE, VF(" managed=\"no\"", "0x61", "ua-vgpu-0")),
          "vf 0000:61:00.4", 9000000,
          DOMAIN(DEVICE, VF(" managed=\"yes\"", "0x61", "ua-vgpu-0")) },
        { "a vendor's is not", DOMAIN(DEVICE, VF(" managed=\"yes\"", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", NEW,
          DOMAIN(DEVICE, VF(" managed=\"no\"", "0x61", "ua-vgpu-0")) },
        { "mdev to plain VF", DOMAIN(DEVICE, MDEV(" display=\"off\"", UUID_0, "ua-vgpu-0")),
          "vf 0000:61:00.4", 11000000,
          DOMAIN(DEVICE, VF(" managed=\"yes\"", "0x61", "ua-vgpu-0")) },
        { "any version", DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 0,
          DOMAIN(DEVICE, VF(" managed=\"no\"", "0x61", "ua-vgpu-0")) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = golden_parse(cases[i].in);
        g_autoptr(GError) error = NULL;
        g_autofree char *out = NULL, *lost = NULL;

        golden_bind(domain, cases[i].places);
        if (!vgpu_filter_domain(domain, cases[i].libvirt, &out, &lost, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        if (g_strcmp0(out, cases[i].out) != 0)
            fail_msg("%s: %s", cases[i].what, out ? out : "nothing changed");
    }
}

/* A user's additions stay, as far as an mdev supports them. */
static void
test_additions(void **state)
{
    static const struct {
        const char *what;
        const char *places;
        const char *was; /* the end of the hostdev */
        const char *is;
        const char *lost; /* NULL: nothing */
    } cases[] = {
        { "another VF", "vf 0000:61:00.4",
          "<driver name=\"vfio\"/><rom file=\"/v.rom\"/><boot order=\"3\"/>",
          "<driver name=\"vfio\"/><rom file=\"/v.rom\"/><boot order=\"3\"/>", NULL },
        { "an mdev", "mdev", "<rom bar=\"off\"/><acpi index=\"1\"/><boot order=\"3\"/>",
          "<acpi index=\"1\"/>", "<rom> and <boot> of vGPU 0" },
        { "an mdev, of what libvirt has added itself", "mdev", "<driver name=\"vfio\"/>", "",
          NULL },
        { "an mdev that cannot be one of a team", "mdev",
          "<teaming type=\"transient\" persistent=\"ua-net0\"/>", "", "<teaming> of vGPU 0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *in = g_strdup_printf(
            DOMAIN(DEVICE,
                   "<hostdev mode=\"subsystem\" type=\"pci\"><source><address "
                   "domain=\"0x0000\" bus=\"0x62\" slot=\"0x00\" function=\"0x4\"/></source>"
                   "<alias name=\"ua-vgpu-0\"/>%s</hostdev>"),
            cases[i].was);
        g_autofree char *end =
            g_strdup_printf("<alias name=\"ua-vgpu-0\"/>%s</hostdev>", cases[i].is);
        g_autoptr(VgpuDomain) domain = golden_parse(in);
        g_autofree char *out = NULL, *lost = NULL;

        golden_bind(domain, cases[i].places);
        assert_true(vgpu_filter_domain(domain, NEW, &out, &lost, NULL));
        if (!strstr(out, end) || g_strcmp0(lost, cases[i].lost) != 0)
            fail_msg("%s: lost %s: %s", cases[i].what, lost ? lost : "nothing", out);
    }
}

/* A device without a source, or without its address, gets one. */
static void
test_no_source(void **state)
{
    static const char *const sources[] = { "", "<source/>", "<source startupPolicy='x'/>" };

    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autofree char *in =
            g_strdup_printf(DOMAIN(DEVICE, "<hostdev type='pci'>%s<alias name='ua-vgpu-0'/>"
                                           "</hostdev>"),
                            sources[i]);
        g_autoptr(VgpuDomain) domain = golden_parse(in);
        g_autoptr(VgpuDomain) after = NULL;
        g_autofree char *out = NULL, *lost = NULL;

        golden_bind(domain, "vf 0000:61:00.4");
        assert_true(vgpu_filter_domain(domain, NEW, &out, &lost, NULL));
        after = golden_parse(out);
        assert_string_equal(vgpu_domain_find_ours(after, 0)->source, "0000:61:00.4");
        assert_true(vgpu_domain_find_ours(after, 0)->managed);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *what;
        const char *in;
        const char *places;
        gulong libvirt;
        VgpuError code;
        const char *text;
    } cases[] = {
        { "mdev to VF too early", DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 10010000, VGPU_ERROR_NOT_SUPPORTED,
          "domain 'web1': line 2: vGPU 0 was an mdev and is a VF here; moving between the two "
          "needs libvirt 11.0 or newer; this is 10.10.0" },
        { "mdev to plain VF too early", DOMAIN(DEVICE, MDEV("", UUID_0, "ua-vgpu-0")),
          "vf 0000:61:00.4", 9000000, VGPU_ERROR_NOT_SUPPORTED, "was an mdev and is a VF" },
        { "VF to mdev too early", DOMAIN(DEVICE, VF("", "0x61", "ua-vgpu-0")), "mdev", 9000000,
          VGPU_ERROR_NOT_SUPPORTED, "vGPU 0 was a VF and is an mdev here" },
        { "vendor-specific VFIO too early", DOMAIN(DEVICE, VF("", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 9000000, VGPU_ERROR_NOT_SUPPORTED,
          "needs libvirt 9.7 or newer; this is 9.0.0" },
        { "display too early", DOMAIN(DEVICE, VF(" display=\"on\"", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 10002000, VGPU_ERROR_NOT_SUPPORTED,
          "a display needs libvirt 10.3" },
        { "ramfb alone, too early", DOMAIN(DEVICE, VF(" ramfb=\"on\"", "0x61", "ua-vgpu-0")),
          "vendor-vfio 0000:61:00.4", 10002000, VGPU_ERROR_NOT_SUPPORTED,
          "ramfb needs libvirt 10.3" },
        { "display on a plain VF", DOMAIN(DEVICE, MDEV(" display=\"on\"", UUID_0, "ua-vgpu-0")),
          "vf 0000:61:00.4", NEW, VGPU_ERROR_NOT_SUPPORTED,
          "vGPU 0 is a plain VF, which can have neither" },
        { "no VF chosen", DOMAIN(DEVICE, VF("", "0x61", "ua-vgpu-0")), "vendor-vfio", NEW,
          VGPU_ERROR_BUSY, "none has been chosen yet" },
        { "the second of two",
          DOMAIN(DEVICE DEVICE, VF("", "0x61", "ua-vgpu-0") VF("", "0x62", "ua-vgpu-1")),
          "vendor-vfio 0000:63:00.4, mdev", 10010000, VGPU_ERROR_NOT_SUPPORTED,
          "vGPU 1 was a VF" },
        { "no UUID", "<domain><name>web1</name></domain>", "", NEW, VGPU_ERROR_BAD_REQUEST,
          "domain 'web1': the domain has no <uuid>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = golden_parse(cases[i].in);
        g_autoptr(GError) error = NULL;
        g_autofree char *out = g_strdup("untouched");
        g_autofree char *lost = NULL;
        g_autofree char *doc = NULL;
        g_autofree char *text = NULL;

        golden_bind(domain, cases[i].places);
        if (vgpu_filter_domain(domain, cases[i].libvirt, &out, &lost, &error))
            fail_msg("%s: accepted", cases[i].what);
        text = vgpu_error_text(error);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
        assert_string_equal(out, "untouched");
        doc = vgpu_xml_dump_doc(domain->doc);
        if (!g_str_has_prefix(doc, cases[i].in))
            fail_msg("%s: the document was changed: %s", cases[i].what, doc);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),    cmocka_unit_test(test_filter),
        cmocka_unit_test(test_additions), cmocka_unit_test(test_no_source),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
