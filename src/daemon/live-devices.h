/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* live-devices.h: vGPUs that come to and go from running domains */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"
#include "libvirt/watch.h"

/* A device that a guest was asked to release. */
typedef struct {
    const char *domain_uuid;
    guint index;
    bool gone;
    bool refused; /* by the guest */
} VgpuLeaving;

/* VgpuWatchEvents.device */
void vgpu_live_devices_on_event(VgpuDeviceEvent event, const char *uuid, int id,
                                const char *alias, gpointer opaque);

/* The `since` of the domain's run, to be noted before libvirt is asked about it. */
guint64 vgpu_live_devices_since(VgpuGuard *self, const char *domain_uuid);
/* The time limit for making a vGPU for a hotplug. */
#define VGPU_LIVE_DEVICES_PLUG_MS (30 * 1000)
/* Have the manager plug the new vGPUs, see vgpu_manager_plug(). Takes @domain; @done is called in a turn, or
 * on the worker. */
void vgpu_live_devices_plug(VgpuGuard *self, VgpuDomain *domain, guint first,
                            VgpuPrepareDone done, gpointer opaque);

/* Tell the manager which vGPUs the running domain has, and which it has lost. */
void vgpu_live_devices_follow(VgpuGuard *self, const VgpuDomainState *state, guint64 since);
