/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory-cloudstack.c (inventory.h): what the KVM agent of Apache CloudStack (4.21 and later) learns of a host's GPUs
 *
 * In place of its script: scripts/vm/hypervisor/kvm/gpudiscovery.sh, whose names and forms these are (with the keys of a
 * virtual function's profile since apache/cloudstack#11432, and other PCI domains since #12981). LibvirtGpuDef.java makes a
 * hostdev of mdev_uuid, vf_pci_address or pci_address. CloudStack makes no vGPUs: it gives away those that are listed and
 * have no used_by_vm.
 *
 * Two things differ from the script. A GPU that carries vGPUs is never offered as a whole, also while none exists. And
 * virtual functions are listed only where each of them is a device for a guest, not as places for mediated devices. */
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/pciaddr.h"
#include "cli/inventory-private.h"
#include "cli/pci-names.h"

#define NUMA_NODE_NONE (-1)

typedef struct {
    JsonBuilder *out;
    const VgpuHostRows *rows;
    const VgpuInventoryLookup *look_up;
    VgpuPciNames *names;
} Writer;

/* --- members ------------------------------------------------------------------------------ */

static void
put(JsonBuilder *out, const char *key, const char *value)
{
    json_builder_set_member_name(out, key);
    json_builder_add_string_value(out, value);
}

static void
put_number(JsonBuilder *out, const char *key, gint64 value)
{
    json_builder_set_member_name(out, key);
    json_builder_add_int_value(out, value);
}

static void
put_null(JsonBuilder *out, const char *key)
{
    json_builder_set_member_name(out, key);
    json_builder_add_null_value(out);
}

/* null: not known. */
static void
put_row_number(JsonBuilder *out, const char *key, GVariant *row, const char *of)
{
    double value;

    if (row && vgpu_gauges_number(row, of, &value))
        put_number(out, key, (gint64) value);
    else
        put_null(out, key);
}

/* What lspci prints: without the domain if that is 0000. */
static const char *
short_address(const char *address)
{
    return g_str_has_prefix(address, "0000:") ? address + strlen("0000:") : address;
}

static void
put_libvirt_address(JsonBuilder *out, const char *address)
{
    VgpuPciAddr parsed = { 0 };
    static const char *const keys[] = { "domain", "bus", "slot", "function" };
    static const int widths[] = { 4, 2, 2, 1 };

    (void) !vgpu_pciaddr_parse(address, &parsed);
    json_builder_set_member_name(out, "libvirt_address");
    json_builder_begin_object(out);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const guint parts[] = { parsed.domain, parsed.bus, parsed.slot, parsed.function };
        g_autofree char *text = g_strdup_printf("0x%0*x", widths[i], parts[i]);

        put(out, keys[i], text);
    }
    json_builder_end_object(out);
}

/* --- who has it --------------------------------------------------------------------------- */

/* The vGPU of a domain on that function, also one that is only planned. NULL: none. */
static GVariant *
find_vgpu(const Writer *self, const char *parent)
{
    for (gsize i = 0; self->rows->vgpus && i < g_variant_n_children(self->rows->vgpus); i++) {
        GVariant *vgpu = g_variant_get_child_value(self->rows->vgpus, i);

        if (g_str_equal(vgpu_inventory_text(vgpu, "parent"), parent) &&
            *vgpu_inventory_text(vgpu, "domain"))
            return vgpu;
        g_variant_unref(vgpu);
    }
    return NULL;
}

/* @device: as libvirt names it; @vgpu NULL: there is none. */
static void
put_user(const Writer *self, const char *device, GVariant *vgpu)
{
    const char *user = vgpu ? vgpu_inventory_text(vgpu, "domain") : "";

    if (!*user)
        user = self->look_up->user(device, self->look_up->opaque);
    if (user && *user)
        put(self->out, "used_by_vm", user);
    else
        put_null(self->out, "used_by_vm");
}

/* --- vGPUs -------------------------------------------------------------------------------- */

/* The caller's reference; NULL: not known. */
static GVariant *
find_profile(GVariant *gpu, const char *key, const char *value)
{
    g_autoptr(GVariant) profiles =
        g_variant_lookup_value(gpu, "profiles", G_VARIANT_TYPE("aa{sv}"));

    for (gsize i = 0; profiles && *value && i < g_variant_n_children(profiles); i++) {
        GVariant *profile = g_variant_get_child_value(profiles, i);

        if (g_str_equal(vgpu_inventory_text(profile, key), value))
            return profile;
        g_variant_unref(profile);
    }
    return NULL;
}

/* @profile NULL: not known, or that of a GPU, which has none. */
static void
put_properties(JsonBuilder *out, GVariant *profile)
{
    g_auto(GStrv) size =
        g_strsplit(profile ? vgpu_inventory_text(profile, "max_resolution") : "", "x", 2);
    bool has_size = g_strv_length(size) == 2;

    put_row_number(out, "max_instances", profile, "max_instances");
    put_row_number(out, "video_ram", profile, "framebuffer_mib");
    put_row_number(out, "max_heads", profile, "num_heads");
    if (has_size) {
        put_number(out, "max_resolution_x", atoi(size[0]));
        put_number(out, "max_resolution_y", atoi(size[1]));
    } else {
        put_null(out, "max_resolution_x");
        put_null(out, "max_resolution_y");
    }
}

static bool
exists(GVariant *vgpu)
{
    static const char *const not_there[] = { "planned", "saved", "failed", NULL };

    return !g_strv_contains(not_there, vgpu_inventory_text(vgpu, "state"));
}

static void
put_mdev(const Writer *self, GVariant *gpu, GVariant *vgpu)
{
    g_autoptr(GVariant) profile =
        find_profile(gpu, "id", vgpu_inventory_text(vgpu, "profile_id"));
    const char *uuid = vgpu_inventory_text(vgpu, "uuid");

    json_builder_begin_object(self->out);
    put(self->out, "mdev_uuid", uuid);
    put(self->out, "profile_name",
        vgpu_inventory_text(profile ? profile : vgpu, profile ? "name" : "profile_id"));
    put_properties(self->out, profile);
    put_libvirt_address(self->out, vgpu_inventory_text(vgpu, "parent"));
    put_user(self, uuid, vgpu);
    json_builder_end_object(self->out);
}

static void
put_mdevs(const Writer *self, GVariant *gpu)
{
    GVariant *vgpus = self->rows->vgpus;

    json_builder_set_member_name(self->out, "vgpu_instances");
    json_builder_begin_array(self->out);
    for (gsize i = 0; vgpus && i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        if (g_str_equal(vgpu_inventory_text(vgpu, "gpu"), vgpu_inventory_text(gpu, "address")) &&
            g_str_equal(vgpu_inventory_text(vgpu, "interface"), "mdev") && exists(vgpu) &&
            *vgpu_inventory_text(vgpu, "uuid"))
            put_mdev(self, gpu, vgpu);
    }
    json_builder_end_array(self->out);
}

/* A plain VF has the one profile of its GPU in any case; others have the one that was set, "" is none. */
static const char *
profile_name(GVariant *gpu, GVariant *vf)
{
    g_autoptr(GVariant) profiles =
        g_variant_lookup_value(gpu, "profiles", G_VARIANT_TYPE("aa{sv}"));
    g_autoptr(GVariant) first = profiles && g_variant_n_children(profiles)
                                    ? g_variant_get_child_value(profiles, 0)
                                    : NULL;
    const char *name = vgpu_inventory_text(vf, "profile");

    return !*name && first && g_str_equal(vgpu_inventory_text(gpu, "interface"), "vf")
               ? vgpu_inventory_text(first, "name")
               : name;
}

static void
put_vf(const Writer *self, GVariant *gpu, GVariant *vf)
{
    const char *address = vgpu_inventory_text(vf, "address");
    const char *name = profile_name(gpu, vf);
    g_autoptr(GVariant) profile = find_profile(gpu, "name", name);
    g_autoptr(GVariant) vgpu = find_vgpu(self, address);

    json_builder_begin_object(self->out);
    put(self->out, "vf_pci_address", short_address(address));
    put(self->out, "vf_profile", name);
    put_properties(self->out, profile);
    put_libvirt_address(self->out, address);
    put_user(self, address, vgpu);
    json_builder_end_object(self->out);
}

/* Kept from guests: it is not usable, or for the host. */
static bool
is_kept(GVariant *vf)
{
    static const char *const states[] = { "unusable", "host", NULL };

    return g_strv_contains(states, vgpu_inventory_text(vf, "state"));
}

static void
put_vfs(const Writer *self, GVariant *gpu)
{
    g_autoptr(GVariant) vfs = g_variant_lookup_value(gpu, "vfs", G_VARIANT_TYPE("aa{sv}"));
    const char *interface = vgpu_inventory_text(gpu, "interface");
    bool are_devices = g_str_equal(interface, "vendor-vfio") || g_str_equal(interface, "vf");

    json_builder_set_member_name(self->out, "vf_instances");
    json_builder_begin_array(self->out);
    for (gsize i = 0; vfs && are_devices && i < g_variant_n_children(vfs); i++) {
        g_autoptr(GVariant) vf = g_variant_get_child_value(vfs, i);

        if (!is_kept(vf))
            put_vf(self, gpu, vf);
    }
    json_builder_end_array(self->out);
}

/* --- GPUs --------------------------------------------------------------------------------- */

/* "0x10de" without its first two letters. */
static const char *
digits(const char *id)
{
    return g_str_has_prefix(id, "0x") ? id + 2 : id;
}

static void
put_identity(const Writer *self, GVariant *gpu)
{
    const char *address = vgpu_inventory_text(gpu, "address");
    const char *driver = vgpu_inventory_text(gpu, "driver");
    const char *vendor_id = digits(vgpu_inventory_text(gpu, "vendor"));
    VgpuPciIds ids = { "", "", "" };
    g_autofree char *vendor = vgpu_pci_names_vendor(self->names, vendor_id);
    g_autofree char *class = NULL, *class_text = NULL;

    self->look_up->ids(address, &ids, self->look_up->opaque);
    class = vgpu_pci_names_class(self->names, ids.class);
    class_text = *ids.class ? g_strdup_printf("%s [%s]", class, ids.class) : g_strdup("unknown");
    put(self->out, "pci_address", short_address(address));
    put(self->out, "vendor_id", vendor_id);
    put(self->out, "device_id", digits(vgpu_inventory_text(gpu, "product")));
    put(self->out, "vendor", vendor);
    put(self->out, "device", vgpu_inventory_device_name(gpu, vendor));
    put(self->out, "driver", *driver ? driver : "unknown");
    put(self->out, "pci_class", class_text);
}

/* The script has texts here, also for what is not known. */
static void
put_place(const Writer *self, GVariant *gpu)
{
    const char *address = vgpu_inventory_text(gpu, "address");
    g_autofree char *group = self->look_up->iommu_group(address, self->look_up->opaque);
    g_autofree char *root = self->look_up->root(address, self->look_up->opaque);
    double node;

    put(self->out, "iommu_group", group ? group : "null");
    put(self->out, "pci_root", root ? root : address);
    put_number(self->out, "numa_node",
               vgpu_gauges_number(gpu, "numa_node", &node) ? (gint64) node : NUMA_NODE_NONE);
    put_row_number(self->out, "sriov_totalvfs", gpu, "vfs_total");
    put_row_number(self->out, "sriov_numvfs", gpu, "vfs_enabled");
    put_properties(self->out, NULL);
}

/* The script has a number for @enabled. */
static void
put_passthrough(const Writer *self, GVariant *gpu)
{
    const char *address = vgpu_inventory_text(gpu, "address");

    json_builder_set_member_name(self->out, "full_passthrough");
    json_builder_begin_object(self->out);
    put_number(self->out, "enabled", g_str_equal(vgpu_inventory_text(gpu, "interface"), "none"));
    put_libvirt_address(self->out, address);
    put_user(self, address, NULL);
    json_builder_end_object(self->out);
}

char *
vgpu_inventory_cloudstack(const VgpuHostRows *rows, const VgpuInventoryLookup *look_up)
{
    g_autoptr(VgpuPciNames) names = vgpu_pci_names_new();
    g_autoptr(JsonBuilder) out = json_builder_new();
    const Writer self = { out, rows, look_up, names };
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *json = NULL;

    json_builder_begin_object(out);
    json_builder_set_member_name(out, "gpus");
    json_builder_begin_array(out);
    for (gsize i = 0; rows->gpus && i < g_variant_n_children(rows->gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(rows->gpus, i);

        json_builder_begin_object(out);
        put_identity(&self, gpu);
        put_place(&self, gpu);
        put_passthrough(&self, gpu);
        put_mdevs(&self, gpu);
        put_vfs(&self, gpu);
        json_builder_end_object(out);
    }
    json_builder_end_array(out);
    json_builder_end_object(out);
    root = json_builder_get_root(out);
    json = json_to_string(root, TRUE);
    return g_strconcat(json, "\n", NULL);
}
