/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agenda: how often each key is looked at, and when. Looks block until the test releases them, and
 * timers run out when the test says so. */
#include "test.h"

#include "base/error.h"
#include "daemon/agenda.h"

#define FIRST_MS 300
#define MOST_MS 30000
#define WEB "web"
#define CAD "cad"
#define LONG_US (20 * G_USEC_PER_SEC) /* more than anything here takes */
#define OTHER "other"
#define ANOTHER "another"

/* --- timers ------------------------------------------------------------------------------- */

typedef struct {
    guint id;
    guint ms;
    GSourceFunc function;
    gpointer data;
    GDestroyNotify notify;
} Timer;

static GMutex timers_lock;
static GArray *timers;
static guint last_id;

guint __wrap_g_timeout_add_full(gint priority, guint ms, GSourceFunc function, gpointer data,
                                GDestroyNotify notify);
gboolean __wrap_g_source_remove(guint id);

guint
__wrap_g_timeout_add_full(gint priority, guint ms, GSourceFunc function, gpointer data,
                          GDestroyNotify notify)
{
    Timer timer = { .ms = ms, .function = function, .data = data, .notify = notify };

    g_mutex_lock(&timers_lock);
    timer.id = ++last_id;
    g_array_append_val(timers, timer);
    g_mutex_unlock(&timers_lock);
    return timer.id;
}

static bool
take_timer(guint id, Timer *out)
{
    bool found = false;

    g_mutex_lock(&timers_lock);
    for (guint i = 0; i < timers->len && !found; i++) {
        *out = g_array_index(timers, Timer, i);
        found = !id || out->id == id;
        if (found)
            g_array_remove_index(timers, i);
    }
    g_mutex_unlock(&timers_lock);
    return found;
}

gboolean
__wrap_g_source_remove(guint id)
{
    Timer timer;

    assert_true(take_timer(id, &timer)); /* GLib would complain */
    timer.notify(timer.data);
    return TRUE;
}

static guint
n_timers(void)
{
    guint n;

    g_mutex_lock(&timers_lock);
    n = timers->len;
    g_mutex_unlock(&timers_lock);
    return n;
}

/* Let the only timer run out; returns its length. */
static guint
run_timer(void)
{
    Timer timer;

    assert_int_equal(n_timers(), 1);
    assert_true(take_timer(0, &timer));
    assert_false(timer.function(timer.data));
    timer.notify(timer.data);
    return timer.ms;
}

/* --- looks -------------------------------------------------------------------------------- */

typedef struct {
    VgpuOutlook outlook;
    const char *error;
    guint left;
} Answer;

static const Answer done = { .outlook = VGPU_OUTLOOK_DONE };
static const Answer busy = { VGPU_OUTLOOK_AGAIN, "busy", 1 };
static const Answer quiet = { VGPU_OUTLOOK_AGAIN, NULL, 1 };
static const Answer away = { VGPU_OUTLOOK_WHEN_CONNECTED, "no connection", 1 };
static const Answer refused = { VGPU_OUTLOOK_WHEN_CHANGED, "refused", 1 };

static VgpuAgenda *agenda;
static VgpuQueue *queue;
static GAsyncQueue *begun;  /* of "KEY:WHAT" */
static GHashTable *answers; /* key → GAsyncQueue of const Answer *; made before any thread */
static GAsyncQueue *ended;
static GString *logged;

static VgpuOutlook
look(const char *key, guint *what, GError **error, gpointer opaque)
{
    const Answer *answer;

    assert_ptr_equal(opaque, &agenda);
    g_async_queue_push(begun, g_strdup_printf("%s:%u", key, *what));
    answer = g_async_queue_pop(g_hash_table_lookup(answers, key));
    *what = answer->left;
    if (answer->error)
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BUSY, answer->error);
    return answer->outlook;
}

/* Expect a look to begin, at that key, for that reason. */
static void
begins(const char *expected)
{
    g_autofree char *seen = g_async_queue_timeout_pop(begun, LONG_US);

    assert_non_null(seen);
    assert_string_equal(seen, expected);
}

static void
say_ended(gpointer data)
{
    g_async_queue_push(ended, data);
}

/* End the current look, and wait for its immediate consequences. */
static void
ends(const char *key, const Answer *answer)
{
    /* next of this key, before a look that follows from this one */
    vgpu_queue_push(queue, VGPU_QUEUE_FIRST, key, say_ended, &ended, NULL);
    g_async_queue_push(g_hash_table_lookup(answers, key), (gpointer) answer);
    assert_non_null(g_async_queue_timeout_pop(ended, LONG_US));
}

static void
looks(const char *expected, const char *key, const Answer *answer)
{
    begins(expected);
    ends(key, answer);
}

static GLogWriterOutput
log_writer(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer opaque)
{
    for (gsize i = 0; i < n; i++) {
        if (g_strcmp0(fields[i].key, "MESSAGE") == 0)
            g_string_append_printf(logged, "%s\n", (const char *) fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

static int
setup(void **state)
{
    g_string_truncate(logged, 0);
    return 0;
}

/* Check that nothing is pending. */
static int
teardown(void **state)
{
    vgpu_queue_push(queue, VGPU_QUEUE_NORMAL + 1, NULL, say_ended, &ended,
                    NULL); /* last of all */
    assert_non_null(g_async_queue_timeout_pop(ended, LONG_US));
    assert_int_equal(n_timers(), 0);
    assert_int_equal(g_async_queue_length(begun), 0);
    return 0;
}

/* --- tests -------------------------------------------------------------------------------- */

static void
test_a_set(void **state)
{
    vgpu_agenda_mark(agenda, WEB, 1);
    begins("web:1");
    for (int i = 0; i < 5; i++) /* while it is looked at: once more, for all of it */
        vgpu_agenda_mark(agenda, WEB, i % 2 ? 2 : 4);
    ends(WEB, &done);
    looks("web:6", WEB, &done);
    assert_string_equal(logged->str, "");
}

/* Keys that wait in the queue are looked at once each. */
static void
test_while_queued(void **state)
{
    vgpu_agenda_mark(agenda, OTHER, 1);
    vgpu_agenda_mark(agenda, ANOTHER, 1);
    g_free(g_async_queue_timeout_pop(begun, LONG_US));
    g_free(g_async_queue_timeout_pop(begun, LONG_US)); /* all threads are busy */
    for (int i = 0; i < 3; i++) {
        vgpu_agenda_mark(agenda, WEB, 1);
        vgpu_agenda_mark(agenda, CAD, 2);
    }
    ends(OTHER, &done);
    ends(ANOTHER, &done);
    g_free(g_async_queue_timeout_pop(begun, LONG_US));
    g_free(g_async_queue_timeout_pop(begun, LONG_US));
    ends(WEB, &done);
    ends(CAD, &done);
}

static void
test_back_off(void **state)
{
    static const guint delays[] = { 300, 600, 1200, 2400, 4800, 9600, 19200, 30000, 30000 };

    vgpu_agenda_mark(agenda, WEB, 1);
    looks("web:1", WEB, &busy);
    for (size_t i = 0; i < G_N_ELEMENTS(delays); i++) {
        assert_int_equal(run_timer(), delays[i]);
        looks("web:1", WEB, &busy);
    }
    vgpu_agenda_mark(agenda, WEB, 2); /* something new: at once, and from the beginning */
    looks("web:3", WEB, &busy);
    assert_int_equal(run_timer(), 300);
    looks("web:1", WEB, &busy);
    assert_int_equal(run_timer(), 600);
    looks("web:1", WEB, &done);
    vgpu_agenda_mark(agenda, WEB, 1);
    looks("web:1", WEB, &busy);
    assert_int_equal(run_timer(), 300); /* success, too */
    looks("web:1", WEB, &done);
}

/* Once an obstacle is gone, the look is repeated without what was new the first time. */
static void
test_resume(void **state)
{
    vgpu_agenda_resume(agenda, WEB); /* nothing there */
    vgpu_agenda_mark(agenda, WEB, 1);
    looks("web:1", WEB, &busy);
    vgpu_agenda_resume(agenda, WEB);
    looks("web:1", WEB, &busy);
    vgpu_agenda_resume_waiting(agenda); /* it waits for its timer only */
    assert_int_equal(n_timers(), 1);
    vgpu_agenda_resume(agenda, WEB);
    looks("web:1", WEB, &busy);
    vgpu_agenda_add(agenda, WEB, 2);
    looks("web:3", WEB, &busy);
    assert_int_equal(run_timer(), 2400);
    begins("web:1");
    vgpu_agenda_resume(agenda, WEB); /* while it is looked at */
    ends(WEB, &busy);
    looks("web:1", WEB, &done);
    vgpu_agenda_resume_waiting(agenda);
}

/* The time since when a look is wanted includes failed looks, and requests that arrived meanwhile. */
static void
test_wanted_since(void **state)
{
    gint64 first, second;

    assert_int_equal(vgpu_agenda_wanted_since(agenda, WEB), 0);
    vgpu_agenda_mark(agenda, WEB, 1);
    begins("web:1");
    first = vgpu_agenda_wanted_since(agenda, WEB);
    assert_true(first > 0 && first <= g_get_monotonic_time());
    g_usleep(1000); /* that another time is told from it */
    vgpu_agenda_mark(agenda, WEB, 2);
    ends(WEB, &busy);
    begins("web:3");
    assert_int_equal(vgpu_agenda_wanted_since(agenda, WEB), first);
    ends(WEB, &busy);
    run_timer();
    begins("web:1");
    assert_int_equal(vgpu_agenda_wanted_since(agenda, WEB), first);
    vgpu_agenda_mark(agenda, WEB, 2);
    ends(WEB, &done);
    begins("web:2"); /* that one is new */
    second = vgpu_agenda_wanted_since(agenda, WEB);
    assert_true(second > first);
    ends(WEB, &refused); /* no longer waited for */
    assert_int_equal(vgpu_agenda_wanted_since(agenda, WEB), 0);
    g_usleep(1000);
    vgpu_agenda_mark(agenda, WEB, 1);
    begins("web:1");
    assert_true(vgpu_agenda_wanted_since(agenda, WEB) > second);
    ends(WEB, &done);
}

static void
test_outlooks(void **state)
{
    vgpu_agenda_mark(agenda, WEB, 1);
    looks("web:1", WEB, &away); /* no timer */
    assert_int_equal(n_timers(), 0);
    vgpu_agenda_resume_waiting(agenda);
    begins("web:1");
    vgpu_agenda_resume_waiting(agenda); /* the connection comes while it is found missing */
    ends(WEB, &away);
    looks("web:1", WEB, &refused);
    assert_int_equal(n_timers(), 0);
    vgpu_agenda_resume_waiting(agenda); /* which is not for it */
    vgpu_agenda_mark(agenda, WEB, 2);
    looks("web:2", WEB, &done);
}

static void
test_log(void **state)
{
    static const Answer other = { VGPU_OUTLOOK_RECONNECT, "broken", 1 };
    static const struct {
        const char *what;
        const Answer *answer;
        const char *logged;
    } cases[] = {
        { "a reason", &busy, "busy; trying again\n" },
        { "the same", &busy, "" },
        { "waiting without one", &quiet, "" },
        { "the same as before that", &busy, "" },
        { "another", &other, "broken; trying again\n" },
        { "libvirt is away, as is said once for all", &away, "" },
        { "the last one", &other, "" },
        { "the first one", &busy, "busy; trying again\n" },
        { "one that is not repeated", &refused, "refused\n" },
        { "again", &refused, "" },
        { "success", &done, "" },
        { "again, since that", &refused, "refused\n" },
        { "success, to end with", &done, "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_string_truncate(logged, 0);
        vgpu_agenda_mark(agenda, WEB, 1);
        looks("web:1", WEB, cases[i].answer);
        if (g_strcmp0(logged->str, cases[i].logged) != 0)
            fail_msg("%s: in the log: %s", cases[i].what, logged->str);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    static const char *const keys[] = { WEB, CAD, OTHER, ANOTHER };
    const struct CMUnitTest tests[] = {
        TEST(test_a_set),        TEST(test_while_queued), TEST(test_back_off), TEST(test_resume),
        TEST(test_wanted_since), TEST(test_outlooks),     TEST(test_log),
    };

    timers = g_array_new(FALSE, FALSE, sizeof(Timer));
    logged = g_string_new(NULL);
    begun = g_async_queue_new();
    answers = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        g_hash_table_insert(answers, (gpointer) keys[i], g_async_queue_new());
    ended = g_async_queue_new();
    queue = vgpu_queue_new(2);
    agenda = vgpu_agenda_new(queue, FIRST_MS, MOST_MS, look, &agenda); /* is never freed */
    g_log_set_writer_func(log_writer, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
