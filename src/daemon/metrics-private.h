/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics-private.h: shared by metrics.c and metrics-text.c */
#pragma once

#include "daemon/metrics.h"

#define VGPU_METRICS_OPS 5
#define VGPU_METRICS_RESULTS 3
#define VGPU_METRICS_BACKENDS 3
#define VGPU_METRICS_BACKEND_OPS 2
#define VGPU_METRICS_BUCKETS 14
#define VGPU_METRICS_OUTCOMES 3
#define VGPU_METRICS_ACTIONS (VGPU_ACTION_UNDEFINE + 1)

extern const char *const vgpu_metrics_ops[VGPU_METRICS_OPS];
extern const char *const vgpu_metrics_results[VGPU_METRICS_RESULTS];
extern const VgpuInterface vgpu_metrics_backends[VGPU_METRICS_BACKENDS];
extern const char *const vgpu_metrics_backend_ops[VGPU_METRICS_BACKEND_OPS];
extern const char *const vgpu_metrics_outcomes[VGPU_METRICS_OUTCOMES];
/* Upper bounds of the buckets, seconds; longer times are only in the total. */
extern const double vgpu_metrics_bounds[VGPU_METRICS_BUCKETS];

typedef struct {
    guint64 buckets[VGPU_METRICS_BUCKETS]; /* each bucket by itself, without those below it */
    guint64 count;
    double sum; /* s */
} VgpuHistogram;

typedef struct {
    guint64 count;
    double sum;
} VgpuSummary;

typedef struct {
    guint64 calls[VGPU_METRICS_OPS][VGPU_METRICS_RESULTS];
    VgpuHistogram hook[VGPU_METRICS_OPS];
    VgpuHistogram backend[VGPU_METRICS_BACKENDS][VGPU_METRICS_BACKEND_OPS];
    guint64 failures[VGPU_METRICS_BACKENDS]; /* to make one */
    guint64 actions[VGPU_METRICS_ACTIONS];
    guint64 arrivals[VGPU_METRICS_OUTCOMES], departures[VGPU_METRICS_OUTCOMES];
    VgpuSummary downtime, data; /* of departures, in seconds and bytes */
    guint64 lost;               /* vGPUs that have vanished under running domains */
    gint64 last_reconcile;      /* s since 1970, 0: none yet */
} VgpuMetricsCounts;

/* A snapshot of all counters. */
VgpuMetricsCounts vgpu_metrics_counts(VgpuMetrics *self);
