/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readings of figures: how many are made for concurrent callers. The test controls the time. */
#include "test.h"

#include "base/error.h"
#include "daemon/figures.h"

#define S G_TIME_SPAN_SECOND

static gint64 now; /* changes between readings only */

static gint64
fake_clock(void)
{
    return now;
}

/* A library that answers when it is told to. */
typedef struct {
    GMutex lock;
    GCond change;
    guint begun;  /* readings */
    guint asking; /* threads that have asked, or are about to */
    guint refused;
    bool held;
    bool fails;
} Library;

static Library library;

static GVariant *
read_library(gpointer opaque, GError **error)
{
    Library *self = opaque;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    self->begun++;
    g_cond_broadcast(&self->change);
    while (self->held)
        g_cond_wait(&self->change, &self->lock);
    if (self->fails) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_DRIVER, "it crashed");
        return NULL;
    }
    return g_variant_ref_sink(g_variant_new_parsed("([{'gpu': <'a'>}], @aa{sv} [])"));
}

static void
set(bool held, bool fails)
{
    g_mutex_lock(&library.lock);
    library.held = held;
    library.fails = fails;
    g_cond_broadcast(&library.change);
    g_mutex_unlock(&library.lock);
}

static guint
begun(void)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&library.lock);

    return library.begun;
}

static VgpuFigures *
begin(void)
{
    static VgpuFigures *figures; /* which are there for as long as the program */

    if (!figures)
        figures = vgpu_figures_new(&(VgpuFiguresSource) {
            .read = read_library, .opaque = &library, .clock = fake_clock, .waiting_max = 8 });
    library.begun = library.asking = library.refused = 0;
    set(false, false);
    now += 1000 * S;
    return figures;
}

static void
test_age(void **state)
{
    static const struct {
        const char *what;
        gint64 later; /* after the last question, us */
        guint begun;
    } steps[] = {
        { "the first question", 0, 1 },
        { "at once again", 0, 1 },
        { "as old as they may be", 2 * S - 1, 1 },
        { "too old", 1, 2 },
        { "a moment later", 1, 2 },
        { "a day later", 24 * 3600 * S, 3 },
    };
    VgpuFigures *figures = begin();

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GVariant) got = NULL;

        now += steps[i].later;
        got = vgpu_figures_get(figures, 0, NULL);
        assert_non_null(got);
        if (begun() != steps[i].begun)
            fail_msg("%s: %u readings", steps[i].what, begun());
    }
    (void) state;
}

/* A failing library is not called more often than a working one. */
static void
test_failure(void **state)
{
    VgpuFigures *figures = begin();

    set(false, true);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;

        assert_null(vgpu_figures_get(figures, 0, &error));
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER));
        assert_int_equal(begun(), 1);
    }
    assert_null(vgpu_figures_get(figures, 0, NULL));
    set(false, false);
    now += 2 * S;
    g_variant_unref(vgpu_figures_get(figures, 0, NULL));
    assert_int_equal(begun(), 2);
    (void) state;
}

static gpointer
ask(gpointer figures)
{
    g_mutex_lock(&library.lock);
    library.asking++;
    g_cond_broadcast(&library.change);
    g_mutex_unlock(&library.lock);
    return vgpu_figures_get(figures, 0, NULL);
}

/* Callers during a reading get its result. */
static void
test_together(void **state)
{
    VgpuFigures *figures = begin();
    gint64 end = g_get_monotonic_time() + 60 * S; /* that it never comes to */
    GThread *threads[8];
    GVariant *first = NULL;

    set(true, false);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask, figures);
    g_mutex_lock(&library.lock);
    while (library.asking < G_N_ELEMENTS(threads) || !library.begun) {
        if (!g_cond_wait_until(&library.change, &library.lock, end))
            fail_msg("%u have asked, %u readings", library.asking, library.begun);
    }
    g_mutex_unlock(&library.lock);
    set(false, false);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(GVariant) got = g_thread_join(threads[i]);

        assert_non_null(got);
        assert_true(!first || got == first);
        first = got;
    }
    assert_int_equal(begun(), 1);
    (void) state;
}

/* A reading that was under way during a change may be older than the change. */
static void
test_forget(void **state)
{
    VgpuFigures *figures = begin();
    gint64 end = g_get_monotonic_time() + 60 * S; /* that it never comes to */
    GThread *early, *late;

    g_variant_unref(vgpu_figures_get(figures, 0, NULL));
    vgpu_figures_forget(figures);
    g_variant_unref(vgpu_figures_get(figures, 0, NULL));
    assert_int_equal(begun(), 2);

    now += 3 * S;
    set(true, false);
    early = g_thread_new("early", ask, figures);
    g_mutex_lock(&library.lock);
    while (library.begun < 3) {
        if (!g_cond_wait_until(&library.change, &library.lock, end))
            fail_msg("%u readings", library.begun);
    }
    g_mutex_unlock(&library.lock);
    vgpu_figures_forget(figures);
    late = g_thread_new("late", ask, figures);
    set(false, false);
    g_variant_unref(g_thread_join(early));
    g_variant_unref(g_thread_join(late));
    assert_int_equal(begun(), 4);
    (void) state;
}

static gpointer
ask_among_many(gpointer figures)
{
    GVariant *got = vgpu_figures_get(figures, 0, NULL);

    g_mutex_lock(&library.lock);
    library.refused += !got;
    g_cond_broadcast(&library.change);
    g_mutex_unlock(&library.lock);
    return got;
}

/* A library that hangs blocks only a few threads, however many callers there are. */
static void
test_crowd(void **state)
{
    VgpuFigures *figures = begin();
    gint64 end = g_get_monotonic_time() + 60 * S; /* that it never comes to */
    GThread *threads[20];
    guint served = 0;

    set(true, false);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask_among_many, figures);
    g_mutex_lock(&library.lock);
    while (library.refused < G_N_ELEMENTS(threads) - 8) {
        if (!g_cond_wait_until(&library.change, &library.lock, end))
            fail_msg("%u are refused", library.refused);
    }
    g_mutex_unlock(&library.lock);
    set(false, false);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(GVariant) got = g_thread_join(threads[i]);

        served += got != NULL;
    }
    assert_int_equal(served, 8);
    assert_int_equal(begun(), 1);
    (void) state;
}

/* A caller that times out gets no figures, and the reading continues for the next caller. */
static void
test_patience(void **state)
{
    VgpuFigures *figures = begin();
    g_autoptr(GVariant) got = NULL;
    g_autoptr(GError) error = NULL;

    set(true, false);
    assert_null(vgpu_figures_get(figures, 1, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    assert_null(vgpu_figures_get(figures, 1, NULL));
    set(false, false);
    got = vgpu_figures_get(figures, 0, NULL);
    assert_non_null(got);
    assert_int_equal(begun(), 1);
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age),      cmocka_unit_test(test_failure),
        cmocka_unit_test(test_together), cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_forget),   cmocka_unit_test(test_patience),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
