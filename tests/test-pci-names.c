/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of vendors and classes, from the hardware database of the host that runs the test; without a database
 * there are no names. */
#include "test.h"

#include <string.h>

#include "cli/pci-names.h"

static void
test_names(void **state)
{
    static const struct {
        const char *what;
        const char *vendor, *class;
        const char *part; /* of its name */
    } cases[] = {
        { "NVIDIA", "10de", NULL, "NVIDIA" },
        { "NVIDIA, in capitals", "10DE", NULL, "NVIDIA" },
        { "Intel", "8086", NULL, "Intel" },
        { "AMD", "1002", NULL, "AMD" },
        { "no vendor", "", NULL, NULL },
        { "an unknown vendor", "7777", NULL, NULL },
        { "a pattern", "*", NULL, NULL },
        { "a display", NULL, "0300", "VGA" },
        { "without an output", NULL, "0302", "3D controller" },
        { "an accelerator", NULL, "1200", "accelerator" },
        { "no class", NULL, "", NULL },
        { "an unknown class", NULL, "fefe", NULL },
        { "half a class", NULL, "03", NULL },
    };
    g_autoptr(VgpuPciNames) names = vgpu_pci_names_new();
    g_autofree char *known = vgpu_pci_names_vendor(names, "10de");

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = cases[i].vendor ? vgpu_pci_names_vendor(names, cases[i].vendor)
                                                : vgpu_pci_names_class(names, cases[i].class);

        if (!*known || !cases[i].part ? *name != '\0' : !strstr(name, cases[i].part))
            fail_msg("%s: '%s'", cases[i].what, name);
    }
    vgpu_pci_names_free(NULL);
    if (*known)
        return;
    g_clear_pointer(&known, g_free); /* skip() comes by no clean-up */
    g_clear_pointer(&names, vgpu_pci_names_free);
    skip();
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
