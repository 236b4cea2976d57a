/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* room.h: the vGPUs on one GPU, and how many more fit on it; pure functions over one reading */
#pragma once

#include "placement/placement.h"

/* The vGPUs on one GPU, instances and reservations together. */
typedef struct {
    guint vgpus;                   /* of any profile */
    guint pending;                 /* of those, the ones that sysfs does not show yet, or never
                                    * does */
    guint pending_others;          /* of those, of another profile */
    guint of_profile;              /* of the profile in question */
    guint fb_mib;                  /* frame buffer that all of them take */
    const VgpuProfile *other_size; /* a profile in use that rules this one out, or NULL */
    bool has_board;                /* GPU instances or placement slots decide, see board.h: */
    guint board_room;              /* how many more of the profile they take */
    bool board_is_certain;         /* and whether that is known */
} VgpuLoad;

/* Of the reservations, those that matter: the rest is seen in sysfs with its type, or is not on
 * this host. Many questions are answered sooner with these. Owned by the caller. */
GArray *vgpu_room_open_reservations(const VgpuSnapshot *snapshot);

VgpuLoad vgpu_room_load(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                        const VgpuProfile *profile);

/* Reservations on @parent that sysfs does not show. */
guint vgpu_room_promised(const VgpuSnapshot *snapshot, const VgpuParent *parent);

/* How many more of @profile this one parent takes. */
guint vgpu_room_on(const VgpuSnapshot *snapshot, const VgpuParent *parent,
                   const VgpuProfile *profile);

/* The same of all of the GPU's parents together. */
guint vgpu_room_on_all(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                       const VgpuProfile *profile);
/* Its parents (of VgpuParent) that may take one more, in order, and maybe others. */
const GPtrArray *vgpu_room_parents(const VgpuGpu *gpu);

/* How many of @profile the GPU as a whole takes besides @load, regardless of its parents; G_MAXUINT when
 * unknown. */
guint vgpu_room_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load);

/* Whether that limit, together with the room on the parents, is exact. If not, it is an upper limit: the
 * driver decides, and the parents only tell whether there is room for one. */
bool vgpu_room_is_known(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load);

/* Why @profile does not fit on a GPU of mixed sizes, see vgpu_board_explain(); NULL: not known. */
char *vgpu_room_obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                         const VgpuProfile *profile);

/* How many of @profile the GPU takes while it has no other vGPU, in the mode that it is in;
 * VGPU_COUNT_UNKNOWN when that cannot be told. */
guint vgpu_room_capacity(const VgpuGpu *gpu, const VgpuProfile *profile);
