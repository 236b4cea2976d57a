/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/etcd-json.h"

#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "fleet/json.h"

#define REASON 200 /* characters of etcd's own text */

/* --- requests --------------------------------------------------------------------------------- */

static void
add_bytes(GString *out, const char *name, gconstpointer data, gsize size)
{
    g_autofree char *base64 = g_base64_encode(data, size);

    g_string_append_printf(out, "\"%s\":\"%s\"", name, base64);
}

static void
add_key(GString *out, const char *key)
{
    add_bytes(out, "key", key, strlen(key));
}

/* The first key after all that begin with @prefix. Our keys are ASCII, so the last byte has a successor. */
static void
add_range_end(GString *out, const char *prefix)
{
    g_autofree char *end = g_strdup(prefix);
    gsize len = strlen(end);

    end[len - 1]++;
    g_string_append_c(out, ',');
    add_bytes(out, "range_end", end, len);
}

char *
vgpu_etcd_json_get(const char *key)
{
    g_autoptr(GString) out = g_string_new("{");

    add_key(out, key);
    g_string_append_c(out, '}');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
vgpu_etcd_json_list(const char *prefix, const char *from, guint max, gint64 revision)
{
    g_autoptr(GString) out = g_string_new("{");

    add_key(out, from && strcmp(from, prefix) > 0 ? from : prefix);
    add_range_end(out, prefix);
    g_string_append_printf(out, ",\"limit\":\"%u\",\"revision\":\"%" G_GINT64_FORMAT "\"}", max,
                           revision);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
add_cond(GString *out, const VgpuCond *cond)
{
    g_string_append_c(out, '{');
    add_key(out, cond->key);
    switch (cond->kind) {
    case VGPU_COND_ABSENT:
        g_string_append(out,
                        ",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"}");
        return;
    case VGPU_COND_EXISTS:
        g_string_append(
            out, ",\"target\":\"CREATE\",\"result\":\"GREATER\",\"create_revision\":\"0\"}");
        return;
    case VGPU_COND_UNCHANGED:
        g_string_append_printf(
            out,
            ",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"%" G_GINT64_FORMAT "\"}",
            cond->revision);
        return;
    case VGPU_COND_NONE_SINCE:
        add_range_end(out, cond->key);
        g_string_append_printf(
            out,
            ",\"target\":\"MOD\",\"result\":\"LESS\",\"mod_revision\":\"%" G_GINT64_FORMAT "\"}",
            cond->revision + 1);
        return;
    default:
        g_assert_not_reached();
    }
}

static void
add_change(GString *out, const VgpuChange *change)
{
    gsize size;
    const void *data;

    g_string_append(out, change->value ? "{\"request_put\":{" : "{\"request_delete_range\":{");
    add_key(out, change->key);
    if (change->value) {
        data = g_bytes_get_data(change->value, &size);
        g_string_append_c(out, ',');
        add_bytes(out, "value", data, size);
        g_string_append_printf(out, ",\"lease\":\"%" G_GINT64_FORMAT "\"", change->lease);
    }
    g_string_append(out, "}}");
}

char *
vgpu_etcd_json_txn(const VgpuTxn *txn)
{
    g_autoptr(GString) out = g_string_new("{\"compare\":[");

    for (guint i = 0; i < txn->conds->len; i++) {
        g_string_append(out, i ? "," : "");
        add_cond(out, &g_array_index(txn->conds, VgpuCond, i));
    }
    g_string_append(out, "],\"success\":[");
    for (guint i = 0; i < txn->changes->len; i++) {
        g_string_append(out, i ? "," : "");
        add_change(out, &g_array_index(txn->changes, VgpuChange, i));
    }
    g_string_append(out, "]}");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
vgpu_etcd_json_lease(VgpuLeaseVerb verb, gint64 id, guint ttl)
{
    return verb == VGPU_LEASE_GRANT ? g_strdup_printf("{\"TTL\":\"%u\"}", ttl)
                                    : g_strdup_printf("{\"ID\":\"%" G_GINT64_FORMAT "\"}", id);
}

char *
vgpu_etcd_json_watch(const char *prefix, gint64 from)
{
    g_autoptr(GString) out = g_string_new("{\"create_request\":{");

    add_key(out, prefix);
    add_range_end(out, prefix);
    g_string_append_printf(out, ",\"start_revision\":\"%" G_GINT64_FORMAT "\"}}", from);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
vgpu_etcd_json_login(const char *user, const char *password)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, user);
    json_builder_set_member_name(builder, "password");
    json_builder_add_string_value(builder, password);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool
foreign(GError **error)
{
    return vgpu_error_set(error, VGPU_ERROR_FAILED, "that is no answer of etcd's");
}

static gint64
revision_of(JsonObject *answer)
{
    JsonObject *header = vgpu_json_object(answer, "header");

    return header ? vgpu_json_number(header, "revision") : 0;
}

/* NULL: it has no key that could be ours. */
static VgpuStoreItem *
read_item(JsonObject *kv)
{
    const char *key = kv ? vgpu_json_text(kv, "key") : NULL;
    const char *value = kv ? vgpu_json_text(kv, "value") : NULL;
    g_autofree guchar *raw = NULL;
    VgpuStoreItem *item;
    guchar *data = NULL;
    gsize len, size = 0;

    if (!key)
        return NULL;
    raw = g_base64_decode(key, &len);
    if (len == 0 || len > VGPU_STORE_KEY_MAX || memchr(raw, 0, len))
        return NULL;
    if (value && *value)
        data = g_base64_decode(value, &size);
    item = g_new0(VgpuStoreItem, 1);
    item->key = g_strndup((char *) raw, len);
    item->value = g_bytes_new_take(data, size);
    item->created = vgpu_json_number(kv, "create_revision");
    item->changed = vgpu_json_number(kv, "mod_revision");
    item->lease = vgpu_json_number(kv, "lease");
    return item;
}

VgpuStoreList *
vgpu_etcd_json_read_list(const char *text, gsize len, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *answer = vgpu_json_parse(parser, text, len);
    VgpuStoreList *list;
    JsonArray *kvs;

    if (!answer || !revision_of(answer)) {
        foreign(error);
        return NULL;
    }
    list = g_new0(VgpuStoreList, 1);
    list->items = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_store_item_free);
    list->revision = revision_of(answer);
    list->more = vgpu_json_true(answer, "more");
    kvs = vgpu_json_array(answer, "kvs");
    for (guint i = 0; kvs && i < json_array_get_length(kvs); i++) {
        VgpuStoreItem *item = read_item(vgpu_json_element(kvs, i));

        if (item)
            g_ptr_array_add(list->items, item);
    }
    return list;
}

bool
vgpu_etcd_json_read_txn(const char *text, gsize len, VgpuStoreOutcome *outcome, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *answer = vgpu_json_parse(parser, text, len);

    if (!answer || !revision_of(answer))
        return foreign(error);
    outcome->done = vgpu_json_true(answer, "succeeded");
    outcome->revision = revision_of(answer);
    return true;
}

bool
vgpu_etcd_json_read_lease(const char *text, gsize len, VgpuLeaseVerb verb, gint64 *id,
                          GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *answer = vgpu_json_parse(parser, text, len);

    /* a keepalive is a stream, whose answers are in another object */
    if (verb == VGPU_LEASE_KEEP)
        answer = vgpu_json_object(answer, "result");
    if (!answer || !vgpu_json_object(answer, "header"))
        return foreign(error);
    if (verb == VGPU_LEASE_REVOKE)
        return true;
    if (verb == VGPU_LEASE_KEEP && vgpu_json_number(answer, "TTL") <= 0)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "the lease has ended");
    if (vgpu_json_number(answer, "ID") == 0)
        return foreign(error);
    *id = vgpu_json_number(answer, "ID");
    return true;
}

char *
vgpu_etcd_json_read_token(const char *text, gsize len, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *answer = vgpu_json_parse(parser, text, len);
    const char *token = answer ? vgpu_json_text(answer, "token") : NULL;

    for (const char *c = token; c && *c; c++)
        if (!g_ascii_isgraph(*c)) /* it becomes part of a header */
            token = NULL;
    if (!token || !*token)
        foreign(error);
    return g_strdup(token);
}

static bool
end_watch(VgpuStoreEventKind kind, gint64 revision, VgpuStoreWatchFunc func, gpointer data)
{
    VgpuStoreEvent event = { .kind = kind, .revision = revision };

    func(&event, data);
    return false;
}

bool
vgpu_etcd_json_read_watch(const char *text, gsize len, VgpuStoreWatchFunc func, gpointer data)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *result = vgpu_json_object(vgpu_json_parse(parser, text, len), "result");
    JsonArray *events;

    if (!result)
        return end_watch(VGPU_STORE_LOST, 0, func, data);
    if (vgpu_json_number(result, "compact_revision"))
        return end_watch(VGPU_STORE_COMPACTED, vgpu_json_number(result, "compact_revision"), func,
                         data);
    if (vgpu_json_true(result, "canceled"))
        return end_watch(VGPU_STORE_LOST, 0, func, data);
    events = vgpu_json_array(result, "events");
    for (guint i = 0; events && i < json_array_get_length(events); i++) {
        JsonObject *one = vgpu_json_element(events, i);
        g_autoptr(VgpuStoreItem) item = read_item(vgpu_json_object(one, "kv"));
        bool is_gone = one && g_strcmp0(vgpu_json_text(one, "type"), "DELETE") == 0;

        if (!item)
            continue;
        func(&(VgpuStoreEvent) { is_gone ? VGPU_STORE_DELETED : VGPU_STORE_PUT, item->changed,
                                 item->key, is_gone ? NULL : item },
             data);
    }
    return true;
}

/* gRPC's codes, those of which etcd's errors are made (etcd-io/etcd etcdserver/api/v3rpc/rpctypes/error.go) */
static const struct {
    int code;
    VgpuEtcdRefusal refusal;
    VgpuError error;
} codes[] = {
    { 3, VGPU_ETCD_UNAUTHORIZED,
      VGPU_ERROR_BAD_REQUEST }, /* also: user name is empty, password is wrong */
    { 4, VGPU_ETCD_UNAVAILABLE, VGPU_ERROR_UNAVAILABLE },
    { 5, VGPU_ETCD_REFUSED, VGPU_ERROR_NOT_FOUND },
    { 7, VGPU_ETCD_REFUSED, VGPU_ERROR_DENIED },
    { 8, VGPU_ETCD_REFUSED, VGPU_ERROR_NO_CAPACITY },
    { 11, VGPU_ETCD_REFUSED, VGPU_ERROR_BUSY },
    { 14, VGPU_ETCD_UNAVAILABLE, VGPU_ERROR_UNAVAILABLE },
    { 16, VGPU_ETCD_UNAUTHORIZED, VGPU_ERROR_DENIED },
};

VgpuEtcdRefusal
vgpu_etcd_json_read_error(const char *text, gsize len, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *answer = vgpu_json_parse(parser, text, len);
    g_autofree char *line = NULL, *reason = NULL;
    gint64 code = answer ? vgpu_json_number(answer, "code") : 0;

    if (!code || !vgpu_json_text(answer, "message")) {
        foreign(error);
        return VGPU_ETCD_FOREIGN;
    }
    line = vgpu_printable_line(vgpu_json_text(answer, "message"));
    reason = vgpu_printable_cut(line, REASON);
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (codes[i].code == code) {
            vgpu_error_set(error, codes[i].error, "%s", reason);
            return codes[i].refusal;
        }
    }
    vgpu_error_set(error, VGPU_ERROR_FAILED, "%s", reason);
    return VGPU_ETCD_REFUSED;
}
