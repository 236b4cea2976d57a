/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-choose.c: which of the GPUs that have room is taken */
#include "placement/placement-private.h"
#include "placement/room.h"

/* Where pack looks first. */
typedef enum {
    IN_ITS_SIZE, /* has vGPUs, and so no use for other sizes */
    IN_USE,      /* has vGPUs, of whatever size */
    EMPTY,
} Use;

typedef struct {
    const VgpuCandidate *candidate;
    bool slow;
    Use use;
    guint fb_mib;    /* in use on the GPU */
    guint room;      /* for the profile, on the GPU */
    guint elsewhere; /* the largest frame buffer that the other GPUs of the pool have room for */
    guint distance;  /* from the domain's memory */
    guint node_room; /* for the profile, on all candidates of the GPU's node */
} Rank;

static int
fewer_first(guint a, guint b)
{
    return (a > b) - (a < b);
}

static int
compare_fullness(const Rank *a, const Rank *b)
{
    int order = fewer_first(a->use, b->use);

    return order ? order : fewer_first(b->fb_mib, a->fb_mib);
}

static int
compare_pack(const Rank *a, const Rank *b)
{
    int order = compare_fullness(a, b);

    if (!order)
        order = fewer_first(b->elsewhere, a->elsewhere);
    return order ? order : fewer_first(a->room, b->room);
}

static int
compare_spread(const Rank *a, const Rank *b)
{
    int order = fewer_first(a->candidate->used, b->candidate->used);

    return order ? order : fewer_first(b->room, a->room);
}

static int
compare_numa(const Rank *a, const Rank *b)
{
    int order = fewer_first(a->distance, b->distance);

    if (!order)
        order = fewer_first(b->node_room, a->node_room);
    return order ? order : compare_pack(a, b);
}

static int
compare_ranks(gconstpointer x, gconstpointer y, gpointer opaque)
{
    static int (*const by_policy[])(const Rank *, const Rank *) = {
        [VGPU_PLACEMENT_PACK] = compare_pack,
        [VGPU_PLACEMENT_SPREAD] = compare_spread,
        [VGPU_PLACEMENT_NUMA] = compare_numa,
    };
    const Rank *a = x;
    const Rank *b = y;
    /* functions that the host may be using come last, before all other criteria */
    int order = fewer_first(a->candidate->reluctance / 2, b->candidate->reluctance / 2);

    if (!order)
        order = fewer_first(a->slow, b->slow);
    if (!order)
        order = fewer_first(a->candidate->reluctance, b->candidate->reluctance);
    return order ? order : by_policy[*(const VgpuPlacement *) opaque](a, b);
}

/* The largest frame buffer that the GPU has room for. */
static guint
largest_on(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    guint largest = 0;

    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (profile->fb_mib > largest && vgpu_placement_room(snapshot, gpu, profile))
            largest = profile->fb_mib;
    }
    return largest;
}

/* Whether the room on other GPUs matters, which takes long to compute. */
static bool
has_equals(const GArray *ranks)
{
    for (guint i = 0; i < ranks->len; i++) {
        for (guint j = i + 1; j < ranks->len; j++) {
            if (!compare_fullness(&g_array_index(ranks, Rank, i), &g_array_index(ranks, Rank, j)))
                return true;
        }
    }
    return false;
}

/* All that fit are of one pool. */
static void
fill_elsewhere(const VgpuSnapshot *snapshot, GArray *ranks)
{
    const VgpuPool *pool = g_array_index(ranks, Rank, 0).candidate->pool;
    const VgpuGpu *best = NULL;
    guint first = 0, second = 0; /* the largest on that, and on any other */

    for (guint i = 0; i < snapshot->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(snapshot->inventory->gpus, i);
        guint largest;

        if ((snapshot->pools ? vgpu_pools_of(snapshot->pools, gpu) : NULL) != pool)
            continue;
        largest = largest_on(snapshot, gpu);
        if (!best || largest > first) {
            second = first;
            first = largest;
            best = gpu;
        } else {
            second = MAX(second, largest);
        }
    }
    for (guint i = 0; i < ranks->len; i++) {
        Rank *rank = &g_array_index(ranks, Rank, i);

        rank->elsewhere = rank->candidate->gpu == best ? second : first;
    }
}

static void
fill_nodes(const VgpuSnapshot *snapshot, GArray *ranks)
{
    for (guint i = 0; i < ranks->len; i++) {
        Rank *rank = &g_array_index(ranks, Rank, i);
        int node = rank->candidate->gpu->numa_node;

        if (snapshot->numa_nodes) {
            rank->distance = node < 0                                          ? 1
                             : node < 64 && (snapshot->numa_nodes >> node & 1) ? 0
                                                                               : 2;
            continue;
        }
        for (guint j = 0; j < ranks->len; j++) {
            const Rank *other = &g_array_index(ranks, Rank, j);

            if (other->candidate->gpu->numa_node == node)
                rank->node_room += other->room;
        }
    }
}

static Rank
rank_of(const VgpuSnapshot *snapshot, const VgpuCandidate *candidate)
{
    const VgpuGpu *gpu = candidate->gpu;

    return (Rank) {
        .candidate = candidate,
        .slow = snapshot->slow && g_hash_table_contains(snapshot->slow, gpu->address),
        .use = !candidate->used               ? EMPTY
               : gpu->is_mixed || gpu->is_mig ? IN_USE
                                              : IN_ITS_SIZE,
        .fb_mib = vgpu_room_load(snapshot, gpu, candidate->profile).fb_mib,
        .room = vgpu_placement_room(snapshot, gpu, candidate->profile),
    };
}

GPtrArray *
vgpu_placement_rank(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                    VgpuPlacement policy)
{
    GPtrArray *sorted = g_ptr_array_new();
    g_autoptr(GArray) open = snapshot->pending ? NULL : vgpu_room_open_reservations(snapshot);
    VgpuSnapshot sooner = *snapshot;
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(Rank));

    if (open)
        sooner.reservations = open;
    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);
        Rank rank;

        if (candidate->verdict != VGPU_VERDICT_FITS)
            continue;
        rank = rank_of(&sooner, candidate);
        g_array_append_val(ranks, rank);
    }
    if (policy != VGPU_PLACEMENT_SPREAD && has_equals(ranks))
        fill_elsewhere(&sooner, ranks);
    if (policy == VGPU_PLACEMENT_NUMA)
        fill_nodes(snapshot, ranks);
    g_array_sort_with_data(ranks, compare_ranks, &policy); /* stable */
    for (guint i = 0; i < ranks->len; i++)
        g_ptr_array_add(sorted, (gpointer) g_array_index(ranks, Rank, i).candidate);
    return sorted;
}

const VgpuCandidate *
vgpu_placement_choose(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                      VgpuPlacement policy)
{
    g_autoptr(GPtrArray) sorted = vgpu_placement_rank(snapshot, candidates, policy);

    return sorted->len ? g_ptr_array_index(sorted, 0) : NULL;
}
