/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drivers.h: all driver processes of the daemon: one that discovers, and one for each GPU */
#pragma once

#include "driver/driver.h"
#include "gpu/inventory.h"

typedef struct VgpuDrivers VgpuDrivers;

/* Each is called from the context, never from within a function of this file; borrowed arguments. */
typedef struct {
    /* What was discovered (see gpu/contents.h), when it differs from the last. */
    void (*discovered)(GVariant *discovery, gpointer opaque);
    /* What was read of a GPU, when it differs from the last. False: it makes no sense. */
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

/* What a process is asked to read @gpu with, as it was discovered; floating. */
GVariant *vgpu_drivers_read_arguments(const VgpuGpu *gpu);

/* PFs that count as GPUs whatever their class is (a set of addresses, or NULL), from now on. */
void vgpu_drivers_set_named(VgpuDrivers *self, GHashTable *named);
/* Is what was discovered good as of @since? Discover again if not. */
VgpuSight vgpu_drivers_discover(VgpuDrivers *self, gint64 since);
/* Nothing that was discovered before now is good, whatever it looks like. */
void vgpu_drivers_rediscover(VgpuDrivers *self);

/* The GPUs that there are from now on; what waits for one that has gone is told so. */
void vgpu_drivers_take(VgpuDrivers *self, const VgpuInventory *inventory);

/* As the functions of driver/driver.h; a GPU that carries no vGPUs, or is not there, is always fresh. */
VgpuSight vgpu_drivers_see(VgpuDrivers *self, const char *gpu, gint64 since);
void vgpu_drivers_touch(VgpuDrivers *self, const char *gpu);
gint64 vgpu_drivers_working_since(const VgpuDrivers *self, const char *gpu);
const char *vgpu_drivers_why(const VgpuDrivers *self, const char *gpu, gint64 *since);
/* For unhold(); 0: there is nothing to hold. It is void when the GPU has been away meanwhile. */
guint64 vgpu_drivers_hold(VgpuDrivers *self, const char *gpu);
void vgpu_drivers_unhold(VgpuDrivers *self, const char *gpu, guint64 hold);
/* Where there is no such GPU the task is given back. */
void vgpu_drivers_push(VgpuDrivers *self, const char *gpu, const VgpuDriverTask *task);
