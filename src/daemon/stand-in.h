/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stand-in.h: one thread works in the place of another, which stands still meanwhile
 *
 * So what has to be done on a certain thread, or in a certain order, is done by the thread that wants it done,
 * without being cut into functions and what they are given. */
#pragma once

#include <glib.h>

typedef struct VgpuStandIn VgpuStandIn;

VgpuStandIn *vgpu_stand_in_new(void);
/* For the thread that is stood in for, once: stands still until the end. @self is a VgpuStandIn. */
void vgpu_stand_in_wait_for_end(gpointer self);

/* For the other one: wait until it does so, … */
void vgpu_stand_in_wait_for_begin(VgpuStandIn *self);
/* … and let it go on. */
void vgpu_stand_in_end(VgpuStandIn *self);
