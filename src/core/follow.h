/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow.h: changes of the records when a domain's run continues or ends */
#pragma once

#include "core/manager.h"

/* Have devices removed that can only be that domain's, which does not run, and are on no record. */
void vgpu_follow_claim_orphans(VgpuManager *self, const VgpuDomain *domain);
