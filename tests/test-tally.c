/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting in advance does not change any answer: random hosts are queried with and without it. */
#include "test.h"

#include "gpu/tally.h"
#include "placement/pending.h"
#include "placement/placement.h"
#include "placement/room.h"

#define ROUNDS 3000
#define GI 19

static const struct {
    const char *id, *name;
    guint fb_mib, max;
    int gi_profile;
} types[] = {
    { "nvidia-1", "NVIDIA H1-4Q", 4096, 6, -1 },   { "nvidia-2", "NVIDIA H1-4C", 4096, 6, -1 },
    { "nvidia-3", "NVIDIA H1-8Q", 8192, 3, -1 },   { "nvidia-4", "NVIDIA H1-24Q", 24576, 1, -1 },
    { "nvidia-5", "NVIDIA H1-1-6Q", 6144, 4, GI }, { "nvidia-6", "NVIDIA H1-1-3Q", 3072, 0, GI },
    { "nvidia-7", "NVIDIA H1-odd", 0, 0, -1 },
};

typedef struct {
    GRand *rand;
    VgpuInventory *inventory;
    GArray *reservations;
    GPtrArray *words;
    GHashTable *closed, *refused, *planned;
} World;

static guint
pick(const World *self, guint n)
{
    return (guint) g_rand_int_range(self->rand, 0, (gint32) n);
}

static char *
keep(World *self, char *word)
{
    g_ptr_array_add(self->words, word);
    return word;
}

/* Existing and reserved vGPUs have the same UUIDs. */
static char *
nth_uuid(World *self, const char *parent, guint n)
{
    return keep(self, g_strdup_printf("%s-%u", parent, n));
}

static const char *
any_profile(const World *self)
{
    return pick(self, 12) ? types[pick(self, G_N_ELEMENTS(types))].id : "nvidia-99";
}

static const char *
any_parent(World *self)
{
    const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, pick(self, 2));

    return pick(self, 10)
               ? ((const VgpuParent *) g_ptr_array_index(gpu->parents,
                                                         pick(self, gpu->parents->len)))
                     ->address
               : "0000:ff:00.0";
}

static void
fill_parent(World *self, VgpuGpu *gpu, VgpuParent *parent)
{
    guint n = parent->is_vf ? !pick(self, 2) : pick(self, 4);

    for (guint i = 0; i < gpu->profiles->len; i++) {
        if (pick(self, 4))
            vgpu_parent_add_offer(parent, g_ptr_array_index(gpu->profiles, i), pick(self, 3));
    }
    for (guint i = 0; i < n; i++)
        vgpu_parent_add_instance(parent,
                                 pick(self, 4) ? nth_uuid(self, parent->address, i) : NULL,
                                 pick(self, 15) ? any_profile(self) : NULL);
}

static void
add_gpu(World *self, guint number)
{
    g_autofree char *address = g_strdup_printf("0000:%02x:00.0", number);
    VgpuGpu *gpu = vgpu_gpu_new(address);
    bool has_vfs = pick(self, 2);

    gpu->interface = has_vfs ? VGPU_INTERFACE_VENDOR_VFIO : VGPU_INTERFACE_MDEV;
    gpu->is_mixed = !pick(self, 3);
    gpu->is_mig = !pick(self, 3);
    gpu->card_mib = 24576;
    for (guint i = 0; i < pick(self, 4); i++)
        vgpu_gpu_add_gpu_instance(gpu, i, GI, "1g.6gb", i, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        VgpuProfile *profile = vgpu_profile_new(types[i].id, types[i].name);

        profile->fb_mib = types[i].fb_mib;
        profile->max_instances = types[i].max;
        profile->gi_profile = types[i].gi_profile;
        profile->max_per_gi = pick(self, 3);
        (void) vgpu_gpu_take_profile(gpu, profile);
    }
    for (guint i = 0; i < (has_vfs ? 8u : 1u); i++) {
        g_autofree char *vf = g_strdup_printf("0000:%02x:00.%u", number, i);

        fill_parent(self, gpu, vgpu_gpu_add_parent(gpu, vf, has_vfs));
    }
    vgpu_inventory_take(self->inventory, gpu);
}

static World
make_world(GRand *rand)
{
    World self = {
        .rand = rand,
        .inventory = vgpu_inventory_new(),
        .reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation)),
        .words = g_ptr_array_new_with_free_func(g_free),
        .closed = g_hash_table_new(g_str_hash, g_str_equal),
        .refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .planned = g_hash_table_new(g_str_hash, g_str_equal),
    };

    add_gpu(&self, 1);
    add_gpu(&self, 2);
    for (guint i = 0; i < pick(&self, 8); i++) {
        const char *parent = any_parent(&self);
        VgpuReservation one = { nth_uuid(&self, parent, pick(&self, 4)), parent,
                                any_profile(&self) };

        g_array_append_val(self.reservations, one);
    }
    for (guint i = 0; i < pick(&self, 3); i++)
        g_hash_table_insert(self.closed, (gpointer) any_parent(&self), (gpointer) "it is closed");
    for (guint i = 0; i < pick(&self, 4); i++)
        g_hash_table_add(self.planned, (gpointer) any_parent(&self));
    if (!pick(&self, 4))
        g_hash_table_insert(self.refused,
                            vgpu_placement_pair(any_parent(&self), any_profile(&self)),
                            (gpointer) "it was refused");
    return self;
}

static void
world_clear(World *self)
{
    vgpu_inventory_free(self->inventory);
    g_array_unref(self->reservations);
    g_ptr_array_unref(self->words);
    g_hash_table_unref(self->closed);
    g_hash_table_unref(self->refused);
    g_hash_table_unref(self->planned);
}

static void
add_load(GString *out, const VgpuLoad *load)
{
    g_string_append_printf(out, "load %u %u %u %u %u %d %u %d %s\n", load->vgpus, load->pending,
                           load->pending_others, load->of_profile, load->fb_mib, load->has_board,
                           load->board_room, load->board_is_certain,
                           load->other_size ? load->other_size->id : "-");
}

static void
add_candidates(GString *out, const VgpuSnapshot *snapshot, const char *profile, const char *vf)
{
    char *wanted[] = { (char *) profile, NULL };
    VgpuWant want = { .profiles = wanted, .vf = (char *) vf };
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(snapshot, &want);
    const VgpuCandidate *chosen;

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *one = g_ptr_array_index(candidates, i);

        g_string_append_printf(out, "%s %s (%u, %u)\n", one->gpu->address, one->reason,
                               one->reluctance, one->used);
    }
    for (guint policy = 0; policy < 2; policy++) {
        chosen = vgpu_placement_choose(snapshot, candidates,
                                       policy ? VGPU_PLACEMENT_SPREAD : VGPU_PLACEMENT_PACK);
        g_string_append_printf(out, "chosen %s\n", chosen ? chosen->parent->address : "-");
    }
}

static void
add_together(GString *out, const VgpuSnapshot *snapshot)
{
    char *first[] = { (char *) types[0].id, NULL };
    char *second[] = { (char *) types[2].id, (char *) types[1].id, NULL };
    VgpuWant a = { .profiles = first, .uuid = (char *) "a" };
    VgpuWant b = { .profiles = second, .uuid = (char *) "b" };
    g_autoptr(GPtrArray) wants = g_ptr_array_new();
    g_autoptr(GArray) spots = NULL;

    g_ptr_array_add(wants, &a);
    g_ptr_array_add(wants, &b);
    spots = vgpu_placement_together(snapshot, wants, NULL);
    for (guint i = 0; spots && i < spots->len; i++)
        g_string_append_printf(out, "together %s\n",
                               g_array_index(spots, VgpuSpot, i).parent->address);
}

/* All queries, with their answers. */
static char *
ask(World *self, const VgpuPending *pending)
{
    GString *out = g_string_new(NULL);
    VgpuSnapshot snapshot = {
        .inventory = self->inventory,
        .reservations = self->reservations,
        .pending = pending,
        .closed = self->closed,
        .refused = self->refused,
        .planned = self->planned,
    };

    for (guint g = 0; g < 2; g++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, g);

        for (guint i = 0; i < gpu->profiles->len; i++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);
            VgpuLoad load = vgpu_room_load(&snapshot, gpu, profile);

            add_load(out, &load);
            g_string_append_printf(out, "available %u\n",
                                   vgpu_placement_available(&snapshot, gpu, profile));
            add_candidates(out, &snapshot, profile->id, NULL);
        }
        add_candidates(out, &snapshot, types[0].id,
                       ((const VgpuParent *) g_ptr_array_index(gpu->parents, 0))->address);
    }
    add_together(out, &snapshot);
    return g_string_free(out, FALSE);
}

static void
count_all(const World *self)
{
    for (guint g = 0; g < 2; g++)
        vgpu_tally_update(g_ptr_array_index(self->inventory->gpus, g));
}

static void
test_same_answers(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20240229);

    for (guint round = 0; round < ROUNDS; round++) {
        World world = make_world(rand);
        g_autofree char *plain = ask(&world, NULL);
        g_autofree char *counted = NULL, *listed = NULL, *partly = NULL;
        g_autoptr(VgpuPending) pending = NULL;
        g_autoptr(VgpuPending) some = NULL;
        guint n = world.reservations->len;

        count_all(&world);
        counted = ask(&world, NULL);
        assert_string_equal(counted, plain);
        vgpu_inventory_index(world.inventory);
        pending = vgpu_pending_new(world.inventory, world.reservations);
        listed = ask(&world, pending);
        assert_string_equal(listed, plain);
        g_array_set_size(world.reservations, n / 2); /* the others come later */
        some = vgpu_pending_new(world.inventory, world.reservations);
        g_array_set_size(world.reservations, n);
        partly = ask(&world, some);
        assert_string_equal(partly, plain);
        world_clear(&world);
    }
    (void) state;
}

static VgpuGpu *
one_gpu(void)
{
    VgpuGpu *gpu = vgpu_gpu_new("0000:41:00.0");
    const VgpuProfile *profile =
        vgpu_gpu_take_profile(gpu, vgpu_profile_new("nvidia-1", "NVIDIA H1-4Q"));

    for (guint i = 0; i < 3; i++) {
        g_autofree char *vf = g_strdup_printf("0000:41:00.%u", 4 + i);

        vgpu_parent_add_offer(vgpu_gpu_add_parent(gpu, vf, true), profile, 1);
    }
    vgpu_parent_add_instance(vgpu_gpu_find_parent(gpu, "0000:41:00.5"), "u", "nvidia-1");
    return gpu;
}

static void
test_counts(void **state)
{
    g_autoptr(VgpuGpu) gpu = one_gpu();
    const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, 0);
    VgpuParent *on = NULL;

    vgpu_tally_update(gpu);
    assert_int_equal(GPOINTER_TO_UINT(g_hash_table_lookup(gpu->tally->rooms, profile)), 2);
    assert_int_equal(gpu->tally->open->len, 2);
    assert_int_equal(g_array_index(gpu->tally->counts, VgpuTallyCount, 0).n, 1);
    assert_non_null(vgpu_gpu_find_instance(gpu, "u", &on));
    assert_string_equal(on->address, "0000:41:00.5");
    assert_null(vgpu_gpu_find_instance(gpu, "v", &on));
    vgpu_parent_add_instance(vgpu_gpu_find_parent(gpu, "0000:41:00.6"), "v", NULL);
    vgpu_tally_update(gpu);
    assert_int_equal(gpu->tally->open->len, 1);
    assert_false(gpu->tally->is_clear);
    assert_non_null(vgpu_gpu_find_instance(gpu, "v", NULL));
    (void) state;
}

static void
test_shared(void **state)
{
    g_autoptr(VgpuInventory) first = vgpu_inventory_new();
    g_autoptr(VgpuInventory) second = NULL;
    VgpuGpu *old = one_gpu();
    VgpuGpu *gpu = NULL;

    vgpu_inventory_take(first, old);
    vgpu_inventory_take(first, vgpu_gpu_new("0000:81:00.0"));
    vgpu_inventory_index(first);
    assert_true(vgpu_gpu_is_own(old));
    second = vgpu_inventory_copy(first);
    assert_false(vgpu_gpu_is_own(old));
    vgpu_inventory_replace(second, one_gpu());
    assert_true(vgpu_gpu_is_own(old));
    assert_ptr_equal(vgpu_inventory_find(first, "0000:41:00.0"), old);
    assert_ptr_not_equal(vgpu_inventory_find(second, "0000:41:00.0"), old);
    assert_non_null(vgpu_inventory_find_parent(second, "0000:41:00.6", &gpu));
    assert_ptr_equal(gpu, vgpu_inventory_find(second, "0000:41:00.0"));
    assert_null(vgpu_inventory_find(second, "0000:41:00.6"));
    assert_null(vgpu_inventory_find_by_function(second, "0000:41:00.7"));
    assert_ptr_equal(vgpu_inventory_find_by_function(first, "0000:41:00.6"), old);
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_answers),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
