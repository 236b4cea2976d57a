/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-together.c: places for several vGPUs of one domain at once
 *
 * They are first placed one after the other, which nearly always works. Only if one of them finds no
 * place, a search begins with the most constrained one; it gives up after MAX_LOOKS, since the start has
 * a time limit. */
#include <string.h>

#include "placement/pending.h"
#include "placement/placement-private.h"
#include "placement/room.h"

#define MAX_LOOKS 1000 /* at all GPUs for one profile: on a large host that is full, 2 ms each */
#define ANY (-1)

typedef struct {
    VgpuSpot spot;
    int alternative; /* of its want's profiles */
} Choice;

typedef struct {
    guint want;
    guint ways;   /* GPUs that would do for it if it were alone, by alternative */
    guint fb_mib; /* the largest size that it may have: large ones are harder to place */
} Turn;

typedef struct {
    const GPtrArray *wants; /* of VgpuWant */
    const VgpuSnapshot *before;
    GArray *open; /* its reservations that matter */
    VgpuPending *pending;
    VgpuSnapshot now; /* including the vGPUs placed so far; it borrows these: */
    GArray *reservations;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_mib;
    GHashTable *closed;
    GArray *choices;  /* of Choice, by want; of those not placed it means nothing */
    GArray *fixed;    /* of int, by want: the only alternative that it may have, or ANY */
    GArray *order;    /* of Turn: the wants, the most constrained first */
    GHashTable *dead; /* set of states without a solution */
    guint looks;
} Search;

static GHashTable *
copy_table(GHashTable *table)
{
    GHashTable *copy = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer key, value;

    if (table) {
        g_hash_table_iter_init(&iter, table);
        while (g_hash_table_iter_next(&iter, &key, &value))
            g_hash_table_insert(copy, key, value);
    }
    return copy;
}

static const VgpuWant *
want_at(const Search *self, guint i)
{
    return g_ptr_array_index(self->wants, i);
}

static const VgpuCandidate *
candidate_at(const GPtrArray *sorted, guint i)
{
    return g_ptr_array_index(sorted, i);
}

/* Nothing is placed. */
static void
start_anew(Search *self)
{
    const GPtrArray *own = self->before->own;

    g_array_set_size(self->reservations, 0);
    if (self->open->len)
        g_array_append_vals(self->reservations, self->open->data, self->open->len);
    g_ptr_array_set_size(self->own, 0);
    for (guint i = 0; own && i < own->len; i++)
        g_ptr_array_add(self->own, g_ptr_array_index(own, i));
    g_clear_pointer(&self->tenant_used, g_hash_table_unref);
    self->now.tenant_used = self->tenant_used = copy_table(self->before->tenant_used);
    g_clear_pointer(&self->tenant_mib, g_hash_table_unref);
    self->now.tenant_mib = self->tenant_mib = copy_table(self->before->tenant_mib);
}

static void
search_init(Search *self, const VgpuSnapshot *snapshot, const GPtrArray *wants)
{
    *self = (Search) {
        .wants = wants,
        .before = snapshot,
        .open = vgpu_room_open_reservations(snapshot),
        .now = *snapshot,
        .reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation)),
        .own = g_ptr_array_new(),
        .closed = copy_table(snapshot->closed),
        .choices = g_array_new(FALSE, TRUE, sizeof(Choice)),
        .fixed = g_array_new(FALSE, FALSE, sizeof(int)),
        .order = g_array_new(FALSE, FALSE, sizeof(Turn)),
        .dead = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    self->pending = vgpu_pending_new(snapshot->inventory, self->open);
    self->now.reservations = self->reservations;
    self->now.pending = self->pending;
    self->now.own = self->own;
    self->now.closed = self->closed;
    g_array_set_size(self->choices, wants->len);
    for (guint i = 0; i < wants->len; i++) {
        int any = ANY;

        g_array_append_val(self->fixed, any);
        if (want_at(self, i)->vf)
            g_hash_table_insert(self->closed, want_at(self, i)->vf,
                                (gpointer) "another vGPU of the domain gets it");
    }
    start_anew(self);
}

static void
search_clear(Search *self)
{
    g_array_unref(self->open);
    vgpu_pending_free(self->pending);
    g_array_unref(self->reservations);
    g_ptr_array_unref(self->own);
    g_hash_table_unref(self->tenant_used);
    g_hash_table_unref(self->tenant_mib);
    g_hash_table_unref(self->closed);
    g_array_unref(self->choices);
    g_array_unref(self->fixed);
    g_array_unref(self->order);
    g_hash_table_unref(self->dead);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

/* The candidates for one alternative of one want, and in *@sorted those that fit, best first. */
static GPtrArray *
look(Search *self, guint i, int alternative, GPtrArray **sorted)
{
    const VgpuWant *want = want_at(self, i);
    GHashTable *closed_before = self->before->closed;
    gpointer others = want->vf ? g_hash_table_lookup(self->closed, want->vf) : NULL;
    GPtrArray *candidates;
    bool fits = false;

    self->looks++;
    if (want->vf && closed_before && g_hash_table_contains(closed_before, want->vf))
        g_hash_table_insert(self->closed, want->vf, g_hash_table_lookup(closed_before, want->vf));
    else if (want->vf)
        g_hash_table_remove(self->closed, want->vf);
    candidates = vgpu_placement_judge(&self->now, want, want->profiles[alternative], &fits);
    *sorted = vgpu_placement_rank(&self->now, candidates, want->placement);
    if (want->vf)
        g_hash_table_insert(self->closed, want->vf, others);
    return candidates;
}

static void
add_to(GHashTable *by_pool, const VgpuPool *pool, guint more)
{
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(by_pool, pool->name));

    g_hash_table_insert(by_pool, pool->name, GUINT_TO_POINTER(before + more));
}

static void
charge_tenant(Search *self, const VgpuCandidate *candidate)
{
    if (candidate->pool && self->now.tenant) {
        add_to(self->tenant_used, candidate->pool, 1);
        add_to(self->tenant_mib, candidate->pool, candidate->profile->fb_mib);
    }
}

static void
discharge_tenant(Search *self, const VgpuCandidate *candidate)
{
    if (candidate->pool && self->now.tenant) {
        add_to(self->tenant_used, candidate->pool, -1u);
        add_to(self->tenant_mib, candidate->pool, -candidate->profile->fb_mib);
    }
}

static void
put(Search *self, guint i, int alternative, const VgpuCandidate *candidate)
{
    const VgpuWant *want = want_at(self, i);
    VgpuReservation taken = {
        .uuid = want->uuid ? want->uuid : "",
        .parent = candidate->parent->address,
        .profile_id = candidate->profile->id,
    };
    Choice choice = {
        .spot = { candidate->gpu, candidate->parent, candidate->profile },
        .alternative = alternative,
    };

    g_array_append_val(self->reservations, taken);
    g_ptr_array_add(self->own, candidate->profile->id);
    charge_tenant(self, candidate);
    g_array_index(self->choices, Choice, i) = choice;
}

/* Undo the last one. */
static void
take_back(Search *self, const VgpuCandidate *candidate)
{
    g_array_set_size(self->reservations, self->reservations->len - 1);
    g_ptr_array_set_size(self->own, (gint) self->own->len - 1);
    discharge_tenant(self, candidate);
}

/* One after the other; false with the one that has no room. */
static bool
place_in_turn(Search *self, guint *failed)
{
    start_anew(self);
    for (guint i = 0; i < self->wants->len; i++) {
        bool placed = false;

        for (int a = 0; !placed && want_at(self, i)->profiles[a] && self->looks < MAX_LOOKS;
             a++) {
            g_autoptr(GPtrArray) sorted = NULL;
            g_autoptr(GPtrArray) candidates = look(self, i, a, &sorted);

            placed = sorted->len;
            if (placed)
                put(self, i, a, candidate_at(sorted, 0));
        }
        if (!placed) {
            *failed = i;
            return false;
        }
    }
    return true;
}

static bool
may_have(const Search *self, guint i, int alternative)
{
    int fixed = g_array_index(self->fixed, int, i);

    return fixed == ANY || fixed == alternative;
}

static int
compare_words(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The state after the first @depth: which of them is where does not matter, nor on which VF. */
static char *
state_of(const Search *self, guint depth)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint d = 0; d < depth; d++) {
        const VgpuSpot *spot =
            &g_array_index(self->choices, Choice, g_array_index(self->order, Turn, d).want).spot;

        g_ptr_array_add(words, vgpu_placement_pair(spot->gpu->address, spot->profile->id));
    }
    g_ptr_array_sort(words, compare_words);
    g_ptr_array_add(words, g_strdup_printf("%u", depth));
    g_ptr_array_add(words, NULL);
    return g_strjoinv(";", (char **) words->pdata);
}

static bool
search_from(Search *self, guint depth)
{
    g_autofree char *state = state_of(self, depth);
    const VgpuWant *want;
    guint i;

    if (depth == self->wants->len)
        return true;
    if (g_hash_table_contains(self->dead, state))
        return false;
    i = g_array_index(self->order, Turn, depth).want;
    want = want_at(self, i);
    for (int a = 0; want->profiles[a] && self->looks < MAX_LOOKS; a++) {
        g_autoptr(GPtrArray) sorted = NULL;
        g_autoptr(GPtrArray) candidates = NULL;

        if (!may_have(self, i, a))
            continue;
        candidates = look(self, i, a, &sorted);
        for (guint c = 0; c < sorted->len; c++) {
            put(self, i, a, candidate_at(sorted, c));
            if (search_from(self, depth + 1))
                return true;
            take_back(self, candidate_at(sorted, c));
        }
    }
    g_hash_table_add(self->dead, g_steal_pointer(&state));
    return false;
}

static Turn
make_turn(Search *self, guint i)
{
    Turn turn = { .want = i };

    for (int a = 0; want_at(self, i)->profiles[a] && self->looks < MAX_LOOKS; a++) {
        g_autoptr(GPtrArray) sorted = NULL;
        g_autoptr(GPtrArray) candidates = NULL;

        if (!may_have(self, i, a))
            continue;
        candidates = look(self, i, a, &sorted);
        turn.ways += sorted->len;
        for (guint c = 0; c < sorted->len; c++)
            turn.fb_mib = MAX(turn.fb_mib, candidate_at(sorted, c)->profile->fb_mib);
    }
    return turn;
}

static int
compare_turns(gconstpointer a, gconstpointer b)
{
    const Turn *x = a;
    const Turn *y = b;

    if (x->ways != y->ways)
        return x->ways > y->ways ? 1 : -1;
    return (x->fb_mib < y->fb_mib) - (x->fb_mib > y->fb_mib);
}

static bool
search(Search *self)
{
    start_anew(self);
    g_hash_table_remove_all(self->dead);
    g_array_set_size(self->order, 0);
    for (guint i = 0; i < self->wants->len; i++) {
        Turn turn = make_turn(self, i);

        if (!turn.ways)
            return false;
        g_array_append_val(self->order, turn);
    }
    g_array_sort(self->order, compare_turns); /* stable */
    return search_from(self, 0);
}

/* Give each device, in order, the first of its alternatives with which all can be placed. @found is one
 * solution, which this improves. */
static void
improve(Search *self, Choice *found)
{
    for (guint i = 0; i < self->wants->len; i++) {
        int *fixed = &g_array_index(self->fixed, int, i);

        for (int a = 0; a < found[i].alternative && self->looks < MAX_LOOKS; a++) {
            *fixed = a;
            if (search(self)) {
                memcpy(found, self->choices->data, sizeof(Choice) * self->wants->len);
                break;
            }
        }
        *fixed = found[i].alternative;
    }
}

GArray *
vgpu_placement_together(const VgpuSnapshot *snapshot, const GPtrArray *wants, guint *failed)
{
    g_auto(Search) self = { 0 };
    g_autofree Choice *found = NULL;
    GArray *spots;
    guint first = 0;

    search_init(&self, snapshot, wants);
    if (!place_in_turn(&self, &first) && !search(&self)) {
        if (failed)
            *failed = first;
        return NULL;
    }
    found = g_memdup2(self.choices->data, sizeof(Choice) * wants->len);
    improve(&self, found);
    spots = g_array_new(FALSE, FALSE, sizeof(VgpuSpot));
    for (guint i = 0; i < wants->len; i++)
        g_array_append_val(spots, found[i].spot);
    return spots;
}
