/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* other-users.c: preloaded into virtvgpud, which then asks org.virtvgpu.TestUsers, and not the bus, of which user a
 * connection is: on a session bus all are of one. */
#include <dlfcn.h>
#include <gio/gio.h>

#define NAME "org.virtvgpu.TestUsers"

static const char *
whom_to_ask(const char *method, const char *bus_name)
{
    return g_strcmp0(method, "GetConnectionUnixUser") == 0 ? NAME : bus_name;
}

void
g_dbus_connection_call(GDBusConnection *connection, const gchar *bus_name, const gchar *path,
                       const gchar *interface, const gchar *method, GVariant *parameters,
                       const GVariantType *reply_type, GDBusCallFlags flags, gint timeout_ms,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
    __typeof__(g_dbus_connection_call) *real = dlsym(RTLD_NEXT, "g_dbus_connection_call");

    real(connection, whom_to_ask(method, bus_name), path, interface, method, parameters,
         reply_type, flags, timeout_ms, cancellable, callback, data);
}

GVariant *
g_dbus_connection_call_sync(GDBusConnection *connection, const gchar *bus_name, const gchar *path,
                            const gchar *interface, const gchar *method, GVariant *parameters,
                            const GVariantType *reply_type, GDBusCallFlags flags, gint timeout_ms,
                            GCancellable *cancellable, GError **error)
{
    __typeof__(g_dbus_connection_call_sync) *real =
        dlsym(RTLD_NEXT, "g_dbus_connection_call_sync");

    return real(connection, whom_to_ask(method, bus_name), path, interface, method, parameters,
                reply_type, flags, timeout_ms, cancellable, error);
}
