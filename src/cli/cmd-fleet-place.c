/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that find a host of the fleet for a domain: fleet place, explain, reserve, release. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/uuid.h"
#include "cli/fleet-ask.h"
#include "cli/fleet-domain.h"
#include "cli/fleet-host.h"
#include "cli/fleet-rows.h"
#include "cli/fleet-start.h"
#include "cli/fleet-store.h"
#include "cli/fleet-verdict.h"
#include "cli/table.h"
#include "fleet/planner.h"
#include "fleet/reserve.h"
#include "libvirt/connection.h"

static struct {
    gboolean dry_run, define, start;
    char *host, *xml;
} option;

static const GOptionEntry place_options[] = {
    VGPU_FLEET_OPTIONS_WANTED,
    VGPU_FLEET_OPTIONS_PLACE,
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &option.dry_run, "choose a host, and reserve nothing",
      NULL },
    { "define", 0, 0, G_OPTION_ARG_NONE, &option.define, "define the domain of the XML there",
      NULL },
    { "start", 0, 0, G_OPTION_ARG_NONE, &option.start, "define it there, and start it", NULL },
    { 0 },
};

static const GOptionEntry explain_options[] = { VGPU_FLEET_OPTIONS_WANTED,
                                                VGPU_FLEET_OPTIONS_PLACE,
                                                { 0 } };

static const GOptionEntry reserve_options[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING, &option.host, "name or UUID of the host", "HOST" },
    VGPU_FLEET_OPTIONS_WANTED,
    { 0 },
};

static const GOptionEntry release_options[] = {
    { "xml", 0, 0, G_OPTION_ARG_FILENAME, &option.xml,
      "the domain of this file; '-' is standard input", "FILE" },
    { 0 },
};

static const VgpuColumn profile_columns[] = { { .key = "profile" }, { .key = "count" }, { 0 } };

/* A domain with its host. */
static const VgpuColumn placed_columns[] = {
    { .key = "domain" },
    { .key = "name" },
    { .key = "host" },
    { .key = "host_uuid" },
    { .key = "uri" },
    { .key = "profiles", .nested = profile_columns },
    { .key = "tenant" },
    { .key = "reserved" },
    { .key = "reserved_until" },
    { 0 },
};

static gint64
now(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* --- place, reserve --------------------------------------------------------------------------- */

/* The first alternative for which there is room. */
static VgpuHolding *
reserve(VgpuStore *store, const VgpuFleetAsk *ask, const char *host, bool dry_run, GError **error)
{
    g_autofree char *by = vgpu_fleet_store_user();
    VgpuPlannerOptions options = { .by = by, .now = now(), .host = host, .dry_run = dry_run };

    for (guint i = 0; i < ask->alternatives->len; i++) {
        VgpuAsk one = vgpu_fleet_ask_nth(ask, i);
        g_autoptr(GError) why = NULL;
        VgpuHolding *holding = vgpu_planner_reserve(store, &one, &options, &why);

        if (holding)
            return holding;
        if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NO_CAPACITY) &&
            i + 1 < ask->alternatives->len)
            continue;
        g_propagate_prefixed_error(error, g_steal_pointer(&why), "cannot place %s: ", ask->what);
        break;
    }
    return NULL;
}

/* The next step where a domain has a place already. */
static void
advise_busy(VgpuStore *store, const char *domain, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(store, domain, &now, &changed, &is_valid, NULL) || !now)
        return;
    if (now->state != VGPU_HOLDING_RESERVED)
        vgpu_fleet_store_advise(error, VGPU_ERROR_BUSY,
                                "stop it there; or 'virt-vgpu fleet forget %s', if that host is "
                                "gone for good",
                                now->host);
    else if (now->id && is_valid)
        vgpu_fleet_store_advise(error, VGPU_ERROR_BUSY,
                                "'virt-vgpu fleet release %s' gives the reservation up", domain);
    else
        vgpu_fleet_store_advise(error, VGPU_ERROR_BUSY,
                                "its agent does so soon; or 'virt-vgpu fleet forget %s', if that "
                                "host is gone for good",
                                now->host);
}

static void
advise(VgpuStore *store, const VgpuFleetAsk *ask, GError **error)
{
    if (ask->uuid && error && g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_BUSY))
        advise_busy(store, ask->uuid, error);
    vgpu_fleet_store_advise(error, VGPU_ERROR_NO_CAPACITY,
                            "'virt-vgpu fleet explain' with the same options says for each host "
                            "why");
    if (ask->uuid)
        vgpu_fleet_store_advise(error, VGPU_ERROR_UNKNOWN,
                                "the same command again finds out; 'virt-vgpu fleet release %s' "
                                "gives the reservation up",
                                ask->uuid);
}

static void
print_placed(const VgpuFleetAsk *ask, const VgpuHolding *holding, const VgpuSummary *summary,
             const char *uri)
{
    bool is_reserved = holding->id != NULL;
    g_autofree char *until =
        is_reserved ? vgpu_fleet_host_time(holding->since + VGPU_RESERVE_TTL) : NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    vgpu_fleet_rows_put(&dict, "domain", ask->uuid);
    vgpu_fleet_rows_put(&dict, "name", ask->name);
    vgpu_fleet_rows_put(&dict, "host", summary->name);
    vgpu_fleet_rows_put(&dict, "host_uuid", holding->host);
    vgpu_fleet_rows_put(&dict, "uri", uri);
    g_variant_dict_insert_value(&dict, "profiles", vgpu_fleet_rows_wants(holding));
    vgpu_fleet_rows_put(&dict, "tenant", holding->tenant);
    g_variant_dict_insert(&dict, "reserved", "b", is_reserved);
    vgpu_fleet_rows_put(&dict, "reserved_until", until);
    vgpu_table_print_object(placed_columns, g_variant_dict_end(&dict));
}

/* What is reserved there is given up after a failure; its host ends it if the domain does not run. */
static bool
start_there(VgpuStore *store, const VgpuFleetAsk *ask, const char *uri, GError **error)
{
    g_autoptr(GError) left = NULL;

    vgpu_connection_init();
    if (vgpu_fleet_start(uri, ask->uuid, ask->xml, option.start, ask->what, error))
        return true;
    if (!vgpu_planner_release(store, ask->uuid, &left))
        fprintf(stderr, "virt-vgpu: the reservation stays for ten minutes: %s\n", left->message);
    return false;
}

static int
finish(const VgpuCli *cli, VgpuStore *store, const VgpuFleetAsk *ask, const VgpuHolding *holding,
       bool is_placed, GError **error)
{
    g_autoptr(VgpuFleetHost) host = vgpu_fleet_host_find(store, holding->host, error);
    g_autofree char *uri = NULL, *text = NULL;

    if (!host)
        return EXIT_FAILURE;
    if (!host->summary) {
        vgpu_error_set(error, VGPU_ERROR_BUSY,
                       "host %s has just left the fleet; what was reserved there expires",
                       holding->host);
        return EXIT_FAILURE;
    }
    uri = vgpu_fleet_host_uri(host->summary);
    if ((option.define || option.start) && !start_there(store, ask, uri, error))
        return EXIT_FAILURE;
    text = vgpu_fleet_host_text(host);
    if (cli->json)
        print_placed(ask, holding, host->summary, uri);
    else if (is_placed)
        printf("%s\n", uri);
    else
        printf("Room for %s is reserved on %s for %d minutes\n", ask->what, text,
               VGPU_RESERVE_TTL / 60);
    return EXIT_SUCCESS;
}

static bool
check_place(const VgpuFleetAsk *ask, GError **error)
{
    bool is_defined = option.define || option.start;

    if (option.dry_run || (ask->uuid && (ask->xml || !is_defined)))
        return true;
    if (ask->xml)
        vgpu_command_usage(error,
                           "%s has no <uuid>, which a reservation is for: 'virt-vgpu annotate "
                           "--xml FILE' writes one",
                           ask->what);
    else if (is_defined)
        vgpu_command_usage(error, "--define and --start need --xml FILE or DOMAIN");
    else
        vgpu_command_usage(error,
                           "which domain is it for? --domain DOMAIN-UUID, --xml FILE or DOMAIN; "
                           "or --dry-run, which reserves nothing");
    return false;
}

static int
run_place(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = NULL;
    g_autoptr(VgpuFleetAsk) ask = NULL;
    g_autoptr(VgpuHolding) holding = NULL;

    if (!vgpu_fleet_options_check(&vgpu_fleet_typed, args[0], error))
        return VGPU_EXIT_USAGE;
    if (option.dry_run && (option.define || option.start))
        return vgpu_command_usage(error, "--dry-run cannot be combined with --define or --start");
    if (!(store = vgpu_fleet_store_open(cli, error)) ||
        !(ask = vgpu_fleet_ask_read(cli, store, args[0], error)))
        return EXIT_FAILURE;
    if (!check_place(ask, error))
        return VGPU_EXIT_USAGE;
    if (!(holding = reserve(store, ask, NULL, option.dry_run, error))) {
        advise(store, ask, error);
        return EXIT_FAILURE;
    }
    return finish(cli, store, ask, holding, true, error);
}

/* Hosts that take nothing publish no room, so that a planner could not say why. */
static bool
check_host(const VgpuFleetHost *host, GError **error)
{
    g_autofree char *text = vgpu_fleet_host_text(host);

    if (!host->summary)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "the agent of %s is not there", text);
    if (host->summary->state == VGPU_SUMMARY_DOWN)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "virtvgpud of %s does not answer", text);
    if (host->is_drained || host->summary->state == VGPU_SUMMARY_DRAINING)
        return vgpu_error_set(error, VGPU_ERROR_BUSY,
                              "%s is being drained: 'virt-vgpu fleet undrain %s' ends that", text,
                              host->summary->name);
    return true;
}

static int
run_reserve(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = NULL;
    g_autoptr(VgpuFleetHost) host = NULL;
    g_autoptr(VgpuFleetAsk) ask = NULL;
    g_autoptr(VgpuHolding) holding = NULL;
    VgpuFleetTyped typed = vgpu_fleet_typed;

    typed.domain = args[0];
    if (!vgpu_fleet_options_check(&typed, NULL, error))
        return VGPU_EXIT_USAGE;
    if (!option.host)
        return vgpu_command_usage(error, "--host is missing: 'fleet place' chooses one");
    vgpu_fleet_typed = typed;
    if (!(store = vgpu_fleet_store_open(cli, error)) ||
        !(host = vgpu_fleet_host_find(store, option.host, error)) || !check_host(host, error) ||
        !(ask = vgpu_fleet_ask_read(cli, store, NULL, error)))
        return EXIT_FAILURE;
    if (!(holding = reserve(store, ask, host->uuid, false, error))) {
        advise(store, ask, error);
        return EXIT_FAILURE;
    }
    return finish(cli, store, ask, holding, false, error);
}

/* --- explain ---------------------------------------------------------------------------------- */

static const VgpuColumn *
explain_table(void)
{
    return vgpu_fleet_verdict_columns;
}

/* Why nothing is possible on any host; NULL: nothing is known. */
static char *
place_of(VgpuStore *store, const VgpuFleetAsk *ask, bool *is_placed, GError **error)
{
    g_autoptr(VgpuHolding) holding = NULL;
    gint64 changed;
    bool is_valid;

    *is_placed = false;
    if (!ask->uuid)
        return NULL;
    if (!vgpu_planner_domain(store, ask->uuid, &holding, &changed, &is_valid, error))
        return NULL;
    *is_placed = holding != NULL;
    return holding ? g_strdup_printf("%s is %s on host %s already", ask->what,
                                     vgpu_holding_state_name(holding->state), holding->host)
                   : NULL;
}

static int
run_explain(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = NULL;
    g_autoptr(VgpuFleetAsk) ask = NULL;
    g_autoptr(GHashTable) verdicts = NULL;
    g_autofree char *reason = NULL;
    g_autoptr(GError) failure = NULL;
    bool is_placed;
    guint fit;

    if (!vgpu_fleet_options_check(&vgpu_fleet_typed, args[0], error))
        return VGPU_EXIT_USAGE;
    if (!(store = vgpu_fleet_store_open(cli, error)) ||
        !(ask = vgpu_fleet_ask_read(cli, store, args[0], error)) ||
        !(verdicts = vgpu_fleet_verdict_read(store, ask, error)))
        return EXIT_FAILURE;
    reason = place_of(store, ask, &is_placed, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return EXIT_FAILURE;
    }
    fit = vgpu_fleet_verdict_count(verdicts);
    if (!reason && fit == 0)
        reason = vgpu_fleet_verdict_quota(verdicts);
    if (!reason && fit == 0)
        reason = g_strdup_printf("no host of the fleet has room for %s", ask->what);
    vgpu_fleet_verdict_print(cli, ask, verdicts, !is_placed && fit, reason);
    return !is_placed && fit ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- release ---------------------------------------------------------------------------------- */

static char *
typed_uuid(char *const *args, GError **error)
{
    char *uuid = NULL;

    if (!args[0] == !option.xml) {
        vgpu_command_usage(error, args[0] ? "either DOMAIN-UUID or --xml FILE, not both"
                                          : "DOMAIN-UUID or --xml FILE is missing");
    } else if (args[0]) {
        if (!(uuid = vgpu_uuid_canonical(args[0])))
            vgpu_command_usage(error,
                               "'%s' is not a UUID: the fleet knows no names of domains; "
                               "'virsh domuuid %s', or --xml FILE",
                               args[0], args[0]);
    } else {
        g_autoptr(VgpuFleetDomain) domain = vgpu_fleet_domain_read(option.xml, error);

        uuid = domain ? g_strdup(domain->uuid) : NULL;
        if (domain && !uuid)
            vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "domain '%s' has no <uuid>",
                           domain->name);
    }
    return uuid;
}

static int
run_release(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = { { .key = "domain" }, { .key = "released" }, { 0 } };
    g_autofree char *uuid = typed_uuid(args, error);
    g_autoptr(VgpuStore) store = uuid ? vgpu_fleet_store_open(cli, error) : NULL;

    if (!store)
        return EXIT_FAILURE;
    if (!vgpu_planner_release(store, uuid, error)) {
        vgpu_fleet_store_advise(error, VGPU_ERROR_BUSY, "only its host ends what it has there");
        return EXIT_FAILURE;
    }
    if (cli->json)
        vgpu_table_print_object(columns,
                                g_variant_new_parsed("{'domain': <%s>, 'released': <true>}",
                                                     uuid));
    else
        printf("The reservation of domain %s is given up; its host ends it\n", uuid);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_fleet_place[] = {
    { .name = "fleet place",
      .synopsis =
          "[DOMAIN] [--profile P [--count N]] [--pool POOL] [--xml FILE] [--domain DOMAIN-UUID] "
          "[--tenant NAME] [--label NAME=VALUE] [--spread] [--pack] [--not-with DOMAIN-UUID] "
          "[--dry-run] [--define] [--start]",
      .summary = "choose a host for a domain, and reserve its room there",
      .description =
          "Chooses a host of the fleet that has room, reserves it for ten minutes, and prints "
          "the URI of its libvirt, and nothing else. What is wanted is typed as options, or is "
          "the annotation of DOMAIN, which this host's libvirt knows, or of the XML in FILE. "
          "With --define the XML is defined on that host, with --start it is started, too; if "
          "that fails, the reservation is given up. With --dry-run nothing is reserved.",
      .example = "virsh -c \"$(virt-vgpu fleet place --xml web1.xml)\" define web1.xml\n"
                 "virt-vgpu fleet place --xml web1.xml --start --label rack=r2\n"
                 "virt-vgpu fleet place --profile 'NVIDIA A2-4Q' --count 2 --dry-run --json",
      .max_args = 1,
      .options = place_options,
      .anywhere = true,
      .run = run_place },
    { .name = "fleet explain",
      .synopsis =
          "[DOMAIN] [--profile P [--count N]] [--pool POOL] [--xml FILE] [--domain DOMAIN-UUID] "
          "[--tenant NAME] [--label NAME=VALUE] [--spread] [--pack] [--not-with DOMAIN-UUID]",
      .summary = "which hosts have room, and why others do not",
      .description =
          "Says for each host of the fleet whether it has room for what 'fleet place' would be "
          "asked with the same options, and if not, why. Nothing is reserved. The exit status is "
          "1 if no host has room, or the domain has a place already.",
      .example = "virt-vgpu fleet explain --profile 'NVIDIA A2-4Q' --tenant acme",
      .max_args = 1,
      .options = explain_options,
      .anywhere = true,
      .columns = explain_table,
      .run = run_explain },
    { .name = "fleet reserve",
      .synopsis = "DOMAIN-UUID --host HOST --profile P [--count N] [--pool POOL] [--tenant NAME]",
      .summary = "reserve room on a certain host",
      .description = "Reserves room on HOST for the domain with that UUID, for ten minutes. "
                     "'fleet place' chooses a host.",
      .example = "virt-vgpu fleet reserve \"$(virsh domuuid web1)\" --host host2 --profile A2-4Q",
      .min_args = 1,
      .max_args = 1,
      .options = reserve_options,
      .anywhere = true,
      .run = run_reserve },
    { .name = "fleet release",
      .synopsis = "[DOMAIN-UUID] [--xml FILE]",
      .summary = "give a reservation up",
      .description =
          "Gives up the reservation of the domain with that UUID, or of the domain in FILE. The "
          "fleet knows no names of domains. The agent of its host ends the reservation, as only "
          "that host knows whether the domain has been started.",
      .example = "virt-vgpu fleet release --xml web1.xml",
      .max_args = 1,
      .options = release_options,
      .anywhere = true,
      .run = run_release },
    { 0 },
};
