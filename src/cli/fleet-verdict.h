/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-verdict.h: which hosts have room for what is asked for, and why others do not */
#pragma once

#include "cli/fleet-ask.h"
#include "cli/table.h"

extern const VgpuColumn vgpu_fleet_verdict_columns[];

/* The verdict for each host, by its UUID. */
GHashTable *vgpu_fleet_verdict_read(VgpuStore *store, const VgpuFleetAsk *ask, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* How many have room. */
guint vgpu_fleet_verdict_count(GHashTable *verdicts);

/* What the tenant's quota says, if only that keeps it from some host; else NULL. */
char *vgpu_fleet_verdict_quota(GHashTable *verdicts);

/* As a table with @reason (NULL: none) below, or as JSON. */
void vgpu_fleet_verdict_print(const VgpuCli *cli, const VgpuFleetAsk *ask, GHashTable *verdicts,
                              bool is_possible, const char *reason);
