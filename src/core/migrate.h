/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migrate.h: what was chosen for a domain that comes from elsewhere */
#pragma once

#include "core/manager.h"

/* Drop what was chosen for it: its prepare is there. */
void vgpu_migrate_drop_choice(VgpuManager *self, const char *domain_uuid);
