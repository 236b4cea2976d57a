/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools and tenants: who may have a vGPU where. */
#include "test.h"

#include "placement-host.h"

#define DESIGN "design gpu=" A
#define NO_ROOM_IN(pool, profile)                                                                \
    "no capacity: no GPU of pool '" pool "' has room for a vGPU '" profile "': "
#define ALL_IN_POOLS(say)                                                                        \
    "no capacity: every GPU with 'A2-4Q' belongs to a pool (on the device, set " say "): "

static void
test_pools(void **state)
{
    static const PlacementCase cases[] = {
        { "none wanted: a GPU outside of them", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .pools = DESIGN },
        { "also though one in a pool has something of that size", "a2 " A " vf0=746; a2 " B,
          "A2-4Q", B_VF0 " nvidia-746", .pools = DESIGN },
        { "the default one by its name", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .pools = DESIGN, .pool = "default" },
        { "a pool's own GPU", "a2 " A "; a2 " B " vf0=746", "A2-4Q", VF0 " nvidia-746",
          .pools = DESIGN, .pool = "design" },
        { "none wanted, and all are in pools", "a2 " A "; a2 " B, "A2-4Q",
          ALL_IN_POOLS("pool='design' or pool='render'") A ": belongs to pool 'design'; " B
                                                           ": belongs to pool 'render'",
          .pools = DESIGN "; render gpu=" B },
        { "of those with the profile, that is", "a2 " A "; a2 " B "; p40 " C, "A2-4Q",
          ALL_IN_POOLS("pool='design'") A " and 1 more: belongs to pool 'design'; " C
                                          ": does not have this profile",
          .pools = DESIGN " gpu=" B },
        { "none wanted, and the others are full", "a2 " A "; a2 " B " " FOUR_4Q, "A2-4Q",
          NO_ROOM("A2-4Q") B ": 4 of 4 are in use; " A ": belongs to pool 'design'",
          .pools = DESIGN },
        { "the pool is full, and others do not help", "a2 " A " " FOUR_4Q "; a2 " B, "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A ": 4 of 4 are in use; " B ": is not in pool 'design'",
          .pools = DESIGN, .pool = "design" },
        { "of another pool", "a2 " A "; a2 " B, "A2-4Q",
          NO_ROOM_IN("render", "A2-4Q") B
          ": pool 'render' is not active (virt-vgpu pool-start render); " A
          ": is not in pool 'render'",
          .pools = DESIGN "; render gpu=" B " off", .pool = "render" },
        { "a pool that is not there", "a2 " A, "A2-4Q",
          NO_ROOM_IN("nope", "A2-4Q") A ": is not in pool 'nope'", .pools = DESIGN,
          .pool = "nope" },
        { "a pool, and there are none", "a2 " A, "A2-4Q",
          NO_ROOM_IN("nope", "A2-4Q") A ": is not in pool 'nope'", .pool = "nope" },
        { "a pool that is not active keeps its GPU", "a2 " A, "A2-4Q",
          ALL_IN_POOLS("pool='design'") A ": belongs to pool 'design'", .pools = DESIGN " off" },
        { "a profile that the pool lists", "a2 " A, "A2-4Q", VF0 " nvidia-746",
          .pools = DESIGN " profile=A2-4Q", .pool = "design" },
        { "a profile that it does not", "a2 " A, "A2-8Q",
          NO_ROOM_IN("design", "A2-8Q") A ": pool 'design' does not offer 'NVIDIA A2-8Q'",
          .pools = DESIGN " profile=A2-4Q", .pool = "design" },
        { "the alternative that it lists", "a2 " A, "A2-8Q,A2-4Q", VF0 " nvidia-746",
          .pools = DESIGN " profile=A2-4Q", .pool = "design" },
        { "the driver that it needs", "a2 " A " driver=550.90.05", "A2-4Q", VF0 " nvidia-746",
          .pools = DESIGN " driver=550", .pool = "design" },
        { "another driver", "a2 " A " driver=535.129.03", "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A
          ": pool 'design' needs driver 550, and this is 535.129.03",
          .pools = DESIGN " driver=550", .pool = "design" },
        { "an unknown driver", "a2 " A, "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A
          ": pool 'design' needs driver 550, and this is an unknown one",
          .pools = DESIGN " driver=550", .pool = "design" },
        { "pinned to a GPU of another pool", "a2 " A "; a2 " B, "A2-4Q",
          "no capacity: " B " cannot take a vGPU 'A2-4Q': is not in pool 'design'",
          .pools = DESIGN, .pool = "design", .gpu = B },
        { "pinned to a pool's GPU", "a2 " A "; a2 " B, "A2-4Q",
          "no capacity: " A " cannot take a vGPU 'A2-4Q': belongs to pool 'design' (on the "
          "device, set pool='design')",
          .pools = DESIGN, .gpu = A },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* Each GPU gives the reason that is closest to success; these are all reasons, in that order. */
static void
test_order(void **state)
{
    static const PlacementCase cases[] = {
        { "no such profile, and another pool", "p40 " A, "A2-4Q",
          "not found: no GPU has the profile 'A2-4Q' (see 'virt-vgpu profile-list')",
          .pools = DESIGN },
        { "another pool, and VFs off", "a2-vfs-off " A, "A2-4Q",
          ALL_IN_POOLS("pool='design'") A ": belongs to pool 'design'", .pools = DESIGN },
        { "VFs off in its pool", "a2-vfs-off " A, "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A ": its virtual functions are off", .pools = DESIGN,
          .pool = "design" },
        { "another pool, and another size", "a2 " A " vf0=745", "A2-4Q",
          ALL_IN_POOLS("pool='design'") A ": belongs to pool 'design'", .pools = DESIGN },
        { "another size, and over the tenant's limit", "a2 " A " vf0=745", "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A
          ": vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB)",
          .pools = DESIGN " tenant=acme:0", .pool = "design", .tenant = "acme" },
        { "another size, and set up just now", "a2 " A " vf0=745", "A2-4Q",
          NO_ROOM("A2-4Q") A ": vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB)",
          .closed = A },
        { "set up just now", "a2 " A, "A2-4Q", NO_ROOM("A2-4Q") A ": closed", .closed = A },
        { "all kinds",
          "p40 0000:01:00.0; guest's 0000:02:00.0; a2 0000:03:00.0; a2 0000:04:00.0; "
          "a2-vfs-off 0000:05:00.0; a2 0000:06:00.0 vf0=745; a2 " A " " FOUR_4Q,
          "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A
          ": 4 of 4 are in use; 0000:06:00.0: vGPUs of another size are on it (NVIDIA A2-2Q, "
          "2048 MiB); 0000:05:00.0: its virtual functions are off; and 4 more GPUs",
          .pools = DESIGN " gpu=0000:01:00.0 gpu=0000:02:00.0 gpu=0000:05:00.0 gpu=0000:06:00.0; "
                          "render gpu=0000:03:00.0",
          .pool = "design" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* The message about a tenant's limit has the pool's text, and the domains that have its vGPUs. */
static void
test_tenants(void **state)
{
    static const struct {
        PlacementCase base;
        const char *users; /* what the refusal ends with; NULL: it fits */
    } cases[] = {
        { { "one that is listed", .tenant = "acme" }, NULL },
        { { "below its limit", .tenant = "acme", .used = "design 1 vm1" }, NULL },
        { { "at its limit", .tenant = "acme", .used = "design 2 vm1 vm2" }, " (vm1, vm2)" },
        { { "at its limit, with many domains", .tenant = "acme",
            .used = "design 2 vm1 vm2 vm3 vm4 vm5" },
          " (vm1, vm2, vm3 and 2 more)" },
        { { "at its limit, with one domain", .tenant = "acme", .used = "design 2 vm1" },
          " (vm1)" },
        { { "at its limit, by unknown domains", .tenant = "acme", .used = "design 2" }, "" },
        { { "at its limit in another pool", .tenant = "acme", .used = "other 2 vm1" }, NULL },
        { { "one that is not listed", .tenant = "evil" }, "" },
        { { "none", .tenant = NULL }, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        PlacementCase c = cases[i].base;
        VgpuSnapshot *snapshot;
        char *profiles[] = { (char *) "A2-4Q", NULL };
        VgpuWant want = { .profiles = profiles, .pool = (char *) "design" };
        g_autoptr(GPtrArray) candidates = NULL;
        g_autofree char *expected = NULL;
        const VgpuCandidate *only;

        c.cards = "a2 " A;
        c.pools = DESIGN " tenant=acme:2";
        g_auto(PlacementHost) host = placement_host_new(&c);
        snapshot = &host.snapshot;
        candidates = vgpu_placement_candidates(snapshot, &want);
        only = g_ptr_array_index(candidates, 0);
        if (cases[i].users) {
            guint used = c.used ? 2 : 0;
            g_autofree char *why = vgpu_pool_refuses_tenant(vgpu_pools_find(host.pools, "design"),
                                                            c.tenant, used, 0, NULL);

            assert_non_null(why);
            expected = g_strconcat("tenant-limit ", why, cases[i].users, NULL);
        } else {
            expected = g_strdup("fits on " VF0);
        }
        g_autofree char *result =
            g_strconcat(vgpu_verdict_to_string(only->verdict), " ", only->reason, NULL);
        if (!g_str_equal(result, expected))
            fail_msg("%s: '%s' instead of '%s'", c.what, result, expected);
        /* the room itself is everybody's */
        assert_int_equal(vgpu_placement_available(snapshot, only->gpu,
                                                  vgpu_gpu_find_profile(only->gpu, "nvidia-746")),
                         4);
    }
}

/* A tenant's limit on frame buffer counts MiB, not vGPUs. */
static void
test_mib(void **state)
{
#define OF_8_GIB DESIGN " tenant=acme:9:8192"
    static const PlacementCase cases[] = {
        { "room for the profile", "a2 " A, "A2-8Q", VF0 " nvidia-747", .pools = OF_8_GIB,
          .pool = "design", .tenant = "acme" },
        { "beside what the tenant has", "a2 " A, "A2-4Q", VF0 " nvidia-746", .pools = OF_8_GIB,
          .pool = "design", .tenant = "acme", .used = "design 1:4096 vm1" },
        { "none for a larger one", "a2 " A, "A2-8Q",
          NO_ROOM_IN("design", "A2-8Q") A
          ": tenant 'acme' has 4096 of the 8192 MiB that pool 'design' gives it, and a vGPU "
          "'NVIDIA A2-8Q' takes 8192 (vm1)",
          .pools = OF_8_GIB, .pool = "design", .tenant = "acme", .used = "design 1:4096 vm1" },
        { "the alternative that is small enough", "a2 " A, "A2-8Q,A2-4Q", VF0 " nvidia-746",
          .pools = OF_8_GIB, .pool = "design", .tenant = "acme", .used = "design 1:4096 vm1" },
        { "vGPUs in other pools do not count", "a2 " A, "A2-8Q", VF0 " nvidia-747",
          .pools = OF_8_GIB, .pool = "design", .tenant = "acme", .used = "other 1:8192 vm1" },
        { "vGPUs run out first", "a2 " A, "A2-4Q",
          NO_ROOM_IN("design", "A2-4Q") A
          ": tenant 'acme' has 1 of the 1 vGPUs that pool 'design' gives it (vm1)",
          .pools = DESIGN " tenant=acme:1:8192", .pool = "design", .tenant = "acme",
          .used = "design 1:8192 vm1" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
#undef OF_8_GIB
}

/* A definition can be bound to any GPU that lists the profile, with room or not. */
static void
test_profile(void **state)
{
    static const struct {
        PlacementCase base;
        bool has_profile;
    } cases[] = {
        { { "in its pool", .pool = "design", .pools = DESIGN }, true },
        { { "in its pool, which is not active", .pool = "design", .pools = DESIGN " off" },
          true },
        { { "in its pool, with another driver", .pool = "design", .pools = DESIGN " driver=550" },
          true },
        { { "in its pool, which does not offer it", .pool = "design",
            .pools = DESIGN " profile=A2-8Q" },
          false },
        { { "in another pool", .pools = DESIGN }, false },
        { { "in no pool", .pool = "design" }, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        PlacementCase c = cases[i].base;
        char *profiles[] = { (char *) "A2-4Q", NULL };
        VgpuWant want = { .profiles = profiles, .pool = (char *) c.pool };
        const VgpuCandidate *only;

        c.cards = "a2 " A;
        g_auto(PlacementHost) host = placement_host_new(&c);
        g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&host.snapshot, &want);

        only = g_ptr_array_index(candidates, 0);
        if (!only->profile == cases[i].has_profile)
            fail_msg("%s: %s", c.what, only->reason);
    }
}

static void
test_available(void **state)
{
    static const struct {
        const char *what;
        const char *card;
        const char *pools;
        guint available; /* of A2-4Q */
    } cases[] = {
        { "in no pool", "a2 " A, NULL, 4 },
        { "in a pool", "a2 " A, DESIGN, 4 },
        { "in one that is not active", "a2 " A, DESIGN " off", 0 },
        { "in one that offers it", "a2 " A, DESIGN " profile=A2-4Q", 4 },
        { "in one that does not", "a2 " A, DESIGN " profile=A2-8Q", 0 },
        { "in one that needs its driver", "a2 " A " driver=550.1", DESIGN " driver=550", 4 },
        { "in one that needs another driver", "a2 " A " driver=535.1", DESIGN " driver=550", 0 },
        { "in one with tenants", "a2 " A, DESIGN " tenant=acme:1", 4 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        PlacementCase c = { .cards = cases[i].card, .pools = cases[i].pools };
        g_auto(PlacementHost) host = placement_host_new(&c);
        const VgpuGpu *gpu = g_ptr_array_index(host.inventory->gpus, 0);
        guint available = vgpu_placement_available(&host.snapshot, gpu,
                                                   vgpu_gpu_find_profile(gpu, "nvidia-746"));

        if (available != cases[i].available)
            fail_msg("%s: %u instead of %u", cases[i].what, available, cases[i].available);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pools),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_tenants),   cmocka_unit_test(test_profile),
        cmocka_unit_test(test_available), cmocka_unit_test(test_mib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
