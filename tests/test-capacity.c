/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capacity: on every captured card, filled and emptied at random, the reported capacity is what its
 * driver accepts, or unknown; with the management library's facts and without. */
#include "test.h"

#include <string.h>

#include "board-model.h"
#include "captures.h"
#include "gpu/facts.h"
#include "gpu/inventory.h"
#include "gpu/tally.h"
#include "placement/pending.h"
#include "placement/room.h"

#define STEPS 30
#define SEEDS 2
#define UNKNOWN VGPU_COUNT_UNKNOWN

/* The parameters of a run. */
typedef struct {
    ModelMode mode;
    bool facts;    /* the management library answers */
    bool bindings; /* sysfs tells which GPU instance or slots a vGPU has */
    bool restart;  /* what was known is forgotten all the time */
    guint32 seed;
} Way;

typedef struct {
    const Capture *capture;
    Way way;
    GRand *rand;
    Model empty, now;           /* with what is promised */
    guint card_mib;             /* of the largest type */
    bool promised[MODEL_VGPUS]; /* the driver does not know of it yet; by place in now.vgpus */
    VgpuGpu *gpu;
    guint capacity[MODEL_TYPES]; /* as said first */
    guint step;
} Run;

/* Types of which one GPU instance takes several: four of 24 GiB (vgpu-device-manager,
 * examples/config-example.yaml). */
static const struct {
    const char *end; /* of the type's name */
    guint per_gi;
} time_sliced[] = {
    { "DC-1-2Q", 12 },
    { "DC-1-24Q", 1 },
};

static guint
size_of(const CaptureType *type)
{
    const char *dash = type->name ? strrchr(type->name, '-') : NULL;
    guint gib = dash ? (guint) g_ascii_strtoull(dash + 1, NULL, 10) : 0;

    if (type->fb_mib || !dash)
        return type->fb_mib;
    return gib ? gib * 1024 : 512;
}

/* Unknown types come last. */
static guint
count_types(const Capture *capture)
{
    guint n = 0;

    while (capture->types[n].id && size_of(&capture->types[n]))
        n++;
    return n;
}

/* 0: a GPU instance is as large as one. */
static guint
per_gi_of(const CaptureType *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(time_sliced); i++) {
        if (g_str_has_suffix(type->name, time_sliced[i].end))
            return time_sliced[i].per_gi;
    }
    return 0;
}

/* "A100-2-10C": 2. */
static guint
slices_of(const CaptureType *type)
{
    return (guint) (strrchr(type->name, '-')[-1] - '0');
}

/* GPU instance profiles have numbers of our own here; those with extras ("-1-5CME") are apart. */
static int
gi_profile_of(const CaptureType *type)
{
    guint size = per_gi_of(type) ? 24 : size_of(type) / 1024;

    return type->is_mig
               ? (int) (size * 100 + slices_of(type) * 10) + g_str_has_suffix(type->name, "ME")
               : -1;
}

/* If a capture lacks the maximum of a type, use the number that fills the whole card, at most 32: this is right for
 * 709 of the 710 types for which vgpu-device-manager has numbers. */
static guint
max_of(const Run *self, const CaptureType *type)
{
    return type->max_instances ? type->max_instances : MIN(32, self->card_mib / size_of(type));
}

/* Divide the GPU at random; it has slices for seven GPU instances, and the media extensions once. */
static void
cut(Run *self)
{
    Model *model = &self->empty;
    guint slices = 0;
    bool extras = false;

    for (guint i = 0; i < 16 && model->n_gis < MODEL_GIS; i++) {
        guint t = (guint) g_rand_int_range(self->rand, 0, (gint) model->n_types);
        const CaptureType *type = &self->capture->types[t];
        bool more = type->is_mig && g_str_has_suffix(type->name, "ME");

        if (!type->is_mig || slices + slices_of(type) > 7 || (more && extras))
            continue;
        slices += slices_of(type);
        extras |= more;
        model->gis[model->n_gis++] = model->types[t].gi_profile;
    }
}

static void
make_model(Run *self)
{
    Model *model = &self->empty;

    model->mode = self->way.mode;
    if (self->capture->first_vf) /* all that it can have, or those that it had */
        model->n_vfs =
            self->way.seed == 1 ? self->capture->vfs_total : self->capture->vfs_enabled;
    model->n_types = count_types(self->capture);
    g_assert(model->n_types <= MODEL_TYPES);
    for (guint t = 0; t < model->n_types; t++) {
        const CaptureType *type = &self->capture->types[t];

        if (!type->is_mig)
            self->card_mib = MAX(self->card_mib, size_of(type));
    }
    for (guint t = 0; t < model->n_types; t++) {
        const CaptureType *type = &self->capture->types[t];

        model->types[t].gi_profile = gi_profile_of(type);
        model->types[t].size = size_of(type);
        model->types[t].per_gi = type->is_mig ? MAX(per_gi_of(type), 1) : 0;
        model->types[t].max = type->is_mig ? 48 : max_of(self, type);
    }
    if (self->way.mode == MODEL_MIXED)
        model_make_places(model, self->card_mib / 1024,
                          g_str_has_prefix(self->capture->what, "RTX Pro"));
    if (self->way.mode == MODEL_MIG)
        cut(self);
    self->now = *model;
}

/* --- the view of our code ------------------------------------------------------------------- */

/* The vGPUs that the driver has created, without those that are only promised. */
static Model
real_of(const Run *self)
{
    Model real = self->now;

    for (guint i = self->now.n_vgpus; i-- > 0;) {
        if (self->promised[i])
            model_drop(&real, i);
    }
    return real;
}

static GVariant *
places_of(const ModelType *type)
{
    GVariantBuilder places;

    g_variant_builder_init(&places, G_VARIANT_TYPE("au"));
    for (guint i = 0; i < type->n_places; i++)
        g_variant_builder_add(&places, "u", type->places[i]);
    return g_variant_builder_end(&places);
}

static GVariant *
make_facts(const Run *self)
{
    GVariantBuilder types, gis;
    const Model *model = &self->empty;

    g_variant_builder_init(&types, VGPU_FACTS_TYPE);
    for (guint t = 0; t < model->n_types; t++) {
        const ModelType *type = &model->types[t];
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        g_variant_dict_insert(&dict, "id", "s", self->capture->types[t].id);
        g_variant_dict_insert(&dict, "name", "s",
                              self->capture->types[t].name ? self->capture->types[t].name : "");
        g_variant_dict_insert(&dict, "framebuffer_mib", "u", type->size);
        g_variant_dict_insert(&dict, "max_instances", "u", type->max);
        g_variant_dict_insert(&dict, "max_per_gi", "u", type->per_gi);
        if (type->gi_profile >= 0)
            g_variant_dict_insert(&dict, "gi_profile", "u", type->gi_profile);
        if (type->slots) {
            g_variant_dict_insert(&dict, "placement_size", "u", type->slots);
            g_variant_dict_insert_value(&dict, "placements", places_of(type));
        }
        g_variant_builder_add_value(&types, g_variant_dict_end(&dict));
    }
    g_variant_builder_init(&gis, VGPU_FACTS_TYPE);
    for (guint g = 0; g < model->n_gis; g++)
        g_variant_builder_add_parsed(&gis, "{'gi': <%u>, 'profile_id': <%u>}", g + 1,
                                     (guint) model->gis[g]);
    return g_variant_new_parsed("[{'address': <%s>, 'mig': <%b>, 'mixed': <%b>, "
                                "'gpu_instances': <%@aa{sv}>, 'types': <%@aa{sv}>}]",
                                self->capture->address, self->way.mode == MODEL_MIG,
                                self->way.mode == MODEL_MIXED, g_variant_builder_end(&gis),
                                g_variant_builder_end(&types));
}

static bool
is_vendor(const Run *self)
{
    return self->capture->interface == VGPU_INTERFACE_VENDOR_VFIO;
}

/* Static facts, as each backend reads them. */
static const VgpuProfile *
take_profile(const Run *self, VgpuGpu *gpu, guint t)
{
    const CaptureType *type = &self->capture->types[t];
    VgpuProfile *profile = vgpu_profile_new(type->id, type->name);

    profile->fb_mib = type->fb_mib;
    profile->max_instances = type->max_instances;
    if (is_vendor(self))
        vgpu_profile_guess(profile);
    return vgpu_gpu_take_profile(gpu, profile);
}

static void
add_offers(const Run *self, const Model *real, const guint *rooms, VgpuGpu *gpu,
           VgpuParent *parent, bool taken)
{
    for (guint t = 0; t < real->n_types; t++) {
        guint room = taken ? 0 : rooms[t];

        if (parent->is_vf)
            room = MIN(room, 1);
        if (room || !is_vendor(self))
            vgpu_parent_add_offer(parent, take_profile(self, gpu, t), room);
    }
}

static void
add_function(const Run *self, const Model *real, const guint *rooms, VgpuGpu *gpu, guint n)
{
    g_autofree char *address = real->n_vfs ? g_strdup_printf("%s-vf%u", self->capture->address, n)
                                           : g_strdup(self->capture->address);
    VgpuParent *parent = vgpu_gpu_add_parent(gpu, address, real->n_vfs != 0);
    bool taken = false;

    for (guint i = 0; i < real->n_vgpus; i++) {
        const ModelVgpu *vgpu = &real->vgpus[i];
        g_autofree char *uuid = g_strdup_printf("u%u-%u", n, i);
        VgpuInstance *instance;

        if (vgpu->function != n)
            continue;
        taken = real->n_vfs != 0;
        instance = vgpu_parent_add_instance(parent, uuid, self->capture->types[vgpu->type].id);
        if (!self->way.bindings)
            continue;
        instance->gi = vgpu->gi < 0 ? -1 : vgpu->gi + 1;
        instance->slot = vgpu->slot;
    }
    add_offers(self, real, rooms, gpu, parent, taken);
}

static void
see(Run *self)
{
    g_autoptr(VgpuGpu) before = self->gpu;
    Model real = real_of(self);
    VgpuGpu *gpu = vgpu_gpu_new(self->capture->address);
    guint rooms[MODEL_TYPES];

    for (guint t = 0; t < real.n_types; t++)
        rooms[t] = model_room(&real, t);
    gpu->interface = self->capture->interface;
    gpu->vfs_enabled = real.n_vfs;
    for (guint n = 0; n < MAX(real.n_vfs, 1); n++)
        add_function(self, &real, rooms, gpu, n);
    if (is_vendor(self) && !real.n_vgpus && self->way.mode != MODEL_MIG)
        gpu->card_mib = self->card_mib; /* as scan.c learns it of the idle card */
    if (!self->way.restart)
        vgpu_inventory_remember_gpu(gpu, before);
    gpu->is_mixed = self->way.mode == MODEL_MIXED; /* as the layout has it */
    if (self->way.facts) {
        g_autoptr(GVariant) facts = g_variant_ref_sink(make_facts(self));

        vgpu_facts_apply(facts, gpu);
    }
    vgpu_tally_update(gpu);
    self->gpu = gpu;
}

/* --- the comparison ------------------------------------------------------------------------- */

static bool
must_know(const Run *self, const VgpuSnapshot *snapshot, guint t)
{
    const CaptureType *type = &self->capture->types[t];

    if (!self->empty.n_vfs)
        return type->max_instances || !snapshot->reservations->len;
    if (self->way.facts) /* where each instance takes one, it does not matter which */
        return self->way.bindings || self->way.mode == MODEL_EQUAL ||
               (self->way.mode == MODEL_MIG && !per_gi_of(type));
    if (self->way.mode != MODEL_EQUAL || type->is_mig)
        return false;
    return type->max_instances || (self->gpu->card_mib && self->card_mib % size_of(type) == 0);
}

static void
fail_on(const Run *self, guint t, const char *what, guint said, guint truth)
{
    g_autoptr(GString) on = g_string_new(NULL);

    for (guint i = 0; i < self->now.n_vgpus; i++)
        g_string_append_printf(on, " %s%s@%d/%d",
                               self->capture->types[self->now.vgpus[i].type].id,
                               self->promised[i] ? "(promised)" : "", self->now.vgpus[i].gi,
                               self->now.vgpus[i].slot);
    fail_msg(
        "%s (mode %d, facts %d, bindings %d, restart %d, seed %u, step %u): %s of %s is said to "
        "be %d and is %u, beside%s",
        self->capture->what, self->way.mode, self->way.facts, self->way.bindings,
        self->way.restart, self->way.seed, self->step, what,
        self->capture->types[t].name ? self->capture->types[t].name : self->capture->types[t].id,
        (int) said, truth, on->str);
}

static void
check_type(Run *self, const VgpuSnapshot *snapshot, guint t)
{
    const VgpuProfile *profile = vgpu_gpu_find_profile(self->gpu, self->capture->types[t].id);
    guint truth = model_room(&self->now, t);
    guint available, capacity;

    if (!profile) /* the driver no longer lists it, and it is not recorded */
        return;
    available = vgpu_placement_available(snapshot, self->gpu, profile);
    if (available == UNKNOWN
            ? must_know(self, snapshot, t) || (!truth && !snapshot->reservations->len)
            : available != truth)
        fail_on(self, t, "room", available, truth);
    truth = model_room(&self->empty, t);
    capacity = vgpu_room_capacity(self->gpu, profile);
    if (capacity == UNKNOWN ? must_know(self, snapshot, t) && self->empty.n_vfs
                            : capacity != truth)
        fail_on(self, t, "capacity", capacity, truth);
    if (self->capacity[t] != UNKNOWN && capacity != self->capacity[t] && !self->way.restart)
        fail_on(self, t, "capacity, which moves,", capacity, self->capacity[t]);
    self->capacity[t] = capacity;
}

static void
check(Run *self)
{
    g_autoptr(GArray) promises = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    g_autoptr(VgpuPending) pending = NULL;
    VgpuSnapshot snapshot = { .inventory = inventory, .reservations = promises };

    see(self);
    vgpu_inventory_take(inventory, vgpu_gpu_ref(self->gpu));
    for (guint i = 0; i < self->now.n_vgpus; i++) {
        const ModelVgpu *vgpu = &self->now.vgpus[i];
        const VgpuParent *parent = g_ptr_array_index(self->gpu->parents, vgpu->function);
        VgpuReservation promise = { .parent = parent->address,
                                    .profile_id = self->capture->types[vgpu->type].id };

        g_ptr_array_add(addresses, g_strdup_printf("promise%u", i));
        promise.uuid = g_ptr_array_index(addresses, i);
        if (self->promised[i])
            g_array_append_val(promises, promise);
    }
    if (g_rand_boolean(self->rand)) /* both ways of counting */
        snapshot.pending = pending = vgpu_pending_new(inventory, promises);
    for (guint t = 0; t < self->empty.n_types; t++)
        check_type(self, &snapshot, t);
}

/* --- one run -------------------------------------------------------------------------------- */

/* What is promised becomes real in its turn; only the last ones can still be promises, as the driver gives
 * its places away in that order. */
static void
change(Run *self)
{
    guint n = self->now.n_vgpus;

    if (n && g_rand_int_range(self->rand, 0, 3) == 0) {
        guint gone = (guint) g_rand_int_range(self->rand, 0, (gint) n);

        memset(self->promised, 0, sizeof(self->promised));
        model_drop(&self->now, gone);
        return;
    }
    if (!model_take(&self->now,
                    (guint) g_rand_int_range(self->rand, 0, (gint) self->now.n_types)))
        return;
    self->promised[n] = (n && self->promised[n - 1]) || g_rand_int_range(self->rand, 0, 4) == 0;
    if (g_rand_int_range(self->rand, 0, 4) == 0)
        memset(self->promised, 0, sizeof(self->promised));
}

static void
run(const Capture *capture, Way way)
{
    Run self = { .capture = capture, .way = way, .rand = g_rand_new_with_seed(way.seed) };

    make_model(&self);
    for (guint t = 0; t < MODEL_TYPES; t++)
        self.capacity[t] = UNKNOWN;
    for (self.step = 0; self.step < STEPS; self.step++) {
        check(&self);
        change(&self);
    }
    vgpu_gpu_free(self.gpu);
    g_rand_free(self.rand);
}

static bool
has_mode(const Capture *capture, ModelMode mode)
{
    bool is_mig = false, is_sliced = false;

    for (const CaptureType *type = capture->types; type->id; type++) {
        is_mig |= type->is_mig;
        is_sliced |= !type->is_mig;
    }
    return mode == MODEL_MIG ? is_mig : is_sliced && (mode == MODEL_EQUAL || capture->first_vf);
}

static void
test_each(void **state)
{
    guint runs = 0;

    for (const Capture *capture = captures; capture->what; capture++) {
        for (guint way = 0; way < 24; way++) {
            Way w = { .mode = way % 3,
                      .facts = way / 3 % 2,
                      .bindings = way / 6 % 2,
                      .restart = way / 12 % 2 };

            if (!has_mode(capture, w.mode) || (w.bindings && w.mode == MODEL_EQUAL))
                continue;
            for (w.seed = 1; w.seed <= SEEDS; w.seed++, runs++)
                run(capture, w);
        }
    }
    assert_true(runs > 300);
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
