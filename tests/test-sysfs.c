/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes, directories and links below a root. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "scratch.h"
#include "sysfs/sysfs.h"

static VgpuSysfs *
open_root(const Scratch *scratch)
{
    g_autoptr(GError) error = NULL;
    VgpuSysfs *sysfs = vgpu_sysfs_new(scratch->path, &error);

    if (!sysfs)
        fail_msg("%s", error->message);
    return sysfs;
}

static void
test_root(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *missing = scratch_path(&scratch, "missing");
    g_autofree char *file = scratch_path(&scratch, "file");
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);
    g_autoptr(GError) error = NULL;

    scratch_write(&scratch, "file", "text");
    assert_true(vgpu_sysfs_exists(sysfs, "file"));
    assert_false(vgpu_sysfs_exists(sysfs, "missing"));
    assert_true(vgpu_sysfs_root_fd(sysfs) >= 0);

    assert_null(vgpu_sysfs_new(missing, &error));
    assert_non_null(strstr(error->message, missing));
    g_clear_error(&error);
    assert_null(vgpu_sysfs_new(file, &error));
    assert_non_null(strstr(error->message, "file"));
    vgpu_sysfs_free(NULL);
}

static void
test_read(void **state)
{
    static const struct {
        const char *what;
        const char *content; /* NULL: there is no such file */
        gsize repeat;        /* so many letters 'x' before it */
        const char *text;    /* NULL: fails */
        gsize len;
    } cases[] = {
        { "a line", "nvidia\n", 0, "nvidia", 6 },
        { "bytes that are no text", "GRID\xff \xc3", 0, "GRID\ufffd \ufffd", 11 },
        { "blanks behind", "nvidia \t\n\n", 0, "nvidia", 6 },
        { "blanks before stay", "  4\n", 0, "  4", 3 },
        { "lines", "a: 1\nb: 2\n", 0, "a: 1\nb: 2", 9 },
        { "empty", "", 0, "", 0 },
        { "one byte less than a page", "\n", 4094, "x", 4094 },
        { "exactly a page", "y", 4095, "x", 4096 },
        { "one byte more than a page", "y", 4096, "x", 4097 },
        { "many pages", "\n", 50000, "x", 50000 },
        { "more than is read", "y", 70000, "x", 65536 },
        { "missing", NULL, 0, NULL, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        if (cases[i].content) {
            g_autofree char *xs = g_strnfill(cases[i].repeat, 'x');
            g_autofree char *content = g_strconcat(xs, cases[i].content, NULL);

            scratch_write(&scratch, "sys/attribute", content);
        }
        text = vgpu_sysfs_read(sysfs, "sys/attribute", &error);
        if (!text != !cases[i].text)
            fail_msg("%s: %s", cases[i].what, text ? text : error->message);
        if (text && (strlen(text) != cases[i].len ||
                     strncmp(text, cases[i].text, strlen(cases[i].text)) != 0))
            fail_msg("%s: %zu bytes '%.20s'", cases[i].what, strlen(text), text);
        if (!text && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
            fail_msg("%s: code %d", cases[i].what, error->code);
        if (!text && !strstr(error->message, "/sys/attribute"))
            fail_msg("%s: the path is not in '%s'", cases[i].what, error->message);
    }
}

/* A missing file is distinguished from an unreadable one. */
static void
test_read_errors(void **state)
{
    static const struct {
        const char *what;
        const char *path;
        VgpuError code;
    } cases[] = {
        { "no directory", "none/attribute", VGPU_ERROR_NOT_FOUND },
        { "below a file", "file/attribute", VGPU_ERROR_NOT_FOUND },
        { "a link into nothing", "dangling", VGPU_ERROR_NOT_FOUND },
        { "a directory", "dir", VGPU_ERROR_DRIVER },
        { "a link to itself", "loop", VGPU_ERROR_DRIVER },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);

    scratch_write(&scratch, "file", "x");
    scratch_write(&scratch, "dir/x", "x");
    scratch_link(&scratch, "dangling", "nowhere");
    scratch_link(&scratch, "loop", "loop");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint number = 77;

        if (vgpu_sysfs_read_uint(sysfs, cases[i].path, &number, &error) || number != 77)
            fail_msg("%s: read as %u", cases[i].what, number);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, error->message);
        if (!strstr(error->message, cases[i].path))
            fail_msg("%s: the path is not in '%s'", cases[i].what, error->message);
    }
}

static void
test_read_uint(void **state)
{
    static const struct {
        const char *what;
        const char *content;
        bool good;
        guint number;
    } cases[] = {
        { "zero", "0\n", true, 0 },
        { "decimal", "16\n", true, 16 },
        { "hexadecimal", "0x030200\n", true, 0x030200 },
        { "leading zeroes are no octal", "010\n", true, 10 },
        { "the largest", "4294967295", true, 4294967295u },
        { "too large", "4294967296", false, 0 },
        { "negative", "-1\n", false, 0 },
        { "empty", "\n", false, 0 },
        { "no digits", "0x\n", false, 0 },
        { "hexadecimal without 0x", "ff\n", false, 0 },
        { "a unit", "4096M\n", false, 0 },
        { "two numbers", "1 2\n", false, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);
        g_autoptr(GError) error = NULL;
        guint number = 77;

        scratch_write(&scratch, "n", cases[i].content);
        if (vgpu_sysfs_read_uint(sysfs, "n", &number, &error) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "accepted");
        if (number != (cases[i].good ? cases[i].number : 77))
            fail_msg("%s: %u", cases[i].what, number);
        if (error && (error->code != VGPU_ERROR_DRIVER || !strstr(error->message, "/n")))
            fail_msg("%s: %d %s", cases[i].what, error->code, error->message);
    }
}

static void
test_write(void **state)
{
    static const struct {
        const char *what;
        const char *path;
        int err;
    } cases[] = {
        { "an attribute", "attribute", 0 },          { "a missing one", "missing", ENOENT },
        { "below a file", "attribute/x", ENOTDIR },  { "a directory", "dir", EISDIR },
        { "refused by the driver", "full", ENOSPC },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);
    g_autofree char *text = NULL;

    scratch_write(&scratch, "attribute", "");
    scratch_write(&scratch, "dir/x", "");
    scratch_link(&scratch, "full", "/dev/full");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int err = vgpu_sysfs_write(sysfs, cases[i].path, "the text");

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].what, g_strerror(err));
    }
    text = scratch_read(&scratch, "attribute");
    assert_string_equal(text, "the text");
    /* an attribute that is not there must not become a file */
    assert_false(vgpu_sysfs_exists(sysfs, "missing"));
}

static void
test_list(void **state)
{
    static const struct {
        const char *what;
        const char *path;
        const char *names;
    } cases[] = {
        { "sorted, without dot files", "dir", "10 a b c-link" },
        { "empty", "empty", "" },
        { "missing", "none", "" },
        { "a file", "file", "" },
        { "through a link", "link", "10 a b c-link" },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);

    scratch_write(&scratch, "dir/b", "");
    scratch_write(&scratch, "dir/a/x", "");
    scratch_write(&scratch, "dir/10", "");
    scratch_write(&scratch, "dir/.hidden", "");
    scratch_link(&scratch, "dir/c-link", "nowhere");
    scratch_write(&scratch, "empty/x", "");
    scratch_remove(&scratch, "empty/x");
    scratch_write(&scratch, "file", "");
    scratch_link(&scratch, "link", "dir");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) names = vgpu_sysfs_list(sysfs, cases[i].path);
        g_autofree char *text = NULL;

        g_ptr_array_add(names, NULL);
        text = g_strjoinv(" ", (char **) names->pdata);
        if (!g_str_equal(text, cases[i].names))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* An unreadable directory is not treated as empty, except by functions that only report. */
static void
test_read_dir(void **state)
{
    g_autofree char *endless = g_strnfill(300, 'x'); /* longer than a name may be */
    const struct {
        const char *what;
        const char *path;
        int n; /* -1: it cannot be told */
        bool missing;
    } cases[] = {
        { "two names", "dir", 2, false }, { "missing", "none", 0, true },
        { "a file", "file", 0, false },   { "below a file", "file/x", 0, true },
        { "a loop", "loop", -1, false },  { "a name too long", endless, -1, false },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);

    scratch_write(&scratch, "dir/a", "");
    scratch_write(&scratch, "dir/b", "");
    scratch_write(&scratch, "file", "");
    scratch_link(&scratch, "loop", "loop");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) names = vgpu_sysfs_read_dir(sysfs, cases[i].path, &error);
        g_autoptr(GPtrArray) shown = vgpu_sysfs_list(sysfs, cases[i].path);

        if ((names ? (int) names->len : -1) != cases[i].n ||
            (int) shown->len != MAX(cases[i].n, 0))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "it was read");
        if (error && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER))
            fail_msg("%s: code %d", cases[i].what, error->code);
        if (vgpu_sysfs_is_missing(sysfs, cases[i].path) != cases[i].missing)
            fail_msg("%s: missing or not is told wrongly", cases[i].what);
    }
}

static void
test_links(void **state)
{
    static const struct {
        const char *what;
        const char *target; /* NULL: there is no link */
        const char *name;
        const char *parent;
    } cases[] = {
        { "a driver", "../../../bus/pci/drivers/nvidia", "nvidia", "drivers" },
        { "a device",
          "../../../devices/pci0000:40/0000:40:01.1/0000:41:00.4/"
          "aa618089-8b16-4d01-a136-25a0f3c73123",
          "aa618089-8b16-4d01-a136-25a0f3c73123", "0000:41:00.4" },
        { "a neighbour", "../0000:41:00.4", "0000:41:00.4", ".." },
        { "without a directory", "nvidia-746", "nvidia-746", NULL },
        { "none", NULL, NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);
        g_autofree char *name = NULL;
        g_autofree char *parent = NULL;

        if (cases[i].target)
            scratch_link(&scratch, "link", cases[i].target);
        name = vgpu_sysfs_link_name(sysfs, "link");
        parent = vgpu_sysfs_link_parent(sysfs, "link");
        if (g_strcmp0(name, cases[i].name) != 0 || g_strcmp0(parent, cases[i].parent) != 0)
            fail_msg("%s: %s below %s", cases[i].what, name, parent);
    }
}

static void
test_no_link(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuSysfs) sysfs = open_root(&scratch);

    scratch_write(&scratch, "file", "");
    assert_null(vgpu_sysfs_link_name(sysfs, "file"));
    assert_null(vgpu_sysfs_link_parent(sysfs, "file"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root),      cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_uint), cmocka_unit_test(test_read_errors),
        cmocka_unit_test(test_write),     cmocka_unit_test(test_list),
        cmocka_unit_test(test_read_dir),  cmocka_unit_test(test_links),
        cmocka_unit_test(test_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
