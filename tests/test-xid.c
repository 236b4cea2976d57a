/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of NVIDIA's GPUs, as the kernel's log has them. */
#include "test.h"

#include <string.h>

#include "gpu/xid.h"

static void
test_records(void **state)
{
    static const struct {
        const char *what, *line;
        guint64 sequence; /* 0: no record */
        guint code;       /* 0: nothing has to be done */
        const char *slot, *text;
    } cases[] = {
        { "fallen off the bus",
          "3,1042,5140900,-;NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', GPU has fallen off "
          "the bus.",
          1042, 79, "0000:41:00", "pid='<unknown>', GPU has fallen off the bus." },
        { "without a process", "4,7,1,-;NVRM: Xid (PCI:0000:C1:01): 48, DBE", 7, 48, "0000:c1:01",
          "DBE" },
        { "eight digits of domain", "4,7,1,-;NVRM: Xid (PCI:00000000:41:00): 48, DBE", 7, 48,
          "0000:41:00", "DBE" },
        { "with a function", "4,7,1,-;NVRM: Xid (PCI:0000:41:00.4): 95, x", 7, 95, "0000:41:00",
          "x" },
        { "a wide domain", "4,7,1,-;NVRM: Xid (PCI:10000:41:00): 95, x", 7, 95, "10000:41:00",
          "x" },
        { "more in front", "4,7,1,c,caller=T1;NVRM: Xid (PCI:0000:41:00): 119, Timeout after 6s",
          7, 119, "0000:41:00", "Timeout after 6s" },
        { "a guest's", "4,7,1,-;NVRM: Xid (PCI:0000:41:00): 13, Graphics Exception", 7, 0, NULL,
          NULL },
        { "a program's", "12,7,1,-;NVRM: Xid (PCI:0000:41:00): 79, x", 7, 0, NULL, NULL },
        { "in another text", "4,7,1,-;they say NVRM: Xid (PCI:0000:41:00): 79, x", 7, 0, NULL,
          NULL },
        { "no address", "4,7,1,-;NVRM: Xid (PCI:): 79, x", 7, 0, NULL, NULL },
        { "an endless address",
          "4,7,1,-;NVRM: Xid (PCI:000000000000000000000000000000000000:41:00): 79, x", 7, 0, NULL,
          NULL },
        { "no number", "4,7,1,-;NVRM: Xid (PCI:0000:41:00): many, x", 7, 0, NULL, NULL },
        { "cut off", "4,7,1,-;NVRM: Xid (PCI:0000:41:00): 79", 7, 0, NULL, NULL },
        { "a huge number", "4,7,1,-;NVRM: Xid (PCI:0000:41:00): 4294967375, x", 7, 0, NULL,
          NULL },
        { "something else", "6,339,5140900,-;NET: Registered protocol family 10", 339, 0, NULL,
          NULL },
        { "about the record before", " SUBSYSTEM=pci", 0, 0, NULL, NULL },
        { "nothing", "", 0, 0, NULL, NULL },
        { "no message", "4,7,1,-", 0, 0, NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuXidRecord record;
        bool is_record = vgpu_xid_read(cases[i].line, &record);

        if (is_record != (cases[i].sequence != 0) || record.sequence != cases[i].sequence)
            fail_msg("%s: %" G_GUINT64_FORMAT, cases[i].what, record.sequence);
        if ((record.xid ? record.xid->code : 0) != cases[i].code)
            fail_msg("%s: Xid %u", cases[i].what, record.xid ? record.xid->code : 0);
        if (record.xid &&
            (strcmp(record.slot, cases[i].slot) != 0 || strcmp(record.text, cases[i].text) != 0))
            fail_msg("%s: '%s' '%s'", cases[i].what, record.slot, record.text);
    }
}

/* Errors for which NVIDIA's catalogue recommends a reset or service, except those that a guest can cause. */
static void
test_catalogue(void **state)
{
    static const struct {
        guint code;
        const char *action;
    } serious[] = {
        { 46, "reset" },  { 48, "reset" },  { 54, "service" }, { 62, "reset" },  { 64, "reset" },
        { 79, "reboot" }, { 95, "reset" },  { 110, "reset" },  { 119, "reset" }, { 120, "reset" },
        { 136, "reset" }, { 140, "reset" }, { 143, "reset" },  { 155, "reset" }, { 158, "reset" },
    };
    guint known = 0;

    for (guint code = 0; code < 1000; code++)
        known += vgpu_xid_find(code, "") != NULL;
    assert_int_equal(known, G_N_ELEMENTS(serious));
    for (gsize i = 0; i < G_N_ELEMENTS(serious); i++) {
        const VgpuXid *xid = vgpu_xid_find(serious[i].code, "");

        if (!xid || xid->code != serious[i].code || strcmp(xid->action, serious[i].action) != 0)
            fail_msg("Xid %u", serious[i].code);
    }
}

static void
test_recovery(void **state)
{
    static const struct {
        const char *text, *action; /* NULL: nothing has to be done */
    } cases[] = {
        { "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)", "reset" },
        { "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)", "reboot" },
        { "GPU recovery action changed from 0x0 (None) to 0x3 (Drain P2P)", NULL },
        { "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)", "reset" },
        { "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)", NULL },
        { "pid=7, name= to 0x1 (, GPU recovery action changed from 0x1 (GPU Reset Required) to "
          "0x0 "
          "(None)",
          NULL },
        { "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuXid *xid = vgpu_xid_find(154, cases[i].text);

        if (g_strcmp0(xid ? xid->action : NULL, cases[i].action) != 0)
            fail_msg("%s: %s", cases[i].text, xid ? xid->action : "nothing");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_recovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
