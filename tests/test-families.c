/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vGPU interface of a GPU, detected from its functions in made trees. */
#include "test.h"

#include <string.h>

#include "backend/discovery.h"
#include "backend/scan.h"
#include "fake-sysfs.h"

#define UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"

#define A2 "0000:41:00.0"
#define L40S "0000:61:00.0"
#define L40S_VF "0000:61:00.4"
#define S7150 "0000:c1:00.0"
#define NVME "0000:04:00.0"
#define LIST "1147  : NVIDIA L40S-1Q\n1150  : NVIDIA L40S-4Q\n"

static const FakeFunction a2 = { "0x030200", "0x10de", "0x25b6", "nvidia", "0" };
static const FakeFunction l40s = { "0x030200", "0x10de", "0x26b9", "nvidia", "0" };
static const FakeFunction s7150 = { "0x030000", "0x1002", "0x6929", "gim", "1" };
static const FakeFunction mi300x = { "0x120000", "0x1002", "0x74a1", "gim", "0" };
static const FakeFunction flex = { "0x038000", "0x8086", "0x56c0", "i915", "0" };
static const FakeFunction igpu = { "0x030000", "0x8086", "0x4680", "xe", NULL };
static const FakeFunction gvt = { "0x030000", "0x8086", "0x591d", "i915", NULL };
static const FakeFunction nvme = { "0x010802", "0x1b36", "0x0010", "nvme", "0" };
static const FakeFunction nic = { "0x020000", "0x8086", "0x1572", "i40e", "0" };
static const FakeFunction fpga = { "0x120000", "0x10ee", "0x5001", "xclmgmt", "0" };

static void
add_pf(FakeSysfs *fs, const char *pf, const FakeFunction *function, const char *first_vf,
       guint total, guint enabled)
{
    fake_gpu_add(fs, pf, function);
    fake_vfs_add(fs, pf, first_vf, total, enabled);
}

/* An L40S with so many VFs, none of them taken. */
static void
add_l40s(FakeSysfs *fs, guint n_vfs)
{
    add_pf(fs, L40S, &l40s, L40S_VF, 32, n_vfs);
    for (guint i = 0; i < n_vfs; i++) {
        g_autofree char *vf = fake_vf_address(L40S_VF, i);

        fake_vendor_set(fs, vf, LIST, 0);
    }
}

static void
add_a2(FakeSysfs *fs, guint n_vfs)
{
    add_pf(fs, A2, &a2, "0000:41:00.4", 16, n_vfs);
    for (guint i = 0; i < n_vfs; i++) {
        g_autofree char *vf = fake_vf_address("0000:41:00.4", i);

        fake_type_add(fs, vf, "nvidia-746", "NVIDIA A2-4Q", "framebuffer=4096M, max_instance=4",
                      1);
    }
}

static GHashTable *
named(const char *first, const char *second)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_add(set, (char *) first);
    if (second)
        g_hash_table_add(set, (char *) second);
    return set;
}

/* "INTERFACE PARENTS/VFS PROFILE,PROFILE…" of a GPU; "none" parts are left out. */
static char *
describe(const VgpuInventory *inventory, const char *address)
{
    const VgpuGpu *gpu = vgpu_inventory_find(inventory, address);
    GString *text = g_string_new(NULL);

    if (!gpu) {
        g_string_append(text, "no GPU");
        return g_string_free(text, FALSE);
    }
    g_string_printf(text, "%s %u/%u", vgpu_interface_to_string(gpu->interface), gpu->parents->len,
                    gpu->vfs->len);
    for (guint i = 0; i < gpu->profiles->len; i++)
        g_string_append_printf(text, " %s",
                               ((VgpuProfile *) g_ptr_array_index(gpu->profiles, i))->id);
    if (gpu->passed_through)
        g_string_append(text, " passed through");
    return g_string_free(text, FALSE);
}

static void
check(const char *what, const VgpuInventory *inventory, const char *address, const char *wanted)
{
    g_autofree char *text = describe(inventory, address);

    if (!g_str_equal(text, wanted))
        fail_msg("%s: %s: %s", what, address, text);
}

/* One GPU of each kind, identified by its class, driver and VFs only. */
static void
test_plain(void **state)
{
    static const struct {
        const char *what;
        const FakeFunction *pf;
        const char *driver; /* in place of that of the PF; "-": unbound */
        guint total, enabled;
        bool is_named;
        const char *wanted;
    } cases[] = {
        { "FirePro S7150", &s7150, NULL, 16, 16, false, "vf 16/16 vf" },
        { "FirePro S7150 without VFs", &s7150, NULL, 16, 0, false, "none 0/0" },
        { "MI300X, which calls itself no GPU", &mi300x, NULL, 8, 8, false, "vf 8/8 vf" },
        { "MI300X for the host itself", &mi300x, "amdgpu", 8, 0, false, "no GPU" },
        { "another accelerator", &fpga, NULL, 4, 4, false, "no GPU" },
        { "the same, named", &fpga, NULL, 4, 4, true, "vf 4/4 vf" },
        { "Flex 170", &flex, NULL, 31, 5, false, "vf 5/5 vf" },
        { "an iGPU of Intel's", &igpu, NULL, 7, 7, false, "vf 7/7 vf" },
        { "a GPU of Intel's, passed through", &flex, "vfio-pci", 31, 2, false,
          "none 0/2 passed through" },
        { "by a driver of its own", &flex, "nvgrace-gpu-vfio-pci", 31, 2, false,
          "none 0/2 passed through" },
        { "unbound", &flex, "-", 31, 2, false, "none 0/2" },
        { "unbound, but named", &flex, "-", 31, 2, true, "vf 2/2 vf" },
        { "NVIDIA's VFs that show nothing", &l40s, NULL, 32, 32, false, "none 0/32" },
        { "the same, named", &l40s, NULL, 32, 32, true, "none 0/32" },
        { "NVIDIA's, passed through", &l40s, "vfio-pci", 32, 0, false,
          "none 0/0 passed through" },
        { "an NVMe disk", &nvme, NULL, 4, 4, false, "no GPU" },
        { "an NVMe disk that is named", &nvme, NULL, 4, 4, true, "vf 4/4 vf" },
        { "named, and passed through", &nvme, "vfio-pci", 4, 4, true, "none 0/4 passed through" },
        { "named, no VFs yet", &nvme, NULL, 4, 0, true, "none 0/0" },
        { "a network card", &nic, NULL, 64, 64, false, "no GPU" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) fs = fake_sysfs_new();
        g_autoptr(GHashTable) names = cases[i].is_named ? named(NVME, NULL) : NULL;
        g_autoptr(VgpuInventory) inventory = NULL;
        const char *driver = cases[i].driver;

        add_pf(fs, NVME, cases[i].pf, "0000:04:02.0", cases[i].total, cases[i].enabled);
        if (driver)
            fake_driver_bind(fs, NVME, g_str_equal(driver, "-") ? NULL : driver);
        inventory = vgpu_scan(fake_sysfs_reader(fs), names, NULL);
        check(cases[i].what, inventory, NVME, cases[i].wanted);
        if (!vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory))
            fail_msg("%s: changed without a change", cases[i].what);
    }
}

static FakeSysfs *
make_mixed_host(void)
{
    FakeSysfs *fs = fake_sysfs_new();

    add_a2(fs, 4);
    add_l40s(fs, 4);
    add_pf(fs, S7150, &s7150, "0000:c1:02.0", 16, 16);
    add_pf(fs, "0000:84:00.0", &l40s, "0000:84:00.4", 32, 8); /* no interface */
    fake_gpu_add(fs, "0000:00:02.0", &gvt);
    fake_type_add(fs, "0000:00:02.0", "i915-GVTg_V5_4", NULL, NULL, 5);
    fake_gpu_add(fs, "12345678:85:00.0", &l40s);
    fake_driver_bind(fs, "12345678:85:00.0", "vfio-pci");
    add_pf(fs, NVME, &nvme, "0000:04:02.0", 4, 2);
    add_pf(fs, "0000:05:00.0", &nvme, "0000:05:02.0", 4, 0);
    fake_gpu_add(fs, "0000:06:00.0", &nic);
    fake_mdev_add(fs, "0000:41:00.5", "nvidia-746", UUID, 70);
    fake_vendor_set(fs, L40S_VF, "", 1150);
    return fs;
}

static void
test_mixed_host(void **state)
{
    g_autoptr(FakeSysfs) fs = make_mixed_host();
    g_autoptr(GHashTable) names = named(NVME, "0000:84:00.0");
    g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), names, NULL);
    const VgpuInstance *instance;
    const VgpuGpu *gpu;

    assert_int_equal(inventory->gpus->len, 7);
    check("all", inventory, A2, "mdev 4/4 nvidia-746");
    check("all", inventory, L40S, "vendor-vfio 4/4 nvidia-1147 nvidia-1150");
    check("all", inventory, S7150, "vf 16/16 vf");
    check("all", inventory, "0000:84:00.0", "none 0/8");
    check("all", inventory, "0000:00:02.0", "mdev 1/0 i915-GVTg_V5_4");
    check("all", inventory, "12345678:85:00.0", "none 0/0 passed through");
    check("all", inventory, NVME, "vf 2/2 vf");

    gpu = vgpu_inventory_find(inventory, A2);
    instance = g_ptr_array_index(vgpu_gpu_find_parent(gpu, "0000:41:00.5")->instances, 0);
    assert_string_equal(instance->uuid, UUID);
    gpu = vgpu_inventory_find(inventory, L40S);
    instance = g_ptr_array_index(vgpu_gpu_find_parent(gpu, L40S_VF)->instances, 0);
    assert_null(instance->uuid);
    assert_string_equal(instance->profile_id, "nvidia-1150");
    assert_int_equal(vgpu_gpu_find_parent(gpu, "0000:61:00.5")->instances->len, 0);
    assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));
}

/* A change of the host between two scans. */
static void
change_nothing(FakeSysfs *fs G_GNUC_UNUSED)
{
}

static void
set_type(FakeSysfs *fs)
{
    fake_vendor_set(fs, "0000:61:00.5", "", 1147);
}

static void
take_vendor_files(FakeSysfs *fs)
{
    fake_attribute_set(fs, "0000:61:00.6", "nvidia", NULL);
}

static void
give_vendor_files(FakeSysfs *fs)
{
    fake_vendor_set(fs, "0000:84:00.6", LIST, 0);
}

static void
take_vfs(FakeSysfs *fs)
{
    fake_attribute_set(fs, S7150, "virtfn15", NULL);
}

static void
give_vf(FakeSysfs *fs)
{
    fake_vfs_add(fs, "0000:05:00.0", "0000:05:02.0", 4, 1);
}

static void
pass_through(FakeSysfs *fs)
{
    fake_driver_bind(fs, S7150, "vfio-pci");
}

static void
take_back(FakeSysfs *fs)
{
    fake_driver_bind(fs, "12345678:85:00.0", "nvidia");
}

static void
bind_vf(FakeSysfs *fs)
{
    fake_driver_bind(fs, "0000:c1:02.0", "vfio-pci");
}

static void
become_mdev(FakeSysfs *fs)
{
    fake_type_add(fs, "0000:84:00.4", "nvidia-746", "NVIDIA A2-4Q", NULL, 1);
}

static void
test_is_current(void **state)
{
    static const struct {
        const char *what;
        void (*change)(FakeSysfs *fs);
        bool current;
    } cases[] = {
        { "nothing has changed", change_nothing, true },
        { "a VF has got a type", set_type, true },
        { "a VF has lost its driver's files", take_vendor_files, false },
        { "a VF has got them, long after it came", give_vendor_files, false },
        { "a VF is removed", take_vfs, false },
        { "a VF has come", give_vf, false },
        { "a GPU is passed through now", pass_through, false },
        { "a GPU is the host's again", take_back, false },
        { "a VF has been made ready for a guest", bind_vf, true },
        { "VFs have become mdev parents", become_mdev, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) fs = make_mixed_host();
        g_autoptr(GHashTable) names = named(NVME, "0000:05:00.0");
        g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), names, NULL);

        cases[i].change(fs);
        if (vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory) != cases[i].current)
            fail_msg("%s: %s", cases[i].what, cases[i].current ? "scanned again" : "not noticed");
    }
}

static void
read_again(const FakeSysfs *fs, const VgpuInventory *inventory)
{
    for (guint i = 0; i < inventory->gpus->len; i++)
        assert_true(vgpu_scan_contents(fake_sysfs_reader(fs),
                                       g_ptr_array_index(inventory->gpus, i), NULL));
}

/* The sum of the VFs' offers of that profile. */
static guint
count_offers(const VgpuGpu *gpu, const char *profile_id)
{
    guint n = 0;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuOffer *offer =
            vgpu_parent_find_offer(g_ptr_array_index(gpu->parents, i), profile_id);

        n += offer ? offer->available : 0;
    }
    return n;
}

static guint
count_instances(const VgpuGpu *gpu)
{
    guint n = 0;

    for (guint i = 0; i < gpu->parents->len; i++)
        n += ((VgpuParent *) g_ptr_array_index(gpu->parents, i))->instances->len;
    return n;
}

/* 16 VFs, room for 10: every free VF names the type, until all lists are empty at once. */
static void
test_more_vfs_than_room(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    add_l40s(fs, 16);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = vgpu_inventory_find(inventory, L40S);
    assert_int_equal(count_offers(gpu, "nvidia-1150"), 16);
    for (guint taken = 1; taken <= 10; taken++) {
        for (guint i = 0; i < 16; i++) {
            g_autofree char *vf = fake_vf_address(L40S_VF, i);

            fake_vendor_set(fs, vf, i < taken || taken == 10 ? "" : "1150  : NVIDIA L40S-4Q",
                            i < taken ? 1150 : 0);
        }
        assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));
        read_again(fs, inventory);
        assert_int_equal(count_instances(gpu), taken);
        assert_int_equal(count_offers(gpu, "nvidia-1150"), taken < 10 ? 16 - taken : 0);
        assert_int_equal(count_offers(gpu, "nvidia-1147"), 0);
    }
    /* a profile that is no longer listed stays known */
    assert_string_equal(vgpu_gpu_find_profile(gpu, "nvidia-1147")->name, "NVIDIA L40S-1Q");
}

/* A type that has never been listed. */
static void
test_nameless_type(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuInstance *instance;
    const VgpuGpu *gpu;

    add_l40s(fs, 1);
    fake_vendor_set(fs, L40S_VF, NULL, 1166);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = vgpu_inventory_find(inventory, L40S);
    assert_int_equal(gpu->interface, VGPU_INTERFACE_VENDOR_VFIO);
    assert_int_equal(gpu->profiles->len, 0);
    instance = g_ptr_array_index(vgpu_gpu_find_parent(gpu, L40S_VF)->instances, 0);
    assert_string_equal(instance->profile_id, "nvidia-1166");
}

/* mdev types on the VFs of a card whose class does not say GPU. */
static void
test_mdev_below_other_class(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;

    add_pf(fs, NVME, &fpga, "0000:04:00.4", 4, 2);
    fake_type_add(fs, "0000:04:00.5", "xil-1", NULL, NULL, 1);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    assert_int_equal(inventory->gpus->len, 1);
    check("found by its VF", inventory, NVME, "mdev 1/2 xil-1");
    assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_mixed_host),
        cmocka_unit_test(test_is_current),    cmocka_unit_test(test_more_vfs_than_room),
        cmocka_unit_test(test_nameless_type), cmocka_unit_test(test_mdev_below_other_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
