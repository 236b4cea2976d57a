/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Restrictions of the choice by gpu=, a definition and the version of libvirt, and the resulting refusals. */
#include "test.h"

#include "placement-host.h"

#define CANNOT(what, profile) "no capacity: " what " cannot take a vGPU '" profile "': "

static void
test_pin(void **state)
{
    static const PlacementCase cases[] = {
        { "pinned", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746", .gpu = B },
        { "pinned, against the policy", "a2 " A " vf0=746; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .gpu = B },
        { "pinned to a slow one", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746", .gpu = A,
          .slow = A },
        { "pinned to a full one", "a2 " A " " FOUR_4Q "; a2 " B, "A2-4Q",
          "no capacity: " A " cannot take a vGPU 'A2-4Q': 4 of 4 are in use", .gpu = A },
        { "pinned by an annotation", "a2 " A " " FOUR_4Q "; a2 " B, "A2-4Q",
          "no capacity: " A ", which gpu= names, cannot take a vGPU 'A2-4Q': 4 of 4 are in use",
          .gpu = A, .line = 4 },
        { "pinned to another card", "a2 " A "; p40 " B, "A2-4Q",
          "not found: " B " does not have the profile 'A2-4Q'; " A " has it", .gpu = B },
        { "that by an annotation", "p40 " A "; a2 " B "; a2 " C, "A2-4Q,A2-8Q",
          "not found: " A ", which gpu= names, does not have the profile 'A2-4Q', 'A2-8Q'; " B
          ", " C " have it",
          .gpu = A, .line = 4 },
        { "one that has none", "plain " A "; a2 " B, "A2-4Q",
          "not found: " A " does not have the profile 'A2-4Q'; " B " has it", .gpu = A },
        { "a profile that none has", "a2 " A "; a2 " B, "L4-4Q",
          "not found: " A " does not have the profile 'L4-4Q'", .gpu = A },
        { "pinned to nothing", "a2 " A, "A2-4Q",
          "not found: there is no GPU 0000:99:00.0 on this host (see 'virt-vgpu gpu-list')",
          .gpu = "0000:99:00.0" },
        { "to one whose VFs are off", "a2-vfs-off " A "; a2 " B, "A2-4Q",
          "no capacity: " A " cannot take a vGPU 'A2-4Q': its virtual functions are off",
          .gpu = A },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* gpu= and create accept a VF, too, and then use no other. */
static void
test_pin_to_vf(void **state)
{
    static const PlacementCase cases[] = {
        { "a VF of an mdev GPU", "a2 " A "; a2 " B, "A2-4Q", VF2 " nvidia-746", .gpu = VF2 },
        { "of NVIDIA's vendor-specific VFIO", "l40s " A, "L40S-4Q", VF1 " nvidia-1149",
          .gpu = VF1 },
        { "a plain one", "flex " A, "vf", VF3 " vf", .gpu = VF3 },
        { "one that is not planned for another domain", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .gpu = VF1, .planned = VF1 },
        { "an mdev is on it", "a2 " A " vf0=746", "A2-4Q",
          CANNOT(VF0, "A2-4Q") "its virtual function " VF0 " is taken", .gpu = VF0 },
        { "a foreign type", "l40s " A " vf1~1149", "L40S-4Q",
          CANNOT(VF1, "L40S-4Q") VF1 " carries NVIDIA L40S-4Q, which virt-vgpu did not set",
          .gpu = VF1 },
        { "the same, in an annotation", "l40s " A " vf1~1149", "L40S-4Q",
          "no capacity: " VF1 ", which gpu= names, cannot take a vGPU 'L40S-4Q': " VF1
          " carries NVIDIA L40S-4Q, which virt-vgpu did not set",
          .gpu = VF1, .line = 4 },
        { "the definition names it as well, and it has the wanted type", "l40s " A " vf1~1149",
          "L40S-4Q", VF1 " nvidia-1149", .gpu = VF1, .vf = VF1,
          .interface = VGPU_INTERFACE_VENDOR_VFIO },
        { "it is in use", "l40s " A, "L40S-4Q",
          CANNOT(VF1, "L40S-4Q") VF1 " is in use by domain 'web2'", .gpu = VF1,
          .reserved = "r0 " VF1 " 1149", .user = VF1 " in use by domain 'web2'" },
        { "it is planned for another", "l40s " A, "L40S-4Q",
          CANNOT(VF1, "L40S-4Q") VF1 " is planned for domain 'web2'", .gpu = VF1, .planned = VF1,
          .user = VF1 " planned for domain 'web2'" },
        { "it is closed", "a2 " A, "A2-4Q", CANNOT(VF1, "A2-4Q") VF1 ": closed", .gpu = VF1,
          .closed = VF1 },
        { "its GPU is full", "a2 " A " " FOUR_4Q, "A2-4Q",
          CANNOT(VF5, "A2-4Q") "4 of 4 are in use", .gpu = VF5 },
        { "another size is on its GPU", "a2 " A " vf0=745", "A2-4Q",
          CANNOT(VF1, "A2-4Q") "vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB)",
          .gpu = VF1 },
        { "another profile", "a2 " A "; p40 " B, "P40-4Q",
          "not found: " VF0 " does not have the profile 'P40-4Q'; " B " has it", .gpu = VF0 },
        { "one that carries nothing", "p40 " A " idle=0000:41:00.7", "P40-4Q",
          CANNOT("0000:41:00.7", "P40-4Q") "0000:41:00.7 is a virtual function of GPU " A
                                           ", and carries no vGPUs",
          .gpu = "0000:41:00.7" },
        { "one that is not there", "a2 " A, "A2-4Q",
          "not found: there is no GPU 0000:41:02.0 on this host (see 'virt-vgpu gpu-list')",
          .gpu = "0000:41:02.0" },
        { "in a pool", "a2 " A, "A2-4Q",
          CANNOT(VF0, "A2-4Q") "belongs to pool 'design' (on the device, set pool='design')",
          .gpu = VF0, .pools = "design gpu=" A },
        { "the definition has another", "l40s " A, "L40S-4Q",
          "not found: " VF1 " cannot take a vGPU 'L40S-4Q': gpu= names " VF1
          ", and the definition has " VF0,
          .gpu = VF1, .vf = VF0, .interface = VGPU_INTERFACE_VENDOR_VFIO },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* A limitation of this libvirt is not reported as a lack of room. */
static void
test_libvirt(void **state)
{
    static const PlacementCase cases[] = {
        { "too old for vendor-specific VFIO", "l40s " A, "L40S-4Q",
          NO_ROOM("L40S-4Q") A ": its vendor-specific VFIO needs libvirt 9.7 or newer",
          .libvirt = 9000000 },
        { "new enough", "l40s " A, "L40S-4Q", VF0 " nvidia-1149", .libvirt = 9007000 },
        { "old, and a full GPU", "l40s " A " vf0=1150", "L40S-4Q",
          NO_ROOM("L40S-4Q") A ": its vendor-specific VFIO needs libvirt 9.7 or newer",
          .libvirt = 9000000 },
        { "old enough for mdevs", "l40s " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .libvirt = 9000000 },
        { "pinned", "l40s " A, "L40S-4Q",
          CANNOT(VF1, "L40S-4Q") "its vendor-specific VFIO needs libvirt 9.7 or newer",
          .libvirt = 9000000, .gpu = VF1 },
    };
    static const PlacementCase c = { .cards = "l40s " A, .libvirt = 9000000 };
    g_auto(PlacementHost) host = placement_host_new(&c);
    const VgpuGpu *gpu = g_ptr_array_index(host.inventory->gpus, 0);
    char *profiles[] = { (char *) "L40S-4Q", NULL };
    VgpuWant want = { .profiles = profiles };
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&host.snapshot, &want);
    const VgpuCandidate *only = g_ptr_array_index(candidates, 0);

    placement_check(cases, G_N_ELEMENTS(cases));
    assert_string_equal(vgpu_verdict_to_string(only->verdict), "libvirt-too-old");
    assert_int_equal(vgpu_placement_available(&host.snapshot, gpu,
                                              vgpu_gpu_find_profile(gpu, "nvidia-1149")),
                     0);
}

/* Where the definition has a device already. */
static void
test_definition(void **state)
{
    static const PlacementCase cases[] = {
        { "its VF", "l40s " A, "L40S-4Q", VF2 " nvidia-1149", .vf = VF2,
          .interface = VGPU_INTERFACE_VENDOR_VFIO },
        { "its VF, which is another's", "l40s " A, "L40S-4Q",
          NO_ROOM("L40S-4Q") A ": " VF2 " is in use by domain 'web2'", .vf = VF2,
          .interface = VGPU_INTERFACE_VENDOR_VFIO, .user = VF2 " in use by domain 'web2'",
          .reserved = "r0 " VF2 " 1149" },
        { "an mdev, and no GPU makes any", "l40s " A, "L40S-4Q",
          "not found: no GPU makes vGPUs as its definition has them (mdev)",
          .interface = VGPU_INTERFACE_MDEV },
        { "a VF that is not there", "l40s " A, "L40S-4Q",
          "not found: the virtual function 0000:99:00.4 of its definition does not exist",
          .vf = "0000:99:00.4", .interface = VGPU_INTERFACE_VENDOR_VFIO },
    };
    static const PlacementCase c = { .cards = "l40s " A "; a2 " B "; plain " C };
    g_auto(PlacementHost) host = placement_host_new(&c);
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .profiles = profiles,
                      .interface = VGPU_INTERFACE_VENDOR_VFIO,
                      .vf = (char *) VF0 };
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&host.snapshot, &want);

    placement_check(cases, G_N_ELEMENTS(cases));
    assert_int_equal(candidates->len, 3); /* none is dropped before it is judged */
}

/* gpu= names another: each GPU says so. */
static void
test_not_named(void **state)
{
    static const PlacementCase c = { .cards = "a2 " A "; a2 " B "; p40 " C };
    g_auto(PlacementHost) host = placement_host_new(&c);
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .profiles = profiles, .gpu = (char *) B_VF1 };
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&host.snapshot, &want);

    assert_int_equal(candidates->len, 3);
    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        assert_string_equal(candidate->reason,
                            i == 1 ? "on " B_VF1 : "is not the one that gpu= names");
        assert_true(candidate->is_named == (i == 1));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pin),       cmocka_unit_test(test_pin_to_vf),
        cmocka_unit_test(test_not_named), cmocka_unit_test(test_definition),
        cmocka_unit_test(test_libvirt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
