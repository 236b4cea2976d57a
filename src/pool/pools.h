/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pools.h: all pools of the host, and which GPU belongs to which
 *
 * A pool is /etc/virt-vgpu/pools/NAME.xml; a link of that name in autostart/ makes it active when the
 * daemon starts after a boot. Which ones are active is kept in /run, so that a restart of the daemon
 * changes nothing. A pool that is not active keeps its GPUs, but no new vGPUs are made on them. */
#pragma once

#include "pool/pool.h"

typedef struct VgpuPools VgpuPools;

/* @root as in vgpu_manager_new(). A file that cannot be read is named in a warning, and its GPUs are not
 * used: it is listed as broken, see vgpu_pools_broken(). */
VgpuPools *vgpu_pools_new(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Without files, for tests and for hosts without pools. */
VgpuPools *vgpu_pools_new_empty(void);
/* As they are now, to be asked on another thread; not to be changed. */
VgpuPools *vgpu_pools_copy(const VgpuPools *self);
void vgpu_pools_free(VgpuPools *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPools, vgpu_pools_free)

/* By name; borrowed. */
GPtrArray *vgpu_pools_list(const VgpuPools *self);
/* By name or UUID; NULL when there is none, and for the default pool. Borrowed. */
const VgpuPool *vgpu_pools_find(const VgpuPools *self, const char *name);
bool vgpu_pools_is_active(const VgpuPools *self, const VgpuPool *pool);
bool vgpu_pools_autostarts(const VgpuPools *self, const VgpuPool *pool);
/* "FILE: reason" of each file that could not be read; borrowed. */
const GPtrArray *vgpu_pools_broken(const VgpuPools *self);

/* The pool of the GPU; NULL: the default one. A pool that names the GPU takes precedence over one that
 * matches it, among equals the first by name. */
const VgpuPool *vgpu_pools_of(const VgpuPools *self, const VgpuGpu *gpu);
/* The first active pool whose <domains> has that name, and how many devices it gives. */
const VgpuPool *vgpu_pools_for_domain(const VgpuPools *self, const char *domain_name,
                                      guint *devices);

/* The verbs. Errors: VGPU_ERROR_NOT_FOUND, VGPU_ERROR_BAD_REQUEST (already so; the default pool;
 * a GPU that another pool names), VGPU_ERROR_FAILED for the file system. On failure nothing has
 * changed, on disk and here. Pools that were found before may be gone after that. */

bool vgpu_pools_set_active(VgpuPools *self, const char *name, bool active, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Define, undefine and autostart in steps, for a thread that must not wait for a disk: these plan it, … */
typedef struct VgpuPoolsChange VgpuPoolsChange;
void vgpu_pools_change_free(VgpuPoolsChange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPoolsChange, vgpu_pools_change_free)
/* One of that name and UUID is replaced and stays as active as it was; a different UUID under the same name, or
 * the name under another UUID, is refused (as virsh does). A new one is inactive and does not autostart. */
VgpuPoolsChange *vgpu_pools_plan_define(VgpuPools *self, const char *xml, gsize len,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Only an inactive one, as with virsh. */
VgpuPoolsChange *vgpu_pools_plan_undefine(const VgpuPools *self, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
VgpuPoolsChange *vgpu_pools_plan_autostart(const VgpuPools *self, const char *name,
                                           bool autostart, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* … this writes, on any thread, … */
bool vgpu_pools_change_write(VgpuPoolsChange *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* … and this takes over the result: returns the pool that is defined now, borrowed, else NULL. No other
 * change may come between the plan and this. */
const VgpuPool *vgpu_pools_carry_out(VgpuPools *self, VgpuPoolsChange *change);

/* Set an error for @name, which vgpu_pools_find() does not find: there is no such pool, its file cannot
 * be read (and why), or it is the default one. */
void vgpu_pools_refuse(const VgpuPools *self, const char *name, GError **error);
/* Read the pool's file again, changed by hand say. */
bool vgpu_pools_refresh(VgpuPools *self, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Complete each want of @domain from its pool: defaults, default profile, driver ISO. Errors name
 * domain, line and pool: there is no such pool, or it has no default profile and the want none, or no
 * image although driverISO is yes. May be done again. */
bool vgpu_pools_complete(const VgpuPools *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
