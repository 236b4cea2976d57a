/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/blocking.h"

#include <glib.h>
#include <stdbool.h>

static __thread bool is_forbidden;

void
vgpu_blocking_forbid(void)
{
    is_forbidden = true;
}

void
vgpu_blocking_allow(void)
{
    is_forbidden = false;
}

void
vgpu_blocking_check(const char *what)
{
    if (G_UNLIKELY(is_forbidden))
        g_critical("a bug in this program: a thread waits for %s while others wait for it", what);
}
