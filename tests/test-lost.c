/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPUs that vanish under running domains are reported once, with the reason, and no longer listed as active. */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include "base/uuid.h"
#include "core/lost.h"
#include "vf-host.h"

#define S7150 "0000:c1:00.0"
#define PLAIN "<vgpu:device profile='vf'/>"
#define MDEV "<vgpu:device profile='A2-4Q'/>"
#define PCI "sys/bus/pci/devices/"

/* --- detection ------------------------------------------------------------------------------ */

typedef struct {
    const char *driver; /* NULL: none */
    bool no_gpu, no_vf, no_parent, no_instance, passed_through;
} Seen;

static VgpuInventory *
inventory_of(VgpuInterface interface, const Seen *seen, const char *uuid)
{
    VgpuInventory *inventory = vgpu_inventory_new();
    VgpuGpu *gpu = vgpu_gpu_new(L40S);
    VgpuParent *parent;

    gpu->driver = g_strdup(seen->driver);
    gpu->interface = interface;
    gpu->passed_through = seen->passed_through;
    if (!seen->no_vf)
        g_ptr_array_add(gpu->vfs, g_strdup(VF0));
    if (!seen->no_vf && !seen->no_parent) {
        parent = vgpu_gpu_add_parent(gpu, VF0, true);
        if (!seen->no_instance)
            vgpu_parent_add_instance(parent, uuid, "p");
    }
    if (seen->no_gpu)
        vgpu_gpu_free(gpu);
    else
        vgpu_inventory_take(inventory, gpu);
    return inventory;
}

static void
test_why(void **state)
{
    static const struct {
        const char *what;
        Seen seen;
        const char *plain, *vendor, *mdev; /* NULL: it exists, or that is unknown */
    } cases[] = {
        { "nothing is lost", { "nvidia" }, NULL, NULL, NULL },
        { "the VFs are turned off",
          { "nvidia", .no_vf = true },
          "turned off",
          "turned off",
          "turned off" },
        { "the PF is passed through",
          { "vfio-pci", .no_vf = true, .passed_through = true },
          "bound to vfio-pci",
          "bound to vfio-pci",
          "bound to vfio-pci" },
        { "the PF is unbound", { NULL, .no_vf = true }, "unbound", "unbound", "unbound" },
        { "the PF is unbound, its VFs still exist", { NULL }, NULL, "unbound", "unbound" },
        { "the GPU is not in the inventory",
          { "nvidia", .no_gpu = true },
          NULL,
          "has disappeared",
          "has disappeared" },
        { "the vGPU does not exist",
          { "nvidia", .no_instance = true },
          NULL,
          "reset",
          "removed" },
        { "the function no longer makes vGPUs",
          { "nvidia", .no_parent = true },
          NULL,
          "no longer makes",
          "no longer makes" },
    };
    static const VgpuInterface interfaces[] = { VGPU_INTERFACE_VF, VGPU_INTERFACE_VENDOR_VFIO,
                                                VGPU_INTERFACE_MDEV };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *wanted[] = { cases[i].plain, cases[i].vendor, cases[i].mdev };

        for (gsize j = 0; j < G_N_ELEMENTS(interfaces); j++) {
            g_autoptr(VgpuClaim) claim = vgpu_claim_new(HOST_WEB1_0, 0);
            g_autoptr(VgpuInventory) inventory =
                inventory_of(interfaces[j], &cases[i].seen, HOST_WEB1_0);
            g_autofree char *why = NULL, *unread = NULL;

            claim->gpu = g_strdup(L40S);
            claim->parent = g_strdup(VF0);
            claim->interface = interfaces[j];
            why = vgpu_lost_why(inventory, claim, true);
            unread = vgpu_lost_why(inventory, claim, false);
            if (!why != !wanted[j] || (why && !strstr(why, wanted[j])))
                fail_msg("%s, %s: %s", cases[i].what, vgpu_interface_to_string(interfaces[j]),
                         why ? why : "there");
            if (cases[i].seen.no_instance && unread)
                fail_msg("%s: reported without a reading: %s", cases[i].what, unread);
        }
    }
}

/* --- under a guest -------------------------------------------------------------------------- */

static void
run(Host *host, guint n, const char *devices, const char *vf)
{
    g_autofree char *uuid = host_nth_uuid(n);

    assert_starts(host, n, devices, vf);
    vgpu_manager_started(host->manager, uuid, (int) n);
    vgpu_manager_attached(host->manager, uuid, vgpu_manager_since(host->manager, uuid), NULL,
                          NULL);
    host_settle(host);
}

static guint
count_lost(const Host *host)
{
    guint n = 0;

    for (const char *at = host->log->str; (at = strstr(at, "vgpu-lost ")); at++)
        n++;
    return n;
}

static void
assert_state(Host *host, guint n, const char *wanted)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, true);
    g_autofree char *uuid = host_nth_uuid(n);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->domain_uuid, uuid) == 0 && strcmp(row->state, wanted) != 0)
            fail_msg("web%u is %s, not %s", n, row->state, wanted);
    }
}

/* Turn off the S7150's VFs. */
static void
turn_off(Host *host)
{
    static const char *const vfs[] = { S7150_VF0, S7150_VF1, S7150_VF2, S7150_VF3 };

    for (guint i = 0; i < G_N_ELEMENTS(vfs); i++) {
        g_autofree char *link = g_strdup_printf("%s/" PCI S7150 "/virtfn%u", host->root, i);
        g_autofree char *device = g_strdup_printf("%s/" PCI "%s", host->root, vfs[i]);

        assert_int_equal(unlink(link), 0);
        assert_int_equal(unlink(device), 0);
    }
}

static void
test_vfs_off(void **state)
{
    Host *host = *state;

    run(host, 1, PLAIN, S7150_VF0);
    run(host, 2, L40S_4Q, VF0);
    assert_state(host, 1, "active");
    turn_off(host);
    (void) vgpu_manager_inventory(host->manager);
    assert_has(host->log->str, "the VFs of its GPU were turned off; stop the domain");
    assert_int_equal(count_lost(host), 1);
    assert_state(host, 1, "failed");
    assert_state(host, 2, "active");
    /* reported once: not again by the next daemon */
    (void) vgpu_manager_inventory(host->manager);
    host_restart(host);
    (void) vgpu_manager_inventory(host->manager);
    assert_int_equal(count_lost(host), 1);
    assert_state(host, 1, "failed");
    stop(host, 1);
    host_settle(host);
    assert_int_equal(host_count_records(host), 1);
}

/* Two more: a foreign process removes a mediated device, and resets the type of a VF. */
static void
test_taken_away(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = host_xml("web1", uuid, MDEV, 1);
    g_autofree char *refused = host_start(host, xml);
    g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *remove = g_strdup_printf("sys/bus/mdev/devices/%s/remove", vgpu);

    assert_null(refused);
    vgpu_manager_started(host->manager, uuid, 1);
    run(host, 2, L40S_4Q, VF0);
    assert_state(host, 1, "active");
    assert_int_equal(vgpu_sysfs_write(host->sysfs, remove, "1"), 0);
    assert_int_equal(host_set_vf_type(host, VF0, "0"), 0);
    (void) vgpu_manager_inventory(host->manager);
    assert_int_equal(count_lost(host), 2);
    assert_has(host->log->str, "its mediated device was removed");
    assert_has(host->log->str, "the type of its VF was reset");
    assert_state(host, 1, "failed");
    assert_state(host, 2, "failed");
    /* the next run gets a new vGPU */
    stop(host, 2);
    host_settle(host);
    run(host, 2, L40S_4Q, VF0);
    assert_state(host, 2, "active");
}

/* The PF is unbound, as libvirt does for a domain to which the whole GPU is passed through. */
static void
test_pf_taken(void **state)
{
    Host *host = *state;
    g_autofree char *driver = g_strdup_printf("%s/" PCI S7150 "/driver", host->root);

    run(host, 1, PLAIN, S7150_VF0);
    turn_off(host);
    assert_int_equal(unlink(driver), 0);
    assert_int_equal(symlink("../../../bus/pci/drivers/vfio-pci", driver), 0);
    (void) vgpu_manager_inventory(host->manager);
    assert_int_equal(count_lost(host), 1);
    assert_has(host->log->str, "its GPU was bound to vfio-pci");
    assert_state(host, 1, "failed");
}

/* A vGPU that is being created or removed is not lost. */
static void
test_not_lost(void **state)
{
    Host *host = *state;

    assert_starts(host, 1, PLAIN, S7150_VF0); /* libvirt has not reported that it runs */
    run(host, 2, L40S_4Q, VF0);
    stop(host, 2);
    turn_off(host);
    (void) vgpu_manager_inventory(host->manager);
    host_settle(host);
    assert_int_equal(count_lost(host), 0);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, vf_host_setup, vf_host_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why), test(test_vfs_off),  test(test_taken_away),
        test(test_pf_taken),        test(test_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
