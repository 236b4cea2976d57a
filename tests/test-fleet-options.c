/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of fleet place, explain and reserve: which make sense together, and which profile a count is about. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "cli/fleet-options.h"

#define UUID "0b0b0b0b-0000-4000-8000-000000000001"

typedef struct {
    const char *about;
    const char *name;
    const char *profile, *pool, *xml, *tenant, *domain, *label, *apart;
    bool spread, pack;
    const char *error; /* NULL: they make sense */
} Row;

static const Row rows[] = {
    { "a profile", .profile = "A" },
    { "a pool", .pool = "design" },
    { "both", .profile = "A", .pool = "design", .tenant = "acme", .domain = UUID },
    { "a file", .xml = "web1.xml", .label = "rack=r1", .apart = UUID, .spread = true },
    { "a domain", .name = "web1", .pack = true },
    { "nothing", .error = "--profile, --pool, --xml FILE or DOMAIN is missing" },
    { "a domain and a file", .name = "web1", .xml = "web1.xml",
      .error = "only one of DOMAIN, --xml FILE and --profile or --pool" },
    { "a domain and a pool", .name = "web1", .pool = "design",
      .error = "only one of DOMAIN, --xml FILE and --profile or --pool" },
    { "a file for another domain", .xml = "web1.xml", .domain = UUID,
      .error = "--domain is for --profile and --pool: the XML has a UUID" },
    { "a file for another tenant", .xml = "web1.xml", .tenant = "acme",
      .error = "--tenant is for --profile and --pool: the annotation names it" },
    { "full and empty hosts", .profile = "A", .spread = true, .pack = true,
      .error = "either --spread or --pack" },
    { "a domain's name", .profile = "A", .domain = "web1",
      .error = "--domain 'web1' is not a UUID: the fleet knows no names of domains" },
    { "another domain's name", .profile = "A", .apart = "web1",
      .error = "--not-with 'web1' is not a UUID: the fleet knows no names of domains" },
    { "a label without a value", .profile = "A", .label = "r1",
      .error = "--label 'r1' is not NAME=VALUE" },
};

static void
test_together(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        const char *labels[] = { row->label, NULL }, *apart[] = { row->apart, NULL };
        g_autoptr(GPtrArray) profiles = g_ptr_array_new();
        g_autoptr(GError) error = NULL;
        VgpuFleetTyped typed = {
            .profiles = row->profile ? profiles : NULL,
            .pool = (char *) row->pool,
            .xml = (char *) row->xml,
            .tenant = (char *) row->tenant,
            .domain = (char *) row->domain,
            .labels = (char **) labels,
            .apart = (char **) apart,
            .spread = row->spread,
            .pack = row->pack,
        };

        if (vgpu_fleet_options_check(&typed, row->name, &error) != !row->error ||
            g_strcmp0(error ? error->message : NULL, row->error) != 0)
            fail_msg("%s: %s", row->about, error ? error->message : "accepted");
        if (error)
            assert_int_equal(error->code, VGPU_ERROR_ARGUMENT);
    }
}

static bool
take(const char *option, const char *value)
{
    return strcmp(option, "--profile") == 0
               ? vgpu_fleet_options_take_profile(option, value, NULL, NULL)
               : vgpu_fleet_options_take_count(option, value, NULL, NULL);
}

static void
test_order(void **state)
{
    assert_false(take("--count", "2"));
    assert_true(take("--profile", "A"));
    assert_true(take("--profile", "B"));
    assert_true(take("--count", "2"));
    assert_true(take("--profile", "A"));
    assert_false(take("--count", "0"));
    assert_false(take("--count", "1025"));
    assert_false(take("--count", "two"));
    assert_int_equal(vgpu_fleet_typed.profiles->len, 3);
    assert_string_equal(g_ptr_array_index(vgpu_fleet_typed.profiles, 1), "B");
    assert_int_equal(g_array_index(vgpu_fleet_typed.counts, guint, 0), 1);
    assert_int_equal(g_array_index(vgpu_fleet_typed.counts, guint, 1), 2);
    assert_int_equal(g_array_index(vgpu_fleet_typed.counts, guint, 2), 1);
    g_ptr_array_unref(vgpu_fleet_typed.profiles);
    g_array_unref(vgpu_fleet_typed.counts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
