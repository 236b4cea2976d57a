/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains are started again after libvirt's autostart. */
#include "test.h"

#include "daemon/autostart.h"

#define WEB "11111111-2222-4333-8444-555555555555"
#define CAD "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define S ((gint64) G_USEC_PER_SEC)

/* Each step is a second after the one before. "r" and "R" are refused starts, before and after libvirt serves
 * clients; "g": the domain is undefined; ".": five minutes pass; "f": the definition is right, or has been
 * corrected, and the answer is "+", to start, or "-". */
static void
test_when(void **state)
{
    static const struct {
        const char *what;
        const char *steps;
        const char *answers;
    } cases[] = {
        { "nothing was refused", "f", "-" },
        { "at libvirt's autostart", "rf", "+" },
        { "once", "rff", "+-" },
        { "twice before it could be moved", "rrf", "+" },
        { "a start by a user", "Rf", "-" },
        { "at the autostart, then a start by a user", "rRf", "+" },
        { "when it is started again, too", "rfRf", "+-" },
        { "again before clients are served, for another reason", "rfrf", "+-" },
        { "at the next libvirt's autostart", "rfgrf", "++" },
        { "libvirt goes in between", "rgf", "+" },
        { "moved only after long", "r.f", "-" },
        { "moved only after long: not the next time either", "r.ff", "--" },
        { "moved only after long, and refused again", "r.grf", "+" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuAutostarts) autostarts = vgpu_autostarts_new();
        g_autoptr(GString) answers = g_string_new(NULL);
        gint64 now = 1000 * S;

        for (const char *step = cases[i].steps; *step; step++, now += S) {
            if (*step == 'r' || *step == 'R')
                vgpu_autostarts_refused(autostarts, WEB, *step == 'R', now);
            else if (*step == 'g')
                vgpu_autostarts_libvirt_gone(autostarts);
            else if (*step == '.')
                now += VGPU_AUTOSTART_LIMIT_US;
            else
                g_string_append_c(answers,
                                  vgpu_autostarts_take(autostarts, WEB, now) ? '+' : '-');
            assert_false(vgpu_autostarts_take(autostarts, CAD, now));
        }
        if (!g_str_equal(answers->str, cases[i].answers))
            fail_msg("%s: %s", cases[i].what, answers->str);
    }
}

static void
test_objections(void **state)
{
    static const struct {
        const char *what;
        VgpuAutostartFacts facts;
        const char *objection; /* NULL: none */
    } cases[] = {
        { "left behind", { true, false, true, 60 * S }, NULL },
        { "a libvirt that is somewhere else", { true, false, true, -1 }, NULL },
        { "just in time", { true, false, true, VGPU_AUTOSTART_LIMIT_US }, NULL },
        { "a libvirt that has run for long",
          { true, false, true, VGPU_AUTOSTART_LIMIT_US + 1 },
          "libvirt was started too long ago" },
        { "without autostart", { true, false, false, 60 * S }, "it has no autostart" },
        { "running", { true, true, true, 60 * S }, "it is already running" },
        { "transient", { false, false, false, 60 * S }, "it is transient" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *objection = vgpu_autostart_objection(&cases[i].facts);

        if (g_strcmp0(objection, cases[i].objection) != 0)
            fail_msg("%s: %s", cases[i].what, objection);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_objections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
