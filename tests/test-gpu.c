/* A GPU with its parents, offers and instances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu/gpu.h"
#include <cmocka.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_parents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
