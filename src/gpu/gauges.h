/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gauges.h: the state of a host, as gauges for Prometheus
 *
 * Made from the rows of org.virtvgpu.Manager1, so that the daemon and its client print the same. The
 * names are documented in virt-vgpu(1). */
#pragma once

#include "base/exposition.h"

/* All of type aa{sv}, as the methods of these names return them; each may be NULL. */
typedef struct {
    GVariant *gpus;     /* ListGpus, and figures as of vgpu_stats_join_gpus() if there are some */
    GVariant *profiles; /* ListProfiles, of all GPUs */
    GVariant *vgpus; /* ListVgpus, all, and figures as of vgpu_stats_join() if there are some */
    GVariant *pools; /* ListPools */
} VgpuHostRows;

void vgpu_host_rows_clear(VgpuHostRows *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuHostRows, vgpu_host_rows_clear)

/* Whether the dictionary @row has @key, a number of any type. */
gboolean vgpu_gauges_number(GVariant *row, const char *key, double *out);

void vgpu_gauges_write(VgpuExposition *out, const VgpuHostRows *rows);
/* Whether there is a daemon at all. */
void vgpu_gauges_write_up(VgpuExposition *out, gboolean up);
