/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device.h: looks at the device of one vGPU, and removes it
 *
 * A process of that one vGPU does both, so that nothing else has to wait. To find out whether a process
 * holds the device open, its VFIO group is opened, which waits while the driver opens or closes the
 * device for QEMU; and a removal may take as long as the driver or a dying QEMU does. */
#pragma once

#include "core/manager.h"

typedef struct VgpuDevice VgpuDevice;

typedef struct {
    VgpuSeenState seen;
    bool is_locked;  /* a process of a daemon before us is at it */
    bool is_written; /* its removal */
    /* Borrowed until done() is over. */
    const char *why;    /* it is unusable */
    const char *params; /* its plugin parameters, "" for none; NULL: not known, or not asked */
} VgpuLook;

/* How a look or a removal ended; called from the context, and may free the device. */
typedef void (*VgpuDeviceDone)(const VgpuLook *look, gpointer opaque);

/* @claim is borrowed for as long as it lives. */
VgpuDevice *vgpu_device_new(VgpuManager *manager, const VgpuClaim *claim, VgpuDeviceDone done,
                            gpointer opaque);
/* An operation in progress continues, without a callback. */
void vgpu_device_free(VgpuDevice *self);

/* @was_used: its driver may remove it by itself after its last user (see VgpuBackend.removal_grace). */
void vgpu_device_look(VgpuDevice *self, bool was_used);
/* The same, but if no process has the device open, it is removed right away by the process that has
 * looked; otherwise it stays, and the result is reported. */
void vgpu_device_remove(VgpuDevice *self, bool was_used);
/* It has been given long enough: if its GPU does not answer either, report that. */
void vgpu_device_lose_patience(VgpuDevice *self);
/* For the event vgpu-stuck. */
const char *vgpu_device_why_stuck(const VgpuDevice *self);

/* The result of a probe (see driver/protocol.h); NULL: nothing is known. *@grace_ms: how long its driver
 * gets to remove it after its last user. */
VgpuSeenState vgpu_device_read(const VgpuClaim *claim, GVariant *results, guint *grace_ms);
