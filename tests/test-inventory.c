/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GPUs in order, found by any of their functions, and with libvirt's names. */
#include "test.h"

#include "gpu/inventory.h"

/* PFs of a host, out of order; the first has two VFs, one of which carries vGPUs. */
static VgpuInventory *
make_host(void)
{
    static const char *const addresses[] = {
        "0000:c1:00.0", "10000:01:00.0", "0000:41:00.1", "0000:41:00.0",
        "0000:09:00.0", "00ff:00:02.0",  "0000:41:1f.0",
    };
    VgpuInventory *host = vgpu_inventory_new();

    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        VgpuGpu *gpu = vgpu_gpu_new(addresses[i]);

        vgpu_inventory_take(host, gpu);
        if (i == 0) {
            g_ptr_array_add(gpu->vfs, g_strdup("0000:c1:00.4"));
            g_ptr_array_add(gpu->vfs, g_strdup("0000:c1:00.5"));
            vgpu_gpu_add_parent(gpu, "0000:c1:00.4", true);
        }
    }
    return host;
}

static char *
addresses_of(const VgpuInventory *host)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < host->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(host->gpus, i);

        g_string_append_printf(text, "%s%s", i ? " " : "", gpu->address);
    }
    return g_string_free(text, FALSE);
}

static void
test_order(void **state)
{
    g_autoptr(VgpuInventory) host = make_host();
    g_autofree char *text = addresses_of(host);

    assert_string_equal(text, "0000:09:00.0 0000:41:00.0 0000:41:00.1 0000:41:1f.0 0000:c1:00.0 "
                              "00ff:00:02.0 10000:01:00.0");
}

static void
test_find(void **state)
{
    static const struct {
        const char *what;
        const char *address;
        const char *as_pf;       /* NULL: not found */
        const char *as_function; /* NULL: not found */
    } cases[] = {
        { "a PF", "0000:41:00.0", "0000:41:00.0", "0000:41:00.0" },
        { "another function", "0000:41:00.1", "0000:41:00.1", "0000:41:00.1" },
        { "a VF with vGPUs", "0000:c1:00.4", NULL, "0000:c1:00.0" },
        { "a VF without", "0000:c1:00.5", NULL, "0000:c1:00.0" },
        { "another slot", "0000:c1:01.0", NULL, NULL },
        { "another domain", "0001:41:00.0", NULL, NULL },
        { "the start of one", "0000:41:00", NULL, NULL },
    };
    g_autoptr(VgpuInventory) host = make_host();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuGpu *pf = vgpu_inventory_find(host, cases[i].address);
        const VgpuGpu *any = vgpu_inventory_find_by_function(host, cases[i].address);

        if (g_strcmp0(pf ? pf->address : NULL, cases[i].as_pf) != 0)
            fail_msg("%s: as a PF: %s", cases[i].what, pf ? pf->address : "not found");
        if (g_strcmp0(any ? any->address : NULL, cases[i].as_function) != 0)
            fail_msg("%s: as a function: %s", cases[i].what, any ? any->address : "not found");
    }
}

/* The frame buffer of a GPU is the largest size that was ever seen on it. */
static void
test_remember(void **state)
{
    static const struct {
        const char *what;
        VgpuInterface interface;
        const char *product;
        guint old_mib, new_mib, expected;
        const char *subsystem, *version; /* NULL: as before */
    } cases[] = {
        { "its lists are short now", VGPU_INTERFACE_VENDOR_VFIO, "0x26b9", 49152, 0, 49152 },
        { "they were short before", VGPU_INTERFACE_VENDOR_VFIO, "0x26b9", 4096, 49152, 49152 },
        { "another card", VGPU_INTERFACE_VENDOR_VFIO, "0x27b8", 49152, 24576, 24576 },
        { "another board with that chip", VGPU_INTERFACE_VENDOR_VFIO, "0x26b9", 49152, 24576,
          24576, .subsystem = "0x10de:0x1900" },
        { "another driver", VGPU_INTERFACE_VENDOR_VFIO, "0x26b9", 49152, 24576, 24576,
          .version = "580.65.05" },
        { "another interface", VGPU_INTERFACE_MDEV, "0x26b9", 49152, 0, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) older = vgpu_inventory_new();
        g_autoptr(VgpuInventory) newer = vgpu_inventory_new();
        VgpuGpu *old = vgpu_gpu_new("0000:61:00.0");
        VgpuGpu *gpu = vgpu_gpu_new("0000:61:00.0");

        old->interface = VGPU_INTERFACE_VENDOR_VFIO;
        old->product_id = g_strdup("0x26b9");
        old->subsystem = g_strdup("0x10de:0x1851");
        old->driver_version = g_strdup("550.90.05");
        gpu->subsystem = g_strdup(cases[i].subsystem ? cases[i].subsystem : old->subsystem);
        gpu->driver_version = g_strdup(cases[i].version ? cases[i].version : old->driver_version);
        old->card_mib = cases[i].old_mib;
        vgpu_gpu_take_profile(old, vgpu_profile_new("nvidia-1156", "NVIDIA L40S-48Q"));
        vgpu_inventory_take(older, old);
        gpu->interface = cases[i].interface;
        gpu->product_id = g_strdup(cases[i].product);
        gpu->card_mib = cases[i].new_mib;
        vgpu_inventory_take(newer, gpu);
        vgpu_inventory_remember_gpu(gpu, old);
        if (gpu->card_mib != cases[i].expected)
            fail_msg("%s: %u MiB", cases[i].what, gpu->card_mib);
    }
}

static VgpuGpu *
named(const char *address, const char *nodedev, const char *name)
{
    VgpuGpu *gpu = vgpu_gpu_new(address);

    gpu->nodedev = g_strdup(nodedev);
    gpu->name = g_strdup(name);
    gpu->numa_node = 7;
    return gpu;
}

static void
test_identify(void **state)
{
    g_autoptr(VgpuInventory) host = vgpu_inventory_new();
    g_autoptr(VgpuInventory) libvirt = vgpu_inventory_new();
    const VgpuGpu *gpu;

    vgpu_inventory_take(host, vgpu_gpu_new("0000:41:00.0"));
    vgpu_inventory_take(host, named("0000:81:00.0", "pci_old", "old"));
    vgpu_inventory_take(host, named("0000:c1:00.0", "pci_0000_c1_00_0", "kept"));
    vgpu_inventory_take(libvirt, named("0000:41:00.0", "pci_0000_41_00_0", "GA107GL [A2]"));
    vgpu_inventory_take(libvirt, named("0000:81:00.0", "pci_0000_81_00_0", NULL));
    vgpu_inventory_take(libvirt, named("0000:e1:00.0", "pci_0000_e1_00_0", "unplugged"));

    for (guint i = 0; i < host->gpus->len; i++)
        vgpu_inventory_identify_gpu(g_ptr_array_index(host->gpus, i), libvirt);

    gpu = vgpu_inventory_find(host, "0000:41:00.0");
    assert_string_equal(gpu->nodedev, "pci_0000_41_00_0");
    assert_string_equal(gpu->name, "GA107GL [A2]");
    assert_int_equal(gpu->numa_node, -1); /* sysfs knows that better */
    gpu = vgpu_inventory_find(host, "0000:81:00.0");
    assert_string_equal(gpu->nodedev, "pci_0000_81_00_0");
    assert_null(gpu->name);
    gpu = vgpu_inventory_find(host, "0000:c1:00.0");
    assert_string_equal(gpu->name, "kept");
    assert_null(vgpu_inventory_find(host, "0000:e1:00.0"));
    assert_int_equal(host->gpus->len, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_remember),
        cmocka_unit_test(test_identify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
