#include "backend/scan.h"

#include <string.h>

#include "backend/backend.h"
#include "base/names.h"
#include "base/pciaddr.h"

#define CLASS_DISPLAY 0x03u

static char *
pci_path(const char *address, const char *attribute)
{
    return g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", address, attribute);
}

static char *
read_pci(const VgpuSysfs *sysfs, const char *address, const char *attribute)
{
    g_autofree char *path = pci_path(address, attribute);

    return vgpu_sysfs_read(sysfs, path, NULL);
}

static guint
read_pci_uint(const VgpuSysfs *sysfs, const char *address, const char *attribute)
{
    g_autofree char *path = pci_path(address, attribute);
    guint value = 0;

    return vgpu_sysfs_read_uint(sysfs, path, &value, NULL) ? value : 0;
}

static char *
link_pci(const VgpuSysfs *sysfs, const char *address, const char *link)
{
    g_autofree char *path = pci_path(address, link);

    return vgpu_sysfs_link_name(sysfs, path);
}

/* Those that are PCI functions; other drivers have others ("mtty", "matrix"). */
static GHashTable *
mdev_parents(const VgpuSysfs *sysfs)
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(sysfs, VGPU_SYS_MDEV_BUS);

    for (guint i = 0; i < names->len; i++) {
        char *address = vgpu_pciaddr_canonical(g_ptr_array_index(names, i));

        if (address)
            g_hash_table_add(set, address);
    }
    return set;
}

static void
add_parent(const VgpuSysfs *sysfs, GHashTable *mdev, VgpuGpu *gpu, const char *address,
           bool is_vf)
{
    VgpuParent *parent;

    if (!g_hash_table_contains(mdev, address))
        return;
    parent = vgpu_gpu_add_parent(gpu, address, is_vf);
    parent->driver = link_pci(sysfs, address, "driver");
    gpu->interface = VGPU_INTERFACE_MDEV;
    vgpu_backend_get(VGPU_INTERFACE_MDEV)->read_offers(sysfs, gpu, parent);
}

/* virtfn0, virtfn1, … in the order of their number, which a sorted listing would not give. */
static void
add_vfs(const VgpuSysfs *sysfs, GHashTable *mdev, VgpuGpu *gpu)
{
    gpu->vfs_total = read_pci_uint(sysfs, gpu->address, "sriov_totalvfs");
    gpu->vfs_enabled = read_pci_uint(sysfs, gpu->address, "sriov_numvfs");

    for (guint i = 0; i < gpu->vfs_enabled; i++) {
        g_autofree char *link = g_strdup_printf("virtfn%u", i);
        g_autofree char *vf = link_pci(sysfs, gpu->address, link);

        if (!vf)
            continue;
        g_ptr_array_add(gpu->vfs, g_strdup(vf));
        add_parent(sysfs, mdev, gpu, vf, true);
    }
}

/* NULL when the function is no GPU. Only the class is read of those. */
static VgpuGpu *
scan_function(const VgpuSysfs *sysfs, GHashTable *mdev, const char *address)
{
    bool is_display = read_pci_uint(sysfs, address, "class") >> 16 == CLASS_DISPLAY;
    g_autofree char *physfn = NULL;
    g_autofree char *canonical = NULL;
    g_autofree char *numa = NULL;
    g_autofree char *vendor = NULL;
    VgpuGpu *gpu;

    if (!is_display && !g_hash_table_contains(mdev, address))
        return NULL;
    physfn = link_pci(sysfs, address, "physfn");
    canonical = vgpu_pciaddr_canonical(address);
    vendor = read_pci(sysfs, address, "vendor");
    if (physfn || !canonical || !vendor) /* a function without a vendor has just gone */
        return NULL;

    gpu = vgpu_gpu_new(canonical);
    gpu->vendor_id = g_steal_pointer(&vendor);
    gpu->product_id = read_pci(sysfs, address, "device");
    gpu->driver = link_pci(sysfs, address, "driver");
    numa = read_pci(sysfs, address, "numa_node");
    gpu->numa_node = numa ? (int) g_ascii_strtoll(numa, NULL, 10) : -1;
    add_parent(sysfs, mdev, gpu, address, false);
    add_vfs(sysfs, mdev, gpu);
    return gpu;
}

static void
read_instances(const VgpuSysfs *sysfs, VgpuInventory *inventory)
{
    g_autoptr(GPtrArray) uuids = vgpu_sysfs_list(sysfs, VGPU_SYS_MDEV_DEVICES);
    const VgpuBackend *backend = vgpu_backend_get(VGPU_INTERFACE_MDEV);

    for (guint i = 0; i < uuids->len; i++) {
        VgpuPlace place = { .uuid = g_ptr_array_index(uuids, i) };
        g_auto(VgpuPresence) seen = backend->look(sysfs, &place);
        VgpuGpu *gpu =
            seen.parent ? vgpu_inventory_find_by_function(inventory, seen.parent) : NULL;
        VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, seen.parent) : NULL;

        if (parent)
            vgpu_parent_add_instance(parent, place.uuid, seen.profile_id);
    }
}

VgpuInventory *
vgpu_scan(const VgpuSysfs *sysfs, GHashTable *named)
{
    VgpuInventory *inventory = vgpu_inventory_new();
    g_autoptr(GPtrArray) functions = vgpu_sysfs_list(sysfs, VGPU_SYS_PCI_DEVICES);
    g_autoptr(GHashTable) mdev = mdev_parents(sysfs);

    (void) named;
    for (guint i = 0; i < functions->len; i++) {
        VgpuGpu *gpu = scan_function(sysfs, mdev, g_ptr_array_index(functions, i));

        if (gpu)
            vgpu_inventory_take(inventory, gpu);
    }
    read_instances(sysfs, inventory);
    return inventory;
}

bool
vgpu_scan_is_current(const VgpuSysfs *sysfs, const VgpuInventory *inventory)
{
    g_autoptr(GHashTable) mdev = mdev_parents(sysfs);
    guint known = 0;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; j < gpu->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, j);

            if (!g_hash_table_contains(mdev, parent->address))
                return false;
            known++;
        }
    }
    return known == g_hash_table_size(mdev);
}

static void
refresh_gpu(const VgpuSysfs *sysfs, VgpuGpu *gpu, const char *const *wanted, bool ask_driver)
{
    const VgpuBackend *backend = vgpu_backend_get(gpu->interface);

    for (guint i = 0; backend && i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_ptr_array_set_size(parent->instances, 0);
        if (ask_driver)
            backend->refresh_offers(sysfs, gpu, parent, wanted);
    }
}

void
vgpu_scan_refresh(const VgpuSysfs *sysfs, VgpuInventory *inventory, const char *const *wanted,
                  GHashTable *skip)
{
    for (guint i = 0; i < inventory->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        refresh_gpu(sysfs, gpu, wanted, !skip || !g_hash_table_contains(skip, gpu->address));
    }
    read_instances(sysfs, inventory);
}
