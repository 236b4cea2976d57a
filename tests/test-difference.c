/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Differences between libvirt's view of the GPUs and sysfs. */
#include "test.h"

#include <string.h>

#include "gpu/difference.h"

#define PF "0000:41:00.0"
#define VF0 "0000:41:00.4"
#define VF1 "0000:41:00.5"
#define ADAPTER "0000:18:00.0"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"

static void
offer(VgpuGpu *gpu, VgpuParent *parent, const char *id, const char *name, guint available)
{
    vgpu_parent_add_offer(parent, vgpu_gpu_take_profile(gpu, vgpu_profile_new(id, name)),
                          available);
}

/* An A2 with two VFs of sixteen, an mdev on the first one. */
static VgpuInventory *
host_new(void)
{
    VgpuInventory *host = vgpu_inventory_new();
    VgpuGpu *gpu = vgpu_gpu_new(PF);

    gpu->vendor_id = g_strdup("0x10de");
    gpu->product_id = g_strdup("0x25b6");
    gpu->driver = g_strdup("nvidia");
    gpu->interface = VGPU_INTERFACE_MDEV;
    gpu->numa_node = 0;
    gpu->vfs_total = 16;
    gpu->vfs_enabled = 2;
    g_ptr_array_add(gpu->vfs, g_strdup(VF0));
    g_ptr_array_add(gpu->vfs, g_strdup(VF1));
    for (guint i = 0; i < gpu->vfs->len; i++) {
        VgpuParent *parent = vgpu_gpu_add_parent(gpu, gpu->vfs->pdata[i], true);

        offer(gpu, parent, "nvidia-746", "NVIDIA A2-4Q", i);
        offer(gpu, parent, "nvidia-747", "NVIDIA A2-8Q", 0);
    }
    vgpu_parent_add_instance(vgpu_gpu_find_parent(gpu, VF0), UUID, "nvidia-746");
    vgpu_inventory_take(host, gpu);
    return host;
}

typedef void Change(VgpuInventory *libvirt, VgpuInventory *sysfs);

static VgpuGpu *
gpu_of(VgpuInventory *host)
{
    return vgpu_inventory_find(host, PF);
}

static void
set(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static void
empty(VgpuInventory *host)
{
    g_ptr_array_set_size(host->gpus, 0);
}

static void
nothing(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
}

static void
numa(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    gpu_of(libvirt)->numa_node = 1;
}

static void
no_numa_in_sysfs(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    gpu_of(sysfs)->numa_node = -1;
}

static void
no_numa(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    gpu_of(libvirt)->numa_node = -1;
}

static void
fewer_vfs(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_set_size(gpu_of(libvirt)->vfs, 1);
    g_ptr_array_set_size(gpu_of(libvirt)->parents, 1);
}

static void
another_vf(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    char **vf = (char **) &gpu_of(libvirt)->vfs->pdata[1];

    set(vf, "0000:41:00.6");
    g_ptr_array_set_size(gpu_of(libvirt)->parents, 1);
}

static void
vfs_total(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    gpu_of(libvirt)->vfs_total = 0;
}

static void
type_missing(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_remove_index(vgpu_gpu_find_parent(gpu_of(libvirt), VF1)->offers, 1);
}

static void
type_left(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_remove_index(vgpu_gpu_find_parent(gpu_of(sysfs), VF1)->offers, 0);
}

static void
all_types_missing(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_set_size(gpu_of(libvirt)->parents, 1);
}

static void
not_read(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    for (guint i = 0; i < 2; i++) {
        VgpuParent *parent = gpu_of(sysfs)->parents->pdata[i];

        g_ptr_array_set_size(parent->offers, 0);
        g_ptr_array_set_size(parent->instances, 0);
    }
}

static void
mdev_missing(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_set_size(vgpu_gpu_find_parent(gpu_of(libvirt), VF0)->instances, 0);
}

static void
mdev_left(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    g_ptr_array_set_size(vgpu_gpu_find_parent(gpu_of(sysfs), VF0)->instances, 0);
}

static void
available(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    VgpuParent *parent = vgpu_gpu_find_parent(gpu_of(libvirt), VF1);

    ((VgpuOffer *) parent->offers->pdata[0])->available = VGPU_COUNT_UNKNOWN;
}

static void
product_and_driver(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    set(&gpu_of(libvirt)->product_id, "0x1");
    set(&gpu_of(libvirt)->driver, "vfio-pci");
}

static void
no_driver(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    set(&gpu_of(libvirt)->driver, NULL);
    set(&gpu_of(libvirt)->vendor_id, "0X10DE");
}

static void
no_gpus(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    empty(libvirt);
}

static void
no_gpus_at_all(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    empty(libvirt);
    empty(sysfs);
}

static VgpuGpu *
take(VgpuInventory *host, const char *address)
{
    VgpuGpu *gpu = vgpu_gpu_new(address);

    vgpu_inventory_take(host, gpu);
    return gpu;
}

static void
gpu_missing(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    take(sysfs, "0000:84:00.0")->interface = VGPU_INTERFACE_MDEV;
    take(sysfs, "0000:85:00.0")->vfs_total = 32;
}

static void
gpu_left(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    take(libvirt, "0000:84:00.0")->interface = VGPU_INTERFACE_MDEV;
}

/* A network adapter in libvirt's view, a board's graphics in that of sysfs. */
static void
not_of_interest(VgpuInventory *libvirt, VgpuInventory *sysfs)
{
    take(libvirt, ADAPTER)->vfs_total = 64;
    take(sysfs, "0000:03:00.0");
}

static char *
text_of(const GPtrArray *differences)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < differences->len; i++) {
        const VgpuDifference *one = differences->pdata[i];

        g_string_append_printf(text, "%s %s: %s, %s\n", one->gpu ? one->gpu : "-", one->subject,
                               one->libvirt, one->sysfs);
    }
    return g_string_free(text, FALSE);
}

static void
test_each(void **state)
{
    static const struct {
        const char *what;
        Change *change;
        const char *text; /* what is found, libvirt's value first */
    } cases[] = {
        { "the same", nothing, "" },
        { "another NUMA node", numa, PF " NUMA node: 1, 0\n" },
        { "a NUMA node that sysfs does not have", no_numa_in_sysfs, PF " NUMA node: 0, none\n" },
        { "no NUMA node", no_numa, "" },
        { "fewer VFs", fewer_vfs, PF " virtual functions: 1, 2\n" },
        { "another VF", another_vf, PF " virtual function " VF1 ": missing, there\n" },
        { "no VFs are possible", vfs_total, PF " largest number of virtual functions: 0, 16\n" },
        { "a type is missing", type_missing,
          PF " type nvidia-747 (NVIDIA A2-8Q) of " VF1 ": missing, there\n" },
        { "a type is left", type_left,
          PF " type nvidia-746 (NVIDIA A2-4Q) of " VF1 ": there, missing\n" },
        { "a function shows no types", all_types_missing,
          PF " vGPU types of " VF1 ": missing, there\n" },
        { "its driver was not read", not_read, "" },
        { "an mdev is missing", mdev_missing, PF " mdev " UUID " of " VF0 ": missing, there\n" },
        { "an mdev is left", mdev_left, PF " mdev " UUID " of " VF0 ": there, missing\n" },
        { "how many are available", available, "" },
        { "another product and driver", product_and_driver,
          PF " product: 0x1, 0x25b6\n" PF " driver: vfio-pci, nvidia\n" },
        { "no driver, and an id in capitals", no_driver, "" },
        { "libvirt has no GPUs", no_gpus, "- GPUs: 0, 1\n" },
        { "there are no GPUs", no_gpus_at_all, "" },
        { "two GPUs are missing", gpu_missing,
          "0000:84:00.0 the GPU: missing, there\n0000:85:00.0 the GPU: missing, there\n" },
        { "a GPU is left", gpu_left, "0000:84:00.0 the GPU: there, missing\n" },
        { "a device without vGPUs", not_of_interest, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) libvirt = host_new();
        g_autoptr(VgpuInventory) sysfs = host_new();
        g_autoptr(GPtrArray) found = NULL;
        g_autofree char *text = NULL;

        cases[i].change(libvirt, sysfs);
        found = vgpu_difference_list(libvirt, sysfs);
        text = text_of(found);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

static GPtrArray *
found_by(Change *change)
{
    g_autoptr(VgpuInventory) libvirt = host_new();
    g_autoptr(VgpuInventory) sysfs = host_new();

    change(libvirt, sysfs);
    return vgpu_difference_list(libvirt, sysfs);
}

/* A VF that has just been created, a start: differences that occur once, or change at the second look. */
static void
test_lasting(void **state)
{
    static const struct {
        const char *what;
        Change *before, *now;
        const char *text;
    } cases[] = {
        { "the same difference in both readings", numa, numa, PF " NUMA node: 1, 0\n" },
        { "the difference disappears", numa, nothing, "" },
        { "a difference that has just appeared", nothing, fewer_vfs, "" },
        { "another value", numa, no_numa_in_sysfs, "" },
        { "the other way round", mdev_missing, mdev_left, "" },
        { "something else", type_missing, mdev_missing, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) before = found_by(cases[i].before);
        g_autoptr(GPtrArray) now = found_by(cases[i].now);
        g_autofree char *text = NULL;

        vgpu_difference_keep_lasting(now, before);
        text = text_of(now);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_lasting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
