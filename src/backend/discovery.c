/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/discovery.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"

#define CLASS_DISPLAY 0x03u
#define CLASS_ACCELERATOR 0x12u

/* The data of one discovery: sets of addresses. */
typedef struct {
    const VgpuSysfs *sysfs;
    GHashTable *mdev;  /* functions that carry mdev types */
    GHashTable *above; /* PFs of those that are VFs */
    GHashTable *named; /* PFs that count regardless of their class; may be NULL */
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

/* *@text is NULL when there is no such attribute. False: it cannot be read. */
static bool
find_pci(const VgpuSysfs *sysfs, const char *address, const char *attribute, char **text,
         GError **error)
{
    g_autofree char *path = pci_path(address, attribute);
    g_autoptr(GError) reason = NULL;

    *text = vgpu_sysfs_read(sysfs, path, &reason);
    if (*text || g_error_matches(reason, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* The same of a number; 0: there is none. */
static bool
find_pci_uint(const VgpuSysfs *sysfs, const char *address, const char *attribute, guint *value,
              GError **error)
{
    g_autofree char *text = NULL;

    *value = 0;
    if (!find_pci(sysfs, address, attribute, &text, error))
        return false;
    if (text)
        *value = (guint) g_ascii_strtoull(text, NULL, g_str_has_prefix(text, "0x") ? 16 : 10);
    return true;
}

static char *
link_pci(const VgpuSysfs *sysfs, const char *address, const char *link)
{
    g_autofree char *path = pci_path(address, link);

    return vgpu_sysfs_link_name(sysfs, path);
}

/* Those that are PCI functions; other drivers have parents of other kinds ("mtty", "matrix"). */
static GHashTable *
mdev_parents(const VgpuSysfs *sysfs, GError **error)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_read_dir(sysfs, VGPU_SYS_MDEV_BUS, error);
    GHashTable *set = NULL;

    if (!names)
        return NULL;
    set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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

/* Whether it is a GPU by its class. Compute-only cards of AMD have the class "accelerator", as have
 * entirely different cards; one that is bound to AMD's virtualization driver is a GPU. */
static bool
is_gpu_by_class(const VgpuSysfs *sysfs, const char *address, guint code)
{
    guint class = code >> 16;
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

/* Decided by the files of the function, never by its model. */
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

/* Both are files of the PCI core (kernel: Documentation/ABI/testing/sysfs-bus-pci). */
static char *
read_subsystem(const VgpuSysfs *sysfs, const char *address)
{
    g_autofree char *vendor = read_pci(sysfs, address, "subsystem_vendor");
    g_autofree char *device = read_pci(sysfs, address, "subsystem_device");

    return vendor && device ? g_strdup_printf("%s:%s", vendor, device) : NULL;
}

static VgpuGpu *
read_gpu(const Scan *scan, const char *address, const char *canonical, const char *vendor,
         guint vfs_total)
{
    const VgpuSysfs *sysfs = scan->sysfs;
    g_autofree char *numa = read_pci(sysfs, address, "numa_node");
    VgpuGpu *gpu = vgpu_gpu_new(canonical);

    gpu->vendor_id = g_strdup(vendor);
    gpu->product_id = read_pci(sysfs, address, "device");
    gpu->subsystem = read_subsystem(sysfs, address);
    gpu->driver = link_pci(sysfs, address, "driver");
    gpu->driver_version = read_pci(sysfs, address, "driver/module/version");
    gpu->numa_node = numa ? (int) g_ascii_strtoll(numa, NULL, 10) : -1;
    gpu->vfs_total = vfs_total;
    g_ptr_array_unref(gpu->vfs);
    gpu->vfs = list_vfs(sysfs, address, vfs_total);
    gpu->vfs_enabled = gpu->vfs->len;
    gpu->passed_through = vgpu_gpu_is_driver_for_guests(gpu->driver);
    return gpu;
}

/* *@gpu is NULL when the function is not a GPU; only its class is read then. False: whether it is one,
 * or its data, cannot be read. */
static bool
discover_function(const Scan *scan, const char *address, VgpuGpu **gpu, GError **error)
{
    const VgpuSysfs *sysfs = scan->sysfs;
    g_autofree char *physfn = NULL;
    g_autofree char *canonical = NULL;
    g_autofree char *vendor = NULL;
    guint class, vfs_total;
    bool by_class;

    *gpu = NULL;
    if (!find_pci_uint(sysfs, address, "class", &class, error))
        return false;
    by_class = is_gpu_by_class(sysfs, address, class);
    if (!by_class && !is_named(scan, address) && !g_hash_table_contains(scan->mdev, address) &&
        !g_hash_table_contains(scan->above, address))
        return true;
    if (!find_pci(sysfs, address, "vendor", &vendor, error) ||
        !find_pci_uint(sysfs, address, "sriov_totalvfs", &vfs_total, error))
        return false;
    physfn = link_pci(sysfs, address, "physfn");
    canonical = vgpu_pciaddr_canonical(address);
    if (physfn || !canonical || !vendor) /* a function without a vendor has just gone */
        return true;
    *gpu = read_gpu(scan, address, canonical, vendor, MIN(vfs_total, VGPU_GPU_VFS_MAX));
    if (!(*gpu)->passed_through)
        add_parents(scan, *gpu, by_class);
    return true;
}

static bool
discover_functions(const Scan *scan, const GPtrArray *functions, VgpuInventory *inventory,
                   GError **error)
{
    for (guint i = 0; i < functions->len; i++) {
        VgpuGpu *gpu;

        if (!discover_function(scan, g_ptr_array_index(functions, i), &gpu, error))
            return false;
        if (gpu)
            vgpu_inventory_take(inventory, gpu);
    }
    return true;
}

VgpuInventory *
vgpu_discovery_run(const VgpuSysfs *sysfs, GHashTable *named, GError **error)
{
    g_autoptr(GPtrArray) functions = vgpu_sysfs_read_dir(sysfs, VGPU_SYS_PCI_DEVICES, error);
    g_autoptr(GHashTable) mdev = functions ? mdev_parents(sysfs, error) : NULL;
    g_autoptr(GHashTable) above = mdev ? pfs_of(sysfs, mdev) : NULL;
    const Scan scan = { .sysfs = sysfs, .mdev = mdev, .above = above, .named = named };
    g_autoptr(VgpuInventory) inventory = above ? vgpu_inventory_new() : NULL;

    if (!inventory || !discover_functions(&scan, functions, inventory, error))
        return NULL;
    return g_steal_pointer(&inventory);
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
    g_autoptr(GHashTable) mdev = mdev_parents(sysfs, NULL);
    guint known = 0;

    if (!mdev) /* a discovery will report the reason */
        return false;
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (!is_gpu_current(sysfs, mdev, gpu))
            return false;
        known += gpu->interface == VGPU_INTERFACE_MDEV ? gpu->parents->len : 0;
    }
    return known == g_hash_table_size(mdev);
}
