/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* licenses.h: the NVIDIA licences of the guests' drivers, and changes of them */
#pragma once

#include <glib.h>

#include "base/event.h"

typedef struct VgpuLicenses VgpuLicenses;

VgpuLicenses *vgpu_licenses_new(void);
void vgpu_licenses_free(VgpuLicenses *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLicenses, vgpu_licenses_free)

/* Take the present statistics (aa{sv}, as of GetStats), and call @tell with the event license-changed
 * for each vGPU whose state has changed. The first state of a vGPU is no change, nor is that of its next
 * run. */
void vgpu_licenses_take(VgpuLicenses *self, GVariant *stats,
                        void (*tell)(const VgpuEvent *event, gpointer opaque), gpointer opaque);
