/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers' descriptions of a profile, and the names that users may write. */
#include "test.h"

#include "gpu/profile.h"

static void
test_describe(void **state)
{
    static const struct {
        const char *what;
        const char *description;
        guint fb_mib, num_heads, frl;
        const char *max_resolution;
        guint max_instances;
    } cases[] = {
        { "NVIDIA A2-4Q",
          "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, "
          "max_instance=4\n",
          4096, 4, 60, "7680x4320", 4 },
        { "NVIDIA A2-1A",
          "num_heads=1, frl_config=60, framebuffer=1024M, max_resolution=1280x1024, "
          "max_instance=16",
          1024, 1, 60, "1280x1024", 16 },
        { "in another order, without blanks",
          "max_instance=24,framebuffer=1024M,frl_config=45,max_resolution=5120x2880,num_heads=2",
          1024, 2, 45, "5120x2880", 24 },
        { "blanks alone between", "num_heads=4 frl_config=60 framebuffer=512M max_instance=32",
          512, 4, 60, NULL, 32 },
        { "without a limit of frames",
          "num_heads=1, framebuffer=16384M, max_resolution=4096x2160, max_instance=2", 16384, 1,
          0, "4096x2160", 2 },
        { "keys of the future", "class=compute, framebuffer=24576M, gi=47, max_instance=4", 24576,
          0, 0, NULL, 4 },
        { "Intel GVT-g",
          "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n",
          0, 0, 0, "1920x1200", 0 },
        { "prose", "virtual display, 1024x768 framebuffer", 0, 0, 0, NULL, 0 },
        { "numbers that are none", "num_heads=many, framebuffer=, max_instance", 0, 0, 0, NULL,
          0 },
        { "a number that is too large", "framebuffer=4294971392M, num_heads=4", 0, 4, 0, NULL,
          0 },
        { "a key within a key", "old_num_heads=3, num_heads_max=5", 0, 0, 0, NULL, 0 },
        { "a key twice", "max_resolution=1x1, max_resolution=2x2", 0, 0, 0, "2x2", 0 },
        { "empty", "", 0, 0, 0, NULL, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuProfile) p = vgpu_profile_new("id", "name");

        vgpu_profile_describe(p, cases[i].description);
        if (p->fb_mib != cases[i].fb_mib || p->num_heads != cases[i].num_heads ||
            p->frl != cases[i].frl || p->max_instances != cases[i].max_instances)
            fail_msg("%s: %u MiB, %u heads, %u frames, %u instances", cases[i].what, p->fb_mib,
                     p->num_heads, p->frl, p->max_instances);
        if (g_strcmp0(p->max_resolution, cases[i].max_resolution) != 0)
            fail_msg("%s: %s", cases[i].what, p->max_resolution);
    }
}

static void
test_matches(void **state)
{
    static const struct {
        const char *what;
        const char *id;
        const char *name; /* NULL: the driver gives none */
        const char *wanted;
        bool matches;
    } cases[] = {
        { "the name", "nvidia-746", "NVIDIA A2-4Q", "NVIDIA A2-4Q", true },
        { "without its prefix", "nvidia-746", "NVIDIA A2-4Q", "A2-4Q", true },
        { "with the other prefix", "nvidia-746", "NVIDIA A2-4Q", "GRID A2-4Q", true },
        { "a prefix that the driver lacks", "nvidia-746", "A2-4Q", "NVIDIA A2-4Q", true },
        { "the older prefix", "nvidia-46", "GRID P40-1Q", "P40-1Q", true },
        { "both prefixes", "nvidia-746", "NVIDIA A2-4Q", "NVIDIA GRID A2-4Q", false },
        { "a prefix in lower case", "nvidia-746", "NVIDIA A2-4Q", "nvidia A2-4Q", false },
        { "lower case", "nvidia-746", "NVIDIA A2-4Q", "a2-4q", false },
        { "the id", "nvidia-746", "NVIDIA A2-4Q", "nvidia-746", true },
        { "its number", "nvidia-746", "NVIDIA A2-4Q", "746", true },
        { "58 is not 588", "nvidia-588", "NVIDIA A40-2Q", "58", false },
        { "88 is not 588", "nvidia-588", "NVIDIA A40-2Q", "88", false },
        { "588 is not 58", "nvidia-58", "GRID P40-6A", "588", false },
        { "nvidia-58 is not nvidia-588", "nvidia-588", "NVIDIA A40-2Q", "nvidia-58", false },
        { "the dash alone", "nvidia-", NULL, "", false },
        { "nothing", "nvidia-746", "NVIDIA A2-4Q", "", false },
        { "the prefix alone", "nvidia-746", "NVIDIA A2-4Q", "NVIDIA ", false },
        { "1Q is not 1QX", "nvidia-1", "NVIDIA A2-1QX", "A2-1Q", false },
        { "4Q is not 24Q", "nvidia-1", "NVIDIA L4-24Q", "L4-4Q", false },
        { "the end of a name", "nvidia-746", "NVIDIA A2-4Q", "4Q", false },
        { "a blank behind", "nvidia-746", "NVIDIA A2-4Q", "A2-4Q ", false },
        { "two dashes", "nvidia-901", "NVIDIA RTX6000-Ada-4Q", "RTX6000-Ada-4Q", true },
        { "two dashes, another case", "nvidia-901", "NVIDIA RTX6000-Ada-4Q", "RTX6000-ADA-4Q",
          false },
        { "blanks in it", "nvidia-1561", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q",
          "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", true },
        { "blanks in it, no prefix", "nvidia-1561", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q",
          "RTX Pro 6000 Blackwell DC-1-24Q", true },
        { "only its last word", "nvidia-1561", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q",
          "DC-1-24Q", false },
        { "2B4", "nvidia-218", "GRID V100D-2B4", "V100D-2B4", true },
        { "2B is not 2B4", "nvidia-218", "GRID V100D-2B4", "V100D-2B", false },
        { "2B4 is not 2B", "nvidia-193", "GRID V100D-2B", "GRID V100D-2B4", false },
        { "no name", "i915-GVTg_V5_4", NULL, "i915-GVTg_V5_4", true },
        { "a part of such an id", "i915-GVTg_V5_4", NULL, "GVTg_V5_4", false },
        { "the number in such an id", "i915-GVTg_V5_4", NULL, "4", false },
        { "an id without a dash", "matrix", NULL, "matrix", true },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuProfile) profile = vgpu_profile_new(cases[i].id, cases[i].name);

        if (vgpu_profile_matches(profile, cases[i].wanted) != cases[i].matches)
            fail_msg("%s: '%s' %s '%s'", cases[i].what, cases[i].wanted,
                     cases[i].matches ? "is not taken for" : "is taken for", profile->name);
    }
}

static void
test_name(void **state)
{
    static const struct {
        const char *name;
        char series;
        bool is_mig;
        guint fb_mib; /* a guess */
        guint max_per_domain;
    } cases[] = {
        { "NVIDIA A2-4Q", 'Q', false, 4096, 16 },
        { "GRID M10-0Q", 'Q', false, 512, 16 },
        { "GRID M60-0B", 'B', false, 512, 1 },
        { "GRID V100D-2B4", 'B', false, 2048, 1 },
        { "GRID P100-1B4", 'B', false, 1024, 1 },
        { "NVIDIA A40-48A", 'A', false, 49152, 1 },
        { "GRID V100D-32C", 'C', false, 32768, 16 },
        { "NVIDIA H200X-141C", 'C', false, 144384, 16 },
        { "GRID A100-1-5C", 'C', true, 5120, 1 },
        { "GRID A100-1-5CME", 'C', true, 5120, 1 },
        { "NVIDIA A100D-2-20C", 'C', true, 20480, 1 },
        { "NVIDIA H100-1-10CME", 'C', true, 10240, 1 },
        { "NVIDIA H200X-1-18C", 'C', true, 18432, 1 },
        { "NVIDIA X-1-6CNOME", 'C', true, 6144, 1 },
        { "NVIDIA X-2-6QMEALL", 'Q', true, 6144, 1 },
        { "NVIDIA X-1-6QGFX", 'Q', true, 6144, 1 },
        { "NVIDIA RTX6000-Ada-4Q", 'Q', false, 4096, 16 },
        { "NVIDIA RTX Pro 6000 Blackwell DC-3Q", 'Q', false, 3072, 16 },
        { "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 'Q', true, 24576, 1 },
        { "NVIDIA RTX Pro 6000 Blackwell DC-2B", 'B', false, 2048, 1 },
        { "i915-GVTg_V5_4", 0, false, 0, 0 },
        { "nvidia-746", 0, false, 0, 0 },
        { "vf", 0, false, 0, 0 },
        { "NVIDIA A2-4Qx", 0, false, 0, 0 },
        { "NVIDIA A2-4", 0, false, 0, 0 },
        { "NVIDIA A2-4D", 0, false, 0, 0 },
        { "NVIDIA A2-4q", 0, false, 0, 0 },
        { "4Q", 0, false, 0, 0 },
        { "NVIDIA X-99999999999Q", 0, false, 0, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuProfile) profile = vgpu_profile_new("id", cases[i].name);

        vgpu_profile_guess(profile);
        if (vgpu_profile_series(profile) != cases[i].series ||
            vgpu_profile_is_mig(profile) != cases[i].is_mig ||
            profile->fb_mib != cases[i].fb_mib ||
            vgpu_profile_max_per_domain(profile) != cases[i].max_per_domain)
            fail_msg("%s: series '%c', %s, %u MiB, %u in a domain", cases[i].name,
                     vgpu_profile_series(profile),
                     vgpu_profile_is_mig(profile) ? "MIG" : "not MIG", profile->fb_mib,
                     vgpu_profile_max_per_domain(profile));
    }
}

/* The driver's own facts take precedence. */
static void
test_name_against_driver(void **state)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");

    profile->fb_mib = 3840;
    vgpu_profile_guess(profile);
    assert_int_equal(profile->fb_mib, 3840);
    profile->gi_profile = 0; /* "7g" has number 0 */
    assert_true(vgpu_profile_is_mig(profile));
    assert_int_equal(vgpu_profile_max_per_domain(profile), 1);
    profile->max_per_domain = 2;
    assert_int_equal(vgpu_profile_max_per_domain(profile), 2);
}

/* The maximum on a GPU as derived from the name. */
static void
test_whole_gpu(void **state)
{
    static const struct {
        const char *name;
        guint told, max_instances;
    } cases[] = {
        { "NVIDIA H100-7-80C", 0, 1 }, { "GRID A100-7-40C", 2, 2 }, { "NVIDIA H100-4-40C", 0, 0 },
        { "NVIDIA H200X-141C", 0, 0 }, { "NVIDIA H200X-7C", 0, 0 }, { "NVIDIA H100-1-10C", 0, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuProfile) profile = vgpu_profile_new("id", cases[i].name);

        profile->max_instances = cases[i].told;
        vgpu_profile_guess(profile);
        if (profile->max_instances != cases[i].max_instances)
            fail_msg("%s: %u", cases[i].name, profile->max_instances);
    }
}

static void
test_license(void **state)
{
    static const struct {
        const char *name;
        const char *purpose;
        const char *license;
    } cases[] = {
        { "NVIDIA A2-4Q", "virtual workstation", "NVIDIA RTX Virtual Workstation" },
        { "NVIDIA A2-4C", "compute and AI", "NVIDIA AI Enterprise" },
        { "NVIDIA A2-2B", "virtual desktop", "NVIDIA Virtual PC" },
        { "NVIDIA A2-4A", "streamed applications", "NVIDIA Virtual Applications" },
        { "i915-GVTg_V5_4", NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuProfile) profile = vgpu_profile_new("id", cases[i].name);

        if (g_strcmp0(vgpu_profile_purpose(profile), cases[i].purpose) != 0 ||
            g_strcmp0(vgpu_profile_license(profile), cases[i].license) != 0)
            fail_msg("%s: %s, %s", cases[i].name, vgpu_profile_purpose(profile),
                     vgpu_profile_license(profile));
    }
}

static void
test_new(void **state)
{
    g_autoptr(VgpuProfile) unnamed = vgpu_profile_new("i915-GVTg_V5_4", NULL);
    g_autoptr(VgpuProfile) empty = vgpu_profile_new("nvidia-36", "");

    assert_string_equal(unnamed->name, "i915-GVTg_V5_4");
    assert_string_equal(empty->name, "nvidia-36");
    vgpu_profile_free(NULL);
}

static void
test_copy(void **state)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");
    g_autoptr(VgpuProfile) copy = NULL;

    vgpu_profile_describe(profile, "num_heads=4, frl_config=60, framebuffer=4096M, "
                                   "max_resolution=7680x4320, max_instance=4");
    copy = vgpu_profile_copy(profile);
    assert_string_equal(copy->id, "nvidia-746");
    assert_string_equal(copy->name, "NVIDIA A2-4Q");
    assert_string_equal(copy->max_resolution, "7680x4320");
    assert_int_equal(copy->fb_mib, 4096);
    assert_int_equal(copy->num_heads, 4);
    assert_int_equal(copy->frl, 60);
    assert_int_equal(copy->max_instances, 4);
    assert_ptr_not_equal(copy->id, profile->id);
    assert_ptr_not_equal(copy->max_resolution, profile->max_resolution);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe),  cmocka_unit_test(test_matches),
        cmocka_unit_test(test_name),      cmocka_unit_test(test_name_against_driver),
        cmocka_unit_test(test_whole_gpu), cmocka_unit_test(test_license),
        cmocka_unit_test(test_new),       cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
