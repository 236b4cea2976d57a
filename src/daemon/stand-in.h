/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stand-in.h: one thread works in place of another, which is blocked meanwhile
 *
 * A caller can thus do work that belongs on another thread, or in a certain order, without splitting it
 * into callbacks and their data. */
#pragma once

#include <glib.h>

typedef struct VgpuStandIn VgpuStandIn;

VgpuStandIn *vgpu_stand_in_new(void);
/* To be called once on the other thread: blocks until the end. @self is a VgpuStandIn. */
void vgpu_stand_in_wait_for_end(gpointer self);

/* For the calling thread: wait until the other one is blocked, … */
void vgpu_stand_in_wait_for_begin(VgpuStandIn *self);
/* … and let it continue. */
void vgpu_stand_in_end(VgpuStandIn *self);
