/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pending.h: the reservations that no driver shows yet, by GPU and function
 *
 * A snapshot has a list of all reservations. Most of them are seen on their GPU, and counted there;
 * decisions look up the others here, once for every function. */
#pragma once

#include "placement/placement.h"

/* A reservation that takes room of its own; all borrowed. */
typedef struct {
    VgpuReservation reservation;
    const VgpuParent *parent;
} VgpuPendingOne;

/* For the present contents of @reservations (of VgpuReservation), on the GPUs of @inventory. Callers
 * have to look at later ones themselves; see vgpu_pending_covers(). */
VgpuPending *vgpu_pending_new(const VgpuInventory *inventory, const GArray *reservations);
void vgpu_pending_free(VgpuPending *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPending, vgpu_pending_free)

/* The number of reservations that it covers, from the first one on. @self may be NULL: none. */
guint vgpu_pending_covers(const VgpuPending *self);

/* These functions accept a NULL @self. Those on that GPU (of VgpuPendingOne, in their order); NULL:
 * none. */
const GArray *vgpu_pending_on_gpu(const VgpuPending *self, const VgpuGpu *gpu);
guint vgpu_pending_on(const VgpuPending *self, const VgpuParent *parent);
/* The reserved profile of a device that is seen with that UUID, but without a profile; NULL: it is not
 * reserved. */
const char *vgpu_pending_profile(const VgpuPending *self, const char *uuid);

/* The reserved device on @parent; NULL: it is not seen. A VF that a domain names may have the right type
 * already, which becomes that domain's device: it has no UUID until then. */
const VgpuInstance *vgpu_pending_seen(const VgpuParent *parent,
                                      const VgpuReservation *reservation);
/* Whether the reservation matters: its device is not seen with its profile, and its parent is on this
 * host. */
bool vgpu_pending_is_open(const VgpuInventory *inventory, const VgpuReservation *reservation);
/* Those that matter (of VgpuReservation). */
const GArray *vgpu_pending_open(const VgpuPending *self);
