/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-events.h: events about what virt-vgpu-host(8) has done */
#pragma once

#include <glib.h>

/* The event for @args (a verb and what it was given) of @gpu, NULL: of a whole layout, with what the program has
 * answered. Floating; NULL when it is told in another way, as virtual functions are by gpu-changed. */
GVariant *vgpu_host_events_done(const char *gpu, const char *const *args, GVariant *answer);
