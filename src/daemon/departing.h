/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* departing.h: what libvirt reports of domains that migrate to another host */
#pragma once

#include "daemon/guard-private.h"

/* VGPU_DOMAIN_SENDING and VGPU_DOMAIN_SWITCHING. */
void vgpu_departing_on_event(VgpuGuard *self, const char *domain_uuid, VgpuDomainEvent event);
/* VgpuWatchEvents.departed */
void vgpu_departing_on_cost(const char *domain_uuid, const VgpuJobCost *cost, gpointer opaque);
