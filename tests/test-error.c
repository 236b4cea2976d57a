/* The error domain: its names on the bus, its texts. */
#include "test.h"

#include <errno.h>
#include <gio/gio.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bus_names),
        cmocka_unit_test(test_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
