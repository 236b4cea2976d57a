/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.c: events that the manager reports to its program, as in the signal Event */
#include "core/events.h"

#include "base/event.h"
#include "core/manager-private.h"

GVariant *
vgpu_events_make(const char *event, const VgpuOwner *owner, const VgpuClaim *claim,
                 const char *reason, gint64 duration_ms)
{
    VgpuEvent about = {
        .event = event,
        .domain = owner ? owner->domain_name : NULL,
        .domain_uuid = owner ? owner->domain_uuid : NULL,
        .reason = reason,
        .duration_ms = duration_ms,
        .libvirt_ms = -1,
    };

    if (claim) {
        about.uuid = claim->uuid;
        about.gpu = claim->gpu;
        about.parent = claim->parent;
        about.profile = claim->profile_name;
        if (duration_ms >= 0 && claim->plug_us)
            about.libvirt_ms = claim->plug_us / 1000;
        if (claim->interface != VGPU_INTERFACE_NONE)
            about.interface = vgpu_interface_to_string(claim->interface);
    }
    return vgpu_event_new(&about);
}

void
vgpu_events_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                 const VgpuClaim *claim, const char *reason, gint64 duration_ms)
{
    self->ops.event(vgpu_events_make(event, owner, claim, reason, duration_ms), self->opaque);
}

void
vgpu_events_emit_refusal(VgpuManager *self, const char *event, const VgpuDomain *domain,
                         const VgpuWant *want, const char *reason, gint64 duration_ms)
{
    VgpuOwner who = { .domain_uuid = domain ? domain->uuid : NULL,
                      .domain_name = domain ? domain->name : NULL };
    char *named = want ? want->gpu : NULL; /* a GPU, or one of its VFs */
    const VgpuGpu *gpu = named ? vgpu_inventory_find_by_function(self->inventory, named) : NULL;
    VgpuClaim about = { .uuid = want ? want->uuid : NULL,
                        .gpu = gpu ? gpu->address : named,
                        .parent = gpu && !g_str_equal(gpu->address, named) ? named : NULL,
                        .profile_name = want && want->profiles ? want->profiles[0] : NULL };

    vgpu_events_emit(self, event, &who, want ? &about : NULL, reason, duration_ms);
}
