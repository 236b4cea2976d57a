/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon built with --disable-host-setup refuses host set-up, and says why. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "daemon/host-setup.h"

static void
test_refuses(void **state)
{
    static const char *const args[] = { "mig-list", "0000:41:00.0", NULL };
    VgpuHostSetup *setup = vgpu_host_setup_new(NULL, NULL, &(VgpuHostSetupOptions) { 0 });
    const char *gpu = args[1];

    assert_non_null(setup);
    vgpu_host_setup_read_layout(setup);
    vgpu_host_setup_reread(setup);
    assert_false(vgpu_host_setup_has_vfs(setup, gpu, "max"));
    for (guint i = 0; i < 5; i++) {
        g_autoptr(GError) error = NULL;

        switch (i) {
        case 0:
            assert_null(vgpu_host_setup_query(setup, "aa{sv}", args, NULL, &error));
            break;
        case 1:
            assert_null(vgpu_host_setup_stats(setup, 0, &error));
            break;
        case 2:
            assert_null(vgpu_host_setup_change(setup, "a{sv}", gpu, false, args, NULL, &error));
            break;
        case 3:
            assert_null(vgpu_host_setup_apply(setup, "<vgpuhost/>", &error));
            break;
        default:
            assert_false(vgpu_host_setup_add_gpu_instance(setup, gpu, 19, &error));
        }
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED));
        assert_non_null(strstr(error->message, "--disable-host-setup"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refuses) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
