/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's metrics, and their text and file for Prometheus. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "daemon/metrics-file.h"
#include "daemon/metrics-private.h"
#include "exposition-check.h"
#include "scratch.h"

/* The checker that the other tests rely on finds errors. */
static void
test_reader(void **state)
{
#define HEAD "# HELP a_x One.\n# TYPE a_x gauge\n"
    static const struct {
        const char *what;
        const char *text;
        const char *problem; /* how it begins; NULL: none */
    } cases[] = {
        { "nothing at all", "", NULL },
        { "a sample", HEAD "a_x 1\n", NULL },
        { "labels", HEAD "a_x{b=\"1\",c=\"\"} 1\na_x{b=\"2\",c=\"\"} 0.25\n", NULL },
        { "escaped characters", HEAD "a_x{b=\"\\\"\\\\\\n\"} 1\n", NULL },
        { "no line end", HEAD "a_x 1", "no line end" },
        { "a sample alone", "a_x 1\n", "not of its family" },
        { "no TYPE", "# HELP a_x One.\na_x 1\n", "not of its family" },
        { "no HELP", "# TYPE a_x gauge\na_x 1\n", "TYPE without" },
        { "HELP of another", "# HELP a_y One.\n# TYPE a_x gauge\na_x 1\n", "TYPE without" },
        { "HELP that says nothing", "# HELP a_x \n# TYPE a_x gauge\na_x 1\n", "HELP says" },
        { "no such type", "# HELP a_x One.\n# TYPE a_x gouge\na_x 1\n", "unknown type" },
        { "a counter", "# HELP a_x One.\n# TYPE a_x counter\na_x 1\n", "counters" },
        { "a gauge that is called a counter",
          "# HELP a_total One.\n# TYPE a_total gauge\na_total 1\n", "counters" },
        { "no samples", HEAD, "nothing behind" },
        { "no samples before the next", HEAD "# HELP a_y Two.\n# TYPE a_y gauge\na_y 1\n",
          "nothing before" },
        { "a family twice", HEAD "a_x 1\n" HEAD "a_x{b=\"1\"} 1\n", "a second time" },
        { "a sample twice", HEAD "a_x{b=\"1\"} 1\na_x{b=\"1\"} 2\n", "a second time" },
        { "another family's sample", HEAD "a_y 1\n", "not of its family" },
        { "a summary", "# HELP a_x One.\n# TYPE a_x summary\na_x_sum 1\na_x_count 1\n", NULL },
        { "a part that no summary has", "# HELP a_x One.\n# TYPE a_x summary\na_x_bucket 1\n",
          "not of its family" },
        { "a part that no gauge has", HEAD "a_x_sum 1\n", "not of its family" },
        { "a bare quote", HEAD "a_x{b=\"\"\"} 1\n", "no sample" },
        { "a bare backslash", HEAD "a_x{b=\"\\x\"} 1\n", "no sample" },
        { "no value", HEAD "a_x{b=\"1\"}\n", "no sample" },
        { "a decimal comma", HEAD "a_x 0,5\n", "no sample" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problem = exposition_problem(cases[i].text);

        if (cases[i].problem ? !problem || !g_str_has_prefix(problem, cases[i].problem)
                             : problem != NULL)
            fail_msg("%s: %s", cases[i].what, problem ? problem : "accepted");
    }
}

static void
test_exposition(void **state)
{
    VgpuExposition *out = vgpu_exposition_new();
    g_autofree char *text = NULL;

    vgpu_exposition_family(out, "a_none", "gauge", "Without a sample.");
    vgpu_exposition_family(out, "a_x", "gauge", "One.");
    vgpu_exposition_add(out, 1, NULL);
    vgpu_exposition_add(out, -0.5, "b", "quote \" backslash \\ line\nend", "c", NULL, NULL);
    vgpu_exposition_add(out, 2, "b", "é", NULL);
    vgpu_exposition_add(out, 3, "b", "é", NULL);
    vgpu_exposition_family(out, "a_y_total", "counter", "Two.");
    vgpu_exposition_add(out, 1234567890123.0, NULL);
    text = vgpu_exposition_end(out);
    assert_string_equal(text, "# HELP a_x One.\n"
                              "# TYPE a_x gauge\n"
                              "a_x 1\n"
                              "a_x{b=\"quote \\\" backslash \\\\ line\\nend\",c=\"\"} -0.5\n"
                              "a_x{b=\"é\"} 2\n"
                              "# HELP a_y_total Two.\n"
                              "# TYPE a_y_total counter\n"
                              "a_y_total 1234567890123\n");
}

static void
test_buckets(void **state)
{
    static const struct {
        const char *what;
        gint64 us;
        guint bucket; /* VGPU_METRICS_BUCKETS: above them all */
    } cases[] = {
        { "no time at all", 0, 0 },
        { "the first bound belongs to its bucket", 500, 0 },
        { "just above it", 501, 1 },
        { "1 ms", 1000, 1 },
        { "6 ms, as a start takes", 6000, 4 },
        { "a tenth of a second", 100000, 7 },
        { "a second", 1000000, 10 },
        { "ten seconds", 10000000, 13 },
        { "longer than any bucket", 10000001, VGPU_METRICS_BUCKETS },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuMetrics) metrics = vgpu_metrics_new();
        VgpuMetricsCounts counts;

        vgpu_metrics_hook(metrics, "prepare", "ok", cases[i].us);
        counts = vgpu_metrics_counts(metrics);
        if (counts.hook[0].count != 1 ||
            (gint64) (counts.hook[0].sum * G_USEC_PER_SEC + 0.5) != cases[i].us)
            fail_msg("%s: not counted", cases[i].what);
        for (guint b = 0; b < VGPU_METRICS_BUCKETS; b++) {
            if (counts.hook[0].buckets[b] != (b == cases[i].bucket))
                fail_msg("%s: bucket %u has %u", cases[i].what, b,
                         (guint) counts.hook[0].buckets[b]);
        }
    }
}

static void
event(VgpuMetrics *metrics, const char *text)
{
    g_autoptr(GVariant) value = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

    vgpu_metrics_event(metrics, value);
}

static void
test_events(void **state)
{
    static const struct {
        const char *what;
        const char *event;
        guint backend, op; /* where it is counted */
        guint count;
    } cases[] = {
        { "an mdev is made",
          "{'event': <'vgpu-created'>, 'interface': <'mdev'>, 'duration_ms': <uint32 6>}", 0, 0,
          1 },
        { "a VF is cleared",
          "{'event': <'vgpu-removed'>, 'interface': <'vendor-vfio'>, 'duration_ms': <uint32 6>}",
          1, 1, 1 },
        { "a plain VF is taken",
          "{'event': <'vgpu-created'>, 'interface': <'vf'>, 'duration_ms': <uint32 0>}", 2, 0,
          1 },
        { "by libvirt, with unknown duration",
          "{'event': <'vgpu-created'>, 'interface': <'mdev'>}", 0, 0, 0 },
        { "not by a driver", "{'event': <'vgpu-created'>, 'duration_ms': <uint32 6>}", 0, 0, 0 },
        { "another interface",
          "{'event': <'vgpu-created'>, 'interface': <'x'>, 'duration_ms': <uint32 6>}", 0, 0, 0 },
        { "another event",
          "{'event': <'vgpu-stuck'>, 'interface': <'mdev'>, 'duration_ms': <uint32 6>}", 0, 1,
          0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuMetrics) metrics = vgpu_metrics_new();
        VgpuMetricsCounts counts;
        guint64 total = 0;

        event(metrics, cases[i].event);
        counts = vgpu_metrics_counts(metrics);
        for (guint b = 0; b < VGPU_METRICS_BACKENDS; b++)
            total += counts.backend[b][0].count + counts.backend[b][1].count;
        if (total != cases[i].count ||
            counts.backend[cases[i].backend][cases[i].op].count != cases[i].count)
            fail_msg("%s: %u", cases[i].what, (guint) total);
    }
}

static void
count_all(VgpuMetrics *metrics)
{
    static const VgpuMigrationEnd ends[] = {
        { .departs = true, .outcome = "ok", .downtime_ms = 1250, .data_bytes = 1 << 30 },
        { .departs = true, .outcome = "ok", .downtime_ms = 0, .data_bytes = 1 },
        { .departs = true, .outcome = "ok", .downtime_ms = -1 },
        { .departs = true, .outcome = "failed", .downtime_ms = -1 },
        { .outcome = "ok", .downtime_ms = -1 },
        { .outcome = "refused", .downtime_ms = -1 },
        { .outcome = "failed", .downtime_ms = -1 },
    };
    VgpuAction action = { .kind = VGPU_ACTION_ADOPT };
    g_autoptr(GPtrArray) actions = g_ptr_array_new();

    g_ptr_array_add(actions, &action);
    g_ptr_array_add(actions, &action);
    vgpu_metrics_hook(metrics, "prepare", "ok", 6000);
    vgpu_metrics_hook(metrics, "prepare", "ok", 700);
    vgpu_metrics_hook(metrics, "prepare", "refused", 20000000);
    vgpu_metrics_hook(metrics, "release", "gone", 300);
    vgpu_metrics_hook(metrics, "attach", "refused", 100);
    vgpu_metrics_hook(metrics, "", "refused", 100);
    event(metrics, "{'event': <'vgpu-created'>, 'interface': <'mdev'>, "
                   "'duration_ms': <uint32 1234>}");
    event(metrics, "{'event': <'create-failed'>, 'interface': <'vendor-vfio'>, "
                   "'duration_ms': <uint32 5>}");
    event(metrics, "{'event': <'create-failed'>, 'interface': <'x'>, 'duration_ms': <uint32 5>}");
    vgpu_metrics_reconciled(metrics, actions, 1763664000);
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        vgpu_metrics_migration(metrics, &ends[i]);
}

/* The version changes with each release. */
static const char *
unversioned(char *text)
{
    char *version = strstr(text, "{version=\"");

    assert_non_null(version);
    version += strlen("{version=\"");
    assert_int_equal(strncmp(version, PACKAGE_VERSION "\"", strlen(PACKAGE_VERSION) + 1), 0);
    memset(version, 'x', strlen(PACKAGE_VERSION));
    memmove(version + 1, version + strlen(PACKAGE_VERSION),
            strlen(version + strlen(PACKAGE_VERSION)) + 1);
    return text;
}

static void
test_text(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autoptr(VgpuMetrics) metrics = vgpu_metrics_new();
    g_autofree char *before = vgpu_metrics_text(metrics, &rows);
    g_autofree char *text = NULL;
    g_autofree char *problem = exposition_problem(before);

    if (problem)
        fail_msg("%s", problem);
    assert_null(strstr(before, "last_reconcile")); /* none yet */
    count_all(metrics);
    text = vgpu_metrics_text(metrics, &rows);
    problem = exposition_problem(text);
    if (problem)
        fail_msg("%s", problem);
    inventory_compare("host.metrics", unversioned(text));
}

static void
test_down(void **state)
{
    g_autofree char *text = vgpu_metrics_text_down();
    g_autofree char *problem = exposition_problem(text);

    if (problem)
        fail_msg("%s", problem);
    assert_true(g_str_has_suffix(text, "\nvirtvgpu_up 0\n"));
}

/* --- the file ----------------------------------------------------------------------------- */

static guint
count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void
test_write(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "vgpu.prom");
    g_autofree char *nowhere = scratch_path(&scratch, "none/vgpu.prom");
    g_autofree char *other = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;
    struct stat st;

    scratch_write(&scratch, "other", "mine");
    scratch_link(&scratch, "vgpu.prom", "other");
    umask(0077); /* as the daemon's */
    assert_true(vgpu_metrics_file_write(path, "first\n", NULL));
    assert_true(vgpu_metrics_file_write(path, "second\n", NULL));
    text = scratch_read(&scratch, "vgpu.prom");
    assert_string_equal(text, "second\n");
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0644);
    other = scratch_read(&scratch, "other");
    assert_string_equal(other, "mine");
    assert_int_equal(count_files(scratch.path), 2);

    assert_false(vgpu_metrics_file_write(nowhere, "x", &error));
    assert_non_null(strstr(error->message, nowhere));
}

static char *
collect(gpointer opaque)
{
    g_atomic_int_inc((int *) opaque);
    return g_strdup("virtvgpu_up 1\n");
}

static void
test_file(void **state)
{
    static int collected;
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "vgpu.prom");
    g_autofree char *text = NULL;
    static VgpuMetricsFile *file; /* left behind */

    file = vgpu_metrics_file_start(path, 1, collect, &collected);
    for (guint i = 0; i < 500 && g_atomic_int_get(&collected) < 2; i++)
        g_usleep(10000);
    assert_true(g_atomic_int_get(&collected) >= 2);
    text = scratch_read(&scratch, "vgpu.prom");
    assert_string_equal(text, "virtvgpu_up 1\n");
    vgpu_metrics_file_stop(file);
    g_free(text);
    text = scratch_read(&scratch, "vgpu.prom");
    assert_true(g_str_has_suffix(text, "virtvgpu_up 0\n"));
    vgpu_metrics_file_stop(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader),  cmocka_unit_test(test_exposition),
        cmocka_unit_test(test_buckets), cmocka_unit_test(test_events),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_down),
        cmocka_unit_test(test_write),   cmocka_unit_test(test_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
