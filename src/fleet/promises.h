/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* promises.h: what the agent tells virtvgpud about the fleet (FleetGrant); pure
 *
 * A grant is over two minutes before the lease of its reservation ends, so that a start that has begun is known to the
 * store by then. The store does not say how old a reservation is. One that was not there at the last reading is
 * younger than that; for others the clock of the host that has made it has to do. Times are ms of a clock that also
 * runs while the host is suspended. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fleet/holding.h"

#define VGPU_PROMISES_MARGIN 120 /* s between the end of a grant and that of its reservation */
#define VGPU_PROMISES_MAX 4096   /* domains; virtvgpud takes no more */

/* domain → VgpuHolding each */
typedef struct {
    GHashTable *reserved;  /* what the keys of the domains under resv/HOST/ say */
    GHashTable *elsewhere; /* what those of other domains that are defined here say */
    GHashTable *local;     /* what runs or is saved here; NULL: not known */
} VgpuPromisesView;

typedef struct VgpuPromises VgpuPromises;

/* @host: its UUID */
VgpuPromises *vgpu_promises_new(const char *host);
void vgpu_promises_free(VgpuPromises *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPromises, vgpu_promises_free)

/* resv/HOST/ was read; @reserved as above. @wall: s since 1970 */
void vgpu_promises_read(VgpuPromises *self, GHashTable *reserved, gint64 now, gint64 wall);

/* The first argument of FleetGrant, floating. @names: UUID of a host → its name, as far as known */
GVariant *vgpu_promises_domains(const VgpuPromises *self, const VgpuPromisesView *view,
                                GHashTable *names, gint64 now);

/* The second one. @answered: when the store has answered last; 0: never */
GVariant *vgpu_promises_options(gint64 answered, gint64 now);
