/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding what creates vGPUs at boot: units, scripts that they run, udev rules and hooks, as users post them. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "cli/boot-lines.h"
#include "scratch.h"

static const struct {
    const char *what;
    const char *path;
    const char *text;
    const char *also, *also_text; /* a second file */
    const char *found;            /* "/PATH:LINE UNIT", joined by ", " */
} cases[] = {
    { "a unit that sets the type of a VF", "etc/systemd/system/vgpu.service",
      "[Service]\n# echo 0 > current_vgpu_type\n"
      "ExecStart=/bin/sh -c 'echo 1150 > "
      "/sys/bus/pci/devices/0000:61:00.4/nvidia/current_vgpu_type'\n",
      .found = "/etc/systemd/system/vgpu.service:3 vgpu.service" },
    { "a unit that makes an mdev", "etc/systemd/system/mdev@.service",
      "[Service]\nExecStart=sh -c 'echo %i > "
      "/sys/class/mdev_bus/0000:41:00.4/mdev_supported_types/nvidia-746/create'\n",
      .found = "/etc/systemd/system/mdev@.service:2 mdev@.service" },
    { "the script that a unit runs", "etc/systemd/system/vgpu.service",
      "[Service]\nExecStart=-/opt/vgpu/setup.sh --all\n", "opt/vgpu/setup.sh",
      "#!/bin/sh\ncd /sys/class/mdev_bus/*/mdev_supported_types/nvidia-746\necho $1 > create\n",
      .found = "/opt/vgpu/setup.sh:3 vgpu.service" },
    { "a part that was added to a unit", "etc/systemd/system/libvirtd.service.d/vgpu.conf",
      "[Service]\nExecStartPre=/usr/sbin/mdevctl start -u 11111111-2222-4333-8444-555555555555\n",
      .found = "/etc/systemd/system/libvirtd.service.d/vgpu.conf:2 libvirtd.service" },
    { "a script of no unit", "etc/rc.local",
      "#!/bin/sh\nfor vf in 4 5; do echo 746 | tee "
      "/sys/x/mdev_supported_types/nvidia-746/create; done\n",
      .found = "/etc/rc.local:2 -" },
    { "a hook of theirs", VGPU_PATH_HOOKS "/10-vgpu",
      "#!/bin/sh\necho $2\n  echo 1150 >$VF/nvidia/current_vgpu_type\n",
      .found = "/" VGPU_PATH_HOOKS "/10-vgpu:3 -" },
    { "a udev rule", "etc/udev/rules.d/99-vgpu.rules",
      "ACTION==\"add\", ATTR{nvidia/current_vgpu_type}=\"1150\"\n",
      .found = "/etc/udev/rules.d/99-vgpu.rules:1 -" },
    { "a unit that only reads does not count", "etc/systemd/system/look.service",
      "[Service]\nExecStart=/usr/bin/ls /sys/class/mdev_bus\nExecStart=mdevctl list\n",
      .found = "" },
    { "a cron job that creates another file does not count", "etc/cron.d/other",
      "* * * * * root echo x > /tmp/create\n", .found = "" },
    { "a file that is not run does not count", "opt/vgpu/setup.sh",
      "echo 1 > current_vgpu_type\n", .found = "" },
    { "in another encoding, too", VGPU_PATH_HOOKS "/50-x",
      "# f\xfcr die GPU\necho 1 > current_vgpu_type\n",
      .found = "/" VGPU_PATH_HOOKS "/50-x:2 -" },
    { "a driver's file is not read", "etc/systemd/system/vgpu.service",
      "ExecStart=cat /sys/driver\n", "sys/driver", "echo 1 > current_vgpu_type\n", .found = "" },
};

static char *
summary(const GPtrArray *found)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < found->len; i++) {
        const VgpuBootLine *line = found->pdata[i];

        g_string_append_printf(text, "%s%s:%u %s", i ? ", " : "", line->path, line->line,
                               line->unit ? line->unit : "-");
    }
    return g_string_free(text, FALSE);
}

static void
test_find(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) root = scratch_new();
        g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);
        g_autoptr(GPtrArray) found = NULL;
        g_autofree char *text = NULL;

        assert_non_null(fs);
        scratch_write(&root, cases[i].path, cases[i].text);
        if (cases[i].also)
            scratch_write(&root, cases[i].also, cases[i].also_text);
        found = vgpu_boot_lines_find(fs);
        text = summary(found);
        if (!g_str_equal(text, cases[i].found))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* Reading a pipe that a unit names does not block. */
static void
test_pipe(void **state)
{
    g_auto(Scratch) root = scratch_new();
    g_autofree char *pipe = scratch_path(&root, "opt/pipe");
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);
    g_autoptr(GPtrArray) found = NULL;

    (void) state;
    scratch_write(&root, "etc/systemd/system/x.service", "ExecStart=cat /opt/pipe\n");
    scratch_write(&root, "opt/other", "");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    found = vgpu_boot_lines_find(fs);
    assert_int_equal(found->len, 0);
}

/* Circular links do not cause a loop. */
static void
test_loop(void **state)
{
    g_auto(Scratch) root = scratch_new();
    g_autofree char *dir = scratch_path(&root, "etc/systemd/system");
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);
    g_autoptr(GPtrArray) found = NULL;

    (void) state;
    scratch_write(&root, "etc/systemd/system/x.service", "ExecStart=mdevctl start -u 1\n");
    for (char name = 'a'; name <= 'c'; name++) {
        g_autofree char *link = g_strdup_printf("%s/%c.service.d", dir, name);

        assert_int_equal(symlink(".", link), 0);
    }
    found = vgpu_boot_lines_find(fs);
    assert_int_equal(found->len, 4); /* x.service, and by each link once */
}

/* A one-line script is identified by its beginning. */
static void
test_long(void **state)
{
    g_auto(Scratch) root = scratch_new();
    g_autofree char *tail = g_strnfill(1000, 'x');
    g_autofree char *text = g_strconcat("mdevctl start -u 1 # é", tail, "\n", NULL);
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root.path, NULL);
    g_autoptr(GPtrArray) found = NULL;

    (void) state;
    scratch_write(&root, "etc/rc.local", text);
    found = vgpu_boot_lines_find(fs);
    assert_int_equal(found->len, 1);
    assert_int_equal(g_utf8_strlen(((VgpuBootLine *) found->pdata[0])->text, -1), 200);
}

static void
test_advice(void **state)
{
    VgpuBootLine line = { .path = (char *) "/etc/rc.local", .line = 2, .text = (char *) "echo" };
    g_autofree char *alone = vgpu_boot_line_advice(&line);
    g_autofree char *of_unit = NULL;

    (void) state;
    line.unit = (char *) "vgpu.service";
    of_unit = vgpu_boot_line_advice(&line);
    assert_non_null(strstr(alone, "/etc/rc.local:2"));
    assert_non_null(strstr(alone, "remove that line"));
    assert_non_null(strstr(of_unit, "systemctl disable vgpu.service"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find), cmocka_unit_test(test_pipe),   cmocka_unit_test(test_loop),
        cmocka_unit_test(test_long), cmocka_unit_test(test_advice),
    };

    return cmocka_run_group_tests_name("boot-lines", tests, NULL, NULL);
}
