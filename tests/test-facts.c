/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts from NVML are merged with those from sysfs. */
#include "test.h"

#include "gpu/facts.h"

#define GPU "0000:61:00.0"
#define OTHER "0000:62:00.0"

/* Two GPUs; on the first a profile that has been listed, and one with a description. */
static VgpuInventory *
make_inventory(void)
{
    VgpuInventory *inventory = vgpu_inventory_new();
    VgpuGpu *gpu = vgpu_gpu_new(GPU);
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, "0000:61:00.4", true);
    VgpuProfile *described = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");

    vgpu_profile_describe(described, "num_heads=4, frl_config=60, framebuffer=4096M, "
                                     "max_resolution=7680x4320, max_instance=4");
    vgpu_parent_add_offer(
        vf, vgpu_gpu_take_profile(gpu, vgpu_profile_new("nvidia-1147", "NVIDIA L40S-1Q")), 1);
    vgpu_parent_add_offer(vf, vgpu_gpu_take_profile(gpu, described), 1);
    vgpu_inventory_take(inventory, gpu);
    vgpu_inventory_take(inventory, vgpu_gpu_new(OTHER));
    return inventory;
}

static void
apply(VgpuInventory *inventory, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) facts = g_variant_parse(VGPU_FACTS_TYPE, text, NULL, NULL, &error);

    if (!facts)
        fail_msg("%s: %s", text, error->message);
    for (guint i = 0; i < inventory->gpus->len; i++)
        vgpu_facts_apply(facts, g_ptr_array_index(inventory->gpus, i));
}

static void
test_modes(void **state)
{
    static const struct {
        const char *what;
        const char *facts;
        bool is_mig, is_mixed;
    } cases[] = {
        { "no facts", "[]", false, false },
        { "neither MIG nor heterogeneous",
          "[{'address': <'" GPU "'>, 'mig': <false>, 'mixed': <false>}]", false, false },
        { "MIG", "[{'address': <'" GPU "'>, 'mig': <true>}]", true, false },
        { "heterogeneous", "[{'address': <'" GPU "'>, 'mixed': <true>}]", false, true },
        { "facts about another GPU", "[{'address': <'" OTHER "'>, 'mig': <true>}]", false,
          false },
        { "facts about an unknown GPU", "[{'address': <'0000:99:00.0'>, 'mig': <true>}]", false,
          false },
        { "without an address", "[{'mig': <true>}]", false, false },
        { "a value of the wrong type", "[{'address': <'" GPU "'>, 'mig': <'on'>}]", false,
          false },
        { "an unknown key", "[{'address': <'" GPU "'>, 'colour': <'green'>}]", false, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) inventory = make_inventory();
        const VgpuGpu *gpu = vgpu_inventory_find(inventory, GPU);

        apply(inventory, cases[i].facts);
        if (gpu->is_mig != cases[i].is_mig || gpu->is_mixed != cases[i].is_mixed)
            fail_msg("%s: %d %d", cases[i].what, gpu->is_mig, gpu->is_mixed);
    }
}

/* Each merge starts from scratch: facts that are missing now are dropped. */
static void
test_modes_change(void **state)
{
    g_autoptr(VgpuInventory) inventory = make_inventory();
    const VgpuGpu *gpu = vgpu_inventory_find(inventory, GPU);
    const VgpuGpuInstance *instance;

    vgpu_facts_apply(NULL, g_ptr_array_index(inventory->gpus, 0));
    apply(inventory, "[{'address': <'" GPU "'>, 'mig': <true>, 'gpu_instances': <["
                     "{'gi': <uint32 3>, 'profile_id': <uint32 14>, 'profile': <'2g.10gb'>, "
                     "'start': <uint32 0>, 'size': <uint32 2>}, "
                     "{'gi': <uint32 5>, 'profile_id': <uint32 14>}, "
                     "{'profile_id': <uint32 14>}, {'gi': <uint32 6>}]>}]");
    assert_true(gpu->is_mig);
    assert_int_equal(gpu->gpu_instances->len, 2);
    instance = g_ptr_array_index(gpu->gpu_instances, 0);
    assert_int_equal(instance->id, 3);
    assert_int_equal(instance->profile, 14);
    assert_string_equal(instance->name, "2g.10gb");
    assert_int_equal(instance->start, 0);
    assert_int_equal(instance->size, 2);
    instance = g_ptr_array_index(gpu->gpu_instances, 1);
    assert_int_equal(instance->id, 5);
    assert_null(instance->name);

    apply(inventory, "[{'address': <'" GPU "'>, 'mig': <false>}]");
    assert_false(gpu->is_mig);
    assert_int_equal(gpu->gpu_instances->len, 0);
}

static void
test_types(void **state)
{
    g_autoptr(VgpuInventory) inventory = make_inventory();
    const VgpuGpu *gpu = vgpu_inventory_find(inventory, GPU);
    const VgpuParent *vf = vgpu_gpu_find_parent(gpu, "0000:61:00.4");
    const VgpuProfile *profile;

    apply(inventory,
          "[{'address': <'" GPU "'>, 'types': <["
          "{'id': <'nvidia-1147'>, 'name': <'NVIDIA L40S-1Q'>, 'framebuffer_mib': <uint32 1024>, "
          "'num_heads': <uint32 4>, 'frl': <uint32 60>, 'max_resolution': <'5120x2880'>, "
          "'max_instances': <uint32 32>, 'max_per_domain': <uint32 16>}, "
          "{'id': <'nvidia-746'>, 'framebuffer_mib': <uint32 0>, 'max_resolution': <'1x1'>}, "
          "{'id': <'nvidia-1561'>, 'name': <'NVIDIA RTX Pro 6000 Blackwell DC-1-24Q'>, "
          "'framebuffer_mib': <uint32 24576>, 'max_per_domain': <uint32 1>, "
          "'max_per_gi': <uint32 1>, 'gi_profile': <uint32 47>}, "
          "{'name': <'without an id'>}]>}]");

    /* a profile of the list gets its numbers; the offer sees them */
    profile = vgpu_parent_find_offer(vf, "nvidia-1147")->profile;
    assert_int_equal(profile->fb_mib, 1024);
    assert_int_equal(profile->num_heads, 4);
    assert_int_equal(profile->frl, 60);
    assert_string_equal(profile->max_resolution, "5120x2880");
    assert_int_equal(profile->max_instances, 32);
    assert_int_equal(profile->max_per_domain, 16);
    assert_int_equal(profile->gi_profile, -1);

    /* missing facts keep the values from sysfs */
    profile = vgpu_gpu_find_profile(gpu, "nvidia-746");
    assert_string_equal(profile->name, "NVIDIA A2-4Q");
    assert_int_equal(profile->fb_mib, 4096);
    assert_int_equal(profile->max_instances, 4);
    assert_string_equal(profile->max_resolution, "7680x4320");

    /* a profile that is not listed now is known, but not offered */
    profile = vgpu_gpu_find_profile(gpu, "nvidia-1561");
    assert_string_equal(profile->name, "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q");
    assert_int_equal(profile->max_per_gi, 1);
    assert_int_equal(profile->gi_profile, 47);
    assert_true(vgpu_profile_is_mig(profile));
    assert_null(vgpu_parent_find_offer(vf, "nvidia-1561"));
    assert_int_equal(gpu->profiles->len, 3);
    assert_int_equal(vgpu_inventory_find(inventory, OTHER)->profiles->len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_modes_change),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
