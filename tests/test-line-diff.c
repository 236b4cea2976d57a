/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The difference of two texts, in the format of diff(1) -u. */
#include "test.h"

#include <glib.h>
#include <string.h>

#include "cli/line-diff.h"

#define HEAD "--- x\n+++ x\n"

static const struct {
    const char *what, *before, *after, *diff;
} cases[] = {
    { "alike", "a\nb\n", "a\nb\n", "" },
    { "a line more", "a\nc", "a\nb\nc", HEAD "@@ -1,2 +1,3 @@\n a\n+b\n c\n" },
    { "a line less", "a\nb\nc", "a\nc", HEAD "@@ -1,3 +1,2 @@\n a\n-b\n c\n" },
    { "another line", "a\nb\nc", "a\nB\nc", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n" },
    { "three lines around it", "1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\nX\n6\n7\n8\n9",
      HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n" },
    { "two places", "a\n1\n2\n3\n4\n5\n6\n7\nb", "A\n1\n2\n3\n4\n5\n6\n7\nB",
      HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n" },
    { "two places that are near", "a\n1\n2\nb", "A\n1\n2\nB",
      HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n-b\n+B\n" },
    { "a line that moves", "a\nb\nc\nd", "a\nc\nd\nb",
      HEAD "@@ -1,4 +1,4 @@\n a\n-b\n c\n d\n+b\n" },
    { "all of it", "a", "b", HEAD "@@ -1,1 +1,1 @@\n-a\n+b\n" },
};

static void
test_diff(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *diff = vgpu_line_diff("x", cases[i].before, cases[i].after);

        if (!g_str_equal(diff, cases[i].diff))
            fail_msg("%s:\n%s", cases[i].what, diff);
    }
}

/* More lines than a table is made for are all shown as changed. */
static void
test_long(void **state)
{
    g_autoptr(GString) before = g_string_new("same\n"), after = g_string_new("same\n");
    g_autofree char *diff = NULL;

    (void) state;
    for (guint i = 0; i < 5000; i++) {
        g_string_append_printf(before, "a%u\n", i);
        g_string_append_printf(after, "b%u\n", i);
    }
    diff = vgpu_line_diff("x", before->str, after->str);
    assert_non_null(strstr(diff, "@@ -1,5002 +1,5002 @@\n same\n-a0\n"));
    assert_non_null(strstr(diff, "-a4999\n+b0\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests_name("line-diff", tests, NULL, NULL);
}
