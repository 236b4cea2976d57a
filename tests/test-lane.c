/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread per GPU: order, independence, and drivers that hang. */
#include "test.h"

#include "core/lane.h"

#define A "0000:41:00.0"
#define B "0000:81:00.0"
#define PATIENCE_US (5 * G_USEC_PER_SEC)

/* Shared by all jobs of a test. */
static struct {
    GMutex lock;
    GCond changed;
    GString *log; /* "+N" when job N begins, "-N" when it is done */
    bool open;    /* stuck jobs may go on */
    guint running, most_running;
    guint came_back;
} all = { .open = false };

static GMainContext *context;
static GThread *main_thread;

typedef struct {
    guint number;
    bool stuck; /* until all.open */
    guint meet; /* wait until so many run at the same time, 0: do not wait */
    bool met;
} TestJob;

static int
setup(void **state)
{
    context = g_main_context_new();
    main_thread = g_thread_self();
    all.log = g_string_new(NULL);
    all.open = false;
    all.running = all.most_running = all.came_back = 0;
    return 0;
}

static int
teardown(void **state)
{
    g_main_context_unref(context);
    g_string_free(all.log, TRUE);
    return 0;
}

static void
run(gpointer data)
{
    TestJob *job = data;
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    g_assert_true(g_thread_self() != main_thread);
    g_mutex_lock(&all.lock);
    g_string_append_printf(all.log, "+%u", job->number);
    all.running++;
    all.most_running = MAX(all.most_running, all.running);
    g_cond_broadcast(&all.changed);
    while (job->stuck && !all.open)
        g_cond_wait(&all.changed, &all.lock);
    while (all.most_running < job->meet && g_cond_wait_until(&all.changed, &all.lock, end))
        ;
    job->met = all.most_running >= job->meet;
    all.running--;
    all.came_back++;
    g_cond_broadcast(&all.changed);
    g_mutex_unlock(&all.lock);
}

static void
done(gpointer data)
{
    const TestJob *job = data;

    g_assert_true(g_thread_self() == main_thread);
    g_mutex_lock(&all.lock);
    g_string_append_printf(all.log, "-%u", job->number);
    g_mutex_unlock(&all.lock);
}

/* Until so many jobs have come back from their driver. */
static void
wait_until_back(guint n)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    g_mutex_lock(&all.lock);
    while (all.came_back < n && g_cond_wait_until(&all.changed, &all.lock, end))
        ;
    g_mutex_unlock(&all.lock);
    assert_int_equal(all.came_back, n);
}

static void
wait_until_running(guint n)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    g_mutex_lock(&all.lock);
    while (all.running < n && g_cond_wait_until(&all.changed, &all.lock, end))
        ;
    g_mutex_unlock(&all.lock);
    assert_int_equal(all.running, n);
}

static void
let_go(void)
{
    g_mutex_lock(&all.lock);
    all.open = true;
    g_cond_broadcast(&all.changed);
    g_mutex_unlock(&all.lock);
}

static guint
count_done(void)
{
    guint n = 0;

    g_mutex_lock(&all.lock);
    for (const char *p = all.log->str; *p; p++)
        n += *p == '-';
    g_mutex_unlock(&all.lock);
    return n;
}

/* Serve the context until so many jobs are done, and a little longer. */
static void
serve(guint n)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (count_done() < n && g_get_monotonic_time() < end) {
        if (!g_main_context_iteration(context, FALSE))
            g_usleep(500);
    }
    for (int i = 0; i < 20; i++) {
        g_main_context_iteration(context, FALSE);
        g_usleep(500);
    }
    assert_int_equal(count_done(), n);
}

static void
test_order(void **state)
{
    g_autoptr(VgpuLanes) lanes = vgpu_lanes_new(context);
    g_autoptr(GString) begun = g_string_new(NULL);
    g_autoptr(GString) finished = g_string_new(NULL);
    g_autoptr(GString) expected = g_string_new(NULL);
    TestJob jobs[40] = { 0 };

    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        jobs[i].number = i;
        g_string_append_printf(expected, "%u ", i);
        vgpu_lanes_push(lanes, A, run, done, &jobs[i], NULL);
    }
    serve(G_N_ELEMENTS(jobs));
    for (char *p = all.log->str; *p;) {
        GString *to = *p == '+' ? begun : finished;

        g_string_append_printf(to, "%u ", (guint) g_ascii_strtoull(p + 1, &p, 10));
    }
    assert_string_equal(begun->str, expected->str);
    assert_string_equal(finished->str, expected->str);
    assert_int_equal(all.most_running, 1);
}

static void
test_parallel(void **state)
{
    g_autoptr(VgpuLanes) lanes = vgpu_lanes_new(context);
    TestJob one = { .number = 1, .meet = 2 };
    TestJob other = { .number = 2, .meet = 2 };

    vgpu_lanes_push(lanes, A, run, done, &one, NULL);
    vgpu_lanes_push(lanes, B, run, done, &other, NULL);
    serve(2);
    if (!one.met || !other.met)
        fail_msg("jobs of two GPUs did not run beside each other");
}

/* A driver that hangs delays only the users of its own GPU. */
static void
test_stuck(void **state)
{
    g_autoptr(VgpuLanes) lanes = vgpu_lanes_new(context);
    TestJob jobs[] = { { 0, .stuck = true }, { 1 }, { 2 }, { 3 } };

    vgpu_lanes_push(lanes, A, run, done, &jobs[0], NULL);
    vgpu_lanes_push(lanes, A, run, done, &jobs[1], NULL);
    wait_until_running(1);
    vgpu_lanes_push(lanes, B, run, done, &jobs[2], NULL);
    serve(1);
    assert_string_equal(all.log->str, "+0+2-2");
    let_go();
    serve(3);
    vgpu_lanes_push(lanes, A, run, done, &jobs[3], NULL);
    serve(4);
}

static void
test_free_while_stuck(void **state)
{
    VgpuLanes *lanes = vgpu_lanes_new(context);
    TestJob jobs[] = { { 0, .stuck = true }, { 1 }, { 2 } };
    gint64 begun;

    vgpu_lanes_push(lanes, A, run, done, &jobs[0], NULL);
    vgpu_lanes_push(lanes, A, run, done, &jobs[1], NULL);
    vgpu_lanes_push(lanes, B, run, done, &jobs[2], NULL);
    wait_until_back(1);
    wait_until_running(1);

    begun = g_get_monotonic_time();
    vgpu_lanes_free(lanes);
    if (g_get_monotonic_time() - begun > G_USEC_PER_SEC)
        fail_msg("it waited for a driver that hangs");

    /* it returns after the lane is freed; queued jobs are not started */
    let_go();
    wait_until_back(2);
    serve(0);
    assert_int_equal(all.came_back, 2);
}

/* Freed while jobs are queued, running, or finished but not reported yet. */
static void
test_free_at_any_time(void **state)
{
    static TestJob jobs[3];

    for (gulong us = 0; us < 400; us += 20) {
        VgpuLanes *lanes = vgpu_lanes_new(context);

        for (gsize i = 0; i < G_N_ELEMENTS(jobs); i++)
            vgpu_lanes_push(lanes, i == 1 ? B : A, run, done, &jobs[i], NULL);
        g_usleep(us);
        vgpu_lanes_free(lanes);
        serve(0);
    }
    vgpu_lanes_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parallel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_while_stuck, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_at_any_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
