/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/tenant.h"

#include "base/error.h"
#include "fleet/key.h"

#define TENANTS VGPU_KEY_ROOT "tenants/"
#define TRIES 5

/* @used grows by what @item says. */
static void
add(const VgpuStoreItem *item, VgpuQuota *used)
{
    g_autofree char *text = vgpu_store_item_text(item);
    VgpuQuota one;

    if (!text || !vgpu_quota_decode(text, &one))
        return;
    used->devices += one.devices;
    used->mib += one.mib;
}

/* *@found: there is a quota. */
static bool
read_quota(VgpuStore *store, const char *name, VgpuQuota *quota, bool *found, gint64 *changed,
           GError **error)
{
    g_autofree char *key = vgpu_key_quota(name), *text = NULL;
    g_autoptr(VgpuStoreItem) item = NULL;

    if (!vgpu_store_get(store, key, &item, error))
        return false;
    *found = item != NULL;
    *changed = item ? item->changed : 0;
    text = item ? vgpu_store_item_text(item) : NULL;
    if (item && (!text || !vgpu_quota_decode(text, quota)))
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "the quota of tenant '%s' is unreadable",
                              name);
    return true;
}

bool
vgpu_tenant_check(VgpuStore *store, const VgpuHolding *holding, gint64 *quota_changed,
                  gint64 *read, GError **error)
{
    VgpuQuota more = { vgpu_holding_count(holding), vgpu_holding_mib(holding) };
    VgpuQuota quota = { 0 }, used = { 0 };
    g_autofree char *prefix = NULL;
    g_autoptr(VgpuStoreList) list = NULL;
    bool found;

    if (!holding->tenant)
        return true;
    if (!read_quota(store, holding->tenant, &quota, &found, quota_changed, error))
        return false;
    prefix = vgpu_key_tenant(holding->tenant, NULL);
    if (!(list = vgpu_store_list(store, prefix, NULL, 0, error)))
        return false;
    *read = list->revision;
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);

        if (g_strcmp0(vgpu_key_last(item->key), holding->domain) != 0)
            add(item, &used);
    }
    return !found || vgpu_quota_check(&quota, holding->tenant, &used, &more, error);
}

/* --- all of them ------------------------------------------------------------------------------ */

void
vgpu_tenant_free(VgpuTenant *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self);
}

static VgpuTenant *
find(GPtrArray *tenants, GHashTable *by_name, const char *key)
{
    g_autofree char *name = vgpu_key_name(key);
    VgpuTenant *tenant = name ? g_hash_table_lookup(by_name, name) : NULL;

    if (name && !tenant) {
        tenant = g_new0(VgpuTenant, 1);
        tenant->name = g_steal_pointer(&name);
        g_ptr_array_add(tenants, tenant);
        g_hash_table_insert(by_name, tenant->name, tenant);
    }
    return tenant;
}

GPtrArray *
vgpu_tenant_list(VgpuStore *store, GError **error)
{
    g_autoptr(VgpuStoreList) quotas = vgpu_store_list(store, VGPU_KEY_QUOTAS, NULL, 0, error);
    g_autoptr(VgpuStoreList) used =
        quotas ? vgpu_store_list(store, TENANTS, NULL, 0, error) : NULL;
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) tenants =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_tenant_free);

    if (!used)
        return NULL;
    for (guint i = 0; i < quotas->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(quotas->items, i);
        g_autofree char *text = vgpu_store_item_text(item);
        VgpuTenant *tenant = find(tenants, by_name, item->key);

        if (tenant)
            tenant->is_limited = text && vgpu_quota_decode(text, &tenant->max);
    }
    for (guint i = 0; i < used->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(used->items, i);
        VgpuTenant *tenant = find(tenants, by_name, item->key);

        if (tenant)
            add(item, &tenant->used);
    }
    return g_steal_pointer(&tenants);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* Another one may change it meanwhile: then with what that has written. */
bool
vgpu_tenant_limit(VgpuStore *store, const char *name, const guint *devices, const guint64 *mib,
                  GError **error)
{
    g_autofree char *key = vgpu_key_quota(name);

    for (guint i = 0; i < TRIES; i++) {
        g_autoptr(VgpuTxn) txn = vgpu_txn_new();
        g_autofree char *text = NULL;
        VgpuStoreOutcome outcome = { 0 };
        VgpuQuota quota = { 0 };
        gint64 changed;
        bool found;

        if (!read_quota(store, name, &quota, &found, &changed, error))
            return false;
        if (devices)
            quota.devices = *devices;
        if (mib)
            quota.mib = *mib;
        text = vgpu_quota_encode(&quota);
        vgpu_txn_require(txn, VGPU_COND_UNCHANGED, key, changed);
        vgpu_txn_put(txn, key, text, 0);
        if (!vgpu_store_txn(store, txn, &outcome, error))
            return false;
        if (outcome.done)
            return true;
    }
    return vgpu_error_set(error, VGPU_ERROR_BUSY, "the quota of tenant '%s' changes all the time",
                          name);
}

bool
vgpu_tenant_unlimit(VgpuStore *store, const char *name, GError **error)
{
    g_autofree char *key = vgpu_key_quota(name);
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome = { 0 };

    vgpu_txn_require(txn, VGPU_COND_EXISTS, key, 0);
    vgpu_txn_delete(txn, key);
    if (!vgpu_store_txn(store, txn, &outcome, error))
        return false;
    if (!outcome.done)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "tenant '%s' has no quota", name);
    return true;
}
