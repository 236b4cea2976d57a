/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <glib.h>

#include "cli/guess.h"

static void
test_guess(void **state)
{
    static const char *const names[] = { "list",         "gpu-list", "pool-list", "attach",
                                         "NVIDIA A2-4Q", "A2-4Q",    NULL };
    static const struct {
        const char *what;
        const char *typed;
        const char *want;
    } cases[] = {
        { "two neighbours swapped are one letter", "lits", "list" },
        { "a letter left out", "attch", "attach" },
        { "a letter too many", "atttach", "attach" },
        { "two letters changed", "ottoch", "attach" },
        { "three are too many", "ottoqh", NULL },
        { "the nearest wins over the first", "gpu-lst", "gpu-list" },
        { "case is no mistake", "nvidia a2-4q", "NVIDIA A2-4Q" },
        { "a profile without its vendor", "A2-4C", "A2-4Q" },
        { "a correct word is itself", "pool-list", "pool-list" },
        { "a word of one letter is no word at all", "x", NULL },
        { "an empty name", "", NULL },
        { "far from every name", "frobnicate", NULL },
        { "two of three are too many", "lot", NULL },
    };
    static const char *const short_names[] = { "ab", NULL };
    static const char *const none[] = { NULL };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *got = vgpu_guess(cases[i].typed, names);

        if (g_strcmp0(got, cases[i].want) != 0)
            fail_msg("%s: %s, expected %s", cases[i].what, got, cases[i].want);
    }
    if (vgpu_guess("cd", short_names))
        fail_msg("two letters of two were changed");
    assert_null(vgpu_guess("list", none));
}

static void
test_guess_words(void **state)
{
    static const char *const names[] = { "gpu-list", "gpu-info",  "pool-list",
                                         "list",     "host-diff", NULL };
    static const struct {
        const char *what;
        const char *typed;
        const char *want;
    } cases[] = {
        { "the other way round", "list-gpu", "'gpu-list'" },
        { "of many", "list-gpus", "'gpu-list'" },
        { "the object of a verb", "gpus", "'gpu-list' or 'gpu-info'" },
        { "the action of a verb", "list", "'gpu-list', 'pool-list' or 'list'" },
        { "with a blank", "pool list", "'pool-list'" },
        { "in capitals", "Host", "'host-diff'" },
        { "one word that none has", "gpu-status", NULL },
        { "no word", "-", NULL },
        { "nothing", "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = vgpu_guess_words(cases[i].typed, names);

        if (g_strcmp0(got, cases[i].want) != 0)
            fail_msg("%s: %s, expected %s", cases[i].what, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_guess),
                                        cmocka_unit_test(test_guess_words) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
