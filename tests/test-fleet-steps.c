/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the agent of a host does next, and when: a script of moments each, with the step that is next then. */
#include "test.h"

#include <string.h>

#include "fleet/agent.h"

#define HOST "0a0a0a0a-0000-4000-8000-000000000001"

/* What happens, a letter each: */
#define DO_SYNC 's' /* a step begins and succeeds, here and below */
#define DO_KEEP 'k'
#define DO_READ 'r'
#define DO_TELL 't'
#define FAIL_SYNC 'S' /* a step fails, here and below */
#define FAIL_KEEP 'K'
#define FAIL_READ 'R'
#define END_SYNC 'e' /* the lease has ended, here and below */
#define END_KEEP 'E'
#define CHANGE 'c'
#define NOTICE 'n'
#define LOSE 'l'

typedef struct {
    gint64 at; /* ms */
    char what;
} Act;

static const struct {
    VgpuFleetStep step;
    VgpuFleetOutcome outcome;
    char what;
} acts[] = {
    { VGPU_FLEET_STEP_SYNC, VGPU_FLEET_OUTCOME_DONE, DO_SYNC },
    { VGPU_FLEET_STEP_KEEP, VGPU_FLEET_OUTCOME_DONE, DO_KEEP },
    { VGPU_FLEET_STEP_READ, VGPU_FLEET_OUTCOME_DONE, DO_READ },
    { VGPU_FLEET_STEP_TELL, VGPU_FLEET_OUTCOME_DONE, DO_TELL },
    { VGPU_FLEET_STEP_SYNC, VGPU_FLEET_OUTCOME_FAILED, FAIL_SYNC },
    { VGPU_FLEET_STEP_KEEP, VGPU_FLEET_OUTCOME_FAILED, FAIL_KEEP },
    { VGPU_FLEET_STEP_READ, VGPU_FLEET_OUTCOME_FAILED, FAIL_READ },
    { VGPU_FLEET_STEP_SYNC, VGPU_FLEET_OUTCOME_ENDED, END_SYNC },
    { VGPU_FLEET_STEP_KEEP, VGPU_FLEET_OUTCOME_ENDED, END_KEEP },
};

static void
play(VgpuFleetAgent *self, const Act *act)
{
    switch (act->what) {
    case CHANGE:
        vgpu_fleet_agent_changed(self);
        return;
    case NOTICE:
        vgpu_fleet_agent_noticed(self, act->at);
        return;
    case LOSE:
        vgpu_fleet_agent_lost(self, act->at);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
        if (acts[i].what != act->what)
            continue;
        vgpu_fleet_agent_begin(self, acts[i].step, act->at);
        vgpu_fleet_agent_end(self, acts[i].step, acts[i].outcome, act->at);
    }
}

static const struct {
    const char *about;
    Act acts[6];
    gint64 now;
    VgpuFleetStep step;
    gint64 wait;
} rows[] = {
    { "at once", { { 0 } }, 0, VGPU_FLEET_STEP_SYNC, 0 },
    { "at once, whatever the clock says", { { 0 } }, -5, VGPU_FLEET_STEP_SYNC, 0 },
    { "nothing has changed", { { 0, DO_SYNC } }, 100, VGPU_FLEET_STEP_WAIT, 14900 },
    { "a change comes soon after the last",
      { { 0, DO_SYNC }, { 10, CHANGE } },
      10,
      VGPU_FLEET_STEP_WAIT,
      4990 },
    { "and is written then", { { 0, DO_SYNC }, { 10, CHANGE } }, 5000, VGPU_FLEET_STEP_SYNC, 0 },
    { "a change comes long after the last",
      { { 0, DO_SYNC }, { 9000, CHANGE } },
      9000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "a signal was lost",
      { { 0, DO_SYNC }, { 55000, DO_KEEP }, { 55000, DO_TELL } },
      60000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "the daemon is told", { { 0, DO_SYNC } }, 15000, VGPU_FLEET_STEP_TELL, 0 },
    { "the lease is kept",
      { { 0, DO_SYNC }, { 15000, DO_TELL } },
      20000,
      VGPU_FLEET_STEP_KEEP,
      0 },
    { "the lease comes first",
      { { 0, DO_SYNC }, { 1, NOTICE } },
      61000,
      VGPU_FLEET_STEP_KEEP,
      0 },
    { "then what is read",
      { { 0, DO_SYNC }, { 1, NOTICE }, { 61000, DO_KEEP } },
      61000,
      VGPU_FLEET_STEP_READ,
      0 },
    { "then what is written",
      { { 0, DO_SYNC }, { 61000, DO_KEEP } },
      61000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "the store has changed",
      { { 0, DO_SYNC }, { 50, NOTICE } },
      50,
      VGPU_FLEET_STEP_WAIT,
      100 },
    { "others have followed",
      { { 0, DO_SYNC }, { 50, NOTICE }, { 140, NOTICE } },
      150,
      VGPU_FLEET_STEP_READ,
      0 },
    { "it was read, and may have to be ended",
      { { 0, DO_SYNC }, { 50, NOTICE }, { 150, DO_READ } },
      5000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "a write reads, too",
      { { 0, DO_SYNC }, { 5000, NOTICE }, { 5050, DO_SYNC } },
      5200,
      VGPU_FLEET_STEP_WAIT,
      9800 },
    { "a watch is not lost again and again",
      { { 0, DO_SYNC }, { 0, LOSE } },
      1999,
      VGPU_FLEET_STEP_WAIT,
      -1 },
    { "but the lease is tried, which may have gone as well",
      { { 0, DO_SYNC }, { 0, LOSE } },
      4000,
      VGPU_FLEET_STEP_KEEP,
      0 },
    { "and the watch begins again",
      { { 0, DO_SYNC }, { 0, LOSE }, { 4000, DO_KEEP } },
      4000,
      VGPU_FLEET_STEP_READ,
      0 },
    { "the first try has failed", { { 0, FAIL_SYNC } }, 999, VGPU_FLEET_STEP_WAIT, -1 },
    { "the second one", { { 0, FAIL_SYNC } }, 5000, VGPU_FLEET_STEP_SYNC, 0 },
    { "longer after two",
      { { 0, FAIL_SYNC }, { 5000, FAIL_SYNC } },
      6999,
      VGPU_FLEET_STEP_WAIT,
      -1 },
    { "the daemon is told meanwhile",
      { { 0, FAIL_SYNC }, { 14000, FAIL_SYNC } },
      15000,
      VGPU_FLEET_STEP_TELL,
      0 },
    { "what could not be read is written and read again",
      { { 0, DO_SYNC }, { 10, NOTICE }, { 110, FAIL_READ } },
      5000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "a lease that ended is taken again soon",
      { { 0, DO_SYNC }, { 20000, END_KEEP } },
      20000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "also one that ended while it was written",
      { { 0, DO_SYNC }, { 5000, END_SYNC } },
      10000,
      VGPU_FLEET_STEP_SYNC,
      0 },
    { "a lease that could not be kept is tried again",
      { { 0, DO_SYNC }, { 20000, FAIL_KEEP }, { 20000, DO_TELL } },
      22000,
      VGPU_FLEET_STEP_SYNC,
      0 },
};

static void
test_next(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        VgpuFleetAgent agent;
        gint64 wait;
        VgpuFleetStep step;

        vgpu_fleet_agent_init(&agent, HOST);
        for (const Act *act = rows[i].acts; act->what; act++)
            play(&agent, act);
        step = vgpu_fleet_agent_next(&agent, rows[i].now, &wait);
        if (step != rows[i].step || (rows[i].wait >= 0 && wait != rows[i].wait) ||
            (step == VGPU_FLEET_STEP_WAIT && wait <= 0))
            fail_msg("%s: step %d, wait %d", rows[i].about, (int) step, (int) wait);
    }
}

/* However often it has failed, the lease and virtvgpud are not left alone for longer than the lease lives. */
static void
test_patience(void **state)
{
    VgpuFleetAgent agent;
    gint64 now = 0, wait, told = 0, tried = 0;

    vgpu_fleet_agent_init(&agent, HOST);
    for (guint i = 0; i < 10000; i++) {
        VgpuFleetStep step = vgpu_fleet_agent_next(&agent, now, &wait);

        if (step == VGPU_FLEET_STEP_WAIT) {
            assert_true(wait > 0);
            now += wait;
            continue;
        }
        if (step == VGPU_FLEET_STEP_TELL) {
            assert_true(now - told <= 20000);
            told = now;
        } else {
            assert_true(now - tried <= VGPU_FLEET_AGENT_RETRY_MAX);
            assert_true(i < 20 || now - tried >= VGPU_FLEET_AGENT_RETRY_MAX / 2);
            tried = now;
        }
        vgpu_fleet_agent_begin(&agent, step, now);
        vgpu_fleet_agent_end(&agent, step, VGPU_FLEET_OUTCOME_FAILED, now);
    }
}

/* A lease that can be kept does not hide that the rest cannot be written. */
static void
test_half(void **state)
{
    VgpuFleetAgent agent;
    gint64 now = 0, wait, kept = 0;
    guint syncs = 0;

    vgpu_fleet_agent_init(&agent, HOST);
    while (now < 3600 * 1000) {
        VgpuFleetStep step = vgpu_fleet_agent_next(&agent, now, &wait);

        if (step == VGPU_FLEET_STEP_WAIT) {
            now += wait;
            continue;
        }
        if (step == VGPU_FLEET_STEP_KEEP) {
            assert_true(now - kept <= 40000);
            kept = now;
        }
        syncs += step == VGPU_FLEET_STEP_SYNC;
        vgpu_fleet_agent_begin(&agent, step, now);
        vgpu_fleet_agent_end(&agent, step,
                             step == VGPU_FLEET_STEP_SYNC ? VGPU_FLEET_OUTCOME_FAILED
                                                          : VGPU_FLEET_OUTCOME_DONE,
                             now);
    }
    assert_in_range(syncs, 3600 / 20, 3600 / 9);
}

/* Two hosts that fail together do not try again together. */
static void
test_apart(void **state)
{
    VgpuFleetAgent one, other;
    gint64 wait_one, wait_other;

    vgpu_fleet_agent_init(&one, HOST);
    vgpu_fleet_agent_init(&other, "0a0a0a0a-0000-4000-8000-000000000002");
    for (guint i = 0; i < 4; i++) {
        const Act act = { 0, FAIL_SYNC };

        play(&one, &act);
        play(&other, &act);
    }
    assert_int_equal(vgpu_fleet_agent_next(&one, 0, &wait_one), VGPU_FLEET_STEP_WAIT);
    assert_int_equal(vgpu_fleet_agent_next(&other, 0, &wait_other), VGPU_FLEET_STEP_WAIT);
    assert_int_not_equal(wait_one, wait_other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
