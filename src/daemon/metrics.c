/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/metrics.h"

#include "daemon/metrics-private.h"

const char *const vgpu_metrics_ops[VGPU_METRICS_OPS] = { "prepare", "release", "migrate",
                                                         "restore", "other" };
const char *const vgpu_metrics_results[VGPU_METRICS_RESULTS] = { "ok", "refused", "gone" };
const VgpuInterface vgpu_metrics_backends[VGPU_METRICS_BACKENDS] = {
    VGPU_INTERFACE_MDEV,
    VGPU_INTERFACE_VENDOR_VFIO,
    VGPU_INTERFACE_VF,
};
const char *const vgpu_metrics_backend_ops[VGPU_METRICS_BACKEND_OPS] = { "create", "remove" };
const char *const vgpu_metrics_outcomes[VGPU_METRICS_OUTCOMES] = { "ok", "refused", "failed" };
const double vgpu_metrics_bounds[VGPU_METRICS_BUCKETS] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
};

struct VgpuMetrics {
    GMutex lock;
    VgpuMetricsCounts counts;
};

VgpuMetrics *
vgpu_metrics_new(void)
{
    VgpuMetrics *self = g_new0(VgpuMetrics, 1);

    g_mutex_init(&self->lock);
    return self;
}

void
vgpu_metrics_free(VgpuMetrics *self)
{
    if (!self)
        return;
    g_mutex_clear(&self->lock);
    g_free(self);
}

VgpuMetrics *
vgpu_metrics_default(void)
{
    static VgpuMetrics metrics;

    return &metrics;
}

VgpuMetricsCounts
vgpu_metrics_counts(VgpuMetrics *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    return self->counts;
}

/* The index of @word, else the last one. */
static gsize
find(const char *const *words, gsize n, const char *word)
{
    gsize i = 0;

    while (i < n - 1 && g_strcmp0(words[i], word) != 0)
        i++;
    return i;
}

static void
observe(VgpuHistogram *histogram, gint64 us)
{
    double seconds = (double) us / G_USEC_PER_SEC;

    histogram->count++;
    histogram->sum += seconds;
    for (gsize i = 0; i < VGPU_METRICS_BUCKETS; i++) {
        if (seconds <= vgpu_metrics_bounds[i]) {
            histogram->buckets[i]++;
            return;
        }
    }
}

void
vgpu_metrics_hook(VgpuMetrics *self, const char *op, const char *result, gint64 us)
{
    gsize o = find(vgpu_metrics_ops, VGPU_METRICS_OPS, op);
    gsize r = find(vgpu_metrics_results, VGPU_METRICS_RESULTS, result);

    g_mutex_lock(&self->lock);
    self->counts.calls[o][r]++;
    observe(&self->counts.hook[o], us);
    g_mutex_unlock(&self->lock);
}

/* VGPU_METRICS_BACKENDS: none of them. */
static gsize
find_backend(const char *interface)
{
    VgpuInterface wanted = vgpu_interface_from_string(interface);
    gsize i = 0;

    while (i < VGPU_METRICS_BACKENDS && vgpu_metrics_backends[i] != wanted)
        i++;
    return i;
}

void
vgpu_metrics_event(VgpuMetrics *self, GVariant *event)
{
    static const char *const events[] = { "vgpu-created", "vgpu-removed" };
    const char *name = NULL, *interface = NULL;
    gsize backend;
    guint32 ms;

    if (g_variant_lookup(event, "event", "&s", &name) && g_str_equal(name, "vgpu-lost")) {
        g_mutex_lock(&self->lock);
        self->counts.lost++;
        g_mutex_unlock(&self->lock);
        return;
    }
    if (!g_variant_lookup(event, "event", "&s", &name) ||
        !g_variant_lookup(event, "interface", "&s", &interface) ||
        !g_variant_lookup(event, "duration_ms", "u", &ms))
        return;
    backend = find_backend(interface);
    if (backend == VGPU_METRICS_BACKENDS)
        return;
    g_mutex_lock(&self->lock);
    for (gsize op = 0; op < G_N_ELEMENTS(events); op++) {
        if (g_str_equal(name, events[op]))
            observe(&self->counts.backend[backend][op], (gint64) ms * 1000);
    }
    self->counts.failures[backend] += g_str_equal(name, "create-failed");
    g_mutex_unlock(&self->lock);
}

static void
add(VgpuSummary *summary, double value)
{
    summary->count++;
    summary->sum += value;
}

void
vgpu_metrics_migration(VgpuMetrics *self, const VgpuMigrationEnd *end)
{
    gsize outcome = find(vgpu_metrics_outcomes, VGPU_METRICS_OUTCOMES, end->outcome);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    (end->departs ? self->counts.departures : self->counts.arrivals)[outcome]++;
    if (end->downtime_ms >= 0)
        add(&self->counts.downtime, (double) end->downtime_ms / 1000);
    if (end->data_bytes)
        add(&self->counts.data, (double) end->data_bytes);
}

void
vgpu_metrics_reconciled(VgpuMetrics *self, const GPtrArray *actions, gint64 now)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    for (guint i = 0; i < actions->len; i++) {
        const VgpuAction *action = g_ptr_array_index(actions, i);

        self->counts.actions[action->kind]++;
    }
    self->counts.last_reconcile = now;
}
