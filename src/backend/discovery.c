#include "backend/discovery.h"

#include <string.h>

#include "base/names.h"
#include "base/pciaddr.h"

#define CLASS_DISPLAY 0x03u
#define CLASS_ACCELERATOR 0x12u

/* What one look at the host goes by: sets of addresses. */
typedef struct {
    const VgpuSysfs *sysfs;
    GHashTable *mdev;  /* functions that carry mdev types */
    GHashTable *above; /* PFs of those that are VFs */
    GHashTable *named; /* PFs that count whatever their class is; may be NULL */
} Scan;

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

static GHashTable *
pfs_of(const VgpuSysfs *sysfs, GHashTable *functions)
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer address;

    g_hash_table_iter_init(&iter, functions);
    while (g_hash_table_iter_next(&iter, &address, NULL)) {
        char *pf = link_pci(sysfs, address, "physfn");

        if (pf)
            g_hash_table_add(set, pf);
    }
    return set;
}

static bool
is_named(const Scan *scan, const char *address)
{
    return scan->named && g_hash_table_contains(scan->named, address);
}

/* Whether the class says GPU. Compute-only cards of AMD say no more than "accelerator", as do
 * cards of quite another kind; one that AMD's driver for splitting GPUs has taken is a GPU. */
static bool
is_gpu_by_class(const VgpuSysfs *sysfs, const char *address)
{
    guint class = read_pci_uint(sysfs, address, "class") >> 16;
    g_autofree char *driver = NULL;

    if (class != CLASS_ACCELERATOR)
        return class == CLASS_DISPLAY;
    driver = link_pci(sysfs, address, "driver");
    return g_strcmp0(driver, "gim") == 0;
}

static bool
is_vendor_vfio(const VgpuSysfs *sysfs, const char *address)
{
    g_autofree char *path = pci_path(address, "nvidia/creatable_vgpu_types");

    return vgpu_sysfs_exists(sysfs, path);
}

/* What the function itself shows, never what its model is known for. */
static VgpuInterface
detect(const VgpuSysfs *sysfs, GHashTable *mdev, const char *address, bool is_vf, bool is_plain)
{
    if (g_hash_table_contains(mdev, address))
        return VGPU_INTERFACE_MDEV;
    if (is_vf && is_vendor_vfio(sysfs, address))
        return VGPU_INTERFACE_VENDOR_VFIO;
    return is_vf && is_plain ? VGPU_INTERFACE_VF : VGPU_INTERFACE_NONE;
}

static void
add_parent(const VgpuSysfs *sysfs, VgpuInterface interface, VgpuGpu *gpu, const char *address,
           bool is_vf)
{
    /* the functions of one GPU are of one kind */
    if (interface == VGPU_INTERFACE_NONE || (gpu->parents->len && gpu->interface != interface))
        return;
    vgpu_gpu_add_parent(gpu, address, is_vf)->driver = link_pci(sysfs, address, "driver");
    gpu->interface = interface;
}

/* virtfn0, virtfn1, … in the order of their number, which a sorted listing would not give. The
 * links are counted, since to read sriov_numvfs waits for a driver that is being loaded or is
 * busy with enabling them (kernel: drivers/pci/iov.c, sriov_numvfs_show). */
static GPtrArray *
list_vfs(const VgpuSysfs *sysfs, const char *pf, guint total)
{
    GPtrArray *vfs = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < total; i++) {
        g_autofree char *link = g_strdup_printf("virtfn%u", i);
        char *vf = link_pci(sysfs, pf, link);

        if (vf)
            g_ptr_array_add(vfs, vf);
    }
    return vfs;
}

/* Whether the VFs of @gpu are vGPUs as they are. NVIDIA's driver gives a VF that shows none of its
 * own interfaces no share of the GPU. */
static bool
has_plain_vfs(const Scan *scan, const VgpuGpu *gpu, bool by_class)
{
    return g_strcmp0(gpu->driver, "nvidia") != 0 &&
           (is_named(scan, gpu->address) || (by_class && gpu->driver));
}

static void
add_parents(const Scan *scan, VgpuGpu *gpu, bool by_class)
{
    bool is_plain = has_plain_vfs(scan, gpu, by_class);

    add_parent(scan->sysfs, detect(scan->sysfs, scan->mdev, gpu->address, false, is_plain), gpu,
               gpu->address, false);
    for (guint i = 0; i < gpu->vfs->len; i++) {
        const char *vf = g_ptr_array_index(gpu->vfs, i);

        add_parent(scan->sysfs, detect(scan->sysfs, scan->mdev, vf, true, is_plain), gpu, vf,
                   true);
    }
}

/* NULL when the function is no GPU. Only the class is read of those. */
static VgpuGpu *
discover_function(const Scan *scan, const char *address)
{
    const VgpuSysfs *sysfs = scan->sysfs;
    bool by_class = is_gpu_by_class(sysfs, address);
    g_autofree char *physfn = NULL;
    g_autofree char *canonical = NULL;
    g_autofree char *numa = NULL;
    g_autofree char *vendor = NULL;
    VgpuGpu *gpu;

    if (!by_class && !is_named(scan, address) && !g_hash_table_contains(scan->mdev, address) &&
        !g_hash_table_contains(scan->above, address))
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
    gpu->driver_version = read_pci(sysfs, address, "driver/module/version");
    numa = read_pci(sysfs, address, "numa_node");
    gpu->numa_node = numa ? (int) g_ascii_strtoll(numa, NULL, 10) : -1;
    gpu->vfs_total = read_pci_uint(sysfs, address, "sriov_totalvfs");
    g_ptr_array_unref(gpu->vfs);
    gpu->vfs = list_vfs(sysfs, address, gpu->vfs_total);
    gpu->vfs_enabled = gpu->vfs->len;
    gpu->passed_through = vgpu_driver_is_for_guests(gpu->driver);
    if (!gpu->passed_through)
        add_parents(scan, gpu, by_class);
    return gpu;
}

VgpuInventory *
vgpu_discover(const VgpuSysfs *sysfs, GHashTable *named)
{
    VgpuInventory *inventory = vgpu_inventory_new();
    g_autoptr(GPtrArray) functions = vgpu_sysfs_list(sysfs, VGPU_SYS_PCI_DEVICES);
    g_autoptr(GHashTable) mdev = mdev_parents(sysfs);
    g_autoptr(GHashTable) above = pfs_of(sysfs, mdev);
    const Scan scan = { .sysfs = sysfs, .mdev = mdev, .above = above, .named = named };

    for (guint i = 0; i < functions->len; i++) {
        VgpuGpu *gpu = discover_function(&scan, g_ptr_array_index(functions, i));

        if (gpu)
            vgpu_inventory_take(inventory, gpu);
    }
    return inventory;
}

static bool
has_same_vfs(const VgpuSysfs *sysfs, const VgpuGpu *gpu)
{
    g_autoptr(GPtrArray) vfs = list_vfs(sysfs, gpu->address, gpu->vfs_total);

    if (vfs->len != gpu->vfs->len)
        return false;
    for (guint i = 0; i < vfs->len; i++) {
        if (!g_str_equal(g_ptr_array_index(vfs, i), g_ptr_array_index(gpu->vfs, i)))
            return false;
    }
    return true;
}

/* A VF may get its driver, and with it an interface, some time after it has appeared. */
static bool
has_same_interface(const VgpuSysfs *sysfs, GHashTable *mdev, const VgpuGpu *gpu,
                   const char *address, bool is_vf)
{
    bool is_plain = gpu->interface == VGPU_INTERFACE_VF;
    VgpuInterface now = detect(sysfs, mdev, address, is_vf, is_plain);

    return now == (vgpu_gpu_find_parent(gpu, address) ? gpu->interface : VGPU_INTERFACE_NONE);
}

static bool
is_gpu_current(const VgpuSysfs *sysfs, GHashTable *mdev, const VgpuGpu *gpu)
{
    g_autofree char *driver = link_pci(sysfs, gpu->address, "driver");

    if (g_strcmp0(driver, gpu->driver) != 0 || !has_same_vfs(sysfs, gpu))
        return false;
    if (gpu->passed_through)
        return true;
    for (guint i = 0; i < gpu->vfs->len; i++) {
        if (!has_same_interface(sysfs, mdev, gpu, g_ptr_array_index(gpu->vfs, i), true))
            return false;
    }
    return has_same_interface(sysfs, mdev, gpu, gpu->address, false);
}

bool
vgpu_discovery_is_current(const VgpuSysfs *sysfs, const VgpuInventory *inventory)
{
    g_autoptr(GHashTable) mdev = mdev_parents(sysfs);
    guint known = 0;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (!is_gpu_current(sysfs, mdev, gpu))
            return false;
        known += gpu->interface == VGPU_INTERFACE_MDEV ? gpu->parents->len : 0;
    }
    return known == g_hash_table_size(mdev);
}
