/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "store-cases.h"

#include <string.h>

#include "base/error.h"

#define SMALL 2 /* s */

static const StoreWorld *world;

static VgpuStore *
open_store(void)
{
    return world->open(world->data);
}

static gint64
commit_as(VgpuStore *store, const VgpuTxn *txn, bool expected)
{
    g_autoptr(GError) error = NULL;
    VgpuStoreOutcome outcome = { 0 };

    if (!vgpu_store_txn(store, txn, &outcome, &error))
        fail_msg("%s", error->message);
    assert_int_equal(outcome.done, expected);
    return outcome.revision;
}

static gint64
put(VgpuStore *store, const char *key, const char *value, gint64 lease)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();

    vgpu_txn_put(txn, key, value, lease);
    return commit_as(store, txn, true);
}

static gint64
drop(VgpuStore *store, const char *key)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();

    vgpu_txn_delete(txn, key);
    return commit_as(store, txn, true);
}

static VgpuStoreItem *
get(VgpuStore *store, const char *key)
{
    g_autoptr(GError) error = NULL;
    VgpuStoreItem *item = NULL;

    if (!vgpu_store_get(store, key, &item, &error))
        fail_msg("%s", error->message);
    return item;
}

static void
assert_value(VgpuStore *store, const char *key, const char *value)
{
    g_autoptr(VgpuStoreItem) item = get(store, key);
    g_autofree char *text = item ? vgpu_store_item_text(item) : NULL;

    if (g_strcmp0(text, value) != 0)
        fail_msg("%s: '%s' instead of '%s'", key, text ? text : "none", value ? value : "none");
}

static VgpuStoreList *
list(VgpuStore *store, const char *prefix, const char *from, guint max)
{
    g_autoptr(GError) error = NULL;
    VgpuStoreList *all = vgpu_store_list(store, prefix, from, max, &error);

    if (!all)
        fail_msg("%s", error->message);
    return all;
}

static gint64
grant(VgpuStore *store, guint ttl)
{
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    if (!vgpu_store_lease_grant(store, ttl, &id, &error))
        fail_msg("%s", error->message);
    assert_int_not_equal(id, 0);
    return id;
}

static void
case_items(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(VgpuStoreItem) first = NULL, second = NULL, again = NULL;
    static const guint8 raw[] = { 0, 0xff, 'x', '\n', 0 };
    g_autoptr(GBytes) bytes = g_bytes_new_static(raw, sizeof(raw));
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    gint64 created = put(store, "t/a", "1", 0), changed;

    assert_null(get(store, "t/none"));
    first = get(store, "t/a");
    assert_int_equal(first->created, created);
    assert_int_equal(first->changed, created);
    changed = put(store, "t/a", "", 0);
    assert_int_equal(changed, created + 1);
    second = get(store, "t/a");
    assert_int_equal(second->created, created);
    assert_int_equal(second->changed, changed);
    assert_value(store, "t/a", "");
    drop(store, "t/a");
    assert_null(get(store, "t/a"));
    put(store, "t/a", "2", 0);
    again = get(store, "t/a");
    assert_true(again->created > changed);

    vgpu_txn_put_bytes(txn, "t/raw", bytes, 0);
    commit_as(store, txn, true);
    vgpu_store_item_free(again);
    again = get(store, "t/raw");
    assert_true(g_bytes_equal(again->value, bytes));
    assert_null(vgpu_store_item_text(again));
    drop(store, "t/raw");
    assert_int_equal(drop(store, "t/raw"), drop(store, "t/raw")); /* nothing: no new revision */
    drop(store, "t/a");
}

static void
case_list(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(VgpuStoreList) all = NULL, page = NULL, rest = NULL, none = NULL;
    gint64 last = 0;

    for (guint i = 0; i < 10; i++) {
        g_autofree char *key = g_strdup_printf("t/l/%u", 9 - i);

        last = put(store, key, "x", 0);
    }
    put(store, "t/k", "x", 0);
    last = put(store, "t/m", "x", 0);
    all = list(store, "t/l/", NULL, 0);
    assert_int_equal(all->items->len, 10);
    assert_int_equal(all->revision, last);
    assert_false(all->more);
    for (guint i = 1; i < all->items->len; i++) {
        const VgpuStoreItem *one = g_ptr_array_index(all->items, i - 1);
        const VgpuStoreItem *next = g_ptr_array_index(all->items, i);

        assert_true(strcmp(one->key, next->key) < 0);
    }
    page = list(store, "t/l/", NULL, 4);
    assert_int_equal(page->items->len, 4);
    assert_true(page->more);
    rest = list(store, "t/l/", "t/l/4", 6);
    assert_int_equal(rest->items->len, 6);
    assert_false(rest->more);
    assert_string_equal(((VgpuStoreItem *) g_ptr_array_index(rest->items, 0))->key, "t/l/4");
    none = list(store, "t/nothing/", NULL, 0);
    assert_int_equal(none->items->len, 0);
    for (guint i = 0; i < 10; i++) {
        g_autofree char *key = g_strdup_printf("t/l/%u", i);

        drop(store, key);
    }
    drop(store, "t/k");
    drop(store, "t/m");
}

static void
case_conditions(void)
{
    static const struct {
        const char *about;
        VgpuCondKind kind;
        const char *key;
        int back; /* the revision: 0 none, 1 that of t/c, 2 the one before */
        bool holds;
    } rows[] = {
        { "absent, and is", VGPU_COND_ABSENT, "t/none", 0, true },
        { "absent, and is not", VGPU_COND_ABSENT, "t/c", 0, false },
        { "exists, and does", VGPU_COND_EXISTS, "t/c", 0, true },
        { "exists, and does not", VGPU_COND_EXISTS, "t/none", 0, false },
        { "unchanged", VGPU_COND_UNCHANGED, "t/c", 1, true },
        { "changed since", VGPU_COND_UNCHANGED, "t/c", 2, false },
        { "unchanged, and absent", VGPU_COND_UNCHANGED, "t/none", 0, true },
        { "created since", VGPU_COND_UNCHANGED, "t/c", 0, false },
        { "deleted since", VGPU_COND_UNCHANGED, "t/none", 1, false },
        { "none since", VGPU_COND_NONE_SINCE, "t/", 1, true },
        { "one since", VGPU_COND_NONE_SINCE, "t/", 2, false },
        { "none since, of no keys", VGPU_COND_NONE_SINCE, "t/none/", 2, true },
        { "none of the keys beside", VGPU_COND_NONE_SINCE, "t/b", 2, true },
    };
    g_autoptr(VgpuStore) store = open_store();
    gint64 before = put(store, "t/b", "1", 0), now = put(store, "t/c", "1", 0);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(VgpuTxn) txn = vgpu_txn_new();
        g_autoptr(VgpuStoreItem) item = NULL;

        print_message("# %s\n", rows[i].about);
        vgpu_txn_require(txn, rows[i].kind, rows[i].key,
                         rows[i].back == 1   ? now
                         : rows[i].back == 2 ? before
                                             : 0);
        vgpu_txn_put(txn, "u/d", rows[i].about, 0);
        commit_as(store, txn, rows[i].holds);
        item = get(store, "u/d");
        assert_int_equal(item != NULL, rows[i].holds);
        drop(store, "u/d");
    }
    drop(store, "t/b");
    drop(store, "t/c");
}

static void
case_all_or_nothing(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(VgpuTxn) txn = vgpu_txn_new(), most = vgpu_txn_new();
    g_autoptr(VgpuStoreItem) one = NULL, two = NULL;

    put(store, "t/x", "x", 0);
    vgpu_txn_require(txn, VGPU_COND_ABSENT, "t/1", 0);
    vgpu_txn_require(txn, VGPU_COND_EXISTS, "t/x", 0);
    vgpu_txn_put(txn, "t/1", "1", 0);
    vgpu_txn_put(txn, "t/2", "2", 0);
    vgpu_txn_delete(txn, "t/x");
    commit_as(store, txn, true);
    one = get(store, "t/1");
    two = get(store, "t/2");
    assert_int_equal(one->changed, two->changed);
    assert_null(get(store, "t/x"));
    drop(store, "t/1");
    commit_as(store, txn, false);
    assert_null(get(store, "t/1"));
    drop(store, "t/2");

    for (guint i = 0; i < VGPU_TXN_MAX; i++) {
        g_autofree char *key = g_strdup_printf("t/%03u", i);

        vgpu_txn_require(most, VGPU_COND_ABSENT, key, 0);
        vgpu_txn_put(most, key, key, 0);
    }
    commit_as(store, most, true);
    commit_as(store, most, false);
    for (guint i = 0; i < VGPU_TXN_MAX; i++)
        drop(store, g_array_index(most->changes, VgpuChange, i).key);
}

static void
case_limits(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(VgpuTxn) many = vgpu_txn_new(), large = vgpu_txn_new(), full = vgpu_txn_new();
    g_autofree char *value = g_strnfill(VGPU_STORE_VALUE_MAX, 'x');
    g_autofree char *longer = g_strconcat(value, "x", NULL);
    VgpuStoreOutcome outcome = { .revision = -1 };
    const VgpuTxn *const refused[] = { many, large };

    for (guint i = 0; i <= VGPU_TXN_MAX; i++)
        vgpu_txn_put(many, "t/a", "", 0);
    vgpu_txn_put(large, "t/a", longer, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(vgpu_store_txn(store, refused[i], &outcome, &error));
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
    }
    assert_int_equal(outcome.revision, -1);
    for (guint i = 0; i < 15; i++) {
        g_autofree char *key = g_strdup_printf("t/%02u", i);

        vgpu_txn_put(full, key, value, 0);
    }
    commit_as(store, full, true);
    assert_value(store, "t/00", value);
    for (guint i = 0; i < 15; i++)
        drop(store, g_array_index(full->changes, VgpuChange, i).key);
}

static void
case_lease(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(VgpuStoreItem) item = NULL;
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    g_autoptr(GError) keep = NULL, revoke = NULL, late = NULL;
    gint64 id = grant(store, 60), other = grant(store, 60);
    VgpuStoreOutcome outcome;

    assert_int_not_equal(id, other);
    put(store, "t/a", "1", id);
    put(store, "t/b", "1", id);
    put(store, "t/c", "1", id);
    put(store, "t/d", "1", other);
    put(store, "t/b", "2", 0); /* no longer of the lease */
    put(store, "t/c", "2", other);
    item = get(store, "t/a");
    assert_int_equal(item->lease, id);
    assert_true(vgpu_store_lease_keep(store, id, NULL));
    assert_true(vgpu_store_lease_revoke(store, id, NULL));
    assert_value(store, "t/a", NULL);
    assert_value(store, "t/b", "2");
    assert_value(store, "t/c", "2");

    assert_false(vgpu_store_lease_keep(store, id, &keep));
    assert_true(g_error_matches(keep, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    assert_false(vgpu_store_lease_revoke(store, id, &revoke));
    assert_true(g_error_matches(revoke, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    vgpu_txn_put(txn, "t/b", "3", id);
    assert_false(vgpu_store_txn(store, txn, &outcome, &late));
    assert_true(g_error_matches(late, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    assert_value(store, "t/b", "2");
    drop(store, "t/b");
    assert_true(vgpu_store_lease_revoke(store, other, NULL));
    assert_value(store, "t/c", NULL);
    assert_value(store, "t/d", NULL);
}

static void
case_lease_ends(void)
{
    g_autoptr(VgpuStore) store = open_store();
    g_autoptr(GError) error = NULL;
    gint64 id = grant(store, SMALL);

    put(store, "t/a", "1", id);
    world->pass(world->data);
    assert_value(store, "t/a", NULL);
    assert_false(vgpu_store_lease_keep(store, id, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
}

/* what a watch has seen: "+KEY=VALUE " and "-KEY " */
typedef struct {
    GString *seen;
    gint64 last;
    bool ordered;
    VgpuStoreEventKind ended;
} Seen;

static void
note(const VgpuStoreEvent *event, gpointer data)
{
    Seen *self = data;

    self->ordered &= event->revision >= self->last || event->revision == 0;
    self->last = event->revision;
    if (event->kind == VGPU_STORE_PUT) {
        g_autofree char *text = vgpu_store_item_text(event->item);

        assert_int_equal(event->item->changed, event->revision);
        g_string_append_printf(self->seen, "+%s=%s ", event->key, text);
    } else if (event->kind == VGPU_STORE_DELETED) {
        g_string_append_printf(self->seen, "-%s ", event->key);
    } else {
        self->ended = event->kind;
    }
}

static void
wait_for(Seen *self, const char *expected)
{
    for (guint i = 0; i < 50 && !self->ended && strlen(self->seen->str) < strlen(expected); i++)
        world->wait(world->data);
    assert_string_equal(self->seen->str, expected);
    assert_true(self->ordered);
    g_string_truncate(self->seen, 0);
}

static void
case_watch(void)
{
    g_autoptr(VgpuStore) store = open_store(), other = open_store();
    Seen seen = { .seen = g_string_new(NULL), .ordered = true };
    Seen past = { .seen = g_string_new(NULL), .ordered = true };
    gint64 from = put(store, "t/w/0", "0", 0), id;
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreWatch *watch = vgpu_store_watch(store, "t/w/", from, note, &seen), *second;

    wait_for(&seen, "+t/w/0=0 ");
    put(other, "t/w/1", "1", 0);
    put(other, "t/v", "not ours", 0);
    drop(other, "t/w/0");
    wait_for(&seen, "+t/w/1=1 -t/w/0 ");
    vgpu_txn_put(txn, "t/w/2", "2", 0);
    vgpu_txn_put(txn, "t/w/3", "3", 0);
    vgpu_txn_delete(txn, "t/w/1");
    commit_as(other, txn, true);
    wait_for(&seen, "+t/w/2=2 +t/w/3=3 -t/w/1 ");
    id = grant(other, 60);
    put(other, "t/w/2", "4", id);
    wait_for(&seen, "+t/w/2=4 ");
    assert_true(vgpu_store_lease_revoke(other, id, NULL));
    wait_for(&seen, "-t/w/2 ");

    second = vgpu_store_watch(store, "t/w/", from + 1, note, &past);
    wait_for(&past, "+t/w/1=1 -t/w/0 +t/w/2=2 +t/w/3=3 -t/w/1 +t/w/2=4 -t/w/2 ");
    vgpu_store_watch_end(second);
    vgpu_store_watch_end(watch);
    drop(store, "t/w/3");
    drop(store, "t/v");
    assert_string_equal(seen.seen->str, "");
    g_string_free(seen.seen, TRUE);
    g_string_free(past.seen, TRUE);
}

static void
case_compacted(void)
{
    g_autoptr(VgpuStore) store = open_store();
    Seen seen = { .seen = g_string_new(NULL), .ordered = true };
    gint64 from = put(store, "t/a", "0", 0);
    VgpuStoreWatch *watch;

    put(store, "t/a", "1", 0);
    world->compact(world->data);
    assert_value(store, "t/a", "1");
    watch = vgpu_store_watch(store, "t/", from, note, &seen);
    for (guint i = 0; i < 50 && !seen.ended; i++)
        world->wait(world->data);
    assert_int_equal(seen.ended, VGPU_STORE_COMPACTED);
    assert_string_equal(seen.seen->str, "");
    vgpu_store_watch_end(watch);
    drop(store, "t/a");
    g_string_free(seen.seen, TRUE);
}

static void
case_one_of_many_wins(void)
{
    enum { N = 8, KEYS = 25 };
    VgpuStore *stores[N];
    guint wins = 0;

    for (guint i = 0; i < N; i++)
        stores[i] = open_store();
    for (guint k = 0; k < KEYS; k++) {
        g_autofree char *key = g_strdup_printf("t/%u", k);

        for (guint i = 0; i < N; i++) {
            g_autoptr(VgpuTxn) txn = vgpu_txn_new();
            VgpuStoreOutcome outcome = { 0 };

            vgpu_txn_require(txn, VGPU_COND_ABSENT, key, 0);
            vgpu_txn_put(txn, key, key, 0);
            assert_true(vgpu_store_txn(stores[(i + k) % N], txn, &outcome, NULL));
            wins += outcome.done;
        }
        drop(stores[0], key);
    }
    assert_int_equal(wins, KEYS);
    for (guint i = 0; i < N; i++)
        vgpu_store_close(stores[i]);
}

void
store_cases(const StoreWorld *of)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        { "items and revisions", case_items },
        { "lists", case_list },
        { "conditions", case_conditions },
        { "all or nothing", case_all_or_nothing },
        { "limits", case_limits },
        { "leases", case_lease },
        { "a lease ends by itself", case_lease_ends },
        { "watches", case_watch },
        { "a compacted history", case_compacted },
        { "one of many wins", case_one_of_many_wins },
    };

    world = of;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        print_message("# --- %s\n", cases[i].name);
        cases[i].run();
    }
}
