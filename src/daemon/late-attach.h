/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* late-attach.h: vGPUs for a domain that was started before its definition had the hostdev */
#pragma once

#include "daemon/guard.h"

/* VgpuManagerOps.attach */
void vgpu_late_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque);
