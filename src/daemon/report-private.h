/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-private.h: helpers to fill dictionaries; unknown values are left out. And parts of reports */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"
#include "gpu/gpu.h"

static inline void
vgpu_put_s(GVariantDict *dict, const char *key, const char *value)
{
    if (value)
        g_variant_dict_insert(dict, key, "s", value);
}

static inline void
vgpu_put_u(GVariantDict *dict, const char *key, guint value)
{
    g_variant_dict_insert(dict, key, "u", value);
}

/* A number of vGPUs. */
static inline void
vgpu_put_count(GVariantDict *dict, const char *key, guint count)
{
    if (count != VGPU_COUNT_UNKNOWN)
        vgpu_put_u(dict, key, count);
}

static inline void
vgpu_put_b(GVariantDict *dict, const char *key, gboolean value)
{
    g_variant_dict_insert(dict, key, "b", value);
}

/* Parts, floating. @cordon NULL: an empty dictionary. */
GVariant *vgpu_report_cordon(const VgpuCordon *cordon);
GVariant *vgpu_report_tenants(const VgpuPoolRow *row);

guint vgpu_report_count_vgpus(const VgpuGpu *gpu);
/* @parent NULL: no driver is bound to the VF that could make vGPUs. @is_seen: see vgpu_reading_is_seen(). */
const char *vgpu_report_vf_state(const VgpuGpu *gpu, const VgpuParent *parent, bool is_seen);
