/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bind.h: which interface, and which VF, each vGPU of a definition is to have */
#pragma once

#include "core/manager.h"

/* As vgpu_manager_bind(), for a domain that is about to start: a VF that it cannot have at this
 * moment is not for it while there is another. */
bool vgpu_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
