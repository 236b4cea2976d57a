/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* numa.h: which NUMA nodes a domain is bound to */
#pragma once

#include "core/manager.h"

/* The nodes of the domain's memory, or else those of its CPUs; bit N: node N, 0: not specified. */
guint64 vgpu_numa_nodes(const VgpuManager *self, const VgpuDomain *domain);
