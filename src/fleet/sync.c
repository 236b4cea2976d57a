/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/sync.h"

#include "base/error.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/reserve.h"

struct VgpuSync {
    VgpuStore *store;
    char *host;
    gint64 lease, old_lease; /* 0: none */
    GHashTable *written;     /* key → value, under the lease */
    gint64 summary_changed;  /* revision of our summary; 0: it is not there */
};

VgpuSync *
vgpu_sync_new(VgpuStore *store, const char *host)
{
    VgpuSync *self = g_new0(VgpuSync, 1);

    self->store = store;
    self->host = g_strdup(host);
    self->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_sync_free(VgpuSync *self)
{
    if (!self)
        return;
    g_free(self->host);
    g_hash_table_unref(self->written);
    g_free(self);
}

/* Everything is written again, under another lease. */
static void
start_over(VgpuSync *self)
{
    if (self->lease)
        self->old_lease = self->lease;
    self->lease = self->summary_changed = 0;
    g_hash_table_remove_all(self->written);
}

void
vgpu_sync_leave(VgpuSync *self)
{
    if (self->lease)
        (void) !vgpu_store_lease_revoke(self->store, self->lease, NULL);
    self->lease = self->summary_changed = 0;
    g_hash_table_remove_all(self->written);
}

/* key → value, all that is to be there. */
static GHashTable *
wanted(const VgpuSync *self, const VgpuSummary *summary, GHashTable *fits, GError **error)
{
    g_autoptr(GHashTable) out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    char *text = vgpu_summary_encode(summary, error);
    GHashTableIter iter;
    gpointer profile, fit;

    if (!text)
        return NULL;
    g_hash_table_insert(out, vgpu_key_host(self->host), text);
    if (summary->state != VGPU_SUMMARY_ACTIVE)
        return g_steal_pointer(&out);
    g_hash_table_iter_init(&iter, fits);
    while (g_hash_table_iter_next(&iter, &profile, &fit)) {
        if (((VgpuFit *) fit)->available == 0)
            continue;
        if (!(text = vgpu_fit_encode(fit, error)))
            return NULL;
        g_hash_table_insert(out, vgpu_key_fit(profile, self->host), text);
    }
    return g_steal_pointer(&out);
}

/* The difference to what is written, as far as it fits into one transaction; the summary first, since its revision
 * is the condition for all that follows. */
static VgpuTxn *
difference(const VgpuSync *self, GHashTable *all)
{
    g_autofree char *summary = vgpu_key_host(self->host);
    VgpuTxn *txn = vgpu_txn_new();
    GHashTableIter iter;
    gpointer key, value = g_hash_table_lookup(all, summary);

    if (g_strcmp0(g_hash_table_lookup(self->written, summary), value) != 0)
        vgpu_txn_put(txn, summary, value, self->lease);
    g_hash_table_iter_init(&iter, self->written);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_hash_table_contains(all, key) && txn->changes->len < VGPU_TXN_MAX)
            vgpu_txn_delete(txn, key);
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_str_equal(key, summary) && txn->changes->len < VGPU_TXN_MAX &&
            g_strcmp0(g_hash_table_lookup(self->written, key), value) != 0)
            vgpu_txn_put(txn, key, value, self->lease);
    if (txn->changes->len)
        vgpu_txn_require(txn, VGPU_COND_UNCHANGED, summary, self->summary_changed);
    return txn;
}

static void
note_written(VgpuSync *self, const VgpuTxn *txn, GHashTable *all, gint64 revision)
{
    g_autofree char *summary = vgpu_key_host(self->host);

    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        if (g_str_equal(change->key, summary))
            self->summary_changed = revision;
        if (change->value)
            g_hash_table_replace(self->written, g_strdup(change->key),
                                 g_strdup(g_hash_table_lookup(all, change->key)));
        else
            g_hash_table_remove(self->written, change->key);
    }
}

/* All its keys go with it; it may have ended already. */
static bool
end_lease(VgpuSync *self, gint64 lease, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!lease || vgpu_store_lease_revoke(self->store, lease, &why) ||
        g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* Begin with a host that is not there: what an agent before us, or a lost transaction of ours, has
 * published goes with its lease, and nothing can be added to it any more. */
static bool
begin(VgpuSync *self, GError **error)
{
    g_autofree char *key = vgpu_key_host(self->host);
    g_autoptr(VgpuStoreItem) summary = NULL;

    if (!end_lease(self, self->old_lease, error))
        return false;
    self->old_lease = 0;
    return vgpu_store_get(self->store, key, &summary, error) &&
           end_lease(self, summary ? summary->lease : 0, error) &&
           vgpu_store_lease_grant(self->store, VGPU_SYNC_TTL, &self->lease, error);
}

static bool
write_all(VgpuSync *self, GHashTable *all, GError **error)
{
    for (;;) {
        g_autoptr(VgpuTxn) txn = difference(self, all);
        g_autoptr(GError) why = NULL;
        VgpuStoreOutcome outcome = { 0 };

        if (txn->changes->len == 0)
            return true;
        if (vgpu_store_txn(self->store, txn, &outcome, &why) && !outcome.done)
            vgpu_error_set(&why, VGPU_ERROR_BUSY, "another agent has published host %s",
                           self->host);
        if (why) {
            if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNKNOWN) ||
                g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND) ||
                g_error_matches(why, VGPU_ERROR, VGPU_ERROR_BUSY))
                start_over(self);
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        note_written(self, txn, all, outcome.revision);
    }
}

bool
vgpu_sync_publish(VgpuSync *self, const VgpuSummary *summary, GHashTable *fits, GError **error)
{
    g_autoptr(GHashTable) all = wanted(self, summary, fits, error);

    return all && (self->lease || begin(self, error)) && write_all(self, all, error);
}

bool
vgpu_sync_keep(VgpuSync *self, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!self->lease || vgpu_store_lease_keep(self->store, self->lease, &why))
        return true;
    if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        start_over(self);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* --- domains ---------------------------------------------------------------------------------- */

/* One more condition: our summary is that of our last publication. So what comes late, after the host was published
 * again, is refused. */
static bool
commit(VgpuSync *self, VgpuTxn *txn, GError **error)
{
    g_autofree char *summary = vgpu_key_host(self->host);
    g_autoptr(GError) why = NULL;
    VgpuStoreOutcome outcome;

    vgpu_txn_require(txn, VGPU_COND_UNCHANGED, summary, self->summary_changed);
    if (vgpu_store_txn(self->store, txn, &outcome, &why))
        return true; /* what was refused is looked at again next time */
    if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNKNOWN))
        start_over(self);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static VgpuTxn *
tidy(const VgpuSync *self, const char *domain, gint64 changed)
{
    g_autofree char *on = vgpu_key_on(self->host, domain), *key = vgpu_key_domain(domain);
    VgpuTxn *txn = vgpu_txn_new();

    vgpu_txn_require(txn, VGPU_COND_UNCHANGED, key, changed);
    vgpu_txn_delete(txn, on);
    return txn;
}

static bool
sync_domain(VgpuSync *self, const char *domain, const VgpuHolding *local, VgpuSyncReport report,
            gpointer data, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    g_autoptr(VgpuTxn) txn = NULL;
    VgpuTruth truth;
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(self->store, domain, &now, &changed, &is_valid, error))
        return false;
    truth = vgpu_truth_next(self->host, local, now, is_valid);
    if ((truth == VGPU_TRUTH_CONFLICT || truth == VGPU_TRUTH_TAKE_OVER) && report)
        report(truth, local, now, data);
    switch (truth) {
    case VGPU_TRUTH_PUT:
    case VGPU_TRUTH_TAKE_OVER:
        txn = vgpu_reserve_run(local, now, changed);
        break;
    case VGPU_TRUTH_END:
        txn = vgpu_reserve_end(now, changed);
        break;
    case VGPU_TRUTH_TIDY:
        txn = tidy(self, domain, changed);
        break;
    case VGPU_TRUTH_NOTHING:
    case VGPU_TRUTH_CONFLICT:
    default:
        return true;
    }
    return commit(self, txn, error);
}

bool
vgpu_sync_domains(VgpuSync *self, GHashTable *local, VgpuSyncReport report, gpointer data,
                  GError **error)
{
    g_autofree char *prefix = vgpu_key_on(self->host, NULL);
    g_autoptr(VgpuStoreList) list = NULL;
    GHashTableIter iter;
    gpointer domain, holding;

    if (!self->summary_changed)
        return vgpu_error_set(error, VGPU_ERROR_UNAVAILABLE, "the host is not in the fleet yet");
    if (!(list = vgpu_store_list(self->store, prefix, NULL, 0, error)))
        return false;
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        const char *name = vgpu_key_last(item->key);

        if (!g_hash_table_contains(local, name) &&
            !sync_domain(self, name, NULL, report, data, error))
            return false;
    }
    g_hash_table_iter_init(&iter, local);
    while (g_hash_table_iter_next(&iter, &domain, &holding))
        if (!sync_domain(self, domain, holding, report, data, error))
            return false;
    return true;
}
