/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A start that finds an existing device: one that QEMU could not open, or one with its own
 * parameters. */
#include "test.h"

#include <string.h>

#include "base/event.h"
#include "manager-host.h"

#define VF "0000:41:00.4"
#define TYPE "nvidia-746"
#define USERS "7c3a7ff3-5d6d-4d0c-9a43-0f6a6a5f0001"
#define NO_DRIVER "it has no driver; kernels before 5.16 need 'modprobe vfio_mdev'"
#define PARAM(value) "<vgpu:param name='plugin0' value='" value "'/>"

static char *
xml_of(bool users, const char *params)
{
    g_autofree char *device = g_strdup_printf("<vgpu:device profile='A2-4Q' %s>%s</vgpu:device>",
                                              users ? "uuid='" USERS "'" : "", params);
    g_autofree char *xml = host_xml("web1", HOST_WEB1, device, !users);
    g_auto(GStrv) parts = NULL;

    if (!users)
        return g_steal_pointer(&xml);
    parts = g_strsplit(xml, "</devices>", 2);
    return g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                      "<address uuid='" USERS "'/></source></hostdev></devices>",
                      parts);
}

static char *
path_of(const Host *host, const char *uuid, const char *name)
{
    return g_strdup_printf("%s/sys/bus/mdev/devices/%s/%s", host->root, uuid, name);
}

static bool
has_driver(const Host *host, const char *uuid)
{
    g_autofree char *path = path_of(host, uuid, "driver");

    return g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static char *
read_params(const Host *host, const char *uuid)
{
    g_autofree char *path = path_of(host, uuid, "nvidia/vgpu_params");
    char *text = NULL;

    (void) g_file_get_contents(path, &text, NULL, NULL);
    return text ? g_strstrip(text) : g_strdup("");
}

static void
set_params(const Host *host, const char *uuid, const char *params)
{
    g_autofree char *path = path_of(host, uuid, "nvidia/vgpu_params");

    assert_true(g_file_set_contents(path, params, -1, NULL));
}

static void
take_driver(const Host *host, const char *uuid)
{
    static const char *const links[] = { "driver", "iommu_group" };

    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *path = path_of(host, uuid, links[i]);

        assert_int_equal(unlink(path), 0);
    }
}

static void
assert_nothing_of_ours(Host *host, guint devices)
{
    host_settle(host);
    assert_int_equal(host_count_devices(host), devices);
    assert_int_equal(host_count_records(host), 0);
}

/* --- unusable devices --------------------------------------------------------------------- */

/* A new device that is unusable is removed, and the start says how to fix it. */
static void
test_made(void **state)
{
    static const struct {
        const char *knob, *why;
    } cases[] = {
        { "no_vfio_mdev", NO_DRIVER },
        { "no_group", "it has no IOMMU group; check that the kernel has VFIO groups" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *xml = xml_of(false, "");
        g_autofree char *refused = NULL, *started = NULL;

        host_knob(host, cases[i].knob, "");
        refused = host_start(host, xml);
        assert_non_null(refused);
        if (!strstr(refused, cases[i].why))
            fail_msg("%s: %s", cases[i].knob, refused);
        assert_non_null(strstr(host->log->str, "create-failed " HOST_WEB1_0));
        assert_null(strstr(host->log->str, "vgpu-created"));
        /* its other VFs would give the same result */
        assert_null(strstr(strstr(host->log->str, "create-failed") + 1, "create-failed"));
        assert_nothing_of_ours(host, 0);

        host_unknob(host, cases[i].knob);
        started = host_start(host, xml);
        assert_null(started);
        assert_true(has_driver(host, HOST_WEB1_0));
    }
}

/* Our own device is replaced, whatever its origin; a foreign one is left alone, and the start refused. */
static void
test_found(void **state)
{
    enum { LEFT_OVER, OF_A_RUN, OF_A_RUN_BEFORE_RESTART, USERS_OWN };
    static const char *const names[] = { "left over", "of a run", "of a run, daemon restarted",
                                         "the user's own" };

    for (int i = LEFT_OVER; i <= USERS_OWN; i++) {
        g_autoptr(Host) host = host_new();
        bool users = i == USERS_OWN;
        const char *uuid = users ? USERS : HOST_WEB1_0;
        g_autofree char *xml = xml_of(users, "");
        g_autofree char *first = NULL, *refused = NULL, *device = NULL;

        if (i == LEFT_OVER || users)
            assert_int_equal(host_make_device(host, VF, TYPE, uuid), 0);
        else
            first = host_start(host, xml);
        assert_null(first);
        take_driver(host, uuid);
        if (i == OF_A_RUN_BEFORE_RESTART)
            host_restart(host);
        refused = host_start(host, xml);
        device = host_device(host, uuid);
        if (users) {
            if (!refused || !strstr(refused, "exists on " VF ", but cannot be used: " NO_DRIVER))
                fail_msg("%s: %s", names[i], refused);
            assert_false(has_driver(host, uuid));
            assert_nothing_of_ours(host, 1);
        } else {
            if (refused || !*device || !has_driver(host, uuid))
                fail_msg("%s: '%s' %s", names[i], device, refused);
            host_release(host, HOST_WEB1);
            assert_nothing_of_ours(host, 0);
        }
    }
}

/* --- parameters that it has --------------------------------------------------------------- */

static void
test_params(void **state)
{
    static const struct {
        const char *what;
        bool users;
        const char *has, *wanted;
        const char *then;
        const char *event; /* NULL: none; of those that are refused the reason */
        bool refused;
    } cases[] = {
        { "ours loses what is not wanted", false, "plugin0=a\n", "", "", NULL },
        { "ours gets what is wanted", false, "plugin0=a\n", PARAM("b"), "plugin0=b", NULL },
        { "ours has none, and none is wanted", false, " \n", "", "", NULL },
        { "ours has what is wanted", false, "plugin0=a\n", PARAM("a"), "plugin0=a", NULL },
        { "another's is left with its own", true, "plugin0=a\n", "", "plugin0=a",
          "params-left " USERS " wanted '', it has 'plugin0=a'" },
        { "another's is not given what is wanted", true, "plugin0=a\n", PARAM("b"), "plugin0=a",
          "it has 'plugin0=a', not 'plugin0=b'", true },
        { "another's is not cut short for it, either", true, "plugin0=aa\n", PARAM("a"),
          "plugin0=aa", "it has 'plugin0=aa', not 'plugin0=a'", true },
        { "another's that has none is not given any", true, " \n", PARAM("b"), "",
          "it has '', not 'plugin0=b'", true },
        { "another's has it beside others", true, "plugin1=c,plugin0=a\n", PARAM("a"),
          "plugin1=c,plugin0=a", "params-left " USERS " wanted 'plugin0=a'" },
        { "another's has none", true, "\n", "", "", NULL },
        { "another's has what is wanted", true, "plugin0=a\n", PARAM("a"), "plugin0=a", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        const char *uuid = cases[i].users ? USERS : HOST_WEB1_0;
        g_autofree char *xml = xml_of(cases[i].users, cases[i].wanted);
        g_autofree char *refused = NULL, *has = NULL;

        assert_int_equal(host_make_device(host, VF, TYPE, uuid), 0);
        set_params(host, uuid, cases[i].has);
        refused = host_start(host, xml);
        has = read_params(host, uuid);
        if (!refused != !cases[i].refused || !g_str_equal(has, cases[i].then) ||
            (refused && !strstr(refused, cases[i].event)))
            fail_msg("%s: '%s' %s", cases[i].what, has, refused);
        if (cases[i].event && !cases[i].refused ? !strstr(host->log->str, cases[i].event)
                                                : strstr(host->log->str, "params-") != NULL)
            fail_msg("%s: %s", cases[i].what, host->log->str);
        host_release(host, HOST_WEB1);
        assert_nothing_of_ours(host, cases[i].users ? 1 : 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_params),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
