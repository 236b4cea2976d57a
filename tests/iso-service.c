/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real BuildDriverIso on the session bus, without the rest of the daemon. Prints a line for each call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "daemon/service-iso.h"

static gboolean
on_authorize(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *call, gpointer denied)
{
    printf("%s\n", g_dbus_method_invocation_get_method_name(call));
    fflush(stdout);
    if (!denied)
        return TRUE;
    g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, VGPU_ERROR_DENIED, "no");
    return FALSE;
}

static gboolean
on_list_profiles(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *gpu,
                 gpointer opaque)
{
    vgpu_bus_manager1_complete_list_profiles(
        skeleton, call,
        g_variant_new_parsed("[{'id': <'nvidia-746'>, 'name': <'NVIDIA A2-4Q'>}]"));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* With an argument, all callers are refused. VIRT_VGPU_LIBEXECDIR contains virt-vgpu-iso. */
int
main(int argc, char **argv)
{
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
    g_autoptr(VgpuBusManager1) skeleton = vgpu_bus_manager1_skeleton_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autofree char *program =
        g_build_filename(g_getenv("VIRT_VGPU_LIBEXECDIR"), "virt-vgpu-iso", NULL);

    vgpu_error_register_names();
    g_dbus_interface_skeleton_set_flags(
        G_DBUS_INTERFACE_SKELETON(skeleton),
        G_DBUS_INTERFACE_SKELETON_FLAGS_HANDLE_METHOD_INVOCATIONS_IN_THREAD);
    g_signal_connect(skeleton, "g-authorize-method", G_CALLBACK(on_authorize),
                     argc > 1 ? argv[1] : NULL);
    g_signal_connect(skeleton, "handle-list-profiles", G_CALLBACK(on_list_profiles), NULL);
    vgpu_service_iso_connect(skeleton, program);
    if (!bus || !g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(skeleton), bus,
                                                  VGPU_DBUS_PATH, NULL))
        return EXIT_FAILURE;
    g_bus_own_name_on_connection(bus, VGPU_DBUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                 NULL, NULL);
    g_main_loop_run(loop);
    return EXIT_SUCCESS;
}
