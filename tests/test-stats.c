/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matching figures to vGPUs. */
#include "test.h"

#include <glib.h>
#include <stdio.h>

#include "gpu/stats.h"

#define U1 "11111111-2222-5333-8444-555555555555"
#define U2 "22222222-2222-5333-8444-555555555555"
#define D1 "aaaaaaaa-0000-4000-8000-000000000001"

#define ROW(uuid, domain, parent)                                                                \
    "{'uuid': <'" uuid "'>, 'domain_uuid': <'" domain "'>, 'gpu': <'0000:41:00.0'>, "            \
    "'parent': <'0000:41:" parent "'>}"
#define TYPED(uuid, parent, type)                                                                \
    "{'uuid': <'" uuid "'>, 'domain_uuid': <'" D1 "'>, 'gpu': <'0000:41:00.0'>, "                \
    "'parent': <'0000:41:" parent "'>, 'profile_id': <'" type "'>}"
#define FIGURES(keys) "{" keys ", 'framebuffer_used_mib': <uint32 7>}"
#define OF_GPU ", 'gpu': <'0000:41:00.0'>"

static const struct {
    const char *what;
    const char *vgpus;
    const char *stats;
    const char *used; /* fb_used_mib of each row, - when there is none */
} cases[] = {
    { "nothing is reported", "[" ROW(U1, D1, "00.4") "]", "[]", "-" },
    { "the library could not be asked", "[" ROW(U1, D1, "00.4") "]", NULL, "-" },
    { "no vGPUs", "[]", "[" FIGURES("'mdev_uuid': <'" U1 "'>") "]", "" },
    { "the mdev's UUID decides", "[" ROW(U1, D1, "00.4") "," ROW(U2, D1, "00.5") "]",
      "[" FIGURES("'mdev_uuid': <'" U2 "'>, 'vm_uuid': <'" D1 "'>") "]", "- 7" },
    { "in any case of letters", "[" ROW("abcdefab-2222-5333-8444-555555555555", D1, "00.4") "]",
      "[" FIGURES("'mdev_uuid': <'ABCDEFAB-2222-5333-8444-555555555555'>") "]", "7" },
    { "figures of an unlisted mdev are dropped", "[" ROW(U1, D1, "00.4") "]",
      "[" FIGURES("'mdev_uuid': <'" U2 "'>, 'vm_uuid': <'" D1 "'>") "]", "-" },
    { "the domain and the VF", "[" ROW(U1, D1, "00.4") "," ROW(U2, D1, "00.5") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'vf': <'0000:41:00.5'>") "]", "- 7" },
    { "another VF is not this vGPU", "[" ROW(U1, D1, "00.4") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'vf': <'0000:41:00.5'>") "]", "-" },
    { "the domain alone, which has one", "[" ROW(U1, D1, "00.4") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>" OF_GPU) "]", "7" },
    { "the domain alone, which has two: either might be meant",
      "[" ROW(U1, D1, "00.4") "," ROW(U2, D1, "00.5") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>" OF_GPU) "]", "- -" },
    { "another GPU is not this vGPU", "[" ROW(U1, D1, "00.4") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'gpu': <'0000:42:00.0'>") "]", "-" },
    { "the domain has two, of different profiles",
      "[" TYPED(U1, "00.4", "nvidia-1") "," TYPED(U2, "00.5", "nvidia-2") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'profile_id': <'nvidia-2'>" OF_GPU) "]", "- 7" },
    { "the domain has three, two of that profile",
      "[" TYPED(U1, "00.4", "nvidia-2") "," TYPED(U2, "00.5",
                                                  "nvidia-2") "," TYPED(U1, "00.6",
                                                                        "nvidia-1") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'profile_id': <'nvidia-2'>" OF_GPU) "]", "- - -" },
    { "another profile is not this vGPU", "[" TYPED(U1, "00.4", "nvidia-1") "]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>, 'profile_id': <'nvidia-2'>" OF_GPU) "]", "-" },
    { "a planned vGPU, which is nowhere, has none",
      "[{'uuid': <'" U1 "'>, 'domain_uuid': <'" D1 "'>}]",
      "[" FIGURES("'vm_uuid': <'" D1 "'>") "]", "-" },
    { "without any UUID nothing is joined", "[{'gpu': <'0000:41:00.0'>}]",
      "[" FIGURES("'gpu': <'0000:41:00.0'>") "]", "-" },
};

static char *
used_of(GVariant *rows)
{
    GString *used = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        guint32 mib;

        if (g_variant_lookup(row, "fb_used_mib", "u", &mib))
            g_string_append_printf(used, "%s%u", i ? " " : "", mib);
        else
            g_string_append(used, i ? " -" : "-");
    }
    return g_string_free(used, FALSE);
}

static void
test_join(void **state)
{
    const GVariantType *type = G_VARIANT_TYPE("aa{sv}");
    guint failures = 0;

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) vgpus = g_variant_parse(type, cases[i].vgpus, NULL, NULL, NULL);
        g_autoptr(GVariant) stats =
            cases[i].stats ? g_variant_parse(type, cases[i].stats, NULL, NULL, NULL) : NULL;
        g_autoptr(GVariant) joined = vgpu_stats_join(vgpus, stats);
        g_autofree char *used = used_of(joined);

        assert_true(!cases[i].stats || stats);
        if (g_strcmp0(used, cases[i].used) != 0) {
            print_error("%s: '%s' instead of '%s'\n", cases[i].what, used, cases[i].used);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

static void
test_names(void **state)
{
    g_autoptr(GVariant) vgpus =
        g_variant_ref_sink(g_variant_new_parsed("[{'uuid': <%s>, 'state': <'active'>}]", U1));
    g_autoptr(GVariant) stats = g_variant_ref_sink(g_variant_new_parsed(
        "[{'mdev_uuid': <%s>, 'framebuffer_mib': <uint32 1>, 'framebuffer_used_mib': <uint32 2>, "
        "'gpu_utilization': <uint32 3>, 'memory_utilization': <uint32 4>, "
        "'encoder_utilization': <uint32 5>, 'decoder_utilization': <uint32 6>, "
        "'license_state': <'licensed'>, 'license_expiry': <'permanent'>, "
        "'driver_version': <'550.1'>}]",
        U1));
    g_autoptr(GVariant) wanted = g_variant_ref_sink(g_variant_new_parsed(
        "[{'uuid': <%s>, 'state': <'active'>, 'fb_mib': <uint32 1>, 'fb_used_mib': <uint32 2>, "
        "'gpu_util': <uint32 3>, 'mem_util': <uint32 4>, 'enc_util': <uint32 5>, "
        "'dec_util': <uint32 6>, 'license_state': <'licensed'>, 'license_expiry': <'permanent'>, "
        "'driver_version': <'550.1'>}]",
        U1));
    g_autoptr(GVariant) joined = vgpu_stats_join(vgpus, stats);
    g_autoptr(GVariant) row = g_variant_get_child_value(joined, 0);
    g_autoptr(GVariant) wanted_row = g_variant_get_child_value(wanted, 0);
    GVariantIter iter;
    const char *key;
    GVariant *value;

    (void) state;
    assert_int_equal(g_variant_n_children(row), g_variant_n_children(wanted_row));
    g_variant_iter_init(&iter, wanted_row);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        g_autoptr(GVariant) got = g_variant_lookup_value(row, key, NULL);

        assert_non_null(got);
        assert_true(g_variant_equal(got, value));
    }
}

/* The VF that the library does not know. */
static void
test_vfs(void **state)
{
    static const struct {
        const char *what, *vgpus, *stats, *vf; /* NULL: none */
    } of_vfs[] = {
        { "the only one of its domain", "[" TYPED(U1, "00.4", "nvidia-1") "]",
          "'vm_uuid': <'" D1 "'>" OF_GPU, "0000:41:00.4" },
        { "the one of its profile",
          "[" TYPED(U1, "00.4", "nvidia-1") "," TYPED(U2, "00.5", "nvidia-2") "]",
          "'vm_uuid': <'" D1 "'>, 'profile_id': <'nvidia-2'>" OF_GPU, "0000:41:00.5" },
        { "one of two that are alike",
          "[" TYPED(U1, "00.4", "nvidia-2") "," TYPED(U2, "00.5", "nvidia-2") "]",
          "'vm_uuid': <'" D1 "'>, 'profile_id': <'nvidia-2'>" OF_GPU, NULL },
        { "an mdev on a VF", "[" TYPED(U1, "00.4", "nvidia-1") "]", "'mdev_uuid': <'" U1 "'>",
          "0000:41:00.4" },
        { "an mdev on the GPU itself", "[" TYPED(U1, "00.0", "nvidia-1") "]",
          "'mdev_uuid': <'" U1 "'>", NULL },
        { "of no domain", "[]", "'vm_uuid': <'" D1 "'>" OF_GPU, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(of_vfs); i++) {
        const GVariantType *type = G_VARIANT_TYPE("aa{sv}");
        g_autofree char *figures = g_strdup_printf("[{%s}]", of_vfs[i].stats);
        g_autoptr(GVariant) vgpus = g_variant_parse(type, of_vfs[i].vgpus, NULL, NULL, NULL);
        g_autoptr(GVariant) stats = g_variant_parse(type, figures, NULL, NULL, NULL);
        g_autoptr(GVariant) named = vgpu_stats_with_vfs(stats, vgpus);
        g_autoptr(GVariant) row = g_variant_get_child_value(named, 0);
        g_autofree char *vf = NULL;

        (void) !g_variant_lookup(row, "vf", "s", &vf);
        if (g_strcmp0(vf, of_vfs[i].vf) != 0)
            fail_msg("%s: %s", of_vfs[i].what, vf);
    }
    (void) state;
}

static void
test_gpus(void **state)
{
    g_autoptr(GVariant) gpus = g_variant_ref_sink(g_variant_new_parsed(
        "[{'address': <'0000:41:00.0'>, 'driver': <'nvidia'>}, {'address': <'0000:42:00.0'>}]"));
    g_autoptr(GVariant) stats = g_variant_ref_sink(g_variant_new_parsed(
        "[{'gpu': <'0000:41:00.0'>, 'temperature_c': <uint32 45>, 'health': <'ok'>}]"));
    g_autoptr(GVariant) joined = vgpu_stats_join_gpus(gpus, stats);
    g_autoptr(GVariant) alone = vgpu_stats_join_gpus(gpus, NULL);
    g_autoptr(GVariant) bare = g_variant_get_child_value(alone, 0);
    g_autoptr(GVariant) first = g_variant_get_child_value(joined, 0);
    g_autoptr(GVariant) second = g_variant_get_child_value(joined, 1);
    guint32 celsius = 0;
    const char *health = NULL;

    (void) state;
    assert_int_equal(g_variant_n_children(bare), 2);
    assert_true(g_variant_lookup(first, "temperature_c", "u", &celsius));
    assert_true(g_variant_lookup(first, "health", "&s", &health));
    assert_int_equal(celsius, 45);
    assert_string_equal(health, "ok");
    assert_int_equal(g_variant_n_children(first), 4);
    assert_int_equal(g_variant_n_children(second), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_vfs),
        cmocka_unit_test(test_gpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
