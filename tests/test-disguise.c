/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data that is replaced in a bundle before it is published. */
#include "test.h"

#include <string.h>

#include "cli/disguise.h"

#define A "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define B "c0ffee00-0000-4000-8000-000000000001"
#define FIRST "00000000-0000-4000-8000-000000000001"
#define SECOND "00000000-0000-4000-8000-000000000002"

static const struct {
    const char *what;
    const char *text;
    const char *ids;  /* without UUIDs and MAC addresses */
    const char *free; /* and without the name of the host; NULL: the same */
} cases[] = {
    { "nothing", "", "", NULL },
    { "PCI addresses", "/sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0", NULL, NULL },
    { "a UUID", "sys/bus/mdev/devices/" A "/mdev_type",
      "sys/bus/mdev/devices/" FIRST "/mdev_type", NULL },
    { "two, one of them twice", A " " B " " A, FIRST " " SECOND " " FIRST, NULL },
    { "a name of libvirt's", "mdev_4b20d080_1b54_4048_85b3_a6a62d165c01_0000_41_00_4",
      "mdev_00000000_0000_4000_8000_000000000001_0000_41_00_4", NULL },
    { "the same in both forms", A " 4b20d080_1b54_4048_85b3_a6a62d165c01",
      FIRST " 00000000_0000_4000_8000_000000000001", NULL },
    { "in capitals", "GPU-4B20D080-1B54-4048-85B3-A6A62D165C01 " A, "GPU-" FIRST " " FIRST,
      NULL },
    { "longer than a UUID", A "7", NULL, NULL },
    { "a MAC address", "52:54:00:12:34:56, 52:54:00:AB:cd:EF, 52:54:00:12:34:56",
      "02:00:00:00:00:01, 02:00:00:00:00:02, 02:00:00:00:00:01", NULL },
    { "more than a MAC address", "52:54:00:12:34:56:78", NULL, NULL },
    { "BARs", "0x00000000c0000000 0x00000000c0ffffff 0x0000000000040200", NULL, NULL },
    { "the host's name", "6.1.0-node7", "6.1.0-node7", "6.1.0-host" },
    { "as a word", "at node7: no", "at node7: no", "at host: no" },
    { "with its domain", "node7.example.org said", "node7.example.org said", "host said" },
    { "in capitals, too", "NODE7=1", "NODE7=1", "host=1" },
    { "within a word", "node70 anode7", NULL, NULL },
};

static void
check(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        fail_msg("%s: '%s' instead of '%s'", what, got, wanted);
}

static void
test_each(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *ids = cases[i].ids ? cases[i].ids : cases[i].text;
        g_autoptr(VgpuDisguise) disguise = vgpu_disguise_new("node7.example.org");
        g_autofree char *without_ids = vgpu_disguise_ids(disguise, cases[i].text);
        g_autofree char *text = vgpu_disguise_text(disguise, cases[i].text);
        g_autofree char *again = vgpu_disguise_text(disguise, text);

        check(cases[i].what, without_ids, ids);
        check(cases[i].what, text, cases[i].free ? cases[i].free : ids);
        check(cases[i].what, again, text);
    }
}

static void
test_no_name(void **state)
{
    g_autoptr(VgpuDisguise) disguise = vgpu_disguise_new("");
    g_autofree char *text = vgpu_disguise_text(disguise, "as it is");

    assert_string_equal(text, "as it is");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
