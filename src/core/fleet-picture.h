/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-picture.h: what the agent of the fleet says about this host's domains, and what that means for a start; pure
 *
 * A picture replaces the one before as a whole, and never changes once it is in use, so that any thread may read it. It
 * is true for a limited time. Times are of CLOCK_BOOTTIME, in ns (base/clock.h). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/fleet-config.h"

#define VGPU_FLEET_PICTURE_DOMAINS 4096u
#define VGPU_FLEET_PICTURE_LASTS 3600u /* s */

typedef enum {
    VGPU_FLEET_RESERVED, /* for a start to come */
    VGPU_FLEET_RUNNING,
    VGPU_FLEET_SAVED,
    VGPU_FLEET_MOVING, /* to another host */
    VGPU_N_FLEET_STATES
} VgpuFleetState;

typedef struct {
    bool here;
    const char *host; /* that has it; only where that is not this one */
    VgpuFleetState state;
    const char *id; /* of the reservation; NULL: none */
    guint64 until;  /* when a reservation for this host is over */
} VgpuFleetEntry;

typedef struct VgpuFleetPicture VgpuFleetPicture;

/* As of @now, true for @lasts_s. @connected: the agent has an answer of etcd that is recent enough. */
VgpuFleetPicture *vgpu_fleet_picture_new(bool connected, guint64 now, guint64 lasts_s);
VgpuFleetPicture *vgpu_fleet_picture_ref(VgpuFleetPicture *self);
void vgpu_fleet_picture_unref(VgpuFleetPicture *self); /* NULL: nothing */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFleetPicture, vgpu_fleet_picture_unref)

/* Before it is in use: that domain, copied. VGPU_ERROR_BAD_REQUEST. */
bool vgpu_fleet_picture_add(VgpuFleetPicture *self, const char *domain_uuid,
                            const VgpuFleetEntry *entry, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same: @before (NULL: none) was the last one. */
void vgpu_fleet_picture_follow(VgpuFleetPicture *self, const VgpuFleetPicture *before);

bool vgpu_fleet_state_from_string(const char *text, VgpuFleetState *out);

/* As a key file, and back. NULL: it is damaged, or of another boot. */
char *vgpu_fleet_picture_to_text(const VgpuFleetPicture *self);
VgpuFleetPicture *vgpu_fleet_picture_from_text(const char *text, guint64 now, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether it is true of all domains, also of those that it does not name. */
bool vgpu_fleet_picture_is_valid(const VgpuFleetPicture *self, guint64 now);
/* How many domains are here, or elsewhere. */
guint vgpu_fleet_picture_count(const VgpuFleetPicture *self, bool here);
/* Whether the agent can be asked, and since when, for people; of NULL, too. */
char *vgpu_fleet_picture_describe(const VgpuFleetPicture *self, guint64 now);

/* --- a start ------------------------------------------------------------------------------ */

typedef struct {
    VgpuReservationMode mode;
    bool refuse_when_parted;
    const VgpuFleetPicture *picture; /* NULL: none */
    const char *domain_uuid;
    bool arrives; /* it migrates to this host */
    guint64 now;
} VgpuFleetQuestion;

typedef enum {
    VGPU_FLEET_GO,
    VGPU_FLEET_GO_IN_CONFLICT, /* though another host has it */
    VGPU_FLEET_GO_IN_PARTITION, /* without a reservation, as it is not known whether another host has it */
    /* refused: */
    VGPU_FLEET_IS_ELSEWHERE,
    VGPU_FLEET_IS_NOT_RESERVED,
    VGPU_FLEET_HAS_LAPSED, /* its reservation */
    VGPU_FLEET_IS_PARTED,  /* it is not known whether another host has it */
} VgpuFleetVerdict;

VgpuFleetVerdict vgpu_fleet_picture_judge(const VgpuFleetQuestion *question);
bool vgpu_fleet_verdict_refuses(VgpuFleetVerdict verdict);
/* Why, with the next step if it is refused; NULL for GO. */
char *vgpu_fleet_picture_reason(const VgpuFleetQuestion *question, VgpuFleetVerdict verdict);
