/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mdev.h: mediated devices, on a PF or on VFs
 * (kernel: Documentation/driver-api/vfio-mediated-device.rst) */
#pragma once

#include "backend/backend.h"

extern const VgpuBackend vgpu_backend_mdev;
