/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drivers.h: all driver processes of the daemon: one that discovers, and one for each GPU */
#pragma once

#include "driver/driver.h"
#include "gpu/inventory.h"

typedef struct VgpuDrivers VgpuDrivers;

/* Each is called from the context, never from within a function of this file; borrowed arguments. */
typedef struct {
    /* A discovery (see gpu/contents.h) that differs from the last one. */
    void (*discovered)(GVariant *discovery, gpointer opaque);
    /* A reading of a GPU that differs from the last one. False: it is invalid. */
    bool (*contents)(const char *gpu, GVariant *contents, gpointer opaque);
    void (*changed)(gpointer opaque);
    /* Whether there are vGPUs of ours on it, or about to be. */
    bool (*is_needed)(const char *gpu, gpointer opaque);
} VgpuDriversOps;

VgpuDrivers *vgpu_drivers_new(const VgpuDriverOptions *options, GMainContext *context,
                              const VgpuDriversOps *ops, gpointer opaque);
void vgpu_drivers_free(VgpuDrivers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDrivers, vgpu_drivers_free)

/* For processes of one vGPU. Borrowed. */
const VgpuDriverOptions *vgpu_drivers_options(const VgpuDrivers *self);

/* The arguments to read @gpu with, as it was discovered; floating. */
GVariant *vgpu_drivers_read_arguments(const VgpuGpu *gpu);

/* PFs that count as GPUs from now on, regardless of their class (a set of addresses, or NULL). */
void vgpu_drivers_set_named(VgpuDrivers *self, GHashTable *named);
/* Whether there is a discovery from @since or later; starts one if not. */
VgpuSight vgpu_drivers_discover(VgpuDrivers *self, gint64 since);
/* No discovery from before now counts, even if the next one looks the same. */
void vgpu_drivers_rediscover(VgpuDrivers *self);

/* The GPUs that exist from now on; tasks for one that has disappeared fail. */
void vgpu_drivers_take(VgpuDrivers *self, const VgpuInventory *inventory);

/* As the functions of driver/driver.h; a GPU that carries no vGPUs, or is not there, is always fresh. */
VgpuSight vgpu_drivers_see(VgpuDrivers *self, const char *gpu, gint64 since);
void vgpu_drivers_touch(VgpuDrivers *self, const char *gpu);
gint64 vgpu_drivers_working_since(const VgpuDrivers *self, const char *gpu);
const char *vgpu_drivers_why(const VgpuDrivers *self, const char *gpu, gint64 *since);
/* For unhold(); 0: there is nothing to hold. Ignored there if the GPU was removed meanwhile. */
guint64 vgpu_drivers_hold(VgpuDrivers *self, const char *gpu);
void vgpu_drivers_unhold(VgpuDrivers *self, const char *gpu, guint64 hold);
/* If there is no such GPU, the task is given back. */
void vgpu_drivers_push(VgpuDrivers *self, const char *gpu, const VgpuDriverTask *task);
