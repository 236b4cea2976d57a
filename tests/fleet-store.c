/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-store URL VERB [ARGUMENT...]: reads and changes what hosts share in an etcd, for shell tests */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/details.h"
#include "fleet/etcd.h"
#include "fleet/key.h"
#include "fleet/planner.h"

typedef struct {
    VgpuStore *store;
    char **arguments; /* all of them are there */
    GError **error;
} Call;

static char *
full(const char *key)
{
    return g_strconcat(VGPU_KEY_ROOT, key, NULL);
}

/* PREFIX: "KEY VALUE" a line */
static bool
list(const Call *call)
{
    g_autofree char *prefix = full(call->arguments[0]);
    g_autoptr(VgpuStoreList) all = vgpu_store_list(call->store, prefix, NULL, 0, call->error);

    for (guint i = 0; all && i < all->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(all->items, i);
        g_autofree char *text = vgpu_store_item_text(item);

        printf("%s %s\n", item->key + strlen(VGPU_KEY_ROOT), text ? text : "(bytes)");
    }
    return all != NULL;
}

static bool
write_one(const Call *call, const char *value)
{
    g_autofree char *key = full(call->arguments[0]);
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome;

    if (value)
        vgpu_txn_put(txn, key, value, 0);
    else
        vgpu_txn_delete(txn, key);
    return vgpu_store_txn(call->store, txn, &outcome, call->error);
}

/* KEY VALUE */
static bool
put(const Call *call)
{
    return write_one(call, call->arguments[1]);
}

/* KEY */
static bool
drop(const Call *call)
{
    return write_one(call, NULL);
}

/* KEY: as the bytes of details/HOST are written */
static bool
details(const Call *call)
{
    g_autofree char *key = full(call->arguments[0]), *text = NULL;
    g_autoptr(VgpuStoreItem) item = NULL;

    if (!vgpu_store_get(call->store, key, &item, call->error))
        return false;
    text = item ? vgpu_details_decode(item->value) : NULL;
    printf("%s\n", text ? text : "");
    return true;
}

/* KEY: what is under the same lease goes with it */
static bool
end_lease(const Call *call)
{
    g_autofree char *key = full(call->arguments[0]);
    g_autoptr(VgpuStoreItem) item = NULL;

    return vgpu_store_get(call->store, key, &item, call->error) &&
           (!item || vgpu_store_lease_revoke(call->store, item->lease, call->error));
}

/* DOMAIN PROFILE: prints its host */
static bool
reserve(const Call *call)
{
    g_autoptr(VgpuHolding) wanted =
        vgpu_holding_new(call->arguments[0], "", VGPU_HOLDING_RESERVED);
    const VgpuAsk ask = { .holding = wanted };
    const VgpuPlannerOptions options = { .by = "test",
                                         .now = g_get_real_time() / G_USEC_PER_SEC };
    g_autoptr(VgpuHolding) holding = NULL;

    vgpu_holding_add(wanted, call->arguments[1], 1, 0);
    holding = vgpu_planner_reserve(call->store, &ask, &options, call->error);
    if (holding)
        printf("%s\n", holding->host);
    return holding != NULL;
}

/* DOMAIN */
static bool
release(const Call *call)
{
    return vgpu_planner_release(call->store, call->arguments[0], call->error);
}

static const struct {
    const char *name;
    int arguments;
    bool (*func)(const Call *call);
} verbs[] = {
    { "list", 1, list },       { "put", 2, put },          { "delete", 1, drop },
    { "details", 1, details }, { "revoke", 1, end_lease }, { "reserve", 2, reserve },
    { "release", 1, release },
};

int
main(int argc, char **argv)
{
    char *endpoints[] = { argc > 2 ? argv[1] : NULL, NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuStore) store = NULL;

    for (gsize i = 0; argc > 2 && i < G_N_ELEMENTS(verbs); i++) {
        if (!g_str_equal(argv[2], verbs[i].name) || argc != 3 + verbs[i].arguments)
            continue;
        store = vgpu_etcd_open(&(VgpuEtcdOptions) { .endpoints = endpoints }, &error);
        if (store && verbs[i].func(&(Call) { store, argv + 3, &error }))
            return EXIT_SUCCESS;
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    fprintf(stderr, "usage: fleet-store URL VERB ARGUMENT..., see tests/fleet-store.c\n");
    return 2;
}
