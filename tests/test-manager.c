/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of vGPUs in one manager: start and stop by the hook, and events in between. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "core/reading.h"
#include "manager-host.h"

#define A2 "0000:41:00.0"
#define P40 "10000:01:00.0"
#define USERS "11111111-2222-4333-8444-555555555555"

static void
assert_text_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

static void
assert_started(Host *host, const char *xml)
{
    g_autofree char *refused = host_start(host, xml);

    if (refused)
        fail_msg("%s", refused);
}

static void
assert_refused(Host *host, const char *xml, const char *reason)
{
    g_autofree char *refused = host_start(host, xml);

    assert_text_has(refused, reason);
}

static void
assert_device(const Host *host, const char *uuid, const char *where)
{
    g_autofree char *device = host_device(host, uuid);

    assert_string_equal(device, where);
}

/* "STATE on PARENT" of the domain's vGPU in the list; "" when it is not there. */
static char *
row_state(Host *host, const char *uuid)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, true);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->uuid, uuid) == 0)
            return g_strdup_printf("%s on %s", row->state, row->parent ? row->parent : "-");
    }
    return g_strdup("");
}

static void
assert_row(Host *host, const char *uuid, const char *wanted)
{
    g_autofree char *state = row_state(host, uuid);

    assert_string_equal(state, wanted);
}

static void
assert_nothing_left(Host *host)
{
    host_settle(host);
    assert_int_equal(host_count_devices(host), 0);
    assert_int_equal(host_count_records(host), 0);
    assert_int_equal(vgpu_reservations_count(host->manager->reservations, VGPU_KINDS_MADE), 0);
}

static bool
only_released(Host *host)
{
    return host_count_devices(host) == 0;
}

/* --- start and stop ------------------------------------------------------------------------- */

static void
test_start_and_stop(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *before = host_fingerprint(host);
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *after = NULL;

    (void) state;
    assert_started(host, xml);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
    assert_int_equal(host_count_records(host), 1);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
    after = host_fingerprint(host);
    assert_string_equal(after, before);
    assert_string_equal(host->log->str, "starting " HOST_WEB1 "\n"
                                        "vgpu-created " HOST_WEB1_0 " \n"
                                        "settled " HOST_WEB1 "\n" /* STARTED */
                                        "settled " HOST_WEB1 "\n"
                                        "vgpu-removed " HOST_WEB1_0 " \n");
}

static void
note_answer(const GError *error, gpointer opaque)
{
    const Host *host = opaque;

    assert_null(error);
    g_string_append(host->log, "answered\n");
}

/* Reporting can wait until the hook, and with it libvirt, continues. */
static void
test_answer_before_events(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    (void) vgpu_manager_prepare(host->manager, host_domain(xml), vgpu_clock_now(), 5000,
                                note_answer, host);
    while (!strstr(host->log->str, "answered\n") || !strstr(host->log->str, "vgpu-created "))
        g_main_context_iteration(host->context, TRUE);
    assert_string_equal(host->log->str, "starting " HOST_WEB1 "\n"
                                        "answered\n"
                                        "vgpu-created " HOST_WEB1_0 " \n");
}

static void
test_release_before_prepare_is_void(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    guint64 before = vgpu_clock_now();

    (void) state;
    assert_started(host, xml);
    vgpu_manager_release(host->manager, HOST_WEB1, before);
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
    host_release(host, HOST_WEB1); /* STOPPED comes after it */
    assert_nothing_left(host);
}

static void
keep_error(const GError *error, gpointer opaque)
{
    GError **out = opaque;

    *out = error ? g_error_copy(error) : NULL;
}

static void
assert_overtaken(Host *host, guint64 since)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-8Q'/>", 1);
    g_autoptr(GError) error = NULL;

    assert_int_equal(vgpu_manager_prepare(host->manager, host_domain(xml), since, 5000,
                                          keep_error, &error),
                     0);
    assert_non_null(error);
    assert_text_has(error->message, "a newer start of the domain has begun");
}

/* libvirtd was killed and has started the domain again, and the hook of the first start arrives only now. */
static void
test_older_start_is_void(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    guint64 before = vgpu_clock_now();
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host_prepare(host, xml, 5000, &prepare);
    assert_overtaken(host, before); /* while that one waits */
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_null(prepare.error);
    assert_overtaken(host, before); /* it runs, or is about to */
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_restart(host);
    assert_overtaken(host, before);
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_client_gone(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host_knob(host, "create_delay_ms", "100");
    host_prepare(host, xml, 5000, &prepare);
    host_run(host, 20);
    vgpu_manager_cancel(host->manager, prepare.token);
    assert_nothing_left(host);
    assert_false(prepare.answered);
    vgpu_manager_cancel(host->manager, prepare.token); /* over: ignored */
    assert_started(host, xml);

    /* it went after the answer was on its way */
    vgpu_manager_unheard(host->manager, vgpu_manager_since(host->manager, HOST_WEB1));
    assert_nothing_left(host);
}

/* The client disconnects while the device is created, and the domain is started again at once. */
static void
test_client_gone_and_back(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host_knob(host, "create_delay_ms", "100");
    host_prepare(host, xml, 5000, &prepare);
    host_run(host, 20);
    vgpu_manager_cancel(host->manager, prepare.token);
    assert_started(host, xml);
    host_settle(host);
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_refused_create_goes_on(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    host_knob(host, "create_fail_next", "3");
    assert_started(host, xml);
    assert_device(host, HOST_WEB1_0, "0000:41:00.7 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_no_capacity(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *q4 = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *q8 = host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-8Q'/>", 1);
    g_autofree char *m10 =
        host_xml("web1", HOST_WEB1, "<vgpu:device profile='M10-8Q' count='3'/>", 3);
    g_autofree char *unknown = host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-4'/>", 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    /* the driver refuses everywhere */
    host_knob(host, "create_fail_next", "1000");
    assert_refused(host, q4, A2);
    assert_nothing_left(host);
    host_unknob(host, "create_fail_next");

    /* names the GPUs that know it first, and those with the same reason together */
    host_prepare(host, m10, 5000, &prepare);
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_int_equal(prepare.error->code, VGPU_ERROR_NO_CAPACITY);
    assert_text_has(prepare.error->message, "0000:84:00.0 and 1 more: 1 of 1 are in use");
    assert_nothing_left(host);

    for (guint i = 0; i < 4; i++) {
        g_autofree char *uuid = host_nth_uuid(i);

        assert_int_equal(host_make_device(host, i < 2 ? "0000:41:00.4" : "0000:41:00.5",
                                          "nvidia-746", uuid),
                         i % 2 ? EIO : 0);
    }
    assert_refused(host, q8, A2); /* another size */
    assert_refused(host, unknown, "A2-4");
    assert_int_equal(host_count_devices(host), 2);
    assert_int_equal(host_count_records(host), 0);
}

static void
test_second_fails(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml =
        host_xml("web1", HOST_WEB1, HOST_DEVICE() "<vgpu:device profile='A2-8Q'/>", 2);
    g_autofree char *good =
        host_xml("web1", HOST_WEB1, HOST_DEVICE() "<vgpu:device profile='P40-4Q'/>", 2);
    g_autofree char *second = vgpu_uuid_for_domain(HOST_WEB1, 1);

    (void) state;
    assert_refused(host, xml, "A2-8Q");
    assert_nothing_left(host);

    assert_started(host, good);
    assert_device(host, second, "10000:01:00.0 nvidia-49");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_exact_names(void **state)
{
    static const struct {
        const char *what;
        const char *profile;
        const char *where; /* NULL: refused */
    } cases[] = {
        { "id 58 is not 588", "58", P40 " nvidia-58" },
        { "a full id", "nvidia-588", P40 " nvidia-588" },
        { "another vendor prefix", "NVIDIA P40-1Q", P40 " nvidia-46" },
        { "a part of a name does not match", "A2-16", NULL },
        { "case counts", "a2-4q", NULL },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *device =
            g_strdup_printf("<vgpu:device profile='%s'/>", cases[i].profile);
        g_autofree char *xml = host_xml("web1", HOST_WEB1, device, 1);
        g_autofree char *refused = host_start(host, xml);
        g_autofree char *got = host_device(host, HOST_WEB1_0);

        if ((refused != NULL) != (cases[i].where == NULL) ||
            g_strcmp0(got, cases[i].where ? cases[i].where : "") != 0)
            fail_msg("%s: '%s' %s", cases[i].what, got, refused);
    }
}

static void
test_ten_for_four(void **state)
{
    g_autoptr(Host) host = host_new();
    Prepare prepares[10];
    guint ready = 0, waiting = 10;

    (void) state;
    host_knob(host, "create_delay_ms", "5");
    for (guint i = 0; i < 10; i++) {
        g_autofree char *uuid = host_nth_uuid(i);
        g_autofree char *name = g_strdup_printf("vm%u", i);
        g_autofree char *xml = host_xml(name, uuid, HOST_DEVICE(), 1);

        host_prepare(host, xml, 5000, &prepares[i]);
    }
    while (waiting) {
        waiting = ready = 0;
        for (guint i = 0; i < 10; i++) {
            waiting += !prepares[i].answered;
            ready += prepares[i].answered && !prepares[i].error;
        }
        if (waiting)
            g_main_context_iteration(host->context, TRUE);
    }
    assert_int_equal(ready, 4);
    assert_int_equal(host_count_devices(host), 4);
    assert_int_equal(host_count_records(host), 4);
    for (guint i = 0; i < 10; i++) {
        if (prepares[i].error)
            assert_int_equal(prepares[i].error->code, VGPU_ERROR_NO_CAPACITY);
        prepare_clear(&prepares[i]);
    }
}

/* --- late attach ---------------------------------------------------------------------------- */

static void
test_late_attach(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autoptr(GError) error = g_error_new_literal(VGPU_ERROR, VGPU_ERROR_FAILED, "no such slot");
    guint64 since;

    (void) state;
    assert_started(host, xml);
    assert_row(host, HOST_WEB1_0, "attaching on 0000:41:00.4");
    since = vgpu_manager_since(host->manager, HOST_WEB1);
    assert_null(strstr(host->log->str, "attach "));
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    assert_text_has(host->log->str, "attach " HOST_WEB1 " 7 0\n");
    vgpu_manager_attached(host->manager, HOST_WEB1, since + 1, HOST_WEB1_0,
                          error); /* of another run */
    vgpu_manager_attached(host->manager, HOST_WEB1, since, HOST_WEB1_0, NULL);
    assert_text_has(host->log->str, "vgpu-attached " HOST_WEB1_0);
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
    vgpu_manager_attached(host->manager, HOST_WEB1, since, HOST_WEB1_0, error); /* late, void */
    host_settle(host);
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_late_attach_fails(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autoptr(GError) error = g_error_new_literal(VGPU_ERROR, VGPU_ERROR_FAILED, "no such slot");

    (void) state;
    assert_started(host, xml);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    vgpu_manager_attached(host->manager, HOST_WEB1, vgpu_manager_since(host->manager, HOST_WEB1),
                          HOST_WEB1_0, error);
    host_settle(host);
    assert_text_has(host->log->str, "vgpu-failed " HOST_WEB1_0 " no such slot");
    assert_int_equal(host_count_devices(host), 0);
    assert_row(host, HOST_WEB1_0, "failed on 0000:41:00.4"); /* and the guest runs on */
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
    assert_started(host, xml); /* the next run may have it */
    assert_row(host, HOST_WEB1_0, "attaching on 0000:41:00.4");
}

static void
test_late_attach_fails_at_the_end(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autoptr(GError) error = g_error_new_literal(VGPU_ERROR, VGPU_ERROR_FAILED, "it stops");

    (void) state;
    assert_started(host, xml);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    vgpu_manager_attached(host->manager, HOST_WEB1, vgpu_manager_since(host->manager, HOST_WEB1),
                          HOST_WEB1_0, error);
    host_release(host, HOST_WEB1); /* before the device of the failed one has gone */
    assert_nothing_left(host);
}

static void
test_late_attach_refused(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *off = host_xml("web1", HOST_WEB1, HOST_DEVICE("lateAttach='off'"), 0);
    g_autofree char *full = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_auto(GStrv) halves = g_strsplit(full, "machine='pc'", 2);
    g_autofree char *q35 = g_strjoinv("machine='q35'", halves);

    (void) state;
    assert_refused(host, off, "lateAttach is off");
    assert_refused(host, q35, "no free hotplug slot");
    assert_nothing_left(host);
}

/* --- stop and start again ------------------------------------------------------------------- */

static void
test_restart_while_open(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    assert_started(host, xml);
    host_open(host, HOST_WEB1_0);
    host_release(host, HOST_WEB1);
    host_run(host, 50);
    assert_row(host, HOST_WEB1_0, "releasing on 0000:41:00.4"); /* not written: QEMU has it */
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");

    host_prepare(host, xml, 5000, &prepare);
    host_run(host, 100);
    assert_false(prepare.answered);
    host_close(host, HOST_WEB1_0);
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_null(prepare.error);
    host_settle(host);
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);
}

static void
test_restart_while_removed(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    assert_started(host, xml);
    host_knob(host, "remove_delay_ms", "300");
    host_release(host, HOST_WEB1);
    assert_true(host_wait(host, only_released)); /* hidden, not gone */
    assert_started(host, xml);
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    assert_row(host, HOST_WEB1_0, "active on 0000:41:00.4");
}

static void
test_restart_in_vain(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *other = host_xml("web2", USERS, HOST_DEVICE(), 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    assert_started(host, xml);
    host_knob(host, "hang_remove-" A2, "");
    host_release(host, HOST_WEB1);
    assert_true(host_wait(host, only_released));
    host_prepare(host, xml, 200, &prepare);
    assert_started(host, other); /* blocks this domain only */
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_text_has(prepare.error ? prepare.error->message : "", "still being removed");
    assert_int_equal(prepare.error->code, VGPU_ERROR_BUSY);
    host_unknob(host, "hang_remove-" A2);
    host_settle(host);
    host_release(host, USERS);
    assert_nothing_left(host);
}

static void
test_restart_with_another_profile(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *p40 = host_xml("web1", HOST_WEB1, "<vgpu:device profile='P40-1Q'/>", 1);

    (void) state;
    assert_started(host, xml);
    host_knob(host, "remove_delay_ms", "50");
    host_release(host, HOST_WEB1);
    assert_started(host, p40);
    host_settle(host);
    assert_device(host, HOST_WEB1_0, P40 " nvidia-46");
    assert_row(host, HOST_WEB1_0, "active on " P40);
}

static bool
is_told_as_stuck(Host *host)
{
    return strstr(host->log->str, "vgpu-stuck " HOST_WEB1_0) != NULL;
}

static void
test_stuck_removal_is_told(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    host->config->remove_timeout = 0;
    assert_started(host, xml);
    host_knob(host, "hang_remove-" A2, "");
    host_release(host, HOST_WEB1);
    assert_true(host_wait(host, is_told_as_stuck));
    assert_row(host, HOST_WEB1_0, "stuck on 0000:41:00.4");
    host_unknob(host, "hang_remove-" A2);
    assert_nothing_left(host);
}

static bool
has_no_record(Host *host)
{
    return host_count_records(host) == 0;
}

static guint
room_for_4q(const Host *host)
{
    g_autoptr(VgpuReading) reading = vgpu_manager_read(host->manager);
    const VgpuGpu *gpu = vgpu_inventory_find(host->manager->inventory, A2);

    return vgpu_reading_available(reading, gpu, vgpu_gpu_find_profile(gpu, "nvidia-746"));
}

/* One query, and what it finds. */
typedef struct {
    Host *host;
    bool is_answered;
    bool is_silent; /* then */
    guint room;     /* then */
} Query;

static void
answer(gpointer data)
{
    Query *self = data;

    self->is_answered = true;
    self->is_silent = vgpu_drivers_why(self->host->manager->drivers, A2, NULL);
    self->room = room_for_4q(self->host);
}

/* A driver that is slow while a vGPU is removed delays queries for the usual limit only; but one that arrives
 * after the removal is answered with what is read after the removal. */
static void
test_query_after_removal(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    Query query = { .host = host };
    guint room;
    gint64 now;

    (void) state;
    host_see(host->manager);
    room = room_for_4q(host);
    assert_started(host, xml);
    host_knob(host, "hang_remove-" A2, "");
    host_release(host, HOST_WEB1);
    assert_true(host_wait(host, only_released));
    host_knob(host, "hang_read-" A2, "");
    host_see(host->manager);
    assert_int_equal(room_for_4q(host), room - 1);
    host_unknob(host, "hang_remove-" A2);
    assert_true(host_wait(host, has_no_record));
    now = g_get_monotonic_time();
    vgpu_manager_when_seen(host->manager, now, answer, &query);
    while (vgpu_drivers_discover(host->manager->drivers, now) != VGPU_SIGHT_FRESH)
        g_main_context_iteration(host->context, TRUE);
    while (g_main_context_iteration(host->context, FALSE))
        ;
    assert_true(!query.is_answered || query.is_silent); /* as on a very slow machine */
    host_unknob(host, "hang_read-" A2);
    while (!query.is_answered)
        g_main_context_iteration(host->context, TRUE);
    assert_int_equal(query.is_silent ? room : query.room, room);
}

/* Querying whether a device is in use can hang, as a removal can. */
static void
test_stuck_probe_is_told(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    host->config->remove_timeout = 0;
    assert_started(host, xml);
    host_knob(host, "hang_open-" HOST_WEB1_0, "");
    host_release(host, HOST_WEB1);
    assert_true(host_wait(host, is_told_as_stuck));
    assert_row(host, HOST_WEB1_0, "stuck on 0000:41:00.4");
    host_unknob(host, "hang_open-" HOST_WEB1_0);
    assert_nothing_left(host);
}

/* --- drivers that hang ---------------------------------------------------------------------- */

static void
test_hung_driver(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *a2 = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *p40 = host_xml("web2", USERS, "<vgpu:device profile='P40-1Q'/>", 1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host_knob(host, "hang_create-" A2, "");
    host_prepare(host, a2, 3000, &prepare);
    assert_started(host, p40);
    assert_false(prepare.answered);
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_int_equal(prepare.error->code, VGPU_ERROR_BUSY);
    assert_text_has(prepare.error->message, A2 " has not answered");
    host_unknob(host, "hang_create-" A2);
    host_release(host, USERS);
    assert_nothing_left(host); /* what the driver made after all is undone */
}

/* --- uuid="…" ------------------------------------------------------------------------------- */

#define USERS_DEVICE "<vgpu:device profile='A2-4Q' uuid='" USERS "'/>"

/* With the user's own <hostdev>. */
static char *
users_xml(const char *name, const char *uuid)
{
    g_autofree char *xml = host_xml(name, uuid, USERS_DEVICE, 0);
    g_auto(GStrv) halves = g_strsplit(xml, "</devices>", 2);

    return g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                      "<address uuid='" USERS "'/></source></hostdev></devices>",
                      halves);
}

static void
test_users_uuid(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = users_xml("web1", HOST_WEB1);
    g_autofree char *bare = host_xml("web1", HOST_WEB1, USERS_DEVICE, 0);

    (void) state;
    assert_refused(host, bare, "no <hostdev type='mdev'> with it");
    /* there is none yet: made, and removed */
    assert_started(host, xml);
    assert_device(host, USERS, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);

    /* there is one of the right type: used, never removed */
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-746", USERS), 0);
    assert_started(host, xml);
    assert_row(host, USERS, "active on 0000:41:00.6");
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_device(host, USERS, "0000:41:00.6 nvidia-746");
    assert_int_equal(host_count_records(host), 0);
    assert_row(host, USERS, "foreign on 0000:41:00.6");
}

static void
test_users_uuid_of_another_type(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = users_xml("web1", HOST_WEB1);
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-747", USERS), 0);
    assert_refused(host, xml, "A2-8Q");
    host_settle(host);
    assert_device(host, USERS, "0000:41:00.6 nvidia-747");
    assert_int_equal(host_count_records(host), 0);
}

static void
test_users_uuid_of_another_domain(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *first = users_xml("web1", HOST_WEB1);
    g_autofree char *other_uuid = host_nth_uuid(2);
    g_autofree char *second = users_xml("web2", other_uuid);
    g_autofree char *computed =
        host_xml("web3", other_uuid, "<vgpu:device profile='A2-4Q' uuid='" HOST_WEB1_0 "'/>", 0);
    g_auto(GStrv) halves = g_strsplit(computed, "</devices>", 2);
    g_autofree char *thief =
        g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                   "<address uuid='" HOST_WEB1_0 "'/></source></hostdev></devices>",
                   halves);
    g_autofree char *web1 = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    assert_started(host, first); /* by its record */
    assert_refused(host, second, "web1");
    host_release(host, HOST_WEB1);
    assert_nothing_left(host);

    vgpu_manager_take_definition(host->manager, host_domain(first),
                                 false); /* by its definition */
    assert_refused(host, second, "web1");
    vgpu_manager_take_definition(host->manager, host_domain(web1), false);
    assert_refused(host, thief, "web1");
    vgpu_manager_forget_definition(host->manager, HOST_WEB1);
    assert_started(host, second);
}

static void
test_clone(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *original = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *clone_uuid = host_nth_uuid(3);
    g_auto(GStrv) parts = g_strsplit(original, HOST_WEB1, -1);
    g_autofree char *clone = g_strjoinv(clone_uuid, parts);
    g_autofree char *rewrite = g_strdup_printf("rewrite %s\n", clone_uuid);

    (void) state;
    assert_started(host, original);
    assert_refused(host, clone, "is being rewritten, start it again");
    assert_text_has(host->log->str, rewrite);
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    assert_int_equal(host_count_records(host), 1);
}

/* --- odd annotations ------------------------------------------------------------------------ */

static void
test_nothing_wanted(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *none = host_xml("web1", HOST_WEB1, "", 0);

    (void) state;
    assert_started(host, xml); /* and its release is lost */
    assert_started(host, none);
    assert_nothing_left(host);
    assert_refused(host, "<domain", "line 1");
    assert_refused(host, "", "");
}

static void
test_orphan_is_looked_at(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    guint64 since;

    (void) state;
    host->config->orphan_check = 0;
    assert_started(host, xml);
    since = vgpu_manager_since(host->manager, HOST_WEB1);
    host_run(host, 1500); /* it comes with the full second */
    assert_text_has(host->log->str, "look " HOST_WEB1);
    vgpu_manager_settle(host->manager, HOST_WEB1, since - 1, false, -1); /* of an earlier run */
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    vgpu_manager_settle(host->manager, HOST_WEB1, since, true, 5);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    vgpu_manager_settle(host->manager, HOST_WEB1, since, false, -1);
    assert_nothing_left(host);
}

/* A copy answers from a snapshot, on another thread, whatever happens to the manager. */
static gpointer
explain_on_copy(gpointer copy)
{
    g_autofree char *xml = host_xml("other", USERS, HOST_DEVICE(), 0);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = (vgpu_manager_explain) (copy, domain);
    const VgpuForecast *forecast = g_ptr_array_index(forecasts, 0);

    return g_strdup(forecast->refusal ? forecast->refusal : forecast->chosen->reason);
}

static void
test_copy(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *before = NULL, *after = NULL, *at_last = NULL;
    VgpuManager *empty = vgpu_manager_copy(host->manager, NULL);
    VgpuManager *in_use;

    (void) state;
    assert_null(host_start(host, xml));
    host_see(host->manager);
    in_use = vgpu_manager_copy(host->manager, NULL);
    after = g_thread_join(g_thread_new("explain", explain_on_copy, in_use));
    host_release(host, HOST_WEB1);
    host_settle(host);
    g_clear_pointer(&host->manager, vgpu_manager_free);
    before = g_thread_join(g_thread_new("explain", explain_on_copy, empty));
    at_last = explain_on_copy(in_use);
    assert_string_equal(before, "on 0000:41:00.4");
    assert_string_equal(after, "on 0000:41:00.5");
    assert_string_equal(at_last, after);
    vgpu_manager_copy_free(empty);
    vgpu_manager_copy_free(in_use);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_answer_before_events),
        cmocka_unit_test(test_release_before_prepare_is_void),
        cmocka_unit_test(test_older_start_is_void),
        cmocka_unit_test(test_client_gone),
        cmocka_unit_test(test_client_gone_and_back),
        cmocka_unit_test(test_refused_create_goes_on),
        cmocka_unit_test(test_no_capacity),
        cmocka_unit_test(test_second_fails),
        cmocka_unit_test(test_exact_names),
        cmocka_unit_test(test_ten_for_four),
        cmocka_unit_test(test_late_attach),
        cmocka_unit_test(test_late_attach_fails),
        cmocka_unit_test(test_late_attach_fails_at_the_end),
        cmocka_unit_test(test_late_attach_refused),
        cmocka_unit_test(test_restart_while_open),
        cmocka_unit_test(test_restart_while_removed),
        cmocka_unit_test(test_restart_in_vain),
        cmocka_unit_test(test_restart_with_another_profile),
        cmocka_unit_test(test_stuck_removal_is_told),
        cmocka_unit_test(test_query_after_removal),
        cmocka_unit_test(test_stuck_probe_is_told),
        cmocka_unit_test(test_hung_driver),
        cmocka_unit_test(test_users_uuid),
        cmocka_unit_test(test_users_uuid_of_another_type),
        cmocka_unit_test(test_users_uuid_of_another_domain),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_nothing_wanted),
        cmocka_unit_test(test_orphan_is_looked_at),
        cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests_name("manager", tests, NULL, NULL);
}
