/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explanation.h"

#include <stdio.h>
#include <string.h>

#include "cli/migration-host.h"
#include "cli/terminal.h"

const VgpuColumn vgpu_explanation_columns[] = {
    { .key = "index", .header = "vGPU" },
    { .key = "gpu", .header = "GPU" },
    { .key = "verdict", .header = "Verdict", .state = true },
    { .key = "reason", .header = "Reason", .fit = VGPU_FIT_WRAP },
    { 0 },
};

static const VgpuColumn plan_columns[] = {
    { .key = "index" },
    { .key = "profile" },
    { .key = "gpu" },
    { .key = "parent" },
    { .key = "state" },
    { .key = "note" },
    { 0 },
};

static const VgpuColumn available_columns[] = {
    { .key = "gpu" }, { .key = "id" }, { .key = "name" }, { .key = "available" }, { 0 },
};

#define EXPLAIN_COLUMNS                                                                          \
    { .key = "possible" }, { .key = "plan", .nested = plan_columns },                            \
        { .key = "candidates", .nested = vgpu_explanation_columns }, { .key = "reason" },        \
    {                                                                                            \
        .key = "available", .nested = available_columns                                          \
    }

static const VgpuColumn explain_columns[] = { EXPLAIN_COLUMNS, { 0 } };
static const VgpuColumn host_columns[] = {
    EXPLAIN_COLUMNS,
    { .key = "host", .nested = vgpu_migration_host_columns },
    { 0 },
};

/* @text in lines that begin at column @indent. */
static void
print_wrapped(const char *text, guint indent)
{
    guint width = MAX(vgpu_terminal_width(), indent + 20) - indent;
    g_autoptr(GPtrArray) lines = vgpu_table_wrap(text, width);

    for (guint i = 0; i < lines->len; i++)
        printf("%*s%s\n", (int) indent, "", (const char *) lines->pdata[i]);
}

/* "  GPU  PROFILE: 3, PROFILE: 1": rows of one GPU follow each other. Lines break between profiles, and
 * continue below the first of them. */
static void
print_available(GVariant *available)
{
    gsize width = vgpu_terminal_width(), column = 0;
    g_autofree char *last = NULL;
    int indent = 0;

    for (gsize i = 0; i < g_variant_n_children(available); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(available, i);
        g_autoptr(GVariant) n = g_variant_lookup_value(row, "available", NULL);
        g_autofree char *number = n ? g_variant_print(n, FALSE) : g_strdup("-");
        g_autofree char *item = NULL;
        const char *gpu = "-", *name = "-";

        (void) !g_variant_lookup(row, "gpu", "&s", &gpu);
        (void) !g_variant_lookup(row, "name", "&s", &name);
        item = g_strdup_printf("%s: %s", name, number);
        if (g_strcmp0(gpu, last) != 0) {
            indent = printf("%s  %s  ", last ? "\n" : "", gpu) - (last != NULL);
            column = (gsize) indent;
            g_free(last);
            last = g_strdup(gpu);
        } else if (column + strlen(", ,") + strlen(item) > width) {
            printf(",\n%*s", indent, "");
            column = (gsize) indent;
        } else {
            column += (gsize) printf(", ");
        }
        column += (gsize) printf("%s", item);
    }
    if (last)
        printf("\n");
}

void
vgpu_explanation_print(const char *what, GVariant *result, bool wide)
{
    g_autoptr(GVariant) plan = g_variant_lookup_value(result, "plan", G_VARIANT_TYPE("as"));
    g_autoptr(GVariant) candidates =
        g_variant_lookup_value(result, "candidates", G_VARIANT_TYPE("aa{sv}"));
    g_autoptr(GVariant) available =
        g_variant_lookup_value(result, "available", G_VARIANT_TYPE("aa{sv}"));
    const char *reason = NULL;
    gboolean possible = FALSE;

    g_variant_lookup(result, "possible", "b", &possible);
    printf("%s: a start %s\n", what, possible ? "is possible now" : "is not possible now");
    for (gsize i = 0; plan && i < g_variant_n_children(plan); i++) {
        const char *line;

        g_variant_get_child(plan, i, "&s", &line);
        printf("  %s\n", line);
    }
    if (candidates && g_variant_n_children(candidates) > 0) {
        printf("\n");
        vgpu_table_print(vgpu_explanation_columns, candidates, false, wide);
    }
    if (g_variant_lookup(result, "reason", "&s", &reason) && *reason) {
        printf("\n");
        print_wrapped(reason, 0);
    }
    if (available && g_variant_n_children(available) > 0) {
        printf("\nRoom now:\n");
        print_available(available);
    }
}

/* In the form of `explain --json`: on the bus `plan` is lines of text, with its data in another key. */
static GVariant *
with_plan(GVariant *result)
{
    g_autoptr(GVariant) vgpus = g_variant_lookup_value(result, "vgpus", G_VARIANT_TYPE("aa{sv}"));
    GVariantDict dict;

    g_variant_dict_init(&dict, result);
    if (vgpus)
        g_variant_dict_insert_value(&dict, "plan", vgpus);
    else
        g_variant_dict_remove(&dict, "plan");
    return g_variant_dict_end(&dict);
}

bool
vgpu_explanation_is_unknown(GVariant *result)
{
    g_autoptr(GVariant) candidates =
        g_variant_lookup_value(result, "candidates", G_VARIANT_TYPE("aa{sv}"));
    gsize n = candidates ? g_variant_n_children(candidates) : 0;

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(candidates, i);
        const char *verdict = "";

        g_variant_lookup(row, "verdict", "&s", &verdict);
        if (strcmp(verdict, "not-answering") == 0)
            return true;
    }
    return false;
}

void
vgpu_explanation_print_table(GVariant *result, bool wide)
{
    g_autoptr(GVariant) candidates =
        g_variant_lookup_value(result, "candidates", G_VARIANT_TYPE("aa{sv}"));

    if (candidates)
        vgpu_table_print(vgpu_explanation_columns, candidates, false, wide);
}

void
vgpu_explanation_print_json(GVariant *result, GVariant *host)
{
    g_autoptr(GVariant) shown = g_variant_ref_sink(with_plan(result));
    GVariantDict dict;

    if (!host) {
        vgpu_table_print_object(explain_columns, shown);
        return;
    }
    g_variant_dict_init(&dict, shown);
    g_variant_dict_insert_value(&dict, "host", host);
    vgpu_table_print_object(host_columns, g_variant_dict_end(&dict));
}
