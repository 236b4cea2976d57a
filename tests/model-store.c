/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model-store.h"

#include <string.h>

#include "base/error.h"

/* etcd grants no shorter ones: one and a half times the longest time of an election, rounded up */
#define MIN_TTL 2

typedef struct {
    gint64 id, ttl, end;
} Lease;

typedef struct {
    VgpuStoreEventKind kind;
    gint64 revision;
    VgpuStoreItem *item; /* of VGPU_STORE_DELETED without a value */
} Change;

struct Model {
    guint64 random;
    gint64 now, revision, compacted;
    GTree *items;       /* key → VgpuStoreItem */
    GHashTable *leases; /* &id → Lease */
    GPtrArray *history; /* of Change */
    GPtrArray *watches; /* of Watch, borrowed */
    GPtrArray *late;    /* of VgpuTxn */
    gint64 last_lease;
    void (*between)(gpointer); /* NULL: nothing happens */
    gpointer between_data;
};

typedef struct {
    VgpuStore base;
    Model *model;
    ModelFaults faults;
} Client;

typedef struct {
    VgpuStoreWatch base;
    Client *client;
    char *prefix;
    gint64 next; /* revision */
    bool ended;
    VgpuStoreWatchFunc func;
    gpointer data;
} Watch;

static void
free_change(gpointer data)
{
    Change *change = data;

    vgpu_store_item_free(change->item);
    g_free(change);
}

static int
compare_keys(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
    return strcmp(a, b);
}

Model *
model_new(guint64 seed)
{
    Model *self = g_new0(Model, 1);

    self->random = seed * 2654435769U + 88172645463325252U;
    self->revision = 1;
    self->items =
        g_tree_new_full(compare_keys, NULL, NULL, (GDestroyNotify) vgpu_store_item_free);
    self->leases = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    self->history = g_ptr_array_new_with_free_func(free_change);
    self->watches = g_ptr_array_new();
    self->late = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_txn_free);
    return self;
}

void
model_free(Model *self)
{
    if (!self)
        return;
    g_assert(self->watches->len == 0);
    g_tree_unref(self->items);
    g_hash_table_unref(self->leases);
    g_ptr_array_unref(self->history);
    g_ptr_array_unref(self->watches);
    g_ptr_array_unref(self->late);
    g_free(self);
}

/* xorshift64* */
guint
model_draw(Model *self, guint n)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (guint) ((self->random * 2685821657736338717U) >> 33) % n;
}

gint64
model_now(const Model *self)
{
    return self->now;
}

gint64
model_revision(const Model *self)
{
    return self->revision;
}

ModelFaults *
model_faults(VgpuStore *client)
{
    return &((Client *) client)->faults;
}

/* --- state ------------------------------------------------------------------------------------ */

static VgpuStoreItem *
copy_item(const VgpuStoreItem *item)
{
    VgpuStoreItem *copy = g_memdup2(item, sizeof(*item));

    copy->key = g_strdup(item->key);
    copy->value = item->value ? g_bytes_ref(item->value) : NULL;
    return copy;
}

static void
record(Model *self, VgpuStoreEventKind kind, VgpuStoreItem *item)
{
    Change *change = g_new0(Change, 1);

    *change = (Change) { kind, self->revision, item };
    g_ptr_array_add(self->history, change);
}

static bool
delete_key(Model *self, const char *key)
{
    VgpuStoreItem *gone;

    if (!g_tree_lookup(self->items, key))
        return false;
    gone = g_new0(VgpuStoreItem, 1);
    gone->key = g_strdup(key);
    g_tree_remove(self->items, key);
    record(self, VGPU_STORE_DELETED, gone);
    return true;
}

static void
put_key(Model *self, const VgpuChange *change)
{
    const VgpuStoreItem *old = g_tree_lookup(self->items, change->key);
    VgpuStoreItem *item = g_new0(VgpuStoreItem, 1);

    item->key = g_strdup(change->key);
    item->value = g_bytes_ref(change->value);
    item->created = old ? old->created : self->revision;
    item->changed = self->revision;
    item->lease = change->lease;
    g_tree_replace(self->items, item->key, item);
    record(self, VGPU_STORE_PUT, copy_item(item));
}

/* The keys of a lease, in one revision. */
static void
end_lease(Model *self, Lease *lease)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

    for (GTreeNode *node = g_tree_node_first(self->items); node; node = g_tree_node_next(node)) {
        const VgpuStoreItem *item = g_tree_node_value(node);

        if (item->lease == lease->id)
            g_ptr_array_add(keys, g_strdup(item->key));
    }
    if (keys->len)
        self->revision++;
    for (guint i = 0; i < keys->len; i++)
        delete_key(self, g_ptr_array_index(keys, i));
    g_hash_table_remove(self->leases, &lease->id);
}

static bool
holds(Model *self, const VgpuCond *cond)
{
    const VgpuStoreItem *item;

    if (cond->kind == VGPU_COND_NONE_SINCE) {
        GTreeNode *node = g_tree_lower_bound(self->items, cond->key);

        for (; node && g_str_has_prefix(g_tree_node_key(node), cond->key);
             node = g_tree_node_next(node))
            if (((VgpuStoreItem *) g_tree_node_value(node))->changed > cond->revision)
                return false;
        return true;
    }
    item = g_tree_lookup(self->items, cond->key);
    if (cond->kind == VGPU_COND_UNCHANGED)
        return (item ? item->changed : 0) == cond->revision;
    return (cond->kind == VGPU_COND_EXISTS) == (item != NULL);
}

static bool
has_leases(Model *self, const VgpuTxn *txn)
{
    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        if (change->lease && !g_hash_table_lookup(self->leases, &change->lease))
            return false;
    }
    return true;
}

static bool
apply(Model *self, const VgpuTxn *txn, VgpuStoreOutcome *outcome, GError **error)
{
    bool changes = false;

    *outcome = (VgpuStoreOutcome) { false, self->revision };
    for (guint i = 0; i < txn->conds->len; i++)
        if (!holds(self, &g_array_index(txn->conds, VgpuCond, i)))
            return true;
    if (!has_leases(self, txn))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "the lease has ended");
    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        changes |= change->value || g_tree_lookup(self->items, change->key);
    }
    self->revision += changes;
    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        if (change->value)
            put_key(self, change);
        else
            delete_key(self, change->key);
    }
    *outcome = (VgpuStoreOutcome) { true, self->revision };
    return true;
}

void
model_compact(Model *self)
{
    self->compacted = self->revision;
    g_ptr_array_set_size(self->history, 0);
}

void
model_each(const Model *self, const char *prefix, void (*func)(const VgpuStoreItem *, gpointer),
           gpointer data)
{
    GTreeNode *node = g_tree_lower_bound(self->items, prefix);

    for (; node && g_str_has_prefix(g_tree_node_key(node), prefix); node = g_tree_node_next(node))
        func(g_tree_node_value(node), data);
}

const VgpuStoreItem *
model_get(const Model *self, const char *key)
{
    return g_tree_lookup(self->items, key);
}

void
model_advance(Model *self, guint seconds)
{
    g_autoptr(GList) leases = NULL;

    self->now += seconds;
    for (guint i = 0; i < self->late->len;) {
        VgpuStoreOutcome outcome;

        if (seconds == 0 && model_draw(self, 2)) {
            i++;
            continue;
        }
        g_autoptr(VgpuTxn) txn = g_ptr_array_steal_index(self->late, i);
        (void) !apply(self, txn, &outcome, NULL);
    }
    leases = g_hash_table_get_values(self->leases);
    for (GList *node = leases; node; node = node->next)
        if (((Lease *) node->data)->end <= self->now)
            end_lease(self, node->data);
}

/* --- client ----------------------------------------------------------------------------------- */

static bool
chance(Client *self, guint of_1000)
{
    return of_1000 && model_draw(self->model, 1000) < of_1000;
}

static bool
arrives(Client *self, GError **error)
{
    if (self->faults.away || chance(self, self->faults.lost_request))
        return vgpu_error_set(error, VGPU_ERROR_UNAVAILABLE, "no answer");
    return true;
}

static bool
client_get(VgpuStore *store, const char *key, VgpuStoreItem **item, GError **error)
{
    Client *self = (Client *) store;
    const VgpuStoreItem *found = g_tree_lookup(self->model->items, key);

    if (!arrives(self, error))
        return false;
    *item = found ? copy_item(found) : NULL;
    return true;
}

static VgpuStoreList *
client_list(VgpuStore *store, const char *prefix, const char *from, guint max, GError **error)
{
    Client *self = (Client *) store;
    VgpuStoreList *list;
    const char *first = from && strcmp(from, prefix) > 0 ? from : prefix;

    if (!arrives(self, error))
        return NULL;
    list = g_new0(VgpuStoreList, 1);
    list->items = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_store_item_free);
    list->revision = self->model->revision;
    for (GTreeNode *node = g_tree_lower_bound(self->model->items, first);
         node && g_str_has_prefix(g_tree_node_key(node), prefix); node = g_tree_node_next(node)) {
        if (max && list->items->len == max) {
            list->more = true;
            break;
        }
        g_ptr_array_add(list->items, copy_item(g_tree_node_value(node)));
    }
    return list;
}

static VgpuTxn *
copy_txn(const VgpuTxn *txn)
{
    VgpuTxn *copy = vgpu_txn_new();

    for (guint i = 0; i < txn->conds->len; i++) {
        const VgpuCond *cond = &g_array_index(txn->conds, VgpuCond, i);

        vgpu_txn_require(copy, cond->kind, cond->key, cond->revision);
    }
    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        if (change->value)
            vgpu_txn_put_bytes(copy, change->key, change->value, change->lease);
        else
            vgpu_txn_delete(copy, change->key);
    }
    return copy;
}

static bool
puts_anything(const VgpuTxn *txn)
{
    for (guint i = 0; i < txn->changes->len; i++)
        if (g_array_index(txn->changes, VgpuChange, i).value)
            return true;
    return false;
}

void
model_between(Model *self, void (*func)(gpointer), gpointer data)
{
    self->between = func;
    self->between_data = data;
}

static void
let_others(Model *self)
{
    void (*func)(gpointer) = self->between;

    if (!func)
        return;
    self->between = NULL;
    func(self->between_data);
    self->between = func;
}

static bool
client_txn(VgpuStore *store, const VgpuTxn *txn, VgpuStoreOutcome *outcome, GError **error)
{
    Client *self = (Client *) store;
    VgpuStoreOutcome result;

    let_others(self->model);
    if (!arrives(self, error))
        return false;
    if (self->faults.full && puts_anything(txn))
        return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY, "the store has no space");
    if (chance(self, self->faults.late)) {
        g_ptr_array_add(self->model->late, copy_txn(txn));
        return vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "no answer in time");
    }
    if (!apply(self->model, txn, &result, error))
        return false;
    if (chance(self, self->faults.lost_answer))
        return vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "no answer in time");
    *outcome = result;
    return true;
}

static bool
client_lease(VgpuStore *store, VgpuLeaseVerb verb, gint64 *id, guint ttl, GError **error)
{
    Client *self = (Client *) store;
    Model *model = self->model;
    Lease *lease;

    if (!arrives(self, error))
        return false;
    if (verb == VGPU_LEASE_GRANT) {
        if (self->faults.full)
            return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY, "the store has no space");
        lease = g_new0(Lease, 1);
        lease->id = ++model->last_lease;
        lease->ttl = MAX(ttl, MIN_TTL);
        lease->end = model->now + lease->ttl;
        g_hash_table_insert(model->leases, &lease->id, lease);
        if (chance(self, self->faults.lost_answer))
            return vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "no answer in time");
        *id = lease->id;
        return true;
    }
    if (!(lease = g_hash_table_lookup(model->leases, id)))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "the lease has ended");
    if (verb == VGPU_LEASE_KEEP)
        lease->end = model->now + lease->ttl;
    else
        end_lease(model, lease);
    if (chance(self, self->faults.lost_answer))
        return vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "no answer in time");
    return true;
}

/* --- watches ---------------------------------------------------------------------------------- */

static void
end_watch(VgpuStoreWatch *base)
{
    Watch *self = (Watch *) base;

    g_ptr_array_remove(self->client->model->watches, self);
    g_free(self->prefix);
    g_free(self);
}

static VgpuStoreWatch *
client_watch(VgpuStore *store, const char *prefix, gint64 from, VgpuStoreWatchFunc func,
             gpointer data)
{
    Client *client = (Client *) store;
    Watch *self = g_new0(Watch, 1);

    self->base.end = end_watch;
    self->client = client;
    self->prefix = g_strdup(prefix);
    self->next = from ? from : client->model->revision + 1;
    self->func = func;
    self->data = data;
    g_ptr_array_add(client->model->watches, self);
    return &self->base;
}

static void
finish(Watch *self, VgpuStoreEventKind kind, gint64 revision)
{
    VgpuStoreEvent event = { .kind = kind, .revision = revision };

    self->ended = true;
    self->func(&event, self->data);
}

static guint
first_change(const Model *model, gint64 revision)
{
    guint low = 0, high = model->history->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (((Change *) g_ptr_array_index(model->history, middle))->revision < revision)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next revision with a change of its keys; false: there is none. */
static bool
deliver(Watch *self)
{
    Model *model = self->client->model;
    gint64 revision = 0;

    if (self->ended)
        return false;
    if (self->client->faults.away) {
        finish(self, VGPU_STORE_LOST, 0);
        return true;
    }
    if (self->next < model->compacted) {
        finish(self, VGPU_STORE_COMPACTED, model->compacted);
        return true;
    }
    for (guint i = first_change(model, self->next); i < model->history->len; i++) {
        const Change *change = g_ptr_array_index(model->history, i);
        VgpuStoreEvent event = { change->kind, change->revision, change->item->key,
                                 change->kind == VGPU_STORE_PUT ? change->item : NULL };

        if (revision && change->revision != revision)
            break;
        self->next = change->revision + 1;
        if (!g_str_has_prefix(change->item->key, self->prefix))
            continue;
        revision = change->revision;
        self->func(&event, self->data);
    }
    return revision != 0;
}

bool
model_deliver(Model *self)
{
    guint n = self->watches->len;
    guint start = n ? model_draw(self, n) : 0;

    for (guint i = 0; i < n; i++)
        if (deliver(g_ptr_array_index(self->watches, (start + i) % n)))
            return true;
    return false;
}

static void
client_close(VgpuStore *store)
{
    g_free(store);
}

static const VgpuStoreOps ops = {
    .get = client_get,
    .list = client_list,
    .txn = client_txn,
    .lease = client_lease,
    .watch = client_watch,
    .close = client_close,
};

VgpuStore *
model_open(Model *self)
{
    Client *client = g_new0(Client, 1);

    client->base.ops = &ops;
    client->model = self;
    return &client->base;
}
