/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/pciaddr.h"
#include "base/uuid.h"
#include "cli/inventory-private.h"
#include "cli/pci-names.h"

#define SPACE_X500 "6ba7b814-9dad-11d1-80b4-00c04fd430c8" /* RFC 4122, appendix C */
#define VENDOR_NVIDIA "10de"

/* The data besides the rows. */
typedef struct {
    VgpuPciIdsLookup look_up;
    gpointer opaque;
    VgpuPciNames *names;
} Sources;

char *
vgpu_inventory_opennebula_uuid(const char *name)
{
    return vgpu_uuid_from_name(SPACE_X500, name);
}

/* One attribute; quotes and line ends would end it. */
static void
put(GString *out, const char *name, const char *value)
{
    g_autofree char *safe = g_strdelimit(g_strdup(value), "\"\\\n", ' ');

    g_string_append_printf(out, "%s %s = \"%s\"", g_str_has_suffix(out->str, "[") ? "" : ",",
                           name, safe);
}

/* "0x10de" without its first two letters. */
static void
take_id(char into[5], const char *number)
{
    if (!*into && g_str_has_prefix(number, "0x"))
        g_strlcpy(into, number + 2, 5);
}

/* "nvidia-588" as the number that the vendor's file of a VF begins with. */
static const char *
number_of(const char *id)
{
    const char *dash = strrchr(id, '-');

    return dash ? dash + 1 : id;
}

/* Of a mediated device's parent the ids of all types, as its directory has them; of another VF
 * "ID (NAME)" of each that can be made there now. */
static char *
profiles_of(GVariant *gpu, GVariant *vf, bool is_mdev)
{
    g_autoptr(GVariant) profiles =
        g_variant_lookup_value(gpu, "profiles", G_VARIANT_TYPE("aa{sv}"));
    g_autofree const char **creatable = NULL;
    GString *list = g_string_new(NULL);

    if (vf)
        (void) !g_variant_lookup(vf, "creatable", "^a&s", &creatable);
    for (gsize i = 0; profiles && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);
        const char *id = vgpu_inventory_text(profile, "id"),
                   *name = vgpu_inventory_text(profile, "name");

        if (!is_mdev && !(creatable && g_strv_contains(creatable, name)))
            continue;
        if (list->len)
            g_string_append_c(list, ',');
        if (is_mdev)
            g_string_append(list, id);
        else
            g_string_append_printf(list, "%s (%s)", number_of(id), name);
    }
    return g_string_free(list, FALSE);
}

/* The probe puts a colon before the function, too. */
static char *
probe_address(const VgpuPciAddr *addr)
{
    return g_strdup_printf("%04x:%02x:%02x:%x", addr->domain, addr->bus, addr->slot,
                           addr->function);
}

static void
put_address(GString *out, const VgpuPciAddr *addr, GVariant *gpu)
{
    g_autofree char *name = probe_address(addr);
    g_autofree char *full = vgpu_pciaddr_format(addr);
    g_auto(GStrv) parts = g_strsplit_set(full, ":.", -1);
    g_autofree char *number = NULL;
    double node;

    if (vgpu_gauges_number(gpu, "numa_node", &node))
        number = g_strdup_printf("%.0f", node);
    put(out, "ADDRESS", name);
    put(out, "SHORT_ADDRESS", addr->domain ? full : full + strlen("0000:"));
    put(out, "DOMAIN", parts[0]);
    put(out, "BUS", parts[1]);
    put(out, "SLOT", parts[2]);
    put(out, "FUNCTION", parts[3]);
    put(out, "NUMA_NODE", number ? number : "-");
}

static void
put_ids(GString *out, GVariant *gpu, const VgpuPciIds *ids, VgpuPciNames *names)
{
    g_autofree char *vendor = vgpu_pci_names_vendor(names, ids->vendor);
    g_autofree char *class = vgpu_pci_names_class(names, ids->class);
    const char *device = vgpu_inventory_device_name(gpu, vendor);
    g_autofree char *type = g_strjoin(":", ids->vendor, ids->device, ids->class, NULL);
    /* the probe writes the vendor's name before that of an NVIDIA device only */
    g_autofree char *name = g_str_equal(ids->vendor, VENDOR_NVIDIA)
                                ? g_strjoin(" ", vendor, device, NULL)
                                : g_strdup(device);

    put(out, "TYPE", type);
    put(out, "VENDOR", ids->vendor);
    put(out, "VENDOR_NAME", vendor);
    put(out, "DEVICE", ids->device);
    put(out, "DEVICE_NAME", g_strstrip(name));
    put(out, "CLASS", ids->class);
    put(out, "CLASS_NAME", class);
}

/* @vf NULL: the GPU itself carries the vGPUs. */
static void
put_function(GString *out, GVariant *gpu, GVariant *vf, const Sources *from)
{
    const char *address = vgpu_inventory_text(vf ? vf : gpu, "address");
    const char *interface = vgpu_inventory_text(gpu, "interface");
    bool is_mdev = g_str_equal(interface, "mdev");
    VgpuPciIds ids = { "", "", "" };
    VgpuPciAddr addr;

    if (!vgpu_pciaddr_parse(address, &addr))
        return;
    from->look_up(address, &ids, from->opaque);
    take_id(ids.vendor, vgpu_inventory_text(gpu, "vendor"));
    take_id(ids.device, vgpu_inventory_text(gpu, "product"));
    g_string_append(out, "PCI = [");
    put_ids(out, gpu, &ids, from->names);
    put_address(out, &addr, gpu);
    if (is_mdev || g_str_equal(interface, "vendor-vfio")) {
        g_autofree char *name = probe_address(&addr);
        g_autofree char *uuid = vgpu_inventory_opennebula_uuid(name);
        g_autofree char *profiles = profiles_of(gpu, vf, is_mdev);

        put(out, "UUID", uuid);
        put(out, "PROFILES", profiles);
        put(out, "MDEV_MODE", is_mdev ? "legacy" : "nvidia");
    }
    g_string_append(out, " ]\n");
}

static void
put_gpu(GString *out, GVariant *gpu, const Sources *from)
{
    g_autoptr(GVariant) vfs = g_variant_lookup_value(gpu, "vfs", G_VARIANT_TYPE("aa{sv}"));
    bool on_vfs = false;

    if (g_str_equal(vgpu_inventory_text(gpu, "interface"), "none"))
        return;
    for (gsize i = 0; vfs && i < g_variant_n_children(vfs); i++) {
        g_autoptr(GVariant) vf = g_variant_get_child_value(vfs, i);

        if (g_str_equal(vgpu_inventory_text(vf, "state"), "unusable"))
            continue;
        on_vfs = true;
        put_function(out, gpu, vf, from);
    }
    if (!on_vfs && g_str_equal(vgpu_inventory_text(gpu, "interface"), "mdev"))
        put_function(out, gpu, NULL, from);
}

char *
vgpu_inventory_opennebula(const VgpuHostRows *rows, VgpuPciIdsLookup lookup, gpointer opaque)
{
    g_autoptr(VgpuPciNames) names = vgpu_pci_names_new();
    const Sources from = { lookup, opaque, names };
    GString *out = g_string_new(NULL);

    for (gsize i = 0; rows->gpus && i < g_variant_n_children(rows->gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(rows->gpus, i);

        put_gpu(out, gpu, &from);
    }
    return g_string_free(out, FALSE);
}
