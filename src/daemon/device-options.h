/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-options.h: the devices that Attach, SetAnnotation and ExplainDevices are given */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "domain/annotate.h"
#include "gpu/inventory.h"
#include "pool/pools.h"

/* Read @device (a{sv}: profile, pool, gpu, placement, count, driver_iso) into @out, whose strings are
 * those of @device. VGPU_ERROR_ARGUMENT names a key that is unknown, given twice or of the wrong type;
 * the values are checked as part of the resulting annotation. */
bool vgpu_device_options(GVariant *device, VgpuAnnotateOptions *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether a device is known here, as vgpu_device_options_check() decides. */
typedef bool (*VgpuDeviceCheck)(const VgpuAnnotateOptions *device, gpointer opaque,
                                GError **error);

/* The annotation, valid, of @devices (aa{sv}, each with the keys above, and profiles, uuid, create, late_attach,
 * frame_rate_limit, console_vnc, unified_memory, debugging, profiling, params) with @options (a{sv}:
 * tenant, keep_room). Errors as above, those of @check, and of vgpu_annotate_append(). */
char *vgpu_device_options_annotation(GVariant *devices, GVariant *options, VgpuDeviceCheck check,
                                     gpointer opaque, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether this host has the pool, the GPU (or a virtual function of one), and the profile (on that GPU,
 * if one is named) that @device names; of alternatives none is needed. VGPU_ERROR_NOT_FOUND. Room is not
 * checked. */
bool vgpu_device_options_check(const VgpuAnnotateOptions *device, const VgpuInventory *inventory,
                               const VgpuPools *pools, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Read the options (a{sv}) of Attach and Detach: live, the running domain, and config, its definition; one of them is
 * true. Errors as above. */
bool vgpu_device_options_where(GVariant *options, bool *live, bool *config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
