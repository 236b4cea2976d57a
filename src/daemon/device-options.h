/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-options.h: the device that the method Attach is given */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "domain/annotate.h"
#include "gpu/inventory.h"
#include "pool/pools.h"

/* Read @device (a{sv}: profile, pool, gpu, placement, count, driver_iso) into @out, whose strings
 * are those of @device. VGPU_ERROR_ARGUMENT names a key that is unknown, given twice or of the
 * wrong type; what the values mean is checked with the annotation that comes of them. */
bool vgpu_device_options(GVariant *device, VgpuAnnotateOptions *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether this host has what @device names: the pool, the GPU (or a virtual function of one), and the profile,
 * there if a GPU is named. VGPU_ERROR_NOT_FOUND. Whether there is room is not asked. */
bool vgpu_device_options_check(const VgpuAnnotateOptions *device, const VgpuInventory *inventory,
                               const VgpuPools *pools, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Read flags of Attach and Detach: 1 the running domain, 2 its definition. */
bool vgpu_device_options_flags(guint flags, bool *live, bool *config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
