/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tenant.h: what tenants have in the fleet, and may have, as the store says */
#pragma once

#include "fleet/holding.h"
#include "fleet/quota.h"
#include "fleet/store.h"

/* Whether @holding, which may have no tenant, fits beside what its tenant has on all hosts; what its domain has
 * there does not count. *@quota_changed and *@read: revisions of the quota, and of what the tenant has. */
bool vgpu_tenant_check(VgpuStore *store, const VgpuHolding *holding, gint64 *quota_changed,
                       gint64 *read, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *name;
    bool is_limited;
    VgpuQuota max, used;
} VgpuTenant;

void vgpu_tenant_free(VgpuTenant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuTenant, vgpu_tenant_free)

/* All that have something or are limited, of VgpuTenant, in the order of their keys. */
GPtrArray *vgpu_tenant_list(VgpuStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Change the limits: NULL leaves one as it is, 0 is no limit. */
bool vgpu_tenant_limit(VgpuStore *store, const char *name, const guint *devices,
                       const guint64 *mib, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND: it has no limits. */
bool vgpu_tenant_unlimit(VgpuStore *store, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
