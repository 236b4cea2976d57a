/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The <qemu:override> that makes vGPUs migratable: into whole files, alone, and how an existing one is read. */
#include "test.h"

#include <string.h>

#include "domain/annotate.h"
#include "domain/migratable.h"
#include "golden.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define Q "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"

static char *
annotate(const char *xml, const char *name)
{
    VgpuAnnotateOptions options = { .keep = true, .migratable = true };
    g_autoptr(GError) error = NULL;
    char *out = vgpu_annotate_document(xml, strlen(xml), name, &options, &error);

    if (!out)
        fail_msg("%s: %s", name, error->message);
    return out;
}

/* A second time it changes nothing. */
static void
test_golden(void **state)
{
    static const char *const names[] = { "migratable-plain", "migratable-merged",
                                         "migratable-users" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *in = golden_read(names[i]);
        g_autofree char *out = annotate(in, names[i]);
        g_autofree char *again = annotate(out, names[i]);

        golden_compare(names[i], out);
        assert_string_equal(again, out);
    }
}

static void
test_element(void **state)
{
    static const char wanted[] =
        "<qemu:override " Q ">\n"
        "  <qemu:device alias='ua-vgpu-0'>\n"
        "    <qemu:frontend>\n"
        "      <qemu:property name='enable-migration' type='string' value='on'/>\n"
        "    </qemu:frontend>\n"
        "  </qemu:device>\n"
        "</qemu:override>";
    g_autofree char *xml = golden_read("migratable-plain");
    g_autoptr(VgpuDomain) domain = golden_parse(xml);
    g_autofree char *before = vgpu_xml_dump_doc(domain->doc);
    g_autofree char *element = vgpu_migratable_element(domain);
    g_autofree char *after = vgpu_xml_dump_doc(domain->doc);
    g_autoptr(VgpuDomain) plain = golden_parse("<domain><name>x</name></domain>");

    assert_string_equal(after, before);
    assert_string_equal(g_strdelimit(element, "\"", '\''), wanted);
    assert_null(vgpu_migratable_element(plain));
}

#define DOMAIN(devices, after)                                                                   \
    "<domain " Q "><name>x</name><metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'>" devices \
    "</v:devices></metadata><devices><hostdev type='mdev' model='vfio-pci'><source>"             \
    "<address uuid='" UUID "'/></source><alias name='ua-own'/></hostdev></devices>" after        \
    "</domain>"
#define ONE DOMAIN_DEVICE("")
#define DOMAIN_DEVICE(more) "<v:device profile='A' " more "/>"
#define SET(alias, value)                                                                        \
    "<qemu:device alias='" alias "'><qemu:frontend><qemu:property name='enable-migration' "      \
    "type='string' value='" value "'/></qemu:frontend></qemu:device>"
#define OVERRIDE(devices) "<qemu:override>" devices "</qemu:override>"
#define ARGS(first, second)                                                                      \
    "<qemu:commandline><qemu:arg value='" first "'/><qemu:arg value='" second                    \
    "'/></qemu:commandline>"

static void
test_get(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        VgpuSwitch setting;
    } cases[] = {
        { "nothing", DOMAIN(ONE, ""), VGPU_SWITCH_AUTO },
        { "no vGPU", DOMAIN("", OVERRIDE(SET("ua-vgpu-0", "on"))), VGPU_SWITCH_AUTO },
        { "on", DOMAIN(ONE, OVERRIDE(SET("ua-vgpu-0", "on"))), VGPU_SWITCH_ON },
        { "off", DOMAIN(ONE, OVERRIDE(SET("ua-vgpu-0", "off"))), VGPU_SWITCH_OFF },
        { "auto", DOMAIN(ONE, OVERRIDE(SET("ua-vgpu-0", "auto"))), VGPU_SWITCH_AUTO },
        { "another device", DOMAIN(ONE, OVERRIDE(SET("ua-other", "on"))), VGPU_SWITCH_AUTO },
        { "one of two", DOMAIN(ONE ONE, OVERRIDE(SET("ua-vgpu-1", "on"))), VGPU_SWITCH_AUTO },
        { "both", DOMAIN(ONE ONE, OVERRIDE(SET("ua-vgpu-0", "on") SET("ua-vgpu-1", "on"))),
          VGPU_SWITCH_ON },
        { "one off", DOMAIN(ONE ONE, OVERRIDE(SET("ua-vgpu-0", "on") SET("ua-vgpu-1", "off"))),
          VGPU_SWITCH_OFF },
        { "of all devices", DOMAIN(ONE, ARGS("-global", "vfio-pci.enable-migration=on")),
          VGPU_SWITCH_ON },
        { "of all but one",
          DOMAIN(ONE, ARGS("-global", "vfio-pci.enable-migration=on")
                          OVERRIDE(SET("ua-vgpu-0", "off"))),
          VGPU_SWITCH_OFF },
        { "not an option", DOMAIN(ONE, ARGS("-name", "vfio-pci.enable-migration=on")),
          VGPU_SWITCH_AUTO },
        { "another property", DOMAIN(ONE, ARGS("-global", "vfio-pci.x-no-mmap=on")),
          VGPU_SWITCH_AUTO },
        { "the user's hostdev",
          DOMAIN(DOMAIN_DEVICE("uuid='" UUID "'"), OVERRIDE(SET("ua-own", "on"))),
          VGPU_SWITCH_ON },
        { "our alias beside the user's hostdev",
          DOMAIN(DOMAIN_DEVICE("uuid='" UUID "'"), OVERRIDE(SET("ua-vgpu-0", "on"))),
          VGPU_SWITCH_AUTO },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = golden_parse(cases[i].xml);

        if (vgpu_migratable_get(domain) != cases[i].setting)
            fail_msg("%s: %d", cases[i].what, vgpu_migratable_get(domain));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_element),
        cmocka_unit_test(test_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
