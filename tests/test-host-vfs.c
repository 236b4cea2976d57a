/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFs that the host layout keeps for the host: no guest is given one, and no guest loses one. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"
#include "vf-host.h"

#define S7150 "0000:c1:00.0"
#define PLAIN "<vgpu:device profile='vf' gpu='" S7150 "'/>"
#define KEPT(n) "VF " n " is kept for the host (host.xml)"

/* Keep these VFs of that GPU for the host, separated by blanks; "": none. */
static void
keep(Host *host, const char *gpu, const char *numbers)
{
    GHashTable *all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
    g_auto(GStrv) words = g_strsplit(numbers, " ", -1);
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(guint));

    for (char **word = words; *word; word++) {
        guint n = (guint) g_ascii_strtoull(*word, NULL, 10);

        g_array_append_val(kept, n);
    }
    g_hash_table_insert(all, g_strdup(gpu), kept);
    vgpu_manager_take_layout(host->manager, NULL, NULL, NULL, *numbers ? all : NULL);
    if (!*numbers)
        g_hash_table_unref(all);
}

static guint
available(Host *host, const char *address, const char *profile)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(host->manager), address);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(host->manager);

    return vgpu_reading_available(reading, gpu, vgpu_gpu_find_profile(gpu, profile));
}

static guint
capacity(Host *host, const char *profile)
{
    g_autoptr(VgpuPoolRow) row = vgpu_manager_get_pool(host->manager, "default");

    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);

        if (g_str_equal(room->name, profile))
            return room->capacity;
    }
    return 0;
}

/* For each interface with VFs: the VFs that a definition and a start get. */
static void
test_not_given(void **state)
{
    static const struct {
        const char *what, *gpu, *kept, *device, *bound;
        const char *start; /* on the first VF: why it is refused */
        guint available;
        const char *profile;
    } cases[] = {
        { "vendor-specific VFIO", L40S, "1 3", L40S_4Q, VF1, KEPT("1"), 2, "nvidia-1150" },
        { "all of its VFs", L40S, "1 2 3 4", L40S_4Q, "has no virtual function", KEPT("1"), 0,
          "nvidia-1150" },
        { "plain VFs", S7150, "1", PLAIN, S7150_VF1, KEPT("1"), 3, "vf" },
        { "the last one", S7150, "4", PLAIN, S7150_VF0, NULL, 3, "vf" },
        { "one that is not there", S7150, "9", PLAIN, S7150_VF0, NULL, 4, "vf" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;
        g_autofree char *refused = NULL;
        const char *first = g_str_equal(cases[i].gpu, L40S) ? VF0 : S7150_VF0;

        (void) vf_host_setup((void **) &host);
        keep(host, cases[i].gpu, cases[i].kept);
        if (available(host, cases[i].gpu, cases[i].profile) != cases[i].available)
            fail_msg("%s: room for %u", cases[i].what,
                     available(host, cases[i].gpu, cases[i].profile));
        assert_bound(host, 1, cases[i].device, NULL, cases[i].bound);
        refused = start_on(host, cases[i].start ? 2 : 1, cases[i].device, first);
        if (!refused != !cases[i].start || (refused && !strstr(refused, cases[i].start)))
            fail_msg("%s: '%s'", cases[i].what, refused ? refused : "(started)");
        host_check_view(host->manager);
    }
}

/* A definition that names such a VF is moved. */
static void
test_named_already(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_bound(host, 2, PLAIN, NULL, S7150_VF0);
    g_string_truncate(host->log, 0);
    keep(host, L40S, "1");
    assert_has(host->log->str, "gpus-changed");
    assert_bound(host, 1, L40S_4Q, VF0, VF1);
    assert_starts(host, 1, L40S_4Q, VF1);
    /* before it is moved its start says why, and has it moved */
    keep(host, S7150, "1");
    assert_refused(host, 2, PLAIN, S7150_VF0, KEPT("1"));
    assert_true(asked_to_rewrite(host, 2));
    assert_bound(host, 2, PLAIN, S7150_VF0, S7150_VF1);
    /* what is no longer the host's is given again */
    keep(host, S7150, "");
    assert_starts(host, 3, PLAIN, S7150_VF0);
}

/* A guest that runs with a kept VF has it until it stops, and is counted meanwhile. */
static void
test_running(void **state)
{
    Host *host = *state;

    assert_starts(host, 1, PLAIN, S7150_VF0);
    assert_starts(host, 2, L40S_4Q, VF0);
    keep(host, S7150, "1");
    assert_int_equal(available(host, S7150, "vf"), 3);
    assert_bound(host, 1, PLAIN, S7150_VF0, S7150_VF0);
    keep(host, L40S, "1");
    assert_bound(host, 2, L40S_4Q, VF0, VF0);
    assert_types(host, TYPE_4Q, 0, 0, 0);
    host_restart(host);
    keep(host, S7150, "1");
    assert_starts(host, 3, PLAIN, S7150_VF1);
    assert_starts(host, 4, PLAIN, S7150_VF2);
    assert_starts(host, 5, PLAIN,
                  S7150_VF3); /* which beside that guest are as many as there are VFs */
    stop(host, 1);
    host_settle(host);
    assert_int_equal(available(host, S7150, "vf"), 0);
    assert_refused(host, 6, PLAIN, NULL, "of 3 are in use");
    stop(host, 5);
    host_settle(host);
    assert_refused(host, 1, PLAIN, S7150_VF0, KEPT("1"));
    assert_bound(host, 1, PLAIN, S7150_VF0, S7150_VF3);
}

static void
test_capacity(void **state)
{
    Host *host = *state;

    assert_int_equal(capacity(host, "vf"), 4);
    keep(host, S7150, "2 3");
    assert_int_equal(capacity(host, "vf"), 2);
    assert_starts(host, 1, PLAIN, S7150_VF0);
    assert_int_equal(capacity(host, "vf"), 2);
}

/* When nothing but kept VFs is free, explain says so. */
static void
test_explain(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(9);
    g_autofree char *xml = xml_on("web9", uuid, L40S_4Q, NULL);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;

    keep(host, L40S, "1 2 3 4");
    forecasts = vgpu_manager_explain(host->manager, domain);
    assert_has(((const VgpuForecast *) g_ptr_array_index(forecasts, 0))->refusal, KEPT("1"));
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, vf_host_setup, vf_host_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_given),
        test(test_named_already),
        test(test_running),
        test(test_capacity),
        test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
