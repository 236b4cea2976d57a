/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/worker.h"

#include "base/blocking.h"

struct VgpuWorker {
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
};

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
} Call;

VgpuWorker *
vgpu_worker_new(void)
{
    VgpuWorker *self = g_new0(VgpuWorker, 1);

    self->context = g_main_context_new();
    self->loop = g_main_loop_new(self->context, FALSE);
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

    vgpu_blocking_forbid();
    g_main_context_push_thread_default(self->context);
    g_main_loop_run(self->loop);
    g_main_context_pop_thread_default(self->context);
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
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

void
vgpu_worker_stop(VgpuWorker *self)
{
    if (!self->thread)
        return;
    g_main_context_invoke_full(self->context, G_PRIORITY_HIGH, quit, self->loop, NULL);
    g_thread_join(g_steal_pointer(&self->thread));
}

static gboolean
run_call(gpointer data)
{
    Call *call = data;

    call->func(call->data);
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
vgpu_worker_push_hook(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    push(self, G_PRIORITY_HIGH, &(Call) { .func = func, .data = data });
}

void
vgpu_worker_push(VgpuWorker *self, void (*func)(gpointer data), gpointer data)
{
    push(self, G_PRIORITY_DEFAULT, &(Call) { .func = func, .data = data });
}
