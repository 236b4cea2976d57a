/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which host takes a domain, and why another does not; also at random among 10,000 hosts. */
#include "test.h"

#include <string.h>

#include "fleet/choose.h"

#define DOMAIN "0b0b0b0b-0000-4000-8000-000000000001"
#define OTHER "0b0b0b0b-0000-4000-8000-000000000002"

static VgpuHolding *
holding(const char *domain, const char *profile, guint count, guint mib)
{
    VgpuHolding *self = vgpu_holding_new(domain, "", VGPU_HOLDING_RESERVED);

    vgpu_holding_add(self, profile, count, mib);
    return self;
}

typedef struct {
    const char *about;
    guint count;     /* wanted of A */
    guint second;    /* and of B */
    guint available; /* of A */
    bool mixed;
    const char *held; /* profile that is reserved by another domain */
    guint held_count, held_mib;
    bool held_by_us;
    const char *pool, *label;
    bool apart;
    int state; /* -1: not read */
    VgpuChoice choice;
    const char *reason;
} Row;

static const Row rows[] = {
    { "fits", .count = 1, .available = 1, .state = -1, .choice = VGPU_CHOICE_FITS },
    { "none published", .count = 1, .available = 0, .state = -1, .choice = VGPU_CHOICE_NO_PROFILE,
      .reason = "it has no room for 'A', or no such profile" },
    { "too few", .count = 3, .available = 2, .state = -1, .choice = VGPU_CHOICE_NO_ROOM,
      .reason = "2 of 'A' fit, 3 are needed" },
    { "the last is reserved", .count = 1, .available = 1, .held = "A", .held_count = 1,
      .held_mib = 4096, .state = -1, .choice = VGPU_CHOICE_NO_ROOM,
      .reason = "0 of 'A' fit beside what is reserved, 1 are needed" },
    { "reserved by itself", .count = 1, .available = 1, .held = "A", .held_count = 1,
      .held_by_us = true, .state = -1, .choice = VGPU_CHOICE_FITS },
    { "another profile takes a whole GPU", .count = 1, .available = 4, .held = "B",
      .held_count = 1, .held_mib = 1024, .state = -1, .choice = VGPU_CHOICE_NO_ROOM,
      .reason = "0 of 'A' fit beside what is reserved, 1 are needed" },
    { "and leaves the next one", .count = 4, .available = 8, .held = "B", .held_count = 1,
      .held_mib = 1024, .state = -1, .choice = VGPU_CHOICE_FITS },
    { "where sizes are mixed it takes its memory", .count = 2, .available = 4, .mixed = true,
      .held = "B", .held_count = 1, .held_mib = 8192, .state = -1, .choice = VGPU_CHOICE_FITS },
    { "rounded up", .count = 2, .available = 4, .mixed = true, .held = "B", .held_count = 1,
      .held_mib = 8193, .state = -1, .choice = VGPU_CHOICE_NO_ROOM,
      .reason = "1 of 'A' fit beside what is reserved, 2 are needed" },
    { "two profiles, one GPU each", .count = 1, .second = 1, .available = 8, .state = -1,
      .choice = VGPU_CHOICE_FITS },
    { "two profiles, and one GPU", .count = 1, .second = 5, .available = 8, .state = -1,
      .choice = VGPU_CHOICE_NO_ROOM,
      .reason = "4 of 'B' fit beside what is reserved, 5 are needed" },
    { "another pool", .count = 1, .available = 1, .pool = "design", .state = -1,
      .choice = VGPU_CHOICE_NOT_IN_POOL, .reason = "pool 'design' has no 'A' there" },
    { "the label", .count = 1, .available = 1, .label = "rack=r1", .state = -1,
      .choice = VGPU_CHOICE_FITS },
    { "another label", .count = 1, .available = 1, .label = "rack=r2", .state = -1,
      .choice = VGPU_CHOICE_LABEL, .reason = "it has no label rack=r2" },
    { "apart", .count = 1, .available = 1, .apart = true, .state = -1,
      .choice = VGPU_CHOICE_APART, .reason = "domain x runs there" },
    { "active", .count = 1, .available = 1, .state = VGPU_SUMMARY_ACTIVE,
      .choice = VGPU_CHOICE_FITS },
    { "draining", .count = 1, .available = 1, .state = VGPU_SUMMARY_DRAINING,
      .choice = VGPU_CHOICE_DRAINING, .reason = "it takes nothing new, as it is drained" },
    { "down", .count = 1, .available = 1, .state = VGPU_SUMMARY_DOWN, .choice = VGPU_CHOICE_DOWN,
      .reason = "its virtvgpud does not answer" },
};

static void
judge(const Row *row)
{
    const char *pools[] = { "default", NULL }, *labels[] = { "rack=r1", "zone=a", NULL };
    VgpuFit a = { row->available, 4, 4, 4096, row->mixed, (char **) pools, (char **) labels },
            b = a;
    VgpuFit *fits[] = { &a, &b };
    g_autoptr(VgpuHolding) wanted = holding(DOMAIN, "A", row->count, 0);
    g_autoptr(GPtrArray) held =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);
    g_autoptr(GHashTable) apart = g_hash_table_new(g_str_hash, g_str_equal);
    const char *wanted_labels[] = { row->label, NULL };
    VgpuSummary summary = { .state = row->state < 0 ? 0 : (VgpuSummaryState) row->state };
    VgpuAsk ask = { wanted, row->pool, row->label ? (char *const *) wanted_labels : NULL,
                    VGPU_PLACEMENT_PACK, row->apart ? apart : NULL };
    VgpuCandidate candidate = { "h", row->state < 0 ? NULL : &summary, fits, held };
    g_autofree char *reason = NULL;
    VgpuChoice choice;

    if (row->second)
        vgpu_holding_add(wanted, "B", row->second, 0);
    g_hash_table_insert(apart, (gpointer) "h", (gpointer) "domain x runs there");
    if (row->held)
        g_ptr_array_add(held, holding(row->held_by_us ? DOMAIN : OTHER, row->held,
                                      row->held_count, row->held_mib));
    choice = vgpu_choose_judge(&ask, &candidate, NULL, &reason);
    if (choice != row->choice || g_strcmp0(reason, row->reason) != 0)
        fail_msg("%s: %s, %s", row->about, vgpu_choice_word(choice),
                 reason ? reason : "no reason");
}

static void
test_judge(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        judge(&rows[i]);
}

#define HOSTS 10000

/* Each host that is not in the order has a reason; those that are have room; packed and spread are each other's
 * reverse but for hosts with the same room. */
static void
test_many(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(19);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree VgpuFit *fits = g_new0(VgpuFit, HOSTS);
    g_autofree VgpuFit **pointers = g_new0(VgpuFit *, HOSTS);
    g_autofree VgpuCandidate *hosts = g_new0(VgpuCandidate, HOSTS);
    g_autoptr(GPtrArray) held =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);

    g_ptr_array_add(held, holding(OTHER, "A", 3, 4096));
    for (guint i = 0; i < HOSTS; i++) {
        fits[i] =
            (VgpuFit) { (guint) g_rand_int_range(rand, 0, 257), 32, 32, 4096, false, NULL, NULL };
        pointers[i] = &fits[i];
        g_ptr_array_add(names, g_strdup_printf("h%05u", i));
        hosts[i] =
            (VgpuCandidate) { g_ptr_array_index(names, i), NULL, (VgpuFit *const *) &pointers[i],
                              g_rand_boolean(rand) ? held : NULL };
    }
    for (guint round = 0; round < 20; round++) {
        g_autoptr(VgpuHolding) wanted =
            holding(DOMAIN, "A", (guint) g_rand_int_range(rand, 1, 256), 0);
        guint count = vgpu_holding_count(wanted), fitting = 0;

        for (VgpuPlacement policy = VGPU_PLACEMENT_PACK; policy <= VGPU_PLACEMENT_SPREAD;
             policy++) {
            VgpuAsk ask = { .holding = wanted, .policy = policy };
            g_autoptr(GArray) order = vgpu_choose_order(&ask, hosts, HOSTS);
            guint last = policy == VGPU_PLACEMENT_PACK ? 0 : G_MAXUINT;

            for (guint i = 0; i < order->len; i++) {
                const VgpuCandidate *one = &hosts[g_array_index(order, guint, i)];
                guint left = (*one->fits)->available - count - (one->held ? 3 : 0);

                assert_true((*one->fits)->available >= count + (one->held ? 3 : 0));
                assert_true(policy == VGPU_PLACEMENT_PACK ? left >= last : left <= last);
                last = left;
            }
            fitting = order->len;
        }
        for (guint i = 0; i < HOSTS; i++) {
            VgpuAsk ask = { .holding = wanted };
            g_autofree char *reason = NULL;

            if (vgpu_choose_judge(&ask, &hosts[i], NULL, &reason) == VGPU_CHOICE_FITS)
                fitting--;
            else
                assert_non_null(reason);
        }
        assert_int_equal(fitting, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
