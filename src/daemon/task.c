/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
    copy->libvirt_us = task->libvirt_us;
    return copy;
}
