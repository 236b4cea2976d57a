#include "placement/room.h"

#include "gpu/tally.h"
#include "placement/pending.h"

/* Drivers that tell a frame buffer share a GPU between equal sizes only (NVIDIA vGPU guide,
 * "Homogeneous vGPUs"), unless it is in heterogeneous mode or cut into GPU instances; those that do
 * not (Intel GVT-g) mix freely. */
static bool
excludes(const VgpuGpu *gpu, const VgpuProfile *used, const VgpuProfile *profile)
{
    return !gpu->is_mixed && used->fb_mib && profile->fb_mib && used->fb_mib != profile->fb_mib &&
           !vgpu_profile_is_mig(used) && !vgpu_profile_is_mig(profile);
}

/* A MIG GPU instance takes one frame-buffer size at a time, of any series (measured on an RTX PRO
 * 6000 Blackwell, github.com/bigstack-oss/cubecos). @sizes: of each size, the vGPUs on instances
 * of that profile. The driver is taken to fill an instance before it uses the next. */
static void
count_on_instance(const VgpuProfile *used, GHashTable *sizes, VgpuLoad *load)
{
    gpointer size = GUINT_TO_POINTER(used->fb_mib);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(sizes, size));

    load->gpu_instances += n % MAX(used->max_per_gi, 1) == 0;
    g_hash_table_insert(sizes, size, GUINT_TO_POINTER(n + 1));
}

/* @n of profile @used, NULL: of one that is not known. */
static void
count_some(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuProfile *used, guint n,
           GHashTable *sizes, VgpuLoad *load)
{
    load->vgpus += n;
    if (!used)
        return;
    load->fb_mib += n * used->fb_mib;
    if (g_str_equal(used->id, profile->id))
        load->of_profile += n;
    for (guint i = 0; i < n && used->gi_profile >= 0 && used->gi_profile == profile->gi_profile;
         i++)
        count_on_instance(used, sizes, load);
    if (used->fb_mib && used->fb_mib == profile->fb_mib)
        load->of_size += n;
    if (excludes(gpu, used, profile))
        load->other_size = used;
}

static void
count_one(const VgpuGpu *gpu, const VgpuProfile *profile, const char *id, GHashTable *sizes,
          VgpuLoad *load)
{
    count_some(gpu, profile, id ? vgpu_gpu_find_profile(gpu, id) : NULL, 1, sizes, load);
}

GArray *
vgpu_room_open_reservations(const VgpuSnapshot *snapshot)
{
    const GArray *known = snapshot->pending ? vgpu_pending_open(snapshot->pending) : NULL;
    GArray *open = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));

    if (known && known->len)
        g_array_append_vals(open, known->data, known->len);
    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (vgpu_pending_is_open(snapshot->inventory, r))
            g_array_append_vals(open, r, 1);
    }
    return open;
}

/* Reservations on @parent that sysfs does not show. */
static guint
pending_on(const VgpuSnapshot *snapshot, const VgpuParent *parent)
{
    guint pending = vgpu_pending_on(snapshot->pending, parent);

    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_str_equal(r->parent, parent->address) &&
            !vgpu_parent_find_instance(parent, r->uuid))
            pending++;
    }
    return pending;
}

/* A device that is just being made is there before its type is. */
static const char *
profile_of(const VgpuSnapshot *snapshot, const VgpuInstance *instance)
{
    const char *known = instance->profile_id;

    if (!known)
        known = vgpu_pending_profile(snapshot->pending, instance->uuid);
    for (guint i = vgpu_pending_covers(snapshot->pending);
         !known && i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_strcmp0(r->uuid, instance->uuid) == 0)
            known = r->profile_id;
    }
    return known;
}

/* What the driver shows. */
static void
count_instances(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile,
                GHashTable *sizes, VgpuLoad *load)
{
    const VgpuTally *tally = gpu->tally;

    /* on MIG GPU instances it matters in which order they are filled */
    if (tally && tally->is_clear && profile->gi_profile < 0) {
        for (guint i = 0; i < tally->counts->len; i++) {
            const VgpuTallyCount *count = &g_array_index(tally->counts, VgpuTallyCount, i);

            count_some(gpu, profile, count->profile, count->n, sizes, load);
        }
        return;
    }
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++)
            count_one(gpu, profile, profile_of(snapshot, g_ptr_array_index(parent->instances, j)),
                      sizes, load);
    }
}

VgpuLoad
vgpu_room_load(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    g_autoptr(GHashTable) sizes = profile->gi_profile >= 0 ? g_hash_table_new(NULL, NULL) : NULL;
    const GArray *pending = vgpu_pending_on_gpu(snapshot->pending, gpu);
    VgpuLoad load = { 0 };

    count_instances(snapshot, gpu, profile, sizes, &load);
    for (guint i = 0; pending && i < pending->len; i++) {
        const VgpuPendingOne *one = &g_array_index(pending, VgpuPendingOne, i);

        count_one(gpu, profile, one->reservation.profile_id, sizes, &load);
        load.pending++;
    }
    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, r->parent);

        if (parent && !vgpu_parent_find_instance(parent, r->uuid)) {
            count_one(gpu, profile, r->profile_id, sizes, &load);
            load.pending++;
        }
    }
    if (sizes)
        load.of_gi_size =
            GPOINTER_TO_UINT(g_hash_table_lookup(sizes, GUINT_TO_POINTER(profile->fb_mib)));
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

static void
add(GHashTable **parents, const VgpuParent *parent)
{
    if (!*parents)
        *parents = g_hash_table_new(NULL, NULL);
    g_hash_table_add(*parents, (gpointer) parent);
}

static void
add_closed(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, GHashTable **parents)
{
    GHashTableIter iter;
    gpointer address;

    if (!snapshot->closed)
        return;
    g_hash_table_iter_init(&iter, snapshot->closed);
    while (g_hash_table_iter_next(&iter, &address, NULL)) {
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, address);

        if (parent)
            add(parents, parent);
    }
}

/* Of the GPU's parents those of which there is more to be said than what its driver tells; NULL: there is none. */
static GHashTable *
list_special(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    const GArray *pending = vgpu_pending_on_gpu(snapshot->pending, gpu);
    GHashTable *parents = NULL;

    for (guint i = 0; pending && i < pending->len; i++)
        add(&parents, g_array_index(pending, VgpuPendingOne, i).parent);
    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, r->parent);

        if (parent)
            add(&parents, parent);
    }
    add_closed(snapshot, gpu, &parents);
    return parents;
}

/* Beside what is counted already. */
static guint
room_as_counted(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    g_autoptr(GHashTable) special = list_special(snapshot, gpu);
    guint room = GPOINTER_TO_UINT(g_hash_table_lookup(gpu->tally->rooms, profile));
    GHashTableIter iter;
    gpointer parent;

    if (!special)
        return room;
    g_hash_table_iter_init(&iter, special);
    while (g_hash_table_iter_next(&iter, &parent, NULL)) {
        const VgpuOffer *offer = vgpu_parent_find_offer(parent, profile->id);

        if (offer)
            room += vgpu_room_on(snapshot, parent, profile) - vgpu_tally_room(parent, offer);
    }
    return room;
}

const GPtrArray *
vgpu_room_parents(const VgpuGpu *gpu)
{
    return gpu->tally ? gpu->tally->open : gpu->parents;
}

guint
vgpu_room_on_all(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    const GPtrArray *parents = vgpu_room_parents(gpu);
    bool is_plain = !snapshot->refused || !g_hash_table_size(snapshot->refused);
    guint room = 0;

    if (gpu->tally && is_plain && vgpu_gpu_find_profile(gpu, profile->id) == profile)
        return room_as_counted(snapshot, gpu, profile);
    for (guint i = 0; i < parents->len; i++)
        room += vgpu_room_on(snapshot, g_ptr_array_index(parents, i), profile);
    return room;
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
            limit = MAX(limit, vgpu_gpu_max_instances(gpu, profile));
    }
    return limit ? limit : G_MAXUINT;
}

/* Room on the MIG GPU instances that the profile goes on: the free ones, and what is left of the
 * last one that has its size. */
static guint
gpu_instance_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    guint each = MAX(profile->max_per_gi, 1);
    guint left = (each - load->of_gi_size % each) % each;
    guint instances = 0;

    for (guint i = 0; i < gpu->gpu_instances->len; i++) {
        const VgpuGpuInstance *instance = g_ptr_array_index(gpu->gpu_instances, i);

        instances += instance->profile == profile->gi_profile;
    }
    return left + (instances > load->gpu_instances ? instances - load->gpu_instances : 0) * each;
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

/* Whether vGPUs are made on VFs, each of which takes one and tells nothing of the others. */
static bool
is_on_vfs(const VgpuGpu *gpu)
{
    return gpu->parents->len && ((const VgpuParent *) gpu->parents->pdata[0])->is_vf;
}

bool
vgpu_room_is_known(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    if (!is_on_vfs(gpu)) /* the driver's own number */
        return true;
    if (vgpu_profile_is_mig(profile)) /* NVML has told of it, and of the GPU instances */
        return profile->gi_profile >= 0;
    return vgpu_gpu_max_instances(gpu, profile) != 0;
}

guint
vgpu_room_capacity(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    const VgpuLoad nothing = { 0 };
    guint limit;

    if (!vgpu_room_is_known(gpu, profile))
        return VGPU_COUNT_UNKNOWN;
    if (gpu->is_mig != vgpu_profile_is_mig(profile)) /* it is not for this mode */
        return 0;
    limit = gpu->is_mig && gpu->mig_auto && profile->max_instances
                ? profile->max_instances
                : vgpu_room_limit(gpu, profile, &nothing);
    if (limit == G_MAXUINT)
        return VGPU_COUNT_UNKNOWN;
    return is_on_vfs(gpu) ? MIN(limit, gpu->parents->len) : limit;
}
