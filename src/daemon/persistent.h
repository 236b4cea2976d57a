/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* persistent.h: mdevs that outlive a run */
#pragma once

#include "daemon/guard.h"
#include "daemon/outlook.h"

/* The table of outstanding work. */
GHashTable *vgpu_persistent_new(void);
/* Do the work of one domain; false: *@step is the step that has failed, unless it is VGPU_STEP_NODEDEV.
 * On the thread of the node devices. */
bool vgpu_persistent_follow(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                            VgpuStep *step, GError **error);
/* Give a domain the persistent vGPUs that its definition asks for, soon. Takes @domain (may be NULL: none).
 * Those it no longer wants are only removed while it does not run. Any thread. */
void vgpu_persistent_push(VgpuGuard *self, const char *domain_uuid, VgpuDomain *domain,
                          bool running);
/* Wait until the records of @key are on disk, as far as they can be. For the threads of D-Bus methods. */
void vgpu_persistent_wait_saved(VgpuGuard *self, const char *key);
/* The outstanding work is no longer wanted. */
void vgpu_persistent_drop(VgpuGuard *self, const char *domain_uuid);
/* Wait until that work is done; returns at once if there is none. For the threads of D-Bus methods. */
bool vgpu_persistent_finish(VgpuGuard *self, const char *domain_uuid, GError **error);

/* A persistent mdev that belongs to no domain. For the threads of D-Bus methods. */
bool vgpu_persistent_define(VgpuGuard *self, const VgpuWant *want, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_persistent_undefine(VgpuGuard *self, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
