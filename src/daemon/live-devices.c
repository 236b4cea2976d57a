/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* live-devices.c: vGPUs that come to and go from running domains, attached by anyone
 *
 * An event only says that something has changed; the devices are read from the live XML, in order with
 * all other work on that domain. */
#include "daemon/live-devices.h"

#include <string.h>

#include "base/names.h"
#include "daemon/guard-private.h"
#include "daemon/turn.h"
#include "domain/schema.h"

guint64
vgpu_live_devices_since(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    return vgpu_manager_since(self->manager, domain_uuid);
}

void
vgpu_live_devices_follow(VgpuGuard *self, const VgpuDomainState *state, guint64 since)
{
    g_autoptr(VgpuDomain) live = NULL;
    g_autoptr(VgpuTurn) turn = NULL;

    if (!state->live || (!since && !vgpu_guard_concerns(state->live)))
        return;
    live = vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL);
    if (!live) /* draw no conclusions from XML that cannot be read */
        return;
    turn = vgpu_turn_begin(self->worker);
    if (vgpu_manager_since(self->manager, state->uuid) != since)
        return; /* that was another run */
    for (guint i = 0; i < live->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = live->hostdevs->pdata[i];

        if (hostdev->index >= 0)
            vgpu_manager_plugged(self->manager, state->uuid, state->name, state->id, hostdev);
    }
    if (since)
        vgpu_manager_follow_run(self->manager, state->uuid, since, live);
}

void
vgpu_live_devices_plug(VgpuGuard *self, VgpuDomain *domain, guint first, VgpuPrepareDone done,
                       gpointer opaque)
{
    g_autoptr(VgpuTurn) turn = NULL;

    turn = vgpu_turn_begin(self->worker);
    vgpu_manager_plug(self->manager, domain, first, VGPU_LIVE_DEVICES_PLUG_MS, done, opaque);
}

/* A caller that waits for the guest need not wait for the next look. */
static void
tell_leaving(VgpuGuard *self, VgpuDeviceEvent event, const char *domain_uuid, guint index)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    for (guint i = 0; i < self->leaving->len; i++) {
        VgpuLeaving *leaving = g_ptr_array_index(self->leaving, i);

        if (leaving->index != index || !g_str_equal(leaving->domain_uuid, domain_uuid))
            continue;
        leaving->gone |= event == VGPU_DEVICE_REMOVED;
        leaving->refused |= event == VGPU_DEVICE_REFUSED;
    }
    g_cond_broadcast(&self->left);
}

void
vgpu_live_devices_on_event(VgpuDeviceEvent event, const char *uuid, int id, const char *alias,
                           gpointer opaque)
{
    VgpuGuard *self = opaque;
    int index = vgpu_domain_parse_alias(alias);

    (void) id;
    if (index < 0 || (guint) index >= VGPU_COUNT_MAX)
        return; /* the driver's cdrom, or the user's */
    if (event != VGPU_DEVICE_ADDED)
        tell_leaving(self, event, uuid, (guint) index);
    if (event != VGPU_DEVICE_REFUSED)
        vgpu_guard_mark(self, uuid, VGPU_LOOK_RUN);
}
