/* Which <hostdev>s are attached and detached, and what the document looks like then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "domain/inject.h"

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
#define VNC "<graphics type='vnc'/>"

static char *
data_path(const char *name, const char *end)
{
    const char *srcdir = g_getenv("srcdir");

    return g_strdup_printf("%s/tests/data/domain/%s%s", srcdir ? srcdir : ".", name, end);
}

static VgpuDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

/* All that is going to be done, in the words for people. */
static char *
tell(const GPtrArray *changes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < changes->len; i++) {
        const VgpuChange *change = changes->pdata[i];

        g_string_append_printf(text, "%s%s", i ? "; " : "", change->text);
        assert_true(change->attach == (change->xml != NULL));
    }
    return g_string_free(text, FALSE);
}

/* One golden pair: plan, apply, compare; then there must be nothing left to do. */
static void
check_pair(const char *name, guint n_changes)
{
    g_autofree char *in_path = data_path(name, ".in.xml");
    g_autofree char *out_path = data_path(name, ".out.xml");
    g_autofree char *in = NULL;
    g_autofree char *out = NULL;
    g_autofree char *expected = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(VgpuDomain) after = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    g_autoptr(GPtrArray) left = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(in_path, &in, NULL, &error))
        fail_msg("%s", error->message);
    domain = parse(in);
    if (!(changes = vgpu_inject_plan(domain, 0, &error)))
        fail_msg("%s: %s", name, error->message);
    if (changes->len != n_changes)
        fail_msg("%s: %u changes: %s", name, changes->len, tell(changes));
    out = vgpu_inject_apply(domain, changes);

    if (g_getenv("VGPU_REGENERATE"))
        g_file_set_contents(out_path, out, -1, NULL);
    if (!g_file_get_contents(out_path, &expected, NULL, &error))
        fail_msg("%s", error->message);
    if (!g_str_equal(out, expected))
        fail_msg("%s: is not what is in %s:\n%s", name, out_path, out);

    after = parse(out);
    left = vgpu_inject_plan(after, 0, NULL);
    assert_non_null(left);
    if (left->len)
        fail_msg("%s: again: %s", name, tell(left));
}

static void
test_golden(void **state)
{
    static const struct {
        const char *name;
        guint n_changes;
    } pairs[] = {
        { "simple", 1 },        { "two-one-ramfb", 2 }, { "explicit-ramfb-later", 2 },
        { "users-hostdev", 1 }, { "users-display", 2 }, { "no-graphics", 1 },
        { "removed", 2 },       { "fewer", 1 },         { "clone", 4 },
        { "replaced", 2 },      { "present", 0 },       { "spread-alternatives", 3 },
        { "users-uuid", 1 },    { "alias-twice", 3 },   { "pci-under-our-alias", 2 },
        { "not-our-alias", 0 }, { "bare", 1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        check_pair(pairs[i].name, pairs[i].n_changes);
}

static void
test_plan(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *changes;
    } cases[] = {
        { "nothing wanted, nothing there", DOMAIN("", ""), "" },
        { "display and ramfb by themselves", DOMAIN(DEVICE(""), VNC),
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
        { "a device of ours does not count as the user's",
          DOMAIN(DEVICE(""),
                 VNC HOSTDEV("display='on' ramfb='on'", UUID_0, "<alias name='ua-vgpu-0'/>")),
          "" },
        { "what libvirt fills in is no difference",
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
        { "ours where the user now has his own",
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
          "detach vGPU 3 (no UUID)" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, 0, &error);
        g_autofree char *text = NULL;

        if (!changes)
            fail_msg("%s: %s", cases[i].what, error->message);
        text = tell(changes);
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
        { "no UUID", "<domain><name>web1</name></domain>",
          "domain 'web1': the domain has no <uuid>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(cases[i].xml);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, 0, &error);

        if (changes)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, error->message);
    }
}

static void
test_change(void **state)
{
    g_autoptr(VgpuDomain) domain =
        parse(DOMAIN(DEVICE(""),
                     VNC HOSTDEV("display='off'", USERS_UUID,
                                 "<alias name='ua-vgpu-0'/><address type='pci' slot='0x09'/>")));
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
    assert_string_equal(
        attach->xml, "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='on' "
                     "ramfb='on'><source><address uuid='" UUID_0 "'/></source>"
                     "<alias name='ua-vgpu-0'/><address type=\"pci\" slot=\"0x09\"/></hostdev>");
}

static void
test_live_xml(void **state)
{
    g_autoptr(VgpuDomain) domain = parse(DOMAIN(DEVICE("display='on' ramfb='on'"), VNC));
    g_autofree char *xml = vgpu_inject_live_xml(g_ptr_array_index(domain->wants, 0));

    assert_string_equal(xml,
                        "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off' "
                        "ramfb='off'><source><address uuid='" UUID_0 "'/></source>"
                        "<alias name='ua-vgpu-0'/></hostdev>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),         cmocka_unit_test(test_plan),
        cmocka_unit_test(test_contradictions), cmocka_unit_test(test_change),
        cmocka_unit_test(test_live_xml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
