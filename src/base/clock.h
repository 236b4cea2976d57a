/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clock.h: the clock that the hook uses, too */
#pragma once

#include <glib.h>

/* Since boot, in ns, also while suspended. */
guint64 vgpu_clock_now(void);
