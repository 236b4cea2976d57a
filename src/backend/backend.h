/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* backend.h: the operations of every way of making a vGPU
 *
 * Nothing outside this directory asks which family a device is of, except through the model's
 * VgpuInterface. */
#pragma once

#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

/* Where a vGPU is or will be. */
typedef struct {
    const char *parent; /* canonical PCI address of PF or VF */
    const char *profile_id;
    const char *uuid; /* canonical; VFs have none, there it is only our name for the vGPU */
} VgpuPlace;

/* The state of a device in the kernel at one moment. */
typedef struct {
    bool exists;
    char *parent;     /* NULL when unknown */
    char *profile_id; /* NULL when unknown */
    char *unusable;   /* why QEMU could not open it, with advice; NULL: it could */
} VgpuPresence;

static inline void
vgpu_presence_clear(VgpuPresence *self)
{
    g_free(self->parent);
    g_free(self->profile_id);
    g_free(self->unusable);
    *self = (VgpuPresence) { 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuPresence, vgpu_presence_clear)

/* The outcome of a call to make a device, besides its return value. */
typedef struct {
    bool existed; /* it was there with that profile, and no process has it open */
    bool left;    /* it failed, and a device that was made may be there still */
    bool futile;  /* it failed, and would on the GPU's other functions */
} VgpuMaking;

typedef struct {
    VgpuInterface interface;

    /* Add the offers of @parent, which has none yet (static facts go to @gpu once). False: they are
     * unknown. */
    bool (*read_offers)(const VgpuSysfs *sysfs, VgpuGpu *gpu, VgpuParent *parent, GError **error);

    /* Add the instances on @parent, which has none yet; NULL where scan.c finds them by UUID. A plain VF
     * has none: the kernel does not know whether a domain uses it. */
    void (*read_instances)(const VgpuSysfs *sysfs, VgpuParent *parent);

    /* Make the device, or find that it is there (which is not reported for a plain VF, as that is always
     * there); @making is zeroed by the caller. Blocks for as long as the driver does. On failure there is
     * no device that was not there before, unless @making says so: one that QEMU could not open does
     * not stay.
     * VGPU_ERROR_BUSY: the UUID is taken (also by a removal that is still under way), or the VF
     * carries a type that is open or not the wanted one; VGPU_ERROR_DRIVER: refused, another
     * parent may do. */
    bool (*create)(const VgpuSysfs *sysfs, const VgpuPlace *place, VgpuMaking *making,
                   GError **error);

    /* Write plugin parameters ("": that there are none), all at once, to a device that no process has
     * open yet, and read them back: *@doubt says why the device may not have exactly these, and is left
     * alone if it has. Blocks like create(). NULL where there are none. */
    bool (*write_params)(const VgpuSysfs *sysfs, const VgpuPlace *place, const char *params,
                         char **doubt, GError **error);

    /* The plugin parameters that the device has, "" for none, as where its driver takes none; NULL: they
     * cannot be read. Owned by the caller. NULL where write_params() is. */
    char *(*read_params)(const VgpuSysfs *sysfs, const VgpuPlace *place);

    /* Have it removed: 0, or the errno value that the driver answered. May block until its last user has
     * closed it, and cannot be interrupted then. */
    int (*remove)(const VgpuSysfs *sysfs, const VgpuPlace *place);

    /* How long its driver gets to remove it by itself after the last user has closed it, in ms; NULL: no
     * time at all. */
    guint (*removal_grace)(const VgpuSysfs *sysfs);

    /* The device at @place; for a plain VF, whether the VF exists. A device that was made a moment ago
     * may not be usable yet, see vgpu_vfio_settle(). */
    VgpuPresence (*look)(const VgpuSysfs *sysfs, const VgpuPlace *place);

    /* Whether a process has it open. May block while QEMU opens or closes it. */
    VgpuUse (*use)(const VgpuSysfs *sysfs, const VgpuPlace *place);
} VgpuBackend;

/* NULL for an interface that this version cannot make vGPUs on. */
const VgpuBackend *vgpu_backend_get(VgpuInterface interface);
