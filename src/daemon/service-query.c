/* service-query.c: the methods that only look */
#include <string.h>

#include "base/pciaddr.h"
#include "daemon/report.h"
#include "daemon/service-private.h"
#include "daemon/turn.h"

static void
query_gpus(gpointer data)
{
    VgpuQuery *query = data;

    query->result = vgpu_report_gpus(query->service->manager);
}

static void
query_gpu(gpointer data)
{
    VgpuQuery *query = data;

    query->result = vgpu_report_gpu(query->service->manager, query->text);
}

static void
query_profiles(gpointer data)
{
    VgpuQuery *query = data;

    query->result = vgpu_report_profiles(query->service->manager, query->text);
}

static void
query_vgpus(gpointer data)
{
    VgpuQuery *query = data;

    query->result = vgpu_report_vgpus(query->service->manager, query->flag);
}

typedef struct {
    VgpuManager *manager;
    VgpuManager *copy;
} Copy;

static void
make_copy(gpointer data)
{
    Copy *copy = data;

    copy->copy = vgpu_manager_copy(copy->manager);
}

/* The search for a place may take seconds, and anybody may ask: not on the worker. */
static GVariant *
explain(VgpuService *self, VgpuDomain *domain)
{
    Copy copy = { .manager = self->manager };
    GVariant *report;

    vgpu_turn_seen(self->worker, self->manager, 0, make_copy, &copy);
    report = vgpu_report_explain(copy.copy, domain);
    vgpu_manager_copy_free(copy.copy);
    return report;
}

static void
query_doctor(gpointer data)
{
    VgpuQuery *query = data;

    query->result = vgpu_report_doctor(query->service->manager, query->flag,
                                       query->service->config->libvirt_uri);
}

static gboolean
no_such_gpu(GDBusMethodInvocation *call, const char *address)
{
    return vgpu_service_fail(call, VGPU_ERROR_NOT_FOUND, address,
                             "there is no such GPU (see 'virt-vgpu gpu-list')");
}

static gboolean
on_list_gpus(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    vgpu_bus_manager1_complete_list_gpus(skeleton, call,
                                         vgpu_service_ask(opaque, query_gpus, (VgpuQuery) { 0 }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
           gpointer opaque)
{
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    GVariant *gpu;

    if (!address)
        return vgpu_service_no_address(call, text);
    gpu = vgpu_service_ask(opaque, query_gpu, (VgpuQuery) { .text = address });
    if (!gpu)
        return no_such_gpu(call, address);
    vgpu_bus_manager1_complete_get_gpu(skeleton, call, gpu);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_list_profiles(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                 gpointer opaque)
{
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    GVariant *profiles;

    if (*text && !address)
        return vgpu_service_no_address(call, text);
    profiles = vgpu_service_ask(opaque, query_profiles, (VgpuQuery) { .text = address });
    if (!profiles)
        return no_such_gpu(call, address);
    vgpu_bus_manager1_complete_list_profiles(skeleton, call, profiles);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_list_vgpus(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gboolean all,
              gpointer opaque)
{
    vgpu_bus_manager1_complete_list_vgpus(skeleton, call,
                                          vgpu_service_ask(opaque, query_vgpus,
                                                           (VgpuQuery) { .flag = all }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_explain(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *xml,
           gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        return vgpu_service_take(call, g_steal_pointer(&error));
    vgpu_bus_manager1_complete_explain(skeleton, call, explain(opaque, domain));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_doctor(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;

    vgpu_bus_manager1_complete_doctor(
        skeleton, call,
        vgpu_service_ask(self, query_doctor,
                         (VgpuQuery) { .flag = vgpu_guard_is_connected(self->guard) }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_queries(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-list-gpus", G_CALLBACK(on_list_gpus) },
        { "handle-get-gpu", G_CALLBACK(on_get_gpu) },
        { "handle-list-profiles", G_CALLBACK(on_list_profiles) },
        { "handle-list-vgpus", G_CALLBACK(on_list_vgpus) },
        { "handle-explain", G_CALLBACK(on_explain) },
        { "handle-doctor", G_CALLBACK(on_doctor) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
