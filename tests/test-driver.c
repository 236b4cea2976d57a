/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon learns about GPUs through the real virt-vgpu-driver, and the outcome of its tasks. The driver
 * behind it is the fake one, whose knobs block a process in a call for as long as a test needs. */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include "driver-host.h"

#define HANG_READ "hang_read-"
#define HANG_CREATE "hang_create-"
#define LONG_MS 30000
#define A100 "0000:a1:00.0"
#define L40S "0000:61:00.0"

static guint64 held; /* as vgpu_drivers_hold() has told */

static VgpuSight
see(DriverHost *host, const char *gpu, gint64 since)
{
    return vgpu_drivers_see(host->drivers, gpu, since);
}

static const char *
why(DriverHost *host, const char *gpu)
{
    return vgpu_drivers_why(host->drivers, gpu, NULL);
}

/* Block the driver in the next read, which has been sent. */
static gint64
hang_read(DriverHost *host, const char *gpu)
{
    gint64 now = g_get_monotonic_time();

    driver_host_knob(host, HANG_READ, gpu);
    assert_int_equal(see(host, gpu, now), VGPU_SIGHT_ASKED);
    return now;
}

static void
wait_until_silent(DriverHost *host, const char *gpu, const char *reason)
{
    driver_host_wait(host, why(host, gpu));
    if (!strstr(why(host, gpu), reason))
        fail_msg("%s: %s", gpu, why(host, gpu));
    assert_int_equal(see(host, gpu, g_get_monotonic_time()), VGPU_SIGHT_SILENT);
}

/* Without a request. */
static void
wait_until_healed(DriverHost *host, const char *gpu, gint64 since)
{
    driver_host_wait(host, !why(host, gpu));
    driver_host_wait(host, see(host, gpu, since) == VGPU_SIGHT_FRESH);
}

/* --- reading -------------------------------------------------------------------------------- */

static void
test_discovery(void **state)
{
    DriverHost *host = *state;
    gint64 now = g_get_monotonic_time();

    assert_int_equal(vgpu_drivers_discover(host->drivers, now), VGPU_SIGHT_ASKED);
    assert_int_equal(host->discovered, 0);
    driver_host_wait(host, vgpu_drivers_discover(host->drivers, now) == VGPU_SIGHT_FRESH);
    assert_int_equal(host->discovered, 1);
    assert_int_equal(host->changed, 1);
    assert_int_equal(host->inventory->gpus->len, 4);

    driver_host_see(host); /* the same again is not told */
    assert_int_equal(host->discovered, 1);
    vgpu_drivers_rediscover(host->drivers);
    assert_int_equal(vgpu_drivers_discover(host->drivers, now), VGPU_SIGHT_ASKED);
    driver_host_see(host);
    assert_int_equal(host->discovered, 1);

    driver_host_add_board(host,
                          "a100"); /* the next look notices mdev types, and no other cards */
    driver_host_see(host);
    assert_int_equal(host->discovered, 2);
    assert_int_equal(driver_host_told(host, A100), 1);
    driver_host_add_board(host, "l40s");
    driver_host_see(host);
    assert_int_equal(host->discovered, 2);
    vgpu_drivers_rediscover(host->drivers);
    driver_host_see(host);
    assert_int_equal(host->discovered, 3);
    assert_int_equal(driver_host_told(host, L40S), 1);
}

/* The set of named GPUs changes and changes back: the answer in between contains a change, and is dropped; the
 * next answer must not say "unchanged". */
static void
test_named_and_back(void **state)
{
    DriverHost *host = *state;
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_add(named, (gpointer) A100);
    driver_host_see(host);
    driver_host_add_board(host, "a100");
    assert_int_equal(vgpu_drivers_discover(host->drivers, g_get_monotonic_time()),
                     VGPU_SIGHT_ASKED);
    vgpu_drivers_set_named(host->drivers, named);
    vgpu_drivers_set_named(host->drivers, NULL);
    driver_host_see(host);
    assert_non_null(vgpu_inventory_find(host->inventory, A100));
}

static void
test_read(void **state)
{
    DriverHost *host = *state;

    assert_int_equal(see(host, DRIVER_M10, 0), VGPU_SIGHT_FRESH); /* there is none such yet */
    driver_host_see(host);
    assert_int_equal(driver_host_told(host, DRIVER_A2), 1);
    assert_int_equal(driver_host_told(host, DRIVER_M10), 1);
    driver_host_see(host);
    assert_int_equal(driver_host_told(host, DRIVER_M10), 1);

    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS);
    driver_host_wait(host, host->sent->len);
    assert_string_equal(host->sent->str, "a answered|");
    assert_int_equal(driver_host_told(host, DRIVER_M10), 1);
    driver_host_see(host);
    assert_int_equal(driver_host_told(host, DRIVER_M10), 2);
    assert_int_equal(driver_host_told(host, DRIVER_M10_2), 1);
}

/* How long a reading stays fresh after an event. */
static void
test_freshness(void **state)
{
    DriverHost *host = *state;
    gint64 now = g_get_monotonic_time();

    driver_host_see(host);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_FRESH);
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_ASKED);
    driver_host_see(host);
    vgpu_drivers_touch(host->drivers, DRIVER_M10);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
    driver_host_see(host);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_FRESH);
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
    driver_host_see(host);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_FRESH);
    driver_host_wait(host, host->sent->len);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
}

static void
test_merged(void **state)
{
    DriverHost *host = *state;
    gint64 first, second;
    guint changed;

    driver_host_see(host);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    changed = host->changed;
    driver_host_knob(host, HANG_READ, DRIVER_M10);
    first = g_get_monotonic_time();
    for (int i = 0; i < 3; i++)
        assert_int_equal(see(host, DRIVER_M10, first), VGPU_SIGHT_ASKED);
    driver_host_turn(host);
    second = g_get_monotonic_time();
    for (int i = 0; i < 3; i++)
        assert_int_equal(see(host, DRIVER_M10, second), VGPU_SIGHT_ASKED);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    driver_host_wait(host, see(host, DRIVER_M10, first) == VGPU_SIGHT_FRESH);
    assert_int_equal(host->changed, changed + 1);
    driver_host_wait(host, see(host, DRIVER_M10, second) == VGPU_SIGHT_FRESH);
    assert_true(host->changed <= changed + 2); /* or its driver was asked only after the second */
}

/* Its functions change while it is being read. */
static void
test_other_arguments(void **state)
{
    DriverHost *host = *state;
    guint changed, told;
    gint64 since;

    driver_host_see(host);
    held = vgpu_drivers_hold(host->drivers, DRIVER_A2);
    driver_host_knob(host, HANG_READ, DRIVER_A2);
    since = g_get_monotonic_time();
    assert_int_equal(see(host, DRIVER_A2, since), VGPU_SIGHT_ASKED);
    told = driver_host_told(host, DRIVER_A2);
    changed = host->changed;
    driver_host_take_without(host, "0000:41:00.4");
    driver_host_unknob(host, HANG_READ, DRIVER_A2);
    driver_host_wait(host, host->changed > changed);
    assert_int_equal(driver_host_told(host, DRIVER_A2), told);
    assert_int_equal(see(host, DRIVER_A2, since), VGPU_SIGHT_ASKED);
    driver_host_wait(host, see(host, DRIVER_A2, since) == VGPU_SIGHT_FRESH);
    assert_int_equal(host->changed, changed + 2);
    assert_int_equal(driver_host_told(host, DRIVER_A2), told + 1);
    vgpu_drivers_unhold(host->drivers, DRIVER_A2, held);
}

/* A driver process that is given other GPUs forgets its readings of the previous ones, even if they are equal. */
static void
test_told_anew(void **state)
{
    DriverHost *host = *state;
    static const char *const versions[] = { "1", "1", "2" };
    static const guint told[] = { 2, 2, 3 };

    driver_host_see(host);
    for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
        VgpuGpu *gpu = vgpu_inventory_find(host->inventory, DRIVER_M10);

        g_free(gpu->driver_version);
        gpu->driver_version = g_strdup(versions[i]);
        vgpu_drivers_take(host->drivers, host->inventory);
        driver_host_see(host);
        assert_int_equal(driver_host_told(host, DRIVER_M10), told[i]);
    }
    assert_int_equal(driver_host_told(host, DRIVER_M10_2), 1);
}

/* --- a driver that does not answer ---------------------------------------------------------- */

static void
test_silent_read(void **state)
{
    DriverHost *host = *state;
    gint64 now, since = 0;

    driver_host_see(host);
    now = hang_read(host, DRIVER_M10);
    driver_host_wait(host, see(host, DRIVER_M10_2, now) == VGPU_SIGHT_FRESH &&
                               see(host, DRIVER_A2, now) == VGPU_SIGHT_FRESH &&
                               see(host, DRIVER_P40, now) == VGPU_SIGHT_FRESH);
    wait_until_silent(host, DRIVER_M10, "its driver has not answered a read for ");
    (void) vgpu_drivers_why(host->drivers, DRIVER_M10, &since);
    assert_true(since - now >= 500000 && since <= g_get_monotonic_time());
    assert_int_equal(see(host, DRIVER_M10, 0), VGPU_SIGHT_FRESH); /* as of then */
    now = g_get_monotonic_time();
    driver_host_wait(host, see(host, DRIVER_M10_2, now) == VGPU_SIGHT_FRESH);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, now);
}

/* The time to start the process does not extend the limit. */
static void
test_silent_from_the_start(void **state)
{
    DriverHost *host = *state;
    gint64 since = 0, discovered = g_get_monotonic_time();

    driver_host_knob(host, HANG_READ, DRIVER_M10);
    driver_host_wait(host, vgpu_drivers_discover(host->drivers, 0) == VGPU_SIGHT_FRESH);
    assert_int_equal(see(host, DRIVER_M10, 0), VGPU_SIGHT_ASKED);
    driver_host_wait(host, driver_host_find(host, DRIVER_M10));
    wait_until_silent(host, DRIVER_M10, "has not answered a read");
    (void) vgpu_drivers_why(host->drivers, DRIVER_M10, &since);
    assert_true(since - discovered < 5000000);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, 0);
}

static void
test_hold(void **state)
{
    DriverHost *host = *state;

    driver_host_see(host);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    driver_host_knob(host, HANG_READ, DRIVER_M10);
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_ASKED);
    (void) hang_read(host, DRIVER_M10_2);
    wait_until_silent(host, DRIVER_M10_2, "read"); /* by then the other's time is over as well */
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_BUSY);
    assert_null(why(host, DRIVER_M10));

    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held); /* there is another */
    driver_host_turn(host);
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_BUSY);
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    wait_until_silent(host, DRIVER_M10, "read");
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held); /* one too many does no harm */
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_BUSY);
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    driver_host_unknob(host, HANG_READ, DRIVER_M10_2);
    wait_until_healed(host, DRIVER_M10, g_get_monotonic_time());
    wait_until_healed(host, DRIVER_M10_2, g_get_monotonic_time());
}

/* A read that a removal of ours has delayed gets its whole time when that is over, so callers wait for it; and its
 * answer is older than the end of the removal, so a create waits for the next one. */
static void
test_read_after_a_removal(void **state)
{
    DriverHost *host = *state;
    gint64 silent = 0, unheld, now;

    driver_host_see(host);
    driver_host_knob(host, HANG_CREATE, DRIVER_M10);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    (void) hang_read(host, DRIVER_M10);
    driver_host_wait(host, see(host, DRIVER_M10, g_get_monotonic_time()) == VGPU_SIGHT_BUSY);
    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS);
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    now = g_get_monotonic_time();
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    driver_host_wait(host, see(host, DRIVER_M10, now) != VGPU_SIGHT_ASKED);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_FRESH);
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    driver_host_wait(host, host->freed == 1);

    /* but not for ever */
    driver_host_see(host);
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    (void) hang_read(host, DRIVER_M10);
    driver_host_wait(host, see(host, DRIVER_M10, g_get_monotonic_time()) == VGPU_SIGHT_BUSY);
    unheld = g_get_monotonic_time();
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    wait_until_silent(host, DRIVER_M10, "read");
    (void) vgpu_drivers_why(host->drivers, DRIVER_M10, &silent);
    assert_true(silent - unheld >= 500000);
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, unheld);
}

/* A silent driver is asked again at growing intervals. */
static void
test_answer_of_no_use(void **state)
{
    DriverHost *host = *state;
    gint64 first = 0, second = 0;
    guint told;

    driver_host_see(host);
    host->refuses_contents = true;
    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS);
    driver_host_wait(host, host->sent->len);
    assert_null(why(host, DRIVER_M10));
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_ASKED);
    wait_until_silent(host, DRIVER_M10, "its answer is invalid");
    (void) vgpu_drivers_why(host->drivers, DRIVER_M10, &first);
    told = driver_host_told(host, DRIVER_M10);
    driver_host_wait(host, driver_host_told(host, DRIVER_M10) == told + 2);
    assert_true(g_get_monotonic_time() - first >= 1500000); /* 500 ms and 1 s */
    (void) vgpu_drivers_why(host->drivers, DRIVER_M10, &second);
    assert_int_equal(first, second);
    host->refuses_contents = false;
    wait_until_healed(host, DRIVER_M10, first);
}

/* --- tasks ---------------------------------------------------------------------------------- */

static bool
is_never_wanted(gpointer host)
{
    (void) host;
    return false;
}

/* A task that is under way, and never answered. */
static void
hang_create(DriverHost *host, const char *gpu, guint limit_ms)
{
    driver_host_see(host);
    driver_host_knob(host, HANG_CREATE, gpu);
    driver_host_push_create(host, gpu, "h", limit_ms);
    assert_true(vgpu_drivers_working_since(host->drivers, gpu) > 0);
    assert_int_equal(see(host, gpu, g_get_monotonic_time()), VGPU_SIGHT_BUSY);
}

static void
test_tasks(void **state)
{
    DriverHost *host = *state;
    gint64 now;

    hang_create(host, DRIVER_M10, LONG_MS);
    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS);
    driver_host_push(host, DRIVER_M10, "b", is_never_wanted);
    driver_host_push_create(host, DRIVER_M10, "c", LONG_MS);
    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS); /* again */
    driver_host_push_create(host, DRIVER_M10_2, "2", LONG_MS);
    driver_host_wait(host, host->sent->len);
    assert_string_equal(host->sent->str, "2 answered|"); /* each GPU is for itself */
    now = g_get_monotonic_time();
    driver_host_wait(host, see(host, DRIVER_M10_2, now) == VGPU_SIGHT_FRESH);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_BUSY);
    assert_int_equal(driver_host_count_vgpus(host), 1);
    assert_int_equal(host->refused->len, 0);

    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    driver_host_wait(host, host->freed == host->pushed);
    assert_true(
        g_str_has_prefix(host->sent->str, "2 answered|h answered|a answered|c answered|a "));
    assert_string_equal(host->refused->str, "b it is no longer needed|");
    assert_int_equal(driver_host_count_vgpus(host), 4);
    assert_int_equal(vgpu_drivers_working_since(host->drivers, DRIVER_M10), 0);
    driver_host_wait(host, see(host, DRIVER_M10, now) == VGPU_SIGHT_FRESH);
}

/* A task that is no longer wanted is told so, and sends another request at once: the following tasks are not
 * lost. */
static void
test_task_instead(void **state)
{
    DriverHost *host = *state;

    driver_host_see(host);
    driver_host_push_unwanted(host, DRIVER_M10, "a", "b"); /* with nothing before it */
    driver_host_wait(host, host->freed == 2);
    assert_string_equal(host->sent->str, "b the verb is unknown|");

    hang_create(host, DRIVER_M10, LONG_MS);
    driver_host_push_unwanted(host, DRIVER_M10, "c", "d");
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    driver_host_wait(host, strstr(host->refused->str, "c "));
    driver_host_push(host, DRIVER_M10, "e", NULL);
    driver_host_push(host, DRIVER_M10, "f", NULL);
    driver_host_wait(host, strstr(host->sent->str, "f "));
    assert_int_equal(host->freed, host->pushed);
}

static void
test_too_many(void **state)
{
    DriverHost *host = *state;
    g_autoptr(GString) wanted = g_string_new("h answered|");

    hang_create(host, DRIVER_M10, LONG_MS);
    for (int i = 0; i < 66; i++) {
        g_autofree char *name = g_strdup_printf("%d", i);

        driver_host_push(host, DRIVER_M10, name, NULL);
        if (i < 64)
            g_string_append_printf(wanted, "%d the verb is unknown|", i);
    }
    driver_host_wait(host, host->freed == 2);
    assert_string_equal(host->refused->str,
                        "64 it has too many requests|65 it has too many requests|");
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    driver_host_wait(host, host->freed == host->pushed);
    assert_string_equal(host->sent->str, wanted->str);
}

static void
test_task_over_its_limit(void **state)
{
    DriverHost *host = *state;
    gint64 now;

    hang_create(host, DRIVER_M10, 100);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    driver_host_push(host, DRIVER_M10, "b", NULL);
    wait_until_silent(host, DRIVER_M10, "its driver has not answered a create for ");
    driver_host_push(host, DRIVER_M10, "c", NULL);
    driver_host_wait(host, host->freed == 3);
    assert_true(g_str_has_prefix(host->refused->str, "a its driver has not answered a create"));
    assert_non_null(strstr(host->refused->str, "|b its driver has not answered a create"));
    assert_non_null(strstr(host->refused->str, "|c its driver has not answered a create"));
    assert_int_equal(host->sent->len, 0);
    assert_true(vgpu_drivers_working_since(host->drivers, DRIVER_M10) > 0);

    now = g_get_monotonic_time();
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, now);
    assert_string_equal(host->sent->str, "h answered|");
    assert_int_equal(driver_host_count_vgpus(host), 1);
}

/* Tasks queued before are returned, even if the driver answers before that is reported. */
static void
test_answer_before_refusal(void **state)
{
    DriverHost *host = *state;

    hang_create(host, DRIVER_M10, 1);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    driver_host_wait(host, host->freed == 2);
    driver_host_push(host, DRIVER_M10, "b", NULL);
    driver_host_wait(host, host->freed == 3);
    assert_null(strstr(host->refused->str, "too many requests"));
}

/* --- processes that end --------------------------------------------------------------------- */

static void
test_killed_at_work(void **state)
{
    DriverHost *host = *state;
    gint64 now;

    hang_create(host, DRIVER_M10, LONG_MS);
    driver_host_turn(host);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    now = g_get_monotonic_time();
    driver_host_kill(host, DRIVER_M10);
    driver_host_wait(host, host->freed == 2);
    assert_string_equal(host->sent->str, "h doubt|");
    assert_non_null(why(host, DRIVER_M10));
    assert_string_equal(host->refused->str, "a it has ended|");
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_SILENT);
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, now);
    driver_host_push(host, DRIVER_M10, "b", NULL);
    driver_host_wait(host, host->freed == 3);
}

static void
test_killed_at_rest(void **state)
{
    static const bool cases[] = { true, false };
    DriverHost *host = *state;

    driver_host_see(host);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPid pid = driver_host_find(host, DRIVER_M10);
        gint64 now;

        driver_host_kill(host, DRIVER_M10);
        if (cases[i]) /* it is noticed before it is asked again */
            driver_host_turn(host);
        assert_null(why(host, DRIVER_M10));
        now = g_get_monotonic_time();
        assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
        driver_host_wait(host, see(host, DRIVER_M10, now) == VGPU_SIGHT_FRESH);
        assert_true(driver_host_find(host, DRIVER_M10) != pid);
    }
}

/* The interval between attempts grows. */
static void
test_back_off(void **state)
{
    DriverHost *host = *state;
    gint64 first = 0, second = 0;

    driver_host_see(host);
    driver_host_knob(host, HANG_READ, DRIVER_M10);
    assert_int_equal(see(host, DRIVER_M10, g_get_monotonic_time()), VGPU_SIGHT_ASKED);
    for (int i = 0; i < 3; i++) {
        driver_host_kill(host, DRIVER_M10);
        driver_host_wait(host, vgpu_drivers_why(host->drivers, DRIVER_M10, NULL));
        (void) vgpu_drivers_why(host->drivers, DRIVER_M10, i ? &second : &first);
        driver_host_wait(host, driver_host_find(host, DRIVER_M10));
    }
    assert_int_equal(first, second);
    assert_true(g_get_monotonic_time() - first >= 3500000); /* 500 ms, 1 s, 2 s */
    driver_host_unknob(host, HANG_READ, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, 0);
}

static void
test_locked(void **state)
{
    DriverHost *host = *state;
    int lock = driver_host_lock(host, DRIVER_M10);
    gint64 now;

    driver_host_wait(host, vgpu_drivers_discover(host->drivers, 0) == VGPU_SIGHT_FRESH);
    driver_host_push_create(host, DRIVER_M10, "a", LONG_MS);
    now = g_get_monotonic_time();
    driver_host_wait(host, see(host, DRIVER_M10_2, now) == VGPU_SIGHT_FRESH);
    driver_host_wait(host, host->freed == 1);
    assert_true(g_str_has_prefix(host->refused->str, "a a process that an earlier virtvgpud"));
    wait_until_silent(host, DRIVER_M10, "a process that an earlier virtvgpud started is still");
    driver_host_push(host, DRIVER_M10, "b", NULL);
    driver_host_wait(host, host->freed == 2);
    assert_int_equal(driver_host_find(host, DRIVER_M10), 0);
    close(lock);
    wait_until_healed(host, DRIVER_M10, now);
}

/* --- GPUs that go --------------------------------------------------------------------------- */

static void
test_gone(void **state)
{
    DriverHost *host = *state;
    g_autoptr(VgpuInventory) nothing = vgpu_inventory_new();
    gint64 now;

    hang_create(host, DRIVER_M10, LONG_MS);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    driver_host_push_unwanted(host, DRIVER_M10, "b", "c");
    driver_host_take_without(host, DRIVER_M10);
    assert_string_equal(host->sent->str, "h doubt|");
    assert_string_equal(host->refused->str,
                        "a the GPU has disappeared, or no longer carries vGPUs|"
                        "b the GPU has disappeared, or no longer carries vGPUs|");
    assert_int_equal(see(host, DRIVER_M10, G_MAXINT64), VGPU_SIGHT_FRESH);
    assert_int_equal(vgpu_drivers_working_since(host->drivers, DRIVER_M10), 0);
    assert_null(why(host, DRIVER_M10));
    held = vgpu_drivers_hold(host->drivers, DRIVER_M10);
    vgpu_drivers_unhold(host->drivers, DRIVER_M10, held);
    vgpu_drivers_touch(host->drivers, DRIVER_M10);
    driver_host_wait(host, host->freed == host->pushed);
    assert_true(g_str_has_suffix(host->refused->str, "|c the GPU no longer exists|"));
    driver_host_see(host); /* the others */

    /* it comes back, with the old process in its call still */
    vgpu_drivers_rediscover(host->drivers);
    vgpu_drivers_take(host->drivers, nothing);
    driver_host_add_board(host, "l40s"); /* so that it is told */
    now = g_get_monotonic_time();
    driver_host_wait(host, vgpu_drivers_discover(host->drivers, now) == VGPU_SIGHT_FRESH);
    assert_int_equal(see(host, DRIVER_M10, now), VGPU_SIGHT_ASKED);
    wait_until_silent(host, DRIVER_M10, "still in a call");
    assert_int_equal(driver_host_count_vgpus(host), 0);
    driver_host_unknob(host, HANG_CREATE, DRIVER_M10);
    wait_until_healed(host, DRIVER_M10, now);
    assert_int_equal(driver_host_count_vgpus(host), 1);
}

/* --- freeing during an operation ------------------------------------------------------------ */

static void
free_at_once(DriverHost *host)
{
    (void) vgpu_drivers_discover(host->drivers, 0); /* a process is being started */
}

static void
free_at_a_read(DriverHost *host)
{
    driver_host_see(host);
    (void) hang_read(host, DRIVER_M10);
    driver_host_turn(host);
}

static void
free_at_a_task(DriverHost *host)
{
    hang_create(host, DRIVER_M10, LONG_MS);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    driver_host_turn(host);
}

static void
free_with_refusals(DriverHost *host)
{
    driver_host_see(host);
    driver_host_push(host, "0000:00:00.0", "a", NULL);
    driver_host_push(host, DRIVER_M10, "b", is_never_wanted);
}

static void
free_when_silent(DriverHost *host)
{
    driver_host_see(host);
    driver_host_kill(host, DRIVER_M10);
    (void) see(host, DRIVER_M10, g_get_monotonic_time());
    wait_until_silent(host, DRIVER_M10, "");
}

static void
free_with_a_new_answer(DriverHost *host)
{
    driver_host_see(host);
    driver_host_push(host, DRIVER_M10, "a", NULL);
    (void) see(host, DRIVER_M10_2, g_get_monotonic_time());
    g_usleep(20000); /* most likely it is there by now, but has not been dispatched */
}

static void
free_when_killed(DriverHost *host)
{
    driver_host_see(host);
    driver_host_kill(host, DRIVER_M10);
    (void) see(host, DRIVER_M10, g_get_monotonic_time()); /* which cannot be sent */
}

static void
test_freed(void **state)
{
    static void (*const cases[])(DriverHost *) = {
        free_at_once,     free_at_a_read,         free_at_a_task,   free_with_refusals,
        free_when_silent, free_with_a_new_answer, free_when_killed,
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DriverHost *host = driver_host_new();
        guint changed, discovered;
        gsize told;

        cases[i](host);
        changed = host->changed;
        discovered = host->discovered;
        told = host->sent->len + host->refused->len;
        g_clear_pointer(&host->drivers, vgpu_drivers_free);
        assert_int_equal(host->freed, host->pushed);
        for (int j = 0; j < 5; j++)
            driver_host_turn(host);
        if (!driver_host_find(host, DRIVER_M10)) /* one that was killed has left its file */
            assert_false(vgpu_driver_process_is_locked(&host->options, DRIVER_M10));
        assert_int_equal(host->changed, changed);
        assert_int_equal(host->discovered, discovered);
        assert_int_equal(host->sent->len + host->refused->len, told);
        driver_host_free(host);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOST(test_discovery),
        WITH_HOST(test_named_and_back),
        WITH_HOST(test_read),
        WITH_HOST(test_freshness),
        WITH_HOST(test_merged),
        WITH_HOST(test_other_arguments),
        WITH_HOST(test_told_anew),
        WITH_HOST(test_silent_read),
        WITH_HOST(test_silent_from_the_start),
        WITH_HOST(test_hold),
        WITH_HOST(test_read_after_a_removal),
        WITH_HOST(test_answer_of_no_use),
        WITH_HOST(test_tasks),
        WITH_HOST(test_task_instead),
        WITH_HOST(test_too_many),
        WITH_HOST(test_task_over_its_limit),
        WITH_HOST(test_answer_before_refusal),
        WITH_HOST(test_killed_at_work),
        WITH_HOST(test_killed_at_rest),
        WITH_HOST(test_back_off),
        WITH_HOST(test_locked),
        WITH_HOST(test_gone),
        cmocka_unit_test(test_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
