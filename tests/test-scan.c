/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory from made trees, each built from a capture of a real card. */
#include "test.h"

#include <string.h>

#include "backend/discovery.h"
#include "backend/scan.h"
#include "fake-sysfs.h"

#define UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"
#define OTHER_UUID "fa08193e-3000-5592-b694-36dd62ade913"

#define A2_PF "0000:08:00.0"
#define A2_VF "0000:08:00.4"

static const FakeFunction a2 = { "0x030200", "0x10de", "0x25b6", "nvidia", "0" };
static const FakeFunction m10 = { "0x030000", "0x10de", "0x13bd", "nvidia", "1" };
static const FakeFunction p40 = { "0x030200", "0x10de", "0x1b38", "nvidia", "-1" };
static const FakeFunction igpu = { "0x030000", "0x8086", "0x591d", "i915", NULL };
static const FakeFunction nic = { "0x020000", "0x8086", "0x1572", "i40e", "0" };

static const struct {
    const char *id;
    const char *name;
    const char *description;
    bool four_gb;
} a2_types[] = {
    { "nvidia-742", "NVIDIA A2-1B",
      "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=16",
      false },
    { "nvidia-746", "NVIDIA A2-4Q",
      "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4",
      true },
    { "nvidia-747", "NVIDIA A2-8Q",
      "num_heads=4, frl_config=60, framebuffer=8192M, max_resolution=7680x4320, max_instance=2",
      false },
    { "nvidia-754", "NVIDIA A2-4C",
      "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=4096x2400, max_instance=4",
      true },
};

/* An A2 with so many of its 16 VFs on, and one A2-4Q on the fourth: 4 GB types still say 1 on the
 * others. */
static FakeSysfs *
make_a2(guint n_vfs)
{
    FakeSysfs *fs = fake_sysfs_new();

    fake_gpu_add(fs, A2_PF, &a2);
    fake_vfs_add(fs, A2_PF, A2_VF, 16, n_vfs);
    for (guint vf = 0; vf < n_vfs; vf++) {
        g_autofree char *address = fake_vf_address(A2_VF, vf);

        for (gsize i = 0; i < G_N_ELEMENTS(a2_types); i++)
            fake_type_add(fs, address, a2_types[i].id, a2_types[i].name, a2_types[i].description,
                          a2_types[i].four_gb && vf != 3 ? 1 : 0);
    }
    fake_mdev_add(fs, "0000:08:00.7", "nvidia-746", UUID, 70);
    fake_file_set(fs, "sys/bus/pci/drivers/nvidia/module/version", "550.90.05\n");
    return fs;
}

static void
read_again(const FakeSysfs *fs, const VgpuInventory *inventory)
{
    for (guint i = 0; i < inventory->gpus->len; i++)
        assert_true(vgpu_scan_contents(fake_sysfs_reader(fs),
                                       g_ptr_array_index(inventory->gpus, i), NULL));
}

static const VgpuGpu *
only_gpu(const VgpuInventory *inventory)
{
    assert_int_equal(inventory->gpus->len, 1);
    return g_ptr_array_index(inventory->gpus, 0);
}

static void
check_offer(const VgpuParent *parent, const char *id, guint available)
{
    const VgpuOffer *offer = vgpu_parent_find_offer(parent, id);

    if (!offer)
        fail_msg("%s: %s is not offered", parent->address, id);
    if (offer->available != available)
        fail_msg("%s: %u of %s instead of %u", parent->address, offer->available, id, available);
}

static void
check_profile(const VgpuGpu *gpu, const char *id, const char *name, guint fb_mib,
              guint max_instances)
{
    const VgpuProfile *profile = vgpu_gpu_find_profile(gpu, id);

    if (!profile)
        fail_msg("%s is missing", id);
    if (!g_str_equal(profile->name, name) || profile->fb_mib != fb_mib ||
        profile->max_instances != max_instances)
        fail_msg("%s: '%s', %u MiB, %u at most", id, profile->name, profile->fb_mib,
                 profile->max_instances);
}

static void
test_a2(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(16);
    g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    const VgpuGpu *gpu = only_gpu(inventory);
    const VgpuInstance *instance;

    assert_string_equal(gpu->address, A2_PF);
    assert_string_equal(gpu->vendor_id, "0x10de");
    assert_string_equal(gpu->product_id, "0x25b6");
    assert_string_equal(gpu->driver, "nvidia");
    assert_string_equal(gpu->driver_version, "550.90.05");
    assert_int_equal(gpu->numa_node, 0);
    assert_int_equal(gpu->interface, VGPU_INTERFACE_MDEV);
    assert_int_equal(gpu->vfs_total, 16);
    assert_int_equal(gpu->vfs_enabled, 16);
    assert_null(gpu->nodedev);
    assert_null(gpu->name);

    assert_int_equal(gpu->profiles->len, G_N_ELEMENTS(a2_types));
    check_profile(gpu, "nvidia-746", "NVIDIA A2-4Q", 4096, 4);
    check_profile(gpu, "nvidia-742", "NVIDIA A2-1B", 1024, 16);

    /* virtfn10 comes after virtfn9, not after virtfn1; the PF itself carries nothing */
    assert_int_equal(gpu->parents->len, 16);
    assert_int_equal(gpu->vfs->len, 16);
    for (guint i = 0; i < 16; i++) {
        g_autofree char *address = fake_vf_address(A2_VF, i);
        const VgpuParent *vf = g_ptr_array_index(gpu->parents, i);

        assert_string_equal(vf->address, address);
        assert_string_equal(g_ptr_array_index(gpu->vfs, i), address);
        assert_true(vf->is_vf);
        assert_string_equal(vf->driver, "nvidia");
        assert_int_equal(vf->offers->len, G_N_ELEMENTS(a2_types));
        check_offer(vf, "nvidia-746", i == 3 ? 0 : 1);
        check_offer(vf, "nvidia-754", i == 3 ? 0 : 1);
        check_offer(vf, "nvidia-747", 0);
        assert_int_equal(vf->instances->len, i == 3 ? 1 : 0);
        if (i == 10)
            assert_string_equal(address, "0000:08:01.6");
    }
    instance = g_ptr_array_index(vgpu_gpu_find_parent(gpu, "0000:08:00.7")->instances, 0);
    assert_string_equal(instance->uuid, UUID);
    assert_string_equal(instance->profile_id, "nvidia-746");
}

/* Listing the functions does not query drivers for offers and vGPUs. */
static void
test_discovery_alone(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = vgpu_discovery_run(fake_sysfs_reader(fs), NULL, NULL);
    const VgpuGpu *gpu = only_gpu(inventory);
    const VgpuParent *vf = vgpu_gpu_find_parent(gpu, "0000:08:00.7");

    assert_int_equal(gpu->interface, VGPU_INTERFACE_MDEV);
    assert_int_equal(gpu->parents->len, 4);
    assert_string_equal(vf->driver, "nvidia");
    assert_int_equal(gpu->profiles->len, 0);
    assert_int_equal(vf->offers->len, 0);
    assert_int_equal(vf->instances->len, 0);
    assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));

    read_again(fs, inventory);
    assert_int_equal(gpu->profiles->len, G_N_ELEMENTS(a2_types));
    assert_int_equal(vf->offers->len, G_N_ELEMENTS(a2_types));
    assert_int_equal(vf->instances->len, 1);
}

/* Four GPUs on one board, types on the PFs. */
static void
test_m10(void **state)
{
    static const char *const pfs[] = {
        "0000:84:00.0",
        "0000:85:00.0",
        "0000:86:00.0",
        "0000:87:00.0",
    };
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;

    for (gsize i = G_N_ELEMENTS(pfs); i-- > 0;) {
        fake_gpu_add(fs, pfs[i], &m10);
        fake_type_add(fs, pfs[i], "nvidia-36", "GRID M10-0Q", NULL, i == 1 ? 0 : 16);
        fake_type_add(fs, pfs[i], "nvidia-41", "GRID M10-2Q",
                      "num_heads=4, frl_config=60, framebuffer=2048M, "
                      "max_resolution=5120x2880, max_instance=4",
                      i == 1 ? 3 : 4);
    }
    fake_mdev_add(fs, pfs[1], "nvidia-41", UUID, 12);

    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    assert_int_equal(inventory->gpus->len, 4);
    for (guint i = 0; i < 4; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        const VgpuParent *pf = g_ptr_array_index(gpu->parents, 0);

        assert_string_equal(gpu->address, pfs[i]);
        assert_int_equal(gpu->parents->len, 1);
        assert_string_equal(pf->address, pfs[i]);
        assert_false(pf->is_vf);
        assert_int_equal(gpu->vfs_total, 0);
        assert_int_equal(gpu->numa_node, 1);
        check_offer(pf, "nvidia-41", i == 1 ? 3 : 4);
        assert_int_equal(pf->instances->len, i == 1 ? 1 : 0);
        check_profile(gpu, "nvidia-36", "GRID M10-0Q", 512, 0);
        check_profile(gpu, "nvidia-41", "GRID M10-2Q", 2048, 4);
    }
}

static void
test_gvt_g(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, "0000:00:02.0", &igpu);
    fake_type_add(fs, "0000:00:02.0", "i915-GVTg_V5_4", NULL,
                  "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\n"
                  "resolution: 1920x1200\nweight: 4",
                  5);
    fake_type_add(fs, "0000:00:02.0", "i915-GVTg_V5_8", NULL, NULL, 7);

    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = only_gpu(inventory);
    assert_int_equal(gpu->numa_node, -1);
    check_profile(gpu, "i915-GVTg_V5_4", "i915-GVTg_V5_4", 0, 0);
    assert_string_equal(vgpu_gpu_find_profile(gpu, "i915-GVTg_V5_4")->max_resolution,
                        "1920x1200");
    check_profile(gpu, "i915-GVTg_V5_8", "i915-GVTg_V5_8", 0, 0);
    check_offer(g_ptr_array_index(gpu->parents, 0), "i915-GVTg_V5_4", 5);
    check_offer(g_ptr_array_index(gpu->parents, 0), "i915-GVTg_V5_8", 7);
}

/* Which devices count as GPUs. */
static void
test_which(void **state)
{
    static const FakeFunction accelerator = { "0x120000", "0x10de", "0x2336", "nvidia", "0" };
    static const FakeFunction unbound = { "0x030000", "0x10de", "0x25b6", NULL, "0" };
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, "10000:01:00.0", &p40); /* behind a VMD */
    fake_gpu_add(fs, "0000:01:00.0", &nic);
    fake_gpu_add(fs, "0000:02:00.0", &accelerator);
    fake_gpu_add(fs, "0000:03:00.0", &accelerator);
    fake_type_add(fs, "0000:03:00.0", "nvidia-1", "NVIDIA X-1Q", NULL, 1);
    fake_gpu_add(fs, "0000:04:00.0", &unbound);
    fake_vfs_add(fs, "0000:04:00.0", "0000:04:00.4", 16, 0);
    fake_gpu_add(fs, "12345678:04:00.0", &p40);
    fake_type_add(fs, "12345678:04:00.0", "nvidia-46", "GRID P40-1Q", NULL, 24);
    fake_mdev_add(fs, "12345678:04:00.0", "nvidia-46", UUID, 3);

    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    assert_int_equal(inventory->gpus->len, 4);
    assert_null(vgpu_inventory_find(inventory, "0000:01:00.0"));
    assert_null(vgpu_inventory_find(inventory, "0000:02:00.0"));
    assert_non_null(vgpu_inventory_find(inventory, "0000:03:00.0"));

    gpu = vgpu_inventory_find(inventory, "0000:04:00.0");
    assert_null(gpu->driver);
    assert_null(gpu->driver_version);
    assert_int_equal(gpu->interface, VGPU_INTERFACE_NONE);
    assert_int_equal(gpu->vfs_total, 16);
    assert_int_equal(gpu->vfs_enabled, 0);
    assert_int_equal(gpu->parents->len, 0);

    gpu = vgpu_inventory_find(inventory, "10000:01:00.0");
    assert_int_equal(gpu->interface, VGPU_INTERFACE_NONE);
    assert_int_equal(gpu->numa_node, -1);

    gpu = vgpu_inventory_find(inventory, "12345678:04:00.0");
    assert_int_equal(vgpu_gpu_find_parent(gpu, "12345678:04:00.0")->instances->len, 1);
}

/* VFs of a GPU that carry no types are its VFs all the same. */
static void
test_vfs_without_types(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, A2_PF, &a2);
    fake_vfs_add(fs, A2_PF, A2_VF, 16, 4);
    fake_type_add(fs, "0000:08:00.5", "nvidia-746", "NVIDIA A2-4Q", NULL, 1);
    fake_attribute_set(fs, A2_PF, "virtfn2", NULL);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);

    gpu = only_gpu(inventory);
    assert_int_equal(gpu->vfs->len, 3);
    assert_int_equal(gpu->parents->len, 1);
    assert_string_equal(((VgpuParent *) g_ptr_array_index(gpu->parents, 0))->address,
                        "0000:08:00.5");
    assert_ptr_equal(vgpu_inventory_find_by_function(inventory, "0000:08:00.7"), gpu);
}

/* Unplugged while it is being read. */
static void
test_vanished(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, "0000:84:00.0", &m10);
    fake_type_add(fs, "0000:84:00.0", "nvidia-41", "GRID M10-2Q", NULL, 4);
    fake_gpu_remove(fs, "0000:84:00.0", true);
    fake_gpu_add(fs, "0000:85:00.0", &m10);
    fake_gpu_remove(fs, "0000:85:00.0", true);
    fake_gpu_remove(fs, "0000:08:00.4", false);
    fake_gpu_remove(fs, "0000:08:00.7", true);

    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = only_gpu(inventory);
    assert_string_equal(gpu->address, A2_PF);
    assert_null(vgpu_gpu_find_parent(gpu, "0000:08:00.4"));
    assert_non_null(vgpu_gpu_find_parent(gpu, "0000:08:00.5"));
}

static void
test_empty(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);

    assert_int_equal(inventory->gpus->len, 0);
    assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));
    read_again(fs, inventory);
}

/* A device whose parent is no GPU, attributes that are no numbers. */
static void
test_strange(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, "0000:01:00.0", &nic);
    fake_mdev_add(fs, "0000:01:00.0", "nic-1", OTHER_UUID, 71);
    fake_attribute_set(fs, "0000:08:00.5", "mdev_supported_types/nvidia-746/available_instances",
                       "many");
    fake_attribute_set(fs, "0000:08:00.6", "mdev_supported_types/nvidia-746/available_instances",
                       NULL);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);

    gpu = only_gpu(inventory);
    check_offer(vgpu_gpu_find_parent(gpu, "0000:08:00.5"), "nvidia-746", 0);
    check_offer(vgpu_gpu_find_parent(gpu, "0000:08:00.6"), "nvidia-746", 0);
}

static void
change_nothing(FakeSysfs *fs G_GNUC_UNUSED)
{
}

static void
add_vgpu(FakeSysfs *fs)
{
    fake_mdev_add(fs, "0000:08:00.4", "nvidia-746", OTHER_UUID, 71);
}

static void
take_vf(FakeSysfs *fs)
{
    fake_gpu_remove(fs, "0000:08:00.4", false);
}

static void
add_m10(FakeSysfs *fs)
{
    fake_gpu_add(fs, "0000:84:00.0", &m10);
    fake_type_add(fs, "0000:84:00.0", "nvidia-41", "GRID M10-2Q", NULL, 4);
}

static void
swap_vf_for_m10(FakeSysfs *fs)
{
    take_vf(fs);
    add_m10(fs);
}

static void
add_nic(FakeSysfs *fs)
{
    fake_gpu_add(fs, "0000:01:00.0", &nic);
}

/* The whole scan is repeated only if this function requests it. */
static void
test_is_current(void **state)
{
    static const struct {
        const char *what;
        void (*change)(FakeSysfs *fs);
        bool current;
    } cases[] = {
        { "nothing has changed", change_nothing, true },
        { "one vGPU more", add_vgpu, true },
        { "a VF is removed", take_vf, false },
        { "another GPU has come", add_m10, false },
        { "as many as before, but others", swap_vf_for_m10, false },
        { "a network card has come", add_nic, true },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) fs = make_a2(4);
        g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);

        cases[i].change(fs);
        if (vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory) != cases[i].current)
            fail_msg("%s: %s", cases[i].what, cases[i].current ? "scanned again" : "not noticed");
    }
}

/* Other drivers have parents that are no PCI functions (mtty, matrix). */
static void
test_is_current_beside_others(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = NULL;

    fake_parent_add(fs, "mtty");
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    assert_int_equal(inventory->gpus->len, 1);
    assert_true(vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory));
}

static void
test_read_again(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    const VgpuGpu *gpu = only_gpu(inventory);
    const VgpuParent *vf = vgpu_gpu_find_parent(gpu, "0000:08:00.4");
    const VgpuParent *before = vgpu_gpu_find_parent(gpu, "0000:08:00.7");
    const VgpuProfile *profile = vgpu_gpu_find_profile(gpu, "nvidia-746");
    const VgpuInstance *instance;

    fake_mdev_remove(fs, UUID);
    fake_mdev_add(fs, "0000:08:00.4", "nvidia-754", OTHER_UUID, 71);
    fake_type_set_available(fs, "0000:08:00.4", "nvidia-746", 0);
    fake_type_set_available(fs, "0000:08:00.4", "nvidia-754", 0);
    fake_attribute_set(fs, "0000:08:00.4", "mdev_supported_types/nvidia-742", NULL);
    fake_type_add(fs, "0000:08:00.4", "nvidia-755", "NVIDIA A2-8C", NULL, 2);
    read_again(fs, inventory);

    check_offer(vf, "nvidia-746", 0);
    check_offer(vf, "nvidia-754", 0);
    check_offer(vf, "nvidia-755", 2);
    assert_null(vgpu_parent_find_offer(vf, "nvidia-742"));
    assert_int_equal(vf->offers->len, G_N_ELEMENTS(a2_types)); /* each once */
    check_profile(gpu, "nvidia-755", "NVIDIA A2-8C", 8192, 0);
    assert_ptr_equal(vgpu_gpu_find_profile(gpu, "nvidia-746"), profile);
    assert_int_equal(before->instances->len, 0);
    assert_int_equal(vf->instances->len, 1);
    instance = g_ptr_array_index(vf->instances, 0);
    assert_string_equal(instance->uuid, OTHER_UUID);
    assert_string_equal(instance->profile_id, "nvidia-754");
}

/* The whole frame buffer of a GPU whose lists shrink is learned while it is idle, and kept. */
static void
test_card(void **state)
{
#define FULL "1150  : NVIDIA L40S-4Q\n1156  : NVIDIA L40S-48Q\n1147  : NVIDIA L40S-1Q"
#define ONE_SIZE "1150  : NVIDIA L40S-4Q"
#define MIG_BACKED "9001  : NVIDIA H100-7-80C"
    static const struct {
        const char *what;
        const char *first, *second; /* what the VFs list */
        guint type;                 /* of the first VF's vGPU */
        bool scan;                  /* the daemon has just been started */
        guint card_mib;
    } moments[] = {
        { "started beside a vGPU", "", ONE_SIZE, 1150, true, 0 },
        { "that is being made", "", ONE_SIZE, 0, false, 0 },
        { "idle", FULL, FULL, 0, false, 49152 },
        { "in use", "", ONE_SIZE, 1150, false, 49152 },
        { "restarted", "", ONE_SIZE, 1150, true, 0 },
        { "with a list on the VF in use", ONE_SIZE, ONE_SIZE, 1150, false, 0 },
        { "started while idle", FULL, FULL, 0, true, 49152 },
        { "with MIG", MIG_BACKED, MIG_BACKED, 0, true, 0 },
        { "with MIG, beside others", MIG_BACKED "\n" FULL, MIG_BACKED "\n" FULL, 0, false,
          49152 },
    };
    static const FakeFunction pf = { "0x030200", "0x10de", "0x26b9", "nvidia", "0" };
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;

    fake_gpu_add(fs, "0000:61:00.0", &pf);
    fake_vfs_add(fs, "0000:61:00.0", "0000:61:00.4", 32, 2);
    for (gsize i = 0; i < G_N_ELEMENTS(moments); i++) {
        fake_vendor_set(fs, "0000:61:00.4", moments[i].first, moments[i].type);
        fake_vendor_set(fs, "0000:61:00.5", moments[i].second, 0);
        if (moments[i].scan) {
            g_clear_pointer(&inventory, vgpu_inventory_free);
            inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
        } else {
            read_again(fs, inventory);
        }
        if (only_gpu(inventory)->card_mib != moments[i].card_mib)
            fail_msg("%s: %u MiB", moments[i].what, only_gpu(inventory)->card_mib);
    }
}

/* Where drivers say that they have put a vGPU. */
static void
test_places(void **state)
{
    static const struct {
        const char *what;
        const char *gi, *slot; /* what the attributes say; NULL: they are not there */
        int expected_gi, expected_slot;
    } cases[] = {
        { "an older driver", NULL, NULL, -1, -1 },
        { "neither", "Not Applicable\n", "Not Applicable\n", -1, -1 },
        { "a GPU instance", "3\n", "Not Applicable\n", 3, -1 },
        { "the whole GPU", "0\n", NULL, 0, -1 },
        { "slots", NULL, "18\n", -1, 18 },
        { "both", "5", "0", 5, 0 },
        { "the driver's words for none", "4294967295\n", "65535\n", -1, -1 },
        { "nothing yet", "\n", "", -1, -1 },
    };
    static const FakeFunction pf = { "0x030200", "0x10de", "0x2bb5", "nvidia", "0" };

    for (gsize i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        bool on_mdev = i >= G_N_ELEMENTS(cases);
        gsize k = i % G_N_ELEMENTS(cases);
        g_autoptr(FakeSysfs) fs = on_mdev ? make_a2(4) : fake_sysfs_new();
        g_autoptr(VgpuInventory) inventory = NULL;
        const char *at =
            on_mdev ? "sys/bus/mdev/devices/" UUID : "sys/bus/pci/devices/0000:61:00.4";
        g_autofree char *gi = g_strconcat(at, "/nvidia/gpu_instance_id", NULL);
        g_autofree char *slot = g_strconcat(at, "/nvidia/placement_id", NULL);
        const VgpuInstance *instance;

        if (!on_mdev) {
            fake_gpu_add(fs, "0000:61:00.0", &pf);
            fake_vfs_add(fs, "0000:61:00.0", "0000:61:00.4", 32, 1);
            fake_vendor_set(fs, "0000:61:00.4", "", 1550);
        }
        if (cases[k].gi)
            fake_file_set(fs, gi, cases[k].gi);
        if (cases[k].slot)
            fake_file_set(fs, slot, cases[k].slot);
        inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
        instance = vgpu_parent_first_instance(
            only_gpu(inventory)->parents->pdata[on_mdev ? 3 : 0]); /* make_a2() */
        if (instance->gi != cases[k].expected_gi || instance->slot != cases[k].expected_slot)
            fail_msg("%s: %d, %d", cases[k].what, instance->gi, instance->slot);
    }
    (void) state;
}

/* A removed function has no offers and no vGPUs; its profiles stay known. */
static void
test_read_again_vanished(void **state)
{
    g_autoptr(FakeSysfs) fs = make_a2(4);
    g_autoptr(VgpuInventory) inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    const VgpuParent *vf = vgpu_gpu_find_parent(only_gpu(inventory), "0000:08:00.4");

    fake_gpu_remove(fs, "0000:08:00.4", true);
    read_again(fs, inventory);
    assert_int_equal(vf->offers->len, 0);
    assert_int_equal(vf->instances->len, 0);
    check_profile(only_gpu(inventory), "nvidia-746", "NVIDIA A2-4Q", 4096, 4);
}

/* A number of VFs beyond the PCI core's 16 bits is not used as the end of a loop. */
static void
test_too_many_vfs(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    (void) state;
    fake_gpu_add(fs, A2_PF, &a2);
    fake_vfs_add(fs, A2_PF, A2_VF, 16, 4);
    fake_type_add(fs, "0000:08:00.5", "nvidia-746", "NVIDIA A2-4Q", NULL, 1);
    fake_attribute_set(fs, A2_PF, "sriov_totalvfs", "4294967295");
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);

    gpu = only_gpu(inventory);
    assert_int_equal(gpu->vfs_total, VGPU_GPU_VFS_MAX);
    assert_int_equal(gpu->vfs->len, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a2),           cmocka_unit_test(test_discovery_alone),
        cmocka_unit_test(test_m10),          cmocka_unit_test(test_gvt_g),
        cmocka_unit_test(test_which),        cmocka_unit_test(test_vfs_without_types),
        cmocka_unit_test(test_too_many_vfs), cmocka_unit_test(test_vanished),
        cmocka_unit_test(test_empty),        cmocka_unit_test(test_strange),
        cmocka_unit_test(test_is_current),   cmocka_unit_test(test_is_current_beside_others),
        cmocka_unit_test(test_read_again),   cmocka_unit_test(test_card),
        cmocka_unit_test(test_places),       cmocka_unit_test(test_read_again_vanished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
