#include "daemon/guard-private.h"

VgpuTask *
vgpu_task_new(VgpuGuard *guard, const char *domain_uuid)
{
    VgpuTask *task = g_new0(VgpuTask, 1);

    task->guard = guard;
    task->domain_uuid = g_strdup(domain_uuid);
    task->domain_id = -1;
    return task;
}

void
vgpu_task_free(gpointer data)
{
    VgpuTask *task = data;

    g_free(task->domain_uuid);
    g_free(task->domain_name);
    g_free(task->uuid);
    g_free(task->parent);
    g_clear_error(&task->error);
    g_free(task);
}

VgpuTask *
vgpu_task_copy(const VgpuTask *task)
{
    VgpuTask *copy = vgpu_task_new(task->guard, task->domain_uuid);

    copy->domain_name = g_strdup(task->domain_name);
    copy->domain_id = task->domain_id;
    copy->since = task->since;
    copy->index = task->index;
    copy->uuid = g_strdup(task->uuid);
    copy->interface = task->interface;
    copy->parent = g_strdup(task->parent);
    copy->deadline = task->deadline;
    return copy;
}

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
    bool done;
    GMutex lock;
    GCond cond;
} Call;

static void
run_call(gpointer data)
{
    Call *call = data;

    call->func(call->data);
    g_mutex_lock(&call->lock);
    call->done = true;
    g_cond_signal(&call->cond);
    g_mutex_unlock(&call->lock);
}

void
vgpu_guard_call(VgpuGuard *self, const char *domain_uuid, void (*func)(gpointer data),
                gpointer data)
{
    Call call = { .func = func, .data = data };

    g_mutex_init(&call.lock);
    g_cond_init(&call.cond);
    vgpu_queue_push(self->queue, VGPU_GUARD_FIRST, domain_uuid, run_call, &call, NULL);
    g_mutex_lock(&call.lock);
    while (!call.done)
        g_cond_wait(&call.cond, &call.lock);
    g_mutex_unlock(&call.lock);
    g_mutex_clear(&call.lock);
    g_cond_clear(&call.cond);
}
