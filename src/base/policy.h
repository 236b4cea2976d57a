/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy.h: how a GPU is chosen among those that have room; see virt-vgpu-annotation(7) and virt-vgpu.conf(5) */
#pragma once

typedef enum {
    VGPU_PLACEMENT_PACK, /* fill a GPU before the next one is begun */
    VGPU_PLACEMENT_SPREAD,
    VGPU_PLACEMENT_NUMA, /* near the domain's memory, or else where there is most room */
} VgpuPlacement;
