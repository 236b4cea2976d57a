/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/guard.h"

#include <string.h>

#include "daemon/guard-private.h"
#include "domain/inject.h"

void
vgpu_guard_tell(VgpuGuard *self, const VgpuEvent *event)
{
    self->event(vgpu_event_new(event), self->opaque);
}

void
vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                const char *reason)
{
    VgpuEvent about = {
        .event = event,
        .domain = domain ? domain->name : NULL,
        .domain_uuid = domain ? domain->uuid : NULL,
        .reason = reason,
        .duration_ms = -1,
        .libvirt_ms = -1,
    };

    self->event(vgpu_event_new(&about), self->opaque);
}

void
vgpu_guard_emit_injected(VgpuGuard *self, const VgpuDomainState *domain, const char *changed,
                         gint64 libvirt_us)
{
    gint64 since = vgpu_agenda_wanted_since(self->domains, domain->uuid);
    VgpuEvent about = {
        .event = "domain-injected",
        .domain = domain->name,
        .domain_uuid = domain->uuid,
        .reason = changed,
        .duration_ms = since ? (g_get_monotonic_time() - since) / 1000 : -1,
        .libvirt_ms = since ? (domain->read_us + libvirt_us) / 1000 : -1,
    };

    self->event(vgpu_event_new(&about), self->opaque);
}

bool
vgpu_guard_concerns(const char *xml)
{
    return xml && vgpu_domain_is_marked(xml, strlen(xml));
}

void
vgpu_guard_mark(VgpuGuard *self, const char *domain_uuid, guint what)
{
    vgpu_agenda_mark(self->domains, domain_uuid, what);
}

void
vgpu_guard_catch_up(VgpuGuard *self)
{
    vgpu_agenda_mark(self->host, VGPU_GUARD_WATCH, VGPU_LOOK_RUN);
}

void
vgpu_guard_push_sweep(VgpuGuard *self)
{
    vgpu_agenda_mark(self->host, VGPU_GUARD_SWEEP, VGPU_LOOK_RUN);
}

void
vgpu_guard_reread_gpus(VgpuGuard *self)
{
    vgpu_agenda_mark(self->nodedevs, VGPU_GUARD_GPUS, VGPU_LOOK_RUN);
}

void
vgpu_guard_stop(VgpuGuard *self)
{
    vgpu_queue_stop(self->queue);
    vgpu_queue_stop(self->nodedev_queue);
}

void
vgpu_guard_nudge(VgpuGuard *self)
{
    vgpu_connection_nudge(self->connection);
    vgpu_connection_nudge(self->nodedev_connection);
}

bool
vgpu_guard_is_connected(VgpuGuard *self)
{
    return vgpu_connection_is_open(self->connection);
}
