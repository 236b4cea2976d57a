/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPUs that outlive a run (create="define"), those of no domain, and what `list` and `explain` say. */
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "manager-host.h"

#define A2 "0000:41:00.0"
#define BY_HAND "11111111-2222-4333-8444-555555555555"
#define DEFINED HOST_DEVICE("create='define'")

static bool
has(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* --- create="define" ------------------------------------------------------------------------ */

/* Do what the daemon does for a newly defined domain: choose, record, then ask libvirt. */
static void
keep(Host *host, const char *xml, VgpuKeep *out)
{
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_keep(host->manager, domain->uuid, domain->name,
                           g_ptr_array_index(domain->wants, 0), out, &error))
        fail_msg("%s", error->message);
}

static void
test_keep(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_autofree char *early = NULL, *refused = NULL, *device = NULL;
    g_auto(VgpuKeep) first = { 0 }, again = { 0 }, kept = { 0 };

    (void) state;
    early = host_start(host, xml);
    assert_true(has(early, "is not defined yet"));

    keep(host, xml, &first);
    assert_string_equal(first.parent, "0000:41:00.4");
    assert_string_equal(first.profile_id, "nvidia-746");
    assert_false(first.defined);
    host_restart(host); /* written down before libvirt is asked */
    keep(host, xml, &again);
    assert_string_equal(again.parent, first.parent);
    vgpu_manager_kept(host->manager, HOST_WEB1_0);
    host_restart(host);
    keep(host, xml, &kept);
    assert_true(kept.defined);

    /* the recorded parent, also when another would be nearer; stays when the domain stops */
    refused = host_start(host, xml);
    assert_null(refused);
    device = host_device(host, HOST_WEB1_0);
    assert_string_equal(device, "0000:41:00.4 nvidia-746");
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
    assert_int_equal(host_count_records(host), 0);
    refused = host_start(host, xml); /* and is used again */
    assert_null(refused);
    assert_int_equal(host_count_devices(host), 1);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 1);
}

static char *
read_params(const Host *host)
{
    g_autofree char *path =
        g_strdup_printf("%s/sys/bus/mdev/devices/" HOST_WEB1_0 "/nvidia/vgpu_params", host->root);
    char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_strstrip(text);
}

/* The device outlives the run, with its parameters: the next run sets its own, or none. */
static void
test_keep_params(void **state)
{
    static const struct {
        const char *attributes, *params;
    } runs[] = {
        { "frameRateLimit='off' consoleVNC='off'", "frame_rate_limiter=0,disable_vnc=1" },
        { "", "" },
        { "unifiedMemory='on'", "enable_uvm=1" },
        { "debugging='on'", "enable_debugging=1" },
        { "", "" },
        { "", "" },
    };
    g_autoptr(Host) host = host_new();
    g_autofree char *defined = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_auto(VgpuKeep) kept = { 0 };

    (void) state;
    keep(host, defined, &kept);
    vgpu_manager_kept(host->manager, HOST_WEB1_0);
    for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *device =
            g_strdup_printf("<vgpu:device profile='A2-4Q' create='define' %s/>",
                            runs[i].attributes);
        g_autofree char *xml = host_xml("web1", HOST_WEB1, device, 1);
        g_autofree char *refused = host_start(host, xml);
        g_autofree char *params = NULL;

        assert_null(refused);
        params = read_params(host);
        assert_string_equal(params, runs[i].params);
        host_release(host, HOST_WEB1);
        host_settle(host);
        assert_int_equal(host_count_devices(host), 1);
    }
    assert_null(strstr(host->log->str, "params-"));
}

/* A persistent vGPU that is not created still occupies its place. */
static void
test_keep_reserves(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *other = host_xml("web2", uuid, HOST_DEVICE("count='4'"), 4);
    g_autofree char *three = host_xml("web2", uuid, HOST_DEVICE("count='3'"), 3);
    g_autofree char *refused = NULL, *started = NULL, *last = NULL;
    g_auto(VgpuKeep) kept = { 0 };

    (void) state;
    keep(host, xml, &kept);
    vgpu_manager_kept(host->manager, HOST_WEB1_0);
    refused = host_start(host, other);
    assert_true(has(refused, A2));
    started = host_start(host, three);
    assert_null(started);
    last = host_start(host, xml);
    assert_null(last);
    assert_int_equal(host_count_devices(host), 4);
}

static void
test_unwanted(void **state)
{
    static const struct {
        const char *what;
        const char *devices; /* NULL: undefined */
        guint unwanted;
    } cases[] = {
        { "it is still wanted", DEFINED, 0 },
        { "another profile is wanted", "<vgpu:device profile='A2-8Q' create='define'/>", 1 },
        { "it is wanted at the start only", HOST_DEVICE(), 1 },
        { "nothing is wanted", "", 1 },
        { "the domain is no longer defined", NULL, 1 },
    };
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_auto(VgpuKeep) kept = { 0 };

    (void) state;
    keep(host, xml, &kept);
    vgpu_manager_kept(host->manager, HOST_WEB1_0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) unwanted = NULL, facts = host_facts();
        g_autofree char *now = NULL, *plan = NULL;

        vgpu_manager_forget_definition(host->manager, HOST_WEB1);
        if (cases[i].devices) {
            now = host_xml("web1", HOST_WEB1, cases[i].devices, 0);
            vgpu_manager_take_definition(host->manager, host_domain(now), false);
            host_fact(facts, now, -1);
        }
        unwanted = vgpu_manager_unwanted(host->manager, HOST_WEB1);
        plan = host_reconcile(host, facts, true);
        if (unwanted->len != cases[i].unwanted)
            fail_msg("%s: %u unwanted", cases[i].what, unwanted->len);
        /* a changed profile is the follower's, who knows what comes in its place */
        if (i != 1 && has(plan, "undefine " HOST_WEB1_0) != (cases[i].unwanted > 0))
            fail_msg("%s: the plan is '%s'", cases[i].what, plan);
    }
    vgpu_manager_unkeep(host->manager, HOST_WEB1_0);
    assert_true(has(host->log->str, "vgpu-removed " HOST_WEB1_0));
    host_restart(host);
    assert_int_equal(vgpu_reservations_count(host->manager->reservations, VGPU_KINDS(PERSISTENT)),
                     0);
}

static void
test_keep_without_room(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    g_auto(VgpuKeep) kept = { 0 };
    g_autofree char *uuid = host_nth_uuid(9);

    (void) state;
    assert_int_equal(host_make_device(host, "0000:41:00.4", "nvidia-747", uuid), 0);
    assert_false(vgpu_manager_keep(host->manager, domain->uuid, domain->name,
                                   g_ptr_array_index(domain->wants, 0), &kept, &error));
    assert_int_equal(error->code, VGPU_ERROR_NO_CAPACITY);
    assert_null(kept.parent);
    assert_int_equal(vgpu_reservations_count(host->manager->reservations, VGPU_KINDS(PERSISTENT)),
                     0);
}

/* A record that cannot be written: waiting callers get the error. A vGPU that they give up is gone after a
 * restart, too, and one that they keep is written as soon as possible. */
static void
test_keep_unwritable(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, DEFINED, 1);
    g_autofree char *dir = g_build_filename(host->root, VGPU_PATH_PERSISTENT, NULL);

    (void) state;
    for (guint left = 0; left < 2; left++) {
        g_auto(VgpuKeep) kept = { 0 };
        g_autoptr(GError) error = NULL;

        assert_int_equal(g_rmdir(dir), 0);
        keep(host, xml, &kept);
        assert_false(vgpu_manager_wait_saved(host->manager, HOST_WEB1, &error));
        assert_int_equal(error->code, VGPU_ERROR_FAILED);
        assert_true(has(error->message, dir));
        if (!left)
            vgpu_manager_unkeep(host->manager, HOST_WEB1_0);
        assert_false(has(host->log->str, "vgpu-removed"));
        assert_int_equal(g_mkdir(dir, 0700), 0);
        assert_true(vgpu_manager_wait_saved(host->manager, HOST_WEB1, NULL));
        host_restart(host);
        assert_int_equal(vgpu_reservations_count(host->manager->reservations,
                                                 VGPU_KINDS(PERSISTENT)),
                         left);
    }
}

/* --- without a domain ----------------------------------------------------------------------- */

typedef struct {
    bool done;
    GError *error;
} Answer;

static void
on_done(const GError *error, gpointer opaque)
{
    Answer *answer = opaque;

    assert_false(answer->done);
    answer->done = true;
    answer->error = error ? g_error_copy(error) : NULL;
}

static char *
wait_for(Host *host, Answer *answer)
{
    g_autoptr(GError) error = NULL;

    while (!answer->done)
        g_main_context_iteration(host->context, TRUE);
    error = g_steal_pointer(&answer->error);
    answer->done = false;
    return error ? g_strdup(error->message) : NULL;
}

static char *
create(Host *host, const char *gpu, const char *profile, const char *uuid)
{
    Answer answer = { 0 };

    vgpu_manager_create(host->manager, gpu, profile, uuid, on_done, &answer);
    return wait_for(host, &answer);
}

static char *
destroy(Host *host, const char *uuid, bool *persistent)
{
    Answer answer = { 0 };

    vgpu_manager_destroy(host->manager, uuid, persistent, on_done, &answer);
    return *persistent ? NULL : wait_for(host, &answer);
}

static void
test_create_and_destroy(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autoptr(GPtrArray) facts = host_facts();
    bool persistent = false;
    g_autofree char *refused = create(host, A2, "A2-4Q", BY_HAND);
    g_autofree char *twice = NULL, *wrong = NULL, *plan = NULL, *gone = NULL, *again = NULL;
    g_autofree char *device = NULL, *start = NULL;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *foreign = host_nth_uuid(1);
    g_autofree char *remove_foreign =
        g_strdup_printf(VGPU_SYS_MDEV_DEVICES "/%s/remove", foreign);

    (void) state;
    assert_null(refused);
    device = host_device(host, BY_HAND);
    assert_string_equal(device, "0000:41:00.4 nvidia-746");
    twice = create(host, A2, "A2-4Q", BY_HAND);
    assert_true(has(twice, "there is a vGPU " BY_HAND " already"));
    g_free(twice);
    twice = create(host, "0000:84:00.0", "M10-1Q", BY_HAND); /* nor replaced */
    assert_true(has(twice, "already"));
    g_free(twice);
    assert_int_equal(host_make_device(host, "0000:41:00.7", "nvidia-746", foreign), 0);
    twice = create(host, A2, "A2-4Q", foreign); /* nor taken from its maker */
    assert_true(has(twice, "already"));
    assert_int_equal(vgpu_sysfs_write(host->sysfs, remove_foreign, "1"), 0);
    wrong = create(host, "0000:84:00.0", "A2-4Q", HOST_WEB1);
    assert_non_null(wrong);
    assert_int_equal(host_count_devices(host), 1);

    /* no domain's end takes it away */
    host_restart(host);
    plan = host_reconcile(host, facts, false);
    assert_string_equal(plan, "");
    assert_int_equal(host_count_devices(host), 1);

    gone = destroy(host, BY_HAND, &persistent);
    assert_null(gone);
    assert_int_equal(host_count_devices(host), 0);
    assert_int_equal(host_count_records(host), 0);
    again = destroy(host, BY_HAND, &persistent);
    assert_true(has(again, "there is no vGPU " BY_HAND));

    start = host_start(host, xml);
    assert_null(start);
    g_free(again);
    again = destroy(host, HOST_WEB1_0, &persistent);
    assert_true(has(again, "belongs to domain 'web1'"));
    assert_int_equal(host_count_devices(host), 1);
}

/* A trial of a GPU removes its vGPU; if the trial is killed, the next daemon removes that vGPU, and no other. */
static void
test_trial(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *trial = vgpu_uuid_for_trial("0000:84:00.0");
    g_autofree char *of_another = vgpu_uuid_for_trial("0000:85:00.0");
    g_autofree char *made = create(host, "0000:84:00.0", "M10-1Q", trial);
    g_autofree char *by_hand = create(host, A2, "A2-4Q", BY_HAND);
    g_autofree char *elsewhere = create(host, A2, "A2-4Q", of_another);
    g_autofree char *device = NULL;

    (void) state;
    assert_null(made);
    assert_null(by_hand);
    assert_null(elsewhere);
    host_settle(host);
    assert_int_equal(host_count_devices(host), 3);
    host_restart(host);
    host_settle(host);
    device = host_device(host, trial);
    assert_string_equal(device, "");
    assert_int_equal(host_count_devices(host), 2);
    assert_int_equal(host_count_records(host), 2);
}

/* The time until its next timer; -1: there is none. */
static gint
until_next_ms(Host *host)
{
    GPollFD fds[64];
    gint priority, timeout;

    while (g_main_context_iteration(host->context, FALSE))
        ;
    assert_true(g_main_context_acquire(host->context));
    (void) g_main_context_prepare(host->context, &priority);
    (void) g_main_context_query(host->context, priority, &timeout, fds, G_N_ELEMENTS(fds));
    (void) g_main_context_check(host->context, priority, fds, 0);
    g_main_context_release(host->context);
    return timeout;
}

/* Waiting for a slow removal does not poll. */
static void
test_destroy_is_told(void **state)
{
    g_autoptr(Host) host = host_new();
    Answer answer = { 0 };
    bool persistent = false;
    g_autofree char *refused = create(host, A2, "A2-4Q", BY_HAND);
    g_autofree char *gone = NULL;
    gint waits;

    (void) state;
    assert_null(refused);
    host_settle(host);
    host_knob(host, "hang_remove-" A2, "");
    vgpu_manager_destroy(host->manager, BY_HAND, &persistent, on_done, &answer);
    while (host_count_devices(host))
        g_main_context_iteration(host->context, FALSE);
    waits = until_next_ms(host);
    assert_true(waits < 0 || waits > 1000);
    assert_false(answer.done);
    host_unknob(host, "hang_remove-" A2);
    gone = wait_for(host, &answer);
    assert_null(gone);
    assert_int_equal(host_count_records(host), 0);
}

static void
test_destroy_persistent(void **state)
{
    g_autoptr(Host) host = host_new();
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .uuid = (char *) BY_HAND, .profiles = profiles };
    g_auto(VgpuKeep) kept = { 0 };
    bool persistent = false;

    (void) state;
    assert_true(vgpu_manager_keep(host->manager, NULL, NULL, &want, &kept, NULL));
    vgpu_manager_kept(host->manager, BY_HAND);
    assert_null(destroy(host, BY_HAND, &persistent));
    assert_true(persistent); /* libvirt is to do it */
}

/* --- list and explain ----------------------------------------------------------------------- */

/* "INDEX STATE DOMAIN[ restart]" of the vGPU, "" when it is not listed. */
static char *
row(Host *host, const char *uuid, bool all)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, all);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *r = g_ptr_array_index(rows, i);

        if (g_str_equal(r->uuid, uuid))
            return g_strdup_printf("%d %s %s%s", r->index, r->state, r->domain ? r->domain : "-",
                                   r->restart_needed ? " restart" : "");
    }
    return g_strdup("");
}

#define ASSERT_ROW(host, uuid, all, wanted)                                                      \
    do {                                                                                         \
        g_autofree char *row_text = row(host, uuid, all);                                        \
        assert_string_equal(row_text, wanted);                                                   \
    } while (0)

static void
test_list(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *edited = host_xml("web1", HOST_WEB1, "<vgpu:device profile='P40-1Q'/>", 1);
    g_autofree char *refused = NULL;

    (void) state;
    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
    ASSERT_ROW(host, HOST_WEB1_0, true, "0 planned web1");
    ASSERT_ROW(host, HOST_WEB1_0, false, "");
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-746", HOST_WEB1_0), 0);
    ASSERT_ROW(host, HOST_WEB1_0, false, "0 orphan web1");
    assert_int_equal(host_make_device(host, "0000:41:00.7", "nvidia-746", BY_HAND), 0);
    ASSERT_ROW(host, BY_HAND, true, "-1 foreign -");
    ASSERT_ROW(host, BY_HAND, false, "");

    refused = host_start(host, xml); /* what carries its UUID is its own */
    assert_null(refused);
    assert_int_equal(host_count_devices(host), 2);
    ASSERT_ROW(host, HOST_WEB1_0, false, "0 active web1");
    vgpu_manager_take_definition(host->manager, host_domain(edited), true);
    ASSERT_ROW(host, HOST_WEB1_0, false, "0 active web1 restart");
    host_knob(host, "remove_delay_ms", "100");
    host_release(host, HOST_WEB1);
    ASSERT_ROW(host, HOST_WEB1_0, false, "0 releasing web1 restart");
    host_settle(host);
    ASSERT_ROW(host, HOST_WEB1_0, true, "0 planned web1 restart"); /* libvirt has not told yet */
    vgpu_manager_settle(host->manager, HOST_WEB1, 0, false, -1);
    ASSERT_ROW(host, HOST_WEB1_0, true, "0 planned web1");
}

static void
test_renamed(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *renamed = host_xml("shop", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *refused = host_start(host, xml);

    (void) state;
    assert_null(refused);
    vgpu_manager_take_definition(host->manager, host_domain(renamed), true);
    host_restart(host);
    ASSERT_ROW(host, HOST_WEB1_0, false, "0 active shop");
}

static void
test_explain(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        const char *plan; /* parents in order, "-" where there is none */
    } cases[] = {
        { "one fits", HOST_DEVICE(), "0000:41:00.4" },
        { "the second comes after the first", HOST_DEVICE("count='2'"),
          "0000:41:00.4 0000:41:00.5" },
        { "the second has another size", HOST_DEVICE() "<vgpu:device profile='A2-8Q'/>",
          "0000:41:00.4 -" },
        { "alternatives",
          "<vgpu:device><vgpu:profile name='B7-1Q'/><vgpu:profile name='P40-1Q'/>"
          "</vgpu:device>",
          "10000:01:00.0" },
        { "a named GPU", "<vgpu:device profile='M10-1Q' gpu='85:00.0'/>", "0000:85:00.0" },
        { "spread", "<vgpu:device profile='M10-1Q' count='2' placement='spread'/>",
          "0000:84:00.0 0000:85:00.0" },
        { "none knows it", "<vgpu:device profile='B7-1Q'/>", "-" },
    };
    g_autoptr(Host) host = host_new();
    g_autofree char *before = host_fingerprint(host);
    g_autofree char *after = NULL;

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = host_xml("web1", HOST_WEB1, cases[i].devices, 0);
        g_autoptr(VgpuDomain) domain = host_domain(xml);
        g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(host->manager, domain);
        g_autoptr(GString) plan = g_string_new(NULL);

        for (guint j = 0; j < forecasts->len; j++) {
            const VgpuForecast *forecast = g_ptr_array_index(forecasts, j);

            assert_true(forecast->candidates->len > 0);
            g_string_append_printf(plan, "%s%s", j ? " " : "",
                                   forecast->chosen ? forecast->chosen->parent->address : "-");
        }
        if (!g_str_equal(plan->str, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, plan->str);
    }
    after = host_fingerprint(host);
    assert_string_equal(after, before);
}

static void
test_explain_of_running(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *refused = host_start(host, xml);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(host->manager, domain);
    const VgpuForecast *forecast = g_ptr_array_index(forecasts, 0);

    (void) state;
    assert_null(refused);
    assert_null(forecast->chosen);
    assert_string_equal(forecast->note, "has NVIDIA A2-4Q on 0000:41:00.4 already");
}

/* --- cards that come and go ----------------------------------------------------------------- */

/* A new GPU is reported once, whether an administrator's list or libvirt finds it first. */
static void
test_seen_by_others_first(void **state)
{
    static const char *const boards[] = { "a100", NULL };

    (void) state;
    for (int libvirt_first = 0; libvirt_first < 2; libvirt_first++) {
        g_autoptr(Host) host = host_new();
        g_autoptr(GPtrArray) rows = NULL;

        host_plug_boards(host, boards);
        g_string_truncate(host->log, 0);
        if (libvirt_first)
            vgpu_manager_take_identity(host->manager, vgpu_inventory_new());
        rows = vgpu_manager_list(host->manager, true);
        vgpu_manager_take_identity(host->manager, vgpu_inventory_new());
        host_see(host->manager);
        if (!g_str_equal(host->log->str, "gpu-appeared  \ngpus-changed\n"))
            fail_msg("%s first: '%s'", libvirt_first ? "libvirt" : "a list", host->log->str);
        assert_non_null(
            vgpu_inventory_find(vgpu_manager_inventory(host->manager), "0000:a1:00.0"));
    }
}

static void
test_identity(void **state)
{
    g_autoptr(Host) host = host_new();
    VgpuInventory *identity = vgpu_inventory_new();
    VgpuGpu *a2 = vgpu_gpu_new(A2);
    const VgpuInventory *inventory;
    g_autofree char *link = g_build_filename(host->root, VGPU_SYS_MDEV_BUS "/0000:84:00.0", NULL);
    g_autofree char *function =
        g_build_filename(host->root, VGPU_SYS_PCI_DEVICES "/0000:84:00.0", NULL);
    g_autofree char *refused = NULL;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, "<vgpu:device profile='M10-8Q'/>", 1);

    (void) state;
    a2->nodedev = g_strdup("pci_0000_41_00_0");
    a2->name = g_strdup("GA107GL [A2 / A16]");
    vgpu_inventory_take(identity, a2);
    vgpu_manager_take_identity(host->manager, identity);
    inventory = vgpu_manager_inventory(host->manager);
    assert_int_equal(inventory->gpus->len, 4);
    assert_string_equal(vgpu_inventory_find(inventory, A2)->nodedev, "pci_0000_41_00_0");

    assert_int_equal(remove(link), 0);
    assert_int_equal(remove(function), 0);
    refused = host_start(host, xml); /* without a word from libvirt */
    assert_null(refused);
    g_free(refused);
    refused = host_device(host, HOST_WEB1_0);
    assert_string_equal(refused, "0000:85:00.0 nvidia-45");
    vgpu_manager_take_identity(host->manager, NULL);
    inventory = vgpu_manager_inventory(host->manager);
    assert_int_equal(inventory->gpus->len, 3);
    assert_null(vgpu_inventory_find(inventory, A2)->nodedev);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_keep_params),
        cmocka_unit_test(test_keep_reserves),
        cmocka_unit_test(test_unwanted),
        cmocka_unit_test(test_keep_without_room),
        cmocka_unit_test(test_keep_unwritable),
        cmocka_unit_test(test_create_and_destroy),
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_destroy_is_told),
        cmocka_unit_test(test_destroy_persistent),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_of_running),
        cmocka_unit_test(test_seen_by_others_first),
        cmocka_unit_test(test_identity),
    };

    return cmocka_run_group_tests_name("persistent", tests, NULL, NULL);
}
