/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-fleet.c: the method by which the agent tells what the fleet has decided about this host's domains */
#include "base/clock.h"
#include "core/fleet-picture.h"
#include "daemon/fleet-grant.h"
#include "daemon/service-private.h"

/* Nothing in between waits for the worker, a GPU or libvirt; /run is no disk. */
static bool
replace(VgpuService *self, VgpuFleetPicture *picture, GError **error)
{
    g_autoptr(VgpuFleetPicture) before = NULL;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->fleet_lock);
    VgpuTurn *turn = vgpu_turn_begin_aside(self->worker);

    if (vgpu_manager_fleet(self->manager))
        before = vgpu_fleet_picture_ref(vgpu_manager_fleet(self->manager));
    vgpu_turn_end(turn);
    vgpu_fleet_picture_follow(picture, before);
    if (!vgpu_manager_save_fleet(self->manager, picture, error))
        return false;
    turn = vgpu_turn_begin_aside(self->worker);
    vgpu_manager_take_fleet(self->manager, vgpu_fleet_picture_ref(picture));
    vgpu_turn_end(turn);
    return true;
}

static gboolean
on_fleet_grant(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, GVariant *domains,
               GVariant *options, gpointer opaque)
{
    GError *error = NULL;
    g_autoptr(VgpuFleetPicture) picture =
        vgpu_fleet_grant_read(domains, options, vgpu_clock_now(), &error);

    if (!picture || !replace(opaque, picture, &error))
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_fleet_grant(skeleton, call);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_fleet(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-fleet-grant", G_CALLBACK(on_fleet_grant) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
