/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a definition counts as contested. */
#include "test.h"

#include "daemon/contest.h"

#define WEB "11111111-2222-4333-8444-555555555555"
#define S ((gint64) G_USEC_PER_SEC)

/* Each step is a second after the one before. A letter is the wanted state when a correction is due, which is made if
 * it is allowed; "." is a minute without any; "x": the domain is undefined, or changed by its user. The answers:
 * "+" corrected, "!" newly contested, "-" still contested. */
static void
test_table(void **state)
{
    static const struct {
        const char *what;
        const char *steps;
        const char *answers;
    } cases[] = {
        { "once", "a", "+" },
        { "five times the same", "aaaaa", "+++++" },
        { "a sixth time", "aaaaaa", "+++++!" },
        { "a seventh and an eighth time", "aaaaaaaa", "+++++!--" },
        { "six edits of the annotation", "abcdef", "++++++" },
        { "back and forth", "ababababab", "++++++++++" },
        { "an edit in the middle of a fight", "aaaabaaaaa", "++++++++++" },
        { "an edit ends it", "aaaaaab", "+++++!+" },
        { "another fight after the edit", "aaaaaabbbbbb", "+++++!+++++!" },
        { "another one later", "aaaaa.a", "++++++" },
        { "a contested one is left for a minute", "aaaaaa.a", "+++++!+" },
        { "contested again after a minute", "aaaaaa.aaaaaa", "+++++!+++++!" },
        { "a user's change", "aaaaaaxa", "+++++!+" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuContests) contests = vgpu_contests_new();
        g_autoptr(GString) answers = g_string_new(NULL);
        gint64 now = 1000 * S;

        for (const char *step = cases[i].steps; *step; step++, now += S) {
            const char wanted[] = { *step, '\0' };
            VgpuContest contest;

            if (*step == '.')
                now += VGPU_CONTEST_WINDOW_US;
            if (*step == 'x')
                vgpu_contests_forget(contests, WEB);
            if (*step == '.' || *step == 'x')
                continue;
            contest = vgpu_contests_judge(contests, WEB, VGPU_CONTEST_DEVICES, wanted, now);
            if (contest == VGPU_CONTEST_NONE)
                vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_DEVICES, wanted, now);
            g_string_append_c(answers, "+!-"[contest]);
        }
        if (!g_str_equal(answers->str, cases[i].answers))
            fail_msg("%s: %s", cases[i].what, answers->str);
    }
}

/* A correction that is more than a minute old makes room for another. */
static void
test_window(void **state)
{
    g_autoptr(VgpuContests) contests = vgpu_contests_new();

    for (int i = 0; i < VGPU_CONTEST_MAX; i++)
        vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_DEVICES, "a", i * 10 * S);
    assert_int_equal(vgpu_contests_judge(contests, WEB, VGPU_CONTEST_DEVICES, "a", 60 * S),
                     VGPU_CONTEST_NEW);
    assert_int_equal(vgpu_contests_judge(contests, WEB, VGPU_CONTEST_DEVICES, "a", 61 * S),
                     VGPU_CONTEST_NONE);
    vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_DEVICES, "a", 61 * S);
    assert_int_equal(vgpu_contests_judge(contests, WEB, VGPU_CONTEST_DEVICES, "a", 62 * S),
                     VGPU_CONTEST_NEW);
}

/* Domains, and the kinds of their corrections, are counted separately. */
static void
test_kinds(void **state)
{
    g_autoptr(VgpuContests) contests = vgpu_contests_new();

    for (int i = 0; i < VGPU_CONTEST_MAX; i++) {
        vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_GIFT, "gift", i * S);
        vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_DEVICES, i % 2 ? "a" : "b", i * S);
    }
    assert_int_equal(vgpu_contests_judge(contests, WEB, VGPU_CONTEST_DEVICES, "b", 6 * S),
                     VGPU_CONTEST_NONE);
    assert_int_equal(vgpu_contests_judge(contests, "other", VGPU_CONTEST_GIFT, "gift", 6 * S),
                     VGPU_CONTEST_NONE);
    assert_int_equal(vgpu_contests_judge(contests, WEB, VGPU_CONTEST_GIFT, "gift", 6 * S),
                     VGPU_CONTEST_NEW);
}

/* Hosts on which each session has a domain with a UUID of its own. */
static void
test_size(void **state)
{
    g_autoptr(VgpuContests) contests = vgpu_contests_new();

    for (int i = 0; i < 10000; i++) {
        g_autofree char *uuid = g_strdup_printf("%d", i);

        vgpu_contests_corrected(contests, uuid, VGPU_CONTEST_DEVICES, "a", i * S);
        if (vgpu_contests_size(contests) > 130)
            fail_msg("after %d: %u", i, vgpu_contests_size(contests));
    }
    assert_int_equal(vgpu_contests_judge(contests, "9999", VGPU_CONTEST_DEVICES, "a", 11000 * S),
                     VGPU_CONTEST_NONE);
    assert_int_equal(vgpu_contests_size(contests), 0);
    vgpu_contests_corrected(contests, WEB, VGPU_CONTEST_DEVICES, "a", 11000 * S);
    vgpu_contests_forget(contests, WEB);
    assert_int_equal(vgpu_contests_size(contests), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
