/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon without a GPU: org.virtvgpu.Manager1 on the session bus, with canned answers.
 *
 * The answer depends on the arguments: GPUs other than 0000:41:00.0 do not exist, the profile
 * "full" has no room, explain says that a start is possible unless the XML has the profile "NVIDIA A2-16Q",
 * injecting the domain whose UUID begins with "dddd" is denied, and one with "eeee" needs no change.
 * Seven virtual functions take more than a second, 13 are refused, MIG profile 99 needs a reset,
 * and a layout with the word "wrong" fails. Attached devices have the profile A2-4Q of the pool
 * design; detaching vGPU 7 is slow, and vGPU 9 cannot be detached. Every call of reconcile emits an event. The method
 * named in the file $FAKE_MANAGER_HANG is not answered; then the file says "hangs". Ends with its bus. */
#include <gio/gio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "bus/manager1.h"
#include "fake-pools.h"

#define GPU "0000:41:00.0"
#define VGPU_UUID "11111111-2222-5333-8444-555555555555"

/* one entry with all fields, one with as few as possible */
#define GPU_FIELDS                                                                               \
    "'address': <'" GPU "'>, 'nodedev': <'pci_0000_41_00_0'>, 'vendor': <'0x10de'>, "            \
    "'product': <'0x25b6'>, 'name': <'NVIDIA A2 with a name that is far too long for a "         \
    "table'>, "                                                                                  \
    "'driver': <'nvidia'>, 'interface': <'mdev'>, 'numa_node': <int32 0>, "                      \
    "'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 2>, 'vgpus': <uint32 1>"
#define GPU_WITHOUT_MIG                                                                          \
    "{'address': <'0000:e1:00.0'>, 'interface': <'none'>, 'vgpus': <uint32 0>, "                 \
    "'cordoned': <{'since': <'2026-01-02T03:04:05Z'>, 'by': <'root'>}>, 'mig': <false>}"
#define GPUS                                                                                     \
    "[{" GPU_FIELDS "}, " GPU_WITHOUT_MIG                                                        \
    ", {'address': <'0000:05:00.0'>, 'vendor': <'0x1a03'>, "                                     \
    "'name': <'ASPEED Graphics Family'>, 'driver': <'ast'>, 'interface': <'none'>, "             \
    "'vgpus': <uint32 0>}]"
#define VFS                                                                                      \
    "[{'address': <'0000:41:00.4'>, 'state': <'used'>, "                                         \
    "'profile': <'NVIDIA A2-4Q'>, 'uuid': <'" VGPU_UUID "'>, 'creatable': <@as []>}, "           \
    "{'address': <'0000:41:00.5'>, 'state': <'free'>, "                                          \
    "'creatable': <['NVIDIA A2-4Q', 'NVIDIA A2-8Q']>}, "                                         \
    "{'address': <'0000:41:00.6'>, 'state': <'used'>}]"
#define PROFILE_A2                                                                               \
    "{'gpu': <'" GPU "'>, 'id': <'nvidia-746'>, 'name': <'NVIDIA A2-4Q'>, "                      \
    "'framebuffer_mib': <uint32 4096>, 'num_heads': <uint32 4>, 'frl': <uint32 60>, "            \
    "'max_resolution': <'7680x4320'>, 'max_instances': <uint32 4>, 'capacity': <uint64 4>, "     \
    "'available': <uint64 3>, "                                                                  \
    "'max_per_domain': <uint32 16>, 'interface': <'mdev'>, 'series': <'Q'>, "                    \
    "'needs_license': <'NVIDIA RTX Virtual Workstation'>, 'purpose': <'virtual workstation'>}"
#define PROFILE_L40S                                                                             \
    "{'gpu': <'0000:61:00.0'>, 'id': <'nvidia-1155'>, 'name': <'NVIDIA L40S-8Q'>, "              \
    "'available': <uint32 2>, 'interface': <'vendor-vfio'>, 'obstacle': <'it is too old'>}"
#define GPU_INSTANCES                                                                            \
    "[{'gi': <uint32 3>, 'profile': <'1g.12gb'>, 'profile_id': <uint32 19>, "                    \
    "'start': <uint32 0>, 'size': <uint32 1>, 'in_use': <true>}]"
#define MIG_INSTANCES                                                                            \
    "[{'mode': <'on'>, 'gi': <uint32 1>, 'profile': <'1g.12gb+me'>, 'profile_id': <uint32 20>, " \
    "'start': <uint32 0>, 'size': <uint32 1>, 'uuid': <'MIG-" VGPU_UUID "'>, "                   \
    "'compute_instances': <[{'ci': <uint32 0>, 'profile': <'1g.12gb+me'>, "                      \
    "'uuid': <'MIG-" VGPU_UUID "'>}]>, 'in_use': <true>}, "                                      \
    "{'gi': <uint32 3>, 'profile': <'1g.12gb'>, 'profile_id': <uint32 19>, "                     \
    "'start': <uint32 1>, 'size': <uint32 1>, 'in_use': <false>}]"
#define GPU_INFO                                                                                 \
    "{" GPU_FIELDS ", 'mig': <true>, 'mixed': <false>, 'passed_through': <false>, "              \
    "'vfs': <" VFS ">, 'gpu_instances': <" GPU_INSTANCES ">, 'profiles': <[" PROFILE_A2 "]>}"
#define PROFILES "[" PROFILE_A2 "]"
#define ALL_PROFILES "[" PROFILE_A2 ", " PROFILE_L40S "]"
#define VGPU_ACTIVE                                                                              \
    "{'domain': <'web1'>, 'domain_uuid': <'aaaaaaaa-0000-4000-8000-000000000001'>, "             \
    "'index': <uint32 0>, 'uuid': <'" VGPU_UUID "'>, 'gpu': <'" GPU "'>, "                       \
    "'parent': <'0000:41:00.4'>, 'profile': <'NVIDIA A2-4Q'>, 'profile_id': <'nvidia-746'>, "    \
    "'interface': <'mdev'>, 'restart_needed': <false>, 'state': <'active'>}"
#define VGPU_PLANNED                                                                             \
    "{'domain': <'a domain with a very long name that does not fit'>, "                          \
    "'uuid': <'99999999-2222-5333-8444-555555555555'>, "                                         \
    "'profile': <'NVIDIA RTX6000-Ada-24Q'>, 'state': <'planned'>}"
#define VGPU_CHANGED                                                                             \
    "{'domain': <'cad1'>, 'index': <uint32 0>, "                                                 \
    "'uuid': <'88888888-2222-5333-8444-555555555555'>, 'profile': <'NVIDIA A2-4Q'>, "            \
    "'pool': <'design'>, 'tenant': <'acme'>, 'restart_needed': <true>, 'state': <'active'>}"
#define VGPU_FOREIGN                                                                             \
    "{'gpu': <'0000:61:00.0'>, 'parent': <'0000:61:00.4'>, 'profile_id': <'nvidia-1155'>, "      \
    "'interface': <'vendor-vfio'>, 'state': <'foreign'>}"
#define STATS                                                                                    \
    "[{'gpu': <'" GPU "'>, 'mdev_uuid': <'" VGPU_UUID "'>, 'framebuffer_used_mib': "             \
    "<uint32 1234>, 'gpu_utilization': <uint32 56>, 'license_state': <'licensed'>, "             \
    "'license_expiry': <'2099-12-24T18:05:00Z'>}]"
#define GPU_STATS                                                                                \
    "[{'gpu': <'" GPU "'>, 'temperature_c': <uint32 45>, 'power_w': <uint32 32>, "               \
    "'fb_used_mib': <uint32 8192>, 'ecc_uncorrected': <uint32 0>, 'health': <'ok'>, "            \
    "'driver_version': <'550.54.16'>}]"
#define MIG_ENGINES                                                                              \
    "'memory_gib': <10.625>, 'sms': <uint32 16>, 'p2p': <false>, 'decoders': <uint32 1>, "       \
    "'encoders': <uint32 0>, 'copy_engines': <uint32 1>}]"
#define MIG_PROFILES                                                                             \
    "[{'mode': <'on'>, 'profile': <'1g.12gb'>, 'id': <uint32 19>, 'free': <uint32 6>, "          \
    "'total': <uint32 7>, " MIG_ENGINES
#define MIG_PROFILES_OFF                                                                         \
    "[{'mode': <'off'>, 'profile': <'1g.5gb'>, 'id': <uint32 19>, 'total': <uint32 "             \
    "7>, " MIG_ENGINES
#define SCHEDULER                                                                                \
    "{'policy': <'%s'>, 'strict': <'default'>, 'timeslice_us': <uint32 2000>, "                  \
    "'supported': <['best-effort', 'equal-share']>, 'modprobe': <'options nvidia "               \
    "NVreg_RegistryDwordsPerDevice=\"pci=" GPU ";RmPVMRL=0x01\"'>, "                             \
    "'note': <'It takes a reload of the driver.'>}"
#define STEPS_WELL                                                                               \
    "[{'gpu': <'" GPU "'>, 'step': <'sriov'>, 'result': <'unchanged'>, 'text': <'16 of 16'>}]"
#define STEPS_BADLY                                                                              \
    "[{'gpu': <'" GPU "'>, 'step': <'sriov'>, 'result': <'failed'>, 'text': <'vGPU " VGPU_UUID   \
    " of domain web1 is in use on it; stop the domain before its virtual functions go'>}]"
#define DIFFERENCE "[{'gpu': <'" GPU "'>, 'what': <'vfs'>, 'wanted': <'16'>, 'actual': <'0'>}]"
#define AVAILABLE                                                                                \
    "{'gpu': <'" GPU "'>, 'id': <'nvidia-746'>, 'name': <'NVIDIA A2-4Q'>, "                      \
    "'available': <uint32 3>}"
#define EXPLAIN_YES                                                                              \
    "{'possible': <true>, 'plan': <['vGPU 0: NVIDIA A2-4Q on " GPU "']>, "                       \
    "'vgpus': <[{'index': <uint32 0>, 'profile': <'NVIDIA A2-4Q'>, 'gpu': <'" GPU "'>, "         \
    "'parent': <'" GPU "'>, 'state': <'planned'>}]>, "                                           \
    "'candidates': <[{'gpu': <'" GPU "'>, 'verdict': <'fits'>, 'reason': <'on 0000:41:00.4'>, "  \
    "'index': <uint32 0>}]>, 'available': <[" AVAILABLE ", {'gpu': <'" GPU "'>, "                \
    "'id': <'nvidia-747'>, 'name': <'NVIDIA A2-8Q'>, 'available': <uint32 1>}, "                 \
    "{'gpu': <'0000:61:00.0'>, 'id': <'nvidia-1155'>, 'name': <'NVIDIA L40S-8Q'>, "              \
    "'available': <uint32 2>}]>}"
#define EXPLAIN_NO                                                                               \
    "{'possible': <false>, 'plan': <@as []>, 'vgpus': <@aa{sv} []>, 'candidates': <[{'gpu': "    \
    "<'" GPU "'>, "                                                                              \
    "'verdict': <'no-room'>, 'reason': <'all of the 16 GiB of it are taken by one vGPU of the "  \
    "profile NVIDIA A2-16Q, which belongs to the domain web1'>}]>, "                             \
    "'reason': <'domain big: NVIDIA A2-16Q: no GPU has room for it; the nearest is " GPU         \
    ", where all of the 16 GiB are taken by web1'>, 'available': <@aa{sv} []>}"
#define EXPLAIN_NONE                                                                             \
    "{'possible': <false>, 'candidates': <[{'gpu': <'" GPU "'>, 'verdict': "                     \
    "<'no-such-profile'>, 'reason': <'it has none of that name'>}]>, "                           \
    "'reason': <'no GPU has that profile'>}"
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

/* One row, or none. */
static void
answer_rows(GDBusMethodInvocation *call, const char *row)
{
    g_autofree char *text = g_strdup_printf("[%s]", row ? row : "");

    answer(call, "aa{sv}", text);
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
    if (strcmp(address, "0000:e1:00.0") == 0) {
        answer(call, "a{sv}", GPU_WITHOUT_MIG);
        return TRUE;
    }
    if (strcmp(address, GPU) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    answer(call, "a{sv}", GPU_INFO);
    return TRUE;
}

static gboolean
on_list_profiles(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    if (strcmp(address, "0000:41:00.4") == 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    answer(call, "aa{sv}",
           !*address                   ? ALL_PROFILES
           : strcmp(address, GPU) == 0 ? PROFILES
                                       : "[]");
    return TRUE;
}

static gboolean
on_list_vgpus(VgpuBusManager1 *self, GDBusMethodInvocation *call, gboolean all)
{
    answer(call, "aa{sv}",
           all ? "[" VGPU_ACTIVE ", " VGPU_CHANGED ", " VGPU_PLANNED ", " VGPU_FOREIGN "]"
               : "[" VGPU_ACTIVE "]");
    return TRUE;
}

static gboolean
on_explain(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *xml)
{
    answer(call, "a{sv}",
           strstr(xml, "A2-16Q")  ? EXPLAIN_NO
           : strstr(xml, "A2-4X") ? EXPLAIN_NONE
                                  : EXPLAIN_YES);
    return TRUE;
}

static bool
has_flag(GVariant *options, const char *key)
{
    gboolean flag = FALSE;

    return g_variant_lookup(options, key, "b", &flag) && flag;
}

static gboolean
on_create(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *gpu,
          const char *profile, GVariant *options)
{
    g_autofree char *text = NULL;
    const char *uuid = VGPU_UUID;

    if (strcmp(profile, "NVIDIA A2-4X") == 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "GPU " GPU " has no profile 'NVIDIA A2-4X'");
    if (strcmp(profile, "full") == 0)
        return refuse(call, VGPU_ERROR_NO_CAPACITY, "GPU " GPU ": no room for full");
    if (strcmp(profile, "crash") == 0)
        _exit(1);
    g_variant_lookup(options, "uuid", "&s", &uuid);
    text = g_strdup_printf("{'uuid': <'%s'>, 'gpu': <'%s'>, 'parent': <'0000:41:00.5'>, "
                           "'profile': <'%s'>, 'state': <'%s'>}",
                           uuid, gpu, profile,
                           has_flag(options, "persistent") ? "planned" : "active");
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

/* --- running domains ---------------------------------------------------------------------- */

/* The row that comes back has in profile_id all that was asked for. */
static gboolean
on_attach(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *uuid, GVariant *device,
          GVariant *options)
{
    g_autoptr(GVariantDict) dict = g_variant_dict_new(device);
    const char *profile = NULL, *pool = NULL;
    g_autofree char *asked = g_variant_print(device, FALSE), *text = NULL;

    g_variant_dict_lookup(dict, "profile", "&s", &profile);
    g_variant_dict_lookup(dict, "pool", "&s", &pool);
    if (g_str_has_prefix(uuid, "dddd"))
        return refuse(call, VGPU_ERROR_DENIED, "access denied: polkit does not authorize Attach");
    if (!(g_dbus_message_get_flags(g_dbus_method_invocation_get_message(call)) &
          G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION))
        return refuse(call, VGPU_ERROR_DENIED, "polkit may not ask for a password");
    if (pool && strcmp(pool, "design") != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "there is no such pool");
    if (profile && !strstr(profile, "A2-4Q"))
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no GPU has that profile");
    text = g_strdup_printf("{'index': <uint32 1>, 'uuid': <'" VGPU_UUID "'>, 'gpu': <'" GPU
                           "'>, 'profile': <'NVIDIA A2-4Q'>, 'profile_id': <\"%s\">, "
                           "'state': <'active'>}",
                           asked);
    answer_rows(call, has_flag(options, "live") ? text : NULL);
    return TRUE;
}

static gboolean
detach_late(gpointer call)
{
    answer(call, "as", "['vGPU 7 unplugged']");
    return G_SOURCE_REMOVE;
}

static gboolean
on_detach(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *uuid, guint index,
          GVariant *options)
{
    g_autofree char *text = g_strdup_printf("['vGPU %u, flags %u']", index,
                                            (has_flag(options, "live") ? 1u : 0u) |
                                                (has_flag(options, "config") ? 2u : 0u));

    if (index == 9)
        return refuse(call, VGPU_ERROR_BUSY, "the guest does not release vGPU 9");
    if (index == 7)
        g_timeout_add(1500, detach_late, call);
    else
        answer(call, "as", text);
    return TRUE;
}

static gboolean
on_get_metrics(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    vgpu_bus_manager1_complete_get_metrics(self, call, "virtvgpu_up 1\n");
    return TRUE;
}

/* --- host set-up -------------------------------------------------------------------------- */

static void
answer_vfs(GDBusMethodInvocation *call, guint vfs)
{
    g_autofree char *text = g_strdup_printf("{'address': <'" GPU "'>, 'vfs_total': <uint32 16>, "
                                            "'vfs_enabled': <uint32 %u>}",
                                            vfs);

    answer(call, "a{sv}", text);
}

static gboolean
answer_late(gpointer call)
{
    answer_vfs(call, 7);
    return G_SOURCE_REMOVE;
}

static gboolean
on_enable(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
          GVariant *options)
{
    guint vfs = 0;

    g_variant_lookup(options, "vfs", "u", &vfs);
    if (strcmp(address, GPU) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    if (vfs > 16)
        return refuse(call, VGPU_ERROR_ARGUMENT, GPU " has 16 virtual functions at most");
    if (vfs == 13)
        return refuse(call, VGPU_ERROR_BUSY, "GPU " GPU " is in use: domain 'web1'");
    if (vfs == 7)
        g_timeout_add(1500, answer_late, call);
    else
        answer_vfs(call, vfs ? vfs : has_flag(options, "persistent") ? 8u : 16u);
    return TRUE;
}

static gboolean
on_cordon(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
          GVariant *options)
{
    g_autofree char *text = NULL;
    const char *reason = "";

    g_variant_lookup(options, "reason", "&s", &reason);

    if (strcmp(address, GPU) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    text = g_strdup_printf("{'address': <'" GPU "'>, 'vgpus': <uint32 1>, 'cordoned': <{'since': "
                           "<'2026-01-02T03:04:05Z'>, 'by': <'root'>%s%s%s}>}",
                           *reason ? ", 'reason': <'" : "", reason, *reason ? "'>" : "");
    answer(call, "a{sv}", text);
    return TRUE;
}

static gboolean
on_uncordon(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    if (strcmp(address, GPU) != 0)
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    vgpu_bus_manager1_complete_uncordon_gpu(self, call);
    return TRUE;
}

static gboolean
on_disable(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
           GVariant *options)
{
    answer_vfs(call, 0);
    return TRUE;
}

static bool
is_known(const char *address)
{
    return strcmp(address, GPU) == 0 || strcmp(address, "0000:e1:00.0") == 0;
}

static gboolean
on_list_mig(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    if (!is_known(address))
        return refuse(call, VGPU_ERROR_NOT_FOUND, "no such GPU");
    answer(call, "aa{sv}", strcmp(address, GPU) == 0 ? MIG_INSTANCES : "[]");
    return TRUE;
}

static gboolean
on_list_mig_profiles(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    answer(call, "aa{sv}",
           strcmp(address, GPU) == 0              ? MIG_PROFILES
           : strcmp(address, "0000:e2:00.0") == 0 ? MIG_PROFILES_OFF
                                                  : "[]");
    return TRUE;
}

static gboolean
on_apply_mig(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
             const char *spec, GVariant *options)
{
    if (strcmp(spec, "99") == 0)
        return refuse(call, VGPU_ERROR_FAILED, "GPU " GPU ": MIG mode: reset required");
    answer(call, "as", strcmp(spec, "19:1") == 0 ? "@as []" : "['created 1g.12gb as 4']");
    return TRUE;
}

static gboolean
on_clear_mig(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
             GVariant *options)
{
    g_autofree char *text = g_variant_print(options, FALSE);
    g_autofree char *lines = g_strdup_printf("['destroyed 3', \"%s\"]", text);

    answer(call, "as", lines);
    return TRUE;
}

static gboolean
on_get_scheduler(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address)
{
    g_autofree char *text = g_strdup_printf(SCHEDULER, "best-effort");

    answer(call, "a{sv}", text);
    return TRUE;
}

/* The policy that comes back is all that was asked for. */
static gboolean
on_set_scheduler(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *address,
                 GVariant *options)
{
    GString *asked = g_string_new(NULL);
    g_autofree char *text = NULL;
    GVariantIter iter;
    const char *key, *value;

    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &value))
        g_string_append_printf(asked, "%s=%s;", key, value);
    text = g_strdup_printf(SCHEDULER, asked->str);
    g_string_free(asked, TRUE);
    answer(call, "a{sv}", text);
    return TRUE;
}

static gboolean
on_apply_host(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *xml)
{
    answer(call, "aa{sv}", strstr(xml, "wrong") ? STEPS_BADLY : STEPS_WELL);
    return TRUE;
}

static gboolean
on_diff_host(VgpuBusManager1 *self, GDBusMethodInvocation *call, const char *xml)
{
    answer(call, "aa{sv}", strstr(xml, "wrong") ? DIFFERENCE : "[]");
    return TRUE;
}

static gboolean
on_export_host(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    vgpu_bus_manager1_complete_export_host(self, call, "<vgpuhost/>");
    return TRUE;
}

static gboolean
on_get_stats(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    answer(call, "aa{sv}", STATS);
    return TRUE;
}

/* FALSE without an answer: the caller waits. */
static gboolean
on_authorize(GDBusInterfaceSkeleton *self, GDBusMethodInvocation *call)
{
    const char *path = g_getenv("FAKE_MANAGER_HANG");
    g_autofree char *method = NULL;

    if (!path || !g_file_get_contents(path, &method, NULL, NULL) ||
        strcmp(method, g_dbus_method_invocation_get_method_name(call)) != 0)
        return TRUE;
    return !g_file_set_contents(path, "hangs", -1, NULL);
}

static gboolean
on_get_gpu_stats(VgpuBusManager1 *self, GDBusMethodInvocation *call)
{
    answer(call, "aa{sv}", GPU_STATS);
    return TRUE;
}

static const struct {
    const char *signal;
    GCallback handler;
} handlers[] = {
    { "g-authorize-method", G_CALLBACK(on_authorize) },
    { "handle-enable-gpu", G_CALLBACK(on_enable) },
    { "handle-cordon-gpu", G_CALLBACK(on_cordon) },
    { "handle-uncordon-gpu", G_CALLBACK(on_uncordon) },
    { "handle-disable-gpu", G_CALLBACK(on_disable) },
    { "handle-list-mig", G_CALLBACK(on_list_mig) },
    { "handle-list-mig-profiles", G_CALLBACK(on_list_mig_profiles) },
    { "handle-apply-mig", G_CALLBACK(on_apply_mig) },
    { "handle-clear-mig", G_CALLBACK(on_clear_mig) },
    { "handle-get-scheduler", G_CALLBACK(on_get_scheduler) },
    { "handle-set-scheduler", G_CALLBACK(on_set_scheduler) },
    { "handle-apply-host", G_CALLBACK(on_apply_host) },
    { "handle-diff-host", G_CALLBACK(on_diff_host) },
    { "handle-export-host", G_CALLBACK(on_export_host) },
    { "handle-get-stats", G_CALLBACK(on_get_stats) },
    { "handle-get-gpu-stats", G_CALLBACK(on_get_gpu_stats) },
    { "handle-get-metrics", G_CALLBACK(on_get_metrics) },
    { "handle-list-gpus", G_CALLBACK(on_list_gpus) },
    { "handle-get-gpu", G_CALLBACK(on_get_gpu) },
    { "handle-list-profiles", G_CALLBACK(on_list_profiles) },
    { "handle-list-vgpus", G_CALLBACK(on_list_vgpus) },
    { "handle-explain", G_CALLBACK(on_explain) },
    { "handle-create-vgpu", G_CALLBACK(on_create) },
    { "handle-destroy-vgpu", G_CALLBACK(on_destroy) },
    { "handle-inject", G_CALLBACK(on_inject) },
    { "handle-attach", G_CALLBACK(on_attach) },
    { "handle-detach", G_CALLBACK(on_detach) },
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

    vgpu_error_register_names();
    vgpu_bus_manager1_set_version(manager, "9.8.7");
    vgpu_bus_manager1_set_libvirt_connected(manager, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(manager, handlers[i].signal, handlers[i].handler, NULL);
    fake_pools_serve(manager);
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
