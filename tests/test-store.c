/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stand-in for etcd in tests keeps the promises of src/fleet/store.h, and has the faults it was told to have. */
#include "test.h"

#include "base/error.h"
#include "model-store.h"
#include "store-cases.h"

static VgpuStore *
open_model(gpointer data)
{
    return model_open(data);
}

static void
deliver(gpointer data)
{
    while (model_deliver(data))
        continue;
}

static void
pass(gpointer data)
{
    model_advance(data, 2);
}

static void
compact(gpointer data)
{
    model_compact(data);
}

static void
test_promises(void **state)
{
    g_autoptr(Model) model = model_new(1);
    StoreWorld world = { open_model, deliver, pass, compact, model };

    store_cases(&world);
}

static bool
put(VgpuStore *store, const char *key, GError **error)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome;

    vgpu_txn_put(txn, key, "x", 0);
    return vgpu_store_txn(store, txn, &outcome, error);
}

static void
test_faults(void **state)
{
    static const struct {
        const char *about;
        ModelFaults faults;
        VgpuError code;
        bool now, later; /* whether it is done */
    } rows[] = {
        { "lost request", { .lost_request = 1000 }, VGPU_ERROR_UNAVAILABLE, false, false },
        { "lost answer", { .lost_answer = 1000 }, VGPU_ERROR_UNKNOWN, true, true },
        { "late", { .late = 1000 }, VGPU_ERROR_UNKNOWN, false, true },
        { "away", { .away = true }, VGPU_ERROR_UNAVAILABLE, false, false },
        { "full", { .full = true }, VGPU_ERROR_NO_CAPACITY, false, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Model) model = model_new(i + 1);
        g_autoptr(VgpuStore) store = model_open(model);
        g_autoptr(GError) error = NULL;

        *model_faults(store) = rows[i].faults;
        assert_false(put(store, "a", &error));
        if (!g_error_matches(error, VGPU_ERROR, rows[i].code))
            fail_msg("%s: %s", rows[i].about, error->message);
        assert_int_equal(model_get(model, "a") != NULL, rows[i].now);
        model_advance(model, 1);
        assert_int_equal(model_get(model, "a") != NULL, rows[i].later);
    }
}

static void
count(const VgpuStoreEvent *event, gpointer data)
{
    guint *kinds = data;

    kinds[event->kind]++;
}

/* Watches of several clients see changes at different times; one that is away is lost. */
static void
test_watches(void **state)
{
    g_autoptr(Model) model = model_new(3);
    g_autoptr(VgpuStore) one = model_open(model), other = model_open(model);
    guint kinds[VGPU_STORE_LOST + 1] = { 0 }, others[VGPU_STORE_LOST + 1] = { 0 };
    VgpuStoreWatch *first = vgpu_store_watch(one, "a", 0, count, kinds);
    VgpuStoreWatch *second = vgpu_store_watch(other, "a", 0, count, others);

    assert_true(put(one, "a", NULL) && put(one, "b", NULL));
    assert_true(model_deliver(model));
    assert_int_equal(kinds[VGPU_STORE_PUT] + others[VGPU_STORE_PUT], 1);
    deliver(model);
    assert_int_equal(kinds[VGPU_STORE_PUT] + others[VGPU_STORE_PUT], 2);
    model_faults(other)->away = true;
    assert_true(put(one, "a2", NULL));
    deliver(model);
    assert_int_equal(kinds[VGPU_STORE_PUT], 2);
    assert_int_equal(others[VGPU_STORE_PUT], 1);
    assert_int_equal(others[VGPU_STORE_LOST], 1);
    vgpu_store_watch_end(first);
    vgpu_store_watch_end(second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
