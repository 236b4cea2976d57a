/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow.h: what the records do when a domain's run goes on or ends */
#pragma once

#include "core/manager.h"

/* Have devices removed that can only be that domain's, which does not run, and are on no record. */
void vgpu_follow_claim_orphans(VgpuManager *self, const VgpuDomain *domain);
