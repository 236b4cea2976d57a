/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with arbitrary contents of /sys: scan it, send it between processes, capture it, and place vGPUs on it. The
 * input is a list of files: a byte that chooses the name, a byte for the length, then the content. */
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/capture.h"
#include "backend/discovery.h"
#include "backend/drm.h"
#include "backend/scan.h"
#include "gpu/contents.h"

#define PCI "sys/bus/pci/devices/"
#define PF PCI "0000:41:00.0/"
#define VF PCI "0000:41:00.4/"
#define BUS "sys/class/mdev_bus/0000:41:00.0/mdev_supported_types/nvidia-746/"
#define TYPE PF "mdev_supported_types/nvidia-746/"
#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"

static const char *const files[] = {
    PF "class",
    PF "vendor",
    PF "device",
    PF "subsystem_vendor",
    PF "subsystem_device",
    PF "numa_node",
    PF "sriov_totalvfs",
    PF "sriov_numvfs",
    PF "resource",
    PF "mem_info_vram_total",
    TYPE "name",
    TYPE "description",
    TYPE "available_instances",
    TYPE "device_api",
    BUS "name",
    BUS "description",
    BUS "available_instances",
    VF "class",
    VF "vendor",
    VF "device",
    VF "nvidia/creatable_vgpu_types",
    VF "nvidia/current_vgpu_type",
    VF "nvidia/vgpu_params",
    PF "sriov_admin/vf1/profile/vram_quota",
    "sys/module/nvidia/version",
    "sys/devices/system/node/node0/cpulist",
    PCI "0000:c1:00.0/class",
    PCI "0000:c1:00.0/vendor",
    "sys/bus/mdev/devices/" UUID "/name",
    "sys/bus/mdev/devices/" UUID "/nvidia/vgpu_params",
};

static const struct {
    const char *path, *to;
} links[] = {
    { PF "driver", "../../../drivers/nvidia" },
    { PF "virtfn0", "../0000:41:00.4" },
    { PF "virtfn1", "../0000:41:00.5" },
    { VF "physfn", "../0000:41:00.0" },
    { VF "driver", "../../../drivers/nvidia" },
    { "sys/bus/mdev/devices/" UUID "/mdev_type",
      "../../../../devices/pci0000:40/0000:41:00.0/mdev_supported_types/nvidia-746" },
    { "sys/bus/mdev/devices/" UUID "/driver", "../../drivers/vfio_mdev" },
};

static void
make_dir_of(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    (void) g_mkdir_with_parents(dir, 0700);
}

static void
make_links(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *path = fuzz_path(links[i].path);

        make_dir_of(path);
        (void) !symlink(links[i].to, path);
    }
}

static void
make_files(const guint8 *data, gsize size)
{
    while (size > 2) {
        const char *name = files[data[0] % G_N_ELEMENTS(files)];
        gsize len = MIN((gsize) data[1], size - 2);
        g_autofree char *path = fuzz_path(name);

        make_dir_of(path);
        fuzz_write(path, data + 2, len);
        data += 2 + len;
        size -= 2 + len;
    }
}

static void
clear_files(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = fuzz_path(files[i]);

        (void) unlink(path);
    }
}

static void
look(const VgpuSysfs *sysfs, const VgpuBackend *backend, const VgpuPlace *place)
{
    g_auto(VgpuPresence) presence = backend->look(sysfs, place);
    g_autofree char *params = backend->read_params ? backend->read_params(sysfs, place) : NULL;

    FUZZ_CHECK(!presence.unusable || fuzz_is_printable(presence.unusable), "%s",
               presence.unusable);
    FUZZ_CHECK(!params || g_utf8_validate(params, -1, NULL), "%s", params);
}

static void
check_gpu(const VgpuSysfs *sysfs, const VgpuGpu *gpu)
{
    g_autoptr(GVariant) contents = g_variant_ref_sink(vgpu_contents_pack(gpu));

    FUZZ_CHECK(g_variant_is_normal_form(contents), "%s", gpu->address);
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = gpu->parents->pdata[i];
        const VgpuPlace place = { parent->address, "nvidia-746", UUID };
        const VgpuBackend *backend = vgpu_backend_get(gpu->interface);

        if (backend)
            look(sysfs, backend, &place);
        for (guint j = 0; j < parent->offers->len; j++)
            FUZZ_CHECK(((VgpuOffer *) parent->offers->pdata[j])->profile, "%s", parent->address);
    }
}

static void
scan(const VgpuSysfs *sysfs, GHashTable *named)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuInventory) inventory = vgpu_scan(sysfs, named, &error);
    g_autoptr(VgpuInventory) again = NULL;
    g_autoptr(GVariant) nodes =
        g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(us)"), NULL, 0));
    g_autoptr(GVariant) packed = NULL;

    fuzz_outcome(inventory != NULL, error);
    if (!inventory)
        return;
    (void) vgpu_discovery_is_current(sysfs, inventory);
    packed = g_variant_ref_sink(vgpu_contents_pack_discovery(inventory, nodes));
    again = vgpu_contents_unpack_discovery(packed);
    FUZZ_CHECK(again && again->gpus->len == inventory->gpus->len, "what was packed");
    for (guint i = 0; i < inventory->gpus->len; i++)
        check_gpu(sysfs, inventory->gpus->pdata[i]);
}

static void
capture(const VgpuSysfs *sysfs)
{
    g_autoptr(GVariant) function =
        g_variant_ref_sink(vgpu_capture_function(sysfs, "0000:41:00.0"));
    g_autoptr(GVariant) host = g_variant_ref_sink(vgpu_capture_host(sysfs));

    FUZZ_CHECK(g_variant_is_normal_form(function) && g_variant_is_normal_form(host), "a capture");
}

FUZZ_TARGET(sysfs)
{
    static VgpuSysfs *sysfs;
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);

    if (!sysfs) {
        make_links();
        sysfs = vgpu_sysfs_new(fuzz_dir(), NULL);
    }
    if (fuzz_pick(data, size, 2))
        g_hash_table_add(named, (gpointer) "0000:41:00.0");
    make_files(data, size);
    scan(sysfs, named);
    capture(sysfs);
    clear_files();
}
