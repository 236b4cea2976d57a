/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-events.h: events about the work of virt-vgpu-host(8) */
#pragma once

#include <glib.h>

/* The event for @args (a verb and its arguments) of @gpu, NULL: of a whole layout, with the program's
 * answer. Floating; NULL when it is reported in another way, as virtual functions are by gpu-changed. */
GVariant *vgpu_host_events_done(const char *gpu, const char *const *args, GVariant *answer);
