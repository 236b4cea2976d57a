/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver.c
 *
 * How it works: the process has at most one request at a time. Each has a time limit; when that is over,
 * the driver counts as silent, the waiting tasks are given back, and the request stays in progress: its
 * answer ends the silence. A process that has exited, or could not be started, is started again after a
 * while; while the driver is silent, even without a request. */
#include "driver/driver.h"

#include <string.h>

#include "base/error.h"
#include "base/source.h"

#define READ_LIMIT_MS 500
#define STARVED_MS 100
#define STARVED_MAX 50
#define START_LIMIT_MS 5000 /* more for a process that has to be started */
#define QUEUE_MAX 64
#define FIRST_BACK_OFF_MS 500
#define LOCKED_BACK_OFF_MS 1000
#define LONGEST_BACK_OFF_MS 15000
#define IDLE_MS 60000

typedef struct {
    VgpuDriverTask task; /* `verb` NULL: a read */
    GVariant *arguments;
    char *refusal; /* why it is given back without having been sent */
} Request;

struct VgpuDriver {
    guint64 id;
    const VgpuDriverOptions *options;
    GMainContext *context;
    char *name;
    const VgpuDriverUser *user;
    VgpuDriverProcess *process;
    GVariant *arguments; /* of a read; NULL: there is nothing to read */
    GQueue tasks;        /* of Request, not sent */
    GQueue refused;      /* of Request, to be given back */
    Request *current;    /* with the process */
    gint64 sent;         /* when that was */
    gint64 began;        /* when the last successful reading began; 0: there is none */
    gint64 touched;      /* readings begun before are not fresh */
    bool is_read_wanted;
    bool is_read_due; /* before the next task, as waiting callers decide by it */
    guint holds;
    gint64 unheld;       /* when the last of them ended */
    guint n_starved;     /* how often its present request was given more time */
    gint64 silent_since; /* 0: it answers */
    char *why;
    guint back_off_ms;
    gint64 retry_at;
    GSource *limit, *retry, *idle, *refusal;
};

static void advance(VgpuDriver *self);

static void
arm(VgpuDriver *self, GSource **source, guint ms, GSourceFunc func)
{
    vgpu_source_clear(source);
    *source = g_timeout_source_new(ms);
    g_source_set_callback(*source, func, self, NULL);
    g_source_attach(*source, self->context);
}

static void
request_free(Request *request)
{
    if (request->task.free_opaque)
        request->task.free_opaque(request->task.opaque);
    g_clear_pointer(&request->arguments, g_variant_unref);
    g_free(request->refusal);
    g_free(request);
}

/* --- silence -------------------------------------------------------------------------------- */

static gboolean
on_refusal(gpointer opaque)
{
    VgpuDriver *self = opaque;
    GQueue refused = self->refused; /* the callback may ask for more */

    vgpu_source_clear(&self->refusal);
    g_queue_init(&self->refused);
    for (Request *task; (task = g_queue_pop_head(&refused));) {
        task->task.done(VGPU_DRIVER_NOT_SENT, NULL, task->refusal, task->task.opaque);
        request_free(task);
    }
    return G_SOURCE_REMOVE;
}

/* Give it back, but not from here. */
static void
refuse(VgpuDriver *self, Request *task, const char *why)
{
    task->refusal = g_strdup(why);
    g_queue_push_tail(&self->refused, task);
    if (!self->refusal)
        arm(self, &self->refusal, 0, on_refusal);
}

/* The same with all that it has not been sent. */
static void
refuse_tasks(VgpuDriver *self, const char *why)
{
    for (Request *task; (task = g_queue_pop_head(&self->tasks));)
        refuse(self, task, why);
}

static void
fall_silent(VgpuDriver *self, const char *why)
{
    if (!self->silent_since) {
        self->silent_since = g_get_monotonic_time();
        g_message("%s%s: %s", self->user->noun, self->name, why);
    }
    g_free(self->why);
    self->why = g_strdup(why);
    refuse_tasks(self, why);
}

static void
end_silence(VgpuDriver *self)
{
    if (self->silent_since)
        g_message("%s%s: it answers again after %" G_GINT64_FORMAT " ms", self->user->noun,
                  self->name, (g_get_monotonic_time() - self->silent_since) / 1000);
    self->silent_since = 0;
    g_clear_pointer(&self->why, g_free);
    self->back_off_ms = 0;
    self->retry_at = 0;
    vgpu_source_clear(&self->retry);
}

static guint
limit_of(const Request *request)
{
    return request->task.verb ? request->task.limit_ms : READ_LIMIT_MS;
}

/* The time left for the request, which counts from when it is sent, and for a read from the end of what may
 * have delayed it; a process that has to be started gets extra time. */
static gint64
time_left(const VgpuDriver *self)
{
    gint64 sent = vgpu_driver_process_sent_at(self->process);
    gint64 end = sent ? sent : self->sent + START_LIMIT_MS * G_TIME_SPAN_MILLISECOND;

    if (!self->current->task.verb)
        end = MAX(end, self->unheld);
    end += limit_of(self->current) * G_TIME_SPAN_MILLISECOND;
    return end - g_get_monotonic_time();
}

static gboolean
on_limit(gpointer opaque)
{
    VgpuDriver *self = opaque;
    gint64 left = time_left(self);
    g_autofree char *why = NULL;

    if (left > 0) { /* when it is sent is seen here */
        arm(self, &self->limit, (guint) MIN(left / 1000 + 1, limit_of(self->current)), on_limit);
        return G_SOURCE_REMOVE;
    }
    if (self->holds && !self->current->task.verb) {
        self->user->changed(self->user->opaque); /* it is busy now */
        arm(self, &self->limit, READ_LIMIT_MS, on_limit);
        return G_SOURCE_REMOVE;
    }
    if (self->n_starved < STARVED_MAX && vgpu_driver_process_is_runnable(self->process)) {
        self->n_starved++; /* the host has no time for it, and its driver is not to blame */
        arm(self, &self->limit, STARVED_MS, on_limit);
        return G_SOURCE_REMOVE;
    }
    why = g_strdup_printf("its driver has not answered a %s for %u ms",
                          self->current->task.verb ? self->current->task.verb : "read",
                          (guint) ((g_get_monotonic_time() - self->sent) / 1000));
    vgpu_source_clear(&self->limit);
    fall_silent(self, why);
    self->user->changed(self->user->opaque);
    return G_SOURCE_REMOVE;
}

static gboolean
on_retry(gpointer opaque)
{
    VgpuDriver *self = opaque;

    vgpu_source_clear(&self->retry);
    self->is_read_wanted = true;
    advance(self);
    return G_SOURCE_REMOVE;
}

/* It has ended, or was never there. */
static void
back_off(VgpuDriver *self, VgpuDriverOutcome outcome, const char *why)
{
    self->back_off_ms =
        outcome == VGPU_DRIVER_LOCKED
            ? LOCKED_BACK_OFF_MS
            : CLAMP(self->back_off_ms * 2, FIRST_BACK_OFF_MS, LONGEST_BACK_OFF_MS);
    self->retry_at = g_get_monotonic_time() + (gint64) self->back_off_ms * 1000;
    fall_silent(self, why);
    arm(self, &self->retry, self->back_off_ms, on_retry);
}

/* --- one request after another -------------------------------------------------------------- */

static gboolean
on_idle(gpointer opaque)
{
    VgpuDriver *self = opaque;

    if (self->current || self->tasks.length || self->holds ||
        self->user->is_needed(self->name, self->user->opaque))
        return G_SOURCE_CONTINUE;
    vgpu_source_clear(&self->idle);
    vgpu_driver_process_free(self->process);
    self->process = vgpu_driver_process_new(self->options, self->context, self->name);
    return G_SOURCE_REMOVE;
}

/* NULL: its results are no error. */
static const char *
find_error(GVariant *results)
{
    const char *text = NULL;

    (void) g_variant_lookup(results, "error", "(u&s)", NULL, &text);
    return text;
}

/* Something has changed since its last reading began. */
static bool
is_outdated(const VgpuDriver *self)
{
    return self->began < self->touched;
}

/* NULL; or why it is of no use. */
static const char *
take_read(VgpuDriver *self, const Request *request, GVariant *results, gint64 sent)
{
    const char *error = find_error(results);
    gint64 began = sent;

    if (request->arguments != self->arguments) { /* of functions that have changed meanwhile */
        self->is_read_wanted = true;
        return NULL;
    }
    if (error || !self->user->take(self->name, results, self->user->opaque))
        return error ? error : "its answer is invalid";
    (void) g_variant_lookup(results, "began", "x", &began);
    self->began = CLAMP(began, sent, g_get_monotonic_time());
    self->is_read_wanted = is_outdated(self);
    return NULL;
}

static void
on_done(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    VgpuDriver *self = opaque;
    Request *request = g_steal_pointer(&self->current);
    bool is_task = request->task.verb;

    vgpu_source_clear(&self->limit);
    if (!is_task && outcome == VGPU_DRIVER_ANSWERED)
        why = take_read(self, request, results, self->sent);
    if (why)
        back_off(self, outcome, why);
    else
        end_silence(self);
    self->is_read_due = is_task || is_outdated(self);
    if (is_task) {
        vgpu_driver_touch(self);
        request->task.done(outcome == VGPU_DRIVER_LOCKED ? VGPU_DRIVER_NOT_SENT : outcome,
                           results, why, request->task.opaque);
    }
    request_free(request);
    advance(self);
    self->user->changed(self->user->opaque);
}

static void
send(VgpuDriver *self, Request *request)
{
    self->current = request;
    self->sent = g_get_monotonic_time();
    self->n_starved = 0;
    vgpu_driver_process_ask(self->process,
                            request->task.verb ? request->task.verb : self->user->verb,
                            request->arguments, on_done, self);
    arm(self, &self->limit, limit_of(request), on_limit);
    if (!self->idle)
        arm(self, &self->idle, IDLE_MS, on_idle);
}

/* The next task that is still wanted; NULL: none. */
static Request *
next_task(VgpuDriver *self)
{
    for (Request *task; (task = g_queue_pop_head(&self->tasks));) {
        if (!task->task.is_wanted || task->task.is_wanted(task->task.opaque))
            return task;
        refuse(self, task, "it is no longer needed");
    }
    return NULL;
}

static void
advance(VgpuDriver *self)
{
    Request *request;

    if (self->current || g_get_monotonic_time() < self->retry_at)
        return;
    request = self->silent_since || (self->is_read_due && self->is_read_wanted && self->arguments)
                  ? NULL
                  : next_task(self);
    if (!request && self->is_read_wanted && self->arguments) {
        request = g_new0(Request, 1);
        request->arguments = g_variant_ref(self->arguments);
    }
    if (request)
        send(self, request);
}

/* --- its users ------------------------------------------------------------------------------ */

VgpuDriver *
vgpu_driver_new(const VgpuDriverOptions *options, GMainContext *context, const char *name,
                const VgpuDriverUser *user)
{
    static guint64 last_id;
    VgpuDriver *self = g_new0(VgpuDriver, 1);

    self->id = ++last_id;
    self->options = options;
    self->context = g_main_context_ref(context);
    self->name = g_strdup(name);
    self->user = user;
    self->process = vgpu_driver_process_new(options, context, name);
    g_queue_init(&self->tasks);
    g_queue_init(&self->refused);
    return self;
}

void
vgpu_driver_free(VgpuDriver *self)
{
    if (!self)
        return;
    vgpu_source_clear(&self->limit);
    vgpu_source_clear(&self->retry);
    vgpu_source_clear(&self->idle);
    vgpu_source_clear(&self->refusal);
    vgpu_driver_process_free(self->process);
    if (self->current)
        request_free(self->current);
    g_queue_clear_full(&self->tasks, (GDestroyNotify) request_free);
    g_queue_clear_full(&self->refused, (GDestroyNotify) request_free);
    g_clear_pointer(&self->arguments, g_variant_unref);
    g_main_context_unref(self->context);
    g_free(self->why);
    g_free(self->name);
    g_free(self);
}

void
vgpu_driver_close(VgpuDriver *self, const char *why)
{
    Request *current = g_steal_pointer(&self->current);

    if (current && current->task.verb)
        current->task.done(VGPU_DRIVER_DOUBT, NULL, why, current->task.opaque);
    if (current)
        request_free(current);
    refuse_tasks(self, why);
    on_refusal(self);
    vgpu_driver_free(self);
}

void
vgpu_driver_fail(VgpuDriver *self, const char *why)
{
    self->retry_at = G_MAXINT64;
    self->silent_since = g_get_monotonic_time();
    self->why = g_strdup(why);
}

bool
vgpu_driver_set_arguments(VgpuDriver *self, GVariant *arguments)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(arguments);

    if (self->arguments && g_variant_equal(self->arguments, owned))
        return false;
    g_clear_pointer(&self->arguments, g_variant_unref);
    self->arguments = g_steal_pointer(&owned);
    vgpu_driver_touch(self);
    return true;
}

/* Within its limit. If nothing of ours can delay it, on_limit() decides when that is over. */
static bool
is_reading(const VgpuDriver *self)
{
    return self->current && !self->current->task.verb && !self->silent_since &&
           (!self->holds || self->n_starved || time_left(self) > 0);
}

VgpuSight
vgpu_driver_see(VgpuDriver *self, gint64 since)
{
    if (self->began && self->began >= MAX(since, self->touched))
        return VGPU_SIGHT_FRESH;
    self->is_read_wanted = true;
    advance(self);
    if (self->silent_since && !self->holds)
        return VGPU_SIGHT_SILENT;
    if (is_reading(self))
        return VGPU_SIGHT_ASKED;
    return self->holds || self->tasks.length || self->current ? VGPU_SIGHT_BUSY
                                                              : VGPU_SIGHT_ASKED;
}

void
vgpu_driver_touch(VgpuDriver *self)
{
    self->touched = g_get_monotonic_time();
}

gint64
vgpu_driver_working_since(const VgpuDriver *self)
{
    return self->current && (self->current->task.verb || self->holds) ? self->sent : 0;
}

const char *
vgpu_driver_why(const VgpuDriver *self, gint64 *since)
{
    if (since)
        *since = self->silent_since;
    return self->silent_since ? self->why : NULL;
}

void
vgpu_driver_hold(VgpuDriver *self)
{
    self->holds++;
}

void
vgpu_driver_unhold(VgpuDriver *self)
{
    bool is_last = self->holds == 1;

    self->holds -= self->holds > 0;
    vgpu_driver_touch(self);
    if (!is_last)
        return;
    self->unheld = g_get_monotonic_time();
    if (self->limit && self->current && !self->current->task.verb) /* it has all its time again */
        arm(self, &self->limit, READ_LIMIT_MS, on_limit);
}

guint64
vgpu_driver_id(const VgpuDriver *self)
{
    return self->id;
}

void
vgpu_driver_push(VgpuDriver *self, const VgpuDriverTask *task)
{
    Request *request = g_new0(Request, 1);

    request->task = *task;
    request->arguments = g_variant_ref_sink(task->arguments);
    if (self->silent_since || self->tasks.length >= QUEUE_MAX) {
        refuse(self, request, self->silent_since ? self->why : "it has too many requests");
        return;
    }
    g_queue_push_tail(&self->tasks, request);
    advance(self);
}
