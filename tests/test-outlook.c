/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consequence of each error for the failed operation. */
#include "test.h"

#include "base/error.h"
#include "daemon/outlook.h"

#define NO_ERROR -1
#define FOREIGN -2 /* of another error domain */

static const char *const steps[VGPU_N_STEPS] = {
    [VGPU_STEP_READ] = "reading",
    [VGPU_STEP_FOLLOW] = "following",
    [VGPU_STEP_PLUG] = "hotplug",
    [VGPU_STEP_NODEDEV] = "node devices",
};

/* One letter for each step: Done, Again, Reconnect, when Connected, when changed ("-"). */
static const char letters[VGPU_N_OUTLOOKS + 1] = "DARC-";

static void
test_table(void **state)
{
    static const struct {
        const char *what;
        int code;
        const char *connected;
        const char *away;
    } cases[] = {
        { "it went well", NO_ERROR, "DDDD", "DDDD" },
        { "libvirt refuses", VGPU_ERROR_FAILED, "AA-R", "AA-R" },
        { "the definition is wrong", VGPU_ERROR_BAD_REQUEST, "A--A", "A--A" },
        { "this host cannot", VGPU_ERROR_NOT_SUPPORTED, "A---", "A---" },
        { "no such thing", VGPU_ERROR_NOT_FOUND, "D--A", "D--A" },
        { "nothing is free", VGPU_ERROR_NO_CAPACITY, "AA-A", "AA-A" },
        { "a job holds it", VGPU_ERROR_BUSY, "AAAA", "AAAA" },
        { "the driver refuses", VGPU_ERROR_DRIVER, "A--A", "A--A" },
        { "we may not", VGPU_ERROR_DENIED, "A---", "A---" },
        { "a call broke", VGPU_ERROR_UNAVAILABLE, "AAAR", "CCCC" },
        { "an argument is wrong", VGPU_ERROR_ARGUMENT, "A--A", "A--A" },
        { "something does not answer", VGPU_ERROR_UNKNOWN, "AA-A", "AA-A" },
        { "nothing that is known", VGPU_N_ERRORS, "AA-R", "AA-R" },
        { "another domain's", FOREIGN, "AA-R", "AA-R" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GQuark domain = cases[i].code == FOREIGN ? G_FILE_ERROR : VGPU_ERROR;
        g_autoptr(GError) error =
            cases[i].code == NO_ERROR
                ? NULL
                : g_error_new_literal(domain, MAX(cases[i].code, 0), cases[i].what);

        for (VgpuStep step = 0; step < VGPU_N_STEPS; step++) {
            char connected = letters[vgpu_outlook(step, error, true)];
            char away = letters[vgpu_outlook(step, error, false)];

            if (connected != cases[i].connected[step] || away != cases[i].away[step])
                fail_msg("%s, %s: %c, and %c without a connection", cases[i].what, steps[step],
                         connected, away);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
