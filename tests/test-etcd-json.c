/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is sent to etcd, byte by byte, and what its answers mean, also those that are none. The answers are those of etcd
 * 3.4.23. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "fleet/etcd-json.h"

#define HEADER                                                                                   \
    "\"header\":{\"cluster_id\":\"10144879847569953045\",\"member_id\":\"1\",\"revision\":"      \
    "\"7\","                                                                                     \
    "\"raft_term\":\"2\"}"

static void
assert_body(char *body, const char *expected)
{
    assert_string_equal(body, expected);
    g_free(body);
}

static void
test_requests(void **state)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();

    assert_body(vgpu_etcd_json_get("a"), "{\"key\":\"YQ==\"}");
    assert_body(vgpu_etcd_json_list("a/", NULL, 5, 0),
                "{\"key\":\"YS8=\",\"range_end\":\"YTA=\",\"limit\":\"5\",\"revision\":\"0\"}");
    assert_body(vgpu_etcd_json_list("a/", "a/b", 5, 9),
                "{\"key\":\"YS9i\",\"range_end\":\"YTA=\",\"limit\":\"5\",\"revision\":\"9\"}");
    assert_body(vgpu_etcd_json_list("b/", "a", 0, 0),
                "{\"key\":\"Yi8=\",\"range_end\":\"YjA=\",\"limit\":\"0\",\"revision\":\"0\"}");
    vgpu_txn_require(txn, VGPU_COND_ABSENT, "a", 0);
    vgpu_txn_require(txn, VGPU_COND_UNCHANGED, "b", 4);
    vgpu_txn_require(txn, VGPU_COND_NONE_SINCE, "a/", 4);
    vgpu_txn_put(txn, "a", "1", 3);
    vgpu_txn_delete(txn, "b");
    assert_body(
        vgpu_etcd_json_txn(txn),
        "{\"compare\":[{\"key\":\"YQ==\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_"
        "revision\":\"0\"},"
        "{\"key\":\"Yg==\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"4\"},"
        "{\"key\":\"YS8=\",\"range_end\":\"YTA=\",\"target\":\"MOD\",\"result\":\"LESS\",\"mod_"
        "revision\":\"5\"}],"
        "\"success\":[{\"request_put\":{\"key\":\"YQ==\",\"value\":\"MQ==\",\"lease\":\"3\"}},"
        "{\"request_delete_range\":{\"key\":\"Yg==\"}}]}");
    assert_body(vgpu_etcd_json_lease(VGPU_LEASE_GRANT, 0, 60), "{\"TTL\":\"60\"}");
    assert_body(vgpu_etcd_json_lease(VGPU_LEASE_KEEP, 7, 0), "{\"ID\":\"7\"}");
    assert_body(vgpu_etcd_json_watch("a", 3),
                "{\"create_request\":{\"key\":\"YQ==\",\"range_end\":"
                "\"Yg==\",\"start_revision\":\"3\"}}");
    assert_body(vgpu_etcd_json_login("a\"b", "\\\n"),
                "{\"name\":\"a\\\"b\",\"password\":\"\\\\\\n\"}");
}

static void
test_list(void **state)
{
    static const char answer[] =
        "{" HEADER ",\"kvs\":[{\"key\":\"YQ==\",\"create_revision\":\"2\",\"mod_revision\":\"3\","
        "\"version\":\"1\",\"value\":\"Yg==\",\"lease\":\"9\"},{\"key\":\"Yw==\"},{},7,"
        "{\"key\":\"YQBi\"}],\"more\":true,\"count\":\"9\"}";
    g_autoptr(VgpuStoreList) list = vgpu_etcd_json_read_list(answer, strlen(answer), NULL);
    const VgpuStoreItem *item;
    g_autofree char *text = NULL;

    assert_int_equal(list->items->len, 2); /* a key with a NUL is none of ours */
    assert_true(list->more);
    assert_int_equal(list->revision, 7);
    item = g_ptr_array_index(list->items, 0);
    assert_string_equal(item->key, "a");
    assert_int_equal(item->created, 2);
    assert_int_equal(item->changed, 3);
    assert_int_equal(item->lease, 9);
    text = vgpu_store_item_text(item);
    assert_string_equal(text, "b");
    item = g_ptr_array_index(list->items, 1);
    assert_int_equal(g_bytes_get_size(item->value), 0);
}

static const char *const no_answers[] = {
    "",
    "{",
    "[]",
    "null",
    "7",
    "{}",
    "{\"header\":7}",
    "{\"header\":{\"revision\":\"x\"}}",
    "{\"header\":[],\"kvs\":{}}",
    "<html>",
    "{\"result\":[]}",
    "\xff",
};

static void
test_no_answers(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(no_answers); i++) {
        const char *text = no_answers[i];
        gsize len = strlen(text);
        VgpuStoreOutcome outcome;
        gint64 id = 0;

        assert_null(vgpu_etcd_json_read_list(text, len, NULL));
        assert_false(vgpu_etcd_json_read_txn(text, len, &outcome, NULL));
        assert_false(vgpu_etcd_json_read_lease(text, len, VGPU_LEASE_GRANT, &id, NULL));
        assert_false(vgpu_etcd_json_read_lease(text, len, VGPU_LEASE_KEEP, &id, NULL));
        assert_null(vgpu_etcd_json_read_token(text, len, NULL));
        assert_int_equal(vgpu_etcd_json_read_error(text, len, NULL), VGPU_ETCD_FOREIGN);
        assert_int_equal(id, 0);
    }
    assert_null(vgpu_etcd_json_read_token("{\"token\":\"a\\r\\nX: y\"}", 22, NULL));
}

static void
test_leases(void **state)
{
    static const struct {
        const char *text;
        VgpuLeaseVerb verb;
        int code; /* negative: success */
    } rows[] = {
        { "{" HEADER ",\"ID\":\"77\",\"TTL\":\"60\"}", VGPU_LEASE_GRANT, -1 },
        { "{\"result\":{" HEADER ",\"ID\":\"77\",\"TTL\":\"60\"}}", VGPU_LEASE_KEEP, -1 },
        { "{\"result\":{" HEADER ",\"ID\":\"77\"}}", VGPU_LEASE_KEEP, VGPU_ERROR_NOT_FOUND },
        { "{" HEADER "}", VGPU_LEASE_REVOKE, -1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        gint64 id = 0;
        bool done = vgpu_etcd_json_read_lease(rows[i].text, strlen(rows[i].text), rows[i].verb,
                                              &id, &error);

        assert_int_equal(done, rows[i].code < 0);
        if (!done)
            assert_true(g_error_matches(error, VGPU_ERROR, rows[i].code));
        else if (rows[i].verb == VGPU_LEASE_GRANT)
            assert_int_equal(id, 77);
    }
}

static void
note(const VgpuStoreEvent *event, gpointer data)
{
    static const char kinds[] = { '+', '-', 'C', 'L' };

    g_string_append_printf(data, "%c%s@%d ", kinds[event->kind], event->key ? event->key : "",
                           (int) event->revision);
}

static void
test_watch(void **state)
{
    static const struct {
        const char *text, *events;
        bool on;
    } rows[] = {
        { "{\"result\":{" HEADER ",\"created\":true}}", "", true },
        { "{\"result\":{" HEADER
          ",\"events\":[{\"kv\":{\"key\":\"YQ==\",\"create_revision\":\"2\","
          "\"mod_revision\":\"3\",\"version\":\"1\",\"value\":\"Yg==\"}},{\"type\":\"DELETE\","
          "\"kv\":"
          "{\"key\":\"Yg==\",\"mod_revision\":\"3\"}},{\"kv\":7}]}}",
          "+a@3 -b@3 ", true },
        { "{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"3\"}}", "C@3 ",
          false },
        { "{\"result\":{" HEADER ",\"canceled\":true,\"cancel_reason\":\"x\"}}", "L@0 ", false },
        { "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no "
          "leader\"}}",
          "L@0 ", false },
        { "x", "L@0 ", false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) seen = g_string_new(NULL);

        assert_int_equal(vgpu_etcd_json_read_watch(rows[i].text, strlen(rows[i].text), note,
                                                   seen),
                         rows[i].on);
        assert_string_equal(seen->str, rows[i].events);
    }
}

static void
test_errors(void **state)
{
    static const struct {
        const char *text;
        VgpuEtcdRefusal refusal;
        VgpuError code;
    } rows[] = {
        { "{\"error\":\"x\",\"message\":\"etcdserver: requested lease not found\",\"code\":5}",
          VGPU_ETCD_REFUSED, VGPU_ERROR_NOT_FOUND },
        { "{\"message\":\"etcdserver: mvcc: database space exceeded\",\"code\":8}",
          VGPU_ETCD_REFUSED, VGPU_ERROR_NO_CAPACITY },
        { "{\"message\":\"etcdserver: no leader\",\"code\":14}", VGPU_ETCD_UNAVAILABLE,
          VGPU_ERROR_UNAVAILABLE },
        { "{\"message\":\"etcdserver: invalid auth token\",\"code\":16}", VGPU_ETCD_UNAUTHORIZED,
          VGPU_ERROR_DENIED },
        { "{\"message\":\"etcdserver: user name is empty\",\"code\":3}", VGPU_ETCD_UNAUTHORIZED,
          VGPU_ERROR_BAD_REQUEST },
        { "{\"message\":\"etcdserver: permission denied\",\"code\":7}", VGPU_ETCD_REFUSED,
          VGPU_ERROR_DENIED },
        { "{\"message\":\"etcdserver: mvcc: required revision has been compacted\",\"code\":11}",
          VGPU_ETCD_REFUSED, VGPU_ERROR_BUSY },
        { "{\"message\":\"a\\u001b[2J\",\"code\":99}", VGPU_ETCD_REFUSED, VGPU_ERROR_FAILED },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        assert_int_equal(vgpu_etcd_json_read_error(rows[i].text, strlen(rows[i].text), &error),
                         rows[i].refusal);
        assert_true(g_error_matches(error, VGPU_ERROR, (int) rows[i].code));
        assert_null(strchr(error->message, '\033'));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),   cmocka_unit_test(test_list),
        cmocka_unit_test(test_no_answers), cmocka_unit_test(test_leases),
        cmocka_unit_test(test_watch),      cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
