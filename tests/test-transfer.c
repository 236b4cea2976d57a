/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a domain is migrated. */
#include "test.h"

#include "libvirt/transfer.h"

#define NEW .libvirt_here = 11003000, .libvirt_there = 11001000, .qemu_here = 8002000
#define KEEPS (VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE)

static const struct {
    const char *what;
    VgpuTransferFacts facts;
    VgpuTransferPlan plan;
} cases[] = {
    { "transient", { NEW, .stun_ms = -1 }, { VIR_MIGRATE_LIVE, 0, 0 } },
    { "persistent", { NEW, .persistent = true, .stun_ms = -1 }, { KEEPS, 0, 0 } },
    { "nothing in use", { NEW, .stun_ms = 0 }, { VIR_MIGRATE_LIVE, 300, 0 } },
    { "a second", { NEW, .stun_ms = 1000 }, { VIR_MIGRATE_LIVE, 1800, 0 } },
    { "too long for QEMU", { NEW, .stun_ms = 4000000 }, { VIR_MIGRATE_LIVE, 2000000, 0 } },
    { "a link", { NEW, .stun_ms = -1, .bandwidth = 2500 }, { VIR_MIGRATE_LIVE, 0, 2500 } },
    { "an older libvirt here",
      { .libvirt_here = 11000000,
        .libvirt_there = 11003000,
        .qemu_here = 10000000,
        .stun_ms = -1,
        .bandwidth = 2500 },
      { VIR_MIGRATE_LIVE, 0, 0 } },
    { "an older libvirt there",
      { .libvirt_here = 11003000,
        .libvirt_there = 11000000,
        .qemu_here = 10000000,
        .stun_ms = -1,
        .bandwidth = 2500 },
      { VIR_MIGRATE_LIVE, 0, 0 } },
    { "an older QEMU",
      { .libvirt_here = 11003000,
        .libvirt_there = 11003000,
        .qemu_here = 8001000,
        .stun_ms = -1,
        .bandwidth = 2500 },
      { VIR_MIGRATE_LIVE, 0, 0 } },
};

static void
test_plan(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuTransferPlan plan = vgpu_transfer_plan(&cases[i].facts);

        if (plan.flags != cases[i].plan.flags || plan.downtime_ms != cases[i].plan.downtime_ms ||
            plan.switchover != cases[i].plan.switchover)
            fail_msg("%s: flags %x, %" G_GUINT64_FORMAT " ms, %" G_GUINT64_FORMAT " MiB/s",
                     cases[i].what, plan.flags, plan.downtime_ms, plan.switchover);
        assert_false(plan.flags & (VIR_MIGRATE_POSTCOPY | VIR_MIGRATE_OFFLINE));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plan) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
