/* room.h: what is on one GPU, and how much more goes on it; pure functions over one reading */
#pragma once

#include "placement/placement.h"

/* What is on one GPU, instances and reservations together. */
typedef struct {
    guint vgpus;                   /* of any profile */
    guint pending;                 /* of those, what sysfs does not show yet, or never does */
    guint of_profile;              /* of the profile in question */
    guint of_size;                 /* of its frame buffer, whatever their series */
    guint of_gi_size;              /* of that, on MIG GPU instances of the same profile */
    guint gpu_instances;           /* MIG GPU instances of that profile that are in use */
    guint fb_mib;                  /* frame buffer that all of them take */
    const VgpuProfile *other_size; /* a profile in use that rules this one out, or NULL */
} VgpuLoad;

/* Of the reservations, those that matter: the rest is seen in sysfs with its type, or is not on
 * this host. Many questions are answered sooner with these. Owned by the caller. */
GArray *vgpu_room_open_reservations(const VgpuSnapshot *snapshot);

VgpuLoad vgpu_room_load(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                        const VgpuProfile *profile);

/* How many more of @profile this one parent takes. */
guint vgpu_room_on(const VgpuSnapshot *snapshot, const VgpuParent *parent,
                   const VgpuProfile *profile);

/* The same of all of the GPU's parents together. */
guint vgpu_room_on_all(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                       const VgpuProfile *profile);
/* Of its parents (of VgpuParent) those that may take one more, in order, and maybe others. */
const GPtrArray *vgpu_room_parents(const VgpuGpu *gpu);

/* How many of @profile the GPU as a whole takes beside @load, whatever its parents say; G_MAXUINT
 * when nobody tells. */
guint vgpu_room_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load);

/* Whether that limit is known. Where it is not, the driver decides, and all that the parents tell
 * is whether there is room for one. */
bool vgpu_room_is_known(const VgpuGpu *gpu, const VgpuProfile *profile);

/* How many of @profile the GPU takes while it has no other vGPU, in the mode that it is in;
 * VGPU_COUNT_UNKNOWN when that cannot be told. */
guint vgpu_room_capacity(const VgpuGpu *gpu, const VgpuProfile *profile);
