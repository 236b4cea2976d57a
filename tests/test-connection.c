/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection follows libvirt, and never starts a libvirtd that was stopped. */
#include "test.h"

#include <fcntl.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fake-libvirtd.h"
#include "libvirt/connection.h"
#include "libvirt/system.h"
#include "libvirt/virerror.h"

#define TICK_US 100000 /* the kernel tells when a process began in such steps, or finer ones */
#define LONG_MS 10000  /* more than anything here takes */
#define QUIET_MS 700   /* in which what must not happen would have */

typedef struct {
    int connected;
    int disconnected;
    int nodedevs_lost;
    VgpuConnection **free_on_connect;
    VgpuConnection **free_on_disconnect;
} Seen;

static void
on_connected(gpointer opaque)
{
    Seen *seen = opaque;

    seen->connected++;
    if (seen->free_on_connect)
        g_clear_pointer(seen->free_on_connect, vgpu_connection_free);
}

static void
on_disconnected(gpointer opaque)
{
    Seen *seen = opaque;

    seen->disconnected++;
    if (seen->free_on_disconnect)
        g_clear_pointer(seen->free_on_disconnect, vgpu_connection_free);
}

static void
on_nodedevs_lost(gpointer opaque)
{
    ((Seen *) opaque)->nodedevs_lost++;
}

static const VgpuConnectionEvents events = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .nodedevs_lost = on_nodedevs_lost,
};

static gboolean
on_timeout(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

/* Run the main loop until @counter has @value; false after @ms. */
static bool
runs_until(const int *counter, int value, guint ms)
{
    bool late = false;
    guint source = g_timeout_add(ms, on_timeout, &late);

    while (*counter < value && !late)
        g_main_context_iteration(NULL, TRUE);
    if (!late)
        g_source_remove(source);
    return *counter >= value;
}

static void
run_for(guint ms)
{
    const int never = 0;

    runs_until(&never, 1, ms);
}

static bool
is_open(VgpuConnection *connection)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_get(connection, &error);

    assert_true(vgpu_connection_is_open(connection) == (conn != NULL));
    if (!conn) {
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
        return false;
    }
    return true;
}

static void
wait_for_clients(const FakeLibvirtd *daemon, int n)
{
    for (guint ms = 0; fake_libvirtd_clients(daemon) != n; ms += 10) {
        assert_true(ms < LONG_MS);
        run_for(10);
    }
}

static void
test_serves(void **state)
{
    static const struct {
        const char *uri;
        bool serves;
    } cases[] = {
        { "qemu:///system", true },
        { "qemu+unix:///system", true },
        { "qemu:///system?mode=legacy", true },
        { "qemu:///session", false },
        { "qemu:///systemx", false },
        { "qemu+ssh://host/system", false },
        { "qemu+tcp://localhost/system", false },
        { "test:///default", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (vgpu_system_serves(cases[i].uri) != cases[i].serves)
            fail_msg("%s", cases[i].uri);
    }
}

static void
test_uri(void **state)
{
    const VgpuSystemDaemon daemon = { .mode = "direct" };
    g_autofree char *plain = vgpu_system_uri("qemu:///system", &daemon);
    g_autofree char *query = vgpu_system_uri("qemu:///system?mode=legacy", &daemon);

    assert_string_equal(plain, "qemu:///system?mode=direct");
    assert_string_equal(query, "qemu:///system?mode=legacy");
}

static void
test_find(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    g_autofree char *run_dir = g_build_filename(host->root, "run", NULL);
    VgpuSystemDaemon found = { .mode = "untouched" };
    FakeLibvirtd *daemon;

    assert_false(vgpu_system_find(run_dir, &found));
    fake_host_leave_pid_file(host);
    assert_false(vgpu_system_find(run_dir, &found));
    assert_string_equal(found.mode, "untouched");

    daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    assert_true(vgpu_system_find(run_dir, &found));
    assert_string_equal(found.mode, "legacy");
    assert_true(found.pid > 0);
    fake_libvirtd_kill(daemon);
    assert_false(vgpu_system_find(run_dir, &found));
}

static void
test_in_process(void **state)
{
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new("test:///default", "/", &events, &seen);

    assert_false(is_open(connection));
    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    assert_true(is_open(connection));
    assert_int_equal(vgpu_connection_daemon_age(connection), -1);
    vgpu_connection_nudge(connection);
    run_for(50);
    assert_int_equal(seen.connected, 1);
    assert_int_equal(seen.disconnected, 0);
}

static void
test_outlives(void **state)
{
    g_autoptr(GError) error = NULL;
    Seen seen = { 0 };
    VgpuConnection *connection = vgpu_connection_new("test:///default", "/", &events, &seen);
    virConnectPtr conn;

    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    conn = vgpu_connection_get(connection, &error);
    vgpu_connection_free(connection);
    assert_int_equal(virConnectNumOfDomains(conn), 1);
    run_for(50);
    assert_int_equal(virConnectClose(conn), 0); /* the last reference */
    assert_int_equal(seen.disconnected, 0);
}

static void
test_free_in_event(void **state)
{
    VgpuConnection *connection = NULL;
    Seen seen = { .free_on_connect = &connection };

    connection = vgpu_connection_new("test:///default", "/", &events, &seen);
    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    assert_null(connection);
    run_for(50);
}

static void
test_reopen(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    g_autoptr(FakeLibvirtd) daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new(host->uri, host->root, &events, &seen);
    virConnectPtr before, after;

    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    before = vgpu_connection_get(connection, NULL);
    vgpu_connection_reopen(connection);
    assert_true(runs_until(&seen.connected, 2, LONG_MS)); /* though its daemon has not changed */
    after = vgpu_connection_get(connection, NULL);
    assert_non_null(after);
    assert_ptr_not_equal(before, after);
    virConnectClose(before);
    wait_for_clients(daemon, 1);
    assert_int_equal(seen.disconnected, 0);
    virConnectClose(after);
}

/* Behind the daemon that we are connected to. */
static void
test_nodedevs_lost(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    g_autofree char *pid_file = g_build_filename(host->root, "run", "virtnodedevd.pid", NULL);
    g_autofree char *other = g_build_filename(host->root, "run", "virtnetworkd.pid", NULL);
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new(host->uri, host->root, &events, &seen);
    g_autoptr(FakeLibvirtd) daemon = NULL;

    daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    for (int i = 1; i <= 2; i++) { /* as after a crash: the file stays */
        int fd = open(pid_file, O_CREAT | O_WRONLY, 0644);

        assert_true(g_file_set_contents(other, "1\n", -1, NULL));
        assert_int_equal(write(fd, "1\n", 2), 2); /* and remains open, for the lock */
        assert_true(runs_until(&seen.nodedevs_lost, i, LONG_MS));
        close(fd);
        run_for(QUIET_MS);
        assert_in_range(seen.nodedevs_lost, i, i + 1); /* GLib reports the close, too */
        seen.nodedevs_lost = i;
    }
    assert_int_equal(seen.connected, 1);
    assert_int_equal(seen.disconnected, 0);
}

static void
test_stopped_stays_stopped(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection = NULL;

    fake_host_leave_pid_file(host);
    connection = vgpu_connection_new(host->uri, host->root, &events, &seen);
    run_for(QUIET_MS);
    vgpu_connection_nudge(connection);
    fake_host_leave_pid_file(host); /* which the monitor sees */
    run_for(QUIET_MS);
    assert_false(fake_host_was_knocked(host));
    assert_int_equal(seen.connected, 0);
}

static void
test_comes_and_goes(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new(host->uri, host->root, &events, &seen);

    for (int round = 1; round <= 2; round++) {
        FakeLibvirtd *daemon;

        run_for(50);
        assert_false(is_open(connection));
        daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
        assert_true(runs_until(&seen.connected, round, LONG_MS));
        assert_true(is_open(connection));

        fake_libvirtd_kill(daemon);
        assert_true(runs_until(&seen.disconnected, round, LONG_MS));
        assert_false(is_open(connection));
        run_for(QUIET_MS);
        assert_false(fake_host_was_knocked(host));
    }
    assert_int_equal(seen.connected, 2);
    assert_int_equal(seen.disconnected, 2);
}

static void
test_running_already(void **state)
{
    gint64 began = g_get_monotonic_time();
    g_autoptr(FakeHost) host = fake_host_new();
    g_autoptr(FakeLibvirtd) daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    Seen seen = { 0 };
    VgpuConnection *connection = vgpu_connection_new(host->uri, host->root, &events, &seen);

    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    wait_for_clients(daemon, 1);
    /* it began within this test, which no other process of a host did */
    assert_true(vgpu_connection_daemon_age(connection) >= 0);
    assert_true(vgpu_connection_daemon_age(connection) <=
                g_get_monotonic_time() - began + TICK_US);
    vgpu_connection_free(connection);
    wait_for_clients(daemon, 0);
    assert_int_equal(seen.disconnected, 0);
}

/* systemd would start a new libvirtd for a client that reconnects while the old one shuts down. */
static void
test_leaving(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    FakeLibvirtd *daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    g_autoptr(FakeLibvirtd) next = NULL;
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new(host->uri, host->root, &events, &seen);

    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    fake_libvirtd_drop_clients(daemon);
    assert_true(runs_until(&seen.disconnected, 1, LONG_MS));
    vgpu_connection_nudge(connection); /* the hook of a domain that it stops on its way out */
    run_for(QUIET_MS);
    assert_false(fake_host_was_knocked(host));

    fake_libvirtd_kill(daemon);
    next = fake_libvirtd_start(host, FAKE_ANSWERS);
    assert_true(runs_until(&seen.connected, 2, LONG_MS));
}

static void
test_free_while_blocked(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    FakeLibvirtd *daemon = fake_libvirtd_start(host, FAKE_SILENT);
    Seen seen = { 0 };
    VgpuConnection *connection = vgpu_connection_new(host->uri, host->root, &events, &seen);
    gint64 begin;

    wait_for_clients(daemon, 1);
    assert_false(is_open(connection));
    begin = g_get_monotonic_time();
    vgpu_connection_free(connection);
    assert_true(g_get_monotonic_time() - begin < G_USEC_PER_SEC / 2);

    fake_libvirtd_kill(daemon); /* which ends the thread */
    run_for(QUIET_MS);
    assert_int_equal(seen.connected, 0);
    assert_int_equal(seen.disconnected, 0);
}

static void
test_nothing_after_free(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    g_autoptr(FakeLibvirtd) daemon = NULL;
    Seen seen = { 0 };
    VgpuConnection *connection = vgpu_connection_new(host->uri, host->root, &events, &seen);

    daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    vgpu_connection_nudge(connection);
    vgpu_connection_free(connection);
    run_for(QUIET_MS);
    assert_int_equal(fake_libvirtd_accepted(daemon), 0);
    assert_int_equal(seen.connected, 0);
}

static void
test_free_when_lost(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    FakeLibvirtd *daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    g_autoptr(FakeLibvirtd) next = NULL;
    VgpuConnection *connection = NULL;
    Seen seen = { .free_on_disconnect = &connection };

    connection = vgpu_connection_new(host->uri, host->root, &events, &seen);
    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    fake_libvirtd_kill(daemon);
    next = fake_libvirtd_start(host, FAKE_ANSWERS);
    assert_true(runs_until(&seen.disconnected, 1, LONG_MS));
    assert_null(connection);
    run_for(QUIET_MS);
    assert_int_equal(fake_libvirtd_accepted(next), 0);
}

static void
test_retries(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    FakeLibvirtd *daemon = fake_libvirtd_start(host, FAKE_REFUSES);
    Seen seen = { 0 };
    g_autoptr(VgpuConnection) connection =
        vgpu_connection_new(host->uri, host->root, &events, &seen);
    int accepted;

    run_for(2000); /* at 0, 0.2, 0.6 and 1.4 s */
    accepted = fake_libvirtd_accepted(daemon);
    assert_in_range(accepted, 2, 5);

    fake_libvirtd_kill(daemon);
    run_for(2000);
    assert_false(fake_host_was_knocked(host));
    daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    assert_true(runs_until(&seen.connected, 1, LONG_MS));
    fake_libvirtd_kill(daemon);
    assert_true(runs_until(&seen.disconnected, 1, LONG_MS));
}

static void
test_open_once(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    g_autofree char *nowhere = g_strconcat(host->uri, "-not", NULL);
    g_autoptr(GError) error = NULL;
    virConnectPtr conn = vgpu_connection_open_once("test:///default", &error);

    assert_non_null(conn);
    virConnectClose(conn);
    assert_null(vgpu_connection_open_once(nowhere, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    assert_true(g_str_has_prefix(error->message, "cannot connect to libvirt at qemu+unix:///"));
}

static virError *fake_error;

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error ? fake_error : __real_virGetLastError();
}

static void
test_errors(void **state)
{
    static const struct {
        const char *what;
        int code;
        int domain;
        VgpuError want;
    } cases[] = {
        { "no domain", VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, VGPU_ERROR_NOT_FOUND },
        { "no node device", VIR_ERR_NO_NODE_DEVICE, VIR_FROM_NODEDEV, VGPU_ERROR_NOT_FOUND },
        { "state change lock", VIR_ERR_OPERATION_TIMEOUT, VIR_FROM_QEMU, VGPU_ERROR_BUSY },
        { "resource busy", VIR_ERR_RESOURCE_BUSY, VIR_FROM_QEMU, VGPU_ERROR_BUSY },
        { "not connected", VIR_ERR_NO_CONNECT, VIR_FROM_NONE, VGPU_ERROR_UNAVAILABLE },
        { "invalid connection", VIR_ERR_INVALID_CONN, VIR_FROM_NONE, VGPU_ERROR_UNAVAILABLE },
        { "broken protocol", VIR_ERR_RPC, VIR_FROM_RPC, VGPU_ERROR_UNAVAILABLE },
        { "no socket", VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, VGPU_ERROR_UNAVAILABLE },
        { "closed socket", VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, VGPU_ERROR_UNAVAILABLE },
        { "errno of a driver", VIR_ERR_SYSTEM_ERROR, VIR_FROM_QEMU, VGPU_ERROR_FAILED },
        { "authentication", VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, VGPU_ERROR_DENIED },
        { "dialogue cancelled", VIR_ERR_AUTH_CANCELLED, VIR_FROM_RPC, VGPU_ERROR_DENIED },
        { "no agent", VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_RPC, VGPU_ERROR_DENIED },
        { "polkit said no", VIR_ERR_ACCESS_DENIED, VIR_FROM_ACCESS, VGPU_ERROR_DENIED },
        { "read-only", VIR_ERR_OPERATION_DENIED, VIR_FROM_NONE, VGPU_ERROR_DENIED },
        { "too old", VIR_ERR_NO_SUPPORT, VIR_FROM_QEMU, VGPU_ERROR_NOT_SUPPORTED },
        { "anything else", VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, VGPU_ERROR_FAILED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        char message[] = "the reason";
        virError last = { .code = cases[i].code, .domain = cases[i].domain, .message = message };

        fake_error = &last;
        assert_false(vgpu_virerror_take(&error, "domain '%s'", "web1"));
        fake_error = NULL;
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].want))
            fail_msg("%s: code %d", cases[i].what, error->code);
        assert_string_equal(error->message, "domain 'web1': the reason");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serves),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_in_process),
        cmocka_unit_test(test_outlives),
        cmocka_unit_test(test_free_in_event),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_nodedevs_lost),
        cmocka_unit_test(test_stopped_stays_stopped),
        cmocka_unit_test(test_comes_and_goes),
        cmocka_unit_test(test_running_already),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_free_while_blocked),
        cmocka_unit_test(test_nothing_after_free),
        cmocka_unit_test(test_free_when_lost),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_open_once),
        cmocka_unit_test(test_errors),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
