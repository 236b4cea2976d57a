/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device.h: the device of one vGPU: what is at its place, and its removal
 *
 * Both are done by a process of that one vGPU, so that they hold up nothing else: to tell whether a
 * process holds the device open its VFIO group is opened, which waits while the driver opens or closes
 * the device for QEMU; and a removal takes as long as a driver or a dying QEMU likes. */
#pragma once

#include "core/manager.h"

typedef struct VgpuDevice VgpuDevice;

typedef struct {
    VgpuSeenState seen;
    bool is_locked;  /* a process of a daemon before us is at it */
    bool is_written; /* its removal */
    /* Borrowed until done() is over. */
    const char *why; /* it is unusable */
    const char
        *params; /* plugin parameters that it has, "" for none; NULL: not known, or not asked */
} VgpuLook;

/* How a look or a removal ended; called from the context, and may free the device. */
typedef void (*VgpuDeviceDone)(const VgpuLook *look, gpointer opaque);

/* @claim is borrowed for as long as it lives. */
VgpuDevice *vgpu_device_new(VgpuManager *manager, const VgpuClaim *claim, VgpuDeviceDone done,
                            gpointer opaque);
/* What it is doing goes on, without a callback. */
void vgpu_device_free(VgpuDevice *self);

/* @was_used: its driver may remove it by itself after its last user (see VgpuBackend.removal_grace). */
void vgpu_device_look(VgpuDevice *self, bool was_used);
/* The same look, and what it finds free is removed right away by the process that has looked; all else stays, and
 * is told. */
void vgpu_device_remove(VgpuDevice *self, bool was_used);
/* It has been given long enough: if its GPU does not answer either, report that. */
void vgpu_device_lose_patience(VgpuDevice *self);
/* For the event vgpu-stuck. */
const char *vgpu_device_why_stuck(const VgpuDevice *self);

/* What a probe found (see driver/protocol.h); NULL: nothing is known. *@grace_ms: for so long after its
* last user it is left to its driver. */
VgpuSeenState vgpu_device_read(const VgpuClaim *claim, GVariant *results, guint *grace_ms);
