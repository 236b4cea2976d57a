/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* audience.h: whether the caller that this thread works for is still connected
 *
 * A call may wait long for its turn. If its caller has left the bus by then, it is not begun. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* From now on this thread works for a caller, which has disconnected when *@has_gone (atomic) is not 0;
 * NULL: for no caller. Borrowed until the next call. */
void vgpu_audience_set(const gint *has_gone);

/* False: VGPU_ERROR_BUSY, the caller has disconnected. Always true on a thread that works for no caller. */
bool vgpu_audience_check(GError **error) G_GNUC_WARN_UNUSED_RESULT;
