/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpu-columns.h: the columns of GPUs, and of their functions and profiles */
#pragma once

#include "cli/table.h"

/* Rows as of ListGpus, with the additions of vgpu_gpu_rows(); _stats: with GetGpuStats joined to them. */
extern const VgpuColumn vgpu_gpu_columns_list[];
extern const VgpuColumn vgpu_gpu_columns_stats[];

/* One row, as of GetGpu, and the lists in it. */
extern const VgpuColumn vgpu_gpu_columns_info[];
extern const VgpuColumn vgpu_gpu_columns_info_stats[];
extern const VgpuColumn vgpu_gpu_columns_vf[];
extern const VgpuColumn vgpu_gpu_columns_instance[];

/* Rows as of ListProfiles; _short_profile: of one GPU that has been named already. */
extern const VgpuColumn vgpu_gpu_columns_profile[];
extern const VgpuColumn vgpu_gpu_columns_short_profile[];
