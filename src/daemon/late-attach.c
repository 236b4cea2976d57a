/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* late-attach.c: late attach, for a domain that was started before its definition had the hostdev */
#include "daemon/late-attach.h"

#include <string.h>

#include "base/error.h"
#include "daemon/guard-private.h"
#include "daemon/turn.h"
#include "domain/inject.h"

#define RETRY_MS 300

static void run_attach(gpointer data);

/* One attach at a time for each vGPU of a run; that of the next run is another. */
static char *
attach_key(const char *uuid, guint64 since)
{
    return g_strdup_printf("%s %" G_GUINT64_FORMAT, uuid, since);
}

static void
forget_attach(const VgpuTask *task)
{
    VgpuGuard *self = task->guard;
    g_autofree char *key = attach_key(task->uuid, task->since);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    g_hash_table_remove(self->attaching, key);
}

static void
tell_manager(const VgpuTask *task, const GError *error)
{
    const VgpuGuard *self = task->guard;
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    vgpu_manager_plug_took(self->manager, task->domain_uuid, task->uuid, task->libvirt_us);
    vgpu_manager_attached(self->manager, task->domain_uuid, task->since, task->uuid, error);
}

static gboolean
on_attach_again(gpointer data)
{
    VgpuTask *task = data;

    vgpu_queue_push(task->guard->queue, VGPU_QUEUE_FIRST, task->domain_uuid, run_attach,
                    vgpu_task_copy(task), vgpu_task_free);
    return G_SOURCE_REMOVE;
}

/* NULL: libvirt does not have it, or it cannot be read. */
static VgpuDomain *
read_running(virConnectPtr conn, const VgpuTask *task)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, task->domain_uuid, NULL);

    return state && state->live ? vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL)
                                : NULL;
}

static bool
attach(VgpuTask *task, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_connection_get(task->guard->connection, error);
    g_autoptr(VgpuDomain) running = conn ? read_running(conn, task) : NULL;
    const VgpuWant *asked = running && task->index < running->wants->len
                                ? g_ptr_array_index(running->wants, task->index)
                                : NULL;
    VgpuWant want = {
        .index = task->index,
        .uuid = task->uuid,
        .interface = task->interface,
        .vf = task->parent,
        .additions = asked ? asked->additions : NULL,
    };
    g_autofree char *xml = conn ? vgpu_inject_live_xml(running, &want) : NULL;
    gint64 begun = g_get_monotonic_time();
    bool done =
        conn && vgpu_domains_attach_live(conn, task->domain_uuid, task->domain_id, xml, error);

    task->libvirt_us += g_get_monotonic_time() - begun;
    return done;
}

typedef enum {
    RUN_WAITS,
    RUN_HAS_IT, /* the request of an earlier daemon has succeeded after all */
    RUN_OVER,   /* its release cleans up */
} Run;

/* Find out about the run that the vGPU was made for. */
static Run
look_at_run(const VgpuTask *task)
{
    g_autoptr(virConnect) conn = vgpu_connection_get(task->guard->connection, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomainState) state = NULL;
    g_autoptr(VgpuDomain) live = NULL;
    const VgpuHostdev *hostdev;

    if (!conn)
        return RUN_WAITS;
    state = vgpu_domains_get(conn, task->domain_uuid, &error);
    if (!state)
        return g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND) ? RUN_OVER : RUN_WAITS;
    if (state->id != task->domain_id)
        return RUN_OVER;
    live = state->live ? vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL) : NULL;
    hostdev = live ? vgpu_domain_find_ours(live, task->index) : NULL;
    return hostdev && (hostdev->source ? g_strcmp0(hostdev->source, task->parent) == 0
                                       : g_strcmp0(hostdev->uuid, task->uuid) == 0)
               ? RUN_HAS_IT
               : RUN_WAITS;
}

static VgpuOutlook
judge(const VgpuTask *task, Run run, const GError *error)
{
    if (run != RUN_WAITS)
        return VGPU_OUTLOOK_DONE;
    return vgpu_outlook(VGPU_STEP_PLUG, error, vgpu_guard_is_connected(task->guard));
}

static void
run_attach(gpointer data)
{
    VgpuTask *task = data;
    g_autoptr(GError) error = NULL;

    if (!attach(task, &error)) {
        Run run = look_at_run(task);
        VgpuOutlook outlook = judge(task, run, error);

        if (outlook == VGPU_OUTLOOK_AGAIN && g_get_monotonic_time() < task->deadline) {
            g_debug("%s; trying again", error->message);
            g_timeout_add_full(G_PRIORITY_DEFAULT, RETRY_MS, on_attach_again,
                               vgpu_task_copy(task), vgpu_task_free);
            return;
        }
        /* when libvirt is back, reconcile asks again */
        if (run == RUN_OVER || outlook == VGPU_OUTLOOK_WHEN_CONNECTED) {
            forget_attach(task);
            return;
        }
        if (run == RUN_HAS_IT)
            g_clear_error(&error);
    }
    tell_manager(task, error);
    forget_attach(task);
}

void
vgpu_late_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque)
{
    VgpuGuard *self = opaque;
    VgpuTask *task;
    bool new;

    g_mutex_lock(&self->lock);
    new = g_hash_table_add(self->attaching, attach_key(claim->uuid, owner->since));
    g_mutex_unlock(&self->lock);
    if (!new)
        return;
    task = vgpu_task_new(self, owner->domain_uuid);
    task->domain_id = owner->domain_id;
    task->since = owner->since;
    task->index = claim->index;
    task->uuid = g_strdup(claim->uuid);
    task->interface = claim->interface;
    task->parent = g_strdup(claim->parent);
    task->deadline =
        g_get_monotonic_time() + (gint64) self->config->attach_timeout * G_USEC_PER_SEC;
    vgpu_queue_push(self->queue, VGPU_QUEUE_FIRST, task->domain_uuid, run_attach, task,
                    vgpu_task_free);
}
