/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The capacity of one GPU: modes, MIG, limits per domain, and what excludes a GPU. */
#include "test.h"

#include <string.h>

#include "placement/room.h"

#define GPU "0000:41:00.0"
#define N_VFS 8u
#define GI_1G 19
#define GI_2G 14
#define GI_24G 47
#define UNKNOWN VGPU_COUNT_UNKNOWN

/* A GPU of 40 GiB whose driver offers everything, so that all refusals come from our code. */
static const struct {
    const char *id, *name;
    guint fb_mib, max;
    int gi_profile;
} types[] = {
    { "nvidia-468", "GRID A100-4C", 4096, 10, -1 },
    { "nvidia-471", "GRID A100-10C", 10240, 4, -1 },
    { "nvidia-473", "GRID A100-40C", 40960, 1, -1 },
    { "nvidia-474", "GRID A100-1-5C", 4864, 7, GI_1G },
    { "nvidia-475", "GRID A100-2-10C", 9856, 3, GI_2G },
    { "nvidia-999", "GRID A100-4B", 4096, 10, -1 },
};

typedef struct {
    VgpuInventory *inventory;
    VgpuGpu *gpu;
    GArray *reservations;
    GHashTable *closed;
    GHashTable *planned;
    GPtrArray *own;
    VgpuSnapshot snapshot;
} World;

static char *
vf_address(guint n)
{
    return g_strdup_printf("0000:41:%02x.%u", (4 + n) / 8, (4 + n) % 8);
}

static int
setup(void **state)
{
    World *self = g_new0(World, 1);

    self->inventory = vgpu_inventory_new();
    self->gpu = vgpu_gpu_new(GPU);
    self->gpu->interface = VGPU_INTERFACE_MDEV;
    self->gpu->vfs_total = self->gpu->vfs_enabled = N_VFS;
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        VgpuProfile *profile = vgpu_profile_new(types[i].id, types[i].name);

        profile->fb_mib = types[i].fb_mib;
        profile->max_instances = types[i].max;
        profile->gi_profile = types[i].gi_profile;
        (void) vgpu_gpu_take_profile(self->gpu, profile);
    }
    for (guint n = 0; n < N_VFS; n++) {
        g_autofree char *address = vf_address(n);
        VgpuParent *parent = vgpu_gpu_add_parent(self->gpu, address, true);

        for (guint i = 0; i < self->gpu->profiles->len; i++)
            vgpu_parent_add_offer(parent, g_ptr_array_index(self->gpu->profiles, i), 1);
    }
    vgpu_inventory_take(self->inventory, self->gpu);
    self->reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
    self->closed = g_hash_table_new(g_str_hash, g_str_equal);
    self->planned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->own = g_ptr_array_new();
    self->snapshot = (VgpuSnapshot) {
        .inventory = self->inventory,
        .reservations = self->reservations,
        .closed = self->closed,
        .planned = self->planned,
        .own = self->own,
    };
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    World *self = *state;

    vgpu_inventory_free(self->inventory);
    g_array_unref(self->reservations);
    g_hash_table_unref(self->closed);
    g_hash_table_unref(self->planned);
    g_ptr_array_unref(self->own);
    g_free(self);
    return 0;
}

/* "468 471": the types on the VFs, beginning with the first one. */
static void
use(World *self, const char *ids)
{
    g_auto(GStrv) words = g_strsplit(ids, " ", -1);

    for (guint i = 0; *ids && words[i]; i++) {
        g_autofree char *id = g_strconcat("nvidia-", words[i], NULL);
        g_autofree char *uuid = g_strdup_printf("u%u", i);

        vgpu_parent_add_instance(g_ptr_array_index(self->gpu->parents, i), uuid, id);
    }
}

static VgpuCandidate *
judge(World *self, VgpuWant *want, const char *name)
{
    char *profiles[] = { (char *) name, NULL };
    g_autoptr(GPtrArray) candidates = NULL;

    want->profiles = profiles;
    candidates = vgpu_placement_candidates(&self->snapshot, want);
    want->profiles = NULL;
    return candidates->len ? g_ptr_array_steal_index(candidates, 0) : NULL;
}

static void
test_room(void **state)
{
    static const struct {
        const char *what;
        const char *present;
        bool mixed;
        const char *wanted;
        guint room;
        VgpuVerdict verdict;
    } cases[] = {
        { "an idle GPU, more room than VFs", "", false, "A100-4C", 8, VGPU_VERDICT_FITS },
        { "the type's limit", "", false, "A100-10C", 4, VGPU_VERDICT_FITS },
        { "beside its like", "471 471 471", false, "A100-10C", 1, VGPU_VERDICT_FITS },
        { "none left", "471 471 471 471", false, "A100-10C", 0, VGPU_VERDICT_NO_ROOM },
        { "another size is on it", "471", false, "A100-4C", 0, VGPU_VERDICT_OTHER_SIZE },
        { "sizes mixed, places unknown", "471", true, "A100-4C", UNKNOWN, VGPU_VERDICT_FITS },
        { "sizes mixed: one fits at most", "471", true, "A100-40C", 0, VGPU_VERDICT_FITS },
        { "sizes mixed: 10 GiB are left", "471 471 471", true, "A100-10C", 1, VGPU_VERDICT_FITS },
        { "sizes mixed: nothing is left", "473", true, "A100-4C", 0, VGPU_VERDICT_FITS },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        World *self;
        VgpuWant want = { 0 };
        const VgpuProfile *profile = NULL;
        g_autoptr(VgpuCandidate) candidate = NULL;
        guint room;

        (void) setup((void **) &self);
        self->gpu->is_mixed = cases[i].mixed;
        use(self, cases[i].present);
        candidate = judge(self, &want, cases[i].wanted);
        profile = candidate->profile;
        room = vgpu_placement_available(&self->snapshot, self->gpu, profile);
        if (room != cases[i].room || candidate->verdict != cases[i].verdict)
            fail_msg("%s: room for %u, %s: %s", cases[i].what, room,
                     vgpu_verdict_to_string(candidate->verdict), candidate->reason);
        g_clear_pointer(&candidate, vgpu_candidate_free);
        (void) teardown((void **) &self);
    }
    (void) state;
}

static void
test_mig(void **state)
{
    World *self = *state;
    VgpuProfile *small = (VgpuProfile *) vgpu_gpu_find_profile(self->gpu, "nvidia-474");
    const VgpuProfile *large = vgpu_gpu_find_profile(self->gpu, "nvidia-475");
    VgpuWant want = { 0 };
    g_autoptr(VgpuCandidate) candidate = NULL;

    self->gpu->is_mig = true;
    vgpu_gpu_add_gpu_instance(self->gpu, 7, GI_1G, "1g.5gb", 0, 1);
    vgpu_gpu_add_gpu_instance(self->gpu, 8, GI_1G, "1g.5gb", 1, 1);
    vgpu_gpu_add_gpu_instance(self->gpu, 5, GI_2G, "2g.10gb", 2, 2);
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, small), 2);
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, large), 1);
    use(self, "474 475"); /* each on an instance of its own kind */
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, small), 1);
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, large), 0);
    small->max_per_gi = 3; /* and one of them is where it leaves two places, or is alone */
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, small), UNKNOWN);
    vgpu_parent_first_instance(self->gpu->parents->pdata[0])->gi = 8;
    assert_int_equal(vgpu_placement_available(&self->snapshot, self->gpu, small), 5);

    /* the driver decides: it lists none */
    for (guint i = 0; i < self->gpu->parents->len; i++)
        vgpu_parent_find_offer(g_ptr_array_index(self->gpu->parents, i), "nvidia-475")
            ->available = 0;
    candidate = judge(self, &want, "A100-2-10C");
    assert_int_equal(candidate->verdict, VGPU_VERDICT_NO_ROOM);
    assert_true(candidate->lacks_gpu_instance);
    assert_non_null(strstr(candidate->reason, "no free GPU instance"));
}

/* An RTX PRO 6000 Blackwell Server Edition with four GPU instances of 24 GiB, on which types are
 * time-sliced: numbers of NVIDIA/vgpu-device-manager, examples/config-example.yaml. */
static VgpuGpu *
make_blackwell(void)
{
    static const struct {
        const char *id, *name;
        guint fb_mib, per_gi;
    } time_sliced[] = {
        { "nvidia-1", "DC-1-24Q", 24576, 1 },
        { "nvidia-2", "DC-1-12Q", 12288, 2 },
        { "nvidia-3", "DC-1-3Q", 3072, 8 },
        { "nvidia-4", "DC-1-12C", 12288, 2 },
    };
    VgpuGpu *gpu = vgpu_gpu_new(GPU);

    gpu->is_mig = true;
    for (gsize i = 0; i < G_N_ELEMENTS(time_sliced); i++) {
        VgpuProfile *profile = vgpu_profile_new(time_sliced[i].id, time_sliced[i].name);

        profile->fb_mib = time_sliced[i].fb_mib;
        profile->max_per_gi = time_sliced[i].per_gi;
        profile->max_instances = 4 * time_sliced[i].per_gi;
        profile->gi_profile = GI_24G;
        (void) vgpu_gpu_take_profile(gpu, profile);
        vgpu_gpu_add_gpu_instance(gpu, (guint) i + 3, GI_24G, "1g.24gb+gfx", (guint) i * 3, 3);
    }
    for (guint n = 0; n < 48; n++) {
        g_autofree char *address = vf_address(n);

        (void) vgpu_gpu_add_parent(gpu, address, true);
    }
    return gpu;
}

static void
test_mig_sizes(void **state)
{
    static const struct {
        const char *what;
        guint n_24q, n_12q, n_3q, n_12c; /* in use */
        guint q24, q12, q3, c12;         /* room */
    } cases[] = {
        { "idle", .q24 = 4, .q12 = 8, .q3 = 32, .c12 = 8 },
        { "one instance is full", .n_3q = 8, .q24 = 3, .q12 = 6, .q3 = 24, .c12 = 6 },
        { "one instance has one", .n_3q = 1, .q24 = 3, .q12 = 6, .q3 = 31, .c12 = 6 },
        { "one more than one takes", .n_3q = 9, .q24 = 2, .q12 = 4, .q3 = 23, .c12 = 4 },
        { "one instance is left", .n_24q = 3, .q24 = 1, .q12 = 2, .q3 = 8, .c12 = 2 },
        { "none is", .n_24q = 4 },
        { "the same size of another series", .n_12q = 1, .q24 = 3, .q12 = 7, .q3 = 24, .c12 = 7 },
        { "two series fill one", .n_12q = 1, .n_12c = 1, .q24 = 3, .q12 = 6, .q3 = 24, .c12 = 6 },
        { "three sizes", .n_24q = 1, .n_12q = 1, .n_3q = 1, .q24 = 1, .q12 = 3, .q3 = 15,
          .c12 = 3 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const guint used[] = { cases[i].n_24q, cases[i].n_12q, cases[i].n_3q, cases[i].n_12c };
        const guint room[] = { cases[i].q24, cases[i].q12, cases[i].q3, cases[i].c12 };
        g_autoptr(VgpuGpu) gpu = make_blackwell();
        g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
        const VgpuSnapshot snapshot = { .reservations = none };
        guint vf = 0;

        for (guint p = 0; p < gpu->profiles->len; p++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, p);

            for (guint n = 0; n < used[p]; n++)
                vgpu_parent_add_instance(gpu->parents->pdata[vf++], NULL, profile->id);
        }
        for (guint p = 0; p < gpu->profiles->len; p++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, p);
            VgpuLoad load = vgpu_room_load(&snapshot, gpu, profile);
            guint limit = vgpu_room_limit(gpu, profile, &load);

            if (limit != room[p])
                fail_msg("%s: room for %u of %s", cases[i].what, limit, profile->name);
            assert_int_equal(vgpu_room_capacity(gpu, profile), profile->max_instances);
        }
    }
    (void) state;
}

/* An L4 of 24 GiB on which sizes are mixed, with the places that its driver has for them. */
static VgpuGpu *
make_mixed(void)
{
    static const struct {
        const char *id, *name;
        guint gib, places[4]; /* beside 0 */
    } sizes[] = {
        { "nvidia-4", "NVIDIA L4-4Q", 4, { 8, 12, 20 } },
        { "nvidia-6", "NVIDIA L4-6Q", 6, { 6, 12, 18 } },
        { "nvidia-8", "NVIDIA L4-8Q", 8, { 16 } },
        { "nvidia-12", "NVIDIA L4-12A", 12, { 12 } },
        { "nvidia-24", "NVIDIA L4-24Q", 24, { 0 } },
    };
    VgpuGpu *gpu = vgpu_gpu_new(GPU);

    gpu->interface = VGPU_INTERFACE_VENDOR_VFIO;
    gpu->is_mixed = true;
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        VgpuProfile *profile = vgpu_profile_new(sizes[i].id, sizes[i].name);
        guint zero = 0;

        profile->fb_mib = sizes[i].gib * 1024;
        profile->slots = sizes[i].gib;
        profile->places = g_array_new(FALSE, FALSE, sizeof(guint));
        g_array_append_val(profile->places, zero);
        for (const guint *place = sizes[i].places; *place; place++)
            g_array_append_val(profile->places, *place);
        (void) vgpu_gpu_take_profile(gpu, profile);
    }
    for (guint n = 0; n < N_VFS; n++) {
        g_autofree char *address = vf_address(n);

        (void) vgpu_gpu_add_parent(gpu, address, true);
    }
    return gpu;
}

/* Refusals name the domains that are in the way. */
static void
test_fragments(void **state)
{
    static const struct {
        const char *what;
        const char *
            present; /* "ID@SLOT ID ...": of cad0, cad1 and so on; without a slot it is promised */
        const char *wanted;
        guint available;    /* of it */
        const char *reason; /* NULL: there is room */
    } cases[] = {
        { "in the middle", "4@12", "L4-24Q", 0,
          "2 × 'NVIDIA L4-8Q' fit, but no 'NVIDIA L4-24Q': slot 12 is taken by cad0" },
        { "the vGPU that fits is of another series", "8@0 4@20", "L4-24Q", 0,
          "1 × 'NVIDIA L4-6Q' fits, but no 'NVIDIA L4-24Q': slot 0 is taken by cad0, slot 20 is "
          "taken by cad1" },
        { "nothing fits", "24@0", "L4-4Q", 0, "slot 0 is taken by cad0" },
        { "the place with the least in it", "4@0 4@8 4@20", "L4-12A", 0,
          "1 × 'NVIDIA L4-6Q' fits, but no 'NVIDIA L4-12A': slot 20 is taken by cad2" },
        { "places are no multiples", "8@16", "L4-8Q", 1, NULL },
        { "free GiB that no slot can use", "8@0 8@16", "L4-6Q", 0,
          "2 × 'NVIDIA L4-4Q' fit, but no 'NVIDIA L4-6Q': slot 0 is taken by cad0" },
        { "a promised vGPU takes the first place", "8@16 12", "L4-8Q", 0,
          "1 × 'NVIDIA L4-4Q' fits, but no 'NVIDIA L4-8Q': slot 0 is taken by cad1" },
        { "beside others", "4@12", "L4-6Q", 3, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
        g_autoptr(GArray) promises = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
        g_autoptr(GHashTable) users =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
        g_auto(GStrv) words = g_strsplit(cases[i].present, " ", -1);
        VgpuGpu *gpu = make_mixed();
        World world = {
            .inventory = inventory,
            .snapshot = { .inventory = inventory, .reservations = promises, .domains = users }
        };
        g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
        const VgpuSnapshot unpromised = { .inventory = inventory, .reservations = none };
        VgpuWant want = { 0 };
        g_autoptr(VgpuCandidate) candidate = NULL;
        guint available;

        vgpu_inventory_take(inventory, gpu);
        for (guint n = 0; words[n]; n++) {
            VgpuParent *parent = g_ptr_array_index(gpu->parents, n);
            char *slot = strchr(words[n], '@');
            char *uuid = g_strdup_printf("u%u", n);
            VgpuReservation promise = { .uuid = uuid, .parent = parent->address };

            if (slot)
                *slot = '\0';
            g_ptr_array_add(ids, g_strconcat("nvidia-", words[n], NULL));
            promise.profile_id = g_ptr_array_index(ids, n);
            g_hash_table_insert(users, uuid, g_strdup_printf("cad%u", n));
            if (slot)
                vgpu_parent_add_instance(parent, uuid, promise.profile_id)->slot =
                    (int) g_ascii_strtoull(slot + 1, NULL, 10);
            else
                g_array_append_val(promises, promise);
        }
        for (guint n = 0; n < gpu->profiles->len; n++) { /* the driver lists what it would make */
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, n);
            VgpuLoad load = vgpu_room_load(&unpromised, gpu, profile);

            for (guint v = g_strv_length(words); load.board_room && v < N_VFS; v++)
                vgpu_parent_add_offer(g_ptr_array_index(gpu->parents, v), profile, 1);
        }
        candidate = judge(&world, &want, cases[i].wanted);
        available = vgpu_placement_available(&world.snapshot, gpu, candidate->profile);
        if (available != cases[i].available ||
            (candidate->verdict == VGPU_VERDICT_FITS) != !cases[i].reason ||
            (cases[i].reason && strcmp(candidate->reason, cases[i].reason)))
            fail_msg("%s: %u, %s", cases[i].what, available, candidate->reason);
    }
    (void) state;
}

/* The first @used VFs have one of @profile, and as many as are @promised next to them will. */
static void
put_on_vfs(World *self, const VgpuProfile *profile, guint used, guint promised)
{
    for (guint n = 0; n < N_VFS; n++) {
        VgpuParent *parent = g_ptr_array_index(self->gpu->parents, n);
        VgpuReservation promise = { "promise", parent->address, profile->id };

        g_ptr_array_set_size(parent->offers, 0);
        if (n < used)
            vgpu_parent_add_instance(parent, "u", profile->id);
        else
            vgpu_parent_add_offer(parent, profile, 1);
        if (n >= used && n < used + promised)
            g_array_append_val(self->reservations, promise);
    }
}

/* A VF that a domain names may have its type already: that is the vGPU which is promised there. */
static void
test_promised_where_it_is(void **state)
{
    static const struct {
        const char *what, *uuid;
        guint vf, profile;
        guint pending;
    } cases[] = {
        { "its own", NULL, 0, 0, 0 },
        { "of another size", NULL, 0, 1, 1 },
        { "on another VF", NULL, 1, 0, 1 },
        { "another domain's", "u", 0, 0, 1 },
    };
    World *self = *state;
    const VgpuProfile *profile = g_ptr_array_index(self->gpu->profiles, 0);
    VgpuParent *parent = g_ptr_array_index(self->gpu->parents, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuParent *to = g_ptr_array_index(self->gpu->parents, cases[i].vf);
        const VgpuProfile *promised = g_ptr_array_index(self->gpu->profiles, cases[i].profile);
        VgpuReservation promise = { "promise", to->address, promised->id };
        VgpuLoad load;

        g_ptr_array_set_size(parent->instances, 0);
        vgpu_parent_add_instance(parent, cases[i].uuid, profile->id);
        g_array_set_size(self->reservations, 0);
        g_array_append_val(self->reservations, promise);
        load = vgpu_room_load(&self->snapshot, self->gpu, profile);
        if (load.pending != cases[i].pending)
            fail_msg("%s: %u are pending", cases[i].what, load.pending);
    }
}

/* A driver without instance counts, on VFs: the reported capacity never exceeds the real one, and an unknown
 * capacity does not prevent a start. */
static void
test_untold(void **state)
{
    static const struct {
        const char *what;
        guint card_mib;
        const char *name;
        guint used, promised;
        guint available, capacity;
        VgpuVerdict verdict;
    } cases[] = {
        { "the whole GPU", 49152, "L40S-48Q", 0, 0, 1, 1, VGPU_VERDICT_FITS },
        { "half of it", 49152, "L40S-24Q", 1, 0, 1, 2, VGPU_VERDICT_FITS },
        { "all of it is promised", 49152, "L40S-24Q", 1, 1, 0, 2, VGPU_VERDICT_NO_ROOM },
        { "more than it has VFs", 49152, "L40S-4Q", 0, 0, 8, 8, VGPU_VERDICT_FITS },
        { "beside others", 49152, "L40S-4Q", 3, 0, 5, 8, VGPU_VERDICT_FITS },
        { "never seen idle", 0, "L40S-48Q", 0, 0, UNKNOWN, UNKNOWN, VGPU_VERDICT_FITS },
        { "never seen idle, and not idle now", 0, "L40S-24Q", 1, 0, UNKNOWN, UNKNOWN,
          VGPU_VERDICT_FITS },
        { "one is promised", 0, "L40S-48Q", 0, 1, UNKNOWN, UNKNOWN, VGPU_VERDICT_FITS },
        { "the last VF takes one", 0, "L40S-4Q", 7, 0, 1, UNKNOWN, VGPU_VERDICT_FITS },
        { "no VF is left", 0, "L40S-4Q", 8, 0, 0, UNKNOWN, VGPU_VERDICT_NO_ROOM },
        { "it does not come out even", 144384, "H200X-8C", 0, 0, UNKNOWN, UNKNOWN,
          VGPU_VERDICT_FITS },
        { "room for one at most", 144384, "H200X-70C", 1, 0, 1, UNKNOWN, VGPU_VERDICT_FITS },
        { "or for none", 144384, "H200X-70C", 1, 1, 0, UNKNOWN, VGPU_VERDICT_NO_ROOM },
        { "on unreported GPU instances", 81920, "H100-1-10C", 0, 0, UNKNOWN, UNKNOWN,
          VGPU_VERDICT_FITS },
        { "on one that is all of the GPU", 0, "H100-7-80C", 0, 0, 1, UNKNOWN, VGPU_VERDICT_FITS },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        World *self;
        VgpuWant want = { 0 };
        g_autoptr(VgpuCandidate) candidate = NULL;
        VgpuProfile *profile = vgpu_profile_new("nvidia-1", cases[i].name);
        guint available, capacity;

        (void) setup((void **) &self);
        self->gpu->interface = VGPU_INTERFACE_VENDOR_VFIO;
        self->gpu->card_mib = cases[i].card_mib;
        vgpu_profile_guess(profile);
        (void) vgpu_gpu_take_profile(self->gpu, profile);
        put_on_vfs(self, profile, cases[i].used, cases[i].promised);
        available = vgpu_placement_available(&self->snapshot, self->gpu, profile);
        capacity = vgpu_room_capacity(self->gpu, profile);
        candidate = judge(self, &want, cases[i].name);
        if (available != cases[i].available || capacity != cases[i].capacity ||
            candidate->verdict != cases[i].verdict)
            fail_msg("%s: %u available of %u, %s: %s", cases[i].what, available, capacity,
                     vgpu_verdict_to_string(candidate->verdict), candidate->reason);
        g_clear_pointer(&candidate, vgpu_candidate_free);
        (void) teardown((void **) &self);
    }
    (void) state;
}

/* The capacity of an empty GPU in its present mode. */
static void
test_capacity(void **state)
{
    static const struct {
        const char *what;
        const char *id;
        bool is_mig, mig_auto, on_pf;
        guint max, capacity;
    } cases[] = {
        { "as many as there are VFs", "nvidia-468", .max = 10, .capacity = 8 },
        { "fewer", "nvidia-471", .max = 4, .capacity = 4 },
        { "no VFs", "nvidia-468", .on_pf = true, .max = 10, .capacity = 10 },
        { "no VFs, unknown", "nvidia-468", .on_pf = true, .capacity = UNKNOWN },
        { "time-sliced, but MIG is on", "nvidia-468", .is_mig = true, .max = 10, .capacity = 0 },
        { "MIG-backed, but MIG is off", "nvidia-474", .max = 7, .capacity = 0 },
        { "two GPU instances", "nvidia-474", .is_mig = true, .max = 7, .capacity = 2 },
        { "that are made when needed", "nvidia-474", .is_mig = true, .mig_auto = true, .max = 7,
          .capacity = 7 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        World *self;
        VgpuProfile *profile;

        (void) setup((void **) &self);
        profile = (VgpuProfile *) vgpu_gpu_find_profile(self->gpu, cases[i].id);
        for (guint n = 0; n < self->gpu->profiles->len; n++) {
            VgpuProfile *other = g_ptr_array_index(self->gpu->profiles, n);

            if (other->fb_mib == profile->fb_mib)
                other->max_instances = cases[i].max;
        }
        self->gpu->is_mig = cases[i].is_mig;
        self->gpu->mig_auto = cases[i].mig_auto;
        for (guint n = 0; n < 2; n++)
            vgpu_gpu_add_gpu_instance(self->gpu, 7 + n, GI_1G, "1g.5gb", n, 1);
        if (cases[i].on_pf) {
            g_ptr_array_set_size(self->gpu->parents, 0);
            (void) vgpu_gpu_add_parent(self->gpu, GPU, false);
        }
        if (vgpu_room_capacity(self->gpu, profile) != cases[i].capacity)
            fail_msg("%s: %u", cases[i].what, vgpu_room_capacity(self->gpu, profile));
        (void) teardown((void **) &self);
    }
    (void) state;
}

static void
test_own(void **state)
{
    static const struct {
        const char *what;
        const char *own[3]; /* what the domain has */
        const char *wanted;
        const char *why; /* NULL: may have it */
    } cases[] = {
        { "the first", { NULL }, "A100-4B", NULL },
        { "a second of a series that goes alone", { "nvidia-999" }, "A100-4B", "allows 1 vGPU" },
        { "beside one that goes alone", { "nvidia-999" }, "A100-4C", "nvidia-999 allows 1" },
        { "a second of one that does not mind", { "nvidia-468" }, "A100-4C", NULL },
        { "one that goes alone, beside others", { "nvidia-468" }, "A100-4B", "allows 1 vGPU" },
    };
    World *self = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuWant want = { 0 };
        g_autoptr(VgpuCandidate) candidate = NULL;

        g_ptr_array_set_size(self->own, 0);
        for (guint n = 0; cases[i].own[n]; n++)
            g_ptr_array_add(self->own, (gpointer) cases[i].own[n]);
        candidate = judge(self, &want, cases[i].wanted);
        if (cases[i].why ? candidate->verdict != VGPU_VERDICT_NO_ROOM ||
                               !strstr(candidate->reason, cases[i].why)
                         : candidate->verdict != VGPU_VERDICT_FITS)
            fail_msg("%s: %s", cases[i].what, candidate->reason);
    }
}

/* The driver's limit takes precedence over that of the series. */
static void
test_own_as_the_driver_says(void **state)
{
    World *self = *state;
    VgpuProfile *profile = (VgpuProfile *) vgpu_gpu_find_profile(self->gpu, "nvidia-468");
    VgpuWant want = { 0 };
    g_autoptr(VgpuCandidate) candidate = NULL;

    profile->max_per_domain = 1;
    g_ptr_array_add(self->own, (gpointer) "nvidia-468");
    candidate = judge(self, &want, "A100-4C");
    assert_int_equal(candidate->verdict, VGPU_VERDICT_NO_ROOM);
}

static void
test_kept_out(void **state)
{
    static const struct {
        const char *what;
        bool passed_through, closed, other_interface, vendor, shunned, cordoned;
        const char *vf;
        gulong libvirt;
        VgpuVerdict verdict;
        const char *why;
    } cases[] = {
        { "it is passed through whole", .passed_through = true,
          .verdict = VGPU_VERDICT_PASSED_THROUGH, .why = "vfio-pci" },
        { "it is being set up", .closed = true, .verdict = VGPU_VERDICT_NO_ROOM,
          .why = "set up" },
        { "it is cordoned", .cordoned = true, .verdict = VGPU_VERDICT_CORDONED,
          .why = "is cordoned: fan (virt-vgpu gpu-uncordon " GPU ")" },
        { "it is cordoned, and set up", .cordoned = true, .closed = true,
          .verdict = VGPU_VERDICT_CORDONED, .why = "is cordoned" },
        { "it is cordoned, and the definition names one of its VFs", .cordoned = true,
          .vf = "0000:41:00.6", .verdict = VGPU_VERDICT_CORDONED, .why = "is cordoned" },
        { "the definition has another kind of device", .other_interface = true,
          .verdict = VGPU_VERDICT_NOT_NAMED, .why = "the definition has vf" },
        { "the definition names a VF of another GPU", .vf = "0000:99:00.4",
          .verdict = VGPU_VERDICT_NOT_NAMED, .why = "virtual function 0000:99:00.4 of the" },
        { "the definition names one of its VFs", .vf = "0000:41:00.6",
          .verdict = VGPU_VERDICT_FITS, .why = "0000:41:00.6" },
        { "that VF could not be had a moment ago", .vf = "0000:41:00.6", .shunned = true,
          .verdict = VGPU_VERDICT_NO_ROOM, .why = "0000:41:00.6: shunned" },
        { "libvirt is too old for it", .vendor = true, .libvirt = 9006999,
          .verdict = VGPU_VERDICT_LIBVIRT_TOO_OLD, .why = "libvirt 9.7" },
        { "libvirt is just new enough", .vendor = true, .libvirt = 9007000,
          .verdict = VGPU_VERDICT_FITS, .why = "" },
        { "libvirt is not to be minded", .vendor = true, .verdict = VGPU_VERDICT_FITS,
          .why = "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        World *self;
        VgpuWant want = { .vf = (char *) cases[i].vf };
        g_autoptr(VgpuCandidate) candidate = NULL;

        (void) setup((void **) &self);
        self->gpu->passed_through = cases[i].passed_through;
        if (cases[i].cordoned)
            self->gpu->cordon = vgpu_cordon_new("2026-03-01T09:30:00Z", "fan", "root");
        if (cases[i].vendor)
            self->gpu->interface = VGPU_INTERFACE_VENDOR_VFIO;
        if (cases[i].other_interface)
            want.interface = VGPU_INTERFACE_VF;
        if (cases[i].closed)
            g_hash_table_insert(self->closed, (gpointer) GPU, (gpointer) "set up");
        if (cases[i].shunned)
            g_hash_table_insert(self->closed, (gpointer) cases[i].vf, (gpointer) "shunned");
        self->snapshot.libvirt = cases[i].libvirt;
        candidate = judge(self, &want, "A100-4C");
        if (candidate->verdict != cases[i].verdict || !strstr(candidate->reason, cases[i].why))
            fail_msg("%s: %s", cases[i].what, candidate->reason);
        g_clear_pointer(&candidate, vgpu_candidate_free);
        (void) teardown((void **) &self);
    }
    (void) state;
}

/* VFs that are planned for other domains are used last. */
static void
test_planned(void **state)
{
    World *self = *state;
    VgpuWant want = { 0 };

    for (guint n = 0; n < N_VFS; n++) {
        g_autofree char *next = vf_address(n);
        g_autoptr(VgpuCandidate) candidate = judge(self, &want, "A100-4C");

        assert_string_equal(candidate->parent->address, next);
        assert_int_equal(candidate->reluctance, 0);
        g_hash_table_add(self->planned, g_steal_pointer(&next));
    }
    {
        g_autoptr(VgpuCandidate) candidate = judge(self, &want, "A100-4C");

        assert_int_equal(candidate->verdict, VGPU_VERDICT_FITS);
        assert_int_equal(candidate->reluctance, 1);
    }
}

/* A VF with an unowned vGPU of the wanted type is used only if the definition names it. */
static void
test_set_already(void **state)
{
    World *self = *state;
    VgpuWant any = { 0 };
    VgpuWant named = { .vf = (char *) "0000:41:00.4" };
    const VgpuReservation promise = { "the domain's other one", "0000:41:00.4", "nvidia-468" };
    g_autoptr(VgpuCandidate) elsewhere = NULL;
    g_autoptr(VgpuCandidate) there = NULL;
    g_autoptr(VgpuCandidate) other = NULL;
    g_autoptr(VgpuCandidate) second = NULL;

    vgpu_parent_add_instance(g_ptr_array_index(self->gpu->parents, 0), NULL, "nvidia-468");
    elsewhere = judge(self, &any, "A100-4C");
    assert_string_equal(elsewhere->parent->address, "0000:41:00.5");
    there = judge(self, &named, "A100-4C");
    assert_string_equal(there->parent->address, "0000:41:00.4");
    other = judge(self, &named, "A100-4B");
    assert_int_equal(other->verdict, VGPU_VERDICT_NO_ROOM);
    g_array_append_val(self->reservations, promise);
    second = judge(self, &named, "A100-4C");
    assert_int_equal(second->verdict, VGPU_VERDICT_NO_ROOM);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        test(test_mig),
        cmocka_unit_test(test_mig_sizes),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_untold),
        cmocka_unit_test(test_capacity),
        test(test_own),
        test(test_own_as_the_driver_says),
        cmocka_unit_test(test_kept_out),
        test(test_planned),
        test(test_set_already),
        test(test_promised_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
