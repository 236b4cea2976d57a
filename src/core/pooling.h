/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pooling.h: pools, as the records and the host's GPUs fill them */
#pragma once

#include "core/manager.h"

/* Complete the domain's wants with the defaults of their pools and the configuration. */
bool vgpu_pooling_complete(const VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The name of the pool that the GPU belongs to; NULL: the default one, or no such GPU. */
const char *vgpu_pooling_pool_of(const VgpuManager *self, const char *gpu);
