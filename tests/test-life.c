/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a start handles what a previous run has left behind, in any state. */
#include "test.h"

#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "manager-host.h"

#define PARAMS(value)                                                                            \
    "<vgpu:device profile='A2-4Q'><vgpu:param name='plugin0' value='" value "'/></vgpu:device>"

static char *
xml_of(const char *tenant, const char *devices)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, 1);
    g_autofree char *with = tenant ? g_strdup_printf("<vgpu:devices tenant='%s' ", tenant) : NULL;
    g_auto(GStrv) parts = g_strsplit(xml, "<vgpu:devices ", 2);

    return g_strjoinv(with ? with : "<vgpu:devices ", parts);
}

static char *
read_params(const Host *host, const char *uuid)
{
    g_autofree char *path =
        g_strdup_printf("%s/sys/bus/mdev/devices/%s/nvidia/vgpu_params", host->root, uuid);
    char *text = NULL;

    (void) g_file_get_contents(path, &text, NULL, NULL);
    return text ? g_strstrip(text) : g_strdup("");
}

static guint
count_in(const char *log, const char *what)
{
    guint n = 0;

    for (const char *at = log; (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Wait until all parts know about the start, and no pending call will remove the device once it is closed; until then
 * it can be removed and created again. */
static bool
is_met_by_start(Host *host)
{
    const VgpuOwner *owner = vgpu_records_find(host->manager, HOST_WEB1);
    const VgpuClaim *claim = vgpu_owner_find(owner, HOST_WEB1_0);

    return claim->wanted != VGPU_WANTED_GONE && claim->call != VGPU_CALL_REMOVING;
}

/* After a quick stop and start, the device is reused if it matches completely, not only in its profile. */
static void
test_reuse(void **state)
{
    static const struct {
        const char *what;
        const char *tenant1, *devices1, *tenant2, *devices2;
        bool again;
        const char *params;
    } cases[] = {
        { "nothing has changed", NULL, PARAMS("a"), NULL, PARAMS("a"), true, "plugin0=a" },
        { "without parameters", NULL, HOST_DEVICE(), NULL, HOST_DEVICE(), true, "" },
        { "other parameters", NULL, PARAMS("a"), NULL, PARAMS("b"), false, "plugin0=b" },
        { "parameters are gone", NULL, PARAMS("a"), NULL, HOST_DEVICE(), false, "" },
        { "parameters are new", NULL, HOST_DEVICE(), NULL, PARAMS("b"), false, "plugin0=b" },
        { "another tenant", "acme", HOST_DEVICE(), "umbrella", HOST_DEVICE(), false, "" },
        { "the same tenant", "acme", HOST_DEVICE(), "acme", HOST_DEVICE(), true, "" },
        { "another profile", NULL, HOST_DEVICE(), NULL, "<vgpu:device profile='A2-8Q'/>", false,
          "" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *first = xml_of(cases[i].tenant1, cases[i].devices1);
        g_autofree char *second = xml_of(cases[i].tenant2, cases[i].devices2);
        g_autofree char *refused = host_start(host, first);
        g_autofree char *params = NULL;
        g_auto(Prepare) prepare = { 0 };
        const VgpuClaim *claim;

        if (refused)
            fail_msg("%s: %s", cases[i].what, refused);
        host_open(host, HOST_WEB1_0);
        host_release(host, HOST_WEB1);
        host_run(host, 50);
        host_prepare(host, second, 5000, &prepare);
        assert_true(host_wait(host, is_met_by_start));
        host_run(host, 50);
        assert_false(prepare.answered);
        host_close(host, HOST_WEB1_0);
        while (!prepare.answered)
            g_main_context_iteration(host->context, TRUE);
        if (prepare.error)
            fail_msg("%s: %s", cases[i].what, prepare.error->message);
        host_settle(host);
        params = read_params(host, HOST_WEB1_0);
        claim = vgpu_owner_find(vgpu_records_find(host->manager, HOST_WEB1), HOST_WEB1_0);
        if (count_in(host->log->str, "vgpu-created") != (cases[i].again ? 1 : 2) ||
            !strstr(params, cases[i].params) ||
            (!*cases[i].params && strstr(params, "plugin0")) ||
            g_strcmp0(claim->tenant, cases[i].tenant2) != 0)
            fail_msg("%s: '%s', tenant %s:\n%s", cases[i].what, params, claim->tenant,
                     host->log->str);
        host_release(host, HOST_WEB1);
        host_settle(host);
        assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

/* A start that wants fewer vGPUs than the previous run: the excess ones are removed at once. */
static void
test_fewer(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *two = host_xml("web1", HOST_WEB1, HOST_DEVICE() HOST_DEVICE(), 2);
    g_autofree char *one = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *refused = host_start(host, two);
    g_autofree char *again = NULL;

    (void) state;
    assert_null(refused);
    assert_int_equal(host_count_devices(host), 2);
    again = host_start(host, one); /* libvirtd was killed: nothing was released */
    assert_null(again);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

static void
note_nothing(const GError *error, gpointer opaque)
{
    (void) error;
    (void) opaque;
}

/* The daemon dies while it creates a vGPU by hand: its caller has lost the connection, so the vGPU is removed. */
static void
test_made_by_hand_and_killed(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *uuid = host_nth_uuid(7);

    (void) state;
    host_knob(host, "hang_create-0000:41:00.4", "");
    vgpu_manager_create(host->manager, "0000:41:00.0", "A2-4Q", uuid, note_nothing, NULL);
    host_run(host, 100);
    assert_int_equal(host_count_records(host), 1);
    host_restart(host);
    host_unknob(host, "hang_create-0000:41:00.4"); /* and it is made after all */
    vgpu_manager_resume(host->manager);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* The driver process of the GPU of these tests, which has its lock's path as an argument. */
static GPid
find_driver(const Host *host)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    g_autofree char *lock =
        g_strdup_printf("%s/" VGPU_PATH_DRIVER_LOCKS "/0000:41:00.0", host->root);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("/proc/%s/cmdline", name);
        g_autofree char *line = NULL;
        gsize len = 0;

        if (g_ascii_isdigit(*name) && g_file_get_contents(path, &line, &len, NULL) &&
            memmem(line, len, lock, strlen(lock)))
            return (GPid) g_ascii_strtoll(name, NULL, 10);
    }
    return 0;
}

static bool
is_making(Host *host)
{
    const VgpuOwner *owner = vgpu_records_find(host->manager, HOST_WEB1);
    const VgpuClaim *claim = owner ? vgpu_owner_find(owner, HOST_WEB1_0) : NULL;

    return claim && claim->call == VGPU_CALL_MAKING;
}

static bool
is_not_making(Host *host)
{
    return !is_making(host);
}

/* A driver process dies while it creates a vGPU: the daemon tries once more, and only once. */
static void
test_lost_in_its_driver(void **state)
{
    static const struct {
        guint deaths;
        const char *refusal; /* NULL: it starts */
    } cases[] = { { 1, NULL }, { 2, "has ended" } };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE("gpu='0000:41:00.0'"), 1);
        g_auto(Prepare) prepare = { 0 };

        host_knob(host, "hang_create-0000:41:00.0", "");
        host_prepare(host, xml, 8000, &prepare);
        for (guint n = 0; n < cases[i].deaths; n++) {
            GPid pid;

            assert_true(host_wait(host, is_making));
            host_run(host, 200); /* it has been asked */
            pid = find_driver(host);
            assert_true(pid > 0); /* 0 is all that is in this group */
            assert_int_equal(kill(pid, SIGKILL), 0);
            assert_true(host_wait(host, is_not_making));
        }
        host_unknob(host, "hang_create-0000:41:00.0");
        while (!prepare.answered)
            g_main_context_iteration(host->context, TRUE);
        if (!prepare.error != !cases[i].refusal ||
            (prepare.error && !strstr(prepare.error->message, cases[i].refusal)))
            fail_msg("%u: %s", cases[i].deaths,
                     prepare.error ? prepare.error->message : "started");
        host_release(host, HOST_WEB1);
        host_settle(host);
        assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

/* A refused start names the vGPU that caused the refusal. */
static void
test_refusal_names_its_reason(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml =
        host_xml("web1", HOST_WEB1, HOST_DEVICE() "<vgpu:device profile='A2-99Q'/>", 2);
    g_autofree char *refused = host_start(host, xml);
    g_autofree char *second = NULL;

    (void) state;
    assert_non_null(refused);
    second = g_strdup_printf("start-refused %s", "fa08193e-3000-5592-b694-36dd62ade913");
    if (!strstr(host->log->str, second))
        fail_msg("%s", host->log->str);
}

/* A failed hotplug does not keep a record if a start with another profile waits for it. */
static void
test_another_after_failed_plug(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *first = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autofree char *second = host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-8Q'/>", 1);
    g_autofree char *refused = host_start(host, first);
    g_autoptr(GError) no = g_error_new(VGPU_ERROR, VGPU_ERROR_FAILED, "no free slot");
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    assert_null(refused);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    host_open(host, HOST_WEB1_0);
    vgpu_manager_attached(host->manager, HOST_WEB1, vgpu_manager_since(host->manager, HOST_WEB1),
                          HOST_WEB1_0, no);
    host_run(host, 50);
    host_release(host, HOST_WEB1);
    host_prepare(host, second, 3000, &prepare);
    host_run(host, 100);
    assert_false(prepare.answered);
    host_close(host, HOST_WEB1_0);
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    if (prepare.error)
        fail_msg("%s", prepare.error->message);
}

/* Setting the parameters failed; the next start must not reuse the device as it is. */
static void
test_without_its_parameters(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = xml_of(NULL, PARAMS("a"));
    g_autofree char *params = NULL, *refused = NULL, *again = NULL;

    (void) state;
    host_knob(host, "no_params", "");
    refused = host_start(host, xml);
    assert_non_null(refused);
    host_unknob(host, "no_params");
    again = host_start(host, xml); /* at once, so that it is still there */
    params = read_params(host, HOST_WEB1_0);
    if (!again && !strstr(params, "plugin0=a"))
        fail_msg("it was started with '%s'", params);
    host_settle(host);
}

static bool
is_being_made(Host *host)
{
    const VgpuOwner *owner = vgpu_records_find(host->manager, HOST_WEB1);

    return owner &&
           ((const VgpuClaim *) g_ptr_array_index(owner->claims, 0))->call == VGPU_CALL_MAKING;
}

/* A start that waits for a GPU to be read replaces one whose vGPU cannot be created: the creation is not retried
 * meanwhile for the start that is over. */
static void
test_superseded_and_not_made(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, "<vgpu:device profile='M10-1Q'/>", 1);
    g_auto(Prepare) first = { 0 }, second = { 0 };
    guint tries = 0;

    (void) state;
    host_knob(host, "hang_create-0000:84:00.0", "");
    host_knob(host, "create_fail_next", "1");
    host_prepare(host, xml, 5000, &first);
    assert_true(host_wait(host, is_being_made));
    host_knob(host, "hang_read-0000:85:00.0", "");
    vgpu_drivers_touch(host->manager->drivers, "0000:85:00.0");
    host_prepare(host, xml, 5000, &second);
    host_unknob(host, "hang_create-0000:84:00.0");
    for (; !second.answered; tries++)
        g_main_context_iteration(host->context, TRUE);
    host_unknob(host, "hang_read-0000:85:00.0");
    assert_null(second.error);
    assert_true(tries < 400);
    host_settle(host);
}

/* A vGPU stuck in its driver, and no longer wanted: the message must not blame a process for holding it open. */
static void
test_stuck_while_made(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host->config->remove_timeout = 0;
    host_knob(host, "hang_create-0000:41:00.4", "");
    host_prepare(host, xml, 5000, &prepare);
    assert_true(host_wait(host, is_being_made));
    vgpu_manager_cancel(host->manager, prepare.token);
    host_run(host, 50);
    host_unknob(host, "hang_create-0000:41:00.4");
    if (!strstr(host->log->str, "vgpu-stuck " HOST_WEB1_0 " its driver does not answer the call"))
        fail_msg("%s", host->log->str);
    host_settle(host);
}

/* A start is cancelled while its create waits behind another: a vGPU that was never created is not removed. */
static void
test_never_made(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *web2 = host_nth_uuid(3);
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE("gpu='0000:41:00.0'"), 1);
    g_autofree char *first = host_xml("web2", web2, HOST_DEVICE("gpu='0000:41:00.0'"), 1);
    g_auto(Prepare) waits = { 0 }, prepare = { 0 };

    (void) state;
    host_knob(host, "hang_create-0000:41:00.0", "");
    host_prepare(host, first, 5000, &waits);
    host_prepare(host, xml, 5000, &prepare);
    assert_true(host_wait(host, is_making));
    vgpu_manager_cancel(host->manager, prepare.token);
    host_unknob(host, "hang_create-0000:41:00.0");
    host_settle(host);
    assert_null(waits.error);
    assert_null(strstr(host->log->str, "vgpu-removed"));
    assert_int_equal(host_count_devices(host), 1);
    assert_int_equal(host_count_records(host), 1);
}

/* Reconcile does what its plan says, also for a run whose XML lacks what it was started with. */
static void
test_confirmed_is_kept(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *bare = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autofree char *refused = host_start(host, xml);
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *plan = NULL, *next = NULL;

    (void) state;
    assert_null(refused);
    host_fact(facts, bare, 7);
    plan = host_reconcile(host, facts, false);
    host_settle(host);
    assert_non_null(strstr(plan, "confirm"));
    assert_int_equal(host_count_devices(host), 1);
    next = host_reconcile(host, facts, false);
    host_settle(host);
    assert_non_null(strstr(next, "release"));
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_fewer),
        cmocka_unit_test(test_made_by_hand_and_killed),
        cmocka_unit_test(test_lost_in_its_driver),
        cmocka_unit_test(test_refusal_names_its_reason),
        cmocka_unit_test(test_another_after_failed_plug),
        cmocka_unit_test(test_without_its_parameters),
        cmocka_unit_test(test_superseded_and_not_made),
        cmocka_unit_test(test_stuck_while_made),
        cmocka_unit_test(test_never_made),
        cmocka_unit_test(test_confirmed_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
