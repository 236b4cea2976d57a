/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that take hosts out of the fleet: fleet drain, undrain, forget. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "cli/fleet-host.h"
#include "cli/fleet-store.h"
#include "cli/interrupt.h"
#include "cli/table.h"
#include "fleet/key.h"
#include "fleet/planner.h"

#define LOOK_S 2

static struct {
    gboolean wait, yes;
} option;

static const GOptionEntry drain_options[] = {
    { "wait", 0, 0, G_OPTION_ARG_NONE, &option.wait, "until no domain is left there", NULL },
    { 0 },
};

static const GOptionEntry forget_options[] = {
    { "yes", 0, 0, G_OPTION_ARG_NONE, &option.yes, "without asking", NULL },
    { 0 },
};

static const VgpuColumn columns[] = { { .key = "host" },    { .key = "host_uuid" },
                                      { .key = "drained" }, { .key = "forgotten" },
                                      { .key = "domains" }, { 0 } };

static GVariantDict
row_of(const VgpuFleetHost *host)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (host->summary)
        g_variant_dict_insert(&dict, "host", "s", host->summary->name);
    g_variant_dict_insert(&dict, "host_uuid", "s", host->uuid);
    return dict;
}

static bool
count_domains(VgpuStore *store, const char *host, guint *n, GError **error)
{
    g_autofree char *prefix = vgpu_key_on(host, NULL);
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, prefix, NULL, 0, error);

    *n = list ? list->items->len : 0;
    return list != NULL;
}

static bool
commit(VgpuStore *store, const VgpuTxn *txn, GError **error)
{
    VgpuStoreOutcome outcome = { 0 };

    return vgpu_store_txn(store, txn, &outcome, error);
}

/* --- drain, undrain --------------------------------------------------------------------------- */

static bool
ask_to_drain(VgpuStore *store, const char *host, GError **error)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    g_autofree char *key = vgpu_key_drain(host), *by = vgpu_fleet_store_user();
    g_autofree char *quoted = g_strescape(by, NULL);
    g_autofree char *text = g_strdup_printf("{\"by\":\"%s\",\"since\":%" G_GINT64_FORMAT "}",
                                            quoted, g_get_real_time() / G_USEC_PER_SEC);

    vgpu_txn_put(txn, key, text, 0);
    return commit(store, txn, error);
}

/* Polled, as nobody waits for the last domain of a host by the second. */
static bool
wait_for_domains(VgpuStore *store, const VgpuFleetHost *host, const char *text, guint *n,
                 GError **error)
{
    g_autofree char *last_words =
        g_strdup_printf("%s stays drained; 'virt-vgpu fleet undrain %s' ends that", text,
                        host->uuid);
    g_autoptr(VgpuInterrupt) interrupt = vgpu_interrupt_new(last_words);
    guint shown = G_MAXUINT;

    while (*n) {
        if (*n != shown)
            fprintf(stderr, "%s: %u domain%s left\n", text, *n, *n == 1 ? " is" : "s are");
        shown = *n;
        g_usleep(LOOK_S * G_USEC_PER_SEC);
        if (!count_domains(store, host->uuid, n, error))
            return false;
    }
    return true;
}

static int
run_drain(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);
    g_autoptr(VgpuFleetHost) host = store ? vgpu_fleet_host_find(store, args[0], error) : NULL;
    g_autofree char *text = host ? vgpu_fleet_host_text(host) : NULL;
    guint n = 0;

    if (!host || !ask_to_drain(store, host->uuid, error) ||
        !count_domains(store, host->uuid, &n, error))
        return EXIT_FAILURE;
    if (!host->summary)
        fprintf(stderr,
                "virt-vgpu: the agent of %s is not there; it reads this when it is back\n", text);
    if (option.wait && !wait_for_domains(store, host, text, &n, error))
        return EXIT_FAILURE;
    if (cli->json) {
        GVariantDict dict = row_of(host);

        g_variant_dict_insert(&dict, "drained", "b", TRUE);
        g_variant_dict_insert(&dict, "domains", "u", n);
        vgpu_table_print_object(columns, g_variant_dict_end(&dict));
    } else if (n) {
        printf("Nothing new is placed on %s; %u domain%s on it stay%s\n", text, n,
               n == 1 ? "" : "s", n == 1 ? "s" : "");
    } else {
        printf("Nothing new is placed on %s; no domain is on it\n", text);
    }
    return EXIT_SUCCESS;
}

static int
run_undrain(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);
    g_autoptr(VgpuFleetHost) host = store ? vgpu_fleet_host_find(store, args[0], error) : NULL;
    g_autofree char *text = host ? vgpu_fleet_host_text(host) : NULL;
    g_autofree char *key = host ? vgpu_key_drain(host->uuid) : NULL;
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();

    if (!host)
        return EXIT_FAILURE;
    vgpu_txn_delete(txn, key);
    if (!commit(store, txn, error))
        return EXIT_FAILURE;
    if (cli->json) {
        GVariantDict dict = row_of(host);

        g_variant_dict_insert(&dict, "drained", "b", FALSE);
        vgpu_table_print_object(columns, g_variant_dict_end(&dict));
    } else {
        printf("The host may get domains again: %s is not drained\n", text);
    }
    return EXIT_SUCCESS;
}

/* --- forget ----------------------------------------------------------------------------------- */

static int
may_forget(const VgpuFleetHost *host, guint n, GError **error)
{
    g_autofree char *question = NULL;

    if (host->summary) {
        vgpu_error_set(error, VGPU_ERROR_BUSY,
                       "the agent of host '%s' is there: only hosts that are gone are forgotten; "
                       "'virt-vgpu fleet drain %s' empties one that works",
                       host->summary->name, host->summary->name);
        return EXIT_FAILURE;
    }
    if (option.yes)
        return EXIT_SUCCESS;
    question = g_strdup_printf("Host %s has %u domain%s in the fleet, which can be started on "
                               "other hosts then. Is it certain that none of them runs there?",
                               host->uuid, n, n == 1 ? "" : "s");
    if (vgpu_edit_ask(question))
        return EXIT_SUCCESS;
    return vgpu_command_usage(error,
                              "nothing is forgotten: --yes, once it is certain that no domain of "
                              "host %s runs any longer",
                              host->uuid);
}

static int
run_forget(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);
    g_autoptr(VgpuFleetHost) host = store ? vgpu_fleet_host_find(store, args[0], error) : NULL;
    g_autofree char *drain = host ? vgpu_key_drain(host->uuid) : NULL;
    g_autofree char *details = host ? vgpu_key_details(host->uuid) : NULL;
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    guint n = 0;
    int status;

    if (!host || !count_domains(store, host->uuid, &n, error))
        return EXIT_FAILURE;
    if ((status = may_forget(host, n, error)) != EXIT_SUCCESS)
        return status;
    vgpu_txn_delete(txn, drain);
    vgpu_txn_delete(txn, details);
    if (!vgpu_planner_forget(store, host->uuid, &n, error) || !commit(store, txn, error))
        return EXIT_FAILURE;
    if (cli->json) {
        GVariantDict dict = row_of(host);

        g_variant_dict_insert(&dict, "forgotten", "b", TRUE);
        g_variant_dict_insert(&dict, "domains", "u", n);
        vgpu_table_print_object(columns, g_variant_dict_end(&dict));
    } else {
        printf("Host %s is forgotten, with %u domain%s\n", host->uuid, n, n == 1 ? "" : "s");
    }
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_fleet_host[] = {
    { .name = "fleet drain",
      .synopsis = "HOST [--wait]",
      .summary = "place nothing new on a host",
      .description = "Asks the agent of HOST to take nothing new, until undrain, even after a "
                     "reboot. Domains on it stay. With --wait it ends when none is left there.",
      .example = "virt-vgpu fleet drain host2 --wait",
      .min_args = 1,
      .max_args = 1,
      .options = drain_options,
      .anywhere = true,
      .run = run_drain },
    { .name = "fleet undrain",
      .synopsis = "HOST",
      .summary = "allow new domains on a host again",
      .description = "Ends what drain has asked for.",
      .example = "virt-vgpu fleet undrain host2",
      .min_args = 1,
      .max_args = 1,
      .anywhere = true,
      .run = run_undrain },
    { .name = "fleet forget",
      .synopsis = "HOST [--yes]",
      .summary = "forget a host that is gone, with its domains",
      .description =
          "Forgets the domains of a host that is gone, so that they can be started elsewhere. "
          "Only you can know that none of them runs there any longer: a host without network "
          "looks the same. It asks first, and refuses while the host's agent is there.",
      .example = "virt-vgpu fleet forget 4c4c4544-0052-4b10-8057-b7c04f333432 --yes",
      .min_args = 1,
      .max_args = 1,
      .options = forget_options,
      .anywhere = true,
      .run = run_forget },
    { 0 },
};
