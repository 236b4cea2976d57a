/* rows.h: rows that more than one verb prints */
#pragma once

#include "cli/table.h"

/* A vGPU as ListVgpus has it. */
extern const VgpuColumn vgpu_rows_vgpu[];
