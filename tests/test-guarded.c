/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sanitizing output to a terminal, however it is split into writes. */
#include "test.h"

#include "cli/guarded.h"

static const struct {
    const char *what;
    const char *parts[4];
    const char *shown;
} prints[] = {
    { "text", { "one\n", "two\n" }, "one\ntwo\n" },
    { "a colour of a table's", { "\033[31mred\033[0m\n" }, "\033[31mred\033[0m\n" },
    { "one in two halves", { "a\033[3", "1mred" }, "a\033[31mred" },
    { "a command", { "\033[2J\033]0;title\a" }, "?[2J?]0;title?" },
    { "a command in a colour's disguise", { "\033[1;2;3;4;5;6m" }, "?[1;2;3;4;5;6m" },
    { "a C1 control", { "a\302\2332Jb" }, "a?2Jb" },
    { "one in two halves", { "a\302", "\233b" }, "a?b" },
    { "a letter in two halves", { "\303", "\251" }, "\303\251" },
    { "one of four bytes, in as many", { "\360", "\237", "\230", "\200" }, "\360\237\230\200" },
    { "from right to left", { "a\342\200\256b" }, "a?b" },
};

static void
test_prints(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(prints); i++) {
        g_autoptr(GString) pending = g_string_new(NULL);
        g_autoptr(GString) shown = g_string_new(NULL);

        for (gsize p = 0; p < G_N_ELEMENTS(prints[i].parts) && prints[i].parts[p]; p++) {
            g_autofree char *text = NULL;

            g_string_append(pending, prints[i].parts[p]);
            text = vgpu_guarded_take(pending);
            g_string_append(shown, text);
        }
        if (pending->len || g_strcmp0(shown->str, prints[i].shown) != 0)
            fail_msg("%s: '%s', and %u bytes wait", prints[i].what, shown->str,
                     (guint) pending->len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_prints) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
