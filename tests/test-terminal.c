/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/terminal.h"

static void
test_width(void **state)
{
    static const struct {
        const char *what;
        bool is_terminal;
        guint reported;
        const char *columns;
        guint want;
    } cases[] = {
        { "a file is as wide as a page", false, 0, NULL, 80 },
        { "COLUMNS is ignored for a file", false, 200, "120", 80 },
        { "a terminal says how wide it is", true, 132, NULL, 132 },
        { "a narrow terminal", true, 60, NULL, 60 },
        { "COLUMNS takes precedence", true, 132, "100", 100 },
        { "COLUMNS that is not a number is ignored", true, 132, "many", 132 },
        { "COLUMNS that is too small is ignored", true, 132, "3", 132 },
        { "an empty COLUMNS is ignored", true, 132, "", 132 },
        { "a terminal that does not say", true, 0, NULL, 80 },
        { "a terminal without a size yet", true, 1, NULL, 80 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint got =
            vgpu_terminal_decide_width(cases[i].is_terminal, cases[i].reported, cases[i].columns);

        if (got != cases[i].want)
            fail_msg("%s: %u, expected %u", cases[i].what, got, cases[i].want);
    }
}

static void
test_colour(void **state)
{
    static const struct {
        const char *what;
        bool is_terminal;
        const char *no_color;
        const char *term;
        bool want;
    } cases[] = {
        { "a terminal has colours", true, NULL, "xterm", true },
        { "a file has none", false, NULL, "xterm", false },
        { "NO_COLOR is obeyed", true, "1", "xterm", false },
        { "unless it is empty", true, "", "xterm", true },
        { "a dumb terminal has none", true, NULL, "dumb", false },
        { "an unknown terminal has none", true, NULL, NULL, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (vgpu_terminal_decide_colour(cases[i].is_terminal, cases[i].no_color, cases[i].term) !=
            cases[i].want)
            fail_msg("%s: wrong answer", cases[i].what);
}

static void
test_states(void **state)
{
    assert_string_equal(vgpu_terminal_colour_of("active"), "\033[32m");
    assert_string_equal(vgpu_terminal_colour_of("stuck"), "\033[31m");
    assert_string_equal(vgpu_terminal_colour_of("releasing"), "\033[33m");
    assert_null(vgpu_terminal_colour_of("foreign"));
    assert_null(vgpu_terminal_colour_of(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
