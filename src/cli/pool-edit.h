/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-edit.h: change a pool's XML in an editor until it is right */
#pragma once

#include <stdbool.h>

#include "bus/manager1.h"

/* Let the user change @xml, which pool @name was defined with, and define the result. If it is refused,
 * the reason is printed, and the user may edit it again if there is a terminal; otherwise the text stays
 * in a file that @error names, and the pool is unchanged. @changed: whether there was anything to
 * define. */
bool vgpu_pool_edit(VgpuBusManager1 *manager, const char *name, const char *xml, bool *changed,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
