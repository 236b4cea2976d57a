#include "core/room.h"

/* Drivers that tell a frame buffer share a GPU between equal sizes only (NVIDIA vGPU guide,
 * "Homogeneous vGPUs"), unless it is in heterogeneous mode or cut into GPU instances; those that do
 * not (Intel GVT-g) mix freely. */
static bool
excludes(const VgpuGpu *gpu, const VgpuProfile *used, const VgpuProfile *profile)
{
    return !gpu->is_mixed && used->fb_mib && profile->fb_mib && used->fb_mib != profile->fb_mib &&
           !vgpu_profile_is_mig(used) && !vgpu_profile_is_mig(profile);
}

static void
count_one(const VgpuGpu *gpu, const VgpuProfile *profile, const char *id, VgpuLoad *load)
{
    const VgpuProfile *used = id ? vgpu_gpu_find_profile(gpu, id) : NULL;

    load->vgpus++;
    if (!used)
        return;
    load->fb_mib += used->fb_mib;
    if (g_str_equal(used->id, profile->id))
        load->of_profile++;
    if (used->gi_profile >= 0 && used->gi_profile == profile->gi_profile)
        load->on_gi_profile++;
    if (used->fb_mib && used->fb_mib == profile->fb_mib)
        load->of_size++;
    if (excludes(gpu, used, profile))
        load->other_size = used;
}

static const VgpuInstance *
find_instance(const VgpuParent *parent, const char *uuid)
{
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        if (g_strcmp0(instance->uuid, uuid) == 0)
            return instance;
    }
    return NULL;
}

static bool
is_open(const VgpuInventory *inventory, const VgpuReservation *reservation)
{
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuParent *parent =
            vgpu_gpu_find_parent(g_ptr_array_index(inventory->gpus, i), reservation->parent);
        const VgpuInstance *instance = parent ? find_instance(parent, reservation->uuid) : NULL;

        if (parent)
            return !instance || !instance->profile_id;
    }
    return false;
}

GArray *
vgpu_room_open_reservations(const VgpuSnapshot *snapshot)
{
    GArray *open = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));

    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (is_open(snapshot->inventory, r))
            g_array_append_vals(open, r, 1);
    }
    return open;
}

/* Reservations on @parent that sysfs does not show. */
static guint
pending_on(const VgpuSnapshot *snapshot, const VgpuParent *parent)
{
    guint pending = 0;

    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_str_equal(r->parent, parent->address) && !find_instance(parent, r->uuid))
            pending++;
    }
    return pending;
}

/* A device that is just being made is there before its type is. */
static const char *
profile_of(const VgpuSnapshot *snapshot, const VgpuInstance *instance)
{
    for (guint i = 0; !instance->profile_id && i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_strcmp0(r->uuid, instance->uuid) == 0)
            return r->profile_id;
    }
    return instance->profile_id;
}

VgpuLoad
vgpu_room_load(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    VgpuLoad load = { 0 };

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);

            count_one(gpu, profile, profile_of(snapshot, instance), &load);
        }
    }
    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, r->parent);

        if (parent && !find_instance(parent, r->uuid)) {
            count_one(gpu, profile, r->profile_id, &load);
            load.pending++;
        }
    }
    return load;
}

static bool
was_refused(const VgpuSnapshot *snapshot, const VgpuParent *parent, const VgpuProfile *profile)
{
    g_autofree char *pair = NULL;

    if (!snapshot->refused || !g_hash_table_size(snapshot->refused))
        return false;
    pair = vgpu_placement_pair(parent->address, profile->id);
    return g_hash_table_contains(snapshot->refused, pair);
}

guint
vgpu_room_on(const VgpuSnapshot *snapshot, const VgpuParent *parent, const VgpuProfile *profile)
{
    const VgpuOffer *offer = vgpu_parent_find_offer(parent, profile->id);
    guint pending;

    if (!offer || !offer->available || was_refused(snapshot, parent, profile) ||
        (snapshot->closed && g_hash_table_contains(snapshot->closed, parent->address)))
        return 0;
    pending = pending_on(snapshot, parent);
    if (parent->is_vf) /* one vGPU per VF, whatever its profile */
        return !parent->instances->len && !pending ? 1 : 0;
    return offer->available > pending ? offer->available - pending : 0;
}

/* The whole frame buffer, as the profiles that fill it tell; 0 when they do not. */
static guint
total_fb_mib(const VgpuGpu *gpu)
{
    guint total = 0;

    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        total = MAX(total, profile->fb_mib * profile->max_instances);
    }
    return total;
}

/* How many of one size a GPU takes, whatever their series; G_MAXUINT when nobody tells. */
static guint
size_limit(const VgpuGpu *gpu, guint fb_mib)
{
    guint limit = 0;

    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (profile->fb_mib == fb_mib)
            limit = MAX(limit, profile->max_instances);
    }
    return limit ? limit : G_MAXUINT;
}

/* Room on the MIG GPU instances that the profile goes on. */
static guint
gpu_instance_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    guint slots = 0;

    for (guint i = 0; i < gpu->gpu_instances->len; i++) {
        const VgpuGpuInstance *instance = g_ptr_array_index(gpu->gpu_instances, i);

        if (instance->profile == profile->gi_profile)
            slots += MAX(profile->max_per_gi, 1);
    }
    return slots > load->on_gi_profile ? slots - load->on_gi_profile : 0;
}

guint
vgpu_room_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    guint limit = G_MAXUINT;
    guint total = total_fb_mib(gpu);

    if (profile->max_instances)
        limit = profile->max_instances > load->of_profile
                    ? profile->max_instances - load->of_profile
                    : 0;
    if (!gpu->is_mixed && !gpu->is_mig && profile->fb_mib) {
        guint of_size = size_limit(gpu, profile->fb_mib);

        limit = MIN(limit, of_size > load->of_size ? of_size - load->of_size : 0);
    }
    if (gpu->is_mixed && total && profile->fb_mib)
        limit = MIN(limit, total > load->fb_mib ? (total - load->fb_mib) / profile->fb_mib : 0);
    if (gpu->is_mig && profile->gi_profile >= 0)
        limit = MIN(limit, gpu_instance_limit(gpu, profile, load));
    return limit;
}
