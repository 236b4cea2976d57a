/* A daemon without a GPU: org.virtvgpu.Manager1 on the session bus, with canned answers.
 *
 * How it answers depends on what it is asked: a GPU other than 0000:41:00.0 is not there, the
 * profile "full" has no room, explain is possible unless the XML has the profile "NVIDIA A2-16Q",
 * the domain whose UUID begins with "dddd" may not be injected and one with "eeee" needs nothing.
 * Every call of reconcile emits an event. Ends when its bus does. */
#include <gio/gio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "bus/manager1.h"

#define GPU "0000:41:00.0"
#define VGPU_UUID "11111111-2222-5333-8444-555555555555"

/* one entry with all fields, one with as few as there can be */
#define GPU_FIELDS                                                                               \
    "'address': <'" GPU "'>, 'nodedev': <'pci_0000_41_00_0'>, 'vendor': <'0x10de'>, "            \
    "'product': <'0x25b6'>, 'name': <'NVIDIA A2 with a name that is far too long for a "         \
    "table'>, "                                                                                  \
    "'driver': <'nvidia'>, 'interface': <'mdev'>, 'numa_node': <int32 0>, "                      \
    "'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 2>, 'vgpus': <uint32 1>"
#define GPUS                                                                                     \
    "[{" GPU_FIELDS                                                                              \
    "}, {'address': <'0000:e1:00.0'>, 'interface': <'none'>, 'vgpus': <uint32 0>}]"
#define GPU_INFO                                                                                 \
    "{" GPU_FIELDS ", 'vfs': <[{'address': <'0000:41:00.4'>, 'state': <'used'>, "                \
    "'profile': <'NVIDIA A2-4Q'>, 'uuid': <'" VGPU_UUID "'>, 'creatable': <@as []>}, "           \
    "{'address': <'0000:41:00.5'>, 'state': <'free'>, "                                          \
    "'creatable': <['NVIDIA A2-4Q', 'NVIDIA A2-8Q']>}]>}"
#define PROFILES                                                                                 \
    "[{'gpu': <'" GPU "'>, 'id': <'nvidia-746'>, 'name': <'NVIDIA A2-4Q'>, "                     \
    "'framebuffer_mib': <uint32 4096>, 'num_heads': <uint32 4>, 'frl': <uint32 60>, "            \
    "'max_resolution': <'7680x4320'>, 'max_instances': <uint32 4>, 'available': <uint64 3>, "    \
    "'interface': <'mdev'>}]"
#define VGPU_ACTIVE                                                                              \
    "{'domain': <'web1'>, 'domain_uuid': <'aaaaaaaa-0000-4000-8000-000000000001'>, "             \
    "'index': <uint32 0>, 'uuid': <'" VGPU_UUID "'>, 'gpu': <'" GPU "'>, "                       \
    "'parent': <'0000:41:00.4'>, 'profile': <'NVIDIA A2-4Q'>, 'profile_id': <'nvidia-746'>, "    \
    "'interface': <'mdev'>, 'restart_needed': <false>, 'state': <'active'>}"
#define VGPU_PLANNED                                                                             \
    "{'domain': <'a domain with a very long name that does not fit'>, "                          \
    "'uuid': <'99999999-2222-5333-8444-555555555555'>, "                                         \
    "'profile': <'NVIDIA RTX6000-Ada-24Q'>, 'state': <'planned'>}"
#define EXPLAIN_YES                                                                              \
    "{'possible': <true>, 'plan': <['vGPU 0: NVIDIA A2-4Q on " GPU "']>, "                       \
    "'candidates': <[{'gpu': <'" GPU "'>, 'verdict': <'fits'>, 'reason': <'3 more fit'>}]>}"
#define EXPLAIN_NO                                                                               \
    "{'possible': <false>, 'plan': <@as []>, 'candidates': <[{'gpu': <'" GPU "'>, "              \
    "'verdict': <'no-room'>, 'reason': <'all of the 16 GiB of it are taken by one vGPU of the "  \
    "profile NVIDIA A2-16Q, which belongs to the domain web1'>}]>}"
#define ACTIONS                                                                                  \
    "[{'action': <'remove'>, 'uuid': <'" VGPU_UUID "'>, 'reason': <'its domain is off'>}]"
#define CHECKS                                                                                   \
    "[{'check': <'leaks'>, 'status': <'ok'>, 'detail': <'none'>}, "                              \
    "{'check': <'libvirt'>, 'status': <'warn'>, 'detail': <'not connected'>, "                   \
    "'fix': <'start libvirtd'>}]"
#define EVENT                                                                                    \
    "{'time': <'2026-01-02T03:04:05Z'>, 'event': <'vgpu-removed'>, 'uuid': <'" VGPU_UUID "'>, "  \
    "'reason': <'its domain is off'>, 'duration_ms': <uint32 12>}"

static GVariant *
canned(const char *type, const char *text)
{
    g_autoptr(GError) error = NULL;
    GVariant *value = g_variant_parse(G_VARIANT_TYPE(type), text, NULL, NULL, &error);

    if (!value)
        g_error("%s: %s", text, error->message);
    return value;
}

static void
answer(GDBusMethodInvocation *call, const char *type, const char *text)
{
    g_autoptr(GVariant) value = canned(type, text);

    g_dbus_method_invocation_return_value(call, g_variant_new_tuple(&value, 1));
}

static gboolean
refuse(GDBusMethodInvocation *call, VgpuError code, const char *text)
{
    g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, (int) code, text);
    return TRUE;
}

static gboolean
on_list_gpus(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    answer(call, "aa{sv}", GPUS);
    return TRUE;
}

static gboolean
on_get_gpu(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    if (strcmp(address, GPU) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    answer(call, "a{sv}", GPU_INFO);
    return TRUE;
}

static gboolean
on_list_profiles(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    answer(call, "aa{sv}", *address && strcmp(address, GPU) != 0 ? "[]" : PROFILES);
    return TRUE;
}

static gboolean
on_list_vgpus(VgpuBusManager1 *self, GDBusMethodInvocation *call, gboolean all)
{
    answer(call, "aa{sv}", all ? "[" VGPU_ACTIVE ", " VGPU_PLANNED "]" : "[" VGPU_ACTIVE "]");
    return TRUE;
}

static gboolean
on_explain(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *xml)
{
    answer(call, "a{sv}", strstr(xml, "A2-16Q") ? EXPLAIN_NO : EXPLAIN_YES);
    return TRUE;
}

static gboolean
on_create(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *gpu,
          const char *profile, const char *uuid, gboolean persistent)
{
    g_autofree char *text = NULL;

    if (strcmp(profile, "full") == 0)
        return refuse(call, VGPU_ERROR_NO_CAPACITY, "GPU " GPU ": no room for full");
    text = g_strdup_printf("{'uuid': <'%s'>, 'gpu': <'%s'>, 'parent': <'0000:41:00.5'>, "
                           "'profile': <'%s'>, 'state': <'%s'>}",
                           *uuid ? uuid : VGPU_UUID, gpu, profile,
                           persistent ? "planned" : "active");
    answer(call, "a{sv}", text);
    return TRUE;
}

static gboolean
on_destroy(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *uuid)
{
    if (strcmp(uuid, VGPU_UUID) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such vGPU");
    vgpu_bus_manager1_complete_destroy_vgpu(self, call);
    return TRUE;
}

static gboolean
on_inject(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *uuid)
{
    const char *const changes[] = { "attach vGPU 0 (" VGPU_UUID ")", NULL };

    if (g_str_has_prefix(uuid, "dddd"))
        return refuse(call, VGPU_ERROR_DENIED, "only root may inject");
    vgpu_bus_manager1_complete_inject(self, call,
                                      g_str_has_prefix(uuid, "eeee") ? changes + 1 : changes);
    return TRUE;
}

static gboolean
on_reconcile(VgpuBusManager1 *self, GDBusMethodInvocation *call, gboolean dry_run)
{
    g_autoptr(GVariant) event = canned("a{sv}", EVENT);

    vgpu_bus_manager1_emit_event(self, event);
    answer(call, "aa{sv}", dry_run ? ACTIONS : "[]");
    return TRUE;
}

static gboolean
on_doctor(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    answer(call, "aa{sv}", CHECKS);
    return TRUE;
}

static const struct {
    const char *signal;
    GCallback handler;
} handlers[] = {
    { "handle-list-gpus", G_CALLBACK(on_list_gpus) },
    { "handle-get-gpu", G_CALLBACK(on_get_gpu) },
    { "handle-list-profiles", G_CALLBACK(on_list_profiles) },
    { "handle-list-vgpus", G_CALLBACK(on_list_vgpus) },
    { "handle-explain", G_CALLBACK(on_explain) },
    { "handle-create-vgpu", G_CALLBACK(on_create) },
    { "handle-destroy-vgpu", G_CALLBACK(on_destroy) },
    { "handle-inject", G_CALLBACK(on_inject) },
    { "handle-reconcile", G_CALLBACK(on_reconcile) },
    { "handle-doctor", G_CALLBACK(on_doctor) },
};

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_manager1_skeleton_new();

    (void) vgpu_error_quark(); /* the names of its errors */
    vgpu_bus_manager1_set_version(manager, "9.8.7");
    vgpu_bus_manager1_set_libvirt_connected(manager, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(manager, handlers[i].signal, handlers[i].handler, NULL);
    if (!bus || !g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(manager), bus,
                                                  VGPU_DBUS_PATH, &error)) {
        g_printerr("fake-manager: %s\n", error->message);
        return EXIT_FAILURE;
    }
    g_bus_own_name_on_connection(bus, VGPU_DBUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                 NULL, NULL);
    g_main_loop_run(loop);
    return EXIT_SUCCESS;
}
