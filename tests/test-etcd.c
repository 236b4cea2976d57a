/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real etcd keeps the promises of src/fleet/store.h, also when members are killed, stopped or full, with users and with
 * certificates. */
#include "test.h"

#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "etcd-server.h"
#include "fleet/etcd.h"
#include "store-cases.h"

static gboolean
wake(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

/* Until something has come, 200 ms at most. */
static void
wait_for_watch(gpointer data)
{
    bool late = false;
    guint timer = g_timeout_add(200, wake, &late);

    g_main_context_iteration(NULL, TRUE);
    if (!late)
        g_source_remove(timer);
}

/* The lease of the case has the only key below t/: until it is gone. */
static void
pass(gpointer data)
{
    g_autoptr(VgpuStore) store = etcd_server_open(data);

    for (guint i = 0; i < 300; i++) {
        g_autoptr(VgpuStoreItem) item = NULL;

        assert_true(vgpu_store_get(store, "t/a", &item, NULL));
        if (!item)
            return;
        g_usleep(50000);
    }
}

static void
compact(gpointer data)
{
    g_autoptr(VgpuStore) store = etcd_server_open(data);
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, "t/", NULL, 1, NULL);
    g_autofree char *body =
        g_strdup_printf("{\"revision\":\"%" G_GINT64_FORMAT "\"}", list->revision);
    g_autofree char *answer = etcd_server_post(data, 0, "/v3/kv/compaction", body);

    assert_non_null(answer);
}

static VgpuStore *
open_etcd(gpointer data)
{
    return etcd_server_open(data);
}

static void
test_promises(void **state)
{
    g_autoptr(EtcdServer) server = etcd_server_start(1, NULL, false);
    StoreWorld world = { open_etcd, wait_for_watch, pass, compact, server };

    store_cases(&world);
}

static bool
put(VgpuStore *store, const char *key, const char *value, GError **error)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome;

    vgpu_txn_put(txn, key, value, 0);
    return vgpu_store_txn(store, txn, &outcome, error);
}

/* Lists are cut into pages, which are of one revision. */
static void
test_pages(void **state)
{
    enum { N = 1203 };
    g_autoptr(EtcdServer) server = etcd_server_start(1, NULL, false);
    g_autoptr(VgpuStore) store = etcd_server_open(server);
    g_autoptr(VgpuStoreList) all = NULL, some = NULL;

    for (guint i = 0; i < N;) {
        g_autoptr(VgpuTxn) txn = vgpu_txn_new();
        VgpuStoreOutcome outcome = { 0 };

        for (; i < N && txn->changes->len < VGPU_TXN_MAX; i++) {
            g_autofree char *key = g_strdup_printf("p/%05u", i);

            vgpu_txn_put(txn, key, key, 0);
        }
        assert_true(vgpu_store_txn(store, txn, &outcome, NULL) && outcome.done);
    }
    all = vgpu_store_list(store, "p/", NULL, 0, NULL);
    assert_int_equal(all->items->len, N);
    assert_false(all->more);
    for (guint i = 0; i < N; i++) {
        g_autofree char *key = g_strdup_printf("p/%05u", i);

        assert_string_equal(((VgpuStoreItem *) g_ptr_array_index(all->items, i))->key, key);
    }
    some = vgpu_store_list(store, "p/", "p/00100", 700, NULL);
    assert_int_equal(some->items->len, 700);
    assert_true(some->more);
}

static VgpuStore *
open_with(const VgpuEtcdOptions *options)
{
    g_autoptr(GError) error = NULL;
    VgpuStore *store = vgpu_etcd_open(options, &error);

    assert_non_null(store);
    return store;
}

static void
expect(VgpuStore *store, const char *about, int code)
{
    g_autoptr(GError) error = NULL;
    bool done = put(store, "a", "1", &error);

    if (done != (code < 0) || (error && !g_error_matches(error, VGPU_ERROR, code)))
        fail_msg("%s: %s", about, error ? error->message : "it was done");
    if (error)
        print_message("# %s: %s\n", about, error->message);
}

static void
test_nobody_there(void **state)
{
    static const struct {
        const char *about;
        const char *endpoints[3];
        int code; /* negative: it cannot even be opened */
    } rows[] = {
        { "no endpoint", { NULL }, -1 },
        { "no address", { "etcd" }, -1 },
        { "a path", { "file:///etc/passwd" }, -1 },
        { "refused", { "http://127.0.0.1:1" }, VGPU_ERROR_UNAVAILABLE },
        { "both refused",
          { "http://127.0.0.1:1", "https://127.0.0.1:1" },
          VGPU_ERROR_UNAVAILABLE },
        { "no such name", { "http://etcd.invalid:2379" }, VGPU_ERROR_UNAVAILABLE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        VgpuEtcdOptions options = { .endpoints = (char **) rows[i].endpoints, .timeout = 500 };
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuStore) store = vgpu_etcd_open(&options, &error);

        if (rows[i].code < 0)
            assert_true(!store && g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
        else
            expect(store, rows[i].about, rows[i].code);
    }
}

/* The first endpoint is dead; a member that is stopped answers nothing, and continues what it was asked. */
static void
test_failover(void **state)
{
    g_autoptr(EtcdServer) server = etcd_server_start(1, NULL, false);
    const char *endpoints[] = { "http://127.0.0.1:1", server->urls[0], NULL };
    VgpuEtcdOptions options = { .endpoints = (char **) endpoints, .timeout = 500 };
    g_autoptr(VgpuStore) store = open_with(&options);
    g_autoptr(VgpuStoreItem) item = NULL;
    g_autoptr(GError) error = NULL;

    expect(store, "the second answers", -1);
    etcd_server_signal(server, 0, SIGSTOP);
    expect(store, "stopped", VGPU_ERROR_UNKNOWN);
    assert_false(vgpu_store_get(store, "a", &item, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    etcd_server_signal(server, 0, SIGCONT);
    etcd_server_wait(server, 0);
    expect(store, "continued", -1);
}

static void
count_lost(const VgpuStoreEvent *event, gpointer data)
{
    guint *kinds = data;

    kinds[event->kind]++;
}

/* Three members. The leader is killed, comes back, and another is stopped: nothing that was done is lost. */
static void
test_members(void **state)
{
    g_autoptr(EtcdServer) server = etcd_server_start(3, NULL, false);
    VgpuEtcdOptions options = { .endpoints = server->urls, .timeout = 2000 };
    g_autoptr(VgpuStore) store = open_with(&options);
    g_autoptr(VgpuStoreList) list = NULL;
    g_autoptr(GHashTable) sure = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint kinds[VGPU_STORE_LOST + 1] = { 0 }, leader = 0;
    VgpuStoreWatch *watch = vgpu_store_watch(store, "m/", 0, count_lost, kinds);

    for (guint i = 0; i < 60; i++) {
        g_autofree char *key = g_strdup_printf("m/%02u", i);

        if (i == 20)
            etcd_server_kill(server, leader = etcd_server_leader(server));
        if (i == 40) {
            etcd_server_restart(server, leader);
            etcd_server_wait(server, leader);
            leader = etcd_server_leader(server);
            etcd_server_signal(server, leader, SIGSTOP);
        }
        if (put(store, key, "1", NULL))
            g_hash_table_add(sure, g_steal_pointer(&key));
    }
    etcd_server_signal(server, leader, SIGCONT);
    print_message("# %u of 60 were done\n", g_hash_table_size(sure));
    assert_true(g_hash_table_size(sure) >= 50);
    list = vgpu_store_list(store, "m/", NULL, 0, NULL);
    assert_non_null(list);
    for (guint i = 0; i < list->items->len; i++)
        g_hash_table_remove(sure, ((VgpuStoreItem *) g_ptr_array_index(list->items, i))->key);
    assert_int_equal(g_hash_table_size(sure), 0);
    for (guint i = 0; i < 50 && kinds[VGPU_STORE_PUT] < 20 && !kinds[VGPU_STORE_LOST]; i++)
        wait_for_watch(NULL);
    assert_true(kinds[VGPU_STORE_LOST] || kinds[VGPU_STORE_PUT] >= 20);
    vgpu_store_watch_end(watch);

    /* two of three are gone: nothing is done, and that is said */
    etcd_server_kill(server, 0);
    etcd_server_kill(server, 1);
    assert_false(put(store, "m/x", "1", NULL));
}

/* Also: a token ends with its member, and the next request gets another. */
static void
test_users(void **state)
{
    static const char *const setup[][2] = {
        { "/v3/auth/user/add", "{\"name\":\"root\",\"password\":\"secret\"}" },
        { "/v3/auth/role/add", "{\"name\":\"root\"}" },
        { "/v3/auth/user/grant", "{\"user\":\"root\",\"role\":\"root\"}" },
        { "/v3/auth/user/add", "{\"name\":\"other\",\"password\":\"pass\\\"word\"}" },
        { "/v3/auth/enable", "{}" },
    };
    static const struct {
        const char *about, *user, *password;
        int code;
    } rows[] = {
        { "root", "root", "secret", -1 },
        { "wrong password", "root", "Secret", VGPU_ERROR_DENIED },
        { "no such user", "nobody", "secret", VGPU_ERROR_DENIED },
        { "a user without a right", "other", "pass\"word", VGPU_ERROR_DENIED },
        { "without a user", NULL, NULL, VGPU_ERROR_BAD_REQUEST },
    };
    g_autoptr(EtcdServer) server = etcd_server_start(1, NULL, false);
    VgpuEtcdOptions options = { .endpoints = server->urls, .user = "root", .password = "secret" };
    g_autoptr(VgpuStore) root = open_with(&options);
    guint kinds[VGPU_STORE_LOST + 1] = { 0 };
    VgpuStoreWatch *watch;

    for (gsize i = 0; i < G_N_ELEMENTS(setup); i++) {
        g_autofree char *answer = etcd_server_post(server, 0, setup[i][0], setup[i][1]);

        assert_non_null(answer);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(VgpuStore) store = NULL;

        options.user = rows[i].user;
        options.password = rows[i].password;
        store = open_with(&options);
        expect(store, rows[i].about, rows[i].code);
    }
    expect(root, "the first token", -1);
    etcd_server_kill(server, 0);
    etcd_server_restart(server, 0);
    for (guint i = 0; i < 600; i++) {
        g_autoptr(VgpuStoreItem) item = NULL;

        if (vgpu_store_get(root, "a", &item, NULL))
            break;
        g_usleep(50000);
    }
    expect(root, "the next one", -1);
    watch = vgpu_store_watch(root, "a", 0, count_lost, kinds);
    expect(root, "watched", -1);
    for (guint i = 0; i < 50 && !kinds[VGPU_STORE_PUT]; i++)
        wait_for_watch(NULL);
    assert_int_equal(kinds[VGPU_STORE_PUT], 1);
    vgpu_store_watch_end(watch);
}

static void
test_certificates(void **state)
{
    g_autofree char *openssl = g_find_program_in_path("openssl");
    g_autoptr(EtcdServer) server = NULL;
    g_autofree char *ca = NULL, *certificate = NULL, *key = NULL;
    const struct {
        const char *about;
        char **ca, **certificate;
        bool done;
    } rows[] = {
        { "all of them", &ca, &certificate, true },
        { "an unknown authority", NULL, &certificate, false },
        { "no client certificate", &ca, NULL, false },
    };

    if (!openssl)
        skip();
    server = etcd_server_start(1, NULL, true);
    ca = etcd_server_path(server, "ca.pem");
    certificate = etcd_server_path(server, "client.pem");
    key = etcd_server_path(server, "client.key");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        VgpuEtcdOptions options = { .endpoints = server->urls,
                                    .ca = rows[i].ca ? ca : NULL,
                                    .certificate = rows[i].certificate ? certificate : NULL,
                                    .key = rows[i].certificate ? key : NULL };
        g_autoptr(VgpuStore) store = open_with(&options);
        g_autoptr(GError) error = NULL;

        if (put(store, "a", "1", &error) != rows[i].done)
            fail_msg("%s: %s", rows[i].about, error ? error->message : "it was done");
        if (error)
            print_message("# %s: %s\n", rows[i].about, error->message);
    }
}

/* No space for more: reads and deletions go on. */
static void
test_full(void **state)
{
    static const char *const options[] = { "--quota-backend-bytes", "2000000", NULL };
    g_autoptr(EtcdServer) server = etcd_server_start(1, options, false);
    g_autoptr(VgpuStore) store = etcd_server_open(server);
    g_autofree char *value = g_strnfill(VGPU_STORE_VALUE_MAX, 'x');
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuStoreItem) item = NULL;
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome = { 0 };

    for (guint i = 0; i < 100 && !error; i++) {
        g_autofree char *key = g_strdup_printf("f/%u", i);

        (void) !put(store, key, value, &error);
    }
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NO_CAPACITY));
    assert_true(vgpu_store_get(store, "f/0", &item, NULL) && item);
    vgpu_txn_delete(txn, "f/0");
    assert_true(vgpu_store_txn(store, txn, &outcome, NULL) && outcome.done);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises),     cmocka_unit_test(test_pages),
        cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_failover),
        cmocka_unit_test(test_members),      cmocka_unit_test(test_users),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_full),
    };

    if (!etcd_server_is_there())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
