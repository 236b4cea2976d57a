/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Importing a definition with hand-made <hostdev>s: the annotation, the removed elements, and the whole text. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/import.h"

#define NEW_LIBVIRT 11003000
#define NS "xmlns:vgpu=\"urn:virt-vgpu:domain:1\""
#define MDEV "11111111-2222-4333-8444-555555555555"
#define MDEV2 "11111111-2222-4333-8444-666666666666"
#define MDEV_SOURCE(uuid) "<source><address uuid='" uuid "'/></source>"
#define VF_SOURCE(function)                                                                      \
    "<source><address domain='0x0000' bus='0x61' slot='0x00' function='" function "'/></source>"
#define HOSTDEV_MDEV(uuid)                                                                       \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='on' "                       \
    "ramfb='on'>" MDEV_SOURCE(uuid) "</hostdev>"
#define HOSTDEV_VF(attributes, more)                                                             \
    "<hostdev mode='subsystem' type='pci' " attributes ">" VF_SOURCE("0x4") more "</hostdev>"
#define PLACE "<address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/>"
#define OUR_UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"

#define MDEV_ON(number, where)                                                                   \
    {                                                                                            \
        .hostdev = (number), .profile = "NVIDIA A2-4Q", .gpu = (where),                          \
        .interface = VGPU_INTERFACE_MDEV                                                         \
    }
#define VENDOR_ON(number)                                                                        \
    {                                                                                            \
        .hostdev = (number), .profile = "NVIDIA L40S-8Q",                                        \
        .interface = VGPU_INTERFACE_VENDOR_VFIO                                                  \
    }

static char *
domain_xml(const char *metadata, const char *devices)
{
    return g_strdup_printf(
        "<domain type='kvm'>\n  <name>cad1</name>\n  <uuid>" OUR_UUID "</uuid>\n"
        "%s  <devices>\n    <graphics type='vnc'/>\n    %s\n  </devices>\n</domain>",
        metadata, devices);
}

static const struct {
    const char *what;
    const char *metadata;
    const char *hostdevs;
    VgpuImportDevice devices[3];
    guint n;
    gulong libvirt;         /* 0: the new one */
    const char *annotation; /* all that is in it; NULL: refused */
    guint first;
    guint replaced;
    const char *has[4]; /* what the definition has afterwards */
    const char *lacks;  /* what it has not */
    const char *once;   /* what the annotation has once */
    const char *error;
} cases[] = {
    { "an mdev keeps its hostdev and its UUID",
      "",
      HOSTDEV_MDEV(MDEV),
      { MDEV_ON(0, "0000:41:00.4") },
      .n = 1,
      .annotation =
          "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV "\" gpu=\"0000:41:00.4\"/>",
      .has = { "display=\"on\" ramfb=\"on\"><source><address uuid=\"" MDEV "\"/>",
               "<vgpu:devices " NS ">\n      <vgpu:device profile=" },
      .lacks = "ua-vgpu" },
    { "where it was is not known, so it may be anywhere",
      "",
      HOSTDEV_MDEV(MDEV),
      { MDEV_ON(0, NULL) },
      .n = 1,
      .annotation = "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV "\"/>" },
    { "two mdevs, in the order of the definition",
      "",
      HOSTDEV_MDEV(MDEV) HOSTDEV_MDEV(MDEV2),
      { MDEV_ON(0, NULL), MDEV_ON(1, NULL) },
      .n = 2,
      .annotation = "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV "\"/>"
                    "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV2 "\"/>" },
    { "a VF of vendor-specific VFIO makes way for ours on the same VF",
      "",
      HOSTDEV_VF("managed='no' display='on' ramfb='on'", PLACE),
      { VENDOR_ON(0) },
      .n = 1,
      .annotation = "<vgpu:device profile=\"NVIDIA L40S-8Q\" gpu=\"0000:61:00.4\" display=\"on\" "
                    "ramfb=\"on\"><vgpu:hostdev><address type=\"pci\" domain=\"0x0000\" "
                    "bus=\"0x00\" slot=\"0x10\" function=\"0x0\"/></vgpu:hostdev></vgpu:device>",
      .replaced = 1,
      .has = { "type=\"pci\" managed=\"no\" display=\"on\" ramfb=\"on\"", "slot=\"0x10\"",
               "<alias name=\"ua-vgpu-0\"/>", "bus=\"0x61\" slot=\"0x00\" function=\"0x4\"" } },
    { "one without a picture stays without",
      "",
      HOSTDEV_VF("managed='no'", ""),
      { VENDOR_ON(0) },
      .n = 1,
      .annotation =
          "<vgpu:device profile=\"NVIDIA L40S-8Q\" gpu=\"0000:61:00.4\" display=\"off\" "
          "ramfb=\"off\"/>",
      .replaced = 1,
      .has = { "managed=\"no\"" },
      .lacks = "display=\"on\"" },
    { "a plain VF with all that was added to it",
      "",
      "<disk type='file'><target dev='vda' bus='virtio'/><boot order='1'/></disk>" HOSTDEV_VF(
          "managed='no'", "<driver name='vfio'/><rom bar='off'/><boot order='2'/>"),
      { { .profile = "vf", .interface = VGPU_INTERFACE_VF } },
      .n = 1,
      .annotation = "<vgpu:device profile=\"vf\" gpu=\"0000:61:00.4\"><vgpu:hostdev>"
                    "<driver name=\"vfio\"/><rom bar=\"off\"/><boot order=\"2\"/>"
                    "</vgpu:hostdev></vgpu:device>",
      .replaced = 1,
      .has = { "managed=\"yes\"", "<rom bar=\"off\"/>", "<boot order=\"2\"/>" } },
    { "elements that an annotation cannot express are refused",
      "",
      HOSTDEV_VF("managed='no'", "<teaming type='transient' persistent='ua-net'/>"),
      { VENDOR_ON(0) },
      .n = 1,
      .error = "the <hostdev> has <teaming>" },
    { "a value that an annotation does not take as well",
      "",
      HOSTDEV_VF("managed='no'", "<driver name='kvm'/>"),
      { VENDOR_ON(0) },
      .n = 1,
      .error = "'name' on <driver> is 'kvm'" },
    { "a libvirt that is too old for the new hostdev",
      "",
      HOSTDEV_VF("managed='no'", ""),
      { VENDOR_ON(0) },
      .n = 1,
      .libvirt = 9000000,
      .error = "needs libvirt 9.7" },
    { "an annotation that is there stays in front",
      "  <metadata>\n    <vgpu:devices " NS
      " tenant='acme'>\n      <vgpu:device profile='A2-8Q'/>\n"
      "    </vgpu:devices>\n  </metadata>\n",
      HOSTDEV_MDEV(MDEV),
      { MDEV_ON(0, NULL) },
      .n = 1,
      .first = 1,
      .annotation = "<vgpu:device profile=\"A2-8Q\"/>"
                    "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV "\"/>",
      .has = { "tenant=\"acme\"" } },
    { "its VF stays the one that it is",
      "  <metadata><vgpu:devices " NS "><vgpu:device profile='vf'/></vgpu:devices></metadata>\n",
      "<hostdev mode='subsystem' type='pci' managed='yes'>" VF_SOURCE(
          "0x5") "<alias name='ua-vgpu-0'/></hostdev>" HOSTDEV_VF("managed='yes'", ""),
      { { .hostdev = 1, .profile = "vf", .interface = VGPU_INTERFACE_VF } },
      .n = 1,
      .first = 1,
      .annotation = "<vgpu:device profile=\"vf\"/>"
                    "<vgpu:device profile=\"vf\" gpu=\"0000:61:00.4\"/>",
      .replaced = 1,
      .has = { "function=\"0x5\"", "ua-vgpu-1" },
      .lacks = "managed=\"no\"" },
    { "one that was annotated, and not yet taken out, is not annotated again",
      "  <metadata><vgpu:devices " NS "><vgpu:device profile='A2-8Q'/>"
      "<vgpu:device profile='NVIDIA L40S-8Q' gpu='0000:61:00.4'/></vgpu:devices></metadata>\n",
      HOSTDEV_MDEV(MDEV) HOSTDEV_VF("managed='no'", ""),
      { VENDOR_ON(1) },
      .n = 1,
      .first = 1,
      .annotation = "<vgpu:device profile=\"NVIDIA L40S-8Q\" gpu=\"0000:61:00.4\"/>",
      .replaced = 1,
      .has = { "ua-vgpu-1", "function=\"0x4\"", MDEV },
      .lacks = "ua-vgpu-2",
      .once = "0000:61:00.4" },
    { "and what is beside it comes behind",
      "  <metadata><vgpu:devices " NS "><vgpu:device profile='NVIDIA L40S-8Q' "
      "gpu='0000:61:00.4'/></vgpu:devices></metadata>\n",
      HOSTDEV_VF("managed='no'", "") HOSTDEV_MDEV(MDEV),
      { VENDOR_ON(0), MDEV_ON(1, NULL) },
      .n = 2,
      .annotation = "gpu=\"0000:61:00.4\"/><vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"" MDEV,
      .replaced = 1,
      .once = "L40S" },
    { "an annotation of another vGPU on that VF is refused",
      "  <metadata><vgpu:devices " NS "><vgpu:device profile='NVIDIA L40S-4Q' "
      "gpu='0000:61:00.4'/></vgpu:devices></metadata>\n",
      HOSTDEV_VF("managed='no'", ""),
      { VENDOR_ON(0) },
      .n = 1,
      .error = "already, and not as NVIDIA L40S-8Q" },
    { "a bad annotation is refused",
      "  <metadata><vgpu:devices " NS "><vgpu:device/></vgpu:devices></metadata>\n",
      HOSTDEV_MDEV(MDEV),
      { MDEV_ON(0, NULL) },
      .n = 1,
      .error = "has no profile" },
    { "a guest address that another device has is refused",
      "",
      "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='9' slot='0' "
      "function='0'/></source>" PLACE "</hostdev>" HOSTDEV_VF("managed='no'", PLACE),
      { VENDOR_ON(1) },
      .n = 1,
      .error = "0000:00:10.0" },
};

static char *
without_blanks(const char *xml)
{
    GString *text = g_string_new(xml);

    while (g_string_replace(text, "> ", ">", 0) + g_string_replace(text, ">\n", ">", 0))
        continue;
    return g_string_free(text, FALSE);
}

static guint
count(const char *text, const char *word)
{
    guint n = 0;

    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void
test_plan(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = domain_xml(cases[i].metadata, cases[i].hostdevs);
        g_autoptr(VgpuImport) plan =
            vgpu_import_plan(xml, NULL, cases[i].devices, cases[i].n,
                             cases[i].libvirt ? cases[i].libvirt : NEW_LIBVIRT, &error);
        g_autofree char *after = plan ? without_blanks(plan->after) : NULL;
        g_autofree char *annotation = NULL;

        if (!cases[i].annotation) {
            if (plan)
                fail_msg("%s: was taken", cases[i].what);
            if (!strstr(error->message, cases[i].error))
                fail_msg("%s: says '%s'", cases[i].what, error->message);
            continue;
        }
        if (!plan)
            fail_msg("%s: %s", cases[i].what, error->message);
        annotation = without_blanks(plan->annotation);
        if (!strstr(annotation, cases[i].annotation))
            fail_msg("%s: %s", cases[i].what, annotation);
        if (plan->numbers[0] != cases[i].first || plan->replaced->len != cases[i].replaced)
            fail_msg("%s: first %u, %u replaced", cases[i].what, plan->numbers[0],
                     plan->replaced->len);
        if (cases[i].once && count(annotation, cases[i].once) != 1)
            fail_msg("%s: not once in %s", cases[i].what, annotation);
        for (gsize n = 0; n < G_N_ELEMENTS(cases[i].has) && cases[i].has[n]; n++) {
            if (!strstr(after, cases[i].has[n]) && !strstr(plan->after, cases[i].has[n]))
                fail_msg("%s: lacks %s:\n%s", cases[i].what, cases[i].has[n], plan->after);
        }
        if (cases[i].lacks && strstr(plan->after, cases[i].lacks))
            fail_msg("%s: has %s:\n%s", cases[i].what, cases[i].lacks, plan->after);
    }
}

/* The original definition, so that it can be restored. */
static void
test_way_back(void **state)
{
    g_autofree char *xml = domain_xml("  <metadata><vgpu:devices " NS
                                      "><vgpu:device profile='vf'/></vgpu:devices></metadata>\n",
                                      HOSTDEV_VF("managed='no'", ""));
    VgpuImportDevice device = VENDOR_ON(0);
    g_autoptr(VgpuImport) plan = vgpu_import_plan(xml, NULL, &device, 1, NEW_LIBVIRT, NULL);

    (void) state;
    assert_non_null(plan);
    assert_non_null(strstr(plan->old, "<vgpu:device profile=\"vf\"/>"));
    assert_null(strstr(plan->old, "L40S"));
    assert_non_null(strstr(plan->replaced->pdata[0], "<hostdev mode=\"subsystem\" type=\"pci\""));
    assert_non_null(strstr(plan->replaced->pdata[0], "function=\"0x4\""));
    assert_non_null(strstr(plan->before, "function=\"0x4\""));
    assert_null(strstr(plan->before, "ua-vgpu"));
}

static void
test_candidates(void **state)
{
    g_autofree char *xml = domain_xml(
        "  <metadata><vgpu:devices " NS "><vgpu:device profile='A' uuid='" MDEV "'/>"
        "</vgpu:devices></metadata>\n",
        HOSTDEV_MDEV(MDEV) HOSTDEV_MDEV(MDEV2) HOSTDEV_VF("managed='no'", "")
            HOSTDEV_VF("managed='no'", "<alias name='ua-vgpu-1'/>")
                HOSTDEV_VF("managed='no'",
                           "<alias name='ua-mine'/>") "<hostdev mode='subsystem' type='mdev' "
                                                      "model='vfio-pci'><source/></hostdev>");
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), NULL, NULL);
    const bool expected[] = { false, true, true, false, true, false };

    (void) state;
    assert_non_null(domain);
    assert_int_equal(domain->hostdevs->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < domain->hostdevs->len; i++) {
        if (vgpu_import_is_candidate(domain, domain->hostdevs->pdata[i]) != expected[i])
            fail_msg("hostdev %u", i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_way_back),
        cmocka_unit_test(test_candidates),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
