#include "daemon/service-metrics.h"

#include "daemon/metrics.h"
#include "daemon/report.h"
#include "daemon/turn.h"

#define MAX_AGE_MS                                                                               \
    600000 /* what was not touched by us; a scrape is no reason to keep processes alive */

/* In several turns, so that a hook that calls meanwhile waits for one of them at most. */
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
    turn = vgpu_turn_begin(source->worker);
    rows.vgpus = g_variant_ref_sink(vgpu_report_vgpus(manager, true));
    vgpu_turn_end(turn);
    turn = vgpu_turn_begin(source->worker);
    pools = vgpu_manager_list_pools(manager);
    rows.pools = g_variant_ref_sink(vgpu_report_pools(pools));
    vgpu_turn_end(turn);
    return vgpu_metrics_text(vgpu_metrics_default(), &rows);
}

static gboolean
on_get_metrics(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    g_autofree char *text = vgpu_service_metrics_collect(opaque);

    vgpu_bus_manager1_complete_get_metrics(skeleton, call, text);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
free_source(gpointer data, GClosure *closure)
{
    (void) closure;
    g_free(data);
}

void
vgpu_service_metrics_connect(VgpuBusManager1 *skeleton, VgpuWorker *worker, VgpuManager *manager)
{
    VgpuServiceMetricsSource *source = g_new0(VgpuServiceMetricsSource, 1);

    source->worker = worker;
    source->manager = manager;
    g_signal_connect_data(skeleton, "handle-get-metrics", G_CALLBACK(on_get_metrics), source,
                          free_source, (GConnectFlags) 0);
}
