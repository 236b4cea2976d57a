/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU with its parents, offers and instances. */
#include "test.h"

#include "gpu/gpu.h"
#include <string.h>

static void
test_interface(void **state)
{
    static const struct {
        const char *what;
        VgpuInterface interface;
        const char *text;
    } cases[] = {
        { "none", VGPU_INTERFACE_NONE, "none" },
        { "mdev", VGPU_INTERFACE_MDEV, "mdev" },
        { "vendor's VFIO", VGPU_INTERFACE_VENDOR_VFIO, "vendor-vfio" },
        { "plain VF", VGPU_INTERFACE_VF, "vf" },
    };
    static const char *const unknown[] = { NULL, "", "MDEV", "mdev ", "sr-iov" };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = vgpu_interface_to_string(cases[i].interface);

        if (!g_str_equal(text, cases[i].text))
            fail_msg("%s: '%s'", cases[i].what, text);
        if (vgpu_interface_from_string(cases[i].text) != cases[i].interface)
            fail_msg("%s: comes back as %u", cases[i].what,
                     vgpu_interface_from_string(cases[i].text));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
        if (vgpu_interface_from_string(unknown[i]) != VGPU_INTERFACE_NONE)
            fail_msg("'%s' is taken for an interface", unknown[i]);
    }
}

static void
test_profiles(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
    const VgpuProfile *first =
        vgpu_gpu_take_profile(gpu, vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q"));
    const VgpuProfile *again =
        vgpu_gpu_take_profile(gpu, vgpu_profile_new("nvidia-746", "another name"));

    assert_ptr_equal(first, again);
    assert_string_equal(again->name, "NVIDIA A2-4Q");
    assert_int_equal(gpu->profiles->len, 1);
    assert_ptr_equal(vgpu_gpu_find_profile(gpu, "nvidia-746"), first);
    assert_null(vgpu_gpu_find_profile(gpu, "nvidia-74"));
    assert_null(vgpu_gpu_find_profile(gpu, "NVIDIA A2-4Q"));
}

static void
test_parents(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
    const VgpuProfile *profile =
        vgpu_gpu_take_profile(gpu, vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q"));
    VgpuParent *pf = vgpu_gpu_add_parent(gpu, "0000:41:00.0", false);
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, "0000:41:00.4", true);
    const VgpuInstance *instance;

    assert_int_equal(gpu->numa_node, -1);
    assert_int_equal(gpu->interface, VGPU_INTERFACE_NONE);
    assert_ptr_equal(vgpu_gpu_find_parent(gpu, "0000:41:00.0"), pf);
    assert_ptr_equal(vgpu_gpu_find_parent(gpu, "0000:41:00.4"), vf);
    assert_null(vgpu_gpu_find_parent(gpu, "0000:41:00.5"));
    assert_true(vf->is_vf);
    assert_false(pf->is_vf);

    vgpu_parent_add_offer(vf, profile, 1);
    assert_int_equal(vgpu_parent_find_offer(vf, "nvidia-746")->available, 1);
    assert_null(vgpu_parent_find_offer(vf, "nvidia-747"));
    assert_null(vgpu_parent_find_offer(pf, "nvidia-746"));

    vgpu_parent_add_instance(vf, "251e8969-0e28-5c92-b0e8-c8bd34136128", NULL);
    instance = g_ptr_array_index(vf->instances, 0);
    assert_string_equal(instance->uuid, "251e8969-0e28-5c92-b0e8-c8bd34136128");
    assert_null(instance->profile_id);
    vgpu_gpu_free(NULL);
}

/* Numbers per GPU of every time-sliced type that NVIDIA/vgpu-device-manager lists
 * (examples/config-example.yaml) of GPUs with VFs. */
static void
test_max_instances(void **state)
{
    static const struct {
        const char *gpus;
        const char *numbers; /* GIB=NUMBER, with ? where it cannot be told from the sizes */
    } cases[] = {
        { "A2 A16", "1=16 2=8 4=4 8=2 16=1" },
        { "A10 L2 L4 RTXA5000 RTXA5500", "1=24 2=12 3=8 4=6 6=4 8=3 12=2 24=1" },
        { "A30", "4=6 6=4 8=3 12=2 24=1" },
        { "A40 L20 L40 L40S RTXA6000 RTX5880-Ada RTX6000-Ada",
          "1=32 2=24 3=16 4=12 6=8 8=6 12=4 16=3 24=2 48=1" },
        { "A100D A100DX A800D A800DX", "4=20 8=10 10=8 16=5 20=4 40=2 80=1" },
        { "A100 A100X A800", "4=10 5=8 8=5 10=4 20=2 40=1" },
        { "DC", "2=32 3=32 4=24 6=16 8=12 12=8 16=6 24=4 32=3 48=2 96=1" },
        { "H20", "4=24 6=16 8=12 12=8 16=6 24=4 32=3 48=2 96=1" },
        { "H20X H200 H200X", "4=?32 7=?20 8=?16 14=?10 17=?8 28=?5 35=?4 70=?2 141=1" },
        { "H100L H100XL H800L", "4=?23 6=?15 11=?8 15=?6 23=?4 47=2 94=1" },
        { "H100 H100XM H800 H800XM", "4=20 5=16 8=10 10=8 16=5 20=4 40=2 80=1" },
        { "H100XS", "4=16 8=8 16=4 32=2 64=1" },
        { "RTX5000-Ada", "1=32 2=16 4=8 8=4 16=2 32=1" },
        { "B200X", "180=1" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
        g_auto(GStrv) words = g_strsplit(cases[i].numbers, " ", -1);

        gpu->card_mib =
            1024 * (guint) g_ascii_strtoull(words[g_strv_length(words) - 1], NULL, 10);
        for (char **word = words; *word; word++) {
            g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-1", "");
            const char *number = strchr(*word, '=') + 1;
            guint expected = *number == '?' ? 0 : (guint) g_ascii_strtoull(number, NULL, 10);

            profile->fb_mib = 1024 * (guint) g_ascii_strtoull(*word, NULL, 10);
            if (vgpu_gpu_max_instances(gpu, profile) != expected)
                fail_msg("%s: %s: %u", cases[i].gpus, *word,
                         vgpu_gpu_max_instances(gpu, profile));
        }
    }
}

static void
test_max_instances_untold(void **state)
{
    static const struct {
        const char *what;
        guint card_mib;
        bool is_mixed;
        const char *name;
        guint fb_mib, told, expected;
    } cases[] = {
        { "the driver says it", 49152, false, "L40S-4Q", 4096, 7, 7 },
        { "the driver says it of mixed sizes", 49152, true, "L40S-4Q", 4096, 7, 7 },
        { "the size of the GPU is unknown", 0, false, "L40S-4Q", 4096, 0, 0 },
        { "the frame buffer of the profile is unknown", 49152, false, "i915-GVTg_V5_4", 0, 0, 0 },
        { "mixed sizes", 49152, true, "L40S-4Q", 4096, 0, 0 },
        { "MIG-backed", 98304, false, "DC-1-24Q", 24576, 0, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
        g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-1", cases[i].name);

        gpu->card_mib = cases[i].card_mib;
        gpu->is_mixed = cases[i].is_mixed;
        profile->fb_mib = cases[i].fb_mib;
        profile->max_instances = cases[i].told;
        if (vgpu_gpu_max_instances(gpu, profile) != cases[i].expected)
            fail_msg("%s: %u", cases[i].what, vgpu_gpu_max_instances(gpu, profile));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_parents),
        cmocka_unit_test(test_max_instances),
        cmocka_unit_test(test_max_instances_untold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
