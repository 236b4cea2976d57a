/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migrate.h: the choices for a domain that migrates to this host */
#pragma once

#include "core/manager.h"

/* Drop the choices for it: its prepare has arrived. */
void vgpu_migrate_drop_choice(VgpuManager *self, const char *domain_uuid);
