#include "daemon/service.h"

#include "base/error.h"
#include "base/names.h"
#include "config.h"
#include "daemon/access.h"
#include "daemon/service-host.h"
#include "daemon/service-iso.h"
#include "daemon/service-metrics.h"
#include "daemon/service-private.h"

/* On the method's own thread, so that it may wait for polkit. */
static gboolean
on_authorize(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    GError *error = NULL;

    (void) skeleton;
    (void) opaque;
    if (vgpu_access_authorize(call, &error))
        return TRUE;
    g_dbus_method_invocation_take_error(call, error);
    return FALSE;
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
    self->skeleton = vgpu_bus_manager1_skeleton_new();
    vgpu_bus_manager1_set_version(self->skeleton, PACKAGE_VERSION);
    g_dbus_interface_skeleton_set_flags(
        G_DBUS_INTERFACE_SKELETON(self->skeleton),
        G_DBUS_INTERFACE_SKELETON_FLAGS_HANDLE_METHOD_INVOCATIONS_IN_THREAD);
    g_signal_connect(self->skeleton, "g-authorize-method", G_CALLBACK(on_authorize), NULL);
    vgpu_service_connect_queries(self);
    vgpu_service_connect_changes(self);
    vgpu_service_connect_pools(self);
    vgpu_service_host_connect(self->skeleton, setup);
    vgpu_service_metrics_connect(self->skeleton, worker, manager);
    vgpu_service_iso_connect(self->skeleton, VGPU_LIBEXECDIR "/virt-vgpu-iso");
    return self;
}

gboolean
vgpu_service_export(VgpuService *self, GDBusConnection *connection, GError **error)
{
    return g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->skeleton), connection,
                                            VGPU_DBUS_PATH, error);
}

typedef struct {
    VgpuService *service;
    GVariant *event;
} Event;

/* On the main thread: properties and signals are its business. */
static gboolean
emit(gpointer data)
{
    static const struct {
        const char *event;
        void (*emit)(VgpuBusManager1 *skeleton, GVariant *event);
    } signals[] = {
        { "vgpu-created", vgpu_bus_manager1_emit_vgpu_created },
        { "vgpu-removed", vgpu_bus_manager1_emit_vgpu_removed },
        { "start-refused", vgpu_bus_manager1_emit_start_refused },
        { "gpu-appeared", vgpu_bus_manager1_emit_gpu_appeared },
        { "gpu-changed", vgpu_bus_manager1_emit_gpu_changed },
        { "gpu-gone", vgpu_bus_manager1_emit_gpu_gone },
    };
    Event *event = data;
    const char *name = NULL;

    (void) g_variant_lookup(event->event, "event", "&s", &name);
    if (g_strcmp0(name, "libvirt-connected") == 0)
        vgpu_bus_manager1_set_libvirt_connected(event->service->skeleton, TRUE);
    else if (g_strcmp0(name, "libvirt-disconnected") == 0)
        vgpu_bus_manager1_set_libvirt_connected(event->service->skeleton, FALSE);
    vgpu_bus_manager1_emit_event(event->service->skeleton, event->event);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        if (g_strcmp0(name, signals[i].event) == 0)
            signals[i].emit(event->service->skeleton, event->event);
    }
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
