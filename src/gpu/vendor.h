/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vendor.h: the vendors of display controllers */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether it makes the graphics of management controllers (BMC), which show a server's console and never carry a
 * vGPU; @vendor_id as sysfs has it, "0x1a03", or NULL. */
bool vgpu_vendor_is_bmc(const char *vendor_id);
/* Whether it is NVIDIA, whose library reports about GPUs and vGPUs. */
bool vgpu_vendor_is_nvidia(const char *vendor_id);
