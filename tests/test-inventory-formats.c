/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One made host in every form of `virt-vgpu inventory`. */
#include "test.h"

#include <string.h>

#include "cli/inventory-private.h"
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
look_up_ids(const char *address, VgpuPciIds *ids, gpointer opaque)
{
    guint asked = 0;

    (void) opaque;
    look_up(address, ids, &asked);
}

static char *
find_group(const char *address, gpointer opaque)
{
    (void) opaque;
    return g_str_has_prefix(address, "0000:41:") ? g_strdup("12") : NULL;
}

static char *
find_root(const char *address, gpointer opaque)
{
    (void) opaque;
    return g_str_has_prefix(address, "0000:41:") ? g_strdup("0000:40:01.0") : NULL;
}

#define MDEV "41111111-2222-4333-8444-555555555555"

static const char *
find_user(const char *device, gpointer opaque)
{
    (void) opaque;
    if (g_str_equal(device, "0000:e1:00.0"))
        return "whole \"GPU\"";
    return g_str_equal(device, MDEV) ? "not-annotated" : NULL;
}

static const VgpuInventoryLookup lookup = { look_up_ids, find_group, find_root, find_user, NULL };

static void
test_cloudstack(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_cloudstack(&rows, &lookup);

    inventory_compare("host.cloudstack", text);
}

/* Which devices are offered, and whose they are. */
static void
test_cloudstack_devices(void **state)
{
    static const struct {
        const char *what;
        const char *gpu, *vgpu;    /* GVariant text, more of each */
        const char *has, *has_not; /* of the JSON without blanks; NULL: anything */
    } cases[] = {
        { "a GPU for vGPUs is never given away as a whole", "'interface': <'mdev'>", NULL,
          "\"enabled\":0,", "\"mdev_uuid\"" },
        { "one without is", "'interface': <'none'>", NULL, "\"enabled\":1,", NULL },
        { "an mdev of nobody", "'interface': <'mdev'>",
          "'interface': <'mdev'>, 'uuid': <'U'>, 'state': <'active'>, 'profile_id': <'p'>",
          "{\"mdev_uuid\":\"U\",\"profile_name\":\"P\",\"max_instances\":null,\"video_ram\":2048,"
          "\"max_heads\":4,\"max_resolution_x\":7680,\"max_resolution_y\":4320,"
          "\"libvirt_address\":{\"domain\":\"0x0001\",\"bus\":\"0xd6\",\"slot\":\"0x00\","
          "\"function\":\"0x4\"},\"used_by_vm\":null}",
          NULL },
        { "of a domain of ours", "'interface': <'mdev'>",
          "'interface': <'mdev'>, 'uuid': <'U'>, 'state': <'active'>, 'domain': <'d'>",
          "\"used_by_vm\":\"d\"}", NULL },
        { "of another domain", "'interface': <'mdev'>",
          "'interface': <'mdev'>, 'uuid': <'" MDEV
          "'>, 'state': <'foreign'>, 'profile_id': <'x'>",
          "\"profile_name\":\"x\",\"max_instances\":null,\"video_ram\":null,",
          "\"used_by_vm\":null}]" },
        { "one that is only planned", "'interface': <'mdev'>",
          "'interface': <'mdev'>, 'uuid': <'U'>, 'state': <'planned'>, 'domain': <'d'>", NULL,
          "\"mdev_uuid\"" },
        { "VFs that carry mdevs are no devices",
          "'interface': <'mdev'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': <'free'>}]>",
          NULL, "\"vf_instances\":[]", NULL },
        { "a VF with a type",
          "'interface': <'vendor-vfio'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': "
          "<'used'>, "
          "'profile': <'P'>}]>",
          NULL,
          "{\"vf_pci_address\":\"0001:d6:00.4\",\"vf_profile\":\"P\",\"max_instances\":null,"
          "\"video_ram\":2048,",
          NULL },
        { "one without",
          "'interface': <'vendor-vfio'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': "
          "<'free'>}]>",
          NULL, "\"vf_profile\":\"\",\"max_instances\":null,\"video_ram\":null,", NULL },
        { "one that a domain will have",
          "'interface': <'vendor-vfio'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': "
          "<'free'>}]>",
          "'parent': <'0001:d6:00.4'>, 'state': <'planned'>, 'domain': <'d'>",
          "\"used_by_vm\":\"d\"}", NULL },
        { "a plain VF",
          "'interface': <'vf'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': <'free'>}]>",
          NULL, "\"vf_profile\":\"P\"", NULL },
        { "one that the host keeps",
          "'interface': <'vf'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': <'host'>}]>",
          NULL, "\"vf_instances\":[]", NULL },
        { "one of a GPU that does not answer",
          "'interface': <'vf'>, 'vfs': <[{'address': <'0001:d6:00.4'>, 'state': <'unknown'>}]>",
          NULL, "\"vf_pci_address\":\"0001:d6:00.4\"", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *gpu = g_strdup_printf(
            "[{'address': <'0001:d6:00.0'>, 'profiles': <[{'id': <'p'>, 'name': <'P'>, "
            "'framebuffer_mib': <uint32 2048>, 'num_heads': <uint32 4>, "
            "'max_resolution': <'7680x4320'>}]>, %s}]",
            cases[i].gpu);
        g_autofree char *vgpu =
            g_strdup_printf("[{'gpu': <'0001:d6:00.0'>, %s}]",
                            cases[i].vgpu ? cases[i].vgpu : "'state': <'foreign'>");
        g_autofree char *with_parent =
            strstr(vgpu, "'parent'")
                ? g_strdup(vgpu)
                : g_strdup_printf("[{'parent': <'0001:d6:00.4'>, %s", vgpu + 2);
        g_autoptr(GVariant) gpus = g_variant_ref_sink(g_variant_new_parsed(gpu));
        g_autoptr(GVariant) vgpus = g_variant_ref_sink(g_variant_new_parsed(with_parent));
        g_autofree char *text =
            vgpu_inventory_cloudstack(&(VgpuHostRows) { .gpus = gpus, .vgpus = vgpus }, &lookup);
        g_auto(GStrv) parts = g_strsplit_set(text, " \n", -1);
        g_autofree char *json = g_strjoinv("", parts);

        if ((cases[i].has && !strstr(json, cases[i].has)) ||
            (cases[i].has_not && strstr(json, cases[i].has_not)))
            fail_msg("%s: %s", cases[i].what, json);
    }
}

static void
test_pacemaker(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_pacemaker(&rows);

    inventory_compare("host.pacemaker", text);
}

static void
test_kubernetes(void **state)
{
    g_auto(VgpuHostRows) rows = inventory_rows();
    g_autofree char *text = vgpu_inventory_kubernetes(&rows);

    inventory_compare("host.kubernetes", text);
}

/* Names that Pacemaker and Kubernetes accept. */
static void
test_tokens(void **state)
{
    static const struct {
        const char *profile, *token;
    } cases[] = {
        { "NVIDIA A10-2Q", "NVIDIA_A10-2Q" },
        { "i915-GVTg_V5_4", "i915-GVTg_V5_4" },
        { "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", "NVIDIA_RTX_Pro_6000_Blackwell_DC-1-24Q" },
        { "MIG 1g.24gb+gfx", "MIG_1g.24gb_gfx" },
        { "(x)", "x" },
        { "Gr\xc3\xbc\xc3\x9f", "Gr" },
        { "-._", "" },
        { "01234567890123456789012345678901234567890123456789",
          "012345678901234567890123456789012345678901234567" },
        { "012345678901234567890123456789012345678901234567 9",
          "012345678901234567890123456789012345678901234567" },
        { "01234567890123456789012345678901234567890123456 89",
          "01234567890123456789012345678901234567890123456" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *token = vgpu_inventory_token(cases[i].profile);

        assert_string_equal(token, cases[i].token);
    }
}

/* Only vGPUs of domains count; those that are not made yet have no room yet. */
static void
test_counts(void **state)
{
    static const struct {
        const char *state, *domain;
        guint counts;
    } cases[] = {
        { "active", "a", 1 },  { "attaching", "a", 1 }, { "releasing", "a", 1 },
        { "saved", "a", 1 },   { "planned", "a", 0 },   { "failed", "a", 0 },
        { "active", NULL, 0 }, { "orphan", NULL, 0 },   { "foreign", NULL, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *domain = g_strdup_printf("'domain': <'%s'>, ", cases[i].domain);
        g_autofree char *text = g_strdup_printf("[{%s'profile': <'P 1'>, 'state': <'%s'>}]",
                                                cases[i].domain ? domain : "", cases[i].state);
        g_autoptr(GVariant) vgpus = g_variant_ref_sink(g_variant_new_parsed(text));
        g_autoptr(GVariant) gpus = g_variant_ref_sink(g_variant_new_parsed(
            "[{'profiles': <[{'name': <'P 1'>, 'available': <uint32 2>}]>},"
            " {'profiles': <[{'name': <'P 1'>, 'available': <uint32 3>}, {'name': <'O'>}]>}]"));
        g_autoptr(GPtrArray) counts =
            vgpu_inventory_counts(&(VgpuHostRows) { .gpus = gpus, .vgpus = vgpus });
        const VgpuInventoryCount *first = g_ptr_array_index(counts, 0);
        const VgpuInventoryCount *second = g_ptr_array_index(counts, 1);

        assert_int_equal(counts->len, 2);
        assert_string_equal(first->name, "O");
        assert_int_equal(first->total, 1); /* not known how many */
        assert_string_equal(second->name, "P_1");
        if (second->total != 5 + cases[i].counts)
            fail_msg("%s: %u", cases[i].state, second->total);
    }
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
    g_autofree char *cloudstack = vgpu_inventory_cloudstack(&rows, &lookup);
    g_autofree char *pacemaker = vgpu_inventory_pacemaker(&rows);
    g_autofree char *kubernetes = vgpu_inventory_kubernetes(&rows);

    assert_non_null(strstr(cloudstack, "\"gpus\" : []"));
    assert_string_equal(pacemaker, "");
    assert_string_equal(kubernetes, "[]\n");
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
        cmocka_unit_test(test_pacemaker),  cmocka_unit_test(test_kubernetes),
        cmocka_unit_test(test_tokens),     cmocka_unit_test(test_counts),
        cmocka_unit_test(test_cloudstack), cmocka_unit_test(test_cloudstack_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
