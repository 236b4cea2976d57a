/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service-metrics.h"

#include "base/error.h"
#include "daemon/metrics.h"
#include "daemon/report.h"
#include "daemon/turn.h"
#include "gpu/stats.h"
#include "gpu/vendor.h"

#define MAX_AGE_MS                                                                               \
    600000 /* unless we touched the GPU; a scrape is no reason to keep processes alive */

/* A scrape must not fail because a library hangs: it then has no figures. */
#define PATIENCE_MS 3000

static GVariant *
list_vgpus(const VgpuServiceMetricsSource *source)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(source->worker);

    return g_variant_ref_sink(vgpu_report_vgpus(source->manager, true));
}

/* Whether a vGPU runs that the vendor's library can report on: otherwise nothing is worth waking it. */
static bool
has_running(GVariant *gpus, GVariant *vgpus)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        const char *vendor, *address;

        if (g_variant_lookup(gpu, "vendor", "&s", &vendor) && vgpu_vendor_is_nvidia(vendor) &&
            g_variant_lookup(gpu, "address", "&s", &address))
            g_hash_table_add(known, g_strdup(address));
    }
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *gpu, *domain, *state;

        if (g_variant_lookup(vgpu, "gpu", "&s", &gpu) && g_hash_table_contains(known, gpu) &&
            g_variant_lookup(vgpu, "domain", "&s", &domain) &&
            g_variant_lookup(vgpu, "state", "&s", &state) && g_str_equal(state, "active"))
            return true;
    }
    return false;
}

static void
add_figures(const VgpuServiceMetricsSource *source, VgpuHostRows *rows)
{
    g_autoptr(GVariant) figures = NULL, gpus = NULL, vgpus = NULL;
    g_autoptr(GVariant) bare_gpus = rows->gpus, bare_vgpus = rows->vgpus;

    if (has_running(bare_gpus, bare_vgpus))
        figures = vgpu_host_setup_stats(source->setup, PATIENCE_MS, NULL);
    if (figures)
        g_variant_get(figures, "(@aa{sv}@aa{sv})", &gpus, &vgpus);
    rows->gpus = vgpu_stats_join_gpus(bare_gpus, gpus);
    rows->vgpus = vgpu_stats_join(bare_vgpus, vgpus);
}

/* In several turns, so that a hook that calls meanwhile waits for only one of them. */
char *
vgpu_service_metrics_collect(gpointer opaque)
{
    const VgpuServiceMetricsSource *source = opaque;
    VgpuManager *manager = source->manager;
    g_auto(VgpuHostRows) rows = { 0 };
    g_autoptr(GPtrArray) pools = NULL;
    VgpuTurn *turn = vgpu_turn_begin_seen(source->worker, manager, MAX_AGE_MS);

    rows.gpus = g_variant_ref_sink(vgpu_report_gpus(manager));
    vgpu_turn_end(turn);
    turn = vgpu_turn_begin(source->worker);
    rows.profiles = g_variant_ref_sink(vgpu_report_profiles(manager, NULL));
    vgpu_turn_end(turn);
    rows.vgpus = list_vgpus(source);
    turn = vgpu_turn_begin(source->worker);
    pools = vgpu_manager_list_pools(manager);
    rows.pools = g_variant_ref_sink(vgpu_report_pools(pools, false));
    vgpu_turn_end(turn);
    add_figures(source, &rows);
    return vgpu_metrics_text(vgpu_metrics_default(), &rows);
}

static gboolean
on_get_metrics(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    g_autofree char *text = vgpu_service_metrics_collect(opaque);

    vgpu_bus_manager1_complete_get_metrics(skeleton, call, text);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* The GPUs' figures, or the vGPUs'; NULL: the call is answered. */
static GVariant *
get_figures(GDBusMethodInvocation *call, const VgpuServiceMetricsSource *source, gsize which)
{
    GError *error = NULL;
    g_autoptr(GVariant) figures = vgpu_host_setup_stats(source->setup, 0, &error);
    g_autofree char *text = NULL;

    if (figures)
        return g_variant_get_child_value(figures, which);
    text = vgpu_error_text(error);
    g_dbus_method_invocation_return_error_literal(call, error->domain, error->code, text);
    g_error_free(error);
    return NULL;
}

static gboolean
on_get_stats(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer source)
{
    g_autoptr(GVariant) stats = get_figures(call, source, 1);
    g_autoptr(GVariant) vgpus = stats ? list_vgpus(source) : NULL;
    g_autoptr(GVariant) named = stats ? vgpu_stats_with_vfs(stats, vgpus) : NULL;

    if (named)
        vgpu_bus_manager1_complete_get_stats(skeleton, call, named);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_gpu_stats(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer source)
{
    g_autoptr(GVariant) stats = get_figures(call, source, 0);

    if (stats)
        vgpu_bus_manager1_complete_get_gpu_stats(skeleton, call, stats);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_metrics_connect(VgpuBusManager1 *skeleton, const VgpuServiceMetricsSource *source)
{
    static const struct {
        const char *signal;
        GCallback callback;
    } methods[] = {
        { "handle-get-metrics", G_CALLBACK(on_get_metrics) },
        { "handle-get-stats", G_CALLBACK(on_get_stats) },
        { "handle-get-gpu-stats", G_CALLBACK(on_get_gpu_stats) },
    };
    VgpuServiceMetricsSource *own = g_memdup2(source, sizeof(*source));

    g_object_set_data_full(G_OBJECT(skeleton), "metrics-source", own, g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        g_signal_connect(skeleton, methods[i].signal, methods[i].callback, own);
}
