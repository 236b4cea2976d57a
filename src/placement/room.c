/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement/room.h"

#include "gpu/tally.h"
#include "placement/board.h"
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

/* @n of profile @used, NULL: of one that is not known. */
static void
count_some(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuProfile *used, guint n,
           VgpuLoad *load)
{
    load->vgpus += n;
    if (!used)
        return;
    load->fb_mib += n * used->fb_mib;
    if (g_str_equal(used->id, profile->id))
        load->of_profile += n;
    if (excludes(gpu, used, profile))
        load->other_size = used;
}

/* Count one that its driver does not know yet. */
static void
count_promise(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuReservation *reservation,
              VgpuBoard *board, VgpuLoad *load)
{
    const char *id = reservation->profile_id;
    const VgpuProfile *used = id ? vgpu_gpu_find_profile(gpu, id) : NULL;

    count_some(gpu, profile, used, 1, load);
    load->pending++;
    load->pending_others += used != profile;
    if (board && used)
        vgpu_board_promise(board, used, reservation->uuid);
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

guint
vgpu_room_promised(const VgpuSnapshot *snapshot, const VgpuParent *parent)
{
    guint pending = vgpu_pending_on(snapshot->pending, parent);

    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_str_equal(r->parent, parent->address) && !vgpu_pending_seen(parent, r))
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
                VgpuBoard *board, VgpuLoad *load)
{
    const VgpuTally *tally = gpu->tally;

    for (guint i = 0; !board && tally && tally->is_clear && i < tally->counts->len; i++) {
        const VgpuTallyCount *count = &g_array_index(tally->counts, VgpuTallyCount, i);

        count_some(gpu, profile, count->profile, count->n, load);
    }
    if (!board && tally && tally->is_clear)
        return;
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);
            const char *id = profile_of(snapshot, instance);
            const VgpuProfile *used = id ? vgpu_gpu_find_profile(gpu, id) : NULL;

            count_some(gpu, profile, used, 1, load);
            if (board)
                vgpu_board_put(board, used, instance);
        }
    }
}

/* What it does not show yet. */
static void
count_promises(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile,
               VgpuBoard *board, VgpuLoad *load)
{
    const GArray *pending = vgpu_pending_on_gpu(snapshot->pending, gpu);

    for (guint i = 0; pending && i < pending->len; i++)
        count_promise(gpu, profile, &g_array_index(pending, VgpuPendingOne, i).reservation, board,
                      load);
    for (guint i = vgpu_pending_covers(snapshot->pending); i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, r->parent);

        if (parent && !vgpu_pending_seen(parent, r))
            count_promise(gpu, profile, r, board, load);
    }
}

/* The GPU as its driver has given it away, with all that is promised; NULL as of vgpu_board_new(). */
static VgpuBoard *
fill_board(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile,
           VgpuLoad *load)
{
    VgpuBoard *board = vgpu_board_new(gpu, profile);

    count_instances(snapshot, gpu, profile, board, load);
    count_promises(snapshot, gpu, profile, board, load);
    return board;
}

/* The room left on @board (NULL: none) decides. */
static void
take_board(const VgpuBoard *board, VgpuLoad *load)
{
    if (!board)
        return;
    load->has_board = true;
    load->board_room = vgpu_board_room(board);
    load->board_is_certain = vgpu_board_is_certain(board);
}

VgpuLoad
vgpu_room_load(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    VgpuLoad load = { 0 };
    g_autoptr(VgpuBoard) board = fill_board(snapshot, gpu, profile, &load);

    take_board(board, &load);
    return load;
}

char *
vgpu_room_obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    VgpuLoad load = { 0 };
    g_autoptr(VgpuBoard) board = gpu->is_mixed ? fill_board(snapshot, gpu, profile, &load) : NULL;

    return board ? vgpu_board_explain(board, snapshot->domains) : NULL;
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

    if (!offer || !offer->available || parent->host_vf ||
        was_refused(snapshot, parent, profile) ||
        (snapshot->closed && g_hash_table_contains(snapshot->closed, parent->address)))
        return 0;
    pending = vgpu_room_promised(snapshot, parent);
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

/* The GPU's parents with reservations that its driver does not know, or that are closed; NULL: none. */
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

/* By the counts of the tally, corrected for special parents. */
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
    guint total = gpu->card_mib;

    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (!vgpu_profile_is_mig(profile))
            total = MAX(total, profile->fb_mib * profile->max_instances);
    }
    return total;
}

/* How many of its size a GPU takes: its own maximum, else that of another series; 0 when unknown. */
static guint
size_limit(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    guint limit = vgpu_gpu_max_instances(gpu, profile);

    for (guint i = 0; !limit && profile->fb_mib && i < gpu->profiles->len; i++) {
        const VgpuProfile *one = g_ptr_array_index(gpu->profiles, i);

        if (one->fb_mib == profile->fb_mib && !vgpu_profile_is_mig(one))
            limit = vgpu_gpu_max_instances(gpu, one);
    }
    return limit;
}

static guint
less(guint all, guint used)
{
    return all > used ? all - used : 0;
}

/* While all have one size (kvgpumgrCheckVgpuTypeCreatable() of open-gpu-kernel-modules): the driver
 * makes a type as long as there are fewer vGPUs, of any series, than its maximum. */
static guint
equal_size_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    guint limit = size_limit(gpu, profile);

    if (limit)
        return less(limit, load->vgpus);
    if (gpu->card_mib && profile->fb_mib) /* it may be fewer */
        return less(gpu->card_mib / profile->fb_mib, load->vgpus);
    return G_MAXUINT;
}

guint
vgpu_room_limit(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    guint total = total_fb_mib(gpu);

    if (load->has_board)
        return load->board_room;
    if (vgpu_profile_is_mig(profile))
        return profile->max_instances ? less(profile->max_instances, load->of_profile)
                                      : G_MAXUINT;
    if (!gpu->is_mixed)
        return equal_size_limit(gpu, profile, load);
    return total && profile->fb_mib ? less(total, load->fb_mib) / profile->fb_mib : G_MAXUINT;
}

/* Whether vGPUs are made on VFs, each of which takes one and tells nothing of the others. */
static bool
is_on_vfs(const VgpuGpu *gpu)
{
    return gpu->parents->len && ((const VgpuParent *) gpu->parents->pdata[0])->is_vf;
}

bool
vgpu_room_is_known(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    if (load->has_board)
        return load->board_is_certain;
    if (!is_on_vfs(gpu)) /* the driver's own number, without the vGPUs that it does not know */
        return !load->pending_others || size_limit(gpu, profile);
    return !vgpu_profile_is_mig(profile) && !gpu->is_mixed &&
           vgpu_gpu_max_instances(gpu, profile);
}

/* Whether the GPU is in MIG mode: as NVML reports, or else as its profiles show, since a driver offers
 * only profiles for its present mode. */
typedef enum {
    MIG_OFF,
    MIG_ON,
    MIG_UNKNOWN,
} Mig;

static Mig
seen_on(const VgpuGpu *gpu, const VgpuParent *parent)
{
    for (guint i = 0; i < parent->instances->len; i++) {
        const char *id = ((const VgpuInstance *) parent->instances->pdata[i])->profile_id;
        const VgpuProfile *profile = id ? vgpu_gpu_find_profile(gpu, id) : NULL;

        if (profile)
            return vgpu_profile_is_mig(profile) ? MIG_ON : MIG_OFF;
    }
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        if (offer->available)
            return vgpu_profile_is_mig(offer->profile) ? MIG_ON : MIG_OFF;
    }
    return MIG_UNKNOWN;
}

static Mig
mig_mode(const VgpuGpu *gpu)
{
    Mig mode = MIG_OFF; /* MIG-backed vGPUs need VFs, and a GPU that has such profiles */

    if (gpu->is_mig || gpu->tells_mig)
        return gpu->is_mig ? MIG_ON : MIG_OFF;
    for (guint i = 0; is_on_vfs(gpu) && i < gpu->profiles->len && mode == MIG_OFF; i++) {
        if (vgpu_profile_is_mig(g_ptr_array_index(gpu->profiles, i)))
            mode = MIG_UNKNOWN;
    }
    for (guint i = 0; i < gpu->parents->len && mode == MIG_UNKNOWN; i++)
        mode = seen_on(gpu, g_ptr_array_index(gpu->parents, i));
    return mode;
}

/* VFs that the host does not keep for itself. */
static guint
count_for_guests(const VgpuGpu *gpu)
{
    guint n = 0;

    for (guint i = 0; i < gpu->parents->len; i++)
        n += !((const VgpuParent *) g_ptr_array_index(gpu->parents, i))->host_vf;
    return n;
}

guint
vgpu_room_capacity(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    g_autoptr(VgpuBoard) empty = vgpu_board_new(gpu, profile);
    Mig mode = mig_mode(gpu);
    VgpuLoad nothing = { 0 };
    guint limit;

    if (mode == MIG_UNKNOWN)
        return VGPU_COUNT_UNKNOWN;
    if ((mode == MIG_ON) != vgpu_profile_is_mig(profile)) /* it is not for this mode */
        return 0;
    take_board(empty, &nothing);
    limit = gpu->is_mig && gpu->mig_auto && profile->max_instances
                ? profile->max_instances
                : vgpu_room_limit(gpu, profile, &nothing);
    if (limit == G_MAXUINT || !vgpu_room_is_known(gpu, profile, &nothing))
        return VGPU_COUNT_UNKNOWN;
    return is_on_vfs(gpu) ? MIN(limit, count_for_guests(gpu)) : limit;
}
