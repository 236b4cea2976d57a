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
    self->lease = 0;
    g_hash_table_remove_all(self->written);
}

void
vgpu_sync_leave(VgpuSync *self)
{
    if (self->lease)
        (void) !vgpu_store_lease_revoke(self->store, self->lease, NULL);
    self->lease = 0;
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

/* The difference to what is written, as far as it fits into one transaction. */
static VgpuTxn *
difference(const VgpuSync *self, GHashTable *all)
{
    VgpuTxn *txn = vgpu_txn_new();
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, self->written);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_hash_table_contains(all, key) && txn->changes->len < VGPU_TXN_MAX)
            vgpu_txn_delete(txn, key);
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_strcmp0(g_hash_table_lookup(self->written, key), value) != 0 &&
            txn->changes->len < VGPU_TXN_MAX)
            vgpu_txn_put(txn, key, value, self->lease);
    return txn;
}

static void
note_written(VgpuSync *self, const VgpuTxn *txn, GHashTable *all)
{
    for (guint i = 0; i < txn->changes->len; i++) {
        const VgpuChange *change = &g_array_index(txn->changes, VgpuChange, i);

        if (change->value)
            g_hash_table_replace(self->written, g_strdup(change->key),
                                 g_strdup(g_hash_table_lookup(all, change->key)));
        else
            g_hash_table_remove(self->written, change->key);
    }
}

/* Keys that are no longer published go with it; it may have ended already. */
static bool
end_old_lease(VgpuSync *self, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!self->old_lease)
        return true;
    if (!vgpu_store_lease_revoke(self->store, self->old_lease, &why) &&
        !g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    self->old_lease = 0;
    return true;
}

static bool
write_all(VgpuSync *self, GHashTable *all, GError **error)
{
    for (;;) {
        g_autoptr(VgpuTxn) txn = difference(self, all);
        g_autoptr(GError) why = NULL;
        VgpuStoreOutcome outcome;

        if (txn->changes->len == 0)
            return true;
        if (!vgpu_store_txn(self->store, txn, &outcome, &why)) {
            if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNKNOWN) ||
                g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
                start_over(self);
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        note_written(self, txn, all);
    }
}

bool
vgpu_sync_publish(VgpuSync *self, const VgpuSummary *summary, GHashTable *fits, GError **error)
{
    g_autoptr(GHashTable) all = wanted(self, summary, fits, error);

    if (!all)
        return false;
    /* first, so that a late transaction does not write over what comes now */
    if (!end_old_lease(self, error))
        return false;
    if (!self->lease && !vgpu_store_lease_grant(self->store, VGPU_SYNC_TTL, &self->lease, error))
        return false;
    return write_all(self, all, error);
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

static bool
tidy(VgpuSync *self, const char *domain, GError **error)
{
    g_autofree char *key = vgpu_key_on(self->host, domain), *domains = vgpu_key_domain(domain);
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    g_autoptr(VgpuHolding) now = NULL;
    VgpuStoreOutcome outcome;
    gint64 changed;
    bool is_valid;

    /* under the condition that it is still elsewhere */
    if (!vgpu_planner_domain(self->store, domain, &now, &changed, &is_valid, error))
        return false;
    if (now && g_str_equal(now->host, self->host))
        return true;
    vgpu_txn_require(txn, VGPU_COND_UNCHANGED, domains, changed);
    vgpu_txn_delete(txn, key);
    return vgpu_store_txn(self->store, txn, &outcome, error);
}

static bool
sync_domain(VgpuSync *self, const char *domain, const VgpuHolding *local, VgpuSyncReport report,
            gpointer data, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    g_autoptr(VgpuTxn) txn = NULL;
    VgpuStoreOutcome outcome;
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
        return tidy(self, domain, error);
    case VGPU_TRUTH_NOTHING:
    case VGPU_TRUTH_CONFLICT:
    default:
        return true;
    }
    return vgpu_store_txn(self->store, txn, &outcome,
                          error); /* refused: looked at again next time */
}

bool
vgpu_sync_domains(VgpuSync *self, GHashTable *local, VgpuSyncReport report, gpointer data,
                  GError **error)
{
    g_autofree char *prefix = vgpu_key_on(self->host, NULL);
    g_autoptr(VgpuStoreList) list = vgpu_store_list(self->store, prefix, NULL, 0, error);
    GHashTableIter iter;
    gpointer domain, holding;

    if (!list)
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
