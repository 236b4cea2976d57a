/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error domain: its names on the bus, its texts. */
#include "test.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdbool.h>

#include "base/error.h"

static void
test_bus_names(void **state)
{
    static const struct {
        const char *what;
        VgpuError code;
        const char *name;
    } cases[] = {
        { "failed", VGPU_ERROR_FAILED, "Failed" },
        { "bad request", VGPU_ERROR_BAD_REQUEST, "BadRequest" },
        { "not supported", VGPU_ERROR_NOT_SUPPORTED, "NotSupported" },
        { "not found", VGPU_ERROR_NOT_FOUND, "NotFound" },
        { "no capacity", VGPU_ERROR_NO_CAPACITY, "NoCapacity" },
        { "busy", VGPU_ERROR_BUSY, "Busy" },
        { "driver", VGPU_ERROR_DRIVER, "Driver" },
        { "denied", VGPU_ERROR_DENIED, "Denied" },
        { "unavailable", VGPU_ERROR_UNAVAILABLE, "Unavailable" },
        { "argument", VGPU_ERROR_ARGUMENT, "InvalidArgument" },
        { "unknown", VGPU_ERROR_UNKNOWN, "Unknown" },
    };

    assert_int_equal(G_N_ELEMENTS(cases), VGPU_N_ERRORS);
    vgpu_error_register_names();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new(VGPU_ERROR, cases[i].code, "text");
        g_autofree char *name = g_dbus_error_encode_gerror(error);
        g_autofree char *expected =
            g_strconcat("org.virtvgpu.Manager1.Error.", cases[i].name, NULL);
        g_autoptr(GError) back = g_dbus_error_new_for_dbus_error(expected, "text");

        if (!g_str_equal(name, expected))
            fail_msg("%s: sent as %s", cases[i].what, name);
        if (!g_error_matches(back, VGPU_ERROR, (int) cases[i].code))
            fail_msg("%s: comes back as code %d", cases[i].what, back->code);
    }
}

static void
test_errno(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_false(vgpu_error_errno(&error, VGPU_ERROR_DRIVER, EIO, "write %s %d", "/sys/x", 7));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER));
    assert_string_equal(error->message, "write /sys/x 7: Input/output error");
    assert_false(vgpu_error_errno(NULL, VGPU_ERROR_DRIVER, EIO, "nobody asks"));
}

/* Errors of XML: the message is bare, and each output names source and line once, however long the name. */
static void
test_at(void **state)
{
    static const gsize lengths[] = { 1, 63, 64, 70, 200 };

    for (gsize i = 0; i < 2 * G_N_ELEMENTS(lengths); i++) {
        long line = i % 2 ? 3 : 0;
        g_autofree char *name = g_strnfill(lengths[i / 2], 'a');
        g_autofree char *source = g_strdup_printf("domain '%s'", name);
        g_autofree char *reason = g_strdup_printf("%s%s", line ? "line 3: " : "", source);
        g_autofree char *text = g_strdup_printf("%s: %s", source, reason);
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) copy = NULL;
        g_autofree char *told = NULL;
        g_autofree char *told_reason = NULL;

        /* also when the message itself begins like that */
        assert_false(vgpu_error_at(&error, VGPU_ERROR_BUSY, source, line, "%s", source));
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
        assert_string_equal(error->message, source);
        vgpu_error_add_source(error, source);
        copy = g_error_copy(error);
        told = vgpu_error_text(copy);
        told_reason = vgpu_error_reason(copy);
        assert_int_equal(vgpu_error_line(copy), line);
        assert_string_equal(told, text);
        assert_string_equal(told_reason, reason);
    }
    assert_false(vgpu_error_at(NULL, VGPU_ERROR_BUSY, "x", 1, "nobody asks"));
}

static void
test_sources(void **state)
{
    static const struct {
        const char *what;
        const char *source, *outer;
        bool foreign;
        const char *text;
    } cases[] = {
        { "none", NULL, NULL, false, "line 1: m" },
        { "said later", NULL, "domain 'a'", false, "domain 'a': line 1: m" },
        { "said again", "domain 'a'", "domain 'a'", false, "domain 'a': line 1: m" },
        { "a part of it", "the annotation", "domain 'a'", false,
          "domain 'a': the annotation: line 1: m" },
        { "another library's", NULL, "domain 'a'", true, "m" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;

        if (cases[i].foreign)
            g_set_error(&error, G_IO_ERROR, G_IO_ERROR_FAILED, "m");
        else
            vgpu_error_at(&error, VGPU_ERROR_FAILED, cases[i].source, 1, "m");
        if (cases[i].outer)
            vgpu_error_add_source(error, cases[i].outer);
        text = vgpu_error_text(error);
        if (!g_str_equal(text, cases[i].text))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bus_names),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
