/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCI addresses, in all notations of users and programs. */
#include "test.h"

#include <string.h>

#include "base/pciaddr.h"

static void
test_good(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        VgpuPciAddr addr;
        const char *canonical;
    } cases[] = {
        { "in full", "0000:41:00.0", { 0, 0x41, 0, 0 }, "0000:41:00.0" },
        { "without a domain", "41:00.0", { 0, 0x41, 0, 0 }, "0000:41:00.0" },
        { "libvirt's", "pci_0000_41_00_0", { 0, 0x41, 0, 0 }, "0000:41:00.0" },
        { "eight digits", "00000000:C1:00.0", { 0, 0xc1, 0, 0 }, "0000:c1:00.0" },
        { "upper case", "00AB:E1:1F.7", { 0xab, 0xe1, 0x1f, 7 }, "00ab:e1:1f.7" },
        { "libvirt's, upper case", "pci_00AB_E1_1F_7", { 0xab, 0xe1, 31, 7 }, "00ab:e1:1f.7" },
        { "five digits", "10000:e1:00.0", { 0x10000, 0xe1, 0, 0 }, "10000:e1:00.0" },
        { "libvirt's, five", "pci_10000_e1_00_0", { 0x10000, 0xe1, 0, 0 }, "10000:e1:00.0" },
        { "the last one", "ffffffff:ff:1f.7", { 0xffffffff, 255, 31, 7 }, "ffffffff:ff:1f.7" },
        { "few digits", "1:0.0", { 0, 1, 0, 0 }, "0000:01:00.0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuPciAddr *want = &cases[i].addr;
        g_autofree char *canonical = vgpu_pciaddr_canonical(cases[i].text);
        VgpuPciAddr addr;

        if (!vgpu_pciaddr_parse(cases[i].text, &addr) || !canonical)
            fail_msg("%s: refused", cases[i].what);
        if (addr.domain != want->domain || addr.bus != want->bus || addr.slot != want->slot ||
            addr.function != want->function)
            fail_msg("%s: read as %x %x %x %x", cases[i].what, addr.domain, addr.bus, addr.slot,
                     addr.function);
        if (!g_str_equal(canonical, cases[i].canonical))
            fail_msg("%s: %s", cases[i].what, canonical);
    }
}

static void
test_bad(void **state)
{
    static const struct {
        const char *what;
        const char *text;
    } cases[] = {
        { "nothing", NULL },
        { "empty", "" },
        { "words", "the first one" },
        { "no function", "0000:41:00" },
        { "empty function", "0000:41:00." },
        { "empty domain", ":41:00.0" },
        { "empty slot", "0000:41:.0" },
        { "nine digits of domain", "000000000:41:00.0" },
        { "three digits of bus", "0000:141:00.0" },
        { "slot 32", "0000:41:20.0" },
        { "function 8", "0000:41:00.8" },
        { "two digits of function", "0000:41:00.00" },
        { "no hexadecimal digit", "0000:4g:00.0" },
        { "blank before", " 0000:41:00.0" },
        { "blank behind", "0000:41:00.0 " },
        { "more behind", "0000:41:00.0/../x" },
        { "one colon more", "0000:00:41:00.0" },
        { "sign", "0000:-1:00.0" },
        { "libvirt's without a domain", "pci_41_00_0" },
        { "libvirt's with a point", "pci_0000_41_00.0" },
        { "libvirt's with colons", "pci_0000:41:00.0" },
        { "libvirt's start only", "pci_" },
        { "another node device", "mdev_0000_41_00_0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *canonical = vgpu_pciaddr_canonical(cases[i].text);
        VgpuPciAddr addr = { .domain = 7, .bus = 8, .slot = 9, .function = 1 };

        if (vgpu_pciaddr_parse(cases[i].text, &addr) || canonical)
            fail_msg("%s: accepted", cases[i].what);
        if (addr.domain != 7 || addr.bus != 8 || addr.slot != 9 || addr.function != 1)
            fail_msg("%s: the output was touched", cases[i].what);
    }
}

static void
test_nodedev(void **state)
{
    static const struct {
        const char *what;
        const char *address;
        const char *nodedev;
    } cases[] = {
        { "an ordinary one", "0000:41:00.0", "pci_0000_41_00_0" },
        { "a large domain", "10000:e1:1f.7", "pci_10000_e1_1f_7" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *nodedev = vgpu_pciaddr_nodedev(cases[i].address);
        g_autofree char *back = vgpu_pciaddr_canonical(nodedev);

        if (!g_str_equal(nodedev, cases[i].nodedev))
            fail_msg("%s: %s", cases[i].what, nodedev);
        if (g_strcmp0(back, cases[i].address) != 0)
            fail_msg("%s: comes back as %s", cases[i].what, back);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nodedev),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
