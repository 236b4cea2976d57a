/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The excerpt of a long domain says the same about its vGPUs. */
#include "test.h"

#include <string.h>

#include "base/names.h"
#include "base/xml.h"
#include "domain/excerpt.h"

#define BEFORE                                                                                   \
    "<domain type='kvm' id='7'><name>a</name><uuid>aaaaaaaa-0000-4000-8000-000000000001</uuid>"  \
    "<description>long</description><metadata><x:y xmlns:x='urn:x'>long</x:y>"                   \
    "<v:devices xmlns:v='" VGPU_XMLNS "' tenant='t'><!-- long -->"                               \
    "<v:device profile='A2-4Q'><v:hostdev><rom bar='on'/></v:hostdev></v:device></v:devices>"    \
    "</metadata><memory>1</memory><vcpu cpuset='0-3'>2</vcpu>"                                   \
    "<numatune><memory mode='strict' nodeset='1'/></numatune>"                                   \
    "<os><type machine='q35'>hvm</type></os><sysinfo>long</sysinfo><devices>"                    \
    "<controller type='pci' model='pcie-root-port'><target chassis='1'/></controller>"           \
    "<disk type='file'><source file='long'/><address type='pci' bus='0x01' slot='0x02'/>"        \
    "<alias name='ua-a'/></disk>"                                                                \
    "<disk type='file'><source file='/i.iso'/><alias name='ua-vgpu-driver'/></disk>"             \
    "<graphics type='vnc'><gl enable='yes'/></graphics>"                                         \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>"                                    \
    "<source><address uuid='aaaaaaaa-0000-4000-8000-000000000002'/></source>"                    \
    "<alias name='ua-vgpu-0'/></hostdev></devices></domain>"

static void
test_same(void **state)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(BEFORE, strlen(BEFORE), NULL, NULL);
    g_autofree char *was = vgpu_xml_dump_doc(domain->doc);
    g_autofree char *xml = vgpu_excerpt_make(domain), *now = NULL;
    g_autoptr(VgpuDomain) after = vgpu_domain_parse(xml, strlen(xml), NULL, NULL);

    (void) state;
    assert_non_null(after);
    assert_null(strstr(xml, "long"));
    assert_string_equal(after->name, domain->name);
    assert_string_equal(after->uuid, domain->uuid);
    assert_int_equal(after->id, 7);
    assert_string_equal(after->tenant, "t");
    assert_int_equal(after->wants->len, 1);
    assert_true(vgpu_want_equal(after->wants->pdata[0], domain->wants->pdata[0]));
    assert_int_equal(after->hostdevs->len, 1);
    assert_int_equal(after->numa_nodes, domain->numa_nodes);
    assert_string_equal(after->cpuset, "0-3");
    assert_true(after->has_graphics && after->has_gl && after->has_driver_disk);
    assert_string_equal(after->driver_disk_file, "/i.iso");
    assert_non_null(strstr(xml, "<address type=\"pci\" bus=\"0x01\" slot=\"0x02\"/>"));
    assert_non_null(strstr(xml, "q35"));
    assert_non_null(strstr(xml, "<target chassis=\"1\"/>"));
    now = vgpu_xml_dump_doc(domain->doc);
    assert_string_equal(now, was); /* the domain itself is as it was */
}

#define USERS                                                                                    \
    "<domain type='kvm' id='7'><name>a</name><devices>"                                          \
    "<hostdev type='mdev'><alias name='ua-vgpu-0'/></hostdev>"                                   \
    "<hostdev type='mdev'><alias name='ua-vgpu-01'/></hostdev>"                                  \
    "<hostdev type='pci'><alias name='ua-other'/></hostdev>"                                     \
    "<hostdev type='pci'><alias name='ua-vgpu-1'/></hostdev><hostdev type='pci'/>"               \
    "</devices></domain>"

static void
test_portable(void **state)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(BEFORE, strlen(BEFORE), NULL, NULL);
    g_autofree char *was = vgpu_xml_dump_doc(domain->doc);
    g_autofree char *xml = vgpu_excerpt_make_portable(domain), *now = NULL, *users = NULL;
    g_autoptr(VgpuDomain) after = vgpu_domain_parse(xml, strlen(xml), NULL, NULL);
    g_autoptr(VgpuDomain) other = vgpu_domain_parse(USERS, strlen(USERS), NULL, NULL);
    g_autoptr(VgpuDomain) rest = NULL;

    assert_non_null(after);
    assert_null(strstr(xml, "long"));
    assert_int_equal(after->id, -1);
    assert_int_equal(after->wants->len, 1);
    assert_int_equal(after->hostdevs->len, 0);
    now = vgpu_xml_dump_doc(domain->doc);
    assert_string_equal(now, was);

    assert_non_null(other);
    users = vgpu_excerpt_make_portable(other);
    rest = vgpu_domain_parse(users, strlen(users), NULL, NULL);
    assert_int_equal(rest->hostdevs->len, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_portable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
