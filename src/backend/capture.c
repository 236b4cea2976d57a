/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/capture.h"

#include <string.h>

#include "base/names.h"
#include "base/uuid.h"

#define NODES "sys/devices/system/node"
#define GROUPS "sys/kernel/iommu_groups"
#define DRIVERS "sys/bus/pci/drivers"

typedef struct {
    const VgpuSysfs *sysfs;
    GVariantBuilder files, links, unreadable;
} Capture;

static void
begin(Capture *self, const VgpuSysfs *sysfs)
{
    self->sysfs = sysfs;
    g_variant_builder_init(&self->files, G_VARIANT_TYPE("a(ss)"));
    g_variant_builder_init(&self->links, G_VARIANT_TYPE("a(ss)"));
    g_variant_builder_init(&self->unreadable, G_VARIANT_TYPE("a(ss)"));
}

static GVariant *
end(Capture *self)
{
    return g_variant_new("(@a(ss)@a(ss)@a(ss))", g_variant_builder_end(&self->files),
                         g_variant_builder_end(&self->links),
                         g_variant_builder_end(&self->unreadable));
}

/* Add the file at @path, or the reason why it cannot be read; a missing file is left out. */
static void
add_file(Capture *self, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;

    if (vgpu_sysfs_is_missing(self->sysfs, path))
        return;
    text = vgpu_sysfs_read(self->sysfs, path, &error);
    valid = g_utf8_make_valid(text ? text : error->message, -1);
    g_variant_builder_add(text ? &self->files : &self->unreadable, "(ss)", path, valid);
}

static void
add_files(Capture *self, const char *dir, const char *const *names)
{
    for (; *names; names++) {
        g_autofree char *path = g_strdup_printf("%s/%s", dir, *names);

        add_file(self, path);
    }
}

/* Add the link @name in @dir, as one to the entry of @target with the name that it really points to. */
static void
add_link(Capture *self, const char *dir, const char *name, const char *target)
{
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
    g_autofree char *to = vgpu_sysfs_link_name(self->sysfs, path);
    g_autofree char *full = to ? g_strdup_printf("%s/%s", target, to) : NULL;

    if (full && g_utf8_validate(full, -1, NULL))
        g_variant_builder_add(&self->links, "(ss)", path, full);
}

/* Add the files @names of each directory in @dir; @below: "", or the subdirectory that has them. */
static void
add_each(Capture *self, const char *dir, const char *below, const char *const *names)
{
    g_autoptr(GPtrArray) found = vgpu_sysfs_list(self->sysfs, dir);

    for (guint i = 0; i < found->len; i++) {
        const char *name = found->pdata[i];
        g_autofree char *path = g_strdup_printf("%s/%s%s", dir, name, below);

        if (g_utf8_validate(name, -1, NULL))
            add_files(self, path, names);
    }
}

/* kernel: Documentation/driver-api/vfio-mediated-device.rst; `create` is write-only. */
static void
add_types(Capture *self, const char *dir, const char *address)
{
    static const char *const attributes[] = { "available_instances", "description", "device_api",
                                              "name", NULL };
    g_autofree char *types = g_strconcat(dir, "/mdev_supported_types", NULL);
    g_autofree char *on_bus = g_strconcat(VGPU_SYS_MDEV_BUS "/", address, NULL);

    add_each(self, types, "", attributes);
    if (vgpu_sysfs_exists(self->sysfs, on_bus))
        g_variant_builder_add(&self->links, "(ss)", on_bus, dir);
}

/* NVIDIA's: README-vendor-vfio.md, README-mdev.md. `vm_name` is left out, because it names a guest. */
static void
add_vendor_files(Capture *self, const char *dir)
{
    static const char *const attributes[] = { "creatable_vgpu_types", "current_vgpu_type",
                                              "gpu_instance_id",      "placement_id",
                                              "vgpu_params",          NULL };
    g_autofree char *vendor = g_strconcat(dir, "/nvidia", NULL);

    add_files(self, vendor, attributes);
}

static void
add_mdevs(Capture *self, const char *dir)
{
    g_autofree char *types = g_strconcat(dir, "/mdev_supported_types", NULL);
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->sysfs, dir);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *uuid = vgpu_uuid_canonical(name);
        g_autofree char *device = g_strdup_printf("%s/%s", dir, name);
        g_autofree char *on_bus = g_strconcat(VGPU_SYS_MDEV_DEVICES "/", name, NULL);

        if (!uuid)
            continue;
        g_variant_builder_add(&self->links, "(ss)", on_bus, device);
        add_link(self, device, "mdev_type", types);
        add_link(self, device, "iommu_group", GROUPS);
        add_vendor_files(self, device);
    }
}

static void
add_driver(Capture *self, const char *dir)
{
    g_autofree char *link = g_strconcat(dir, "/driver", NULL);
    g_autofree char *name = vgpu_sysfs_link_name(self->sysfs, link);
    g_autofree char *version = name ? g_strdup_printf(DRIVERS "/%s/module/version", name) : NULL;

    add_link(self, dir, "driver", DRIVERS);
    if (version && g_utf8_validate(version, -1, NULL))
        add_file(self, version);
}

static void
add_vf_links(Capture *self, const char *dir)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->sysfs, dir);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];

        if (g_str_has_prefix(name, "virtfn") && g_ascii_isdigit(name[strlen("virtfn")]))
            add_link(self, dir, name, VGPU_SYS_PCI_DEVICES);
    }
}

/* Intel xe: Documentation/ABI/testing/sysfs-driver-intel-xe-sriov. */
static void
add_quotas(Capture *self, const char *dir)
{
    static const char *const attributes[] = { "exec_quantum_ms", "preempt_timeout_us",
                                              "sched_priority", "vram_quota", NULL };
    g_autofree char *admin = g_strconcat(dir, "/sriov_admin", NULL);

    add_each(self, admin, "/profile", attributes);
}

GVariant *
vgpu_capture_function(const VgpuSysfs *sysfs, const char *address)
{
    /* of the PCI core: Documentation/ABI/testing/sysfs-bus-pci */
    static const char *const attributes[] = { "class",
                                              "vendor",
                                              "device",
                                              "subsystem_vendor",
                                              "subsystem_device",
                                              "revision",
                                              "numa_node",
                                              "resource",
                                              "current_link_speed",
                                              "current_link_width",
                                              "sriov_totalvfs",
                                              "sriov_numvfs",
                                              "sriov_offset",
                                              "sriov_stride",
                                              "sriov_vf_device",
                                              "sriov_drivers_autoprobe",
                                              NULL };
    g_autofree char *dir = g_strconcat(VGPU_SYS_PCI_DEVICES "/", address, NULL);
    Capture self;

    begin(&self, sysfs);
    add_files(&self, dir, attributes);
    add_driver(&self, dir);
    add_link(&self, dir, "iommu_group", GROUPS);
    add_link(&self, dir, "physfn", VGPU_SYS_PCI_DEVICES);
    add_vf_links(&self, dir);
    add_types(&self, dir, address);
    add_vendor_files(&self, dir);
    add_mdevs(&self, dir);
    add_quotas(&self, dir);
    return end(&self);
}

GVariant *
vgpu_capture_host(const VgpuSysfs *sysfs)
{
    static const char *const modules[] = {
        "amdgpu",           "gim",      "i915", "kvmgt", "mdev", "nvidia",
        "nvidia_vgpu_vfio", "vfio_pci", "xe",   NULL
    };
    static const char *const cpus[] = { "cpulist", NULL };
    static const char *const gim[] = { "vf_fb", "vf_num", NULL };
    Capture self;

    begin(&self, sysfs);
    add_each(&self, NODES, "", cpus);
    for (const char *const *name = modules; *name; name++) {
        g_autofree char *version = g_strdup_printf("sys/module/%s/version", *name);

        add_file(&self, version);
    }
    add_files(&self, "sys/module/gim/parameters", gim);
    return end(&self);
}
