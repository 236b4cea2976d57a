#include "daemon/service.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "bus/manager1.h"
#include "config.h"
#include "daemon/report.h"
#include "daemon/service-host.h"

struct VgpuService {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuGuard *guard;
    const VgpuConfig *config;
    VgpuBusManager1 *skeleton;
};

/* --- asking the worker -------------------------------------------------------------------- */

typedef struct {
    VgpuService *service;
    const char *text; /* an address or UUID */
    bool flag;
    const VgpuDomain *domain;
    const GPtrArray *actions;
    GVariant *result; /* floating */
} Query;

static void
query_gpus(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_gpus(query->service->manager);
}

static void
query_gpu(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_gpu(query->service->manager, query->text);
}

static void
query_profiles(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_profiles(query->service->manager, query->text);
}

static void
query_vgpus(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_vgpus(query->service->manager, query->flag);
}

static void
query_vgpu(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_vgpu(query->service->manager, query->text);
}

static void
query_explain(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_explain(query->service->manager, query->domain);
}

static void
query_doctor(gpointer data)
{
    Query *query = data;

    query->result = vgpu_report_doctor(query->service->manager, query->flag,
                                       query->service->config->libvirt_uri);
}

static GVariant *
ask(VgpuService *self, void (*func)(gpointer data), Query query)
{
    query.service = self;
    vgpu_worker_call(self->worker, func, &query);
    return query.result;
}

static gboolean
fail(GDBusMethodInvocation *call, VgpuError code, const char *format, const char *what)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, format);

    g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, code, text);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
no_such_gpu(GDBusMethodInvocation *call, const char *address)
{
    return fail(call, VGPU_ERROR_NOT_FOUND, "there is no such GPU (see 'virt-vgpu gpu-list')",
                address);
}

static gboolean
no_address(GDBusMethodInvocation *call, const char *text)
{
    return fail(call, VGPU_ERROR_BAD_REQUEST, "not a PCI address", text);
}

/* --- queries ------------------------------------------------------------------------------ */

static gboolean
on_list_gpus(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    vgpu_bus_manager1_complete_list_gpus(skeleton, call, ask(opaque, query_gpus, (Query) { 0 }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
           gpointer opaque)
{
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    GVariant *gpu;

    if (!address)
        return no_address(call, text);
    gpu = ask(opaque, query_gpu, (Query) { .text = address });
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
        return no_address(call, text);
    profiles = ask(opaque, query_profiles, (Query) { .text = address });
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
                                          ask(opaque, query_vgpus, (Query) { .flag = all }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_explain(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *xml,
           gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain) {
        g_dbus_method_invocation_return_gerror(call, error);
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
    vgpu_bus_manager1_complete_explain(skeleton, call,
                                       ask(opaque, query_explain, (Query) { .domain = domain }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_doctor(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;

    vgpu_bus_manager1_complete_doctor(
        skeleton, call,
        ask(self, query_doctor, (Query) { .flag = vgpu_guard_is_connected(self->guard) }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- changes ------------------------------------------------------------------------------ */

/* A creation or removal that this thread waits for. */
typedef struct {
    VgpuService *service;
    const char *gpu, *profile, *uuid;
    bool persistent;
    GMutex lock;
    GCond cond;
    bool done;
    GError *error;
} Change;

static void
on_change_done(const GError *error, gpointer opaque)
{
    Change *change = opaque;

    g_mutex_lock(&change->lock);
    change->error = error ? g_error_copy(error) : NULL;
    change->done = true;
    g_cond_signal(&change->cond);
    g_mutex_unlock(&change->lock);
}

static void
do_create(gpointer data)
{
    Change *change = data;

    vgpu_manager_create(change->service->manager, change->gpu, change->profile, change->uuid,
                        on_change_done, change);
}

static void
do_destroy(gpointer data)
{
    Change *change = data;

    vgpu_manager_destroy(change->service->manager, change->uuid, &change->persistent,
                         on_change_done, change);
}

static bool
carry_out(VgpuService *self, void (*func)(gpointer data), Change *change, GError **error)
{
    change->service = self;
    g_mutex_init(&change->lock);
    g_cond_init(&change->cond);
    vgpu_worker_call(self->worker, func, change);
    g_mutex_lock(&change->lock);
    while (!change->done && !change->persistent)
        g_cond_wait(&change->cond, &change->lock);
    g_mutex_unlock(&change->lock);
    g_mutex_clear(&change->lock);
    g_cond_clear(&change->cond);
    if (change->error)
        g_propagate_error(error, change->error);
    return !change->error;
}

static bool
create_persistent(VgpuService *self, const char *gpu, const char *profile, const char *uuid,
                  GError **error)
{
    const char *profiles[] = { profile, NULL };
    VgpuWant want = {
        .profiles = (char **) profiles,
        .gpu = (char *) gpu,
        .uuid = (char *) uuid,
        .create_at_define = true,
        .placement = self->config->policy,
    };

    return vgpu_guard_define(self->guard, &want, error);
}

static gboolean
on_create_vgpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *gpu_text,
               const char *profile, const char *uuid_text, gboolean persistent, gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *gpu = vgpu_pciaddr_canonical(gpu_text);
    g_autofree char *uuid = *uuid_text ? vgpu_uuid_canonical(uuid_text) : vgpu_uuid_random();
    g_autoptr(GError) error = NULL;
    Change change = { .gpu = gpu, .profile = profile, .uuid = uuid };
    bool done;

    if (!gpu)
        return no_address(call, gpu_text);
    if (!uuid)
        return fail(call, VGPU_ERROR_BAD_REQUEST, "not a UUID", uuid_text);
    done = persistent ? create_persistent(self, gpu, profile, uuid, &error)
                      : carry_out(self, do_create, &change, &error);
    if (!done) {
        g_dbus_method_invocation_return_gerror(call, error);
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
    vgpu_bus_manager1_complete_create_vgpu(skeleton, call,
                                           ask(self, query_vgpu, (Query) { .text = uuid }));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_destroy_vgpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = vgpu_uuid_canonical(text);
    g_autoptr(GError) error = NULL;
    Change change = { .uuid = uuid };

    if (!uuid)
        return fail(call, VGPU_ERROR_BAD_REQUEST, "not a UUID", text);
    if (!carry_out(self, do_destroy, &change, &error) ||
        (change.persistent && !vgpu_guard_undefine(self->guard, uuid, &error)))
        g_dbus_method_invocation_return_gerror(call, error);
    else
        vgpu_bus_manager1_complete_destroy_vgpu(skeleton, call);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_inject(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
          gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = vgpu_uuid_canonical(text);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) changes = NULL;

    if (!uuid)
        return fail(call, VGPU_ERROR_BAD_REQUEST, "not a UUID", text);
    changes = vgpu_guard_inject(self->guard, uuid, &error);
    if (changes)
        vgpu_bus_manager1_complete_inject(skeleton, call, (const char *const *) changes);
    else
        g_dbus_method_invocation_return_gerror(call, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_reconcile(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gboolean dry_run,
             gpointer opaque)
{
    VgpuService *self = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) actions = vgpu_guard_reconcile(self->guard, dry_run, &error);

    if (actions)
        vgpu_bus_manager1_complete_reconcile(skeleton, call, vgpu_report_actions(actions));
    else
        g_dbus_method_invocation_return_gerror(call, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- who may what ------------------------------------------------------------------------- */

static const char *const queries[] = { "ListGpus",  "GetGpu",  "ListProfiles",
                                       "ListVgpus", "Explain", "Doctor",
                                       NULL };

static bool
uid_of(GDBusMethodInvocation *call, guint *uid)
{
    g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
        g_dbus_method_invocation_get_connection(call), "org.freedesktop.DBus",
        "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser",
        g_variant_new("(s)", g_dbus_method_invocation_get_sender(call)), G_VARIANT_TYPE("(u)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

    if (answer)
        g_variant_get(answer, "(u)", uid);
    return answer != NULL;
}

static gboolean
on_authorize(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    const char *method = g_dbus_method_invocation_get_method_name(call);
    guint uid;

    (void) skeleton;
    (void) opaque;
    if (g_strv_contains(queries, method) || g_strv_contains(vgpu_service_host_queries, method) ||
        (uid_of(call, &uid) && (!uid || uid == geteuid())))
        return TRUE;
    g_dbus_method_invocation_return_error(call, VGPU_ERROR, VGPU_ERROR_DENIED,
                                          "%s is for root only", method);
    return FALSE;
}

/* --- life --------------------------------------------------------------------------------- */

VgpuService *
vgpu_service_new(VgpuWorker *worker, VgpuManager *manager, VgpuGuard *guard, VgpuHostSetup *setup,
                 const VgpuConfig *config)
{
    VgpuService *self = g_new0(VgpuService, 1);
    static const struct {
        const char *signal;
        GCallback callback;
    } methods[] = {
        { "handle-list-gpus", G_CALLBACK(on_list_gpus) },
        { "handle-get-gpu", G_CALLBACK(on_get_gpu) },
        { "handle-list-profiles", G_CALLBACK(on_list_profiles) },
        { "handle-list-vgpus", G_CALLBACK(on_list_vgpus) },
        { "handle-explain", G_CALLBACK(on_explain) },
        { "handle-doctor", G_CALLBACK(on_doctor) },
        { "handle-create-vgpu", G_CALLBACK(on_create_vgpu) },
        { "handle-destroy-vgpu", G_CALLBACK(on_destroy_vgpu) },
        { "handle-inject", G_CALLBACK(on_inject) },
        { "handle-reconcile", G_CALLBACK(on_reconcile) },
        { "g-authorize-method", G_CALLBACK(on_authorize) },
    };

    self->worker = worker;
    self->manager = manager;
    self->guard = guard;
    self->config = config;
    self->skeleton = vgpu_bus_manager1_skeleton_new();
    vgpu_bus_manager1_set_version(self->skeleton, PACKAGE_VERSION);
    g_dbus_interface_skeleton_set_flags(
        G_DBUS_INTERFACE_SKELETON(self->skeleton),
        G_DBUS_INTERFACE_SKELETON_FLAGS_HANDLE_METHOD_INVOCATIONS_IN_THREAD);
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        g_signal_connect(self->skeleton, methods[i].signal, methods[i].callback, self);
    vgpu_service_host_connect(self->skeleton, setup);
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
    Event *event = data;
    const char *name = NULL;

    (void) g_variant_lookup(event->event, "event", "&s", &name);
    if (g_strcmp0(name, "libvirt-connected") == 0)
        vgpu_bus_manager1_set_libvirt_connected(event->service->skeleton, TRUE);
    else if (g_strcmp0(name, "libvirt-disconnected") == 0)
        vgpu_bus_manager1_set_libvirt_connected(event->service->skeleton, FALSE);
    vgpu_bus_manager1_emit_event(event->service->skeleton, event->event);
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
