/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading mdevctl's definitions from its files. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/mdevctl.h"
#include "scratch.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define FILE_OF(uuid) VGPU_MDEVCTL_DIR "/0000:41:00.4/" uuid

static const struct {
    const char *what;
    const char *path;
    const char *text;
    const char *parent; /* NULL: it is not found */
    const char *type;
    bool autostart;
} cases[] = {
    { "one that is made at boot", FILE_OF(UUID),
      "{ \"mdev_type\": \"nvidia-746\", \"start\": \"auto\", \"attrs\": [] }", "0000:41:00.4",
      "nvidia-746", true },
    { "one that is made by hand", FILE_OF(UUID),
      "{\"mdev_type\":\"nvidia-746\",\"start\":\"manual\"}", "0000:41:00.4", "nvidia-746",
      false },
    { "its name may have capitals", FILE_OF("AAAAAAAA-2222-4333-8444-555555555555"),
      "{\"mdev_type\":\"nvidia-746\"}", "0000:41:00.4", "nvidia-746", false },
    { "a file that says nothing", FILE_OF(UUID), "{}", "0000:41:00.4", NULL, false },
    { "values of another kind", FILE_OF(UUID), "{\"mdev_type\":[1],\"start\":{}}", "0000:41:00.4",
      NULL, false },
    { "no object", FILE_OF(UUID), "[]", .parent = NULL },
    { "no JSON", FILE_OF(UUID), "mdev_type=", .parent = NULL },
    { "another device", FILE_OF("11111111-2222-4333-8444-666666666666"), "{}", .parent = NULL },
    { "a callout is none", VGPU_MDEVCTL_DIR "/scripts.d/callouts", "{}", .parent = NULL },
};

static void
test_find(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) root = scratch_new();
        g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);
        g_autoptr(VgpuMdevctl) found = NULL;
        bool has_capitals = strstr(cases[i].path, "AAAAAAAA") != NULL;

        scratch_write(&root, cases[i].path, cases[i].text);
        found =
            vgpu_mdevctl_find(fs, has_capitals ? "aaaaaaaa-2222-4333-8444-555555555555" : UUID);
        if (g_strcmp0(found ? found->parent : NULL, cases[i].parent) != 0)
            fail_msg("%s: %s", cases[i].what, found ? found->parent : "not found");
        if (found && (g_strcmp0(found->type, cases[i].type) != 0 ||
                      found->autostart != cases[i].autostart))
            fail_msg("%s: type %s, autostart %d", cases[i].what, found->type, found->autostart);
    }
}

static void
test_none(void **state)
{
    g_auto(Scratch) root = scratch_new();
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);

    (void) state;
    assert_null(vgpu_mdevctl_find(fs, UUID));
}

/* Reading a pipe does not block. */
static void
test_pipe(void **state)
{
    g_auto(Scratch) root = scratch_new();
    g_autofree char *pipe = scratch_path(&root, FILE_OF(UUID));
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);

    (void) state;
    scratch_write(&root, FILE_OF("11111111-2222-4333-8444-666666666666"), "{}");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_null(vgpu_mdevctl_find(fs, UUID));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_pipe),
    };

    return cmocka_run_group_tests_name("mdevctl", tests, NULL, NULL);
}
