/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-reply.c: shared by the methods of all files: turns, rights, handlers, and answers with errors */
#include "daemon/access.h"
#include "daemon/service-private.h"

VgpuTurn *
vgpu_service_turn(VgpuService *self)
{
    return vgpu_turn_begin_seen(self->worker, self->manager, 0);
}

bool
vgpu_service_may_manage(VgpuService *self, GDBusMethodInvocation *call)
{
    return vgpu_access_may(call, "manage", vgpu_service_subject, self);
}

gboolean
vgpu_service_fail(GDBusMethodInvocation *call, VgpuError code, const char *what, const char *text)
{
    g_dbus_method_invocation_return_error(call, VGPU_ERROR, code, "%s: %s", what, text);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

gboolean
vgpu_service_take(GDBusMethodInvocation *call, GError *error)
{
    g_autofree char *text = vgpu_error_text(error);

    g_dbus_method_invocation_return_error_literal(call, error->domain, error->code, text);
    g_error_free(error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

gboolean
vgpu_service_no_address(GDBusMethodInvocation *call, const char *text)
{
    return vgpu_service_fail(call, VGPU_ERROR_ARGUMENT, text, "not a PCI address");
}

gboolean
vgpu_service_no_uuid(GDBusMethodInvocation *call, const char *text)
{
    return vgpu_service_fail(call, VGPU_ERROR_ARGUMENT, text, "not a UUID");
}

void
vgpu_service_connect(VgpuBusManager1 *skeleton, const VgpuHandler *handlers, gsize n,
                     gpointer opaque)
{
    for (gsize i = 0; i < n; i++)
        g_signal_connect(skeleton, handlers[i].signal, handlers[i].callback, opaque);
}
