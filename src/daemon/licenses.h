/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* licenses.h: what the guests' drivers have of NVIDIA's licences, and when that changes */
#pragma once

#include <glib.h>

#include "base/event.h"

typedef struct VgpuLicenses VgpuLicenses;

VgpuLicenses *vgpu_licenses_new(void);
void vgpu_licenses_free(VgpuLicenses *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLicenses, vgpu_licenses_free)

/* Take what statistics (aa{sv}, as of GetStats) tell now, and call @tell with the event license-changed for each
 * vGPU whose state is another than before. The first state of a vGPU is none, and so is that of its next run. */
void vgpu_licenses_take(VgpuLicenses *self, GVariant *stats,
                        void (*tell)(const VgpuEvent *event, gpointer opaque), gpointer opaque);
