/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-query.c: the methods that only look */
#include <string.h>

#include "base/pciaddr.h"
#include "config.h"
#include "daemon/nodedevs.h"
#include "daemon/report.h"
#include "daemon/service-private.h"
#include "domain/refusals.h"
#include "gpu/difference.h"

/* The search for a place may take seconds, and any user may ask: not on the worker. */
GVariant *
vgpu_service_explain(VgpuService *self, VgpuDomain *domain)
{
    VgpuTurn *turn = vgpu_service_turn(self);
    VgpuManager *copy = vgpu_manager_copy(self->manager, domain);
    GVariant *report;

    vgpu_turn_end(turn);
    report = vgpu_report_explain(copy, domain);
    vgpu_manager_copy_free(copy);
    return report;
}

static gboolean
no_such_gpu(GDBusMethodInvocation *call, const char *address)
{
    return vgpu_service_take(call, g_error_new(VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                                               VGPU_REFUSAL_NO_GPU, address));
}

static gboolean
on_get_state(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;
    bool whole = vgpu_service_may_manage(self, call);
    VgpuTurn *turn = vgpu_service_turn(self);
    g_autoptr(GVariant) things = g_variant_ref_sink(vgpu_report_state(self->manager, whole));
    g_auto(GVariantDict) state = G_VARIANT_DICT_INIT(things);

    vgpu_turn_end(turn);
    g_variant_dict_insert(&state, "version", "s", PACKAGE_VERSION);
    g_variant_dict_insert(&state, "libvirt_connected", "b", vgpu_guard_is_connected(self->guard));
    vgpu_bus_manager1_complete_get_state(skeleton, call, g_variant_dict_end(&state));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_list_gpus(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;
    VgpuTurn *turn = vgpu_service_turn(self);
    GVariant *gpus = vgpu_report_gpus(self->manager);

    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_list_gpus(skeleton, call, gpus);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
           gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    VgpuTurn *turn;
    GVariant *gpu;

    if (!address)
        return vgpu_service_no_address(call, text);
    turn = vgpu_service_turn(self);
    gpu = vgpu_report_gpu(self->manager, address);
    vgpu_turn_end(turn);
    if (!gpu)
        return no_such_gpu(call, address);
    vgpu_bus_manager1_complete_get_gpu(skeleton, call, gpu);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_list_profiles(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                 gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    VgpuTurn *turn;
    GVariant *profiles;

    if (*text && !address)
        return vgpu_service_no_address(call, text);
    turn = vgpu_service_turn(self);
    profiles = vgpu_report_profiles(self->manager, address);
    vgpu_turn_end(turn);
    if (!profiles)
        return no_such_gpu(call, address);
    vgpu_bus_manager1_complete_list_profiles(skeleton, call, profiles);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_list_vgpus(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gboolean all,
              gpointer opaque)
{
    VgpuService *self = opaque;
    VgpuTurn *turn = vgpu_service_turn(self);
    GVariant *vgpus = vgpu_report_vgpus(self->manager, all);

    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_list_vgpus(skeleton, call, vgpus);
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
    vgpu_bus_manager1_complete_explain(skeleton, call, vgpu_service_explain(opaque, domain));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- doctor ------------------------------------------------------------------------------- */

/* libvirt learns about changes from udev, a moment later. */
#define BEHIND_MS 2000
#define NODEDEVS_MS 5000

/* Of VgpuDifference, NULL while libvirt has told nothing. */
static GPtrArray *
compare_views(VgpuService *self)
{
    VgpuTurn *turn = vgpu_service_turn(self);
    const VgpuInventory *libvirt = vgpu_manager_identity(self->manager);
    GPtrArray *differences =
        libvirt ? vgpu_difference_list(libvirt, vgpu_manager_inventory(self->manager)) : NULL;

    vgpu_turn_end(turn);
    return differences;
}

/* Differences are checked once more, against libvirt's next list. */
static VgpuLibvirtView
view_of_libvirt(VgpuService *self)
{
    g_autoptr(GPtrArray) before = compare_views(self);
    VgpuLibvirtView view = { .is_current = true };

    if (before && !before->len) {
        view.differences = g_steal_pointer(&before);
        return view;
    }
    if (before)
        g_usleep(BEHIND_MS * 1000);
    view.is_current = vgpu_nodedevs_reread(self->guard, NODEDEVS_MS);
    view.differences = compare_views(self);
    if (before && view.differences)
        vgpu_difference_keep_lasting(view.differences, before);
    return view;
}

static gboolean
on_doctor(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;
    bool is_connected = vgpu_guard_is_connected(self->guard);
    VgpuLibvirtView view =
        is_connected ? view_of_libvirt(self) : (VgpuLibvirtView) { .differences = NULL };
    VgpuTurn *turn = vgpu_service_turn(self);
    GVariant *report =
        vgpu_report_doctor(self->manager, is_connected ? &view : NULL, self->config);

    vgpu_turn_end(turn);
    g_clear_pointer(&view.differences, g_ptr_array_unref);
    vgpu_bus_manager1_complete_doctor(skeleton, call, report);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_queries(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-get-state", G_CALLBACK(on_get_state) },
        { "handle-list-gpus", G_CALLBACK(on_list_gpus) },
        { "handle-get-gpu", G_CALLBACK(on_get_gpu) },
        { "handle-list-profiles", G_CALLBACK(on_list_profiles) },
        { "handle-list-vgpus", G_CALLBACK(on_list_vgpus) },
        { "handle-explain", G_CALLBACK(on_explain) },
        { "handle-doctor", G_CALLBACK(on_doctor) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
