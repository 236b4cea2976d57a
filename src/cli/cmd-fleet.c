/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that show the fleet: fleet list, info, events. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/fleet-events.h"
#include "cli/fleet-host.h"
#include "cli/fleet-rows.h"
#include "cli/fleet-store.h"
#include "cli/table.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/survey.h"

static struct {
    char *profile;
} option;

static const GOptionEntry list_options[] = {
    { "profile", 0, 0, G_OPTION_ARG_STRING, &option.profile,
      "only hosts that have room for it, and how many fit", "P" },
    { 0 },
};

/* --- list ------------------------------------------------------------------------------------- */

#define LIST_COLUMNS(heading)                                                                    \
    { .key = "name", .header = "Name", .fit = VGPU_FIT_CUT },                                    \
        { .key = "uuid", .header = "UUID", .wide = true, .tells = true },                        \
        { .key = "state", .header = "State", .state = true },                                    \
        { .key = "fb_free_mib", .header = "Free MiB" },                                          \
        { .key = "fb_total_mib", .header = "Total MiB" },                                        \
        { .key = "available", .header = heading }, { .key = "domains", .header = "Domains" },    \
        { .key = "uri", .header = "URI", .fit = VGPU_FIT_CUT, .spare = true },                   \
    {                                                                                            \
        0                                                                                        \
    }

static const VgpuColumn hosts[] = { LIST_COLUMNS(NULL) };
static const VgpuColumn hosts_of_profile[] = { LIST_COLUMNS("Available") };

static const VgpuColumn *
list_table(void)
{
    return option.profile ? hosts_of_profile : hosts;
}

/* How many fit beside what is reserved, in whichever pool. */
static guint
available(const VgpuSurveyHost *host, const VgpuHolding *one)
{
    char **pools = host->fits[0]->pools;
    VgpuAsk ask = { .holding = one, .pool = pools ? *pools : NULL };
    guint left = 0;

    return vgpu_survey_judge(host, &ask, NULL, &left, NULL) == VGPU_CHOICE_FITS ? left + 1 : 0;
}

/* @one: the profile that hosts must have, NULL: none */
static void
add_host(GVariantBuilder *rows, const VgpuSurveyHost *host, const VgpuHolding *one)
{
    const VgpuSummary *summary = host->summary;
    g_autofree char *uri = summary ? vgpu_fleet_host_uri(summary) : NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    vgpu_fleet_rows_put(&dict, "name", summary ? summary->name : NULL);
    vgpu_fleet_rows_put(&dict, "uuid", host->host);
    vgpu_fleet_rows_put(&dict, "state", vgpu_summary_state_name(vgpu_survey_state(host)));
    vgpu_fleet_rows_put(&dict, "uri", uri);
    g_variant_dict_insert(&dict, "domains", "u", host->domains);
    if (summary) {
        g_variant_dict_insert(&dict, "fb_free_mib", "t", summary->fb_free_mib);
        g_variant_dict_insert(&dict, "fb_total_mib", "t", summary->fb_total_mib);
    }
    if (one)
        g_variant_dict_insert(&dict, "available", "u", available(host, one));
    g_variant_builder_add_value(rows, g_variant_dict_end(&dict));
}

static int
compare_hosts(gconstpointer a, gconstpointer b)
{
    const VgpuSurveyHost *one = *(const VgpuSurveyHost *const *) a;
    const VgpuSurveyHost *other = *(const VgpuSurveyHost *const *) b;
    int order = g_strcmp0(one->summary ? one->summary->name : NULL,
                          other->summary ? other->summary->name : NULL);

    return order ? order : g_strcmp0(one->host, other->host);
}

static VgpuHolding *
one_of(VgpuStore *store, const char *typed, GError **error)
{
    g_autofree char *name = NULL;
    VgpuHolding *one;
    guint mib;

    if (!vgpu_survey_profile(store, typed, &name, &mib, error))
        return NULL;
    one = vgpu_holding_new(NULL, NULL, VGPU_HOLDING_RESERVED);
    vgpu_holding_add(one, name, 1, mib);
    return one;
}

static int
run_list(const VgpuCli *cli, char **args, GError **error)
{
    VgpuSurveyParts parts = VGPU_SURVEY_DOMAINS | (option.profile ? VGPU_SURVEY_FITS : 0);
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);
    g_autoptr(VgpuHolding) one = NULL;
    g_autoptr(VgpuSurvey) survey = NULL;
    g_autoptr(GVariant) rows = NULL;
    GVariantBuilder builder;

    if (!store || (option.profile && !(one = one_of(store, option.profile, error))) ||
        !(survey = vgpu_survey_read(store, one, parts, error)))
        return EXIT_FAILURE;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    g_ptr_array_sort(survey->hosts, compare_hosts);
    for (guint i = 0; i < survey->hosts->len; i++) {
        const VgpuSurveyHost *host = g_ptr_array_index(survey->hosts, i);

        if (!one || host->fits[0])
            add_host(&builder, host, one);
    }
    rows = g_variant_ref_sink(g_variant_builder_end(&builder));
    vgpu_table_print(list_table(), rows, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

/* --- info ------------------------------------------------------------------------------------- */

static const VgpuColumn fit_columns[] = {
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_CUT },
    { .key = "available", .header = "Available" },
    { .key = "block", .header = "On one GPU" },
    { .key = "per_gpu", .header = "Per idle GPU" },
    { .key = "framebuffer_mib", .header = "MiB" },
    { .key = "pools", .header = "Pools", .fit = VGPU_FIT_WRAP },
    { 0 },
};

static const VgpuColumn domain_columns[] = {
    { .key = "domain", .header = "Domain" },
    { .key = "state", .header = "State", .state = true },
    { .key = "vgpus", .header = "vGPUs" },
    { .key = "profiles", .nested = vgpu_fleet_rows_want },
    { .key = "tenant", .header = "Tenant", .fit = VGPU_FIT_CUT },
    { .key = "since", .header = "Since", .fit = VGPU_FIT_CUT, .spare = true },
    { .key = "by", .header = "By", .fit = VGPU_FIT_CUT, .spare = true },
    { 0 },
};

static const VgpuColumn info_columns[] = {
    { .key = "name", .header = "Name" },
    { .key = "uuid", .header = "UUID" },
    { .key = "state", .header = "State" },
    { .key = "drained", .header = "Drain asked for" },
    { .key = "uri", .header = "URI" },
    { .key = "driver", .header = "Driver" },
    { .key = "libvirt", .header = "libvirt" },
    { .key = "since", .header = "Agent since" },
    { .key = "fb_free_mib", .header = "Free MiB" },
    { .key = "fb_total_mib", .header = "Total MiB" },
    { .key = "labels", .header = "Labels" },
    { .key = "profiles", .nested = fit_columns },
    { .key = "domains", .nested = domain_columns },
    { 0 },
};

static GVariant *
fit_row(const char *profile, const VgpuFit *fit)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    vgpu_fleet_rows_put(&dict, "profile", profile);
    g_variant_dict_insert(&dict, "available", "u", fit->available);
    g_variant_dict_insert(&dict, "block", "u", fit->block);
    g_variant_dict_insert(&dict, "per_gpu", "u", fit->per_gpu);
    if (fit->fb_mib)
        g_variant_dict_insert(&dict, "framebuffer_mib", "u", fit->fb_mib);
    if (fit->pools)
        g_variant_dict_insert_value(&dict, "pools",
                                    g_variant_new_strv((const char *const *) fit->pools, -1));
    return g_variant_dict_end(&dict);
}

/* What it publishes about each profile that fits anywhere; labels are the same in all. */
static bool
add_fits(GVariantDict *dict, VgpuStore *store, const char *host, GError **error)
{
    g_autoptr(GPtrArray) profiles = vgpu_survey_profiles(store, error);
    g_autoptr(GVariant) labels = NULL, list = NULL;
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; profiles && i < profiles->len; i++) {
        const char *profile = g_ptr_array_index(profiles, i);
        g_autofree char *key = vgpu_key_fit(profile, host), *text = NULL;
        g_autoptr(VgpuStoreItem) item = NULL;
        g_autoptr(VgpuFit) fit = NULL;

        if (!vgpu_store_get(store, key, &item, error)) {
            g_variant_builder_clear(&rows);
            return false;
        }
        text = item ? vgpu_store_item_text(item) : NULL;
        if (!text || !(fit = vgpu_fit_decode(text)))
            continue;
        g_variant_builder_add_value(&rows, fit_row(profile, fit));
        if (!labels && fit->labels)
            labels =
                g_variant_ref_sink(g_variant_new_strv((const char *const *) fit->labels, -1));
    }
    list = g_variant_ref_sink(g_variant_builder_end(&rows));
    g_variant_dict_insert_value(dict, "profiles", list);
    if (labels)
        g_variant_dict_insert_value(dict, "labels", labels);
    return profiles != NULL;
}

static GVariant *
domain_row(const VgpuHolding *holding, bool is_valid)
{
    g_autofree char *since = vgpu_fleet_host_time(holding->since);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    vgpu_fleet_rows_put(&dict, "domain", holding->domain);
    vgpu_fleet_rows_put(&dict, "state",
                        is_valid ? vgpu_holding_state_name(holding->state) : "expired");
    g_variant_dict_insert(&dict, "vgpus", "u", vgpu_holding_count(holding));
    g_variant_dict_insert_value(&dict, "profiles", vgpu_fleet_rows_wants(holding));
    vgpu_fleet_rows_put(&dict, "tenant", holding->tenant);
    vgpu_fleet_rows_put(&dict, "since", since);
    vgpu_fleet_rows_put(&dict, "by", holding->by);
    return g_variant_dict_end(&dict);
}

static bool
add_domains(GVariantDict *dict, VgpuStore *store, const char *host, GError **error)
{
    g_autofree char *prefix = vgpu_key_on(host, NULL);
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, prefix, NULL, 0, error);
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; list && i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        g_autoptr(VgpuHolding) now = NULL;
        gint64 changed;
        bool is_valid;

        if (!vgpu_planner_domain(store, vgpu_key_last(item->key), &now, &changed, &is_valid,
                                 error)) {
            g_variant_builder_clear(&rows);
            return false;
        }
        if (now && g_str_equal(now->host, host))
            g_variant_builder_add_value(
                &rows,
                domain_row(now, is_valid && (now->id || now->state != VGPU_HOLDING_RESERVED)));
    }
    g_variant_dict_insert_value(dict, "domains", g_variant_builder_end(&rows));
    return list != NULL;
}

static GVariant *
describe(VgpuStore *store, const VgpuFleetHost *host, GError **error)
{
    const VgpuSummary *summary = host->summary;
    VgpuSurveyHost seen = { .summary = host->summary, .is_drained = host->is_drained };
    g_autofree char *uri = summary ? vgpu_fleet_host_uri(summary) : NULL;
    g_autofree char *since = summary ? vgpu_fleet_host_time(summary->epoch) : NULL;
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_fleet_rows_put(&dict, "uuid", host->uuid);
    vgpu_fleet_rows_put(&dict, "state", vgpu_summary_state_name(vgpu_survey_state(&seen)));
    g_variant_dict_insert(&dict, "drained", "b", host->is_drained);
    vgpu_fleet_rows_put(&dict, "uri", uri);
    vgpu_fleet_rows_put(&dict, "since", since);
    if (summary) {
        vgpu_fleet_rows_put(&dict, "name", summary->name);
        vgpu_fleet_rows_put(&dict, "driver", summary->driver);
        vgpu_fleet_rows_put(&dict, "libvirt", summary->libvirt);
        g_variant_dict_insert(&dict, "fb_free_mib", "t", summary->fb_free_mib);
        g_variant_dict_insert(&dict, "fb_total_mib", "t", summary->fb_total_mib);
    }
    if (!add_fits(&dict, store, host->uuid, error) ||
        !add_domains(&dict, store, host->uuid, error))
        return NULL;
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

static int
run_info(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);
    g_autoptr(VgpuFleetHost) host = store ? vgpu_fleet_host_find(store, args[0], error) : NULL;
    g_autoptr(GVariant) row = host ? describe(store, host, error) : NULL;
    g_autofree char *text = NULL;

    if (!row)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(info_columns, row);
        return EXIT_SUCCESS;
    }
    text = vgpu_table_fields(info_columns, row);
    fputs(text, stdout);
    vgpu_table_print_list(fit_columns, row, "profiles", cli->wide);
    vgpu_table_print_list(domain_columns, row, "domains", cli->wide);
    return EXIT_SUCCESS;
}

/* --- events ----------------------------------------------------------------------------------- */

static int
run_events(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, error);

    return store && vgpu_fleet_events_follow(store, error) ? EXIT_SUCCESS : EXIT_FAILURE;
}

const VgpuCommand vgpu_commands_fleet[] = {
    { .name = "fleet list",
      .synopsis = "[--profile P]",
      .summary = "the hosts of the fleet",
      .description =
          "Lists the hosts that share this host's etcd cluster: their state (active, draining, "
          "or down: the agent or virtvgpud does not answer, but its domains are not forgotten), "
          "frame buffer, domains, and the URI of their libvirt. With --profile only hosts that "
          "have room for it, and how many fit beside what is reserved.",
      .example = "virt-vgpu fleet list\n"
                 "virt-vgpu fleet list --profile 'NVIDIA A2-4Q' -o name,available --noheadings",
      .options = list_options,
      .anywhere = true,
      .columns = list_table,
      .run = run_list },
    { .name = "fleet info",
      .synopsis = "HOST",
      .summary = "one host: its room and its domains",
      .description = "Shows what a host publishes, how many of each profile fit there, and the "
                     "domains that it has or that are reserved for it. HOST is its name or UUID; "
                     "a host whose agent is away is found by its UUID.",
      .example = "virt-vgpu fleet info host2",
      .min_args = 1,
      .max_args = 1,
      .anywhere = true,
      .run = run_info },
    { .name = "fleet events",
      .synopsis = "",
      .summary = "print what happens in the fleet, as it happens",
      .description =
          "Prints one JSON object a line for each event (host-joined, host-left, host-draining, "
          "reserved, released, running, moved, ended, quota-changed, …) until it is interrupted.",
      .example = "virt-vgpu fleet events | jq -c 'select(.event == \"host-left\")'",
      .anywhere = true,
      .run = run_events },
    { 0 },
};
