/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns on the worker: the worker stops, hooks come first, and nothing in a turn waits. Forbidden actions
 * are run in another instance of this program, with the name of the case, which has to abort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/writer.h"
#include "daemon/queue.h"
#include "daemon/turn.h"
#include "libvirt/domains.h"
#include "scratch.h"

#define THREADS 4
#define ROUNDS 500

static const char *program;
static VgpuWorker *worker; /* never freed, as in the daemon */

/* --- the manager: the test sets the known state of the GPUs ----------------------------------- */

static bool gpus_are_seen; /* by the worker alone, as the next two */
static void (*seer)(gpointer data);
static gpointer seer_data;

void
vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                       gpointer data)
{
    if (gpus_are_seen) {
        func(data);
        return;
    }
    seer = func;
    seer_data = data;
}

/* --- mutual exclusion ------------------------------------------------------------------------- */

static int *number; /* of turns and of the worker, without a lock */

static gpointer
count_in_turns(gpointer data)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(VgpuTurn) turn =
            i % 2 ? vgpu_turn_begin_seen(worker, NULL, 0) : vgpu_turn_begin(worker);

        ++*number;
    }
    return NULL;
}

static void
count_once(gpointer data)
{
    ++*number;
}

static void
see(gpointer data)
{
    gpus_are_seen = true;
}

static void
test_alone(void **state)
{
    GThread *threads[THREADS];

    number = g_new0(int, 1);
    vgpu_worker_push(worker, see, NULL);
    for (int i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("turns", count_in_turns, NULL);
    for (int i = 0; i < ROUNDS; i++)
        vgpu_worker_push_hook(worker, count_once, NULL);
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    vgpu_turn_end(vgpu_turn_begin(worker)); /* after all that was pushed */
    assert_int_equal(*number, (THREADS + 1) * ROUNDS);
    g_clear_pointer(&number, g_free);
}

/* --- the order of turns ----------------------------------------------------------------------- */

static GString *order; /* in turns and on the worker alone */

static void
add(const char *word)
{
    g_string_append(order, word);
}

static void
add_from_worker(gpointer word)
{
    add(word);
}

static void
test_order(void **state)
{
    VgpuTurn *turn = vgpu_turn_begin(worker);
    static char hook[] = "hook ", push[] = "push ";

    order = g_string_new(NULL);
    vgpu_worker_push(worker, add_from_worker, push);
    vgpu_worker_push_hook(worker, add_from_worker, hook);
    add("first ");
    vgpu_turn_end(turn);
    turn = vgpu_turn_begin(worker);
    add("turn ");
    vgpu_turn_end(turn);
    assert_string_equal(order->str, "first hook push turn ");
    g_string_free(order, TRUE);
}

static void
look_away(gpointer data)
{
    gpus_are_seen = false;
}

static void
see_at_last(gpointer data)
{
    add("seen ");
    gpus_are_seen = true;
    if (seer)
        seer(seer_data);
    seer = NULL;
}

static gpointer
take_seen_turn(gpointer data)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(worker, NULL, 0);

    add("turn ");
    return NULL;
}

/* Other turns can run while one waits for the GPUs. */
static void
test_seen(void **state)
{
    GThread *thread;

    order = g_string_new(NULL);
    vgpu_worker_push(worker, look_away, NULL);
    thread = g_thread_new("turn", take_seen_turn, NULL);
    for (bool waits = false; !waits;) {
        g_autoptr(VgpuTurn) turn = vgpu_turn_begin(worker);

        waits = seer != NULL;
    }
    vgpu_worker_push(worker, see_at_last, NULL);
    g_thread_join(thread);
    assert_string_equal(order->str, "seen turn ");
    g_string_free(order, TRUE);
}

/* --- what may have changed -------------------------------------------------------------------- */

static gint pauses; /* of the worker, after something has run; atomic */

static void
count_pause(gpointer data)
{
    g_atomic_int_inc(&pauses);
}

/* The worker is in the iteration of the turn, so the pauses before it are over. */
static int
count_pauses(void)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_look(worker, NULL);

    return g_atomic_int_get(&pauses);
}

static void
do_nothing(gpointer data)
{
}

static void
test_pauses(void **state)
{
    int before;

    vgpu_turn_end(vgpu_turn_begin(worker));
    before = count_pauses();
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(count_pauses(), before);
    vgpu_turn_end(vgpu_turn_begin_aside(worker));
    assert_int_equal(count_pauses(), before);
    vgpu_worker_push(worker, do_nothing, NULL);
    vgpu_turn_end(vgpu_turn_begin(worker));
    assert_true(count_pauses() > before);
    before = count_pauses();
    vgpu_worker_push_hook(worker, do_nothing, NULL);
    vgpu_turn_end(vgpu_turn_begin_look(worker, NULL)); /* may overtake nothing of the hook's */
    assert_true(count_pauses() > before);
}

/* --- the same with a queue -------------------------------------------------------------------- */

static void
add_job(gpointer word)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(worker);

    add(word);
}

static void
say_done(gpointer done)
{
    g_async_queue_push(done, done);
}

/* A job on the calling thread excludes only jobs with the same key. */
static void
test_queue_job(void **state)
{
    static char same[] = "same ", other[] = "other ";
    VgpuQueue *queue = vgpu_queue_new(2);
    g_autoptr(GAsyncQueue) done = g_async_queue_new();
    VgpuQueueJob *job = vgpu_queue_job_begin(queue, "vm1");

    order = g_string_new(NULL);
    vgpu_queue_push(queue, VGPU_QUEUE_FIRST, "vm1", add_job, same, NULL);
    vgpu_queue_push(queue, VGPU_QUEUE_NORMAL, "vm2", add_job, other, NULL);
    vgpu_queue_push(queue, VGPU_QUEUE_NORMAL, "vm2", say_done, done, NULL);
    g_async_queue_pop(done);
    add_job((char[]) { "mine " });
    vgpu_queue_job_end(job);
    job = vgpu_queue_job_begin(queue, "vm1"); /* after the one that waits */
    vgpu_queue_job_end(job);
    assert_string_equal(order->str, "other mine same ");
    vgpu_queue_free(queue);
    g_string_free(order, TRUE);
}

/* --- forbidden actions in a turn -------------------------------------------------------------- */

static void
take_another(void)
{
    vgpu_turn_end(vgpu_turn_begin(worker));
}

static void
wait_for_queue(void)
{
    VgpuQueue *queue = vgpu_queue_new(1);

    vgpu_queue_job_end(vgpu_queue_job_begin(queue, NULL));
    vgpu_queue_free(queue);
}

static void
wait_for_disk(void)
{
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    Scratch scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "file");

    vgpu_writer_put(writer, path, "x", 1);
    if (!vgpu_writer_wait(writer, path, 10000, NULL))
        g_error("it cannot be written");
    scratch_clear(&scratch);
}

static void
ask_libvirt(void)
{
    virConnectPtr conn = virConnectOpen("test:///default");
    g_autoptr(GPtrArray) domains = vgpu_domains_list(conn, NULL);

    if (!domains)
        g_error("there is no libvirt");
    virConnectClose(conn);
}

static const struct {
    const char *name;
    void (*func)(void);
} cases[] = {
    { "another turn", take_another },
    { "a job of a queue", wait_for_queue },
    { "a disk", wait_for_disk },
    { "libvirt", ask_libvirt },
};

static void (*on_worker)(void);

static void
run_on_worker(gpointer data)
{
    on_worker();
}

/* "turn NAME", "worker NAME" or "thread NAME". */
static int
run_case(const char *where, const char *name)
{
    gsize i = 0;

    alarm(30); /* a turn in a turn would never come */
    (void) g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    while (strcmp(cases[i].name, name) != 0)
        i++;
    if (strcmp(where, "worker") == 0) {
        on_worker = cases[i].func;
        vgpu_worker_push(worker, run_on_worker, NULL);
        vgpu_turn_end(vgpu_turn_begin(worker));
    } else if (strcmp(where, "turn") == 0) {
        g_autoptr(VgpuTurn) turn = vgpu_turn_begin(worker);

        cases[i].func();
    } else {
        cases[i].func();
    }
    return 0;
}

static void
test_nothing_waits(void **state)
{
    static const char *const places[] = { "turn", "worker", "thread" };
    guint failures = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(places); i++) {
        const char *place = places[i % G_N_ELEMENTS(places)];
        const char *name = cases[i / G_N_ELEMENTS(places)].name;
        const char *argv[] = { program, place, name, NULL };
        g_autofree char *text = NULL;
        bool may = strcmp(place, "thread") == 0;
        int status = 0;

        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                                 NULL, NULL, &text, &status, NULL));
        if (may ? status == 0
                : status != 0 && strstr(text, "waits for") && strstr(text, "others wait for it"))
            continue;
        print_error("%s in a %s: status %d, %s\n", name, place, status, text);
        failures++;
    }
    assert_int_equal(failures, 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_seen),      cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_queue_job), cmocka_unit_test(test_nothing_waits),
    };

    program = argv[0];
    worker = vgpu_worker_new();
    vgpu_worker_on_pause(worker, count_pause, NULL);
    vgpu_worker_start(worker);
    if (argc == 3)
        return run_case(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
