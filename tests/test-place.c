/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening files as root below the configured directories, and refusals. */
#include "test.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/group.h"
#include "iso/iso.h"
#include "iso/output.h"
#include "iso/place.h"
#include "iso/tree.h"
#include "scratch.h"

static void
expect_refusal(const char *what, const GError *error, const char *text)
{
    if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
        !strstr(error->message, text))
        fail_msg("%s: says '%s'", what, error ? error->message : "nothing");
}

/* --- names -------------------------------------------------------------------------------- */

static const struct {
    const char *path;
    bool is_good;
} names[] = {
    { "/srv/a/x", true },
    { "/srv/a", true },
    { "/srv/a//x", true },
    { "/srv/b/x/y", true },
    { "/srv/ab", false },
    { "/srv", false },
    { "/etc/shadow", false },
    { "/srv/a/../../etc/shadow", false },
    { "/srv/a/..", false },
    { "srv/a/x", false },
    { "", false },
};

static void
test_names(void **state)
{
    static const char *const dirs[] = { "/srv/a", "/srv/b/", NULL }, *const none[] = { NULL };
    const VgpuIsoPlace place = { dirs, "directories" }, nowhere = { none, "directories" };
    g_autoptr(GError) error = NULL;

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) failure = NULL;

        if (vgpu_iso_place_check(&place, names[i].path, &failure) != names[i].is_good)
            fail_msg("%s: %s", names[i].path, failure ? failure->message : "was taken");
        if (failure)
            expect_refusal(names[i].path, failure, "'directories' in [images] of virt-vgpu.conf");
    }
    assert_false(vgpu_iso_place_check(&nowhere, "/srv/a/x", &error));
    expect_refusal("no directory", error, "(none)");
}

/* The length is checked before the path is walked: a path of 4 KiB took more than a minute. */
static void
test_lengths(void **state)
{
    static const char *const dirs[] = { "/", NULL };
    const VgpuIsoPlace place = { dirs, "directories" };
    g_autofree char *long_name = g_strnfill(1023, 'x');
    g_autofree char *longest = g_strconcat("/", long_name, NULL);
    g_autofree char *longer = g_strconcat(longest, "x", NULL);
    GString *deep = g_string_new(NULL);
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    g_autoptr(GError) error = NULL;

    (void) state;
    assert_true(vgpu_iso_place_check(&place, longest, NULL));
    assert_false(vgpu_iso_place_check(&place, longer, &error));
    expect_refusal("too long", error, "longer than 1024 bytes");
    g_clear_error(&error);
    for (guint i = 0; i < 32; i++)
        g_string_append(deep, i ? "/d" : "d");
    assert_true(vgpu_iso_add_dir(iso, deep->str, NULL));
    g_string_append(deep, "/d");
    assert_false(vgpu_iso_add_dir(iso, deep->str, &error));
    expect_refusal("too deep", error, "deeper than 32");
    g_clear_error(&error);
    for (guint i = 0; i < 2000; i++)
        g_string_append(deep, "/d");
    assert_false(vgpu_iso_add_dir(iso, deep->str, &error));
    expect_refusal("a very deep one", error, "deeper than 32");
    g_string_free(deep, TRUE);
}

/* The same for paths found on the disk. */
static void
test_deep_tree(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *top = scratch_path(&dir, "d");
    const char *const given[] = { top, NULL };
    GString *path = g_string_new("d");
    g_autoptr(GPtrArray) files = NULL;
    g_autoptr(GError) error = NULL;

    (void) state;
    for (guint i = 0; i < 40; i++)
        g_string_append(path, "/d");
    scratch_write(&dir, path->str, "x");
    files = vgpu_iso_tree_collect(given, NULL, &error);
    assert_null(files);
    expect_refusal("a deep tree", error, "deeper than 32");
    g_string_free(path, TRUE);
}

/* --- opening ------------------------------------------------------------------------------ */

static const struct {
    const char *path;
    const char *error; /* NULL: opened */
} sources[] = {
    { "in/file", NULL },
    { "in", NULL },
    { "linked/file", NULL }, /* that link is in the configuration */
    { "in/link", "is a symbolic link" },
    { "in/out/secret", "there is one on the way" },
    { "in/up/file", "there is one on the way" }, /* although it leads back */
    { "secret", "source_directories" },
};

static void
test_sources(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *in = scratch_path(&dir, "in");
    g_autofree char *linked = scratch_path(&dir, "linked");
    const char *const dirs[] = { in, linked, NULL };
    const VgpuIsoPlace place = { dirs, "source_directories" };

    (void) state;
    scratch_write(&dir, "secret", "x");
    scratch_write(&dir, "in/file", "x");
    scratch_link(&dir, "linked", "in");
    scratch_link(&dir, "in/link", "../secret");
    scratch_link(&dir, "in/out", "..");
    scratch_link(&dir, "in/up", "../in");
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autofree char *path = scratch_path(&dir, sources[i].path);
        const char *const given[] = { path, NULL };
        g_autoptr(GError) error = NULL;
        int fd = vgpu_iso_place_open(&place, path, O_RDONLY, &error);
        g_autoptr(GPtrArray) files = NULL;

        if ((fd >= 0) != !sources[i].error)
            fail_msg("%s: %s", sources[i].path, error ? error->message : "was opened");
        if (fd >= 0)
            close(fd);
        if (!sources[i].error)
            continue;
        expect_refusal(sources[i].path, error, sources[i].error);
        g_clear_error(&error);
        files = vgpu_iso_tree_collect(given, &place, &error);
        assert_null(files);
        expect_refusal(sources[i].path, error, sources[i].error);
    }
}

/* --- where it is written ------------------------------------------------------------------ */

static const struct {
    const char *path;
    const char *error; /* NULL: taken */
} targets[] = {
    { "images/new.iso", NULL },
    { "images/old.iso", NULL },
    { "images/link.iso", "is a symbolic link" },
    { "images/dangling.iso", "is a symbolic link" },
    { "images/dir", "is not a regular file" },
    { "images/open/x.iso", "users other than root may write" },
    { "images/group/x.iso", "users other than root may write" },
    { "images/out/x.iso", "there is one on the way" },
    { "elsewhere/x.iso", "directories" },
};

static void
test_targets(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *images = scratch_path(&dir, "images");
    g_autofree char *open_dir = scratch_path(&dir, "images/open");
    g_autofree char *group_dir = scratch_path(&dir, "images/group");
    const char *const dirs[] = { images, NULL }, *const none[] = { NULL };
    g_autofree char *victim = NULL;
    const VgpuIsoPlace place = { dirs, "directories" };

    (void) state;
    scratch_write(&dir, "images/old.iso", "old");
    scratch_write(&dir, "images/dir/x", "x");
    scratch_write(&dir, "images/open/y", "x");
    scratch_write(&dir, "images/group/y", "x");
    scratch_write(&dir, "elsewhere/victim", "victim");
    scratch_link(&dir, "images/link.iso", "../elsewhere/victim");
    scratch_link(&dir, "images/dangling.iso", "../elsewhere/new");
    scratch_link(&dir, "images/out", "../elsewhere");
    assert_int_equal(g_chmod(open_dir, 01777), 0);
    assert_int_equal(g_chmod(group_dir, 0775), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autofree char *path = scratch_path(&dir, targets[i].path);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuIsoOutput) output = vgpu_iso_output_new_in(&place, path, none, &error);
        g_autofree char *text = NULL;
        struct stat st;
        guint64 size;

        if (!output != (targets[i].error != NULL))
            fail_msg("%s: %s", targets[i].path, error ? error->message : "was taken");
        if (!output) {
            expect_refusal(targets[i].path, error, targets[i].error);
            continue;
        }
        assert_int_equal(fstat(output->fd, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(write(output->fd, "new", 3), 3);
        assert_true(vgpu_iso_output_finish(output, &size, NULL));
        text = scratch_read(&dir, targets[i].path);
        assert_string_equal(text, "new");
    }
    victim = scratch_read(&dir, "elsewhere/victim");
    assert_string_equal(victim, "victim");
    assert_null(scratch_read(&dir, "elsewhere/new"));
}

/* A user's own program follows links, but no other user's. */
static void
test_foreign_link(void **state)
{
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *path = scratch_path(&dir, "link.iso");
    const char *const none[] = { NULL };
    g_autoptr(GError) error = NULL;

    (void) state;
    if (geteuid() != 0)
        skip();
    scratch_write(&dir, "victim", "victim");
    scratch_link(&dir, "link.iso", "victim");
    assert_int_equal(lchown(path, 65534, 65534), 0);
    assert_null(vgpu_iso_output_new(path, none, &error));
    expect_refusal("a link of the user nobody", error, "is a symbolic link of another user");
}

static void
test_group(void **state)
{
    const struct group *own = getgrgid(getegid());
    g_autoptr(GError) error = NULL;
    gid_t gid = 12345;

    (void) state;
    assert_true(vgpu_iso_group_find(NULL, &gid, NULL));
    assert_int_not_equal(gid, 12345);
    if (own) {
        assert_true(vgpu_iso_group_find(own->gr_name, &gid, NULL));
        assert_int_equal(gid, getegid());
    }
    assert_false(vgpu_iso_group_find("no such group", &gid, &error));
    expect_refusal("no group", error, "'group' in [images]");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_sources), cmocka_unit_test(test_deep_tree),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_foreign_link),
        cmocka_unit_test(test_group),
    };

    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
