/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/migration-here.h"

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/xml.h"
#include "cli/bus.h"
#include "cli/iommufd.h"
#include "libvirt/connection.h"
#include "sysfs/sysfs.h"

static void
put_text(GVariantDict *dict, const char *key, const char *text)
{
    if (text)
        g_variant_dict_insert(dict, key, "s", text);
}

static void
put_version(GVariantDict *dict, const char *key, gulong version)
{
    g_autofree char *text = version ? vgpu_migration_host_version(version) : NULL;

    put_text(dict, key, text);
}

static char *
read_uuid(virConnectPtr conn)
{
    char *text = virConnectGetCapabilities(conn);
    g_autoptr(xmlDoc) doc =
        text ? vgpu_xml_parse(text, strlen(text), "capabilities", NULL) : NULL;

    free(text);
    return doc ? vgpu_xml_text(doc, NULL, "/capabilities/host/uuid") : NULL;
}

static void
put_libvirt(GVariantDict *dict, virConnectPtr conn)
{
    g_autofree char *uuid = read_uuid(conn);
    gulong qemu = 0;

    (void) virConnectGetVersion(conn, &qemu);
    put_text(dict, "uuid", uuid);
    put_version(dict, "libvirt", vgpu_connection_version(conn));
    put_version(dict, "qemu", qemu);
}

static void
put_kernel(GVariantDict *dict, const VgpuSysfs *fs)
{
    g_autofree char *kernel = vgpu_sysfs_read(fs, "proc/sys/kernel/osrelease", NULL);
    VgpuTruth iommufd = vgpu_iommufd_find(fs, kernel);

    put_text(dict, "kernel", kernel);
    if (iommufd != VGPU_TRUTH_UNKNOWN)
        g_variant_dict_insert(dict, "iommufd", "b", iommufd == VGPU_TRUTH_YES);
}

/* Those that make vGPUs, with the version of the driver's module. */
static GVariant *
describe_gpus(VgpuBusManager1 *manager, const VgpuSysfs *fs)
{
    g_autoptr(GVariant) gpus = vgpu_bus_query(manager, "ListGpus", g_variant_new("()"), NULL);
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; gpus && i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        const char *address = NULL, *interface = NULL, *driver = NULL;
        g_autofree char *path = NULL, *version = NULL;
        GVariantDict row;

        if (!g_variant_lookup(gpu, "address", "&s", &address))
            continue;
        (void) !g_variant_lookup(gpu, "interface", "&s", &interface);
        (void) !g_variant_lookup(gpu, "driver", "&s", &driver);
        path = g_strdup_printf("sys/bus/pci/devices/%s/driver/module/version", address);
        version = fs ? vgpu_sysfs_read(fs, path, NULL) : NULL;
        g_variant_dict_init(&row, NULL);
        put_text(&row, "address", address);
        put_text(&row, "interface", interface);
        put_text(&row, "driver", driver);
        put_text(&row, "driver_version", version);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&row));
    }
    return g_variant_builder_end(&rows);
}

GVariant *
vgpu_migration_here_describe(virConnectPtr conn, VgpuBusManager1 *manager, const char *root)
{
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root, NULL);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    put_text(&dict, "version", PACKAGE_VERSION);
    if (conn)
        put_libvirt(&dict, conn);
    if (fs)
        put_kernel(&dict, fs);
    g_variant_dict_insert_value(&dict, "gpus", describe_gpus(manager, fs));
    return g_variant_dict_end(&dict);
}

VgpuMigrationHost *
vgpu_migration_here_read(virConnectPtr conn, VgpuBusManager1 *manager, const char *root)
{
    g_autoptr(GVariant) row =
        g_variant_ref_sink(vgpu_migration_here_describe(conn, manager, root));
    g_autofree char *text = vgpu_table_json_object(vgpu_migration_host_columns, row, false);
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    return vgpu_migration_host_parse(json_node_get_object(node));
}
