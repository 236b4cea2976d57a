/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cordoned GPUs, on which nothing new is placed: effects on starts, definitions and queries. */
#include "test.h"

#include <string.h>

#include "base/names.h"
#include "core/held.h"
#include "manager-host.h"
#include "vf-host.h"

#define A2 "0000:41:00.0"
#define L40S_2 "0000:62:00.0"
#define A2_4Q HOST_DEVICE("")
#define DEFINE_4Q "<vgpu:device profile='L40S-4Q' create='define'/>"
#define FAN "is cordoned: fan (virt-vgpu gpu-uncordon "

static int
setup(void **state)
{
    static const char *const boards[] = { "l40s", "l40s-2", NULL };
    Host *host = host_new();

    host_add_boards(host, boards);
    *state = host;
    return 0;
}

static void
cordon(Host *host, const char *gpu)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_cordon(host->manager, gpu, "fan", "root", &error) ||
        !vgpu_manager_wait_cordoned(host->manager, &error))
        fail_msg("%s", error->message);
}

static void
uncordon(Host *host, const char *gpu)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_uncordon(host->manager, gpu, &error) ||
        !vgpu_manager_wait_cordoned(host->manager, &error))
        fail_msg("%s", error->message);
}

static guint
available(Host *host, const char *address, const char *profile)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(host->manager), address);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(host->manager);

    return vgpu_reading_available(reading, gpu, vgpu_gpu_find_profile(gpu, profile));
}

/* The pool's remaining capacity for the profile. */
static guint
available_in_pool(Host *host, const char *profile)
{
    g_autoptr(GPtrArray) pools = vgpu_manager_list_pools(host->manager);
    const VgpuPoolRow *row = g_ptr_array_index(pools, 0);

    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);

        if (g_str_equal(room->name, profile))
            return room->available;
    }
    fail_msg("no profile %s", profile);
    return 0;
}

static void
note_creation(const GError *error, gpointer opaque)
{
    char **out = opaque;

    *out = g_strdup(error ? error->message : "made");
}

/* Create a vGPU by hand; returns the refusal, or "made". */
static char *
create(Host *host, const char *gpu, const char *uuid)
{
    char *result = NULL;

    vgpu_manager_create(host->manager, gpu, "NVIDIA A2-4Q", uuid, note_creation, &result);
    while (!result)
        g_main_context_iteration(host->context, TRUE);
    return result;
}

/* A start, explain, creation by hand and the reported capacity agree. */
static void
test_nothing_new(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;
    const VgpuForecast *forecast;
    const VgpuCandidate *candidate;
    g_autofree char *refused = NULL, *by_hand = NULL, *started = NULL;

    assert_int_equal(available(host, A2, "nvidia-746"), 4);
    cordon(host, A2);
    refused = host_start(host, xml);
    assert_has(refused, A2 ": " FAN A2 ")");
    assert_int_equal(host_count_devices(host), 0);
    forecasts = vgpu_manager_explain(host->manager, domain);
    forecast = g_ptr_array_index(forecasts, 0);
    candidate = g_ptr_array_index(forecast->candidates, 0);
    assert_int_equal(candidate->verdict, VGPU_VERDICT_CORDONED);
    assert_string_equal(vgpu_verdict_to_string(candidate->verdict), "cordoned");
    assert_string_equal(forecast->refusal, refused);
    assert_int_equal(available(host, A2, "nvidia-746"), 0);
    assert_int_equal(available_in_pool(host, "NVIDIA A2-4Q"), 0);
    by_hand = create(host, A2, "11111111-2222-4333-8444-555555555555");
    assert_has(by_hand, FAN A2 ")");
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    uncordon(host, A2);
    started = host_start(host, xml);
    assert_null(started);
    assert_int_equal(available(host, A2, "nvidia-746"), 3);
}

/* A running domain keeps its vGPU; its next run does not get it again. */
static void
test_what_runs_stays(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autofree char *started = host_start(host, xml), *device = NULL;
    g_auto(Prepare) again = { 0 };
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;

    assert_null(started);
    cordon(host, A2);
    host_settle(host);
    device = host_device(host, HOST_WEB1_0);
    assert_has(device, "nvidia-746");
    forecasts = vgpu_manager_explain(host->manager, domain);
    assert_string_equal(((VgpuForecast *) forecasts->pdata[0])->state, "active");
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    host_open(host, HOST_WEB1_0); /* QEMU has not ended yet */
    host_release(host, HOST_WEB1);
    host_prepare(host, xml, 20000, &again);
    host_run(host, 200);
    assert_false(again.answered);
    host_close(host, HOST_WEB1_0);
    while (!again.answered)
        g_main_context_iteration(host->context, TRUE);
    assert_non_null(again.error);
    assert_has(again.error->message, FAN A2 ")");
    host_settle(host);
    assert_int_equal(host_count_devices(host), 0);
}

/* A start that already has its place continues. */
static void
test_start_under_way(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_auto(Prepare) prepare = { 0 };

    host_knob(host, "create_delay_ms", "300");
    host_prepare(host, xml, 20000, &prepare);
    while (!vgpu_owner_find(vgpu_records_find(host->manager, HOST_WEB1), HOST_WEB1_0))
        g_main_context_iteration(host->context, TRUE);
    cordon(host, A2);
    while (!prepare.answered)
        g_main_context_iteration(host->context, TRUE);
    if (prepare.error)
        fail_msg("%s", prepare.error->message);
}

static void
test_kept(void **state)
{
    Host *host = *state;
    const VgpuCordon *known;

    cordon(host, A2);
    host_restart(host);
    known = vgpu_manager_cordon_of(host->manager, A2);
    assert_non_null(known);
    assert_string_equal(known->reason, "fan");
    assert_string_equal(known->by, "root");
    assert_int_equal(available(host, A2, "nvidia-746"), 0);
    uncordon(host, A2);
    assert_int_equal(available(host, A2, "nvidia-746"), 4);
    host_restart(host);
    assert_null(vgpu_manager_cordon_of(host->manager, A2));
    assert_int_equal(available(host, A2, "nvidia-746"), 4);
}

/* Reported once, and again only for another reason; the time does not change. */
static void
test_events(void **state)
{
    Host *host = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *since = NULL;

    g_string_truncate(host->log, 0);
    cordon(host, A2);
    since = g_strdup(vgpu_manager_cordon_of(host->manager, A2)->since);
    cordon(host, A2);
    assert_true(vgpu_manager_cordon(host->manager, A2, NULL, "root", &error));
    assert_string_equal(vgpu_manager_cordon_of(host->manager, A2)->reason, "fan");
    assert_string_equal(host->log->str, "gpus-changed\ngpu-cordoned  fan\n");
    g_usleep(1100000); /* it would be another second */
    assert_true(vgpu_manager_cordon(host->manager, A2, "card", "virtvgpud", &error));
    assert_string_equal(vgpu_manager_cordon_of(host->manager, A2)->since, since);
    assert_string_equal(vgpu_manager_cordon_of(host->manager, A2)->by, "virtvgpud");
    g_string_truncate(host->log, 0);
    uncordon(host, A2);
    uncordon(host, A2);
    assert_string_equal(host->log->str, "gpus-changed\ngpu-uncordoned  \n");
}

static void
test_refused(void **state)
{
    static const struct {
        const char *what, *gpu, *reason, *why;
        VgpuError code;
    } cases[] = {
        { "a GPU that is not there", "0000:99:00.0", NULL,
          "there is no GPU 0000:99:00.0 on this host (see 'virt-vgpu gpu-list')",
          VGPU_ERROR_NOT_FOUND },
        { "a VF", "0000:41:00.4", NULL, "is a virtual function: cordon its GPU, " A2,
          VGPU_ERROR_ARGUMENT },
        { "two lines", A2, "a\nb", "one line", VGPU_ERROR_ARGUMENT },
    };
    Host *host = *state;

    (void) vgpu_manager_inventory(host->manager);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_manager_cordon(host->manager, cases[i].gpu, cases[i].reason, "root", &error))
            fail_msg("%s", cases[i].what);
        assert_has(error->message, cases[i].why);
        assert_int_equal(error->code, cases[i].code);
    }
}

/* A GPU that was removed, for instance. */
static void
test_not_there(void **state)
{
    Host *host = *state;
    g_autofree char *path = g_build_filename(host->root, VGPU_PATH_CORDONS, NULL);
    g_autoptr(GPtrArray) gpus = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(g_file_set_contents(path,
                                    "[0000:99:00.0]\nsince=2026-03-01T09:30:00Z\nby=root\n"
                                    "[end]\ncomplete=true\n",
                                    -1, NULL));
    host_restart(host);
    gpus = vgpu_manager_cordoned(host->manager);
    assert_int_equal(gpus->len, 1);
    assert_string_equal(gpus->pdata[0], "0000:99:00.0");
    uncordon(host, "0000:99:00.0");
    assert_false(vgpu_manager_uncordon(host->manager, "0000:99:00.0", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
}

/* A definition leaves the GPU while there is room elsewhere, and stays as it is while there is none. */
static void
test_definitions(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_bound(host, 1, L40S_4Q, VF0, VF0);
    cordon(host, L40S);
    assert_bound(host, 1, L40S_4Q, VF0, "0000:62:00.4");
    assert_bound(host, 1, L40S_4Q, "0000:62:00.4", "0000:62:00.4");
    assert_starts(host, 1, L40S_4Q, "0000:62:00.4");
    assert_bound(host, 2, L40S_4Q, NULL, "0000:62:00.5");
    cordon(host, L40S_2);
    assert_bound(host, 1, L40S_4Q, "0000:62:00.4", "0000:62:00.4"); /* it runs there */
    assert_bound(host, 2, L40S_4Q, "0000:62:00.5", "0000:62:00.5");
    assert_refused(host, 2, L40S_4Q, "0000:62:00.5", FAN L40S_2 ")");
    uncordon(host, L40S);
    assert_bound(host, 2, L40S_4Q, "0000:62:00.5", VF0);
    assert_starts(host, 2, L40S_4Q, VF0);
}

/* The definition had no time to follow. */
static void
test_moved(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    cordon(host, L40S);
    g_string_truncate(host->log, 0);
    assert_refused(host, 1, L40S_4Q, VF0, "is being moved to another device");
    assert_true(asked_to_rewrite(host, 1));
    assert_bound(host, 1, L40S_4Q, VF0, "0000:62:00.4");
}

/* Room that was held before the cordon stays: the domain may start; new room is not held there. */
static void
test_held(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, DEFINE_4Q, NULL, VF0);
    cordon(host, L40S);
    assert_bound(host, 1, DEFINE_4Q, VF0, VF0);
    assert_starts(host, 1, DEFINE_4Q, VF0);
    stop(host, 1);
    assert_starts(host, 1, DEFINE_4Q, VF0); /* again */
    assert_bound(host, 2, DEFINE_4Q, NULL, "0000:62:00.4");
    cordon(host, L40S_2);
    assert_bound(host, 3, DEFINE_4Q, NULL, "is cordoned: fan");
}

static void
fault(Host *host, guint code, const char *slot)
{
    vgpu_manager_take_fault(host->manager, vgpu_xid_find(code, ""), slot, "GPU\nis \xff gone");
}

static const char *
reason_of(Host *host, const char *gpu)
{
    const VgpuCordon *cordon = vgpu_manager_cordon_of(host->manager, gpu);

    return cordon ? cordon->reason : NULL;
}

#define XID_79 "Xid 79, GPU has fallen off the bus; reboot the host"

/* A GPU with such an error is cordoned, and running domains keep their vGPUs. */
static void
test_fault(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autofree char *started = host_start(host, xml);

    assert_null(started);
    g_string_truncate(host->log, 0);
    fault(host, 79, "0000:41:00");
    assert_string_equal(host->log->str, "gpu-fault  " XID_79 "\ngpus-changed\n"
                                        "gpu-cordoned  " XID_79 "\n");
    assert_string_equal(reason_of(host, A2), XID_79);
    assert_string_equal(vgpu_manager_cordon_of(host->manager, A2)->by, "virtvgpud");
    assert_int_equal(available(host, A2, "nvidia-746"), 0);
    assert_int_equal(host_count_devices(host), 1);
    g_string_truncate(host->log, 0);
    fault(host, 79, "0000:41:00"); /* it is reported once a minute */
    fault(host, 48, "0000:41:00"); /* and what follows is not the cause */
    assert_string_equal(host->log->str,
                        "gpu-fault  Xid 48, double-bit ECC error; stop its domains and reset it "
                        "(nvidia-smi --gpu-reset)\n");
    assert_string_equal(reason_of(host, A2), XID_79);
    assert_null(reason_of(host, L40S));
}

/* The driver names no function: VFs have slots of their own. */
static void
test_fault_of_vf(void **state)
{
    Host *host = *state;
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(host->manager), L40S_2);
    const char *last = g_ptr_array_index(gpu->vfs, gpu->vfs->len - 1);
    g_autofree char *slot = g_strndup(last, strlen(last) - 2);

    fault(host, 95, slot);
    assert_non_null(reason_of(host, L40S_2));
    assert_null(reason_of(host, L40S));
    fault(host, 79, "0000:99:00"); /* it has gone already */
    assert_string_equal(reason_of(host, "0000:99:00.0"), XID_79);
    fault(host, 79, "0000:98:01"); /* which GPU that was cannot be told */
    assert_null(reason_of(host, "0000:98:01.0"));
}

static void
test_fault_setting(void **state)
{
    Host *host = *state;

    host->config->cordon_on_xid = false;
    g_string_truncate(host->log, 0);
    fault(host, 79, "0000:41:00");
    assert_string_equal(host->log->str, "gpu-fault  " XID_79 "\n");
    assert_null(reason_of(host, A2));
    host->config->cordon_on_xid = true;
    cordon(host, L40S); /* whose reason stays */
    fault(host, 79, "0000:61:00");
    assert_string_equal(reason_of(host, L40S), "fan");
    host_restart(host); /* before it is known which GPUs there are */
    fault(host, 140, "0000:41:00");
    (void) vgpu_manager_inventory(host->manager);
    assert_non_null(reason_of(host, A2));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, vf_host_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_new),   TEST(test_what_runs_stays), TEST(test_start_under_way),
        TEST(test_kept),          TEST(test_events),          TEST(test_refused),
        TEST(test_not_there),     TEST(test_definitions),     TEST(test_moved),
        TEST(test_held),          TEST(test_fault),           TEST(test_fault_of_vf),
        TEST(test_fault_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
