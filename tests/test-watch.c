/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's events, of its test driver, while nothing runs but a GMainLoop. */
#include "test.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "fake-libvirtd.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"
#include "libvirt/watch.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define DOMAIN_XML                                                                               \
    "<domain type='test'><name>web</name><uuid>" UUID "</uuid><memory>1024</memory>"             \
    "<os><type>hvm</type></os></domain>"
#define QUIET_MS 100
#define EVENTS 32 /* kinds of domain events, and more */

static const char *const event_names[] = {
    [VGPU_DOMAIN_DEFINED] = "defined",
    [VGPU_DOMAIN_UNDEFINED] = "undefined",
    [VGPU_DOMAIN_RENAMED_AWAY] = "renamed-away",
    [VGPU_DOMAIN_STARTED] = "started",
    [VGPU_DOMAIN_RESUMED] = "resumed",
    [VGPU_DOMAIN_SENDING] = "sending",
    [VGPU_DOMAIN_SWITCHING] = "switching",
    [VGPU_DOMAIN_STOPPED] = "stopped",
    [VGPU_DOMAIN_SAVED] = "saved",
    [VGPU_DOMAIN_DEPARTED] = "departed",
};

typedef struct {
    virConnectPtr conn;
    VgpuWatch *watch;
    GString *text; /* one word an event */
    GThread *main_thread;
} Fixture;

static void
on_domain(VgpuDomainEvent event, const char *uuid, const char *name, int id, gpointer opaque)
{
    Fixture *self = opaque;

    assert_ptr_equal(g_thread_self(), self->main_thread);
    assert_string_equal(uuid, UUID);
    if (event == VGPU_DOMAIN_STARTED)
        assert_true(id > 0);
    g_string_append_printf(self->text, "%s:%s ", event_names[event], name);
}

static void
on_nodedev(const char *name, bool gone, gpointer opaque)
{
    Fixture *self = opaque;

    g_string_append_printf(self->text, "%s%s ", gone ? "-" : "+", name);
}

static const char *const device_names[] = {
    [VGPU_DEVICE_ADDED] = "added",
    [VGPU_DEVICE_REMOVED] = "removed",
    [VGPU_DEVICE_REFUSED] = "kept",
};

static void
on_device(VgpuDeviceEvent event, const char *uuid, int id, const char *alias, gpointer opaque)
{
    Fixture *self = opaque;

    assert_string_equal(uuid, UUID);
    assert_true(id > 0);
    g_string_append_printf(self->text, "%s:%s ", device_names[event], alias);
}

static void
on_departed(const char *uuid, const VgpuJobCost *cost, gpointer opaque)
{
    Fixture *self = opaque;

    assert_string_equal(uuid, UUID);
    g_string_append_printf(self->text, "departed:%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT " ",
                           cost->downtime_ms, cost->data_bytes);
}

static const VgpuWatchEvents events = {
    .domain = on_domain,
    .departed = on_departed,
    .device = on_device,
    .nodedev = on_nodedev,
};

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

/* Run the loop for a moment; returns the events since the last check(). */
static const char *
run(Fixture *self)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    g_timeout_add(QUIET_MS, quit, loop);
    g_main_loop_run(loop);
    return self->text->str;
}

static void
check(Fixture *self, const char *expected, const char *what)
{
    if (strcmp(run(self), expected) != 0)
        fail_msg("%s: got '%s'", what, self->text->str);
    g_string_truncate(self->text, 0);
}

static int
setup(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *self = g_new0(Fixture, 1);

    self->text = g_string_new(NULL);
    self->main_thread = g_thread_self();
    self->conn = vgpu_connection_open_once("test:///default", &error);
    g_assert_no_error(error);
    self->watch = vgpu_watch_new(self->conn, &events, self, &error);
    g_assert_no_error(error);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *self = *state;

    vgpu_watch_free(self->watch);
    run(self);
    g_assert_cmpint(virConnectClose(self->conn), ==, 0); /* the last reference */
    g_string_free(self->text, TRUE);
    g_free(self);
    return 0;
}

static void
test_life(void **state)
{
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    bool image = false;
    int reason = -1;

    check(self, "defined:web ", "define");
    virDomainFree(virDomainDefineXML(self->conn, DOMAIN_XML));
    check(self, "defined:web ", "redefine");
    assert_int_equal(virDomainCreate(domain), 0);
    check(self, "started:web ", "start");
    assert_int_equal(virDomainSuspend(domain), 0);
    assert_int_equal(virDomainResume(domain), 0);
    check(self, "", "suspend and resume");
    assert_int_equal(virDomainDestroy(domain), 0);
    check(self, "stopped:web ", "stop");
    assert_int_equal(virDomainCreate(domain), 0);
    check(self, "started:web ", "start again");
    assert_int_equal(virDomainManagedSave(domain, 0), 0);
    check(self, "saved:web ", "managedsave");
    assert_true(vgpu_domains_get_end(self->conn, UUID, &reason, &image, NULL));
    assert_true(image && reason >= 0);
    assert_int_equal(virDomainManagedSaveRemove(domain, 0), 0);
    assert_true(vgpu_domains_get_end(self->conn, UUID, &reason, &image, NULL));
    assert_false(image);
    assert_int_equal(virDomainRename(domain, "www", 0), 0);
    check(self, "renamed-away:web defined:www ", "rename");
    assert_int_equal(virDomainUndefine(domain), 0);
    check(self, "undefined:www ", "undefine");
}

static void
set_metadata(virDomainPtr domain, int type, const char *text, const char *uri)
{
    assert_int_equal(virDomainSetMetadata(domain, type, text, uri ? "x" : NULL, uri,
                                          VIR_DOMAIN_AFFECT_CONFIG),
                     0);
}

static void
test_metadata(void **state)
{
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);

    check(self, "defined:web ", "define");
    set_metadata(domain, VIR_DOMAIN_METADATA_ELEMENT, "<devices/>", VGPU_XMLNS);
    check(self, "defined:web ", "ours");
    set_metadata(domain, VIR_DOMAIN_METADATA_ELEMENT, NULL, VGPU_XMLNS);
    check(self, "defined:web ", "ours removed");
    set_metadata(domain, VIR_DOMAIN_METADATA_ELEMENT, "<other/>", "urn:other");
    check(self, "", "another's");
    set_metadata(domain, VIR_DOMAIN_METADATA_TITLE, "a title", NULL);
    check(self, "", "a title");
    assert_int_equal(virDomainUndefine(domain), 0);
    check(self, "undefined:web ", "undefine");
}

/* A node device driver that can create: that of virtual host adapters. */
static void
test_nodedev(void **state)
{
    Fixture *self = *state;
    g_autoptr(virNodeDevice) device = virNodeDeviceCreateXML(
        self->conn,
        "<device><parent>scsi_host1</parent><capability type='scsi_host'>"
        "<capability type='fc_host'><wwnn>20000000c9831b4b</wwnn><wwpn>10000000c9831b4b</wwpn>"
        "</capability></capability></device>",
        0);
    g_autofree char *came = NULL, *went = NULL;

    assert_non_null(device);
    came = g_strdup_printf("+%s ", virNodeDeviceGetName(device));
    went = g_strdup_printf("-%s ", virNodeDeviceGetName(device));
    check(self, came, "a device comes");
    assert_int_equal(virNodeDeviceDestroy(device), 0);
    check(self, went, "a device goes");
}

static void
test_no_event_after_free(void **state)
{
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);

    g_clear_pointer(&self->watch, vgpu_watch_free); /* with an event on its way */
    check(self, "", "after free");
    assert_int_equal(virDomainUndefine(domain), 0);
    check(self, "", "after free");
}

static void
free_watch(VgpuDomainEvent event, const char *uuid, const char *name, int id, gpointer opaque)
{
    Fixture *self = opaque;

    on_domain(event, uuid, name, id, opaque);
    g_clear_pointer(&self->watch, vgpu_watch_free);
}

static void
test_free_in_event(void **state)
{
    static const VgpuWatchEvents freeing = { .domain = free_watch, .nodedev = on_nodedev };
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;
    g_autoptr(virDomain) domain = NULL;

    vgpu_watch_free(self->watch);
    self->watch = vgpu_watch_new(self->conn, &freeing, self, &error);
    assert_non_null(self->watch);
    domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    virDomainFree(virDomainDefineXML(self->conn, DOMAIN_XML));
    check(self, "defined:web ", "the first only");
    assert_null(self->watch);
    assert_int_equal(virDomainUndefine(domain), 0);
}

int __real_virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr domain, int event,
                                            virConnectDomainEventGenericCallback callback,
                                            void *opaque, virFreeCallback freecb);
int __wrap_virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr domain, int event,
                                            virConnectDomainEventGenericCallback callback,
                                            void *opaque, virFreeCallback freecb);
/* The last registration of each kind. */
static struct {
    virConnectDomainEventGenericCallback callback;
    void *opaque;
} registered[EVENTS];

int
__wrap_virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr domain, int event,
                                        virConnectDomainEventGenericCallback callback,
                                        void *opaque, virFreeCallback freecb)
{
    assert_in_range(event, 0, EVENTS - 1);
    registered[event].callback = callback;
    registered[event].opaque = opaque;
    return __real_virConnectDomainEventRegisterAny(conn, domain, event, callback, opaque, freecb);
}

/* As libvirt does; all three events have that type. */
static void
call_back(Fixture *self, virDomainPtr domain, int event, const char *alias)
{
    union {
        virConnectDomainEventGenericCallback generic;
        virConnectDomainEventDeviceAddedCallback device;
    } callback = { .generic = registered[event].callback };

    callback.device(self->conn, domain, alias, registered[event].opaque);
}

/* The test driver knows no devices that come and go: its callbacks are called here. */
static void
test_devices(void **state)
{
    static const struct {
        const char *what;
        int event;
        const char *alias;
        const char *expected;
    } cases[] = {
        { "ours comes", VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, "ua-vgpu-0", "added:ua-vgpu-0 " },
        { "ours goes", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "ua-vgpu-15", "removed:ua-vgpu-15 " },
        { "the guest refuses", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, "ua-vgpu-1",
          "kept:ua-vgpu-1 " },
        { "another's comes", VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, "hostdev0", "" },
        { "another's goes", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "ua-disk", "" },
        { "one without an alias", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, NULL, "" },
    };
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);

    assert_int_equal(virDomainCreate(domain), 0);
    check(self, "defined:web started:web ", "start");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        call_back(self, domain, cases[i].event, cases[i].alias);
        check(self, cases[i].expected, cases[i].what);
    }
    assert_int_equal(virDomainDestroy(domain), 0);
    assert_int_equal(virDomainUndefine(domain), 0);
}

/* The test driver does not migrate. */
static void
test_iterations(void **state)
{
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    union {
        virConnectDomainEventGenericCallback generic;
        virConnectDomainEventMigrationIterationCallback iteration;
    } callback = { .generic = registered[VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION].callback };

    check(self, "defined:web ", "define");
    for (int i = 1; i <= 3; i++)
        callback.iteration(self->conn, domain, i,
                           registered[VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION].opaque);
    check(self, "sending:web ", "the first only");
    assert_int_equal(virDomainUndefine(domain), 0);
}

static void
test_switching(void **state)
{
    static const struct {
        const char *what;
        int event, detail;
        const char *expected;
    } cases[] = {
        { "paused to migrate", VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
          "switching:web " },
        { "paused", VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED, "" },
        { "arrived, or stays", VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED,
          "resumed:web " },
        { "gone", VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, "departed:web " },
    };
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    union {
        virConnectDomainEventGenericCallback generic;
        virConnectDomainEventCallback lifecycle;
    } callback = { .generic = registered[VIR_DOMAIN_EVENT_ID_LIFECYCLE].callback };

    check(self, "defined:web ", "define");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        callback.lifecycle(self->conn, domain, cases[i].event, cases[i].detail,
                           registered[VIR_DOMAIN_EVENT_ID_LIFECYCLE].opaque);
        check(self, cases[i].expected, cases[i].what);
    }
    assert_int_equal(virDomainUndefine(domain), 0);
}

static void
test_jobs(void **state)
{
    static const struct {
        const char *what;
        int operation;                 /* negative: not told */
        long long downtime, net, data; /* negative: not told */
        const char *expected;
    } cases[] = {
        { "a migration", VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, 1200, 1150, 5000000000,
          "departed:1150:5000000000 " },
        { "clocks that differ", VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, 3601150, 1150, 1,
          "departed:1150:1 " },
        { "an older libvirt", VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, 1200, -1, 1,
          "departed:1200:1 " },
        { "without a downtime", VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, -1, -1, 1,
          "departed:-1:1 " },
        { "without anything", VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, -1, -1, -1,
          "departed:-1:0 " },
        { "a migration to this host", VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN, 1200, 1150, 1, "" },
        { "a save", VIR_DOMAIN_JOB_OPERATION_SAVE, 1200, 1150, 1, "" },
        { "an unknown job", -1, 1200, 1150, 1, "" },
    };
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    union {
        virConnectDomainEventGenericCallback generic;
        virConnectDomainEventJobCompletedCallback completed;
    } callback = { .generic = registered[VIR_DOMAIN_EVENT_ID_JOB_COMPLETED].callback };

    check(self, "defined:web ", "define");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct {
            const char *name;
            long long value;
        } numbers[] = {
            { VIR_DOMAIN_JOB_DOWNTIME, cases[i].downtime },
            { VIR_DOMAIN_JOB_DOWNTIME_NET, cases[i].net },
            { VIR_DOMAIN_JOB_DATA_PROCESSED, cases[i].data },
            { VIR_DOMAIN_JOB_DATA_TOTAL, 7 },
        };
        virTypedParameterPtr params = NULL;
        int n = 0, size = 0;

        if (cases[i].operation >= 0)
            assert_int_equal(virTypedParamsAddInt(&params, &n, &size, VIR_DOMAIN_JOB_OPERATION,
                                                  cases[i].operation),
                             0);
        for (size_t k = 0; k < G_N_ELEMENTS(numbers); k++) {
            if (numbers[k].value >= 0)
                assert_int_equal(virTypedParamsAddULLong(&params, &n, &size, numbers[k].name,
                                                         (unsigned long long) numbers[k].value),
                                 0);
        }
        callback.completed(self->conn, domain, params, n,
                           registered[VIR_DOMAIN_EVENT_ID_JOB_COMPLETED].opaque);
        virTypedParamsFree(params, n);
        check(self, cases[i].expected, cases[i].what);
    }
    assert_int_equal(virDomainUndefine(domain), 0);
}

/* A watcher without callbacks for devices. */
static void
test_without_devices(void **state)
{
    static const VgpuWatchEvents deaf = { .domain = on_domain, .nodedev = on_nodedev };
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;
    g_autoptr(virDomain) domain = virDomainDefineXML(self->conn, DOMAIN_XML);

    check(self, "defined:web ", "define");
    vgpu_watch_free(self->watch);
    self->watch = vgpu_watch_new(self->conn, &deaf, self, &error);
    assert_non_null(self->watch);
    call_back(self, domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "ua-vgpu-0");
    check(self, "", "a device goes");
    assert_int_equal(virDomainUndefine(domain), 0);
}

int __real_virConnectNodeDeviceEventRegisterAny(virConnectPtr conn, virNodeDevicePtr device,
                                                int event,
                                                virConnectNodeDeviceEventGenericCallback callback,
                                                void *opaque, virFreeCallback freecb);
int __wrap_virConnectNodeDeviceEventRegisterAny(virConnectPtr conn, virNodeDevicePtr device,
                                                int event,
                                                virConnectNodeDeviceEventGenericCallback callback,
                                                void *opaque, virFreeCallback freecb);
static int nodedev_error; /* VIR_ERR_OK: none */

int __real_virGetLastErrorCode(void);
int __wrap_virGetLastErrorCode(void);
virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);

int
__wrap_virGetLastErrorCode(void)
{
    return nodedev_error ? nodedev_error : __real_virGetLastErrorCode();
}

virErrorPtr
__wrap_virGetLastError(void)
{
    static char message[] = "client socket is closed";
    static virError error = { .domain = VIR_FROM_RPC, .message = message };

    error.code = nodedev_error;
    return nodedev_error ? &error : __real_virGetLastError();
}

int
__wrap_virConnectNodeDeviceEventRegisterAny(virConnectPtr conn, virNodeDevicePtr device,
                                            int event,
                                            virConnectNodeDeviceEventGenericCallback callback,
                                            void *opaque, virFreeCallback freecb)
{
    return nodedev_error ? -1
                         : __real_virConnectNodeDeviceEventRegisterAny(conn, device, event,
                                                                       callback, opaque, freecb);
}

static void
test_without_nodedevs(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;
    g_autoptr(virDomain) domain = NULL;

    vgpu_watch_free(self->watch);
    nodedev_error = VIR_ERR_NO_SUPPORT;
    self->watch = vgpu_watch_new(self->conn, &events, self, &error);
    nodedev_error = VIR_ERR_OK;
    assert_non_null(self->watch);
    domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    check(self, "defined:web ", "define");
    assert_int_equal(virDomainUndefine(domain), 0);
}

/* libvirt has them, but cannot reach them: that is an error for those who watch them. */
static void
test_lost_nodedevs(void **state)
{
    static const VgpuWatchEvents nodedevs = { .nodedev = on_nodedev };
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;

    nodedev_error = VIR_ERR_INTERNAL_ERROR;
    assert_null(vgpu_watch_new(self->conn, &nodedevs, self, &error));
    nodedev_error = VIR_ERR_OK;
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    assert_string_equal(error->message, "cannot read node devices: client socket is closed");
}

/* One for the domains and one for the node devices, as on two connections. */
static void
test_apart(void **state)
{
    static const VgpuWatchEvents domains = { .domain = on_domain };
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;
    g_autoptr(virDomain) domain = NULL;

    vgpu_watch_free(self->watch);
    nodedev_error = VIR_ERR_INTERNAL_ERROR; /* they are not asked for */
    self->watch = vgpu_watch_new(self->conn, &domains, self, &error);
    nodedev_error = VIR_ERR_OK;
    assert_non_null(self->watch);
    domain = virDomainDefineXML(self->conn, DOMAIN_XML);
    check(self, "defined:web ", "define");
    assert_int_equal(virDomainUndefine(domain), 0);
}

/* The connection breaks under it. */
static void
test_broken(void **state)
{
    g_autoptr(FakeHost) host = fake_host_new();
    FakeLibvirtd *daemon = fake_libvirtd_start(host, FAKE_ANSWERS);
    g_autoptr(GError) error = NULL;
    Fixture *self = *state;
    virConnectPtr conn = vgpu_connection_open_once(host->uri, &error);
    g_autoptr(VgpuWatch) watch = NULL;

    assert_non_null(conn);
    watch = vgpu_watch_new(conn, &events, self, &error);
    assert_non_null(watch);
    fake_libvirtd_kill(daemon);
    check(self, "", "the connection breaks");
    g_clear_pointer(&watch, vgpu_watch_free);
    assert_null(vgpu_watch_new(conn, &events, self, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    virConnectClose(conn);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_metadata),
        TEST(test_nodedev),
        TEST(test_no_event_after_free),
        TEST(test_free_in_event),
        TEST(test_without_nodedevs),
        TEST(test_lost_nodedevs),
        TEST(test_apart),
        TEST(test_broken),
        TEST(test_devices),
        TEST(test_without_devices),
        TEST(test_iterations),
        TEST(test_switching),
        TEST(test_jobs),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
