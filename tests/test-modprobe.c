/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inserting the line for modprobe.d(5) into existing files. */
#include "test.h"

#include <glib.h>
#include <stdio.h>

#include "cli/modprobe.h"

#define OPTION "options nvidia NVreg_RegistryDwordsPerDevice="
#define LINE OPTION "\"pci=0000:41:00.0;RmPVMRL=0x11\""

static const struct {
    const char *what;
    const char *before;
    const char *line;
    const char *after;
} cases[] = {
    { "an empty file", "", LINE, LINE "\n" },
    { "existing lines stay, in their order", "# mine\n\noptions nvidia NVreg_X=1\n", LINE,
      "# mine\n\noptions nvidia NVreg_X=1\n" LINE "\n" },
    { "a last line without an end gets one", "blacklist nouveau", LINE,
      "blacklist nouveau\n" LINE "\n" },
    { "twice is once", LINE "\n", LINE, LINE "\n" },
    { "another value takes the old one's place", OPTION "\"pci=0000:41:00.0;RmPVMRL=0x01\"\n",
      LINE, LINE "\n" },
    { "another GPU stays", OPTION "\"pci=0000:42:00.0;RmPVMRL=0x01\"\n", LINE,
      OPTION "\"pci=0000:42:00.0;RmPVMRL=0x01;pci=0000:41:00.0;RmPVMRL=0x11\"\n" },
    { "of three the middle one is replaced",
      OPTION "\"pci=0000:1:00.0;a=1;b=2;pci=0000:41:00.0;RmPVMRL=0;c=1;pci=0000:42:00.0;d=4\"\n",
      LINE,
      OPTION "\"pci=0000:1:00.0;a=1;b=2;pci=0000:42:00.0;d=4;"
             "pci=0000:41:00.0;RmPVMRL=0x11\"\n" },
    { "settings before and behind it in the line stay",
      "options nvidia A=\"x y\" NVreg_RegistryDwordsPerDevice=\"pci=0000:42:00.0;e=1\" B=2\n",
      LINE,
      "options nvidia A=\"x y\" NVreg_RegistryDwordsPerDevice=\"pci=0000:42:00.0;e=1;"
      "pci=0000:41:00.0;RmPVMRL=0x11\" B=2\n" },
    { "a name that only ends like it is another",
      "options nvidia XNVreg_RegistryDwordsPerDevice"
      "=\"pci=0000:42:00.0;e=1\"\n",
      LINE,
      "options nvidia XNVreg_RegistryDwordsPerDevice=\"pci=0000:42:00.0;e=1\"\n" LINE "\n" },
    { "a comment is no setting", "# " LINE "\n", LINE, "# " LINE "\n" LINE "\n" },
    { "a quote that is never closed is no setting", OPTION "\"pci=0000:42:00.0\n", LINE,
      OPTION "\"pci=0000:42:00.0\n" LINE "\n" },
    { "a line of another kind is added", LINE "\n", "options gim vf_num=2",
      LINE "\noptions gim vf_num=2\n" },
    { "a line that exists is not added again", "options gim vf_num=2\n", "options gim vf_num=2",
      "options gim vf_num=2\n" },
};

static void
test_merge(void **state)
{
    guint failures = 0;

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *after = vgpu_modprobe_merge(cases[i].before, cases[i].line);

        if (g_strcmp0(after, cases[i].after) != 0) {
            print_error("%s:\n%s", cases[i].what, after);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_merge) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
