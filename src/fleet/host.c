/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/host.h"

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"

#define TIMEOUT 10000          /* ms; virtvgpud waits half a second for a GPU */
#define OBJECTS "org.virtvgpu" /* what the interfaces of its objects begin with */

struct VgpuFleetHost {
    GDBusConnection *bus;
    VgpuFleetHostOps ops;
    gpointer data;
    guint name;       /* watch of virtvgpud's name */
    guint signals[3]; /* subscriptions */
    gulong closed;    /* handler */
    char *owner;      /* unique name of the last virtvgpud; NULL: there was none */
    bool is_said;     /* that this one cannot be told about the fleet */
};

/* --- what it says unasked ---------------------------------------------------------------------- */

static void
on_event(VgpuFleetHost *self, GVariant *parameters)
{
    g_autoptr(GVariant) event = NULL;
    g_autofree char *domain = NULL;
    const char *kind = "", *uuid = NULL;

    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(a{sv})")))
        return;
    event = g_variant_get_child_value(parameters, 0);
    (void) g_variant_lookup(event, "event", "&s", &kind);
    if (!g_variant_lookup(event, "domain_uuid", "&s", &uuid) ||
        !(domain = vgpu_uuid_canonical(uuid)))
        return;
    if (g_str_equal(kind, "vgpu-migrating"))
        self->ops.moves(domain, true, self->data);
    else if (g_str_equal(kind, "vgpu-migrated"))
        self->ops.moves(domain, false, self->data);
}

static void
on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *name, GVariant *parameters, gpointer data)
{
    VgpuFleetHost *self = data;

    (void) bus;
    (void) sender;
    (void) path;
    (void) interface;
    if (g_str_equal(name, "Event"))
        on_event(self, parameters);
    self->ops.changed(self->data);
}

static void
on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    VgpuFleetHost *self = data;

    (void) bus;
    (void) name;
    if (self->owner && !g_str_equal(owner, self->owner))
        self->is_said = false;
    g_free(self->owner);
    self->owner = g_strdup(owner);
    self->ops.changed(self->data);
}

static void
on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    VgpuFleetHost *self = data;

    (void) bus;
    (void) name;
    self->ops.changed(self->data);
}

static void
on_closed(GDBusConnection *bus, gboolean is_remote, GError *error, gpointer data)
{
    VgpuFleetHost *self = data;

    (void) bus;
    (void) is_remote;
    (void) error;
    self->ops.closed(self->data);
}

/* --- beginning and end -------------------------------------------------------------------------- */

static guint
subscribe(VgpuFleetHost *self, const char *interface, const char *path, const char *of)
{
    return g_dbus_connection_signal_subscribe(self->bus, VGPU_DBUS_NAME, interface, NULL, path,
                                              of,
                                              of ? G_DBUS_SIGNAL_FLAGS_MATCH_ARG0_NAMESPACE
                                                 : G_DBUS_SIGNAL_FLAGS_NONE,
                                              on_signal, self, NULL);
}

VgpuFleetHost *
vgpu_fleet_host_new(GBusType bus, const VgpuFleetHostOps *ops, gpointer data, GError **error)
{
    g_autoptr(GError) why = NULL;
    GDBusConnection *connection = g_bus_get_sync(bus, NULL, &why);
    VgpuFleetHost *self;

    vgpu_error_register_names();
    if (!connection) {
        vgpu_error_set(error, VGPU_ERROR_UNAVAILABLE, "cannot reach the message bus: %s",
                       why->message);
        return NULL;
    }
    self = g_new0(VgpuFleetHost, 1);
    self->bus = connection;
    self->ops = *ops;
    self->data = data;
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    self->closed = g_signal_connect(connection, "closed", G_CALLBACK(on_closed), self);
    self->signals[0] = subscribe(self, "org.virtvgpu.Manager1", VGPU_DBUS_PATH, NULL);
    self->signals[1] = subscribe(self, "org.freedesktop.DBus.Properties", NULL, OBJECTS);
    self->signals[2] =
        subscribe(self, "org.freedesktop.DBus.ObjectManager", VGPU_DBUS_OBJECTS, NULL);
    self->name =
        g_bus_watch_name_on_connection(connection, VGPU_DBUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       on_appeared, on_vanished, self, NULL);
    return self;
}

void
vgpu_fleet_host_free(VgpuFleetHost *self)
{
    if (!self)
        return;
    g_bus_unwatch_name(self->name);
    for (gsize i = 0; i < G_N_ELEMENTS(self->signals); i++)
        g_dbus_connection_signal_unsubscribe(self->bus, self->signals[i]);
    g_signal_handler_disconnect(self->bus, self->closed);
    g_object_unref(self->bus);
    g_free(self->owner);
    g_free(self);
}

/* --- calls -------------------------------------------------------------------------------------- */

static GVariant *
call(VgpuFleetHost *self, const char *method, GVariant *arguments, const char *type,
     GError **error)
{
    return g_dbus_connection_call_sync(self->bus, VGPU_DBUS_NAME, VGPU_DBUS_PATH, VGPU_DBUS_NAME,
                                       method, arguments, G_VARIANT_TYPE(type),
                                       G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT, NULL, error);
}

static bool
is_gone(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY);
}

GVariant *
vgpu_fleet_host_state(VgpuFleetHost *self, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GVariant) answer = call(self, "GetState", NULL, "(a{sv})", &why);

    if (answer)
        return g_variant_get_child_value(answer, 0);
    if (is_gone(why)) {
        vgpu_error_set(error, VGPU_ERROR_UNAVAILABLE, "virtvgpud is not running");
    } else {
        g_dbus_error_strip_remote_error(why);
        vgpu_error_set(error, VGPU_ERROR_UNKNOWN, "virtvgpud does not answer: %s", why->message);
    }
    return NULL;
}

void
vgpu_fleet_host_grant(VgpuFleetHost *self, GVariant *domains, GVariant *options)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GVariant) arguments =
        g_variant_ref_sink(g_variant_new("(@a(sa{sv})@a{sv})", domains, options));
    g_autofree char *text = g_variant_print(arguments, FALSE);
    g_autoptr(GVariant) answer = call(self, "FleetGrant", arguments, "()", &why);

    g_debug("FleetGrant%s: %s", text, answer ? "done" : why->message);
    if (answer || is_gone(why) || self->is_said)
        return;
    self->is_said = true;
    g_dbus_error_strip_remote_error(why);
    if (g_error_matches(why, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD))
        g_message("virtvgpud is older than virt-vgpu-fleet, and does not check reservations; "
                  "restart it with 'systemctl restart virtvgpud'");
    else
        g_warning("cannot tell virtvgpud about reservations: %s", why->message);
}
