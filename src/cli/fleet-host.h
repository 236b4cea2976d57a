/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-host.h: a host of the fleet that a user has typed */
#pragma once

#include <stdbool.h>

#include "fleet/store.h"
#include "fleet/summary.h"

typedef struct {
    char *uuid;
    VgpuSummary *summary; /* NULL: its agent is not there */
    bool is_drained;      /* it was asked to take nothing new */
} VgpuFleetHost;

void vgpu_fleet_host_free(VgpuFleetHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFleetHost, vgpu_fleet_host_free)

/* By its UUID, or by its name if its agent is there. NOT_FOUND: there is none; ARGUMENT: several have that name. */
VgpuFleetHost *vgpu_fleet_host_find(VgpuStore *store, const char *typed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* How messages call it: "host 'NAME'", or its UUID. */
char *vgpu_fleet_host_text(const VgpuFleetHost *self);

/* The URI of its libvirt. */
char *vgpu_fleet_host_uri(const VgpuSummary *summary);

/* s since 1970 as ISO 8601; NULL: 0 */
char *vgpu_fleet_host_time(gint64 when);
