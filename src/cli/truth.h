/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* truth.h: the answer to a question that cannot always be answered */
#pragma once

typedef enum {
    VGPU_TRUTH_UNKNOWN,
    VGPU_TRUTH_NO,
    VGPU_TRUTH_YES,
} VgpuTruth;
