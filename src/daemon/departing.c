/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/departing.h"

#include "daemon/turn.h"

/* --- it begins ------------------------------------------------------------------------------ */

/* A thread of the queue: whether the domain is sent to another host, or saved. A migration that is over by the time
 * of the answer is reported at its end only. */
static void
ask_job(gpointer data)
{
    const VgpuTask *task = data;
    VgpuGuard *self = task->guard;
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_get(self->connection, &error);
    g_autoptr(VgpuTurn) turn = NULL;
    bool leaves = false;

    if (!conn || !vgpu_job_leaves(conn, task->domain_uuid, &leaves, &error)) {
        g_debug("%s", error->message);
        return;
    }
    if (!leaves)
        return;
    turn = vgpu_turn_begin(self->worker);
    vgpu_manager_departing(self->manager, task->domain_uuid, false);
}

/* The worker, which knows whether the domain has a vGPU: others are not asked about. */
static void
do_sending(gpointer data)
{
    VgpuTask *task = data;

    if (vgpu_manager_since(task->guard->manager, task->domain_uuid))
        vgpu_queue_push(task->guard->queue, VGPU_QUEUE_NORMAL, NULL, ask_job, task,
                        vgpu_task_free);
    else
        vgpu_task_free(task);
}

static void
do_switching(gpointer data)
{
    VgpuTask *task = data;

    vgpu_manager_departing(task->guard->manager, task->domain_uuid, true);
    vgpu_task_free(task);
}

void
vgpu_departing_on_event(VgpuGuard *self, const char *domain_uuid, VgpuDomainEvent event)
{
    vgpu_worker_push(self->worker, event == VGPU_DOMAIN_SENDING ? do_sending : do_switching,
                     vgpu_task_new(self, domain_uuid));
}

/* --- it is over ----------------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    char *domain_uuid;
    VgpuJobCost cost;
} Cost;

static void
do_cost(gpointer data)
{
    Cost *self = data;

    vgpu_manager_departure_cost(self->guard->manager, self->domain_uuid, self->cost.downtime_ms,
                                self->cost.data_bytes);
    g_free(self->domain_uuid);
    g_free(self);
}

void
vgpu_departing_on_cost(const char *domain_uuid, const VgpuJobCost *cost, gpointer opaque)
{
    VgpuGuard *self = opaque;
    Cost *message = g_new0(Cost, 1);

    message->guard = self;
    message->domain_uuid = g_strdup(domain_uuid);
    message->cost = *cost;
    vgpu_worker_push(self->worker, do_cost, message);
}
