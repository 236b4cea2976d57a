/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sweep.h: the whole host at once: all domains, all GPUs */
#pragma once

#include "daemon/agenda.h"
#include "daemon/guard.h"

VgpuAgenda *vgpu_sweep_agenda(VgpuGuard *self);
/* Of VgpuAction; VGPU_ERROR_UNAVAILABLE while libvirt is away. For the threads of D-Bus methods. */
GPtrArray *vgpu_sweep_reconcile(VgpuGuard *self, bool dry_run, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
