/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Concurrent operations, and events in the wrong order: foreign devices stay, and nothing is left behind. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "manager-host.h"

#define USERS "11111111-2222-4333-8444-555555555555"
#define A2 "0000:41:00.0"

static char *
users_xml(const char *profile)
{
    g_autofree char *device =
        g_strdup_printf("<vgpu:device profile='%s' uuid='" USERS "'/>", profile);
    g_autofree char *xml = host_xml("web1", HOST_WEB1, device, 0);
    g_auto(GStrv) halves = g_strsplit(xml, "</devices>", 2);

    return g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                      "<address uuid='" USERS "'/></source></hostdev></devices>",
                      halves);
}

static void
assert_text_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

static void
assert_device(Host *host, const char *uuid, const char *wanted)
{
    g_autofree char *seen = host_device(host, uuid);

    assert_string_equal(seen, wanted);
}

/* libvirtd was killed inside a hook, and starts the domain again while that hook still waits. */
static void
test_second_start_counts(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_auto(Prepare) first = { 0 };
    g_autofree char *refused = NULL;

    (void) state;
    host_knob(host, "create_delay_ms", "100");
    host_prepare(host, xml, 5000, &first);
    host_run(host, 20);
    refused = host_start(host, xml);
    assert_null(refused);
    assert_true(first.answered);
    assert_text_has(first.error->message, "a newer start");
    vgpu_manager_cancel(host->manager, first.token); /* its hook goes, too */
    host_settle(host);
    assert_device(host, HOST_WEB1_0, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* The stop was missed, and the profile has changed. */
static void
test_users_device_survives_an_edit(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = users_xml("A2-4Q");
    g_autofree char *edited = users_xml("A2-8Q");
    g_autofree char *start = NULL, *refused = NULL;

    (void) state;
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-746", USERS), 0);
    start = host_start(host, xml);
    assert_null(start);
    refused = host_start(host, edited);
    assert_text_has(refused, "with profile 'NVIDIA A2-4Q' instead of 'A2-8Q'");
    host_settle(host);
    assert_device(host, USERS, "0000:41:00.6 nvidia-746");
}

static void
note(const GError *error, gpointer opaque)
{
    char **answer = opaque;

    *answer = g_strdup(error ? error->message : "done");
}

/* A vGPU created by hand can be used by a domain that names it, and stays. */
static void
test_made_by_hand_is_used(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = users_xml("A2-4Q");
    g_autofree char *made = NULL, *start = NULL;

    (void) state;
    vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
    host_settle(host);
    assert_string_equal(made, "done");
    start = host_start(host, xml);
    assert_null(start);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_device(host, USERS, "0000:41:00.4 nvidia-746");
    assert_int_equal(host_count_records(host), 1);
}

static void
remove_device(const Host *host)
{
    assert_int_equal(vgpu_sysfs_write(host->sysfs, VGPU_SYS_MDEV_DEVICES "/" USERS "/remove",
                                      "1"),
                     0);
}

static void
make_persistent(Host *host)
{
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .uuid = (char *) USERS, .profiles = profiles };
    g_auto(VgpuKeep) kept = { 0 };

    assert_true(vgpu_manager_keep(host->manager, NULL, NULL, &want, &kept, NULL));
    vgpu_manager_kept(host->manager, USERS);
}

/* Its rows in the list, "DOMAIN INDEX, " each, and the pool's numbers of used and available vGPUs. */
static char *
counts(Host *host)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, true);
    g_autoptr(VgpuPoolRow) pool = vgpu_manager_get_pool(host->manager, "default");
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_str_equal(row->uuid, USERS))
            g_string_append_printf(text, "%s %d, ", row->domain ? row->domain : "-", row->index);
    }
    for (guint i = 0; i < pool->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(pool->profiles, i);

        if (g_str_equal(room->name, "NVIDIA A2-4Q"))
            g_string_append_printf(text, "%u+%u", room->allocated, room->available);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* It has two records while a domain uses it, and is one vGPU. */
static void
test_made_by_hand_counts_once(void **state)
{
    static const struct {
        const char *what;
        bool persistent; /* and inactive */
        bool vanishes;   /* the device is removed by a third party while it is in use */
    } cases[] = {
        { "made by hand", false, false },
        { "made by hand, and its device is removed", false, true },
        { "persistent", true, false },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *xml = users_xml("A2-4Q");
        g_autofree char *made = NULL, *start = NULL, *used = NULL, *unused = NULL;
        g_autofree char *refused = NULL, *gone = NULL;
        bool persistent;

        if (cases[i].persistent)
            make_persistent(host);
        else
            vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
        host_settle(host);
        start = host_start(host, xml);
        assert_null(start);
        if (cases[i].vanishes)
            remove_device(host);
        used = counts(host);
        if (!g_str_equal(used, "web1 0, 1+3"))
            fail_msg("%s: used: %s", cases[i].what, used);
        vgpu_manager_destroy(host->manager, USERS, &persistent, note, &refused);
        assert_text_has(refused, "belongs to domain 'web1'");
        assert_false(persistent);

        host_release(host, HOST_WEB1);
        host_settle(host);
        unused = counts(host);
        if (!g_str_equal(unused, "- -1, 1+3"))
            fail_msg("%s: unused: %s", cases[i].what, unused);
        vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
        while (!gone && !persistent)
            host_run(host, 10);
        assert_int_equal(persistent, cases[i].persistent); /* libvirt is to do it */
        assert_true(persistent || g_str_equal(gone, "done"));
        assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

static bool
is_recorded(Host *host)
{
    return host_count_records(host) == 1;
}

static void
test_destroyed_before_it_is_made(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *made = NULL, *gone = NULL;
    bool persistent;

    (void) state;
    host_knob(host, "hang_create-" A2, "");
    vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
    assert_true(host_wait(host, is_recorded));
    vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
    host_unknob(host, "hang_create-" A2);
    while (!made || !gone)
        host_run(host, 10);
    host_settle(host);
    assert_text_has(made, "destroyed before it was made");
    assert_string_equal(gone, "done");
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* Its GPU does not answer, so that there is not even a record of it. */
static void
test_destroyed_while_it_waits(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *made = NULL, *gone = NULL;
    bool persistent;

    (void) state;
    host_knob(host, "hang_read-" A2, "");
    vgpu_drivers_touch(host->manager->drivers, A2);
    vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
    host_run(host, 20);
    assert_null(made);
    vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
    assert_text_has(made, "destroyed before it was made");
    assert_string_equal(gone, "done");
    host_unknob(host, "hang_read-" A2);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* A vGPU is created by hand, and a domain that names the same UUID starts meanwhile: each has a record, and
 * neither record is left over, whichever is dropped first. */
static void
test_made_by_hand_while_it_starts(void **state)
{
    enum { DESTROYED_FIRST, RELEASED_FIRST, AT_ONCE, N_ENDS };
    static const char *const ends[] = { "destroyed first", "released first", "at once" };

    (void) state;
    for (int i = 0; i < 2 * N_ENDS; i++) {
        g_autoptr(Host) host = host_new();
        bool by_hand_first = i < N_ENDS;
        int end = i % N_ENDS;
        g_autofree char *xml = users_xml("A2-4Q");
        g_autofree char *made = NULL, *gone = NULL;
        g_auto(Prepare) prepare = { 0 };
        bool persistent = false;

        host_knob(host, "create_delay_ms", "100");
        if (by_hand_first)
            vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
        host_prepare(host, xml, 8000, &prepare);
        if (!by_hand_first) {
            host_run(host, 20);
            vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
        }
        while (!prepare.answered || !made)
            host_run(host, 10);
        host_unknob(host, "create_delay_ms");
        host_knob(host, "remove_delay_ms", "50");
        if (end == RELEASED_FIRST)
            host_release(host, HOST_WEB1);
        if (end == RELEASED_FIRST)
            host_settle(host);
        vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
        if (end == DESTROYED_FIRST)
            host_settle(host);
        host_release(host, HOST_WEB1);
        host_settle(host);
        if (vgpu_records_find(host->manager, USERS)) { /* it was refused while it was in use */
            g_clear_pointer(&gone, g_free);
            vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
            while (!gone)
                host_run(host, 10);
        }
        host_settle(host);
        if (host_count_devices(host) || host_count_records(host))
            fail_msg("%s, %s: %u devices, %u records; made: %s, started: %s, gone: %s",
                     by_hand_first ? "by hand first" : "the domain first", ends[end],
                     host_count_devices(host), host_count_records(host), made,
                     prepare.error ? prepare.error->message : "yes", gone);
    }
}

/* create="define" adopts the domain's own device after its record was lost, but no other device. */
static void
test_keep_takes_up_its_own(void **state)
{
    static const struct {
        const char *what, *attributes, *type, *uuid;
        bool taken;
    } cases[] = {
        { "its own", "create='define'", "nvidia-746", HOST_WEB1_0, true },
        { "its own, of another profile", "create='define'", "nvidia-747", HOST_WEB1_0, false },
        { "another GPU is wanted", "create='define' gpu='0000:42:00.0'", "nvidia-746",
          HOST_WEB1_0, false },
        { "the user's", "create='define' uuid='" USERS "'", "nvidia-746", USERS, false },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *devices =
            g_strdup_printf("<vgpu:device profile='A2-4Q' %s/>", cases[i].attributes);
        g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, 1);
        g_autoptr(VgpuDomain) domain = NULL;
        g_autoptr(GError) error = NULL;
        g_auto(VgpuKeep) keep = { 0 };
        bool taken;

        assert_int_equal(host_make_device(host, "0000:41:00.6", cases[i].type, cases[i].uuid), 0);
        domain = host_domain(xml);
        taken = vgpu_manager_keep(host->manager, HOST_WEB1, "web1",
                                  g_ptr_array_index(domain->wants, 0), &keep, &error);
        if (taken != cases[i].taken)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "taken up");
        if (taken) {
            assert_string_equal(keep.parent, "0000:41:00.6");
            assert_false(keep.defined); /* libvirt is asked, and finds it as it is */
        } else {
            assert_text_has(error->message, "exists already on 0000:41:00.6");
            assert_int_equal(error->code, VGPU_ERROR_FAILED); /* no use to try again at once */
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_start_counts),
        cmocka_unit_test(test_users_device_survives_an_edit),
        cmocka_unit_test(test_made_by_hand_is_used),
        cmocka_unit_test(test_made_by_hand_counts_once),
        cmocka_unit_test(test_destroyed_before_it_is_made),
        cmocka_unit_test(test_destroyed_while_it_waits),
        cmocka_unit_test(test_made_by_hand_while_it_starts),
        cmocka_unit_test(test_keep_takes_up_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
