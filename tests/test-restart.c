/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon dies at any point and is restarted: invariants that hold afterwards, whatever was under way. */
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "manager-host.h"

#define FOREIGN "11111111-2222-4333-8444-555555555555"
#define USERS "11111111-2222-4333-8444-000000000001"
#define TWO HOST_DEVICE() "<vgpu:device profile='P40-1Q'/>"
#define LAST 200 /* no scenario takes so many steps */

static void
finish_drivers(Host *host)
{
    static const char *const knobs[] = { "create_delay_ms", "create_late_ms", "remove_delay_ms" };

    for (gsize i = 0; i < G_N_ELEMENTS(knobs); i++)
        host_unknob(host, knobs[i]);
    host_run(host, 30); /* let the threads of the dead daemon finish */
}

/* Reconcile until nothing is left to do. */
static void
reconcile(Host *host, const GPtrArray *facts)
{
    g_autofree char *first = host_reconcile(host, facts, false);
    g_autofree char *second = NULL;
    g_autofree char *third = NULL;

    host_settle(host);
    finish_drivers(host);
    second = host_reconcile(host, facts, false);
    host_settle(host);
    third = host_reconcile(host, facts, true);
    assert_string_equal(third, "");
}

static void
drop_everything(Host *host)
{
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1); /* the foreign one */
    assert_int_equal(host_count_records(host), 0);
}

/* Check the invariants for domain web1 with @n vGPUs. */
static void
check(Host *host, const char *xml, guint n, bool runs, const char *when, guint point)
{
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *foreign = NULL;
    guint active = 0;

    host_fact(facts, xml, runs ? 7 : -1);
    reconcile(host, facts);
    foreign = host_device(host, FOREIGN);
    assert_string_equal(foreign, "0000:41:02.3 nvidia-746");
    for (guint i = 0; i < n; i++) {
        g_autofree char *uuid = vgpu_uuid_for_domain(HOST_WEB1, i);
        g_autofree char *device = host_device(host, uuid);
        VgpuOwner *owner = vgpu_records_find(host->manager, HOST_WEB1);
        VgpuClaim *claim = owner ? vgpu_owner_find(owner, uuid) : NULL;

        if ((*device != '\0') != runs || (claim != NULL) != runs)
            fail_msg("%s, died after %u steps: vGPU %u of a domain that %s: device '%s', %s",
                     when, point, i, runs ? "runs" : "does not run", device,
                     claim ? "recorded" : "not recorded");
        active += claim && claim->phase == VGPU_PHASE_READY && owner->started;
    }
    assert_int_equal(active, runs ? n : 0);
    assert_int_equal(host_count_devices(host), 1 + (runs ? n : 0));
    assert_int_equal(host_count_records(host), runs ? 1 : 0);
}

static Host *
host_with_foreign(void)
{
    Host *host = host_new();

    assert_int_equal(host_make_device(host, "0000:41:02.3", "nvidia-746", FOREIGN), 0);
    return host;
}

/* Handle @steps events; false if there were fewer. */
static bool
run_steps(Host *host, guint steps, const bool *over)
{
    for (guint i = 0; i < steps; i++) {
        if (*over)
            return false;
        g_main_context_iteration(host->context, TRUE);
    }
    return true;
}

/* --- in the middle of a start ---------------------------------------------------------------- */

/* The daemon dies @point steps after a prepare; true when it had been answered before. */
static bool
die_in_start(Host *host, const char *xml, guint point, const char *knob)
{
    g_auto(Prepare) prepare = { 0 };
    bool runs;

    if (knob)
        host_knob(host, knob, "10");
    host_prepare(host, xml, 5000, &prepare);
    (void) run_steps(host, point, &prepare.answered);
    runs = prepare.answered;
    if (runs)
        assert_null(prepare.error);
    host_restart(host);
    return runs;
}

static void
test_die_in_start(void **state)
{
    static const char *const knobs[] = { NULL, "create_delay_ms", "create_late_ms" };
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(knobs); i++) {
        g_autoptr(Host) host = host_with_foreign();
        g_autofree char *before = host_fingerprint(host);
        g_autofree char *after = NULL;
        bool runs = false;

        for (guint point = 0; !runs; point++) {
            assert_true(point < LAST);
            runs = die_in_start(host, xml, point, knobs[i]);
            check(host, xml, 2, runs, knobs[i] ? knobs[i] : "start", point);
            if (runs) {
                /* it was answered, but libvirtd died before the domain ran */
                check(host, xml, 2, false, "start, then libvirtd", point);
            }
        }
        after = host_fingerprint(host);
        assert_string_equal(after, before);
    }
}

/* The domain is started again before libvirt can be asked: leftovers of the dead daemon do not prevent that. */
static void
test_die_in_start_and_start(void **state)
{
    static const char *const knobs[] = { "create_delay_ms", "create_late_ms" };
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(knobs); i++) {
        g_autoptr(Host) host = host_with_foreign();
        bool runs = false;

        for (guint point = 0; !runs; point++) {
            g_autofree char *refused = NULL;

            runs = die_in_start(host, xml, point, knobs[i]);
            refused = host_start(host, xml);
            if (refused)
                fail_msg("%s, died after %u steps: %s", knobs[i], point, refused);
            vgpu_manager_started(host->manager, HOST_WEB1, 7);
            check(host, xml, 2, true, knobs[i], point);
            drop_everything(host);
        }
    }
}

static char *
users_xml(void)
{
    g_autofree char *xml =
        host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-4Q' uuid='" USERS "'/>", 0);
    g_auto(GStrv) halves = g_strsplit(xml, "</devices>", 2);

    return g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                      "<address uuid='" USERS "'/></source></hostdev></devices>",
                      halves);
}

/* The domain starts with another annotation before libvirt's list is compared, and the list then does not cover the
 * vGPU that the driver may have created: its record is not dropped without a look at the device. */
static void
test_die_in_start_and_edit(void **state)
{
    static const char *const knobs[] = { NULL, "create_delay_ms", "create_late_ms" };
    g_autofree char *users = users_xml();
    g_autofree char *four = host_xml("web1", HOST_WEB1, TWO TWO, 4);
    const char *const first[] = { users, four };
    g_autofree char *edited = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(knobs) * G_N_ELEMENTS(first); i++) {
        const char *xml = first[i % G_N_ELEMENTS(first)];
        const char *knob = knobs[i / G_N_ELEMENTS(first)];
        bool answered = false;

        for (guint point = 0; !answered; point += 5) {
            g_autoptr(Host) host = host_with_foreign();
            g_autofree char *refused = NULL;

            assert_true(point < LAST);
            answered = die_in_start(host, xml, point, knob);
            refused = host_start(host, edited);
            if (refused && !strstr(refused, "still") && !strstr(refused, "room"))
                fail_msg("after %u steps: %s", point, refused);
            host_release(host, HOST_WEB1);
            finish_drivers(host);
            host_settle(host);
            if (host_count_devices(host) != 1 || host_count_records(host))
                fail_msg("%s %s, died after %u steps: %u devices, %u records",
                         i % G_N_ELEMENTS(first) ? "four" : "uuid=", knob ? knob : "start", point,
                         host_count_devices(host) - 1, host_count_records(host));
        }
    }
}

/* The start after the crash fails, too, before libvirt can be asked: the vGPU that the dead daemon had created
 * for it is removed all the same. */
static void
test_die_in_start_and_fail(void **state)
{
    static const struct {
        const char *text;
        const char *devices; /* of the second start; NULL: its hook goes away */
    } rows[] = {
        { "refused", HOST_DEVICE() "<vgpu:device profile='P40-1Q' gpu='0000:41:00.0'/>" },
        { "its hook disconnects", NULL },
    };
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *next =
            host_xml("web1", HOST_WEB1, rows[i].devices ? rows[i].devices : TWO, 2);
        g_autoptr(Host) host = host_with_foreign();
        bool runs = false;

        for (guint point = 0; !runs; point++) {
            g_auto(Prepare) prepare = { 0 };

            runs = die_in_start(host, xml, point, "create_late_ms");
            finish_drivers(host);
            host_prepare(host, next, 5000, &prepare);
            if (!rows[i].devices)
                vgpu_manager_cancel(host->manager, prepare.token);
            while (rows[i].devices && !prepare.answered)
                g_main_context_iteration(host->context, TRUE);
            assert_true(!prepare.answered || prepare.error);
            host_release(host, HOST_WEB1);
            host_settle(host);
            if (host_count_devices(host) != 1 || host_count_records(host) != 0)
                fail_msg("%s, died after %u steps: %u devices, %u records", rows[i].text, point,
                         host_count_devices(host) - 1, host_count_records(host));
        }
    }
}

/* --- in the middle of a stop ----------------------------------------------------------------- */

static bool
is_over(Host *host)
{
    return vgpu_reservations_count(host->manager->reservations, VGPU_KINDS_MADE) == 0;
}

static void
test_die_in_stop(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *before = host_fingerprint(host);
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);
    g_autofree char *after = NULL;
    bool over = false;

    (void) state;
    for (guint point = 0; !over; point++) {
        g_autofree char *refused = host_start(host, xml);

        assert_true(point < LAST);
        assert_null(refused);
        vgpu_manager_started(host->manager, HOST_WEB1, 7);
        host_knob(host, "remove_delay_ms", "10");
        host_release(host, HOST_WEB1);
        for (guint i = 0; i < point && !over; i++) {
            g_main_context_iteration(host->context, TRUE);
            over = is_over(host);
        }
        host_restart(host);
        check(host, xml, 2, false, "stop", point);
    }
    after = host_fingerprint(host);
    assert_string_equal(after, before);
}

/* The daemon was away when the domain stopped: no release came. */
static void
test_stop_unseen(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);
    g_autofree char *refused = host_start(host, xml);
    g_autofree char *dry = NULL;
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *second = vgpu_uuid_for_domain(HOST_WEB1, 1);
    g_autofree char *wanted = g_strdup_printf("release %s\nrelease %s\n", HOST_WEB1_0, second);
    g_autofree char *wanted_too =
        g_strdup_printf("release %s\nrelease %s\n", second, HOST_WEB1_0);

    (void) state;
    assert_null(refused);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    host_restart(host);
    host_fact(facts, xml, -1);
    dry = host_reconcile(host, facts, true); /* says it beforehand, and does nothing */
    assert_true(g_str_equal(dry, wanted) || g_str_equal(dry, wanted_too));
    assert_int_equal(host_count_devices(host), 3);
    check(host, xml, 2, false, "stop unseen", 0);
}

/* The domain was also undefined meanwhile. */
static void
test_undefined_unseen(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);
    g_autofree char *refused = host_start(host, xml);
    g_autoptr(GPtrArray) facts = host_facts();

    (void) state;
    assert_null(refused);
    host_restart(host);
    reconcile(host, facts);
    assert_int_equal(host_count_devices(host), 1);
    assert_int_equal(host_count_records(host), 0);
}

/* --- lost and damaged records ---------------------------------------------------------------- */

static void
lose_records(Host *host)
{
    g_autofree char *path = g_build_filename(host->root, VGPU_PATH_CLAIMS, HOST_WEB1, NULL);

    assert_int_equal(g_unlink(path), 0);
    host_restart(host);
}

static void
test_lost_records(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, TWO, 2);
    g_autofree char *refused = host_start(host, xml);

    (void) state;
    assert_null(refused);
    lose_records(host);
    check(host, xml, 2, true, "records lost under a running domain", 0);
    lose_records(host);
    check(host, xml, 2, false, "records lost, and the domain stopped", 0);
}

static void
test_spoilt_record(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *path = g_build_filename(host->root, VGPU_PATH_CLAIMS, HOST_WEB1, NULL);
    g_autofree char *before = NULL, *after = NULL;
    g_autoptr(GPtrArray) facts = host_facts();

    (void) state;
    assert_true(g_file_set_contents(path, "[owner]\n[" FOREIGN "]\nphase=releasing\n", -1, NULL));
    before = host_fingerprint(host);
    host_restart(host);
    reconcile(host, facts);
    after = host_fingerprint(host);
    assert_string_equal(after, before);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* --- late attach ----------------------------------------------------------------------------- */

static void
test_die_before_attach(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autofree char *with = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *refused = host_start(host, xml);
    g_autofree char *plan = NULL;
    g_autoptr(GPtrArray) facts = host_facts();

    (void) state;
    assert_null(refused);
    host_restart(host);
    host_fact(facts, xml, 7);
    plan = host_reconcile(host, facts, false);
    assert_string_equal(plan, "attach " HOST_WEB1_0 "\n");
    assert_non_null(strstr(host->log->str, "attach " HOST_WEB1 " 7 0\n"));

    /* it was attached, but the daemon died before it could write that down */
    host_restart(host);
    check(host, with, 1, true, "attached", 0);
}

/* --- changes while libvirt's domains are listed ---------------------------------------------- */

static void
test_changed_meanwhile(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *other_uuid = host_nth_uuid(1);
    g_autofree char *other = host_xml("web2", other_uuid, HOST_DEVICE(), 1);
    g_autoptr(GHashTable) noted = vgpu_manager_note(host->manager);
    g_autoptr(GPtrArray) facts = host_facts(), plan = NULL;
    g_autofree char *refused = NULL;
    g_auto(Prepare) prepare = { 0 };

    (void) state;
    host_fact(facts, xml, -1); /* as they were when the list was made */
    host_fact(facts, other, -1);
    refused = host_start(host, xml);
    assert_null(refused);
    host_knob(host, "create_late_ms", "50");
    host_prepare(host, other, 5000, &prepare);
    g_usleep(20000); /* its device is there, its record says creating */
    plan = vgpu_manager_reconcile(host->manager, noted, facts, false);
    assert_int_equal(plan->len, 0);
    host_settle(host);
    assert_true(prepare.answered && !prepare.error);
    assert_int_equal(host_count_devices(host), 3);
}

/* A device of that UUID on a card that was removed, and a record whose device was removed by a third party. */
static void
test_device_taken_away(void **state)
{
    g_autoptr(Host) host = host_with_foreign();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *refused = host_start(host, xml);

    (void) state;
    assert_null(refused);
    assert_int_equal(vgpu_sysfs_write(host->sysfs,
                                      VGPU_SYS_MDEV_DEVICES "/" HOST_WEB1_0 "/remove", "1"),
                     0);
    host_restart(host);
    check(host, xml, 1, false, "taken away", 0);

    refused = host_start(host, xml);
    assert_null(refused);
    assert_int_equal(vgpu_sysfs_write(host->sysfs,
                                      VGPU_SYS_MDEV_DEVICES "/" HOST_WEB1_0 "/remove", "1"),
                     0);
    refused = host_start(host, xml); /* no release came: made again */
    assert_null(refused);
    assert_int_equal(host_count_devices(host), 2);
    drop_everything(host);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_die_in_start),
        cmocka_unit_test(test_die_in_start_and_start),
        cmocka_unit_test(test_die_in_start_and_edit),
        cmocka_unit_test(test_die_in_start_and_fail),
        cmocka_unit_test(test_die_in_stop),
        cmocka_unit_test(test_stop_unseen),
        cmocka_unit_test(test_undefined_unseen),
        cmocka_unit_test(test_lost_records),
        cmocka_unit_test(test_spoilt_record),
        cmocka_unit_test(test_die_before_attach),
        cmocka_unit_test(test_changed_meanwhile),
        cmocka_unit_test(test_device_taken_away),
    };

    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
