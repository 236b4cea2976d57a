/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* look.h: a look at one domain */
#pragma once

#include "daemon/agenda.h"
#include "daemon/guard.h"

VgpuAgenda *vgpu_look_agenda(VgpuGuard *self);
/* VgpuManagerOps.ask_run: tell the manager whether the run that began at @since continues. */
void vgpu_look_ask_run(const char *domain_uuid, guint64 since, gpointer opaque);
