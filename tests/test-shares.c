/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each vGPU counts once against the share of its tenant, whatever records it has. */
#include "test.h"

#include "core/shares.h"
#include "manager-host.h"

/* A record of the one vGPU. */
typedef struct {
    VgpuKind kind;
    VgpuPhase phase;
    bool persistent;
} Record;

#define RUN VGPU_KIND_RUN
#define HELD VGPU_KIND_HELD
#define SAVED VGPU_KIND_SAVED
#define PERSISTENT VGPU_KIND_PERSISTENT
#define READY VGPU_PHASE_READY
#define FAILED VGPU_PHASE_FAILED

static const struct {
    const char *what;
    guint n;
    Record records[2];
    int counts; /* kind of the record that counts, -1: none */
    int own;    /* the same for the domain itself */
} cases[] = {
    { "it runs", 1, { { RUN, READY, false } }, RUN, RUN },
    { "it is being made", 1, { { RUN, VGPU_PHASE_CREATING, false } }, RUN, RUN },
    { "it has failed", 1, { { RUN, FAILED, false } }, -1, -1 },
    { "made by hand",
      1,
      { { VGPU_KIND_HANDMADE, READY, false } },
      VGPU_KIND_HANDMADE,
      VGPU_KIND_HANDMADE },
    { "persistent", 1, { { PERSISTENT, READY, true } }, PERSISTENT, PERSISTENT },
    { "persistent, and it runs",
      2,
      { { PERSISTENT, READY, true }, { RUN, READY, true } },
      PERSISTENT,
      PERSISTENT },
    { "held", 1, { { HELD, READY, false } }, HELD, HELD },
    { "held, and it runs", 2, { { HELD, READY, false }, { RUN, READY, false } }, RUN, RUN },
    { "held, and the run's has failed",
      2,
      { { HELD, READY, false }, { RUN, FAILED, false } },
      HELD,
      HELD },
    { "saved", 1, { { SAVED, READY, false } }, SAVED, -1 },
    { "saved, and it runs", 2, { { SAVED, READY, false }, { RUN, READY, false } }, RUN, RUN },
    { "saved, and the run's has failed",
      2,
      { { SAVED, READY, false }, { RUN, FAILED, false } },
      SAVED,
      -1 },
    { "a plan is no vGPU", 1, { { VGPU_KIND_PLANNED, READY, false } }, -1, -1 },
};

static void
put(VgpuManager *manager, const Record *record)
{
    bool by_hand = record->kind == VGPU_KIND_HANDMADE;
    VgpuOwner *owner =
        vgpu_reservations_need(manager->reservations, record->kind, HOST_WEB1,
                               by_hand ? NULL : HOST_WEB1, by_hand ? NULL : "web1");
    VgpuClaim *claim = vgpu_claim_new(HOST_WEB1_0, 0);

    claim->phase = record->phase;
    claim->persistent = record->persistent;
    vgpu_reservations_add(manager->reservations, owner, claim);
}

typedef struct {
    guint n;
    int kind;
} Found;

static void
find(const VgpuClaim *claim, gpointer opaque)
{
    Found *found = opaque;

    found->n++;
    found->kind = (int) claim->owner->kind;
}

static void
assert_counts(const char *what, const VgpuManager *manager, const char *key, int kind)
{
    Found found = { .kind = -1 };

    vgpu_shares_each(manager, key, find, &found);
    if (found.n > 1 || found.kind != kind)
        fail_msg("%s (%s): %u count, of kind %d", what, key ? "itself" : "others", found.n,
                 found.kind);
}

static void
test_each(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();

        for (guint r = 0; r < cases[i].n; r++)
            put(host->manager, &cases[i].records[r]);
        assert_counts(cases[i].what, host->manager, NULL, cases[i].counts);
        assert_counts(cases[i].what, host->manager, HOST_WEB1, cases[i].own);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
