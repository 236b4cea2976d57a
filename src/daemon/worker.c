/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker.h"

#include <stdbool.h>

#include "base/blocking.h"

/* Of looks. GLib runs the sources of one priority together, and so only looks with looks. */
#define PRIORITY_LOOK (G_PRIORITY_HIGH / 2)

struct VgpuWorker {
    GMainContext *context;
    GThread *thread;
    void (*pause)(gpointer data); /* NULL: nobody wants to know */
    gpointer pause_data;
    bool has_looked; /* in this iteration */
    bool quits;
};

static __thread VgpuWorker *current; /* of this thread */

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
    bool is_look;
} Call;

VgpuWorker *
vgpu_worker_new(void)
{
    VgpuWorker *self = g_new0(VgpuWorker, 1);

    self->context = g_main_context_new();
    return self;
}

GMainContext *
vgpu_worker_context(VgpuWorker *self)
{
    return self->context;
}

static gpointer
run(gpointer data)
{
    VgpuWorker *self = data;

    current = self;
    vgpu_blocking_forbid();
    (void) g_main_context_acquire(self->context); /* nobody runs something in its place */
    g_main_context_push_thread_default(self->context);
    while (!self->quits) {
        self->has_looked = false;
        if (g_main_context_iteration(self->context, TRUE) && self->pause && !self->has_looked)
            self->pause(self->pause_data);
    }
    g_main_context_pop_thread_default(self->context);
    g_main_context_release(self->context);
    return NULL;
}

void
vgpu_worker_start(VgpuWorker *self)
{
    self->thread = g_thread_new("worker", run, self);
}

static gboolean
quit(gpointer data)
{
    VgpuWorker *self = data;

    self->quits = true;
    return G_SOURCE_REMOVE;
}

void
vgpu_worker_stop(VgpuWorker *self)
{
    if (!self->thread)
        return;
    g_main_context_invoke_full(self->context, G_PRIORITY_HIGH, quit, self, NULL);
    g_thread_join(g_steal_pointer(&self->thread));
}

static gboolean
run_call(gpointer data)
{
    const Call *call = data;

    call->func(call->data);
    current->has_looked = call->is_look;
    return G_SOURCE_REMOVE;
}

static void
push(VgpuWorker *self, int priority, const Call *call)
{
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, priority);
    g_source_set_callback(source, run_call, g_memdup2(call, sizeof(*call)), g_free);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

void
vgpu_worker_on_pause(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    self->pause = func;
    self->pause_data = data;
}

void
vgpu_worker_push_hook(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    push(self, G_PRIORITY_HIGH, &(Call) { .func = func, .data = data });
}

void
vgpu_worker_push(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    push(self, G_PRIORITY_DEFAULT, &(Call) { .func = func, .data = data });
}

void
vgpu_worker_push_look(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    push(self, PRIORITY_LOOK, &(Call) { .func = func, .data = data, .is_look = true });
}
