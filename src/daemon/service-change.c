/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-change.c: the methods that change vGPUs and domains */
#include "base/blocking.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "daemon/access.h"
#include "daemon/attach-device.h"
#include "daemon/detach-device.h"
#include "daemon/device-options.h"
#include "daemon/follow-definition.h"
#include "daemon/options.h"
#include "daemon/persistent.h"
#include "daemon/report.h"
#include "daemon/service-private.h"
#include "daemon/sweep.h"

/* A creation or removal that this thread waits for. */
typedef struct {
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
change_init(Change *self)
{
    *self = (Change) { 0 };
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
}

static bool
change_wait(Change *self, GError **error)
{
    vgpu_blocking_check("a driver");
    g_mutex_lock(&self->lock);
    while (!self->done)
        g_cond_wait(&self->cond, &self->lock);
    g_mutex_unlock(&self->lock);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    if (self->error)
        g_propagate_error(error, self->error);
    return !self->error;
}

static bool
create(VgpuService *self, const char *gpu, const char *profile, const char *uuid, GError **error)
{
    Change change;
    VgpuTurn *turn;

    change_init(&change);
    turn = vgpu_service_turn(self);
    vgpu_manager_create(self->manager, gpu, profile, uuid, on_change_done, &change);
    vgpu_turn_end(turn);
    return change_wait(&change, error);
}

/* *@persistent: it has not been removed, as libvirt has to do that. */
static bool
destroy(VgpuService *self, const char *uuid, bool *persistent, GError **error)
{
    Change change;
    VgpuTurn *turn;

    change_init(&change);
    turn = vgpu_service_turn(self);
    vgpu_manager_destroy(self->manager, uuid, persistent, on_change_done, &change);
    change.done |= *persistent; /* then nothing is called */
    vgpu_turn_end(turn);
    return change_wait(&change, error);
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

    return vgpu_persistent_define(self->guard, &want, error);
}

static gboolean
on_create_vgpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *gpu_text,
               const char *profile, GVariant *options, gpointer opaque)
{
    static const VgpuOption known[] = { { "uuid", "s" }, { "persistent", "b" }, { 0 } };
    VgpuService *self = opaque;
    g_autofree char *gpu = vgpu_pciaddr_canonical(gpu_text);
    g_autofree char *uuid = NULL;
    const char *uuid_text;
    g_autoptr(GError) error = NULL;
    VgpuTurn *turn;
    GVariant *vgpu;
    bool done;

    if (!gpu)
        return vgpu_service_no_address(call, gpu_text);
    if (!vgpu_options_check(options, "the options", known, &error))
        return vgpu_service_take(call, g_steal_pointer(&error));
    uuid_text = vgpu_options_text(options, "uuid");
    uuid = uuid_text ? vgpu_uuid_canonical(uuid_text) : vgpu_uuid_random();
    if (!uuid)
        return vgpu_service_no_uuid(call, uuid_text);
    done = vgpu_options_flag(options, "persistent")
               ? create_persistent(self, gpu, profile, uuid, &error)
               : create(self, gpu, profile, uuid, &error);
    if (!done)
        return vgpu_service_take(call, g_steal_pointer(&error));
    turn = vgpu_service_turn(self);
    vgpu = vgpu_report_vgpu(self->manager, uuid);
    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_create_vgpu(skeleton, call, vgpu);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_destroy_vgpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = vgpu_uuid_canonical(text);
    g_autoptr(GError) error = NULL;
    bool persistent = false;

    if (!uuid)
        return vgpu_service_no_uuid(call, text);
    if (!destroy(self, uuid, &persistent, &error) ||
        (persistent && !vgpu_persistent_undefine(self->guard, uuid, &error)))
        return vgpu_service_take(call, g_steal_pointer(&error));
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
        return vgpu_service_no_uuid(call, text);
    changes = vgpu_follow_definition_inject(self->guard, uuid, &error);
    if (!changes)
        return vgpu_service_take(call, g_steal_pointer(&error));
    vgpu_bus_manager1_complete_inject(skeleton, call, (const char *const *) changes);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_reconcile(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gboolean dry_run,
             gpointer opaque)
{
    VgpuService *self = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) actions = vgpu_sweep_reconcile(self->guard, dry_run, &error);

    if (!actions)
        return vgpu_service_take(call, g_steal_pointer(&error));
    vgpu_bus_manager1_complete_reconcile(skeleton, call, vgpu_report_actions(actions));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- running domains ---------------------------------------------------------------------- */

static gboolean
on_attach(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
          GVariant *device_dict, GVariant *options, gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *domain = vgpu_uuid_canonical(text);
    g_auto(GStrv) uuids = NULL;
    VgpuAnnotateOptions device;
    GError *error = NULL;
    bool live, config;
    guint caller;
    VgpuTurn *turn;
    GVariant *vgpus;

    if (!domain)
        return vgpu_service_no_uuid(call, text);
    if (!vgpu_device_options_where(options, &live, &config, &error) ||
        !vgpu_device_options(device_dict, &device, &error) ||
        !vgpu_access_uid(call, &caller, &error))
        return vgpu_service_take(call, error);
    uuids = vgpu_attach_device(self->guard, domain, &device, live, config, caller, &error);
    if (!uuids)
        return vgpu_service_take(call, error);
    turn = vgpu_service_turn(self);
    vgpus = vgpu_report_some(self->manager, (const char *const *) uuids);
    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_attach(skeleton, call, vgpus);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_detach(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text, guint index,
          GVariant *options, gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *domain = vgpu_uuid_canonical(text);
    g_auto(GStrv) changes = NULL;
    GError *error = NULL;
    bool live, config;
    guint caller;

    if (!domain)
        return vgpu_service_no_uuid(call, text);
    if (!vgpu_device_options_where(options, &live, &config, &error) ||
        !vgpu_access_uid(call, &caller, &error))
        return vgpu_service_take(call, error);
    changes = vgpu_detach_device(self->guard, domain, index, live, config, caller, &error);
    if (!changes)
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_detach(skeleton, call, (const char *const *) changes);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_changes(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-create-vgpu", G_CALLBACK(on_create_vgpu) },
        { "handle-destroy-vgpu", G_CALLBACK(on_destroy_vgpu) },
        { "handle-inject", G_CALLBACK(on_inject) },
        { "handle-reconcile", G_CALLBACK(on_reconcile) },
        { "handle-attach", G_CALLBACK(on_attach) },
        { "handle-detach", G_CALLBACK(on_detach) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
