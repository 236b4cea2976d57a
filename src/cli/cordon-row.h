/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon-row.h: how it is shown that a GPU is cordoned */
#pragma once

#include "cli/table.h"

/* Of `cordoned` in a row of a GPU. */
extern const VgpuColumn vgpu_cordon_row_columns[];

/* A line behind the GPU (a{sv}, as of ListGpus), if it is cordoned. */
void vgpu_cordon_row_print(GVariant *gpu);
