/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/vendor.h"

bool
vgpu_vendor_is_bmc(const char *vendor_id)
{
    static const char *const makers[] = {
        "0x1a03", /* ASPEED */
        "0x102b", /* Matrox, the G200 series */
        "0x19a2", /* ServerEngines (Pilot) */
        "0x126f", /* Silicon Motion */
        NULL,
    };

    return vendor_id && g_strv_contains(makers, vendor_id);
}

bool
vgpu_vendor_is_nvidia(const char *vendor_id)
{
    return vendor_id && g_ascii_strcasecmp(vendor_id, "0x10de") == 0;
}
