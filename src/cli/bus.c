/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bus.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/names.h"
#include "cli/agent.h"
#include "cli/interrupt.h"
#include "cli/patience.h"

/* Longer than the daemon's own deadlines, so that its reason arrives and not our time-out. */
#define CALL_TIMEOUT_MS (120 * 1000)

#define NOT_RUNNING "virtvgpud is not running; start it with 'systemctl start virtvgpud'"
#define AGENT_KEY "virt-vgpu-agent" /* of a proxy: polkit is asked, so an agent may be needed */

VgpuBusManager1 *
vgpu_bus_open(GBusType bus, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDBusConnection) connection = g_bus_get_sync(bus, NULL, &failure);
    g_autoptr(VgpuBusManager1) proxy = NULL;
    g_autofree char *owner = NULL;

    vgpu_error_register_names();
    if (!connection) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, "cannot reach the %s bus: %s",
                    bus == G_BUS_TYPE_SESSION ? "session" : "system", failure->message);
        return NULL;
    }
    g_dbus_connection_set_exit_on_close(connection, FALSE);

    proxy = vgpu_bus_manager1_proxy_new_sync(connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                             VGPU_DBUS_NAME, VGPU_DBUS_PATH, NULL, &failure);
    if (!proxy) {
        vgpu_bus_failed(&failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(proxy));
    if (!owner) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, NOT_RUNNING);
        return NULL;
    }
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(proxy), CALL_TIMEOUT_MS);
    if (bus == G_BUS_TYPE_SYSTEM && vgpu_agent_is_useful())
        g_object_set_data(G_OBJECT(proxy), AGENT_KEY, proxy);
    return g_steal_pointer(&proxy);
}

int
vgpu_bus_failed(GError **error)
{
    if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
        g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) {
        g_clear_error(error);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, NOT_RUNNING);
    } else if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED)) {
        g_clear_error(error);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                            "the bus does not let you call virtvgpud; run virt-vgpu as root, or "
                            "allow it in the bus policy (org.virtvgpu.Manager1.conf)");
    } else if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) {
        g_clear_error(error);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                            "virtvgpud is older than virt-vgpu and cannot do this; restart it "
                            "with 'systemctl restart virtvgpud'");
    } else if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED)) {
        g_autoptr(GError) refused = g_steal_pointer(error);

        g_dbus_error_strip_remote_error(refused);
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY, "virtvgpud refused the call: %s",
                    refused->message);
    } else if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
               g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        g_clear_error(error);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_UNKNOWN, /* it may have been done */
                            "virtvgpud did not answer; see 'journalctl -u virtvgpud'");
    } else {
        g_dbus_error_strip_remote_error(*error);
    }
    return EXIT_FAILURE;
}

static GVariant *
call(VgpuBusManager1 *manager, const char *method, GVariant *parameters, int timeout_ms,
     GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_proxy_call_sync(G_DBUS_PROXY(manager), method, parameters,
                               G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, timeout_ms,
                               NULL, &failure);

    if (!answer) {
        vgpu_bus_failed(&failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (g_variant_n_children(answer) == 0)
        return g_steal_pointer(&answer);
    return g_variant_get_child_value(answer, 0);
}

GVariant *
vgpu_bus_query(VgpuBusManager1 *manager, const char *method, GVariant *parameters, GError **error)
{
    return call(manager, method, parameters, -1, error);
}

GVariant *
vgpu_bus_call(VgpuBusManager1 *manager, const char *method, GVariant *parameters,
              const char *doing, GError **error)
{
    g_autoptr(VgpuAgent) agent =
        g_object_get_data(G_OBJECT(manager), AGENT_KEY) ? vgpu_agent_new() : NULL;
    /* the agent may ask for a password on the terminal meanwhile: write nothing there */
    g_autoptr(VgpuPatience) patience = vgpu_patience_new(agent ? NULL : doing);
    g_autoptr(GVariant) owned = g_variant_ref_sink(parameters);
    g_autofree char *last_words = vgpu_interrupt_of_call(method, owned, doing, agent != NULL);
    g_autoptr(VgpuInterrupt) interrupt = vgpu_interrupt_new(last_words);

    /* the daemon has time-outs of its own, by the number of GPUs */
    return call(manager, method, owned, G_MAXINT, error);
}
