/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moved.c: start a domain again whose autostart was refused, once its definition has been moved to another
 * device, if restart_moved is set in virt-vgpu.conf */
#include "daemon/moved.h"

#include "base/error.h"
#include "daemon/guard-private.h"

/* One at a time: each takes as long as a start, and occupies a thread. */
#define KEY "restart"

void
vgpu_moved_note_refused(VgpuGuard *self, const char *domain_uuid)
{
    bool served = vgpu_guard_is_connected(self);

    if (!self->config->restart_moved)
        return;
    g_mutex_lock(&self->lock);
    vgpu_autostarts_refused(self->autostarts, domain_uuid, served, g_get_monotonic_time());
    g_mutex_unlock(&self->lock);
}

static bool
start_again(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, domain_uuid, error);
    VgpuAutostartFacts facts = { .libvirt_age = vgpu_connection_daemon_age(self->connection) };
    const char *objection;

    if (!state || !vgpu_domains_has_autostart(conn, domain_uuid, &facts.has_autostart, error))
        return false;
    facts.is_persistent = state->persistent;
    facts.runs = state->id >= 0;
    objection = vgpu_autostart_objection(&facts);
    if (objection) {
        g_message("domain '%s' is not started again: %s", state->name, objection);
        return true;
    }
    g_message("domain '%s': libvirt's autostart was refused, and its definition has been moved; "
              "starting it again",
              state->name);
    return vgpu_domains_start(conn, domain_uuid, error);
}

static void
run(gpointer data)
{
    const VgpuTask *task = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_get(task->guard->connection, &error);

    if (!conn || !start_again(task->guard, conn, task->domain_uuid, &error)) {
        g_autofree char *text = vgpu_error_text(error);

        g_warning("%s; it is not tried again", text);
    }
}

void
vgpu_moved_start(VgpuGuard *self, const char *domain_uuid)
{
    bool is_due;

    g_mutex_lock(&self->lock);
    is_due = vgpu_autostarts_take(self->autostarts, domain_uuid, g_get_monotonic_time());
    g_mutex_unlock(&self->lock);
    if (is_due)
        vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, KEY, run,
                        vgpu_task_new(self, domain_uuid), vgpu_task_free);
}
