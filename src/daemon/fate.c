/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/fate.h"

#include "base/error.h"
#include "daemon/guard-private.h"
#include "daemon/turn.h"

guint64
vgpu_fate_as_of(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    return vgpu_manager_saved_as_of(self->manager, domain_uuid);
}

/* libvirt keeps the reason in memory only: after a restart of libvirtd it is UNKNOWN. After a
 * failed start the file from which libvirt restores the domain still exists. */
static VgpuFate
fate_of(int reason, bool image)
{
    if (reason < 0)
        return VGPU_FATE_OTHER;
    if (image)
        return VGPU_FATE_IMAGE;
    switch (reason) {
    case VIR_DOMAIN_SHUTOFF_SAVED:
        return VGPU_FATE_SAVED;
    case VIR_DOMAIN_SHUTOFF_UNKNOWN:
    case VIR_DOMAIN_SHUTOFF_FAILED:
        return VGPU_FATE_UNTOLD;
    default:
        return VGPU_FATE_OTHER;
    }
}

bool
vgpu_fate_follow(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                 const VgpuDomainState *state, guint64 as_of, GError **error)
{
    g_autoptr(VgpuTurn) turn = NULL;
    g_autoptr(GError) failure = NULL;
    VgpuFate fate = VGPU_FATE_OTHER;
    bool image = false;
    int reason = -1;

    if (!as_of)
        return true;
    if (!state) {
        fate = VGPU_FATE_GONE;
    } else if (state->id < 0 && vgpu_guard_concerns(state->definition)) {
        if (vgpu_domains_get_end(conn, domain_uuid, &reason, &image, &failure))
            fate = fate_of(reason, image);
        else if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
            fate = VGPU_FATE_GONE;
        else {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
    turn = vgpu_turn_begin(self->worker);
    vgpu_manager_take_fate(self->manager, domain_uuid, as_of, fate);
    return true;
}
