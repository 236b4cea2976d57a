/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.h: rows that more than one verb prints */
#pragma once

#include "cli/table.h"

/* A vGPU as ListVgpus has it. */
extern const VgpuColumn vgpu_rows_vgpu[];

/* A pool as ListPools has it, and the lists in it. */
extern const VgpuColumn vgpu_rows_pool[];
extern const VgpuColumn vgpu_rows_pool_profile[];
extern const VgpuColumn vgpu_rows_pool_tenant[];
