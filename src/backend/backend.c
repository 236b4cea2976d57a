/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/backend.h"

#include "backend/mdev.h"
#include "backend/vendor-vfio.h"
#include "backend/vf.h"

static const VgpuBackend *const backends[] = {
    &vgpu_backend_mdev,
    &vgpu_backend_vendor_vfio,
    &vgpu_backend_vf,
};

const VgpuBackend *
vgpu_backend_get(VgpuInterface interface)
{
    for (gsize i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (backends[i]->interface == interface)
            return backends[i];
    }
    return NULL;
}
