/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-metrics.h: figures and counters: the methods GetMetrics, GetStats and GetGpuStats of
 * org.virtvgpu.Manager1, and the text of the first */
#pragma once

#include "bus/manager1.h"
#include "core/manager.h"
#include "daemon/host-setup.h"
#include "daemon/worker.h"

/* The sources of inventory and figures. */
typedef struct {
    VgpuWorker *worker;
    VgpuManager *manager;
    VgpuHostSetup *setup;
} VgpuServiceMetricsSource;

/* Answer them on @skeleton, on threads of their own that wait for the worker, and for the vendor's library. */
void vgpu_service_metrics_connect(VgpuBusManager1 *skeleton,
                                  const VgpuServiceMetricsSource *source);

/* All metrics, see vgpu_metrics_text(). @source is a VgpuServiceMetricsSource. Waits for the worker. */
char *vgpu_service_metrics_collect(gpointer source);
