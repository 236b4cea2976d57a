/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/etcd.h"

#include "base/error.h"
#include "fleet/etcd-http.h"
#include "fleet/etcd-json.h"
#include "fleet/etcd-watch.h"

#define PAGE 500 /* items in one answer */

typedef struct {
    VgpuStore base;
    VgpuEtcdHttp *http;
    guint member; /* has answered last */
    char *user, *password;
    bool logged_in;
    GString *answer;
} Etcd;

typedef struct {
    const char *path, *body;
    bool only_reads; /* or may be done twice */
} Request;

/* What comes next after one member was asked. */
typedef enum { NEXT_DONE, NEXT_FAILED, NEXT_LOG_IN, NEXT_MEMBER } Next;

/* Takes @why, whose text names the member. */
static Next
not_known(GError *why, GError **error)
{
    vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "it is not known whether it was done: %s",
                   why->message);
    g_error_free(why);
    return NEXT_FAILED;
}

/* One request to one member. @error is set if and only if the result is not NEXT_DONE. */
static Next
ask(Etcd *self, guint member, const Request *request, GError **error)
{
    GError *why = NULL;
    long status = 0;
    VgpuEtcdRefusal refusal;

    switch (vgpu_etcd_http_post(self->http, member, request->path, request->body, self->answer,
                                &status, &why)) {
    case VGPU_ETCD_HTTP_NOT_SENT:
        g_propagate_error(error, why);
        return NEXT_MEMBER;
    case VGPU_ETCD_HTTP_LOST:
        if (!request->only_reads)
            return not_known(why, error);
        g_propagate_error(error, why);
        return NEXT_MEMBER;
    case VGPU_ETCD_HTTP_ANSWERED:
    default:
        break;
    }
    if (status == 200)
        return NEXT_DONE;
    refusal = vgpu_etcd_json_read_error(self->answer->str, self->answer->len, &why);
    g_prefix_error(&why, "%s: ", vgpu_etcd_http_endpoint(self->http, member));
    if (refusal == VGPU_ETCD_UNAVAILABLE && !request->only_reads)
        return not_known(why, error);
    g_propagate_error(error, why);
    return refusal == VGPU_ETCD_UNAVAILABLE    ? NEXT_MEMBER
           : refusal == VGPU_ETCD_UNAUTHORIZED ? NEXT_LOG_IN
                                               : NEXT_FAILED;
}

/* Get a token for the user. A wrong password has the code of a wrong request. */
static Next
log_in(Etcd *self, guint member, GError **error)
{
    g_autofree char *body = vgpu_etcd_json_login(self->user, self->password);
    Request request = { "/v3/auth/authenticate", body, true };
    g_autofree char *token = NULL;
    Next next;

    vgpu_etcd_http_set_token(self->http, NULL);
    next = ask(self, member, &request, error);
    if (next == NEXT_LOG_IN) {
        g_clear_error(error);
        vgpu_error_set(error, VGPU_ERROR_DENIED, "%s refuses user '%s' or its password",
                       vgpu_etcd_http_endpoint(self->http, member), self->user);
        return NEXT_FAILED;
    }
    if (next != NEXT_DONE)
        return next;
    token = vgpu_etcd_json_read_token(self->answer->str, self->answer->len, error);
    if (!token)
        return NEXT_FAILED;
    vgpu_etcd_http_set_token(self->http, token);
    self->logged_in = true;
    return NEXT_DONE;
}

/* The same, with a token where one is needed. */
static Next
ask_as_user(Etcd *self, guint member, const Request *request, GError **error)
{
    Next next = NEXT_DONE;

    if (self->user && !self->logged_in && (next = log_in(self, member, error)) != NEXT_DONE)
        return next;
    next = ask(self, member, request, error);
    if (next != NEXT_LOG_IN)
        return next;
    if (!self->user)
        return NEXT_FAILED;
    g_clear_error(error);
    if ((next = log_in(self, member, error)) != NEXT_DONE)
        return next;
    next = ask(self, member, request, error);
    return next == NEXT_LOG_IN ? NEXT_FAILED : next;
}

static bool
send_request(Etcd *self, const Request *request, GError **error)
{
    guint n = vgpu_etcd_http_members(self->http), first = self->member;

    for (guint i = 0; i < n; i++) {
        guint member = (first + i) % n;
        g_autoptr(GError) why = NULL;
        Next next = ask_as_user(self, member, request, &why);

        self->member = member;
        if (next == NEXT_DONE)
            return true;
        if (next == NEXT_FAILED && g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNKNOWN))
            self->member = (member + 1) % n;
        if (next == NEXT_FAILED || i == n - 1) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    g_assert_not_reached();
}

static VgpuStoreList *
list_page(Etcd *self, const char *body, GError **error)
{
    Request request = { "/v3/kv/range", body, true };

    if (!send_request(self, &request, error))
        return NULL;
    return vgpu_etcd_json_read_list(self->answer->str, self->answer->len, error);
}

static bool
etcd_get(VgpuStore *store, const char *key, VgpuStoreItem **item, GError **error)
{
    g_autofree char *body = vgpu_etcd_json_get(key);
    g_autoptr(VgpuStoreList) list = list_page((Etcd *) store, body, error);

    if (!list)
        return false;
    *item = list->items->len ? g_ptr_array_steal_index(list->items, 0) : NULL;
    return true;
}

/* The smallest key after @key. */
static char *
after(const char *key)
{
    return g_strconcat(key, "!", NULL); /* the first character that a key may have */
}

/* All of them, in pages of one revision. */
static VgpuStoreList *
list_all(Etcd *self, const char *prefix, const char *from, guint max, GError **error)
{
    g_autoptr(VgpuStoreList) all = NULL;
    g_autofree char *next = g_strdup(from);

    do {
        guint left = max ? max - (all ? all->items->len : 0) : PAGE;
        g_autofree char *body =
            vgpu_etcd_json_list(prefix, next, MIN(left, PAGE), all ? all->revision : 0);
        g_autoptr(VgpuStoreList) page = list_page(self, body, error);
        const VgpuStoreItem *last;

        if (!page)
            return NULL;
        if (!all) {
            all = g_steal_pointer(&page);
        } else {
            all->more = page->more;
            g_ptr_array_extend_and_steal(all->items, g_steal_pointer(&page->items));
            page->items = g_ptr_array_new();
        }
        if (all->items->len == 0)
            break;
        last = g_ptr_array_index(all->items, all->items->len - 1);
        g_free(next);
        next = after(last->key);
    } while (all->more && (max == 0 || all->items->len < max));
    return g_steal_pointer(&all);
}

static VgpuStoreList *
etcd_list(VgpuStore *store, const char *prefix, const char *from, guint max, GError **error)
{
    g_autoptr(GError) why = NULL;
    VgpuStoreList *list = list_all((Etcd *) store, prefix, from, max, &why);

    /* the revision of the first page was compacted meanwhile */
    if (!list && g_error_matches(why, VGPU_ERROR, VGPU_ERROR_BUSY))
        return list_all((Etcd *) store, prefix, from, max, error);
    if (!list)
        g_propagate_error(error, g_steal_pointer(&why));
    return list;
}

static bool
etcd_txn(VgpuStore *store, const VgpuTxn *txn, VgpuStoreOutcome *outcome, GError **error)
{
    Etcd *self = (Etcd *) store;
    g_autofree char *body = vgpu_etcd_json_txn(txn);
    Request request = { "/v3/kv/txn", body, false };

    return send_request(self, &request, error) &&
           vgpu_etcd_json_read_txn(self->answer->str, self->answer->len, outcome, error);
}

static bool
etcd_lease(VgpuStore *store, VgpuLeaseVerb verb, gint64 *id, guint ttl, GError **error)
{
    static const char *const paths[] = {
        [VGPU_LEASE_GRANT] = "/v3/lease/grant",
        [VGPU_LEASE_KEEP] = "/v3/lease/keepalive",
        [VGPU_LEASE_REVOKE] = "/v3/lease/revoke",
    };
    Etcd *self = (Etcd *) store;
    g_autofree char *body = vgpu_etcd_json_lease(verb, *id, ttl);
    Request request = { paths[verb], body, verb == VGPU_LEASE_KEEP };

    return send_request(self, &request, error) &&
           vgpu_etcd_json_read_lease(self->answer->str, self->answer->len, verb, id, error);
}

/* The watch goes to the member that has just answered, with a token that is as young as possible. */
static VgpuStoreWatch *
etcd_watch(VgpuStore *store, const char *prefix, gint64 from, VgpuStoreWatchFunc func,
           gpointer data)
{
    Etcd *self = (Etcd *) store;
    g_autofree char *body = vgpu_etcd_json_list(prefix, NULL, 1, 0);
    g_autoptr(VgpuStoreList) now = NULL;

    self->logged_in = false;
    now = list_page(self, body, NULL);
    return vgpu_etcd_watch_new(self->http, self->member, prefix,
                               !now   ? 0
                               : from ? from
                                      : now->revision + 1,
                               func, data);
}

static void
etcd_close(VgpuStore *store)
{
    Etcd *self = (Etcd *) store;

    vgpu_etcd_http_free(self->http);
    g_free(self->user);
    g_free(self->password);
    g_string_free(self->answer, TRUE);
    g_free(self);
}

static const VgpuStoreOps ops = {
    .get = etcd_get,
    .list = etcd_list,
    .txn = etcd_txn,
    .lease = etcd_lease,
    .watch = etcd_watch,
    .close = etcd_close,
};

VgpuStore *
vgpu_etcd_open(const VgpuEtcdOptions *options, GError **error)
{
    static gsize started;
    Etcd *self;

    for (char **url = options->endpoints; url && *url; url++) {
        if (!g_str_has_prefix(*url, "http://") && !g_str_has_prefix(*url, "https://")) {
            vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                           "'%s' is not the http:// or https:// address of an etcd", *url);
            return NULL;
        }
    }
    if (!options->endpoints || !options->endpoints[0]) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "no address of an etcd is given");
        return NULL;
    }
    if (g_once_init_enter(&started)) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&started, 1);
    }
    self = g_new0(Etcd, 1);
    self->base.ops = &ops;
    self->http = vgpu_etcd_http_new(options);
    self->user = g_strdup(options->user);
    self->password = g_strdup(options->password ? options->password : "");
    self->answer = g_string_new(NULL);
    return &self->base;
}
