/* Which figures belong to which vGPU. */
#include "test.h"

#include <glib.h>
#include <stdio.h>

#include "cli/stats.h"

#define U1 "11111111-2222-5333-8444-555555555555"
#define U2 "22222222-2222-5333-8444-555555555555"
#define D1 "aaaaaaaa-0000-4000-8000-000000000001"

#define ROW(uuid, domain, parent)                                                                \
    "{'uuid': <'" uuid "'>, 'domain_uuid': <'" domain "'>, 'gpu': <'0000:41:00.0'>, "            \
    "'parent': <'0000:41:" parent "'>}"
#define FIGURES(keys) "{" keys ", 'framebuffer_used_mib': <uint32 7>}"
#define OF_GPU ", 'gpu': <'0000:41:00.0'>"

static const struct {
    const char *what;
    const char *vgpus;
    const char *stats;
    const char *used; /* fb_used_mib of each row, - when there is none */
} cases[] = {
    { "nothing is told", "[" ROW(U1, D1, "00.4") "]", "[]", "-" },
    { "nobody could be asked", "[" ROW(U1, D1, "00.4") "]", NULL, "-" },
    { "no vGPUs", "[]", "[" FIGURES("'mdev_uuid': <'" U1 "'>") "]", "" },
    { "the mdev's UUID decides", "[" ROW(U1, D1, "00.4") "," ROW(U2, D1, "00.5") "]",
      "[" FIGURES("'mdev_uuid': <'" U2 "'>, 'vm_uuid': <'" D1 "'>") "]", "- 7" },
    { "in any case of letters", "[" ROW("abcdefab-2222-5333-8444-555555555555", D1, "00.4") "]",
      "[" FIGURES("'mdev_uuid': <'ABCDEFAB-2222-5333-8444-555555555555'>") "]", "7" },
    { "an mdev that is not listed is nobody's", "[" ROW(U1, D1, "00.4") "]",
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
        "'license_state': <'licensed'>, 'driver_version': <'550.1'>}]",
        U1));
    g_autoptr(GVariant) wanted = g_variant_ref_sink(g_variant_new_parsed(
        "[{'uuid': <%s>, 'state': <'active'>, 'fb_mib': <uint32 1>, 'fb_used_mib': <uint32 2>, "
        "'gpu_util': <uint32 3>, 'mem_util': <uint32 4>, 'enc_util': <uint32 5>, "
        "'dec_util': <uint32 6>, 'license_state': <'licensed'>, 'driver_version': <'550.1'>}]",
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
