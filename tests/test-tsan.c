/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ThreadSanitizer in this tree: silent about data that GLib passes between threads, which tsan-glib.h
 * describes, but not about a race. Each case runs this program again, with its name. */
#include "test.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ROUNDS 1000
#define RACE_STATUS 66

static const char *program;

/* Shared by the threads: a separately allocated int, so that each access is checked. */
typedef struct {
    GMutex lock, other;
    GCond changed;
    GAsyncQueue *queue;
    gatomicrefcount refs;
    int *number;
    bool done;
} Shared;

static void
count_guarded(Shared *self)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_mutex_lock(&self->lock);
        ++*self->number;
        g_mutex_unlock(&self->lock);
    }
}

static void
count_by_locker(Shared *self)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

        (void) locker;
        ++*self->number;
    }
}

static void
count_unguarded(Shared *self)
{
    for (int i = 0; i < ROUNDS; i++)
        ++*self->number;
}

static gpointer
run_guarded(gpointer data)
{
    count_guarded(data);
    return NULL;
}

static gpointer
run_by_locker(gpointer data)
{
    count_by_locker(data);
    return NULL;
}

static gpointer
run_unguarded(gpointer data)
{
    count_unguarded(data);
    return NULL;
}

static gpointer
run_half_guarded(gpointer data)
{
    Shared *self = data;

    g_mutex_lock(&self->other);
    count_unguarded(self);
    g_mutex_unlock(&self->other);
    return NULL;
}

static void
run_both(Shared *self, GThreadFunc one, GThreadFunc other)
{
    GThread *first = g_thread_new("one", one, self);
    GThread *second = g_thread_new("other", other, self);

    g_thread_join(first);
    g_thread_join(second);
}

static void
case_mutex(Shared *self)
{
    run_both(self, run_guarded, run_by_locker);
}

static void
case_no_mutex(Shared *self)
{
    run_both(self, run_unguarded, run_unguarded);
}

static void
case_wrong_mutex(Shared *self)
{
    run_both(self, run_guarded, run_half_guarded);
}

static gpointer
run_teller(gpointer data)
{
    Shared *self = data;

    ++*self->number;
    g_mutex_lock(&self->lock);
    self->done = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    return NULL;
}

static void
case_condition(Shared *self)
{
    GThread *thread = g_thread_new("teller", run_teller, self);

    g_mutex_lock(&self->lock);
    while (!self->done)
        g_cond_wait(&self->changed, &self->lock);
    g_mutex_unlock(&self->lock);
    ++*self->number;
    g_thread_join(thread);
}

static void
case_inversion(Shared *self)
{
    g_mutex_lock(&self->lock);
    g_mutex_lock(&self->other);
    g_mutex_unlock(&self->other);
    g_mutex_unlock(&self->lock);
    g_mutex_lock(&self->other);
    g_mutex_lock(&self->lock);
    g_mutex_unlock(&self->lock);
    g_mutex_unlock(&self->other);
}

static gboolean
on_source(gpointer data)
{
    Shared *self = data;

    ++*self->number;
    self->done = true;
    return G_SOURCE_REMOVE;
}

static gpointer
run_context(gpointer data)
{
    Shared *self = data;
    GMainContext *context = g_main_context_new();

    g_async_queue_push(self->queue, context);
    while (!self->done)
        g_main_context_iteration(context, TRUE);
    return NULL;
}

static void
case_source(Shared *self)
{
    GThread *thread = g_thread_new("context", run_context, self);
    GMainContext *context = g_async_queue_pop(self->queue);
    GSource *source = g_idle_source_new();

    ++*self->number;
    g_source_set_callback(source, on_source, self, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
    g_thread_join(thread);
    g_main_context_unref(context);
}

static void
case_invoke(Shared *self)
{
    GThread *thread = g_thread_new("context", run_context, self);
    GMainContext *context = g_async_queue_pop(self->queue);

    ++*self->number;
    g_main_context_invoke(context, on_source, self);
    g_thread_join(thread);
    g_main_context_unref(context);
}

static gpointer
run_receiver(gpointer data)
{
    Shared *self = data;

    for (int i = 0; i < ROUNDS; i++)
        ++*(int *) g_async_queue_pop(self->queue);
    return NULL;
}

static void
case_queue(Shared *self)
{
    GThread *thread = g_thread_new("receiver", run_receiver, self);
    int *numbers = g_new(int, ROUNDS);

    for (int i = 0; i < ROUNDS; i++) {
        numbers[i] = i;
        g_async_queue_push(self->queue, &numbers[i]);
    }
    g_thread_join(thread);
    g_free(numbers);
}

static void
run_job(gpointer item, gpointer data)
{
    Shared *self = data;

    ++*(int *) item;
    count_guarded(self);
}

static void
case_pool(Shared *self)
{
    GThreadPool *pool = g_thread_pool_new(run_job, self, 2, FALSE, NULL);
    int *numbers = g_new0(int, 20);

    for (int i = 0; i < 20; i++) {
        numbers[i] = i;
        g_thread_pool_push(pool, &numbers[i], NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    ++*self->number;
    g_assert_cmpint(numbers[19], ==, 20);
    g_free(numbers);
}

static gpointer
run_owner(gpointer data)
{
    Shared *self = data;

    (void) *(volatile int *) self->number;
    if (g_atomic_ref_count_dec(&self->refs))
        *self->number = -1; /* as freeing it would */
    return NULL;
}

static void
case_references(Shared *self)
{
    g_atomic_ref_count_init(&self->refs);
    g_atomic_ref_count_inc(&self->refs);
    run_both(self, run_owner, run_owner);
    g_assert_cmpint(*self->number, ==, -1);
}

static gpointer
run_leaver(gpointer data)
{
    Shared *self = data;

    (void) *(volatile int *) self->number;
    (void) !g_atomic_ref_count_dec(&self->refs);
    return NULL;
}

/* Change it as soon as there is no other reference. */
static gpointer
run_heir(gpointer data)
{
    Shared *self = data;

    while (!g_atomic_ref_count_compare(&self->refs, 1))
        g_usleep(100);
    *self->number = 1;
    return NULL;
}

static void
case_alone(Shared *self)
{
    g_atomic_ref_count_init(&self->refs);
    g_atomic_ref_count_inc(&self->refs);
    run_both(self, run_leaver, run_heir);
    g_assert_cmpint(*self->number, ==, 1);
}

static const struct {
    const char *name;
    void (*run)(Shared *self);
    const char *report; /* NULL: none */
} cases[] = {
    { "a GMutex, also by a GMutexLocker", case_mutex, NULL },
    { "a GCond", case_condition, NULL },
    { "a source that is attached", case_source, NULL },
    { "g_main_context_invoke()", case_invoke, NULL },
    { "a GAsyncQueue", case_queue, NULL },
    { "a GThreadPool", case_pool, NULL },
    { "the last reference", case_references, NULL },
    { "the only reference", case_alone, NULL },
    { "no GMutex", case_no_mutex, "data race" },
    { "a GMutex that the other does not take", case_wrong_mutex, "data race" },
    { "two GMutexes in two orders", case_inversion, "lock-order-inversion" },
};

static void
test_reports(void **state)
{
    int failures = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *argv[] = { program, cases[i].name, NULL };
        g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "TSAN_OPTIONS",
                                             "ignore_noninstrumented_modules=1", TRUE);
        g_autofree char *said = NULL;
        g_autoptr(GError) error = NULL;
        int expected = cases[i].report ? RACE_STATUS : 0;
        int status;

        if (!g_spawn_sync(NULL, (char **) argv, env, G_SPAWN_DEFAULT, NULL, NULL, NULL, &said,
                          &status, &error))
            fail_msg("%s", error->message);
        if (WIFEXITED(status) && WEXITSTATUS(status) == expected &&
            (cases[i].report ? strstr(said, cases[i].report) != NULL : !*said))
            continue;
        print_error("%s: status %#x, said: %s\n", cases[i].name, status, said);
        failures++;
    }
    assert_int_equal(failures, 0);
}

static int
run_case(const char *name)
{
    Shared shared = { .queue = g_async_queue_new(), .number = g_new0(int, 1) };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (g_str_equal(name, cases[i].name))
            cases[i].run(&shared);
    }
    g_async_queue_unref(shared.queue);
    g_free(shared.number);
    return EXIT_SUCCESS; /* ThreadSanitizer makes that 66 */
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reports) };

    program = argv[0];
    return argc > 1 ? run_case(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
