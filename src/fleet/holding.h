/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* holding.h: what one domain has, or is promised, on a host: the value of domains/ and resv/; pure */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_HOLDING_WANTS 16 /* profiles of one domain */
#define VGPU_HOLDING_NAME                                                                        \
    128 /* characters of a profile, tenant or pool, as in virt-vgpu-annotation(7) */

typedef enum {
    VGPU_HOLDING_RESERVED, /* for a start to come; over when resv/ is gone */
    VGPU_HOLDING_RUNNING,
    VGPU_HOLDING_SAVED,
    VGPU_HOLDING_MOVING,
    VGPU_N_HOLDING_STATES
} VgpuHoldingState;

const char *vgpu_holding_state_name(VgpuHoldingState state);

typedef struct {
    char *profile;
    guint count;
    guint fb_mib; /* of one; 0: not known */
} VgpuWant;

typedef struct {
    char *domain; /* UUID; not in the value */
    char *host;   /* UUID */
    VgpuHoldingState state;
    GArray *wants; /* of VgpuWant */
    char *tenant;  /* NULL: none */
    gint64 since;  /* s since 1970 */
    char *by;      /* who has reserved it */
    char *id;      /* of the reservation, random: how a planner knows its own */
} VgpuHolding;

VgpuHolding *vgpu_holding_new(const char *domain, const char *host, VgpuHoldingState state);
VgpuHolding *vgpu_holding_copy(const VgpuHolding *self);
void vgpu_holding_free(VgpuHolding *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuHolding, vgpu_holding_free)

void vgpu_holding_add(VgpuHolding *self, const char *profile, guint count, guint fb_mib);
guint vgpu_holding_count(const VgpuHolding *self);
guint64 vgpu_holding_mib(const VgpuHolding *self);

char *vgpu_holding_encode(const VgpuHolding *self);
/* Of the key's domain. NULL: it is none, or is beyond the limits above. */
VgpuHolding *vgpu_holding_decode(const char *key, const char *text);
