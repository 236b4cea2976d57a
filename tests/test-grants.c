/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts, arrivals and explain with what the agent of a fleet has told; and the file that outlives the daemon. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>

#include "base/names.h"
#include "core/arrivals.h"
#include "core/fleet-picture.h"
#include "core/grants.h"
#include "manager-host.h"

#define A2_4Q HOST_DEVICE("")
#define LASTS 600

static int
setup(void **state)
{
    Host *host = host_new();

    host->config->fleet.reservation = VGPU_RESERVATION_REQUIRED;
    *state = host;
    return 0;
}

static int
teardown(void **state)
{
    host_free(*state);
    return 0;
}

/* The agent's call; @entry NULL: about no domain. */
static void
tell(Host *host, const VgpuFleetEntry *entry)
{
    VgpuFleetPicture *picture = vgpu_fleet_picture_new(true, vgpu_clock_now(), LASTS);
    g_autoptr(GError) error = NULL;

    if ((entry && !vgpu_fleet_picture_add(picture, HOST_WEB1, entry, &error)) ||
        !vgpu_manager_save_fleet(host->manager, picture, &error))
        fail_msg("%s", error->message);
    vgpu_manager_take_fleet(host->manager, picture);
}

static const VgpuFleetEntry here = { .here = true, .state = VGPU_FLEET_RUNNING };
static const VgpuFleetEntry there = { .host = "node7", .state = VGPU_FLEET_RUNNING };
static const VgpuFleetEntry leaving = { .host = "node7", .state = VGPU_FLEET_MOVING };

/* A start, and what explain says of it: both the same. NULL: it starts. */
static char *
start(Host *host)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(host->manager, domain);
    const VgpuForecast *forecast = g_ptr_array_index(forecasts, 0);
    char *refused;

    g_string_truncate(host->log, 0);
    refused = host_start(host, xml);
    if (refused) {
        g_autofree char *explained = g_strconcat("domain 'web1': ", forecast->refusal, NULL);

        assert_string_equal(refused, explained);
    }
    if (!refused)
        assert_null(forecast->refusal);
    return refused;
}

static void
assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' instead of '%s'", text, part);
}

static void
test_required(void **state)
{
    Host *host = *state;
    g_autofree char *elsewhere = NULL, *nobody = NULL, *started = NULL;

    tell(host, &there);
    elsewhere = start(host);
    assert_has(elsewhere, "running on host 'node7'");
    assert_has(host->log->str, "start-refused");
    assert_int_equal(host_count_records(host), 0);
    tell(host, NULL);
    nobody = start(host);
    assert_has(nobody, "it is not reserved for this host");
    tell(host, &here);
    started = start(host);
    assert_null(started);
    assert_null(strstr(host->log->str, "fleet-"));
}

/* A domain that asks for nothing of ours is none of the fleet's business. */
static void
test_nothing_asked_for(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, "", 0), *started = NULL;

    tell(host, &there);
    started = host_start(host, xml);
    assert_null(started);
}

static void
test_advisory(void **state)
{
    Host *host = *state;
    g_autofree char *started = NULL;

    host->config->fleet.reservation = VGPU_RESERVATION_ADVISORY;
    tell(host, &there);
    started = start(host);
    assert_null(started);
    assert_has(host->log->str, "fleet-conflict");
    assert_has(host->log->str, "it is running on host 'node7' of the fleet");
}

static void
test_off(void **state)
{
    Host *host = *state;
    g_autofree char *started = NULL;

    host->config->fleet.reservation = VGPU_RESERVATION_OFF;
    tell(host, &there);
    started = start(host);
    assert_null(started);
    assert_null(strstr(host->log->str, "fleet-"));
}

static void
test_partition(void **state)
{
    Host *host = *state;
    g_autofree char *started = NULL, *refused = NULL;

    started = start(host);
    assert_null(started);
    assert_has(host->log->str, "fleet-partition");
    assert_has(host->log->str, "virt-vgpu-fleet has not called since virtvgpud was started");
    host_release(host, HOST_WEB1);
    host_settle(host);
    host->config->fleet.refuse_when_parted = true;
    refused = start(host);
    assert_has(refused, "onPartition=refuse");
    assert_null(strstr(host->log->str, "fleet-partition"));
}

/* explain says what is unusual, though a start goes on. */
static void
test_notes(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) parted = vgpu_manager_explain(host->manager, domain), shared = NULL;

    assert_has(((const VgpuForecast *) parted->pdata[0])->fleet,
               "it starts without a reservation (");
    host->config->fleet.reservation = VGPU_RESERVATION_ADVISORY;
    tell(host, &there);
    shared = vgpu_manager_explain(host->manager, domain);
    assert_has(((const VgpuForecast *) shared->pdata[0])->fleet, "running on host 'node7'");
}

/* As a slow question asks it, with what was told when it was asked. */
static void
test_copy(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;
    VgpuManager *copy;

    tell(host, &there);
    copy = vgpu_manager_copy(host->manager, domain);
    tell(host, &here);
    forecasts = (vgpu_manager_explain) (copy, domain);
    assert_has(((const VgpuForecast *) forecasts->pdata[0])->refusal, "running on host 'node7'");
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    vgpu_manager_copy_free(copy);
}

static void
test_arrival(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, A2_4Q, 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;
    g_autofree char *refused = NULL, *by_hand = NULL, *arrived = NULL;

    tell(host, &there);
    vgpu_arrivals_expect(host->manager, HOST_WEB1);
    refused = host_start(host, xml);
    assert_has(refused, "running on host 'node7'");
    assert_has(host->log->str, "migration-refused");
    tell(host, &leaving);
    forecasts = vgpu_manager_explain(host->manager, domain); /* before it is migrated */
    assert_null(((const VgpuForecast *) forecasts->pdata[0])->refusal);
    by_hand = host_start(host, xml);
    assert_has(by_hand, "moving on host 'node7'");
    vgpu_arrivals_expect(host->manager, HOST_WEB1);
    arrived = host_start(host, xml);
    assert_null(arrived);
}

static char *
path_of(const Host *host)
{
    return g_build_filename(host->root, VGPU_PATH_FLEET, NULL);
}

static void
test_restart(void **state)
{
    Host *host = *state;
    g_autofree char *path = path_of(host), *refused = NULL, *started = NULL;
    struct stat st;

    tell(host, &there);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    host_restart(host);
    refused = start(host);
    assert_has(refused, "running on host 'node7'");
    assert_true(g_file_set_contents(path, "[fleet", -1, NULL));
    host_restart(host); /* with a warning */
    assert_null(vgpu_manager_fleet(host->manager));
    started = start(host);
    assert_null(started);
    assert_has(host->log->str, "fleet-partition");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_required), TEST(test_nothing_asked_for), TEST(test_advisory),
        TEST(test_off),      TEST(test_partition),         TEST(test_notes),
        TEST(test_copy),     TEST(test_arrival),           TEST(test_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
