/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One made host in every form of `virt-vgpu inventory`. */
#include "test.h"

#include <string.h>

#include "cli/inventory.h"
#include "cli/pci-names.h"
#include "exposition-check.h"

static void
test_json(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_json("node1", &rows);

    inventory_compare("host.json", text);
}

/* Virtual functions are of another product than their GPU here, and one is not in sysfs. */
static void
look_up(const char *address, VgpuPciIds *ids, gpointer opaque)
{
    guint *asked = opaque;

    (*asked)++;
    if (g_str_has_prefix(address, "0000:41:"))
        *ids = (VgpuPciIds) { "10de", "2237", "0302" };
    else if (g_str_has_prefix(address, "10000:"))
        *ids = (VgpuPciIds) { "1002", "692f", "0380" };
}

/* In place of pci-names.c: as pci.ids had them when the expected text was written. */
struct VgpuPciNames {
    char unused;
};

VgpuPciNames *
vgpu_pci_names_new(void)
{
    return g_new0(VgpuPciNames, 1);
}

void
vgpu_pci_names_free(VgpuPciNames *self)
{
    g_free(self);
}

char *
vgpu_pci_names_vendor(VgpuPciNames *self, const char *id)
{
    return g_strdup(g_str_equal(id, "10de")   ? "NVIDIA Corporation"
                    : g_str_equal(id, "1002") ? "Advanced Micro Devices, Inc. [AMD/ATI]"
                                              : "");
}

char *
vgpu_pci_names_class(VgpuPciNames *self, const char *id)
{
    return g_strdup(g_str_equal(id, "0302")   ? "3D controller"
                    : g_str_equal(id, "0380") ? "Display controller"
                                              : "");
}

static void
test_opennebula(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    guint asked = 0;
    g_autofree char *text = vgpu_inventory_opennebula(&rows, look_up, &asked);

    inventory_compare("host.opennebula", text);
    assert_int_equal(asked, 4);
}

/* The first was printed by the probe itself, on a host with an A10. */
static void
test_uuid(void **state)
{
    static const struct {
        const char *what;
        const char *name;
        const char *uuid;
    } cases[] = {
        { "a VF of an A10", "0000:41:00:4", "e4042b96-e63d-56cf-bcc8-4e6eecccc12e" },
        { "the next one, as Python's uuid5() has it", "0000:41:00:5",
          "f86f1cd5-9929-5b66-bfad-a44c80ccb0c0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uuid = vgpu_inventory_opennebula_uuid(cases[i].name);

        if (!g_str_equal(uuid, cases[i].uuid))
            fail_msg("%s: %s", cases[i].what, uuid);
    }
}

static void
test_placement(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_placement("node1", &rows);

    inventory_compare("host.placement", text);
}

static void
test_prometheus(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_prometheus(&rows);
    g_autofree char *problem = exposition_problem(text);

    if (problem)
        fail_msg("%s", problem);
    inventory_compare("host.prometheus", text);
}

/* A daemon that knows nothing, or that does not know of pools. */
static void
test_nothing(void **state)
{
    const VgpuHostRows rows = { 0 };
    g_autofree char *json = vgpu_inventory_json("node1", &rows);
    g_autofree char *opennebula = vgpu_inventory_opennebula(&rows, look_up, NULL);
    g_autofree char *placement = vgpu_inventory_placement("node1", &rows);
    g_autofree char *prometheus = vgpu_inventory_prometheus(&rows);

    assert_non_null(strstr(json, "\"pools\" : null"));
    assert_string_equal(opennebula, "");
    assert_non_null(strstr(placement, "\"resource_providers\" : []"));
    assert_string_equal(prometheus, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),       cmocka_unit_test(test_opennebula),
        cmocka_unit_test(test_uuid),       cmocka_unit_test(test_placement),
        cmocka_unit_test(test_prometheus), cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
