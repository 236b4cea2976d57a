/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit statuses: the status for each error, and the reverse. */
#include "test.h"

#include <gio/gio.h>

#include "base/exit.h"

static void
test_statuses(void **state)
{
    const struct {
        const char *what;
        GQuark domain;
        int code;
        VgpuExit status;
    } cases[] = {
        { "it failed", VGPU_ERROR, VGPU_ERROR_FAILED, 1 },
        { "a document is wrong", VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, 1 },
        { "this host cannot", VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED, 1 },
        { "the driver refuses", VGPU_ERROR, VGPU_ERROR_DRIVER, 1 },
        { "an argument is wrong", VGPU_ERROR, VGPU_ERROR_ARGUMENT, 2 },
        { "no such GPU", VGPU_ERROR, VGPU_ERROR_NOT_FOUND, 3 },
        { "nothing is free", VGPU_ERROR, VGPU_ERROR_NO_CAPACITY, 4 },
        { "in use", VGPU_ERROR, VGPU_ERROR_BUSY, 5 },
        { "no daemon", VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, 6 },
        { "not allowed", VGPU_ERROR, VGPU_ERROR_DENIED, 7 },
        { "no answer", VGPU_ERROR, VGPU_ERROR_UNKNOWN, 8 },
        { "of a newer daemon", VGPU_ERROR, VGPU_N_ERRORS, 1 },
        { "an option is wrong", G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, 2 },
        { "an option's value is no text", G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE, 2 },
        { "no such file", G_FILE_ERROR, G_FILE_ERROR_NOENT, 3 },
        { "a file that may not be read", G_FILE_ERROR, G_FILE_ERROR_ACCES, 7 },
        { "a full disk", G_FILE_ERROR, G_FILE_ERROR_NOSPC, 1 },
        { "no such file, by GIO", G_IO_ERROR, G_IO_ERROR_NOT_FOUND, 3 },
        { "not allowed, by GIO", G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, 7 },
        { "closed, by GIO", G_IO_ERROR, G_IO_ERROR_CLOSED, 1 },
        { "wrong arguments, by the bus", G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, 2 },
        { "too many calls", G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED, 5 },
        { "the bus does not let us", G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, 7 },
        { "the bus gets no answer", G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, 8 },
        { "the bus fails", G_DBUS_ERROR, G_DBUS_ERROR_FAILED, 1 },
        { "foreign", G_MARKUP_ERROR, G_MARKUP_ERROR_EMPTY, 1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error =
            g_error_new_literal(cases[i].domain, cases[i].code, cases[i].what);
        VgpuExit status = vgpu_exit_status(error);

        if (status != cases[i].status)
            fail_msg("%s: %d instead of %d", cases[i].what, (int) status, (int) cases[i].status);
    }
}

/* The caller of a program gets the same error code back, or a less specific one if several share a status. */
static void
test_back(void **state)
{
    static const VgpuError codes[] = {
        VGPU_ERROR_FAILED,      VGPU_ERROR_FAILED,      VGPU_ERROR_BAD_REQUEST,
        VGPU_ERROR_NOT_FOUND,   VGPU_ERROR_NO_CAPACITY, VGPU_ERROR_BUSY,
        VGPU_ERROR_UNAVAILABLE, VGPU_ERROR_DENIED,      VGPU_ERROR_UNKNOWN,
    };

    for (int status = 0; status < (int) G_N_ELEMENTS(codes); status++)
        if (vgpu_exit_code(status) != codes[status])
            fail_msg("%d: %d", status, (int) vgpu_exit_code(status));
    assert_int_equal(G_N_ELEMENTS(codes), VGPU_N_EXITS);
    assert_int_equal(vgpu_exit_code(127), VGPU_ERROR_FAILED);
}

static void
test_words(void **state)
{
    static const char *const words[VGPU_N_EXITS] = {
        "done", "failed",      "usage",       "not-found", "no-room",
        "busy", "unreachable", "not-allowed", "unknown",
    };

    for (int status = 0; status < VGPU_N_EXITS; status++)
        assert_string_equal(vgpu_exit_word((VgpuExit) status), words[status]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_back),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
