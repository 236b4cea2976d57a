/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-annotation.c: the methods about domains and their annotations */
#include "base/uuid.h"
#include "daemon/access.h"
#include "daemon/annotation-change.h"
#include "daemon/device-options.h"
#include "daemon/guard-private.h"
#include "daemon/options.h"
#include "daemon/report-private.h"
#include "daemon/service-private.h"
#include "libvirt/domain-list.h"

static bool
is_known(const VgpuAnnotateOptions *device, gpointer opaque, GError **error)
{
    VgpuService *self = opaque;
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);

    return vgpu_device_options_check(device, vgpu_manager_inventory(self->manager),
                                     vgpu_manager_pools(self->manager), error);
}

static gboolean
change(VgpuService *self, GDBusMethodInvocation *call, const char *domain_uuid,
       const char *element)
{
    g_auto(GStrv) changes = NULL;
    GError *error = NULL;
    guint caller;

    if (vgpu_access_uid(call, &caller, &error))
        changes = vgpu_annotation_change(self->guard, domain_uuid, element, caller, &error);
    if (!changes)
        return vgpu_service_take(call, error);
    g_dbus_method_invocation_return_value(call, g_variant_new("(^as)", changes));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_set_annotation(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                  GVariant *devices, GVariant *options, gpointer opaque)
{
    g_autofree char *domain = vgpu_uuid_canonical(text);
    g_autofree char *element = NULL;
    GError *error = NULL;

    if (!domain)
        return vgpu_service_no_uuid(call, text);
    element = vgpu_device_options_annotation(devices, options, is_known, opaque, &error);
    return element ? change(opaque, call, domain, element) : vgpu_service_take(call, error);
}

static gboolean
on_clear_annotation(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                    GVariant *options, gpointer opaque)
{
    static const VgpuOption none[] = { { 0 } };
    g_autofree char *domain = vgpu_uuid_canonical(text);
    GError *error = NULL;

    if (!domain)
        return vgpu_service_no_uuid(call, text);
    if (!vgpu_options_check(options, "the options", none, &error))
        return vgpu_service_take(call, error);
    return change(opaque, call, domain, NULL);
}

static gboolean
on_explain_devices(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                   GVariant *devices, GVariant *options, gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = vgpu_uuid_canonical(text);
    g_autofree char *element = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    GError *error = NULL;
    guint caller;

    if (!uuid)
        return vgpu_service_no_uuid(call, text);
    element = vgpu_device_options_annotation(devices, options, is_known, opaque, &error);
    if (element && vgpu_access_uid(call, &caller, &error))
        domain = vgpu_annotation_change_preview(self->guard, uuid, element, caller, &error);
    if (!domain)
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_explain_devices(skeleton, call,
                                               vgpu_service_explain(self, domain));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- the list ----------------------------------------------------------------------------- */

/* The UUIDs of the domains that have vGPUs, or ask for some. */
static GHashTable *
annotated_domains(VgpuService *self)
{
    GHashTable *annotated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);
    g_autoptr(GPtrArray) rows = vgpu_manager_list(self->manager, true);
    g_autoptr(GPtrArray) definitions = vgpu_manager_definitions(self->manager);

    for (guint i = 0; i < definitions->len; i++)
        g_hash_table_add(annotated, g_strdup(definitions->pdata[i]));
    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = rows->pdata[i];

        if (row->domain_uuid)
            g_hash_table_add(annotated, g_strdup(row->domain_uuid));
    }
    return annotated;
}

static GPtrArray *
read_list(VgpuService *self, GError **error)
{
    g_autoptr(VgpuQueueJob) job = vgpu_queue_job_begin(self->guard->queue, NULL);
    g_autoptr(virConnect) conn = vgpu_connection_get(self->guard->connection, error);

    return conn ? vgpu_domain_list_read(conn, error) : NULL;
}

static gboolean
on_list_domains(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) domains = read_list(opaque, &error);
    g_autoptr(GHashTable) annotated = domains ? annotated_domains(opaque) : NULL;
    GVariantBuilder list;

    if (!domains)
        return vgpu_service_take(call, error);
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < domains->len; i++) {
        const VgpuDomainListed *domain = domains->pdata[i];
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        vgpu_put_s(&dict, "name", domain->name);
        vgpu_put_s(&dict, "uuid", domain->uuid);
        vgpu_put_b(&dict, "running", domain->running);
        vgpu_put_b(&dict, "persistent", domain->persistent);
        vgpu_put_b(&dict, "annotated", g_hash_table_contains(annotated, domain->uuid));
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    vgpu_bus_manager1_complete_list_domains(skeleton, call, g_variant_builder_end(&list));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_annotations(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-set-annotation", G_CALLBACK(on_set_annotation) },
        { "handle-clear-annotation", G_CALLBACK(on_clear_annotation) },
        { "handle-explain-devices", G_CALLBACK(on_explain_devices) },
        { "handle-list-domains", G_CALLBACK(on_list_domains) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
