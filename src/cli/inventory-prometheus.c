/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/inventory.h"

char *
vgpu_inventory_prometheus(const VgpuHostRows *rows)
{
    VgpuExposition *out = vgpu_exposition_new();

    vgpu_gauges_write(out, rows);
    return vgpu_exposition_end(out);
}
