/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics-file.h: the metrics in a file, for the textfile collector of Prometheus' node_exporter */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Put @text at @path in one step, readable by everybody: the collector is another user. A user
 * who may write to the directory cannot make this write anywhere else. */
bool vgpu_metrics_file_write(const char *path, const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct VgpuMetricsFile VgpuMetricsFile;

/* Write what @collect returns (its result is freed) to @path now and every @interval seconds, on a
 * thread of its own. A failure is logged once, until it is over. */
VgpuMetricsFile *vgpu_metrics_file_start(const char *path, guint interval,
                                         char *(*collect)(gpointer opaque), gpointer opaque);

/* From now on the file says that the daemon is down. The thread and @self are left behind, since the
 * thread may wait for a worker that has ended. */
void vgpu_metrics_file_stop(VgpuMetricsFile *self);
