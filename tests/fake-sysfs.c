/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-sysfs.c: files and links are those of the kernel's ABI documents: Documentation/ABI/testing/sysfs-bus-pci
 * (functions, SR-IOV), Documentation/driver-api/vfio-mediated-device.rst (types and mediated devices), and, of
 * NVIDIA's vendor-specific VFIO, of a listing of an L40S (harvester/pcidevices,
 * pkg/util/gpuhelper/testdata/sys/bus/pci/devices/0000:26:00.4/nvidia). */
#include "fake-sysfs.h"

#include <string.h>

#include "base/pciaddr.h"
#include "scratch.h"

struct FakeSysfs {
    Scratch scratch;
    VgpuSysfs *reader;
};

/* Where a function is: sys/devices/pciDOMAIN:BUS/ADDRESS. */
static char *
device_path(const char *address)
{
    return g_strdup_printf("sys/devices/pci%.*s/%s", (int) (strrchr(address, ':') - address),
                           address, address);
}

static char *
type_path(const char *parent, const char *id)
{
    g_autofree char *device = device_path(parent);

    return g_strdup_printf("%s/mdev_supported_types/%s", device, id);
}

/* A link at @dir/@name to something below sys/, relative as the kernel's are. */
static void
link_below_sys(const FakeSysfs *self, const char *dir, const char *name, const char *target)
{
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *p = strchr(dir, '/'); p; p = strchr(p + 1, '/'))
        g_string_append(text, "../");
    g_string_append(text, target + strlen("sys/"));
    scratch_link(&self->scratch, path, text->str);
}

static void
put(const FakeSysfs *self, const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
    g_autofree char *line = g_strdup_printf("%s\n", text);

    scratch_write(&self->scratch, path, line);
}

static void
put_number(const FakeSysfs *self, const char *dir, const char *name, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);

    put(self, dir, name, text);
}

static char *
get(const FakeSysfs *self, const char *address, const char *name)
{
    g_autofree char *dir = device_path(address);
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
    char *text = vgpu_sysfs_read(self->reader, path, NULL);

    return text ? text : g_strdup("");
}

static bool
have(const FakeSysfs *self, const char *path)
{
    return vgpu_sysfs_exists(self->reader, path);
}

FakeSysfs *
fake_sysfs_new(void)
{
    static const char *const dirs[] = {
        "sys/bus/pci/devices/.",
        "sys/bus/mdev/devices/.",
        "sys/class/mdev_bus/.",
        "dev/vfio/.",
    };
    FakeSysfs *self = g_new0(FakeSysfs, 1);
    g_autoptr(GError) error = NULL;

    self->scratch = scratch_new();
    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = scratch_path(&self->scratch, dirs[i]);

        if (g_mkdir_with_parents(path, 0755) < 0)
            g_error("%s: %m", path);
    }
    self->reader = vgpu_sysfs_new(self->scratch.path, &error);
    if (!self->reader)
        g_error("%s", error->message);
    return self;
}

void
fake_sysfs_free(FakeSysfs *self)
{
    vgpu_sysfs_free(self->reader);
    scratch_clear(&self->scratch);
    g_free(self);
}

const VgpuSysfs *
fake_sysfs_reader(const FakeSysfs *self)
{
    return self->reader;
}

void
fake_gpu_add(FakeSysfs *self, const char *address, const FakeFunction *function)
{
    g_autofree char *dir = device_path(address);

    put(self, dir, "class", function->class);
    put(self, dir, "vendor", function->vendor);
    put(self, dir, "device", function->device);
    if (function->numa)
        put(self, dir, "numa_node", function->numa);
    fake_driver_bind(self, address, function->driver);
    link_below_sys(self, "sys/bus/pci/devices", address, dir);
}

void
fake_driver_bind(FakeSysfs *self, const char *address, const char *driver)
{
    g_autofree char *dir = device_path(address);
    g_autofree char *link = g_strconcat(dir, "/driver", NULL);
    g_autofree char *target = g_strconcat("sys/bus/pci/drivers/", driver, NULL);

    g_autofree char *old = vgpu_sysfs_link_name(self->reader, link);

    if (old)
        scratch_remove(&self->scratch, link);
    if (driver)
        link_below_sys(self, dir, "driver", target);
}

char *
fake_vf_address(const char *first, guint n)
{
    VgpuPciAddr addr;
    guint at;

    if (!vgpu_pciaddr_parse(first, &addr))
        g_error("'%s' is not a PCI address", first);
    at = addr.bus * 256u + addr.slot * 8u + addr.function + n;
    addr.bus = (guint8) (at / 256);
    addr.slot = at / 8 % 32;
    addr.function = at % 8;
    return vgpu_pciaddr_format(&addr);
}

void
fake_vfs_add(FakeSysfs *self, const char *pf, const char *first, guint total, guint enabled)
{
    g_autofree char *pf_dir = device_path(pf);
    g_autofree char *class = get(self, pf, "class");
    g_autofree char *vendor = get(self, pf, "vendor");
    g_autofree char *device = get(self, pf, "device");
    g_autofree char *driver_path = g_strconcat(pf_dir, "/driver", NULL);
    g_autofree char *driver = vgpu_sysfs_link_name(self->reader, driver_path);
    const FakeFunction function = {
        .class = class,
        .vendor = vendor,
        .device = device,
        .driver = driver,
        .numa = "0",
    };

    put_number(self, pf_dir, "sriov_totalvfs", total);
    put_number(self, pf_dir, "sriov_numvfs", enabled);
    for (guint i = 0; i < enabled; i++) {
        g_autofree char *vf = fake_vf_address(first, i);
        g_autofree char *vf_dir = device_path(vf);
        g_autofree char *virtfn = g_strdup_printf("virtfn%u", i);

        fake_gpu_add(self, vf, &function);
        link_below_sys(self, vf_dir, "physfn", pf_dir);
        link_below_sys(self, pf_dir, virtfn, vf_dir);
    }
}

void
fake_type_add(FakeSysfs *self, const char *parent, const char *id, const char *name,
              const char *description, guint available)
{
    g_autofree char *dir = type_path(parent, id);
    g_autofree char *on_bus = g_strconcat("sys/class/mdev_bus/", parent, NULL);

    if (name)
        put(self, dir, "name", name);
    if (description)
        put(self, dir, "description", description);
    put(self, dir, "device_api", "vfio-pci");
    put(self, dir, "create", "");
    put_number(self, dir, "available_instances", available);
    if (!have(self, on_bus)) {
        g_autofree char *device = device_path(parent);

        link_below_sys(self, "sys/class/mdev_bus", parent, device);
    }
}

void
fake_type_set_available(FakeSysfs *self, const char *parent, const char *id, guint available)
{
    g_autofree char *dir = type_path(parent, id);

    put_number(self, dir, "available_instances", available);
}

void
fake_parent_add(FakeSysfs *self, const char *name)
{
    g_autofree char *dir = g_strconcat("sys/devices/virtual/mtty/", name, NULL);

    put(self, dir, "mdev_supported_types/mtty-1/available_instances", "24");
    link_below_sys(self, "sys/class/mdev_bus", name, dir);
}

void
fake_mdev_add(FakeSysfs *self, const char *parent, const char *type, const char *uuid,
              guint iommu_group)
{
    g_autofree char *parent_dir = device_path(parent);
    g_autofree char *dir = g_strdup_printf("%s/%s", parent_dir, uuid);
    g_autofree char *type_dir = type_path(parent, type);
    g_autofree char *group = g_strdup_printf("sys/kernel/iommu_groups/%u", iommu_group);

    put(self, dir, "remove", "");
    link_below_sys(self, dir, "driver", "sys/bus/mdev/drivers/nvidia-vgpu-vfio");
    link_below_sys(self, dir, "mdev_type", type_dir);
    put(self, group, "type", "unknown");
    link_below_sys(self, dir, "iommu_group", group);
    link_below_sys(self, "sys/bus/mdev/devices", uuid, dir);
}

void
fake_mdev_remove(FakeSysfs *self, const char *uuid)
{
    g_autofree char *link = g_strconcat("sys/bus/mdev/devices/", uuid, NULL);
    g_autofree char *parent = vgpu_sysfs_link_parent(self->reader, link);
    g_autofree char *parent_dir = device_path(parent);
    g_autofree char *dir = g_strdup_printf("%s/%s", parent_dir, uuid);

    scratch_remove(&self->scratch, link);
    scratch_remove(&self->scratch, dir);
}

void
fake_vfio_group_add(FakeSysfs *self, guint iommu_group)
{
    g_autofree char *path = g_strdup_printf("dev/vfio/%u", iommu_group);

    scratch_write(&self->scratch, path, "");
}

void
fake_attribute_set(FakeSysfs *self, const char *address, const char *name, const char *text)
{
    g_autofree char *dir = device_path(address);
    g_autofree char *path = g_strdup_printf("%s/%s", dir, name);

    if (text)
        put(self, dir, name, text);
    else
        scratch_remove(&self->scratch, path);
}

void
fake_vendor_set(FakeSysfs *self, const char *vf, const char *rows, guint current)
{
    g_autofree char *list = g_strconcat("ID    : vGPU Name\n", rows, NULL);
    g_autofree char *number = g_strdup_printf("%u", current);

    fake_attribute_set(self, vf, "nvidia/creatable_vgpu_types", rows ? list : "");
    fake_attribute_set(self, vf, "nvidia/current_vgpu_type", number);
}

void
fake_iommu_group_add(FakeSysfs *self, const char *address, guint iommu_group)
{
    g_autofree char *dir = device_path(address);
    g_autofree char *group = g_strdup_printf("sys/kernel/iommu_groups/%u", iommu_group);

    put(self, group, "type", "DMA");
    link_below_sys(self, dir, "iommu_group", group);
}

void
fake_file_set(FakeSysfs *self, const char *path, const char *text)
{
    scratch_write(&self->scratch, path, text);
}

void
fake_link_set(FakeSysfs *self, const char *path, const char *target)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);

    link_below_sys(self, dir, name, target);
}

void
fake_gpu_remove(FakeSysfs *self, const char *address, bool half)
{
    static const char *const links[] = { "sys/bus/pci/devices/", "sys/class/mdev_bus/" };
    g_autofree char *dir = device_path(address);

    for (gsize i = 0; !half && i < G_N_ELEMENTS(links); i++) {
        g_autofree char *link = g_strconcat(links[i], address, NULL);

        if (have(self, link))
            scratch_remove(&self->scratch, link);
    }
    scratch_remove(&self->scratch, dir);
}
