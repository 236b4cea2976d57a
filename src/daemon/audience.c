/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/audience.h"

#include "base/error.h"

static GPrivate current = G_PRIVATE_INIT(NULL);

void
vgpu_audience_set(const gint *has_gone)
{
    g_private_set(&current, (gpointer) has_gone);
}

bool
vgpu_audience_check(GError **error)
{
    const gint *has_gone = g_private_get(&current);

    return !has_gone || !g_atomic_int_get(has_gone) ||
           vgpu_error_set(error, VGPU_ERROR_BUSY,
                          "the caller has disconnected, nothing was done");
}
