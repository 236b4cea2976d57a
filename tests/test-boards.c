/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The profiles that boards have listed, remembered over restarts of the daemon. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "core/boards.h"
#include "scratch.h"

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
    return 0;
}

static int
teardown(void **state)
{
    scratch_clear(&scratch);
    return 0;
}

/* @profiles: "1150=NVIDIA L40S-4Q|…" */
static VgpuGpu *
gpu_of(const char *product, const char *subsystem, const char *version, const char *profiles)
{
    VgpuGpu *gpu = vgpu_gpu_new("0000:61:00.0");
    g_auto(GStrv) rows = g_strsplit(profiles, "|", -1);

    gpu->interface = VGPU_INTERFACE_VENDOR_VFIO;
    gpu->vendor_id = g_strdup("0x10de");
    gpu->product_id = g_strdup(product);
    gpu->subsystem = g_strdup(subsystem);
    gpu->driver_version = g_strdup(version);
    for (char **row = rows; *row && **row; row++) {
        g_auto(GStrv) parts = g_strsplit(*row, "=", 2);
        g_autofree char *id = g_strconcat("nvidia-", parts[0], NULL);
        VgpuProfile *profile = vgpu_profile_new(id, parts[1]);

        vgpu_profile_guess(profile);
        (void) vgpu_gpu_take_profile(gpu, profile);
        gpu->card_mib = MAX(gpu->card_mib, profile->fb_mib);
    }
    return gpu;
}

static void
note(const VgpuGpu *gpu)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuBoards) boards = vgpu_boards_load(scratch.path, writer);

    vgpu_boards_note(boards, gpu);
    assert_true(vgpu_writer_stop(writer, 10000));
}

/* What a daemon that has just started knows about @gpu: "ID=NAME|…" with the card's size. */
static char *
recall(VgpuGpu *gpu)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuBoards) boards = vgpu_boards_load(scratch.path, writer);
    GString *text = g_string_new(NULL);

    vgpu_boards_recall(boards, gpu);
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        g_string_append_printf(text, "%s=%s(%u)|", profile->id, profile->name, profile->fb_mib);
    }
    g_string_append_printf(text, "%u", gpu->card_mib);
    return g_string_free(text, FALSE);
}

#define L40S "0x26b9", "0x10de:0x1851", "550.90.05"
#define ALL "1150=NVIDIA L40S-4Q|1156=NVIDIA L40S-48Q"
#define KNOWN "nvidia-1150=NVIDIA L40S-4Q(4096)|nvidia-1156=NVIDIA L40S-48Q(49152)|49152"

static void
test_recalled(void **state)
{
    static const struct {
        const char *what;
        const char *product, *subsystem, *version, *listed;
        const char *known;
    } cases[] = {
        { "a full one", L40S, "", KNOWN },
        { "one size is left", L40S, "1150=NVIDIA L40S-4Q", KNOWN },
        { "another chip", "0x27b8", "0x10de:0x1851", "550.90.05", "", "0" },
        { "another board with that chip", "0x26b9", "0x10de:0x1900", "550.90.05", "", "0" },
        { "another driver", "0x26b9", "0x10de:0x1851", "580.65.05", "", "0" },
        { "a driver that does not say", "0x26b9", "0x10de:0x1851", NULL, "", "0" },
        { "a board that does not say", "0x26b9", NULL, "550.90.05", "", "0" },
    };
    g_autoptr(VgpuGpu) seen = gpu_of(L40S, ALL);

    note(seen);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuGpu) gpu =
            gpu_of(cases[i].product, cases[i].subsystem, cases[i].version, cases[i].listed);
        g_autofree char *known = recall(gpu);

        if (!g_str_equal(known, cases[i].known))
            fail_msg("%s: %s", cases[i].what, known);
    }
}

/* The next daemon adds to the record of the previous one; a change of the driver clears it. */
static void
test_noted(void **state)
{
    g_autoptr(VgpuGpu) small = gpu_of(L40S, "1150=NVIDIA L40S-4Q");
    g_autoptr(VgpuGpu) big = gpu_of(L40S, "1156=NVIDIA L40S-48Q");
    g_autoptr(VgpuGpu) full = gpu_of(L40S, "");
    g_autoptr(VgpuGpu) after = gpu_of(L40S, "");
    g_autoptr(VgpuGpu) newer = gpu_of("0x26b9", "0x10de:0x1851", "580.65.05", "2164=L40S-3B");
    g_autoptr(VgpuGpu) odd =
        gpu_of("0x26b9", NULL, NULL, "1=RTX Pro 6000; \\Blackwell\t=DC-1-24Q");
    g_autoptr(VgpuGpu) odd_after = gpu_of("0x26b9", NULL, NULL, "");
    g_autofree char *known = NULL, *forgotten = NULL, *strange = NULL;

    note(small);
    note(big);
    note(full); /* lists nothing, and changes nothing */
    known = recall(full);
    assert_string_equal(known, KNOWN);
    note(newer);
    forgotten = recall(after);
    assert_string_equal(forgotten, "0");
    note(odd);
    strange = recall(odd_after);
    assert_string_equal(strange, "nvidia-1=RTX Pro 6000; \\Blackwell\t=DC-1-24Q(24576)|24576");
}

/* Profiles are not recorded for drivers that always list all of them. */
static void
test_not_noted(void **state)
{
    g_autoptr(VgpuGpu) mdev = gpu_of(L40S, ALL);
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_BOARDS, NULL);

    mdev->interface = VGPU_INTERFACE_MDEV;
    note(mdev);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_damaged(void **state)
{
    static const struct {
        const char *what;
        const char *text; /* NULL: the whole one, cut off after so many bytes */
        gsize len;
    } cases[] = {
        { "empty", "", 0 },
        { "no key file",
          "\x7f"
          "ELF",
          0 },
        { "a board without a driver",
          "[0x10de:0x26b9 0x10de:0x1851]\ncard-mib=1\n[end]\ncomplete=true\n", 0 },
        { "a size that is none",
          "[0x10de:0x26b9 0x10de:0x1851]\ndriver=550.90.05\ncard-mib=-1\n[end]\ncomplete=true\n",
          0 },
        { "cut off", NULL, 20 },
        { "cut off in a profile", NULL, 90 },
    };
    g_autoptr(VgpuGpu) seen = gpu_of(L40S, ALL);
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_BOARDS, NULL);
    g_autofree char *whole = NULL;

    note(seen);
    assert_true(g_file_get_contents(path, &whole, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            cases[i].text ? g_strdup(cases[i].text) : g_strndup(whole, cases[i].len);
        g_autoptr(VgpuGpu) gpu = gpu_of(L40S, ""), again = gpu_of(L40S, "");
        g_autofree char *known = NULL, *after = NULL;

        assert_true(g_file_set_contents(path, text, -1, NULL));
        warnings = 0;
        known = recall(gpu);
        if (!g_str_equal(known, "0") || warnings != 1)
            fail_msg("%s: %s, %u warnings", cases[i].what, known, warnings);
        note(seen); /* begun again */
        after = recall(again);
        assert_string_equal(after, KNOWN);
    }
}

/* The numbers of boards and of profiles are limited. */
static void
test_bounded(void **state)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuBoards) boards = vgpu_boards_load(scratch.path, writer);
    g_autofree char *path = g_build_filename(scratch.path, VGPU_PATH_BOARDS, NULL);
    g_autoptr(GString) rows = g_string_new("1=A-1Q");
    g_autoptr(VgpuGpu) last = NULL, first = NULL;
    struct stat st;

    for (guint i = 2; i <= 1000; i++)
        g_string_append_printf(rows, "|%u=A-%uQ", i, i);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *product = g_strdup_printf("0x%04x", i);
        g_autoptr(VgpuGpu) gpu = gpu_of(product, NULL, "1", rows->str);

        vgpu_boards_note(boards, gpu);
    }
    assert_true(vgpu_writer_stop(writer, 30000));
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 1024 * 1024);
    last = gpu_of("0x0063", NULL, "1", "");
    vgpu_boards_recall(boards, last);
    assert_int_equal(last->profiles->len, 256);
    first = gpu_of("0x0000", NULL, "1", "");
    vgpu_boards_recall(boards, first);
    assert_int_equal(first->profiles->len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_recalled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
    };

    g_log_set_writer_func(count_warning, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
