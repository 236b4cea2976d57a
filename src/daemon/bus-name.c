/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus-name.h"

#define RETRY_S 1
#define RETRY_MOST_S 30

struct VgpuBusName {
    GBusType type;
    char *name;
    const VgpuBusNameOps *ops;
    gpointer opaque;
    GCancellable *cancellable;
    GDBusConnection *connection; /* NULL: there is none */
    gulong closed;               /* the handler of its signal */
    guint owned;                 /* the name on it, as GLib counts; 0: not asked for */
    guint retry;                 /* the source, 0: none */
    guint wait_s;                /* before the next retry */
    bool is_told;                /* that there is no bus */
};

static void connect_to_bus(VgpuBusName *self);

static gboolean
on_retry(gpointer opaque)
{
    VgpuBusName *self = opaque;

    self->retry = 0;
    connect_to_bus(self);
    return G_SOURCE_REMOVE;
}

static void
try_later(VgpuBusName *self, const char *why)
{
    if (!self->is_told)
        g_warning("cannot reach the message bus, trying again; hooks are still served: %s", why);
    self->is_told = true;
    self->retry = g_timeout_add_seconds(self->wait_s, on_retry, self);
    self->wait_s = MIN(self->wait_s * 2, RETRY_MOST_S);
}

/* Its socket, too, which a connection that failed keeps, and with it the name. */
static void
let_go(VgpuBusName *self)
{
    g_autoptr(GDBusConnection) connection = g_steal_pointer(&self->connection);

    if (!connection)
        return;
    g_signal_handler_disconnect(connection, self->closed);
    if (self->owned)
        g_bus_unown_name(self->owned);
    self->owned = 0;
    self->ops->unexport(connection, self->opaque);
    (void) g_io_stream_close(g_dbus_connection_get_stream(connection), NULL, NULL);
}

static void
on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer opaque)
{
    VgpuBusName *self = opaque;

    (void) connection;
    (void) vanished;
    let_go(self);
    try_later(self, error ? error->message : "it has ended");
}

static void
on_acquired(GDBusConnection *connection, const char *name, gpointer opaque)
{
    VgpuBusName *self = opaque;

    (void) connection;
    if (self->is_told)
        g_message("%s is on the message bus again", name);
    self->is_told = false;
    self->wait_s = RETRY_S;
}

/* The bus gives it to us when its other owner has left. */
static void
on_lost(GDBusConnection *connection, const char *name, gpointer opaque)
{
    (void) opaque;
    if (connection && !g_dbus_connection_is_closed(connection))
        g_warning("%s is taken by another process; virt-vgpu(1) will not reach this one", name);
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection =
        g_dbus_connection_new_for_address_finish(result, &error);
    VgpuBusName *self = opaque;

    (void) source;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) /* @self has been freed */
        return;
    if (!connection || !self->ops->export(connection, self->opaque, &error)) {
        try_later(self, error->message);
        return;
    }
    self->connection = g_steal_pointer(&connection);
    self->closed = g_signal_connect(self->connection, "closed", G_CALLBACK(on_closed), self);
    if (g_dbus_connection_is_closed(self->connection)) { /* before it could tell */
        on_closed(self->connection, TRUE, NULL, self);
        return;
    }
    self->owned =
        g_bus_own_name_on_connection(self->connection, self->name, G_BUS_NAME_OWNER_FLAGS_NONE,
                                     on_acquired, on_lost, self, NULL);
}

static void
connect_to_bus(VgpuBusName *self)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *address = g_dbus_address_get_for_bus_sync(self->type, NULL, &error);

    if (address)
        g_dbus_connection_new_for_address(address,
                                          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                              G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                          NULL, self->cancellable, on_connected, self);
    else
        try_later(self, error->message);
}

VgpuBusName *
vgpu_bus_name_own(GBusType type, const char *name, const VgpuBusNameOps *ops, gpointer opaque)
{
    VgpuBusName *self = g_new0(VgpuBusName, 1);

    self->type = type;
    self->name = g_strdup(name);
    self->ops = ops;
    self->opaque = opaque;
    self->cancellable = g_cancellable_new();
    self->wait_s = RETRY_S;
    connect_to_bus(self);
    return self;
}

void
vgpu_bus_name_free(VgpuBusName *self)
{
    if (!self)
        return;
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    let_go(self);
    if (self->retry)
        g_source_remove(self->retry);
    g_free(self->name);
    g_free(self);
}
