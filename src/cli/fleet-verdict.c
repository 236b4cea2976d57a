/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-verdict.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/fleet-rows.h"
#include "fleet/survey.h"
#include "fleet/tenant.h"

const VgpuColumn vgpu_fleet_verdict_columns[] = {
    { .key = "host", .header = "Host", .fit = VGPU_FIT_CUT },
    { .key = "uuid", .header = "UUID", .wide = true, .tells = true },
    { .key = "verdict", .header = "Verdict", .state = true },
    { .key = "available", .header = "Available" },
    { .key = "reason", .header = "Reason", .fit = VGPU_FIT_WRAP },
    { 0 },
};

static const VgpuColumn explained_columns[] = {
    { .key = "possible" },
    { .key = "domain" },
    { .key = "name" },
    { .key = "tenant" },
    { .key = "reason" },
    { .key = "hosts", .nested = vgpu_fleet_verdict_columns },
    { 0 },
};

/* The best verdict of a host: it fits with any alternative, otherwise that of the one which got farthest. */
typedef struct {
    VgpuChoice choice;
    guint left;
    char *name, *reason;
} Judged;

static void
free_judged(gpointer data)
{
    Judged *self = data;

    g_free(self->name);
    g_free(self->reason);
    g_free(self);
}

static void
judge(GHashTable *verdicts, const VgpuSurvey *survey, const VgpuAsk *ask, const char *over)
{
    for (guint i = 0; i < survey->hosts->len; i++) {
        const VgpuSurveyHost *host = g_ptr_array_index(survey->hosts, i);
        Judged *judged = g_hash_table_lookup(verdicts, host->host);
        g_autofree char *reason = NULL;
        guint left = 0;
        VgpuChoice choice = vgpu_survey_judge(host, ask, over, &left, &reason);

        if (judged && choice != VGPU_CHOICE_FITS &&
            (judged->choice == VGPU_CHOICE_FITS || choice <= judged->choice))
            continue;
        judged = g_new0(Judged, 1);
        judged->choice = choice;
        judged->left = left + g_array_index(ask->holding->wants, VgpuWant, 0).count;
        judged->name = g_strdup(host->summary ? host->summary->name : NULL);
        judged->reason = g_steal_pointer(&reason);
        g_hash_table_insert(verdicts, g_strdup(host->host), judged);
    }
}

GHashTable *
vgpu_fleet_verdict_read(VgpuStore *store, const VgpuFleetAsk *ask, GError **error)
{
    g_autoptr(GHashTable) verdicts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_judged);

    for (guint i = 0; i < ask->alternatives->len; i++) {
        VgpuAsk one = vgpu_fleet_ask_nth(ask, i);
        g_autoptr(VgpuSurvey) survey =
            vgpu_survey_read(store, one.holding, VGPU_SURVEY_FITS, error);
        g_autoptr(GError) over = NULL;
        gint64 changed, read;

        if (!survey)
            return NULL;
        if (!vgpu_tenant_check(store, one.holding, &changed, &read, &over) &&
            !g_error_matches(over, VGPU_ERROR, VGPU_ERROR_NO_CAPACITY)) {
            g_propagate_error(error, g_steal_pointer(&over));
            return NULL;
        }
        judge(verdicts, survey, &one, over ? over->message : NULL);
    }
    return g_steal_pointer(&verdicts);
}

static int
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    const Judged *one = g_hash_table_lookup(data, *(const char *const *) a);
    const Judged *other = g_hash_table_lookup(data, *(const char *const *) b);
    int order = g_strcmp0(one->name, other->name);

    return order ? order : g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

guint
vgpu_fleet_verdict_count(GHashTable *verdicts)
{
    GHashTableIter iter;
    gpointer judged;
    guint n = 0;

    g_hash_table_iter_init(&iter, verdicts);
    while (g_hash_table_iter_next(&iter, NULL, &judged))
        n += ((const Judged *) judged)->choice == VGPU_CHOICE_FITS;
    return n;
}

char *
vgpu_fleet_verdict_quota(GHashTable *verdicts)
{
    GHashTableIter iter;
    gpointer judged;

    g_hash_table_iter_init(&iter, verdicts);
    while (g_hash_table_iter_next(&iter, NULL, &judged))
        if (((const Judged *) judged)->choice == VGPU_CHOICE_QUOTA)
            return g_strdup(((const Judged *) judged)->reason);
    return NULL;
}

static GVariant *
rows_of(GHashTable *verdicts)
{
    guint n = 0;
    g_autofree gpointer *ids = g_hash_table_get_keys_as_array(verdicts, &n);
    GVariantBuilder rows;

    g_qsort_with_data(ids, (gint) n, sizeof(gpointer), compare_names, verdicts);
    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < n; i++) {
        const char *id = ids[i];
        const Judged *judged = g_hash_table_lookup(verdicts, id);
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        vgpu_fleet_rows_put(&dict, "host", judged->name ? judged->name : id);
        vgpu_fleet_rows_put(&dict, "uuid", id);
        vgpu_fleet_rows_put(&dict, "verdict", vgpu_choice_word(judged->choice));
        vgpu_fleet_rows_put(&dict, "reason", judged->reason);
        if (judged->choice == VGPU_CHOICE_FITS)
            g_variant_dict_insert(&dict, "available", "u", judged->left);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&dict));
    }
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

void
vgpu_fleet_verdict_print(const VgpuCli *cli, const VgpuFleetAsk *ask, GHashTable *verdicts,
                         bool is_possible, const char *reason)
{
    g_autoptr(GVariant) rows = rows_of(verdicts);
    const VgpuHolding *first = g_ptr_array_index(ask->alternatives, 0);
    GVariantDict dict;

    if (!cli->json) {
        vgpu_table_print(vgpu_fleet_verdict_columns, rows, false, cli->wide);
        if (reason && !vgpu_table_is_alone())
            printf("\n%s\n", reason);
        return;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "possible", "b", is_possible);
    vgpu_fleet_rows_put(&dict, "domain", ask->uuid);
    vgpu_fleet_rows_put(&dict, "name", ask->name);
    vgpu_fleet_rows_put(&dict, "tenant", first->tenant);
    vgpu_fleet_rows_put(&dict, "reason", reason);
    g_variant_dict_insert_value(&dict, "hosts", rows);
    vgpu_table_print_object(explained_columns, g_variant_dict_end(&dict));
}
