/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-driver.h: doctor's own virt-vgpu-driver process, with blocking calls
 *
 * It works without the daemon. A process that is blocked by the driver is left behind after some
 * seconds. */
#pragma once

#include "gpu/inventory.h"

typedef struct VgpuDoctorDriver VgpuDoctorDriver;

/* @program is virt-vgpu-driver, @root where it looks; both are borrowed. */
VgpuDoctorDriver *vgpu_doctor_driver_new(const char *program, const char *root);
void vgpu_doctor_driver_free(VgpuDoctorDriver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDoctorDriver, vgpu_doctor_driver_free)

/* The GPUs that there are, and @details of them, a(sutu) (see driver/protocol.h). */
VgpuInventory *vgpu_doctor_driver_discover(VgpuDoctorDriver *self, GVariant **details,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The files of @function (NULL: the host), as of backend/capture.h, by key. VGPU_ERROR_UNAVAILABLE: its
 * driver does not answer. */
GVariant *vgpu_doctor_driver_capture(VgpuDoctorDriver *self, const char *function, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Why the driver of @gpu does not answer; NULL: it does, or makes no vGPUs. */
char *vgpu_doctor_driver_silence(VgpuDoctorDriver *self, const VgpuGpu *gpu);
