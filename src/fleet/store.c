/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/store.h"

#include <string.h>

#include "base/error.h"

void
vgpu_store_item_free(VgpuStoreItem *self)
{
    if (!self)
        return;
    g_free(self->key);
    g_clear_pointer(&self->value, g_bytes_unref);
    g_free(self);
}

void
vgpu_store_list_free(VgpuStoreList *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->items);
    g_free(self);
}

char *
vgpu_store_item_text(const VgpuStoreItem *self)
{
    gsize size;
    const char *data = g_bytes_get_data(self->value, &size);

    return size == 0                                    ? g_strdup("")
           : g_utf8_validate(data, (gssize) size, NULL) ? g_strndup(data, size)
                                                        : NULL;
}

static bool
check_key(const char *key, GError **error)
{
    gsize len = strlen(key);

    if (len == 0 || len > VGPU_STORE_KEY_MAX)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "a key of the fleet has %" G_GSIZE_FORMAT
                              " characters, it must have 1 to %d",
                              len, VGPU_STORE_KEY_MAX);
    for (const char *c = key; *c; c++)
        if (!g_ascii_isgraph(*c))
            return vgpu_error_set(
                error, VGPU_ERROR_BAD_REQUEST,
                "a key of the fleet has a character other than printable ASCII");
    return true;
}

static bool
check_change(const VgpuChange *change, gsize *total, GError **error)
{
    gsize size = change->value ? g_bytes_get_size(change->value) : 0;

    if (!check_key(change->key, error))
        return false;
    if (size > VGPU_STORE_VALUE_MAX)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "%s: the value has %" G_GSIZE_FORMAT " bytes, %d at most",
                              change->key, size, VGPU_STORE_VALUE_MAX);
    *total += size + strlen(change->key);
    return true;
}

static bool
check_txn(const VgpuTxn *txn, GError **error)
{
    gsize total = 0;

    if (txn->conds->len > VGPU_TXN_MAX || txn->changes->len > VGPU_TXN_MAX)
        return vgpu_error_set(
            error, VGPU_ERROR_BAD_REQUEST,
            "a transaction has %u conditions and %u changes, %d of each at most", txn->conds->len,
            txn->changes->len, VGPU_TXN_MAX);
    for (guint i = 0; i < txn->conds->len; i++)
        if (!check_key(g_array_index(txn->conds, VgpuCond, i).key, error))
            return false;
    for (guint i = 0; i < txn->changes->len; i++)
        if (!check_change(&g_array_index(txn->changes, VgpuChange, i), &total, error))
            return false;
    if (total > VGPU_STORE_TXN_MAX)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "a transaction has %" G_GSIZE_FORMAT " bytes, %d at most", total,
                              VGPU_STORE_TXN_MAX);
    return true;
}

bool
vgpu_store_get(VgpuStore *self, const char *key, VgpuStoreItem **item, GError **error)
{
    return check_key(key, error) && self->ops->get(self, key, item, error);
}

VgpuStoreList *
vgpu_store_list(VgpuStore *self, const char *prefix, const char *from, guint max, GError **error)
{
    if (!check_key(prefix, error) || (from && !check_key(from, error)))
        return NULL;
    return self->ops->list(self, prefix, from, max, error);
}

bool
vgpu_store_txn(VgpuStore *self, const VgpuTxn *txn, VgpuStoreOutcome *outcome, GError **error)
{
    return check_txn(txn, error) && self->ops->txn(self, txn, outcome, error);
}

bool
vgpu_store_lease_grant(VgpuStore *self, guint ttl, gint64 *id, GError **error)
{
    return self->ops->lease(self, VGPU_LEASE_GRANT, id, ttl, error);
}

bool
vgpu_store_lease_keep(VgpuStore *self, gint64 id, GError **error)
{
    return self->ops->lease(self, VGPU_LEASE_KEEP, &id, 0, error);
}

bool
vgpu_store_lease_revoke(VgpuStore *self, gint64 id, GError **error)
{
    return self->ops->lease(self, VGPU_LEASE_REVOKE, &id, 0, error);
}

VgpuStoreWatch *
vgpu_store_watch(VgpuStore *self, const char *prefix, gint64 from, VgpuStoreWatchFunc func,
                 gpointer data)
{
    return self->ops->watch(self, prefix, from, func, data);
}

void
vgpu_store_watch_end(VgpuStoreWatch *self)
{
    if (self)
        self->end(self);
}

void
vgpu_store_close(VgpuStore *self)
{
    if (self)
        self->ops->close(self);
}
