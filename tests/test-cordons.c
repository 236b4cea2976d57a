/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cordons persist over restarts of the daemon. */
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/names.h"
#include "core/cordons.h"
#include "scratch.h"

#define GPU "0000:41:00.0"
#define OTHER "0000:e1:00.0"
#define SINCE "2026-03-01T09:30:00Z"

static Scratch scratch;
static guint warnings;

static GLogWriterOutput
count_warning(GLogLevelFlags level, const GLogField *fields G_GNUC_UNUSED,
              gsize n_fields G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    warnings += level == G_LOG_LEVEL_WARNING;
    return G_LOG_WRITER_HANDLED;
}

static int
setup(void **state)
{
    scratch = scratch_new();
    scratch_write(&scratch, VGPU_PATH_STATE "/mdevs/none", "");
    warnings = 0;
    return 0;
}

static int
teardown(void **state)
{
    scratch_clear(&scratch);
    return 0;
}

/* Run one daemon, which cordons the GPU; @cordon NULL: uncordons it. */
static void
put(const char *gpu, VgpuCordon *cordon)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuCordons) cordons = vgpu_cordons_load(scratch.path, writer, NULL);
    g_autoptr(GError) error = NULL;

    vgpu_cordons_put(cordons, gpu, cordon);
    assert_true(vgpu_cordons_wait(cordons, 10000, &error));
    assert_true(vgpu_writer_stop(writer, 10000));
}

/* The cordons that the next daemon reads: "GPU since by reason" of each. */
static char *
recall(void)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuCordons) cordons = vgpu_cordons_load(scratch.path, writer, NULL);
    g_autoptr(GPtrArray) gpus = vgpu_cordons_list(cordons);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < gpus->len; i++) {
        const VgpuCordon *cordon = vgpu_cordons_find(cordons, gpus->pdata[i]);

        g_string_append_printf(text, "%s %s %s %s|", (const char *) gpus->pdata[i], cordon->since,
                               cordon->by, cordon->reason ? cordon->reason : "-");
    }
    return g_string_free(text, FALSE);
}

static void
test_kept(void **state)
{
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_CORDONS, NULL);
    g_autofree char *none = recall(), *both = NULL, *one = NULL, *again = NULL;

    assert_string_equal(none, "");
    put(OTHER, vgpu_cordon_new(SINCE, NULL, "virtvgpud"));
    put(GPU, vgpu_cordon_new(SINCE, "fan; \"loud\" \\ é", "root"));
    both = recall();
    assert_string_equal(both, GPU " " SINCE " root fan; \"loud\" \\ é|" OTHER " " SINCE
                                  " virtvgpud -|");
    put(GPU, vgpu_cordon_new(SINCE, "new", "root"));
    one = recall();
    assert_string_equal(one, GPU " " SINCE " root new|" OTHER " " SINCE " virtvgpud -|");
    put(GPU, NULL);
    put(OTHER, NULL);
    again = recall();
    assert_string_equal(again, "");
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    assert_int_equal(warnings, 0);
}

static void
test_damaged(void **state)
{
    static const struct {
        const char *what, *text, *known;
    } cases[] = {
        { "empty", "", "" },
        { "no key file",
          "\x7f"
          "ELF",
          "" },
        { "cut off", "[" GPU "]\nsince=" SINCE "\nby=root\n", GPU " " SINCE " root -|" },
        { "an invalid address", "[x]\nsince=" SINCE "\nby=root\n[end]\ncomplete=true\n", "" },
        { "a cordon without an author beside a complete one",
          "[" GPU "]\nsince=" SINCE "\n[" OTHER "]\nsince=" SINCE
          "\nby=root\n[end]\ncomplete=true\n",
          GPU " " SINCE " unknown -|" OTHER " " SINCE " root -|" },
        { "two lines",
          "[" GPU "]\nsince=" SINCE "\nby=root\nreason=a\\nb\n[end]\ncomplete=true\n",
          GPU " " SINCE " root -|" },
        { "torn in a line", "[" GPU "]\nsince=" SINCE "\nby=root\nreason=fan\n[" OTHER "]\nsin",
          GPU " " SINCE " root fan|" OTHER " 1970-01-01T00:00:00Z unknown -|" },
        { "torn in an address", "[" GPU "]\nsince=" SINCE "\nby=root\n[0000:e1",
          GPU " " SINCE " root -|" },
        { "the lines of a bad address belong to no GPU",
          "[" GPU "]\nsince=" SINCE "\nby=root\n[0000:e1\nby=eve\n[end]\ncomplete=true\n",
          GPU " " SINCE " root -|" },
        { "rubbish in it",
          "[" GPU "]\nsince=" SINCE "\nby=root\n\x01\x01\x01\n[" OTHER "]\nsince=" SINCE
          "\nby=root\n[end]\ncomplete=true\n",
          GPU " " SINCE " root -|" OTHER " " SINCE " root -|" },
    };
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_CORDONS, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *known = NULL;

        assert_true(g_file_set_contents(path, cases[i].text, -1, NULL));
        warnings = 0;
        known = recall();
        if (!g_str_equal(known, cases[i].known) || warnings != 1)
            fail_msg("%s: '%s', %u warnings", cases[i].what, known, warnings);
    }
}

/* Must not behave as if nothing was cordoned: that would soon be written to disk. */
static void
test_unreadable(void **state)
{
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_CORDONS, NULL);
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(GError) error = NULL;

    (void) state;
    assert_int_equal(g_mkdir(path, 0700), 0); /* for root, too */
    assert_null(vgpu_cordons_load(scratch.path, writer, &error));
    assert_non_null(strstr(error->message, path));
}

static void
test_reason(void **state)
{
    g_autofree char *longest = g_strnfill(200, 'x');
    g_autofree char *longer = g_strnfill(201, 'x');
    const struct {
        const char *what, *text;
        bool is_reason;
    } cases[] = {
        { "none", "", false },
        { "a word", "fan", true },
        { "letters of any script", "ventilateur cassé", true },
        { "a line's end", "a\nb", false },
        { "an escape", "\033[31mred", false },
        { "a line's end of Unicode", "a\342\200\250b", false },
        { "a right-to-left override", "a\342\200\256b", false },
        { "no UTF-8", "\xff", false },
        { "as long as may be", longest, true },
        { "longer", longer, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (vgpu_cordon_is_reason(cases[i].text) != cases[i].is_reason)
            fail_msg("%s", cases[i].what);
    }
}

static void
test_text(void **state)
{
    g_autoptr(VgpuCordon) why = vgpu_cordon_new(SINCE, "fan", "root");
    g_autoptr(VgpuCordon) bare = vgpu_cordon_new(SINCE, NULL, "root");
    g_autofree char *with = vgpu_cordon_text(why, GPU);
    g_autofree char *without = vgpu_cordon_text(bare, GPU);

    assert_string_equal(with, "is cordoned: fan (virt-vgpu gpu-uncordon " GPU ")");
    assert_string_equal(without,
                        "is cordoned since " SINCE " by root (virt-vgpu gpu-uncordon " GPU ")");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_text),
    };

    g_log_set_writer_func(count_warning, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
