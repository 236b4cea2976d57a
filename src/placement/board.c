/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement/board.h"

/* A GPU instance of the kind that the profile is for. */
typedef struct {
    guint id;
    guint n;
    guint fb_mib; /* of those on it */
} Slice;

typedef struct {
    guint first, n;
    const char *uuid; /* NULL: not known */
} Range;

struct VgpuBoard {
    const VgpuGpu *gpu;
    const VgpuProfile *profile;
    GArray *slices; /* of Slice, by id; NULL: slots decide */
    GArray *ranges; /* of Range: slots that are taken; NULL: GPU instances decide */
    guint lost;     /* vGPUs of which it is not known where they are */
    guint slots;    /* that those take */
};

static guint
most_on_one(const VgpuProfile *profile)
{
    return MAX(profile->max_per_gi, 1);
}

VgpuBoard *
vgpu_board_new(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    bool on_instances = gpu->is_mig && profile->gi_profile >= 0 && gpu->tells_gis;
    bool on_slots = gpu->is_mixed && !gpu->is_mig && profile->slots && profile->places;
    VgpuBoard *self;

    if (!on_instances && !on_slots)
        return NULL;
    self = g_new0(VgpuBoard, 1);
    self->gpu = gpu;
    self->profile = profile;
    if (on_slots)
        self->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    else
        self->slices = g_array_new(FALSE, FALSE, sizeof(Slice));
    for (guint i = 0; on_instances && i < gpu->gpu_instances->len; i++) {
        const VgpuGpuInstance *instance = g_ptr_array_index(gpu->gpu_instances, i);
        Slice slice = { .id = instance->id };

        if (instance->profile == profile->gi_profile)
            g_array_append_val(self->slices, slice);
    }
    return self;
}

void
vgpu_board_free(VgpuBoard *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->slices, g_array_unref);
    g_clear_pointer(&self->ranges, g_array_unref);
    g_free(self);
}

/* --- GPU instances -------------------------------------------------------------------------- */

/* How many more of @profile it takes. */
static guint
left_on(const Slice *slice, const VgpuProfile *profile)
{
    guint most = most_on_one(profile);

    if (slice->n && slice->fb_mib != profile->fb_mib)
        return 0;
    return most > slice->n ? most - slice->n : 0;
}

static void
put_on(Slice *slice, const VgpuProfile *profile)
{
    slice->n++;
    slice->fb_mib = profile ? profile->fb_mib : 0;
}

static void
put_on_first(VgpuBoard *self, const VgpuProfile *profile)
{
    for (guint i = 0; i < self->slices->len; i++) {
        Slice *slice = &g_array_index(self->slices, Slice, i);

        if (left_on(slice, profile)) {
            put_on(slice, profile);
            return;
        }
    }
}

/* Where one of several is on one of several GPU instances that take more than one, matters. */
static void
put_on_slice(VgpuBoard *self, const VgpuProfile *profile, int gi)
{
    for (guint i = 0; gi >= 0 && i < self->slices->len; i++) {
        Slice *slice = &g_array_index(self->slices, Slice, i);

        if (slice->id == (guint) gi) {
            put_on(slice, profile);
            return;
        }
    }
    if (gi >= 0 || (profile && profile->gi_profile != self->profile->gi_profile))
        return;
    self->lost++;
    if (profile)
        put_on_first(self, profile);
}

static guint
count_on_slices(const VgpuBoard *self)
{
    guint room = 0;

    for (guint i = 0; i < self->slices->len; i++)
        room += left_on(&g_array_index(self->slices, Slice, i), self->profile);
    return room;
}

/* --- slots ---------------------------------------------------------------------------------- */

static bool
overlap(const Range *range, guint first, guint n)
{
    return range->first < first + n && first < range->first + range->n;
}

static bool
is_free(const GArray *ranges, guint first, guint n)
{
    for (guint i = 0; i < ranges->len; i++) {
        if (overlap(&g_array_index(ranges, Range, i), first, n))
            return false;
    }
    return true;
}

/* Take the first free place; false: there is none. */
static bool
take_place(GArray *ranges, const VgpuProfile *profile, const char *uuid)
{
    for (guint i = 0; profile->places && i < profile->places->len; i++) {
        Range range = { g_array_index(profile->places, guint, i), profile->slots, uuid };

        if (is_free(ranges, range.first, range.n)) {
            g_array_append_val(ranges, range);
            return true;
        }
    }
    return false;
}

static void
put_on_slots(VgpuBoard *self, const VgpuProfile *profile, int slot, const char *uuid)
{
    Range range = { (guint) slot, profile ? profile->slots : 0, uuid };

    if (slot >= 0 && range.n) {
        g_array_append_val(self->ranges, range);
        return;
    }
    self->lost++;
    self->slots += range.n;
}

static guint
count_places(const VgpuBoard *self, const VgpuProfile *profile)
{
    g_autoptr(GArray) ranges = g_array_copy(self->ranges);
    guint room = 0;

    while (take_place(ranges, profile, NULL))
        room++;
    return room;
}

/* The slots of the GPU, as the places of its profiles tell. */
static guint
count_slots(const VgpuGpu *gpu)
{
    guint end = 0;

    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        for (guint p = 0; profile->places && p < profile->places->len; p++)
            end = MAX(end, g_array_index(profile->places, guint, p) + profile->slots);
    }
    return end;
}

/* vGPUs with a known place leave @room; the others take slots from it, too. */
static guint
without_lost(const VgpuBoard *self, guint room)
{
    guint slots = count_slots(self->gpu), used = self->slots;

    for (guint i = 0; i < self->ranges->len; i++)
        used += g_array_index(self->ranges, Range, i).n;
    return MIN(room, slots > used ? (slots - used) / self->profile->slots : 0);
}

/* --- both ----------------------------------------------------------------------------------- */

void
vgpu_board_put(VgpuBoard *self, const VgpuProfile *profile, const VgpuInstance *instance)
{
    if (self->slices)
        put_on_slice(self, profile, instance->gi);
    else
        put_on_slots(self, profile, instance->slot, instance->uuid);
}

void
vgpu_board_promise(VgpuBoard *self, const VgpuProfile *profile, const char *uuid)
{
    if (self->ranges)
        (void) take_place(self->ranges, profile, uuid);
    else if (profile->gi_profile == self->profile->gi_profile)
        put_on_first(self, profile);
}

guint
vgpu_board_room(const VgpuBoard *self)
{
    if (self->slices)
        return count_on_slices(self);
    return without_lost(self, count_places(self, self->profile));
}

bool
vgpu_board_is_certain(const VgpuBoard *self)
{
    guint most = 1;

    if (!self->lost)
        return true;
    for (guint i = 0; self->slices && i < self->gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(self->gpu->profiles, i);

        if (profile->gi_profile == self->profile->gi_profile)
            most = MAX(most, most_on_one(profile));
    }
    return self->slices && (most == 1 || self->slices->len == 1);
}

/* --- in words ------------------------------------------------------------------------------- */

/* The largest that fits, of the same series if there is one. */
static const VgpuProfile *
find_alternative(const VgpuBoard *self)
{
    const VgpuProfile *best = NULL;

    for (guint i = 0; i < self->gpu->profiles->len; i++) {
        const VgpuProfile *one = g_ptr_array_index(self->gpu->profiles, i);
        bool alike = vgpu_profile_series(one) == vgpu_profile_series(self->profile);
        bool best_is_alike =
            best && vgpu_profile_series(best) == vgpu_profile_series(self->profile);

        if (!count_places(self, one) || (best_is_alike && !alike))
            continue;
        if (!best || alike > best_is_alike || one->slots > best->slots)
            best = one;
    }
    return best;
}

static guint
count_blockers(const VgpuBoard *self, guint place)
{
    guint n = 0;

    for (guint i = 0; i < self->ranges->len; i++)
        n += overlap(&g_array_index(self->ranges, Range, i), place, self->profile->slots);
    return n;
}

static void
say_blockers(const VgpuBoard *self, guint place, GHashTable *users, GString *text)
{
    const char *separator = "";

    for (guint i = 0; i < self->ranges->len; i++) {
        const Range *range = &g_array_index(self->ranges, Range, i);
        const char *user = users && range->uuid ? g_hash_table_lookup(users, range->uuid) : NULL;

        if (!overlap(range, place, self->profile->slots))
            continue;
        g_string_append_printf(text, "%sslot %u is taken by %s", separator, range->first,
                               user          ? user
                               : range->uuid ? range->uuid
                                             : "a vGPU");
        separator = ", ";
    }
}

char *
vgpu_board_explain(const VgpuBoard *self, GHashTable *users)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const VgpuProfile *other;
    const GArray *places = self->profile->places;
    guint best = 0, n;

    if (!self->ranges || !places->len || self->lost)
        return NULL;
    for (guint i = 1; i < places->len; i++) {
        if (count_blockers(self, g_array_index(places, guint, i)) <
            count_blockers(self, g_array_index(places, guint, best)))
            best = i;
    }
    if (!count_blockers(self, g_array_index(places, guint, best)))
        return NULL;
    other = find_alternative(self);
    n = other ? count_places(self, other) : 0;
    if (n)
        g_string_append_printf(text, "%u × '%s' %s, but no '%s': ", n, other->name,
                               n == 1 ? "fits" : "fit", self->profile->name);
    say_blockers(self, g_array_index(places, guint, best), users, text);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
