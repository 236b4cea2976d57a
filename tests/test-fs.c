/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that survive a crash: killed writers, full disks, obstacles. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "scratch.h"

#define BIG 50000

static int
mode_of(const Scratch *scratch, const char *name)
{
    g_autofree char *path = scratch_path(scratch, name);
    struct stat sb;

    return stat(path, &sb) < 0 ? -1 : (int) (sb.st_mode & 07777);
}

static guint
count_files(const Scratch *scratch, const char *name)
{
    g_autofree char *path = scratch_path(scratch, name);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

static void
test_replace(void **state)
{
    static const struct {
        const char *what;
        const char *old; /* NULL: there is none */
        const char *data;
    } cases[] = {
        { "a new file", NULL, "new" },
        { "a longer one", "old", "new and longer" },
        { "a shorter one", "old and longer", "new" },
        { "the same", "old", "old" },
        { "empty", "old", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *path = scratch_path(&scratch, "dir/file");
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        mode_t mask = umask(0);

        scratch_write(&scratch, "dir/file", cases[i].old ? cases[i].old : "");
        if (cases[i].old)
            (void) !chmod(path, 0644);
        else
            scratch_remove(&scratch, "dir/file");
        if (!vgpu_fs_replace(path, cases[i].data, strlen(cases[i].data), &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        umask(mask);
        text = scratch_read(&scratch, "dir/file");
        if (g_strcmp0(text, cases[i].data) != 0)
            fail_msg("%s: '%s' was written", cases[i].what, text);
        if (mode_of(&scratch, "dir/file") != 0600)
            fail_msg("%s: mode %o", cases[i].what, mode_of(&scratch, "dir/file"));
        if (count_files(&scratch, "dir") != 1)
            fail_msg("%s: something else was left behind", cases[i].what);
    }
}

static void
test_replace_bytes(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "file");
    g_autofree char *data = NULL;
    gsize len;

    assert_true(vgpu_fs_replace(path, "a\0b", 3, NULL));
    assert_true(g_file_get_contents(path, &data, &len, NULL));
    assert_int_equal(len, 3);
    assert_memory_equal(data, "a\0b", 3);
}

/* A write that the file system refuses half way. */
static void
test_replace_fails(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "dir/file");
    g_autofree char *nowhere = scratch_path(&scratch, "none/file");
    g_autofree char *big = g_strnfill(BIG, 'n');
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    struct rlimit old, small = { 10000, RLIM_INFINITY };
    bool done;

    scratch_write(&scratch, "dir/file", "old");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    done = vgpu_fs_replace(path, big, BIG, &error);
    setrlimit(RLIMIT_FSIZE, &old);

    assert_false(done);
    assert_non_null(error);
    text = scratch_read(&scratch, "dir/file");
    assert_string_equal(text, "old");
    assert_int_equal(count_files(&scratch, "dir"), 1);

    g_clear_error(&error);
    assert_false(vgpu_fs_replace(nowhere, "new", 3, &error));
    assert_non_null(strstr(error->message, "none/file"));
}

/* Keep writing one of two contents. */
static void G_GNUC_NORETURN
keep_writing(const char *path, const char *a, const char *b)
{
    for (;;) {
        if (!vgpu_fs_replace(path, a, strlen(a), NULL) ||
            !vgpu_fs_replace(path, b, strlen(b), NULL))
            _exit(1);
    }
}

/* If the writer is killed at any point, the file has one of the two contents. */
static void
test_killed_writer(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "file");
    g_autofree char *a = g_strnfill(BIG, 'a');
    g_autofree char *b = g_strnfill(BIG / 2, 'b');

    assert_true(vgpu_fs_replace(path, a, strlen(a), NULL));
    for (int i = 0; i < 30; i++) {
        g_autofree char *text = NULL;
        int status;
        pid_t pid = fork();

        if (pid == 0)
            keep_writing(path, a, b);
        assert_true(pid > 0);
        g_usleep((gulong) (1000 + i * 317));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        text = scratch_read(&scratch, "file");
        if (g_strcmp0(text, a) != 0 && g_strcmp0(text, b) != 0)
            fail_msg("killed after %d us: %zu bytes that are neither", 1000 + i * 317,
                     text ? strlen(text) : 0);
    }
}

/* Looked at while it is being written, too. */
static void
test_reader(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "file");
    g_autofree char *a = g_strnfill(BIG, 'a');
    g_autofree char *b = g_strnfill(BIG / 2, 'b');
    gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 5;
    guint seen_a = 0, seen_b = 0;
    bool mixed = false;
    pid_t pid;

    assert_true(vgpu_fs_replace(path, a, strlen(a), NULL));
    pid = fork();
    if (pid == 0)
        keep_writing(path, a, b);
    while (!mixed && (g_get_monotonic_time() < end || !seen_a || !seen_b)) {
        g_autofree char *text = scratch_read(&scratch, "file");
        bool is_a = g_strcmp0(text, a) == 0;
        bool is_b = g_strcmp0(text, b) == 0;

        seen_a += is_a;
        seen_b += is_b;
        mixed = !is_a && !is_b;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (mixed)
        fail_msg("a mixture was read after %u good ones", seen_a + seen_b);
}

static void
test_remove(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "dir/file");
    g_autofree char *nowhere = scratch_path(&scratch, "none/file");
    g_autofree char *dir = scratch_path(&scratch, "dir");
    g_autoptr(GError) error = NULL;

    scratch_write(&scratch, "dir/file", "x");
    scratch_write(&scratch, "dir/other", "x");
    assert_true(vgpu_fs_remove(path, &error));
    assert_int_equal(count_files(&scratch, "dir"), 1);
    assert_true(vgpu_fs_remove(path, &error));
    assert_true(vgpu_fs_remove(nowhere, &error));
    assert_null(error);

    assert_false(vgpu_fs_remove(dir, &error));
    assert_non_null(strstr(error->message, dir));
}

static void
test_mkdir(void **state)
{
    static const struct {
        const char *what;
        const char *path;
        int mode;
        bool good;
        int parent_mode; /* -1: not looked at */
    } cases[] = {
        { "one", "one", 0700, true, -1 },
        { "with its parents", "a/b/c", 0700, true, 0755 },
        { "there already", "there", 0755, true, -1 },
        { "a file is in the way", "file", 0700, false, -1 },
        { "a file is on the way", "file/one", 0700, false, -1 },
    };
    g_auto(Scratch) scratch = scratch_new();
    mode_t mask = umask(022);

    scratch_write(&scratch, "there/x", "");
    scratch_write(&scratch, "file", "");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = scratch_path(&scratch, cases[i].path);
        g_autofree char *parent = g_path_get_dirname(cases[i].path);
        g_autoptr(GError) error = NULL;

        if (vgpu_fs_mkdir(path, 0700, &error) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "done");
        if (cases[i].good && mode_of(&scratch, cases[i].path) != cases[i].mode)
            fail_msg("%s: mode %o", cases[i].what, mode_of(&scratch, cases[i].path));
        if (cases[i].parent_mode >= 0 && mode_of(&scratch, parent) != cases[i].parent_mode)
            fail_msg("%s: the parent has mode %o", cases[i].what, mode_of(&scratch, parent));
        if (!cases[i].good && !strstr(error->message, "file"))
            fail_msg("%s: the path is not in '%s'", cases[i].what, error->message);
    }
    umask(mask);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),       cmocka_unit_test(test_replace_bytes),
        cmocka_unit_test(test_replace_fails), cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_reader),        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_mkdir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
