/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handmade.h: finds the vGPU of a <hostdev> that was made by hand
 *
 * The daemon knows existing vGPUs and their GPUs, mdevctl's files those that do not exist now. No driver
 * is called. */
#pragma once

#include "bus/manager1.h"
#include "domain/domain.h"
#include "sysfs/sysfs.h"

typedef struct VgpuHandmade VgpuHandmade;

/* Asks @manager once for all that it knows; both are borrowed. */
VgpuHandmade *vgpu_handmade_new(VgpuBusManager1 *manager, const VgpuSysfs *fs, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_handmade_free(VgpuHandmade *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuHandmade, vgpu_handmade_free)

typedef enum {
    VGPU_HANDMADE_OTHER,   /* no vGPU: a network card, a whole GPU */
    VGPU_HANDMADE_VGPU,    /* one, of that profile */
    VGPU_HANDMADE_UNTYPED, /* one, but nothing says of which profile */
    VGPU_HANDMADE_UNKNOWN, /* its type is unknown, or it belongs to another domain */
} VgpuHandmadeKind;

typedef struct {
    VgpuHandmadeKind kind;
    VgpuInterface interface; /* of a vGPU */
    char *profile;           /* a name, or else an id; NULL: not known */
    char *gpu;               /* the function that it is on; NULL: not known */
    char *pool;              /* that its GPU is given to; NULL: none */
    char *reason;            /* why it is not a VGPU_HANDMADE_VGPU; NULL otherwise */
    char *advice;            /* the step left to do besides the import; NULL: none */
} VgpuHandmadeDevice;

void vgpu_handmade_device_clear(VgpuHandmadeDevice *self);

/* @hostdev of the domain with the UUID @domain_uuid. */
VgpuHandmadeDevice vgpu_handmade_look(const VgpuHandmade *self, const VgpuHostdev *hostdev,
                                      const char *domain_uuid);
