/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics.h: the counters of the running daemon, and the text for Prometheus
 *
 * Counting is a lock and a few additions, from any thread. The names are documented in
 * virt-vgpu(1). */
#pragma once

#include "core/manager.h"
#include "core/reconcile.h"
#include "gpu/gauges.h"

typedef struct VgpuMetrics VgpuMetrics;

VgpuMetrics *vgpu_metrics_new(void);
void vgpu_metrics_free(VgpuMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuMetrics, vgpu_metrics_free)

/* The counters of the daemon; they live as long as the program. */
VgpuMetrics *vgpu_metrics_default(void);

/* A call of the hook is over. @op is libvirt's operation, @result "ok", "refused" or "gone" (its
 * client did not wait), @us how long it took. An unknown operation counts as "other". */
void vgpu_metrics_hook(VgpuMetrics *self, const char *op, const char *result, gint64 us);

/* An event as in the signal Event of org.virtvgpu.Manager1: drivers' times and lost vGPUs are counted,
 * other events ignored. A floating reference stays one. */
void vgpu_metrics_event(VgpuMetrics *self, GVariant *event);

/* A migration has ended. */
void vgpu_metrics_migration(VgpuMetrics *self, const VgpuMigrationEnd *end);

/* A reconciliation carried out these (of VgpuAction) at @now, seconds since 1970. */
void vgpu_metrics_reconciled(VgpuMetrics *self, const GPtrArray *actions, gint64 now);

/* All metrics: that the daemon is up, those of the host, and the counters. */
char *vgpu_metrics_text(VgpuMetrics *self, const VgpuHostRows *rows);
/* The metrics of a daemon that is not running. */
char *vgpu_metrics_text_down(void);
