/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passing.h: which functions of the host a domain passes through as they are */
#pragma once

#include "libvirt/domains.h"

/* Addresses (char *) of the <hostdev type='pci'> of its definition and its run that are not ours; NULL:
 * none. XML over the limits, or missing, counts as none. */
GPtrArray *vgpu_passing_list(const VgpuDomainState *state);
