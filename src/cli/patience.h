/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* patience.h: progress messages for slow calls */
#pragma once

#include <glib.h>

typedef struct VgpuPatience VgpuPatience;

/* "DOING …" is printed on stderr after a second, unless this is freed before. @doing is borrowed; NULL:
 * nothing is printed. */
VgpuPatience *vgpu_patience_new(const char *doing);
void vgpu_patience_free(VgpuPatience *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPatience, vgpu_patience_free)
