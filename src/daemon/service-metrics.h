/* service-metrics.h: the method GetMetrics of org.virtvgpu.Manager1, and what it answers */
#pragma once

#include "bus/manager1.h"
#include "core/manager.h"
#include "daemon/worker.h"

/* Answer it on @skeleton, on a thread of its own that waits for the worker. */
void vgpu_service_metrics_connect(VgpuBusManager1 *skeleton, VgpuWorker *worker,
                                  VgpuManager *manager);

/* Where the inventory comes from. */
typedef struct {
    VgpuWorker *worker;
    VgpuManager *manager;
} VgpuServiceMetricsSource;

/* All metrics, see vgpu_metrics_text(). @source is a VgpuServiceMetricsSource. Waits for the worker. */
char *vgpu_service_metrics_collect(gpointer source);
