/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "config.h"
#include "daemon/metrics-private.h"

/* The buckets of a histogram that has one label, or two; @label2 NULL: one. */
static void
write_histogram(VgpuExposition *out, const VgpuHistogram *histogram, const char *label1,
                const char *value1, const char *label2, const char *value2)
{
    guint64 below = 0;

    if (!histogram->count)
        return;
    for (gsize i = 0; i <= VGPU_METRICS_BUCKETS; i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";

        if (i < VGPU_METRICS_BUCKETS) {
            g_ascii_formatd(bound, sizeof(bound), "%g", vgpu_metrics_bounds[i]);
            below += histogram->buckets[i];
        } else {
            below = histogram->count;
        }
        if (label2)
            vgpu_exposition_add_part(out, "_bucket", (double) below, label1, value1, label2,
                                     value2, "le", bound, NULL);
        else
            vgpu_exposition_add_part(out, "_bucket", (double) below, label1, value1, "le", bound,
                                     NULL);
    }
    vgpu_exposition_add_part(out, "_sum", histogram->sum, label1, value1, label2, value2, NULL);
    vgpu_exposition_add_part(out, "_count", (double) histogram->count, label1, value1, label2,
                             value2, NULL);
}

static void
write_hook(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    vgpu_exposition_family(out, "virtvgpu_hook_calls_total", "counter",
                           "Calls of the hook that concern vGPUs, and how they ended; gone: the "
                           "caller did not wait for the answer.");
    for (gsize op = 0; op < VGPU_METRICS_OPS; op++) {
        for (gsize result = 0; result < VGPU_METRICS_RESULTS; result++)
            vgpu_exposition_add(out, (double) counts->calls[op][result], "op",
                                vgpu_metrics_ops[op], "result", vgpu_metrics_results[result],
                                NULL);
    }
    vgpu_exposition_family(out, "virtvgpu_hook_duration_seconds", "histogram",
                           "How long the daemon took to answer the hook.");
    for (gsize op = 0; op < VGPU_METRICS_OPS; op++)
        write_histogram(out, &counts->hook[op], "op", vgpu_metrics_ops[op], NULL, NULL);
}

static void
write_backend(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    vgpu_exposition_family(out, "virtvgpu_backend_operation_duration_seconds", "histogram",
                           "How long a driver took to make or remove a vGPU.");
    for (gsize backend = 0; backend < VGPU_METRICS_BACKENDS; backend++) {
        for (gsize op = 0; op < VGPU_METRICS_BACKEND_OPS; op++)
            write_histogram(out, &counts->backend[backend][op], "interface",
                            vgpu_interface_to_string(vgpu_metrics_backends[backend]), "op",
                            vgpu_metrics_backend_ops[op]);
    }
    vgpu_exposition_family(out, "virtvgpu_create_failures_total", "counter",
                           "How often a driver did not make a usable vGPU.");
    for (gsize backend = 0; backend < VGPU_METRICS_BACKENDS; backend++)
        vgpu_exposition_add(out, (double) counts->failures[backend], "interface",
                            vgpu_interface_to_string(vgpu_metrics_backends[backend]), NULL);
}

static void
write_reconcile(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    vgpu_exposition_family(out, "virtvgpu_reconcile_actions_total", "counter",
                           "What was done because devices, records and domains differed.");
    for (guint kind = 0; kind < VGPU_METRICS_ACTIONS; kind++)
        vgpu_exposition_add(out, (double) counts->actions[kind], "action",
                            vgpu_action_to_string((VgpuActionKind) kind), NULL);
    vgpu_exposition_family(out, "virtvgpu_last_reconcile_timestamp_seconds", "gauge",
                           "When devices, records and domains were last compared, in seconds "
                           "since 1970.");
    if (counts->last_reconcile)
        vgpu_exposition_add(out, (double) counts->last_reconcile, NULL);
}

/* The recorded vGPUs: all but planned, saved and foreign ones. */
static void
write_records(VgpuExposition *out, GVariant *vgpus)
{
    static const char *const without[] = { "planned", "saved", "orphan", "foreign", NULL };
    guint records = 0;

    for (gsize i = 0; vgpus && i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *state;

        records +=
            g_variant_lookup(vgpu, "state", "&s", &state) && !g_strv_contains(without, state);
    }
    vgpu_exposition_family(out, "virtvgpu_records", "gauge",
                           "vGPUs that the daemon has a record of in /run.");
    vgpu_exposition_add(out, records, NULL);
}

static void
write_build(VgpuExposition *out)
{
    vgpu_exposition_family(out, "virtvgpu_build_info", "gauge",
                           "The version of the daemon; always 1.");
    vgpu_exposition_add(out, 1, "version", PACKAGE_VERSION, NULL);
}

static void
write_lost(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    vgpu_exposition_family(out, "virtvgpu_vgpus_lost_total", "counter",
                           "vGPUs that have vanished under running domains.");
    vgpu_exposition_add(out, (double) counts->lost, NULL);
}

/* The source is not told that the other host has refused. */
static void
write_migrations(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    vgpu_exposition_family(out, "virtvgpu_migrations_total", "counter",
                           "Migrations of domains with vGPUs to this host (in) and from it "
                           "(out), and how they ended.");
    for (gsize i = 0; i < VGPU_METRICS_OUTCOMES; i++)
        vgpu_exposition_add(out, (double) counts->arrivals[i], "direction", "in", "outcome",
                            vgpu_metrics_outcomes[i], NULL);
    for (gsize i = 0; i < VGPU_METRICS_OUTCOMES; i++) {
        if (!g_str_equal(vgpu_metrics_outcomes[i], "refused"))
            vgpu_exposition_add(out, (double) counts->departures[i], "direction", "out",
                                "outcome", vgpu_metrics_outcomes[i], NULL);
    }
}

static void
write_summary(VgpuExposition *out, const VgpuSummary *summary, const char *name, const char *help)
{
    vgpu_exposition_family(out, name, "summary", help);
    vgpu_exposition_add_part(out, "_sum", summary->sum, NULL);
    vgpu_exposition_add_part(out, "_count", (double) summary->count, NULL);
}

static void
write_costs(VgpuExposition *out, const VgpuMetricsCounts *counts)
{
    write_summary(
        out, &counts->downtime, "virtvgpu_migration_downtime_seconds",
        "For how long guests with vGPUs were paused that have migrated from this host.");
    write_summary(out, &counts->data, "virtvgpu_migration_data_bytes",
                  "How much was sent for guests with vGPUs that have migrated from this host.");
}

static void
write_log(VgpuExposition *out)
{
    vgpu_exposition_family(out, "virtvgpu_log_lines_dropped_total", "counter",
                           "Log lines that were dropped because the log was not read.");
    vgpu_exposition_add(out, (double) vgpu_log_dropped(), NULL);
}

char *
vgpu_metrics_text(VgpuMetrics *self, const VgpuHostRows *rows)
{
    VgpuMetricsCounts counts = vgpu_metrics_counts(self);
    VgpuExposition *out = vgpu_exposition_new();

    vgpu_gauges_write_up(out, TRUE);
    write_build(out);
    vgpu_gauges_write(out, rows);
    write_records(out, rows->vgpus);
    write_hook(out, &counts);
    write_backend(out, &counts);
    write_reconcile(out, &counts);
    write_lost(out, &counts);
    write_migrations(out, &counts);
    write_costs(out, &counts);
    write_log(out);
    return vgpu_exposition_end(out);
}

char *
vgpu_metrics_text_down(void)
{
    VgpuExposition *out = vgpu_exposition_new();

    vgpu_gauges_write_up(out, FALSE);
    return vgpu_exposition_end(out);
}
