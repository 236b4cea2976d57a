/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPUs that come to, and go from, a domain that runs */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "manager-host.h"

typedef struct {
    guint calls;
    GError *error;
} Answer;

static void
answer_clear(Answer *self)
{
    g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static void
on_done(const GError *error, gpointer opaque)
{
    Answer *answer = opaque;

    answer->calls++;
    answer->error = error ? g_error_copy(error) : NULL;
}

/* The XML of a running domain: @cold of its devices have a hostdev. */
static VgpuDomain *
running(const char *devices, guint cold, const char *tenant)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, cold);
    VgpuDomain *domain = host_domain(xml);

    domain->id = 7;
    domain->tenant = g_strdup(tenant);
    return domain;
}

static guint64
since(const Host *host)
{
    return vgpu_manager_since(host->manager, HOST_WEB1);
}

static void
start_web1(Host *host, const char *devices, guint cold)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, cold);
    g_autofree char *refused = host_start(host, xml);

    assert_null(refused);
    vgpu_manager_started(host->manager, HOST_WEB1, 7);
    g_string_truncate(host->log, 0);
}

static void
assert_text_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

/* One more beside what it was started with. */
static void
test_one_more(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    g_autofree char *second = vgpu_uuid_for_domain(HOST_WEB1, 1);
    g_autofree char *wanted = NULL, *device = NULL;
    guint64 before;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    before = since(host);
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 2);
    assert_int_equal(answer.calls, 0); /* it is not plugged yet */
    wanted = g_strdup_printf("attach %s 7 1", HOST_WEB1);
    assert_text_has(host->log->str, wanted);
    assert_null(strstr(host->log->str, "starting"));
    assert_true(since(host) == before); /* a release of this run still counts */
    vgpu_manager_attached(host->manager, HOST_WEB1, before, second, NULL);
    assert_int_equal(answer.calls, 1);
    assert_null(answer.error);
    device = host_device(host, second);
    assert_text_has(device, "nvidia-746");
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* A domain that had nothing of ours before. */
static void
test_first_one(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    vgpu_manager_plug(host->manager, running(HOST_DEVICE(), 0, NULL), 0, 5000, on_done, &answer);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    vgpu_manager_attached(host->manager, HOST_WEB1, since(host), HOST_WEB1_0, NULL);
    assert_int_equal(answer.calls, 1);
    assert_null(answer.error);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* libvirt reports that the domain runs while its first vGPU is being created: that does not plug the vGPU. */
static void
test_seen_to_run_meanwhile(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    host_knob(host, "hang_create-0000:41:00.4", "");
    vgpu_manager_plug(host->manager, running(HOST_DEVICE(), 0, NULL), 0, 5000, on_done, &answer);
    host_run(host, 100);
    assert_int_equal(host_count_records(host), 1);
    vgpu_manager_settle(host->manager, HOST_WEB1, since(host), true, 7);
    host_unknob(host, "hang_create-0000:41:00.4");
    host_settle(host);
    assert_int_equal(answer.calls, 0);
    assert_text_has(host->log->str, "attach " HOST_WEB1 " 7 0");
    vgpu_manager_attached(host->manager, HOST_WEB1, since(host), HOST_WEB1_0, NULL);
    assert_int_equal(answer.calls, 1);
    assert_null(answer.error);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* The domain is started again, and its release was lost: a caller that waits for a hotplug into the previous run gets
 * an error. */
static void
test_started_again(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autofree char *refused = NULL;

    (void) state;
    vgpu_manager_plug(host->manager, running(HOST_DEVICE(), 0, NULL), 0, 5000, on_done, &answer);
    host_settle(host);
    assert_int_equal(answer.calls, 0);
    refused = host_start(host, xml);
    assert_null(refused);
    assert_int_equal(answer.calls, 1);
    assert_non_null(answer.error);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* libvirt refuses: the new vGPU is removed, those of the domain stay. */
static void
test_not_attached(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    g_autoptr(GError) no = g_error_new(VGPU_ERROR, VGPU_ERROR_FAILED, "no free slot");
    g_autofree char *second = vgpu_uuid_for_domain(HOST_WEB1, 1);
    g_autofree char *first = NULL;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_settle(host);
    vgpu_manager_attached(host->manager, HOST_WEB1, since(host), second, no);
    host_settle(host);
    assert_int_equal(answer.calls, 1);
    assert_text_has(answer.error->message, "no free slot");
    assert_int_equal(host_count_devices(host), 1);
    first = host_device(host, HOST_WEB1_0);
    assert_text_has(first, "nvidia-746");
    assert_int_equal(vgpu_records_find(host->manager, HOST_WEB1)->claims->len, 1);
}

/* No room: the existing vGPUs of the domain are not affected. */
static void
test_no_room(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    vgpu_manager_plug(host->manager,
                      running(HOST_DEVICE() "<vgpu:device profile='B99-1Q'/>", 1, NULL), 1, 5000,
                      on_done, &answer);
    host_settle(host);
    assert_int_equal(answer.calls, 1);
    assert_text_has(answer.error->message, "B99-1Q");
    assert_text_has(host->log->str, "attach-refused");
    assert_int_equal(host_count_devices(host), 1);
}

/* The domain stops while its driver still works on it. */
static void
test_stop_meanwhile(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    host_knob(host, "create_delay_ms", "150");
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_run(host, 20);
    host_release(host, HOST_WEB1);
    assert_int_equal(answer.calls, 1);
    assert_text_has(answer.error->message, "stopped");
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* ... and while libvirt does. */
static void
test_stop_before_attached(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    g_autofree char *second = vgpu_uuid_for_domain(HOST_WEB1, 1);
    g_autoptr(GError) gone =
        g_error_new(VGPU_ERROR, VGPU_ERROR_NOT_FOUND, "domain is not running");
    guint64 before;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    before = since(host);
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_settle(host);
    host_release(host, HOST_WEB1);
    assert_int_equal(answer.calls, 1); /* the hotplug may never be heard of again */
    host_settle(host);
    vgpu_manager_attached(host->manager, HOST_WEB1, before, second, gone);
    assert_int_equal(answer.calls, 1);
    assert_non_null(answer.error);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

static void
test_refused_while_starting(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    g_auto(Prepare) prepare = { 0 };
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    (void) state;
    host_knob(host, "create_delay_ms", "100");
    host_prepare(host, xml, 5000, &prepare);
    host_run(host, 20);
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    assert_int_equal(answer.calls, 1);
    assert_true(g_error_matches(answer.error, VGPU_ERROR, VGPU_ERROR_BUSY));
    host_settle(host);
    assert_true(prepare.answered && !prepare.error);
}

static void
test_unplugged(void **state)
{
    g_autoptr(Host) host = host_new();

    (void) state;
    start_web1(host, HOST_DEVICE("count='2'"), 2);
    vgpu_manager_unplugged(host->manager, HOST_WEB1, since(host), 0);
    vgpu_manager_unplugged(host->manager, HOST_WEB1, since(host), 0); /* told twice */
    vgpu_manager_unplugged(host->manager, HOST_WEB1, since(host), 5);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    assert_text_has(host->log->str, "vgpu-detached");
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

static void
make_by_hand(Host *host, const char *uuid)
{
    g_auto(Answer) answer = { 0 };

    vgpu_manager_create(host->manager, "0000:41:00.0", "A2-4Q", uuid, on_done, &answer);
    host_settle(host);
    assert_int_equal(answer.calls, 1);
    assert_null(answer.error);
}

/* `virt-vgpu create` with the computed UUID, then `virsh attach-device`. */
static void
test_plugged_by_hand(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(VgpuDomain) domain = running(HOST_DEVICE(), 1, NULL);
    const VgpuOwner *owner;

    (void) state;
    make_by_hand(host, HOST_WEB1_0);
    vgpu_manager_plugged(host->manager, HOST_WEB1, "web1", 7, domain->hostdevs->pdata[0]);
    owner = vgpu_records_find(host->manager, HOST_WEB1);
    assert_non_null(owner);
    assert_true(owner->started);
    assert_non_null(vgpu_owner_find(owner, HOST_WEB1_0));
    assert_int_equal(host_count_records(host), 1);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* A hostdev with our alias and another UUID is ignored. */
static void
test_plugged_foreign(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(VgpuDomain) domain = running(HOST_DEVICE(), 1, NULL);
    VgpuHostdev *hostdev = domain->hostdevs->pdata[0];

    (void) state;
    g_free(hostdev->uuid);
    hostdev->uuid = g_strdup("11111111-2222-4333-8444-555555555555");
    make_by_hand(host, hostdev->uuid);
    vgpu_manager_plugged(host->manager, HOST_WEB1, "web1", 7, hostdev);
    assert_null(vgpu_records_find(host->manager, HOST_WEB1));
}

/* A look at the running domain: only vGPUs that it does not have are removed, and only those of that run. The user's
 * own device lacks our alias, and the annotation may have changed. */
static void
test_follow_run(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(VgpuDomain) both = running(HOST_DEVICE("count='2'"), 2, NULL);
    g_autoptr(VgpuDomain) one = running(HOST_DEVICE("count='2'"), 1, NULL);
    g_autoptr(VgpuDomain) users = running(HOST_DEVICE("count='2'"), 2, NULL);

    (void) state;
    start_web1(host, HOST_DEVICE("count='2'"), 2);
    for (guint i = 0; i < users->hostdevs->len; i++)
        ((VgpuHostdev *) users->hostdevs->pdata[i])->index = -1;
    vgpu_manager_follow_run(host->manager, HOST_WEB1, since(host), both);
    vgpu_manager_follow_run(host->manager, HOST_WEB1, since(host), users);
    vgpu_manager_follow_run(host->manager, HOST_WEB1, since(host) - 1, one);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 2);
    vgpu_manager_follow_run(host->manager, HOST_WEB1, since(host), one);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
}

/* A detach that the guest answered only after a restart of its domain. */
static void
test_unplugged_of_another_run(void **state)
{
    g_autoptr(Host) host = host_new();

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    vgpu_manager_unplugged(host->manager, HOST_WEB1, since(host) - 1, 0);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
}

/* The domain stops without a release hook, while the driver still works on the vGPU to plug. */
static void
test_settled_meanwhile(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    host_knob(host, "create_delay_ms", "150");
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_run(host, 20);
    vgpu_manager_settle(host->manager, HOST_WEB1, since(host), false, -1);
    assert_int_equal(answer.calls, 1);
    host_settle(host);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* The domain's present vGPUs are not touched, even if the plug names one of them, and fails. */
static void
test_has_already(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    const VgpuClaim *claim;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    vgpu_manager_plug(host->manager,
                      running(HOST_DEVICE() "<vgpu:device profile='B99-1Q'/>", 1, NULL), 0, 5000,
                      on_done, &answer);
    host_settle(host);
    assert_int_equal(answer.calls, 1);
    assert_non_null(answer.error);
    claim = vgpu_owner_find(vgpu_records_find(host->manager, HOST_WEB1), HOST_WEB1_0);
    assert_non_null(claim);
    assert_int_equal(claim->phase, VGPU_PHASE_READY);
}

/* Its XML was read before the domain was restarted. */
static void
test_other_run(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };
    VgpuDomain *old = running(HOST_DEVICE("count='2'"), 1, NULL);

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    old->id = 6;
    vgpu_manager_plug(host->manager, old, 1, 5000, on_done, &answer);
    assert_int_equal(answer.calls, 1);
    assert_true(g_error_matches(answer.error, VGPU_ERROR, VGPU_ERROR_BUSY));
    assert_int_equal(vgpu_records_find(host->manager, HOST_WEB1)->domain_id, 7);
}

/* A look at all domains sees it before libvirt's answer is there. */
static void
test_confirmed(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(GPtrArray) facts = host_facts();
    g_auto(Answer) answer = { 0 };
    g_autofree char *live = host_xml("web1", HOST_WEB1, HOST_DEVICE("count='2'"), 2);
    g_autofree char *actions = NULL;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    vgpu_manager_plug(host->manager, running(HOST_DEVICE("count='2'"), 1, NULL), 1, 5000, on_done,
                      &answer);
    host_settle(host);
    assert_int_equal(answer.calls, 0);
    host_fact(facts, live, 7);
    actions = host_reconcile(host, facts, false);
    assert_text_has(actions, "confirm");
    assert_int_equal(answer.calls, 1);
    assert_null(answer.error);
}

/* Detached by hand while the daemon was away. */
static void
test_reconcile_unplugged(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *without = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 0);
    g_autofree char *actions = NULL;

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    host_fact(facts, without, 7);
    actions = host_reconcile(host, facts, false);
    assert_string_equal(actions, "release " HOST_WEB1_0 "\n");
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* libvirt reports late that the domain runs, while its first vGPU is still being created. */
static void
test_told_late_that_it_runs(void **state)
{
    static const char *const fails[] = { NULL, "99" };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(fails); i++) {
        g_autoptr(Host) host = host_new();
        g_auto(Answer) answer = { 0 };

        host_knob(host, "create_delay_ms", "150");
        if (fails[i])
            host_knob(host, "create_fail_next", fails[i]);
        vgpu_manager_plug(host->manager, running(HOST_DEVICE(), 0, NULL), 0, 5000, on_done,
                          &answer);
        host_run(host, 50);
        vgpu_manager_started(host->manager, HOST_WEB1, 7);
        host_settle(host);
        if (fails[i]) {
            assert_int_equal(answer.calls, 1);
            assert_non_null(answer.error);
        } else {
            assert_int_equal(answer.calls, 0); /* it is not plugged yet */
            assert_text_has(host->log->str, "attach " HOST_WEB1 " 7 0");
        }
    }
}

/* A vGPU that is being removed does not count as room for a profile that no GPU has. */
static void
test_no_such_profile(void **state)
{
    g_autoptr(Host) host = host_new();
    g_auto(Answer) answer = { 0 };

    (void) state;
    start_web1(host, HOST_DEVICE(), 1);
    host_open(host, HOST_WEB1_0);
    vgpu_manager_unplugged(host->manager, HOST_WEB1, since(host), 0);
    vgpu_manager_plug(host->manager,
                      running(HOST_DEVICE() "<vgpu:device profile='B99-1Q'/>", 0, NULL), 1, 1000,
                      on_done, &answer);
    while (!answer.calls)
        g_main_context_iteration(host->context, TRUE);
    assert_text_has(answer.error->message, "B99-1Q");
    host_close(host, HOST_WEB1_0);
    host_settle(host);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_more),
        cmocka_unit_test(test_first_one),
        cmocka_unit_test(test_seen_to_run_meanwhile),
        cmocka_unit_test(test_started_again),
        cmocka_unit_test(test_not_attached),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_told_late_that_it_runs),
        cmocka_unit_test(test_no_such_profile),
        cmocka_unit_test(test_stop_meanwhile),
        cmocka_unit_test(test_stop_before_attached),
        cmocka_unit_test(test_refused_while_starting),
        cmocka_unit_test(test_unplugged),
        cmocka_unit_test(test_plugged_by_hand),
        cmocka_unit_test(test_plugged_foreign),
        cmocka_unit_test(test_follow_run),
        cmocka_unit_test(test_unplugged_of_another_run),
        cmocka_unit_test(test_settled_meanwhile),
        cmocka_unit_test(test_has_already),
        cmocka_unit_test(test_other_run),
        cmocka_unit_test(test_confirmed),
        cmocka_unit_test(test_reconcile_unplugged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
