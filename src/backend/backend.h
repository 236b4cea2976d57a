/* backend.h: what every way of making a vGPU must be able to do
 *
 * Nothing outside this directory asks which family a device is of, except through the model's
 * VgpuInterface. */
#pragma once

#include "base/sysfs.h"
#include "gpu/inventory.h"

/* Where a vGPU is to be, or is. */
typedef struct {
    const char *parent; /* canonical PCI address of PF or VF */
    const char *profile_id;
    const char *uuid; /* canonical */
} VgpuPlace;

/* One write to sysfs. */
typedef struct {
    char *path;
    char *text;
} VgpuWrite;

void vgpu_write_clear(VgpuWrite *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuWrite, vgpu_write_clear)

/* What the kernel shows of a device at one moment. */
typedef struct {
    bool exists;
    char *parent;     /* NULL when it cannot be told */
    char *profile_id; /* NULL when it cannot be told */
} VgpuPresence;

void vgpu_presence_clear(VgpuPresence *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuPresence, vgpu_presence_clear)

typedef struct {
    VgpuInterface interface;

    /* Add what @parent offers (static facts go to @gpu once). */
    void (*read_offers)(const VgpuSysfs *sysfs, VgpuGpu *gpu, VgpuParent *parent);

    /* How many more of @profile_id @parent would take at this moment, 0 when it cannot be read. */
    guint (*read_available)(const VgpuSysfs *sysfs, const char *parent, const char *profile_id);

    /* Make the device. Blocks for as long as the driver does, so only on a lane. On failure there
     * is no device that was not there before. VGPU_ERROR_BUSY: the UUID is taken (also by a
     * removal that is still under way); VGPU_ERROR_DRIVER: refused, another parent may do. */
    bool (*create)(const VgpuSysfs *sysfs, const VgpuPlace *place, GError **error);

    /* What to write to have it removed. The write may block until the last user has gone. */
    VgpuWrite (*removal)(const VgpuPlace *place);

    VgpuPresence (*look)(const VgpuSysfs *sysfs, const VgpuPlace *place);

    /* Whether a process holds the device open. */
    bool (*in_use)(const VgpuSysfs *sysfs, const VgpuPlace *place);
} VgpuBackend;

/* NULL for an interface that this version cannot make vGPUs on. */
const VgpuBackend *vgpu_backend_get(VgpuInterface interface);
