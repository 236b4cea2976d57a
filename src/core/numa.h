/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* numa.h: which NUMA nodes a domain is bound to */
#pragma once

#include "core/manager.h"

/* Where the domain's memory goes, else where its CPUs are; bit N: node N, 0: not said. */
guint64 vgpu_numa_nodes(const VgpuManager *self, const VgpuDomain *domain);
