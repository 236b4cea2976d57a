/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bind.h: which interface, and which VF, each vGPU of a definition gets */
#pragma once

#include "core/manager.h"

/* As vgpu_manager_bind(), for a domain that is about to start: a VF that is not available at this moment
 * is chosen only if there is no other. */
bool vgpu_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
