/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building images: accepted and refused input, and a failure leaves nothing behind. tests/test-cli-iso.sh
 * reads the content of images back. */
#include "test.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/build.h"
#include "iso/driver-iso.h"
#include "iso/output.h"
#include "iso/tree.h"
#include "iso/write.h"
#include "scratch.h"

#define LONG_NAME                                                                                \
    "0123456789012345678901234567890123456789012345678901234567890123"                           \
    "0123456789012345678901234567890123456789012345678901234567890123"                           \
    "0123456789012345678901234567890123456789012345678901234567890123"                           \
    "0123456789012345678901234567890123456789012345678901234567890123"

static void
expect_error(const char *what, const GError *error, VgpuError code, const char *text)
{
    if (!g_error_matches(error, VGPU_ERROR, (int) code) || !strstr(error->message, text))
        fail_msg("%s: says '%s'", what, error ? error->message : "nothing");
}

static int
text_file(const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* --- names -------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *label;
    bool is_good;
} labels[] = {
    { "the usual label", VGPU_ISO_LABEL, true },
    { "one character", "x", true },
    { "sixteen characters", "0123456789abcdef", true },
    { "all kinds of characters", "a_B-9.", true },
    { "none", "", false },
    { "seventeen characters", "0123456789abcdefg", false },
    { "a blank", "a b", false },
    { "a slash", "a/b", false },
    { "an umlaut", "\xc3\xa4", false },
};

static void
test_labels(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        if (vgpu_iso_is_label(labels[i].label) != labels[i].is_good)
            fail_msg("%s", labels[i].what);
    }
}

static const struct {
    const char *what;
    const char *path;
    bool is_good;
} paths[] = {
    { "a file at the top", "setup.exe", true },
    { "a file below two directories", "a/b/c.inf", true },
    { "blanks and umlauts",
      "Gr\xc3\xb6\xc3\x9f"
      "e 2/x y",
      true },
    { "a name of dots", "...", true },
    { "nothing", "", false },
    { "an absolute path", "/etc/passwd", false },
    { "a slash at the end", "a/", false },
    { "two slashes", "a//b", false },
    { "the directory above", "../a", false },
    { "the directory above, further below", "a/../../b", false },
    { "the directory itself", "a/./b", false },
    { "a line break", "a\nb", false },
    { "a right-to-left override", "a\342\200\256exe.b", false },
    { "not UTF-8", "a\xff", false },
    { "more than 255 bytes", LONG_NAME, false },
};

static void
test_paths(void **state)
{
    int fd = text_file("x");

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(VgpuIso) iso = vgpu_iso_new();
        g_autoptr(GError) error = NULL;
        bool done = vgpu_iso_add_fd(iso, paths[i].path, fd, &error);

        if (done != paths[i].is_good)
            fail_msg("%s: %s", paths[i].what, done ? "was taken" : error->message);
        if (!done)
            expect_error(paths[i].what, error, VGPU_ERROR_BAD_REQUEST, "is not a valid name");
        assert_int_equal(vgpu_iso_n_files(iso), done ? 1 : 0);
    }
    close(fd);
}

static const struct {
    const char *what;
    const char *first, *second;
    const char *error; /* NULL: both are taken */
} pairs[] = {
    { "two names", "a", "b", NULL },
    { "two files of one directory", "d/a", "d/b", NULL },
    { "the same name in two directories", "d/a", "e/a", NULL },
    { "the same name", "d/a", "d/a", "d/a would be in the image twice" },
    { "another case", "Setup.exe", "setup.EXE", "one file for Windows" },
    { "an umlaut in another case", "\xc3\xa4", "\xc3\x84", "one file for Windows" },
    { "a directory in another case", "Win/a", "win/b", "one file for Windows" },
    { "a file where a directory is", "d/a", "d", "twice" },
    { "a directory where a file is", "d", "d/a", "twice" },
};

static void
test_pairs(void **state)
{
    int fd = text_file("x");

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(VgpuIso) iso = vgpu_iso_new();
        g_autoptr(GError) error = NULL;

        assert_true(vgpu_iso_add_fd(iso, pairs[i].first, fd, NULL));
        if (vgpu_iso_add_fd(iso, pairs[i].second, fd, &error) != !pairs[i].error)
            fail_msg("%s: %s", pairs[i].what, error ? error->message : "was taken");
        if (pairs[i].error)
            expect_error(pairs[i].what, error, VGPU_ERROR_BAD_REQUEST, pairs[i].error);
    }
    close(fd);
}

/* --- descriptors -------------------------------------------------------------------------- */

/* A caller who may not read or write a file must not have it read or written by a daemon that may. */
static void
test_descriptors(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *file = scratch_path(&dir, "file");
    g_autofree char *fifo = scratch_path(&dir, "fifo");
    const struct {
        const char *what;
        const char *path;
        int flags;
        bool can_read, can_write;
    } fds[] = {
        { "a file for both", file, O_RDWR, true, true },
        { "a file for reading", file, O_RDONLY, true, false },
        { "a file for writing", file, O_WRONLY, false, true },
        { "a file that is only named", file, O_PATH, false, false },
        { "a directory", dir.path, O_RDONLY, false, false },
        { "a FIFO", fifo, O_RDWR, false, false },
        { "a device", "/dev/zero", O_RDWR, false, false },
    };

    (void) state;
    scratch_write(&dir, "file", "content");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autoptr(VgpuIso) iso = vgpu_iso_new();
        g_autoptr(GError) error = NULL;
        int fd = open(fds[i].path, fds[i].flags | O_CLOEXEC);

        assert_true(fd >= 0);
        if (vgpu_iso_add_fd(iso, "a", fd, &error) != fds[i].can_read)
            fail_msg("%s: reading: %s", fds[i].what, error ? error->message : "was taken");
        if (!fds[i].can_read)
            expect_error(fds[i].what, error, VGPU_ERROR_BAD_REQUEST, "open for reading");
        g_clear_error(&error);
        g_clear_pointer(&iso, vgpu_iso_free);
        iso = vgpu_iso_new();
        if (vgpu_iso_write(iso, "X", fd, &error) != fds[i].can_write)
            fail_msg("%s: writing: %s", fds[i].what, error ? error->message : "was taken");
        if (!fds[i].can_write)
            expect_error(fds[i].what, error, VGPU_ERROR_BAD_REQUEST, "open for writing");
        close(fd);
    }
}

static void
test_written(void **state)
{
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    int in = text_file("content"), out = memfd_create("image", MFD_CLOEXEC);
    char signature[6] = "";
    struct stat st;

    (void) state;
    assert_true(vgpu_iso_add_fd(iso, "a", in, NULL));
    assert_true(vgpu_iso_add_dir(iso, "b/empty", NULL));
    assert_true(vgpu_iso_add_dir(iso, "b/empty", NULL));
    assert_true(vgpu_iso_add_text(iso, "b/c", "text", true, NULL));
    assert_int_equal(vgpu_iso_n_files(iso), 2);
    assert_true(vgpu_iso_has(iso, "B/C"));
    assert_int_equal(lseek(in, 3, SEEK_SET), 3);
    assert_true(vgpu_iso_write(iso, "X", out, NULL));
    assert_int_equal(lseek(in, 0, SEEK_CUR), 3);
    assert_int_equal(fstat(out, &st), 0);
    assert_int_equal(st.st_size % 2048, 0);
    assert_int_equal(lseek(out, 0, SEEK_CUR), st.st_size);
    /* ECMA-119: the volume descriptors begin in sector 16 */
    assert_int_equal(pread(out, signature, 5, 16 * 2048 + 1), 5);
    assert_string_equal(signature, "CD001");
    close(in);
    close(out);
}

static void
test_trouble(void **state)
{
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    g_autoptr(GError) error = NULL;
    int in = text_file("content"), out = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void) state;
    assert_true(vgpu_iso_add_fd(iso, "d/a", in, NULL));
    assert_int_equal(ftruncate(in, 2), 0);
    assert_false(vgpu_iso_write(iso, "X", out, &error));
    expect_error("a file that has shrunk", error, VGPU_ERROR_FAILED, "d/a: was truncated");
    g_clear_error(&error);

    assert_int_equal(ftruncate(in, 7), 0);
    assert_int_equal(fcntl(out, F_ADD_SEALS, F_SEAL_GROW), 0);
    assert_false(vgpu_iso_write(iso, "X", out, &error));
    expect_error("an output with no room", error, VGPU_ERROR_FAILED, "cannot write the image");
    close(in);
    close(out);
}

/* --- files -------------------------------------------------------------------------------- */

/* "top/a top/b/ …", where an empty directory ends with a slash. */
static char *
list(const GPtrArray *files)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < files->len; i++) {
        const VgpuIsoFile *file = files->pdata[i];

        g_string_append_printf(text, "%s%s%s", i ? " " : "", file->path, file->fd < 0 ? "/" : "");
    }
    return g_string_free(text, FALSE);
}

/* @target NULL: a file; "/": a directory; "|": a FIFO; else a link. */
static const struct {
    const char *what;
    const char *path, *target;
    const char *files; /* NULL: refused */
    const char *error;
} trees[] = {
    { "a file", "top/a", NULL, "top/a top/file", NULL },
    { "a file further below", "top/b/c/d", NULL, "top/b/c/d top/file", NULL },
    { "an empty directory", "top/d", "/", "top/d/ top/file", NULL },
    { "a link to a file beside it", "top/l", "file", "top/file top/l", NULL },
    { "a link up and down again", "top/b/l", "../file", "top/b/l top/file", NULL },
    { "a link to a file outside", "top/l", "../secret", NULL, "outside its directory" },
    { "an absolute link", "top/l", "/etc/passwd", NULL, "outside its directory" },
    { "a link to a directory", "top/l", ".", NULL, "a link to something that is not a file" },
    { "a link to nothing", "top/l", "nothing", NULL, "No such file" },
    { "a link to itself", "top/l", "l", NULL, "Too many levels" },
    { "a FIFO", "top/p", "|", NULL, "neither a file nor a directory" },
};

static void
test_trees(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(trees); i++) {
        g_auto(Scratch) dir = scratch_new();
        g_autofree char *top = scratch_path(&dir, "top");
        g_autofree char *path = scratch_path(&dir, trees[i].path);
        const char *const given[] = { top, NULL };
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) files = NULL;
        g_autofree char *found = NULL;

        scratch_write(&dir, "secret", "x");
        scratch_write(&dir, "top/file", "x");
        if (!trees[i].target)
            scratch_write(&dir, trees[i].path, "x");
        else if (g_str_equal(trees[i].target, "/"))
            assert_int_equal(mkdir(path, 0755), 0);
        else if (g_str_equal(trees[i].target, "|"))
            assert_int_equal(mkfifo(path, 0644), 0);
        else
            scratch_link(&dir, trees[i].path, trees[i].target);

        files = vgpu_iso_tree_collect(given, NULL, &error);
        found = files ? list(files) : NULL;
        if (g_strcmp0(found, trees[i].files) != 0)
            fail_msg("%s: %s", trees[i].what, found ? found : error->message);
        if (!files && !strstr(error->message, trees[i].error))
            fail_msg("%s: says '%s'", trees[i].what, error->message);
    }
}

static void
test_given(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *file = scratch_path(&dir, "file");
    g_autofree char *link = scratch_path(&dir, "link");
    g_autofree char *slash = scratch_path(&dir, "top/.//");
    g_autofree char *fifo = scratch_path(&dir, "fifo");
    const char *const good[] = { link, slash, file, NULL }, *const bad[] = { fifo, NULL };
    const char *const missing[] = { file, "/nothing/there", NULL };
    g_autoptr(GPtrArray) files = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;

    (void) state;
    scratch_write(&dir, "file", "x");
    scratch_write(&dir, "top/a", "x");
    scratch_link(&dir, "link", "file");
    assert_int_equal(mkfifo(fifo, 0644), 0);
    files = vgpu_iso_tree_collect(good, NULL, NULL);
    found = list(files);
    assert_string_equal(found, "link top/a file");
    assert_null(vgpu_iso_tree_collect(bad, NULL, &error));
    expect_error("a FIFO", error, VGPU_ERROR_BAD_REQUEST, "neither a file nor a directory");
    g_clear_error(&error);
    assert_null(vgpu_iso_tree_collect(missing, NULL, &error));
    expect_error("nothing", error, VGPU_ERROR_NOT_FOUND, "/nothing/there: No such file");
}

/* --- the output --------------------------------------------------------------------------- */

static guint
count_files(const Scratch *dir)
{
    g_autoptr(GDir) names = g_dir_open(dir->path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(names))
        n++;
    return n;
}

static void
test_output(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *path = scratch_path(&dir, "grid.iso");
    g_autofree char *link = scratch_path(&dir, "link.iso");
    const char *const none[] = { NULL };
    VgpuIsoOutput *output;
    guint64 size = 0;
    char *text;

    (void) state;
    scratch_write(&dir, "grid.iso", "old");
    scratch_link(&dir, "link.iso", "grid.iso");

    output = vgpu_iso_output_new(path, none, NULL);
    assert_int_equal(write(output->fd, "half", 4), 4);
    vgpu_iso_output_free(output);
    text = scratch_read(&dir, "grid.iso");
    assert_string_equal(text, "old");
    assert_int_equal(count_files(&dir), 2);
    g_free(text);

    output = vgpu_iso_output_new(link, none, NULL);
    assert_int_equal(write(output->fd, "whole", 5), 5);
    assert_true(vgpu_iso_output_finish(output, &size, NULL));
    vgpu_iso_output_free(output);
    assert_int_equal(size, 5);
    text = scratch_read(&dir, "grid.iso");
    assert_string_equal(text, "whole");
    assert_int_equal(count_files(&dir), 2);
    assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_free(text);
}

static const struct {
    const char *what;
    const char *output, *input;
    const char *error; /* NULL: taken */
} places[] = {
    { "beside the input", "out/x.iso", "in", NULL },
    { "in a directory of a similar name", "in2/x.iso", "in", NULL },
    { "in the input", "in/x.iso", "in", "would contain itself" },
    { "further below the input", "in/sub/x.iso", "in", "would contain itself" },
    { "in the input by way of a link", "link/x.iso", "in", "would contain itself" },
    { "in the input, which is a link", "in/x.iso", "link", "would contain itself" },
    { "over the input", "in/a", "in/a", "would contain itself" },
    { "over a directory", "out", "in", "is not a regular file" },
    { "where there is no directory", "no/x.iso", "in", "No such file" },
};

static void
test_places(void **state)
{
    g_auto(Scratch) dir = scratch_new();

    (void) state;
    scratch_write(&dir, "in/a", "x");
    scratch_write(&dir, "in/sub/a", "x");
    scratch_write(&dir, "in2/a", "x");
    scratch_write(&dir, "out/a", "x");
    scratch_link(&dir, "link", "in");
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = scratch_path(&dir, places[i].output);
        g_autofree char *input = scratch_path(&dir, places[i].input);
        const char *const inputs[] = { input, NULL };
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuIsoOutput) output = vgpu_iso_output_new(path, inputs, &error);

        if (!output != (places[i].error != NULL))
            fail_msg("%s: %s", places[i].what, error ? error->message : "was taken");
        if (!output && !strstr(error->message, places[i].error))
            fail_msg("%s: says '%s'", places[i].what, error->message);
    }
}

/* --- additional files --------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *name;
    bool is_token;
} tokens[] = {
    { "as NVIDIA's portal calls it", "client_configuration_token_04-08-2021-16-10-20.tok", true },
    { "no date", "client_configuration_token_.tok", false },
    { "renamed", "token.tok", false },
    { "a copy", "client_configuration_token_04-08-2021-16-10-20.tok.bak", false },
};

static void
test_tokens(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
        if (vgpu_driver_iso_is_token(tokens[i].name) != tokens[i].is_token)
            fail_msg("%s", tokens[i].what);
    }
}

static const struct {
    const char *what;
    const char *given;
    const char *setting;
    guint n_files; /* 0: refused */
} extras[] = {
    { "all files are added", "setup.exe", NULL, 6 },
    { "a setting that Windows has, too", "setup.exe", "ServerPort=1", 7 },
    { "a setting that Windows does not have", "setup.exe", "EnableUI=TRUE", 6 },
    { "the user's gridd.conf is kept", "gridd.conf", NULL, 5 },
    { "the user's gridd.conf, and a setting", "gridd.conf", "ServerPort=1", 0 },
    { "the user's gridd.conf in another case, and a setting", "Gridd.conf", "ServerPort=1", 0 },
    { "the user's README is kept", "readme.TXT", NULL, 5 },
    { "the user's directory has the name of ours", "linux/driver.run", NULL, 6 },
    { "the user's directory has the name of ours in another case", "Linux/driver.run", NULL, 4 },
};

static void
test_extras(void **state)
{
    int fd = text_file("x");

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(extras); i++) {
        const char *settings[] = { extras[i].setting, NULL };
        g_autoptr(VgpuGridd) gridd = vgpu_gridd_parse(settings, NULL, NULL);
        g_autoptr(VgpuIso) iso = vgpu_iso_new();
        g_autoptr(GError) error = NULL;
        bool done;

        assert_true(vgpu_iso_add_fd(iso, extras[i].given, fd, NULL));
        done = vgpu_driver_iso_complete(iso, gridd, NULL, &error);
        if (done != (extras[i].n_files > 0))
            fail_msg("%s: %s", extras[i].what, error ? error->message : "was taken");
        if (done && vgpu_iso_n_files(iso) != extras[i].n_files)
            fail_msg("%s: %u files", extras[i].what, vgpu_iso_n_files(iso));
    }
    close(fd);
}

/* The content is checked for Windows, too. */
static void
test_users_gridd(void **state)
{
    g_autoptr(VgpuGridd) gridd = vgpu_gridd_parse(NULL, NULL, NULL);
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    int fd = text_file("FeatureType=1\nEnableUI=TRUE\nServerPort=x\n");

    (void) state;
    assert_true(vgpu_iso_add_fd(iso, "gridd.conf", fd, NULL));
    assert_true(vgpu_driver_iso_complete(iso, gridd, warnings, NULL));
    assert_int_equal(warnings->len, 2);
    assert_true(vgpu_iso_has(iso, "windows/licence.reg"));
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),      cmocka_unit_test(test_paths),
        cmocka_unit_test(test_pairs),       cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_written),     cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_trees),       cmocka_unit_test(test_given),
        cmocka_unit_test(test_output),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_tokens),      cmocka_unit_test(test_extras),
        cmocka_unit_test(test_users_gridd),
    };

    return cmocka_run_group_tests_name("iso", tests, NULL, NULL);
}
