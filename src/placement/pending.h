/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pending.h: the reservations that no driver shows yet, by GPU and function
 *
 * A snapshot has a list of all that is reserved. Most of it is seen on its GPU, and counts there; a decision
 * asks for the rest once for every function, and finds it here. */
#pragma once

#include "placement/placement.h"

/* One that has room of its own; all borrowed. */
typedef struct {
    VgpuReservation reservation;
    const VgpuParent *parent;
} VgpuPendingOne;

/* Of what is in @reservations (of VgpuReservation) now, on the GPUs of @inventory. What comes to them later is
 * for the caller to look at; see vgpu_pending_covers(). */
VgpuPending *vgpu_pending_new(const VgpuInventory *inventory, const GArray *reservations);
void vgpu_pending_free(VgpuPending *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPending, vgpu_pending_free)

/* How many of the reservations are in it: the first ones. @self may be NULL: none. */
guint vgpu_pending_covers(const VgpuPending *self);

/* All of these take NULL. On that GPU (of VgpuPendingOne, in their order); NULL: none. */
const GArray *vgpu_pending_on_gpu(const VgpuPending *self, const VgpuGpu *gpu);
guint vgpu_pending_on(const VgpuPending *self, const VgpuParent *parent);
/* The profile of what is seen with that UUID, but not with a profile; NULL: it is not reserved. */
const char *vgpu_pending_profile(const VgpuPending *self, const char *uuid);

/* Whether the reservation matters: what it is for is not seen with its profile, and is on this host. */
bool vgpu_pending_is_open(const VgpuInventory *inventory, const VgpuReservation *reservation);
/* Those that matter (of VgpuReservation). */
const GArray *vgpu_pending_open(const VgpuPending *self);
