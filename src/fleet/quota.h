/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quota.h: how much a tenant may have in the whole fleet; pure */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint devices; /* 0: no limit */
    guint64 mib;   /* of frame buffer; 0: no limit */
} VgpuQuota;

char *vgpu_quota_encode(const VgpuQuota *self);
/* Of quota/NAME, and of tenants/NAME/DOMAIN, where it is what is used. False: it is none. */
bool vgpu_quota_decode(const char *text, VgpuQuota *quota);

/* Whether @more fits beside @used; otherwise an error that says why not. */
bool vgpu_quota_check(const VgpuQuota *self, const char *tenant, const VgpuQuota *used,
                      const VgpuQuota *more, GError **error) G_GNUC_WARN_UNUSED_RESULT;
