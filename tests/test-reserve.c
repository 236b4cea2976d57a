/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reservations and the truth about domains: what is done, and what a lost race means; a planner and an agent on the
 * stand-in for etcd. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/quota.h"
#include "fleet/reserve.h"
#include "fleet/sync.h"
#include "model-store.h"

#define H1 "0a0a0a0a-0000-4000-8000-000000000001"
#define H2 "0a0a0a0a-0000-4000-8000-000000000002"
#define D1 "0b0b0b0b-0000-4000-8000-000000000001"
#define D2 "0b0b0b0b-0000-4000-8000-000000000002"
#define P "NVIDIA A2-4Q"

static VgpuHolding *
holding(const char *domain, const char *host, VgpuHoldingState state)
{
    VgpuHolding *self = vgpu_holding_new(domain, host, state);

    vgpu_holding_add(self, P, 1, 4096);
    return self;
}

static void
test_race(void **state)
{
    static const struct {
        const char *about;
        bool exists;
        const char *id;
        VgpuRace race;
    } rows[] = {
        { "nothing is there", false, NULL, VGPU_RACE_AGAIN },
        { "ours was done", true, "1", VGPU_RACE_WON },
        { "another's", true, "2", VGPU_RACE_TAKEN },
        { "one that was given up", true, NULL, VGPU_RACE_TAKEN },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(VgpuHolding) now =
            rows[i].exists ? holding(D1, H1, VGPU_HOLDING_RESERVED) : NULL;

        if (now)
            now->id = g_strdup(rows[i].id);
        if (vgpu_reserve_race(now, "1") != rows[i].race)
            fail_msg("%s", rows[i].about);
    }
}

static void
test_truth(void **state)
{
    static const struct {
        const char *about;
        int local; /* its state; -1: it is not here */
        const char *host;
        int now;
        bool is_reserved;
        VgpuTruth truth;
        bool is_given_up;
    } rows[] = {
        { "started here", VGPU_HOLDING_RUNNING, NULL, -1, false, VGPU_TRUTH_PUT },
        { "known", VGPU_HOLDING_RUNNING, H1, VGPU_HOLDING_RUNNING, false, VGPU_TRUTH_NOTHING },
        { "saved", VGPU_HOLDING_SAVED, H1, VGPU_HOLDING_RUNNING, false, VGPU_TRUTH_PUT },
        { "its reservation", VGPU_HOLDING_RUNNING, H1, VGPU_HOLDING_RESERVED, true,
          VGPU_TRUTH_PUT },
        { "reserved elsewhere", VGPU_HOLDING_RUNNING, H2, VGPU_HOLDING_RESERVED, true,
          VGPU_TRUTH_TAKE_OVER },
        { "expired elsewhere", VGPU_HOLDING_RUNNING, H2, VGPU_HOLDING_RESERVED, false,
          VGPU_TRUTH_PUT },
        { "on two hosts", VGPU_HOLDING_RUNNING, H2, VGPU_HOLDING_RUNNING, false,
          VGPU_TRUTH_CONFLICT },
        { "saved elsewhere", VGPU_HOLDING_RUNNING, H2, VGPU_HOLDING_SAVED, false,
          VGPU_TRUTH_CONFLICT },
        { "stopped", -1, H1, VGPU_HOLDING_RUNNING, false, VGPU_TRUTH_END },
        { "will start", -1, H1, VGPU_HOLDING_RESERVED, true, VGPU_TRUTH_NOTHING },
        { "given up", -1, H1, VGPU_HOLDING_RESERVED, true, VGPU_TRUTH_END, true },
        { "given up, and started", VGPU_HOLDING_RUNNING, H1, VGPU_HOLDING_RESERVED, true,
          VGPU_TRUTH_PUT, true },
        { "has not started in time", -1, H1, VGPU_HOLDING_RESERVED, false, VGPU_TRUTH_END },
        { "gone elsewhere", -1, H2, VGPU_HOLDING_RUNNING, false, VGPU_TRUTH_TIDY },
        { "gone", -1, NULL, -1, false, VGPU_TRUTH_TIDY },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(VgpuHolding) local =
            rows[i].local < 0 ? NULL : holding(D1, H1, (VgpuHoldingState) rows[i].local);
        g_autoptr(VgpuHolding) now =
            rows[i].now < 0 ? NULL : holding(D1, rows[i].host, (VgpuHoldingState) rows[i].now);

        if (now && !rows[i].is_given_up)
            now->id = g_strdup("1");
        if (vgpu_truth_next(H1, local, now, rows[i].is_reserved) != rows[i].truth)
            fail_msg("%s", rows[i].about);
    }
}

/* --- a small fleet ---------------------------------------------------------------------------- */

typedef struct {
    Model *model;
    VgpuStore *store;
    VgpuSync *one, *two;
    GHashTable *local; /* of the first host */
} Fleet;

static bool
publish_state(VgpuSync *sync, guint n, VgpuSummaryState of)
{
    VgpuSummary summary = { .name = (char *) "h", .state = of };
    VgpuFit fit = { .available = n, .block = n, .per_gpu = 4, .fb_mib = 4096 };
    g_autoptr(GHashTable) fits = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_insert(fits, (gpointer) P, &fit);
    return vgpu_sync_publish(sync, &summary, fits, NULL);
}

static bool
publish(VgpuSync *sync, guint n)
{
    return publish_state(sync, n, VGPU_SUMMARY_ACTIVE);
}

static void
clear_fleet(Fleet *self)
{
    vgpu_sync_free(self->one);
    vgpu_sync_free(self->two);
    g_hash_table_unref(self->local);
    vgpu_store_close(self->store);
    model_free(self->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fleet, clear_fleet)

static Fleet
make_fleet(guint one, guint two)
{
    Fleet self = { .model = model_new(5) };

    self.store = model_open(self.model);
    self.one = vgpu_sync_new(self.store, H1);
    self.two = vgpu_sync_new(self.store, H2);
    self.local = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) vgpu_holding_free);
    assert_true(publish(self.one, one) && publish(self.two, two));
    return self;
}

/* The host, or the name of the error. */
static char *
reserve(Fleet *self, const char *domain, const char *tenant)
{
    static const char *const names[VGPU_N_ERRORS] = {
        [VGPU_ERROR_BUSY] = "busy",
        [VGPU_ERROR_NO_CAPACITY] = "no room",
        [VGPU_ERROR_UNAVAILABLE] = "unavailable",
        [VGPU_ERROR_UNKNOWN] = "unknown",
    };
    g_autoptr(VgpuHolding) wanted = holding(domain, NULL, VGPU_HOLDING_RESERVED), won = NULL;
    VgpuAsk ask = { .holding = wanted };
    VgpuPlannerOptions options = { .by = "test", .now = 1 };
    g_autoptr(GError) error = NULL;

    wanted->tenant = g_strdup(tenant);
    won = vgpu_planner_reserve(self->store, &ask, &options, &error);
    return g_strdup(won ? won->host : names[error->code] ? names[error->code] : error->message);
}

static void
expect(Fleet *self, const char *about, const char *domain, const char *expected)
{
    g_autofree char *got = reserve(self, domain, NULL);

    if (g_strcmp0(got, expected) != 0)
        fail_msg("%s: %s", about, got);
}

static guint
count_keys(const Fleet *self, char *prefix)
{
    g_autoptr(VgpuStoreList) list = vgpu_store_list(self->store, prefix, NULL, 0, NULL);

    g_free(prefix);
    return list->items->len;
}

/* The last change of what the agent of H1 watches about D1. */
static gint64
noticed(const Fleet *self)
{
    g_autofree char *key = vgpu_key_on(H1, D1);
    const VgpuStoreItem *item = model_get(self->model, key);

    return item ? item->changed : 0;
}

static void
test_planner(void **state)
{
    g_auto(Fleet) fleet = make_fleet(1, 2);
    gint64 before;

    expect(&fleet, "the fuller host first", D1, H1);
    expect(&fleet, "the same domain again", D1, "busy");
    expect(&fleet, "beside the reservation", D2, H2);
    expect(&fleet, "one more", "0b0b0b0b-0000-4000-8000-000000000003", H2);
    expect(&fleet, "none left", "0b0b0b0b-0000-4000-8000-000000000004", "no room");
    before = noticed(&fleet);
    assert_true(vgpu_planner_release(fleet.store, D1, NULL));
    assert_true(noticed(&fleet) > before);
    assert_false(vgpu_planner_release(fleet.store, D1, NULL));
    expect(&fleet, "its host has not said that it does not run", D1, "busy");
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    assert_int_equal(count_keys(&fleet, vgpu_key_resv(H1, NULL)), 0);
    expect(&fleet, "released", "0b0b0b0b-0000-4000-8000-000000000004", H1);
    assert_true(publish_state(fleet.two, 5, VGPU_SUMMARY_DRAINING));
    expect(&fleet, "drained", "0b0b0b0b-0000-4000-8000-000000000005", "no room");
}

static void
keep_hosts(Fleet *self, guint seconds)
{
    for (guint i = 0; i < seconds; i += 20) {
        model_advance(self->model, 20);
        assert_true(vgpu_sync_keep(self->one, NULL) && vgpu_sync_keep(self->two, NULL));
    }
}

static void
test_expiry(void **state)
{
    g_auto(Fleet) fleet = make_fleet(1, 1);
    VgpuHolding *running = holding(D1, H1, VGPU_HOLDING_RUNNING);

    expect(&fleet, "reserved", D1, H1);
    keep_hosts(&fleet, VGPU_RESERVE_TTL);
    expect(&fleet, "expired, so another may have its room", D2, H1);
    expect(&fleet, "but it may have been started", D1, "busy");
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    expect(&fleet, "it was not", D1, H2);
    assert_int_equal(count_keys(&fleet, vgpu_key_on(H1, NULL)), 1); /* of D2 */

    /* it starts on the other host in spite of that, and stays when time passes and hosts are gone */
    g_hash_table_insert(fleet.local, g_strdup(D1), running);
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    expect(&fleet, "it runs", D1, "busy");
    assert_int_equal(count_keys(&fleet, vgpu_key_resv(H2, NULL)), 0);
    assert_int_equal(count_keys(&fleet, vgpu_key_on(H2, NULL)), 0);
    model_advance(fleet.model, 10000);
    assert_int_equal(count_keys(&fleet, vgpu_key_host(H1)), 0);
    expect(&fleet, "the host has vanished, the domain has not", D1, "busy");
    expect(&fleet, "no host is there", "0b0b0b0b-0000-4000-8000-000000000009", "no room");
}

static void
test_forget(void **state)
{
    g_auto(Fleet) fleet = make_fleet(1, 1);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    for (guint i = 0; i < 70; i++) {
        char *domain = g_strdup_printf("0c0c0c0c-0000-4000-8000-0000000000%02u", i);

        g_hash_table_insert(fleet.local, domain, holding(domain, H1, VGPU_HOLDING_RUNNING));
    }
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    assert_false(vgpu_planner_forget(fleet.store, H1, &n, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    vgpu_sync_leave(fleet.one);
    assert_true(vgpu_planner_forget(fleet.store, H1, &n, NULL));
    assert_int_equal(n, 70);
    assert_int_equal(count_keys(&fleet, g_strdup(VGPU_KEY_DOMAINS)), 0);
    assert_int_equal(count_keys(&fleet, vgpu_key_on(H1, NULL)), 0);
    assert_false(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    assert_true(publish(fleet.one, 1));

    /* it comes back with them, and with one less */
    g_hash_table_remove(fleet.local, "0c0c0c0c-0000-4000-8000-000000000000");
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    assert_int_equal(count_keys(&fleet, g_strdup(VGPU_KEY_DOMAINS)), 69);
    g_hash_table_remove_all(fleet.local);
    assert_true(vgpu_sync_domains(fleet.one, fleet.local, NULL, NULL, NULL));
    assert_int_equal(count_keys(&fleet, g_strdup(VGPU_KEY_DOMAINS)), 0);
}

static void
test_quota(void **state)
{
    g_auto(Fleet) fleet = make_fleet(8, 8);
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    g_autofree char *key = vgpu_key_quota("acme"), *first = NULL, *second = NULL, *third = NULL;
    VgpuStoreOutcome outcome;

    vgpu_txn_put(txn, key, "{\"devices\":2,\"mib\":0}", 0);
    assert_true(vgpu_store_txn(fleet.store, txn, &outcome, NULL));
    g_free(reserve(&fleet, D1, "acme"));
    first = reserve(&fleet, D2, "acme");
    assert_string_equal(first, H1);
    second = reserve(&fleet, "0b0b0b0b-0000-4000-8000-000000000003", "acme");
    assert_string_equal(second, "no room");
    third = reserve(&fleet, "0b0b0b0b-0000-4000-8000-000000000003", "other");
    assert_string_equal(third, H1);
}

/* Between what one planner reads and writes another is done: the last place has one winner. */
static void
test_two_planners(void **state)
{
    g_auto(Fleet) fleet = make_fleet(1, 0);
    g_autoptr(VgpuHolding) one = holding(D1, H1, VGPU_HOLDING_RESERVED);
    g_autoptr(VgpuHolding) other = holding(D2, H1, VGPU_HOLDING_RESERVED);
    g_autofree char *key = vgpu_key_fit(P, H1);
    g_autoptr(VgpuStoreItem) fit = NULL;
    gint64 lease = 0;
    VgpuStoreOutcome outcomes[2];

    one->id = g_strdup("1");
    other->id = g_strdup("2");
    assert_true(vgpu_store_get(fleet.store, key, &fit, NULL));
    assert_true(vgpu_store_lease_grant(fleet.store, VGPU_RESERVE_TTL, &lease, NULL));
    for (guint i = 0; i < 2; i++) {
        VgpuReservation reservation = { .holding = i ? other : one,
                                        .fits_changed = &fit->changed,
                                        .lease = lease };
        g_autoptr(VgpuTxn) txn = vgpu_reserve_begin(&reservation);

        assert_true(vgpu_store_txn(fleet.store, txn, &outcomes[i], NULL));
    }
    assert_true(outcomes[0].done);
    assert_false(outcomes[1].done);
}

/* An answer is lost: the planner finds its own reservation. A late one is refused or found. */
static void
test_lost_answer(void **state)
{
    g_auto(Fleet) fleet = make_fleet(2, 0);

    model_faults(fleet.store)->lost_answer = 1000;
    expect(&fleet, "the lease is lost", D1, "unknown");
    model_faults(fleet.store)->lost_answer = 0;
    model_faults(fleet.store)->late = 1000;
    expect(&fleet, "late, and given up", D1, "no room");
    model_faults(fleet.store)->late = 0;
    model_advance(fleet.model, 1);
    expect(&fleet, "its lease was revoked, so it was not done", D1, H1);
}

/* The host's lease ends while the agent is away; it publishes everything again. */
static void
test_agent_away(void **state)
{
    g_auto(Fleet) fleet = make_fleet(1, 0);
    g_autoptr(GError) error = NULL;

    model_advance(fleet.model, VGPU_SYNC_TTL + 1);
    assert_int_equal(count_keys(&fleet, vgpu_key_fit(P, NULL)), 0);
    assert_false(vgpu_sync_keep(fleet.one, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    assert_true(publish(fleet.one, 1));
    assert_int_equal(count_keys(&fleet, vgpu_key_fit(P, NULL)), 1);

    /* what arrives late is of a lease that has been revoked */
    model_faults(fleet.store)->late = 1000;
    assert_false(publish(fleet.one, 9));
    model_faults(fleet.store)->late = 0;
    assert_true(publish(fleet.one, 2));
    model_advance(fleet.model, 1);
    {
        g_autofree char *key = vgpu_key_fit(P, H1);
        g_autofree char *text = vgpu_store_item_text(model_get(fleet.model, key));

        assert_non_null(strstr(text, "\"n\":2,"));
    }
    assert_true(publish(fleet.one, 0));
    assert_int_equal(count_keys(&fleet, vgpu_key_fit(P, NULL)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_race),         cmocka_unit_test(test_truth),
        cmocka_unit_test(test_planner),      cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_forget),       cmocka_unit_test(test_quota),
        cmocka_unit_test(test_two_planners), cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_agent_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
