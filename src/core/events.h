/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.h: events that the manager reports to its program */
#pragma once

#include "core/manager.h"

/* @reason may be NULL, @duration_ms < 0: not given. Floating. */
GVariant *vgpu_events_make(const char *event, const VgpuOwner *owner, const VgpuClaim *claim,
                           const char *reason, gint64 duration_ms);
/* The same, and tell it. */
void vgpu_events_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                      const VgpuClaim *claim, const char *reason, gint64 duration_ms);
/* The event for a vGPU that is not available: of @domain (NULL: not known), about @want (NULL: not
 * known). */
void vgpu_events_emit_refusal(VgpuManager *self, const char *event, const VgpuDomain *domain,
                              const VgpuWant *want, const char *reason, gint64 duration_ms);
