/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vendor-vfio.h: NVIDIA's vendor-specific VFIO framework: a VF becomes a vGPU when the number of a
 * type is written to it (<VF>/nvidia/{creatable_vgpu_types,current_vgpu_type,vgpu_params}; NVIDIA
 * vGPU guide, "Creating an NVIDIA vGPU on a Linux with KVM Hypervisor that Uses a Vendor-Specific
 * VFIO Framework") */
#pragma once

#include "backend/backend.h"

/* The contents of `creatable_vgpu_types`: VgpuProfiles "nvidia-N" in the order of the text, with only id
 * and name. Lines that are no rows (the header) are skipped. */
GPtrArray *vgpu_vendor_vfio_parse(const char *text);

extern const VgpuBackend vgpu_backend_vendor_vfio;
