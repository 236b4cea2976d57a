#include "daemon/service-metrics.h"

#include "daemon/metrics.h"
#include "daemon/report.h"
#include "daemon/turn.h"

#define MAX_AGE_MS                                                                               \
    600000 /* what was not touched by us; a scrape is no reason to keep processes alive */

typedef struct {
    VgpuManager *manager;
    VgpuHostRows rows;
} Reading;

static void
read_gpus(gpointer data)
{
    Reading *reading = data;

    reading->rows.gpus = g_variant_ref_sink(vgpu_report_gpus(reading->manager));
}

static void
read_profiles(gpointer data)
{
    Reading *reading = data;

    reading->rows.profiles = g_variant_ref_sink(vgpu_report_profiles(reading->manager, NULL));
}

static void
read_vgpus(gpointer data)
{
    Reading *reading = data;

    reading->rows.vgpus = g_variant_ref_sink(vgpu_report_vgpus(reading->manager, true));
}

static void
read_pools(gpointer data)
{
    Reading *reading = data;
    g_autoptr(GPtrArray) pools = vgpu_manager_list_pools(reading->manager);

    reading->rows.pools = g_variant_ref_sink(vgpu_report_pools(pools));
}

char *
vgpu_metrics_collect(gpointer opaque)
{
    static void (*const steps[])(gpointer data) = { read_gpus, read_profiles, read_vgpus,
                                                    read_pools };
    const VgpuMetricsSource *source = opaque;
    g_auto(VgpuHostRows) rows = { 0 };
    Reading reading = { .manager = source->manager };

    /* one by one, so that a hook that calls meanwhile waits for one of them at most */
    vgpu_turn_seen(source->worker, source->manager, MAX_AGE_MS, steps[0], &reading);
    for (gsize i = 1; i < G_N_ELEMENTS(steps); i++)
        vgpu_worker_call(source->worker, steps[i], &reading);
    rows = reading.rows;
    return vgpu_metrics_text(vgpu_metrics_default(), &rows);
}

static gboolean
on_get_metrics(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    g_autofree char *text = vgpu_metrics_collect(opaque);

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
    VgpuMetricsSource *source = g_new0(VgpuMetricsSource, 1);

    source->worker = worker;
    source->manager = manager;
    g_signal_connect_data(skeleton, "handle-get-metrics", G_CALLBACK(on_get_metrics), source,
                          free_source, (GConnectFlags) 0);
}
