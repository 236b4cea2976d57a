/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/reserve.h"

#include "fleet/key.h"
#include "fleet/quota.h"

/* vgpu_txn_require() for a key that was made for it. */
static void
require(VgpuTxn *txn, VgpuCondKind kind, char *key, gint64 revision)
{
    vgpu_txn_require(txn, kind, key, revision);
    g_free(key);
}

static void
put(VgpuTxn *txn, char *key, const char *value, gint64 lease)
{
    vgpu_txn_put(txn, key, value, lease);
    g_free(key);
}

static void
drop(VgpuTxn *txn, char *key)
{
    vgpu_txn_delete(txn, key);
    g_free(key);
}

/* Its value does not matter, its revision does. */
static void
change_gen(VgpuTxn *txn, const char *host)
{
    put(txn, vgpu_key_gen(host), "", 0);
}

static void
put_tenant(VgpuTxn *txn, const VgpuHolding *holding, gint64 lease)
{
    VgpuQuota used = { vgpu_holding_count(holding), vgpu_holding_mib(holding) };
    g_autofree char *text = vgpu_quota_encode(&used);

    if (holding->tenant)
        put(txn, vgpu_key_tenant(holding->tenant, holding->domain), text, lease);
}

static void
require_tenant(VgpuTxn *txn, const VgpuReservation *self)
{
    const VgpuHolding *holding = self->holding;

    if (!holding->tenant)
        return;
    require(txn, VGPU_COND_UNCHANGED, vgpu_key_quota(holding->tenant), self->quota_changed);
    require(txn, VGPU_COND_NONE_SINCE, vgpu_key_tenant(holding->tenant, NULL), self->tenant_read);
}

VgpuTxn *
vgpu_reserve_begin(const VgpuReservation *self)
{
    const VgpuHolding *holding = self->holding;
    g_autofree char *text = vgpu_holding_encode(holding);
    VgpuTxn *txn = vgpu_txn_new();

    require(txn, VGPU_COND_ABSENT, vgpu_key_domain(holding->domain), 0);
    require(txn, VGPU_COND_UNCHANGED, vgpu_key_gen(holding->host), self->gen_changed);
    require(txn, VGPU_COND_EXISTS, vgpu_key_host(holding->host), 0);
    for (guint i = 0; i < holding->wants->len; i++)
        require(txn, VGPU_COND_UNCHANGED,
                vgpu_key_fit(g_array_index(holding->wants, VgpuWant, i).profile, holding->host),
                self->fits_changed[i]);
    require_tenant(txn, self);
    put(txn, vgpu_key_domain(holding->domain), text, 0);
    put(txn, vgpu_key_on(holding->host, holding->domain), "", 0);
    put(txn, vgpu_key_resv(holding->host, holding->domain), text, self->lease);
    put_tenant(txn, holding, self->lease);
    change_gen(txn, holding->host);
    return txn;
}

VgpuRace
vgpu_reserve_race(const VgpuHolding *now, const char *id)
{
    if (!now)
        return VGPU_RACE_AGAIN;
    return g_strcmp0(now->id, id) == 0 ? VGPU_RACE_WON : VGPU_RACE_TAKEN;
}

static void
drop_domain(VgpuTxn *txn, const VgpuHolding *now)
{
    drop(txn, vgpu_key_domain(now->domain));
    drop(txn, vgpu_key_on(now->host, now->domain));
    drop(txn, vgpu_key_resv(now->host, now->domain));
    if (now->tenant)
        drop(txn, vgpu_key_tenant(now->tenant, now->domain));
}

VgpuTxn *
vgpu_reserve_end(const VgpuHolding *now, gint64 changed)
{
    VgpuTxn *txn = vgpu_txn_new();

    require(txn, VGPU_COND_UNCHANGED, vgpu_key_domain(now->domain), changed);
    drop_domain(txn, now);
    change_gen(txn, now->host);
    return txn;
}

VgpuTxn *
vgpu_reserve_release(const VgpuHolding *now, gint64 changed)
{
    g_autoptr(VgpuHolding) released = vgpu_holding_copy(now);
    VgpuTxn *txn = vgpu_txn_new();
    g_autofree char *text = NULL;

    g_clear_pointer(&released->id, g_free);
    text = vgpu_holding_encode(released);
    require(txn, VGPU_COND_UNCHANGED, vgpu_key_domain(now->domain), changed);
    put(txn, vgpu_key_domain(now->domain), text, 0);
    put(txn, vgpu_key_on(now->host, now->domain), "", 0); /* which its agent watches */
    return txn;
}

VgpuTxn *
vgpu_reserve_run(const VgpuHolding *local, const VgpuHolding *now, gint64 changed)
{
    g_autofree char *text = vgpu_holding_encode(local);
    VgpuTxn *txn = vgpu_txn_new();

    require(txn, VGPU_COND_UNCHANGED, vgpu_key_domain(local->domain), changed);
    if (now && !g_str_equal(now->host, local->host)) {
        drop(txn, vgpu_key_on(now->host, now->domain));
        drop(txn, vgpu_key_resv(now->host, now->domain));
    }
    if (now && now->tenant && g_strcmp0(now->tenant, local->tenant) != 0)
        drop(txn, vgpu_key_tenant(now->tenant, now->domain));
    put(txn, vgpu_key_domain(local->domain), text, 0);
    put(txn, vgpu_key_on(local->host, local->domain), "", 0);
    drop(txn, vgpu_key_resv(local->host, local->domain));
    put_tenant(txn, local, 0);
    change_gen(txn, local->host);
    return txn;
}

VgpuTxn *
vgpu_reserve_forget(const char *host, const VgpuHolding *const *domains, const gint64 *changed,
                    guint n)
{
    VgpuTxn *txn = vgpu_txn_new();

    require(txn, VGPU_COND_ABSENT, vgpu_key_host(host), 0);
    for (guint i = 0; i < n; i++) {
        require(txn, VGPU_COND_UNCHANGED, vgpu_key_domain(domains[i]->domain), changed[i]);
        drop_domain(txn, domains[i]);
    }
    change_gen(txn, host);
    return txn;
}
