/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-tool: what agents of hosts write into a real etcd, one call a process, for tests/test-fleet-verbs.sh
 *
 *   port                                             a free one of the loopback device
 *   URL wait                                         until etcd answers
 *   URL host UUID NAME STATE PROFILE N URI [POOL [LABEL]]  publish; STATE: active, draining or down
 *   URL leave UUID                                   its agent has gone
 *   URL domain UUID HOST STATE PROFILE [TENANT]      what it has there; STATE: running, saved or moving
 *   URL end UUID                                     it has ended
 *   URL agent HOST                                   end what is reserved there and was given up */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet/etcd.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/reserve.h"
#include "fleet/summary.h"

#define LEASE 3600 /* s: longer than any test */

static G_GNUC_NORETURN void
fail(const char *what, const GError *error)
{
    fprintf(stderr, "fleet-tool: %s: %s\n", what, error ? error->message : "refused");
    exit(1);
}

static void
commit(VgpuStore *store, const char *what, VgpuTxn *txn)
{
    g_autoptr(GError) error = NULL;
    VgpuStoreOutcome outcome = { 0 };

    if (!vgpu_store_txn(store, txn, &outcome, &error) || !outcome.done)
        fail(what, error);
    vgpu_txn_free(txn);
}

static void
print_port(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(any);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *) &any, len) != 0 ||
        getsockname(fd, (struct sockaddr *) &any, &len) != 0)
        fail("no port", NULL);
    printf("%u\n", ntohs(any.sin_port));
    close(fd);
}

static void
wait_for_store(VgpuStore *store)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 200; i++) {
        g_autoptr(VgpuStoreList) list = NULL;

        g_clear_error(&error);
        if ((list = vgpu_store_list(store, VGPU_KEY_ROOT, NULL, 1, &error)))
            return;
        g_usleep(50000);
    }
    fail("etcd", error);
}

static void
put(VgpuTxn *txn, char *key, const char *value, gint64 lease)
{
    vgpu_txn_put(txn, key, value, lease);
    g_free(key);
}

static VgpuSummaryState
state_of(const char *name)
{
    for (guint i = 0; i < VGPU_N_SUMMARY_STATES; i++)
        if (g_str_equal(vgpu_summary_state_name(i), name))
            return i;
    fail(name, NULL);
}

/* UUID NAME STATE PROFILE N URI [POOL [LABEL]] */
static void
publish(VgpuStore *store, char **args)
{
    guint n = (guint) g_ascii_strtoull(args[4], NULL, 10);
    const char *pools[] = { args[6] ? args[6] : "default", NULL };
    const char *labels[] = { args[6] ? args[7] : NULL, NULL };
    VgpuSummary summary = {
        .name = args[1],
        .uri = args[5],
        .state = state_of(args[2]),
        .epoch = 1,
        .driver = (char *) "550.90",
        .libvirt = (char *) "11.3.0",
        .fb_free_mib = (guint64) n * 4096,
        .fb_total_mib = 65536,
    };
    VgpuFit fit = { n, MIN(n, 4), 4, 4096, false, (char **) pools, (char **) labels };
    g_autofree char *text = vgpu_summary_encode(&summary, NULL);
    g_autofree char *fit_text = vgpu_fit_encode(&fit, NULL), *gone = NULL;
    VgpuTxn *txn = vgpu_txn_new();
    gint64 lease = 0;

    if (!vgpu_store_lease_grant(store, LEASE, &lease, NULL))
        fail("lease", NULL);
    put(txn, vgpu_key_host(args[0]), text, lease);
    if (n && summary.state == VGPU_SUMMARY_ACTIVE) {
        put(txn, vgpu_key_fit(args[3], args[0]), fit_text, lease);
    } else {
        gone = vgpu_key_fit(args[3], args[0]);
        vgpu_txn_delete(txn, gone);
    }
    commit(store, "host", txn);
}

static void
leave(VgpuStore *store, const char *host)
{
    g_autoptr(VgpuStoreList) fits = vgpu_store_list(store, VGPU_KEY_ROOT "fit/", NULL, 0, NULL);
    g_autofree char *key = vgpu_key_host(host);
    VgpuTxn *txn = vgpu_txn_new();

    vgpu_txn_delete(txn, key);
    for (guint i = 0; fits && i < fits->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(fits->items, i);

        if (g_str_equal(vgpu_key_last(item->key), host))
            vgpu_txn_delete(txn, item->key);
    }
    commit(store, "leave", txn);
}

static VgpuHolding *
read_domain(VgpuStore *store, const char *domain, gint64 *changed, bool *is_valid)
{
    g_autoptr(GError) error = NULL;
    VgpuHolding *now = NULL;

    if (!vgpu_planner_domain(store, domain, &now, changed, is_valid, &error))
        fail(domain, error);
    return now;
}

/* UUID HOST STATE PROFILE [TENANT] */
static void
run_domain(VgpuStore *store, char **args)
{
    VgpuHoldingState state = VGPU_HOLDING_RUNNING;
    gint64 changed;
    bool is_valid;
    g_autoptr(VgpuHolding) now = read_domain(store, args[0], &changed, &is_valid), local = NULL;

    while (state < VGPU_N_HOLDING_STATES && !g_str_equal(vgpu_holding_state_name(state), args[2]))
        state++;
    if (state == VGPU_N_HOLDING_STATES)
        fail(args[2], NULL);
    local = vgpu_holding_new(args[0], args[1], state);
    local->tenant = g_strdup(args[4]);
    local->since = 1;
    vgpu_holding_add(local, args[3], 1, 4096);
    commit(store, "domain", vgpu_reserve_run(local, now, changed));
}

static void
end_domain(VgpuStore *store, const char *domain)
{
    gint64 changed;
    bool is_valid;
    g_autoptr(VgpuHolding) now = read_domain(store, domain, &changed, &is_valid);

    if (now)
        commit(store, "end", vgpu_reserve_end(now, changed));
}

/* As src/fleet/truth.c says of a domain that the host does not have. */
static void
end_reservations(VgpuStore *store, const char *host)
{
    g_autofree char *prefix = vgpu_key_on(host, NULL);
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, prefix, NULL, 0, NULL);

    for (guint i = 0; list && i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        gint64 changed;
        bool is_valid;
        g_autoptr(VgpuHolding) now =
            read_domain(store, vgpu_key_last(item->key), &changed, &is_valid);

        if (now && now->state == VGPU_HOLDING_RESERVED && (!is_valid || !now->id))
            commit(store, "agent", vgpu_reserve_end(now, changed));
    }
}

static const struct {
    const char *verb;
    int n; /* arguments, at least */
    void (*many)(VgpuStore *store, char **args);
    void (*one)(VgpuStore *store, const char *arg);
    void (*none)(VgpuStore *store);
} verbs[] = {
    { "wait", 0, NULL, NULL, wait_for_store }, { "host", 6, publish, NULL, NULL },
    { "leave", 1, NULL, leave, NULL },         { "domain", 4, run_domain, NULL, NULL },
    { "end", 1, NULL, end_domain, NULL },      { "agent", 1, NULL, end_reservations, NULL },
};

int
main(int argc, char **argv)
{
    char *urls[] = { argc > 1 ? argv[1] : NULL, NULL };
    VgpuEtcdOptions options = { .endpoints = urls };
    g_autoptr(VgpuStore) store = NULL;

    if (argc == 2 && g_str_equal(argv[1], "port")) {
        print_port();
        return 0;
    }
    if (argc < 3 || !(store = vgpu_etcd_open(&options, NULL)))
        fail("usage", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (!g_str_equal(verbs[i].verb, argv[2]) || argc - 3 < verbs[i].n)
            continue;
        if (verbs[i].many)
            verbs[i].many(store, argv + 3);
        else if (verbs[i].one)
            verbs[i].one(store, argv[3]);
        else
            verbs[i].none(store);
        return 0;
    }
    fail(argv[2], NULL);
}
