/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service.h"

#include "base/error.h"
#include "base/helper.h"
#include "base/names.h"
#include "config.h"
#include "daemon/access.h"
#include "daemon/gate.h"
#include "daemon/service-host.h"
#include "daemon/service-iso.h"
#include "daemon/service-metrics.h"
#include "daemon/service-private.h"

static void
answer_of_objects(VgpuService *self, GDBusMethodInvocation *call)
{
    GError *error = NULL;

    if (vgpu_access_authorize_query(call, &error))
        vgpu_objects_answer(self->objects, call);
    else
        g_dbus_method_invocation_take_error(call, error);
}

/* On a thread of the gate's, so that it may wait for polkit. */
static void
answer(GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;
    GDBusInterfaceVTable *vtable =
        g_dbus_interface_skeleton_get_vtable(G_DBUS_INTERFACE_SKELETON(self->skeleton));
    GError *error = NULL;

    if (vgpu_objects_has(call))
        answer_of_objects(self, call);
    else if (!vgpu_access_authorize(call, vgpu_service_subject, self, &error))
        g_dbus_method_invocation_take_error(call, error);
    else
        vtable->method_call(g_dbus_method_invocation_get_connection(call),
                            g_dbus_method_invocation_get_sender(call),
                            g_dbus_method_invocation_get_object_path(call),
                            g_dbus_method_invocation_get_interface_name(call),
                            g_dbus_method_invocation_get_method_name(call),
                            g_dbus_method_invocation_get_parameters(call), call, self->skeleton);
}

static void
on_call(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
        const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer opaque)
{
    const VgpuService *self = opaque;

    (void) connection;
    (void) sender;
    (void) path;
    (void) interface;
    (void) method;
    (void) parameters;
    vgpu_gate_pass(self->gate, call);
}

static GVariant *
on_get(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
       const char *property, GError **error, gpointer opaque)
{
    const VgpuService *self = opaque;
    GDBusInterfaceVTable *vtable =
        g_dbus_interface_skeleton_get_vtable(G_DBUS_INTERFACE_SKELETON(self->skeleton));

    return vtable->get_property(connection, sender, path, interface, property, error,
                                self->skeleton);
}

/* --- life --------------------------------------------------------------------------------- */

VgpuService *
vgpu_service_new(VgpuWorker *worker, VgpuManager *manager, VgpuGuard *guard, VgpuHostSetup *setup,
                 const VgpuConfig *config)
{
    VgpuService *self = g_new0(VgpuService, 1);

    vgpu_error_register_names();
    self->worker = worker;
    self->manager = manager;
    self->guard = guard;
    self->config = config;
    g_mutex_init(&self->pools_lock);
    g_mutex_init(&self->fleet_lock);
    self->skeleton = vgpu_bus_manager1_skeleton_new();
    vgpu_bus_manager1_set_version(self->skeleton, PACKAGE_VERSION);
    self->gate = vgpu_gate_new(answer, self);
    self->objects = vgpu_objects_new(worker, manager, self->gate);
    vgpu_service_connect_queries(self);
    vgpu_service_connect_changes(self);
    vgpu_service_connect_pools(self);
    vgpu_service_connect_cordons(self);
    vgpu_service_connect_fleet(self);
    vgpu_service_connect_annotations(self);
    vgpu_service_host_connect(self->skeleton, setup);
    vgpu_service_metrics_connect(self->skeleton,
                                 &(VgpuServiceMetricsSource) { worker, manager, setup });
    vgpu_service_iso_connect(self->skeleton, vgpu_helper_path("virt-vgpu-iso"));
    return self;
}

/* Not by the skeleton, which would have the calls answered by threads that it shares with all that GLib does:
 * it only leads a call to its handler here, and knows the properties. */
gboolean
vgpu_service_export(VgpuService *self, GDBusConnection *connection, GError **error)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call, .get_property = on_get };

    vgpu_gate_install(self->gate, connection);
    self->exported = g_dbus_connection_register_object(connection, VGPU_DBUS_PATH,
                                                       vgpu_bus_manager1_interface_info(),
                                                       &vtable, self, NULL, error);
    if (!self->exported || !vgpu_objects_export(self->objects, connection, error)) {
        if (self->exported)
            g_dbus_connection_unregister_object(connection, self->exported);
        vgpu_gate_uninstall(self->gate);
        return FALSE;
    }
    self->connection = g_object_ref(connection);
    return TRUE;
}

void
vgpu_service_unexport(VgpuService *self)
{
    g_autoptr(GDBusConnection) connection = g_steal_pointer(&self->connection);

    if (!connection)
        return;
    vgpu_objects_unexport(self->objects);
    g_dbus_connection_unregister_object(connection, self->exported);
    vgpu_gate_uninstall(self->gate);
}

typedef struct {
    VgpuService *service;
    GVariant *event;
} Event;

static void
emit_signal(const VgpuService *self, const char *interface, const char *name,
            GVariant *parameters)
{
    if (self->connection)
        (void) g_dbus_connection_emit_signal(self->connection, NULL, VGPU_DBUS_PATH, interface,
                                             name, parameters, NULL);
    else
        g_variant_unref(g_variant_ref_sink(parameters));
}

static void
set_connected(const VgpuService *self, gboolean is_connected)
{
    if (vgpu_bus_manager1_get_libvirt_connected(self->skeleton) == is_connected)
        return;
    vgpu_bus_manager1_set_libvirt_connected(self->skeleton, is_connected);
    emit_signal(self, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                g_variant_new_parsed("(%s, {'LibvirtConnected': <%b>}, @as [])", VGPU_DBUS_NAME,
                                     is_connected));
}

/* On the main thread: properties and signals are its business. */
static gboolean
emit(gpointer data)
{
    const Event *event = data;
    const char *name = NULL;

    (void) g_variant_lookup(event->event, "event", "&s", &name);
    if (g_strcmp0(name, "libvirt-connected") == 0)
        set_connected(event->service, TRUE);
    else if (g_strcmp0(name, "libvirt-disconnected") == 0)
        set_connected(event->service, FALSE);
    emit_signal(event->service, VGPU_DBUS_NAME, "Event", g_variant_new("(@a{sv})", event->event));
    return G_SOURCE_REMOVE;
}

static void
event_free(gpointer data)
{
    Event *event = data;

    g_variant_unref(event->event);
    g_free(event);
}

void
vgpu_service_event(VgpuService *self, GVariant *variant)
{
    Event *event = g_new0(Event, 1);

    event->service = self;
    event->event = g_variant_ref_sink(variant);
    g_idle_add_full(G_PRIORITY_DEFAULT, emit, event, event_free);
}
