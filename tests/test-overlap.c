/* Two things at once, or in the wrong order: what is not ours stays, and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
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

/* The stop was not heard, and the profile is another one now. */
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

/* What was made by hand may be used by a domain that names it, and stays. */
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
test_destroyed_before_it_is_made(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *made = NULL, *gone = NULL;
    bool persistent;

    (void) state;
    host_knob(host, "create_delay_ms", "100");
    vgpu_manager_create(host->manager, A2, "A2-4Q", USERS, note, &made);
    host_run(host, 20);
    vgpu_manager_destroy(host->manager, USERS, &persistent, note, &gone);
    host_run(host, 300);
    host_settle(host);
    assert_text_has(made, "destroyed before it was made");
    assert_string_equal(gone, "done");
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* create="define" does not take what is there already. */
static void
test_keep_takes_nothing_over(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(VgpuDomain) domain = NULL;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE("create='define'"), 1);
    g_autoptr(GError) error = NULL;
    g_auto(VgpuKeep) keep = { 0 };

    (void) state;
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-746", HOST_WEB1_0), 0);
    domain = host_domain(xml);
    assert_false(vgpu_manager_keep(host->manager, HOST_WEB1, "web1",
                                   g_ptr_array_index(domain->wants, 0), &keep, &error));
    assert_text_has(error->message, "exists already on 0000:41:00.6");
    assert_int_equal(error->code, VGPU_ERROR_FAILED); /* not busy: no use to try again at once */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_start_counts),
        cmocka_unit_test(test_users_device_survives_an_edit),
        cmocka_unit_test(test_made_by_hand_is_used),
        cmocka_unit_test(test_destroyed_before_it_is_made),
        cmocka_unit_test(test_keep_takes_nothing_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
