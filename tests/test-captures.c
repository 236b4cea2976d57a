/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory of hosts with real cards, rebuilt from captures. */
#include "test.h"

#include <string.h>

#include "backend/capture.h"
#include "backend/discovery.h"
#include "backend/scan.h"
#include "bundle.h"
#include "captures.h"
#include "cli/capture-json.h"
#include "fake-sysfs.h"
#include "gpu/facts.h"

static char *
description_of(const CaptureType *type)
{
    if (!type->num_heads)
        return NULL;
    return g_strdup_printf("num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%s, "
                           "max_instance=%u",
                           type->num_heads, type->frl, type->fb_mib, type->max_resolution,
                           type->max_instances);
}

static void
make_mdev_types(FakeSysfs *fs, const Capture *capture, const char *parent)
{
    for (const CaptureType *type = capture->types; type->id; type++) {
        g_autofree char *description = description_of(type);

        fake_type_add(fs, parent, type->id, type->name, description, type->available);
    }
}

static void
make_vendor_list(FakeSysfs *fs, const Capture *capture, const char *vf)
{
    GString *rows = g_string_new(NULL);

    for (const CaptureType *type = capture->types; type->id; type++)
        g_string_append_printf(rows, "%-5s : %s\n", type->id + strlen("nvidia-"), type->name);
    fake_vendor_set(fs, vf, rows->str, 0);
    g_string_free(rows, TRUE);
}

static void
make_card(FakeSysfs *fs, const Capture *capture)
{
    fake_gpu_add(fs, capture->address, &capture->pf);
    if (!capture->first_vf) {
        make_mdev_types(fs, capture, capture->address);
        return;
    }
    fake_vfs_add(fs, capture->address, capture->first_vf, capture->vfs_total,
                 capture->vfs_enabled);
    for (guint i = 0; i < capture->vfs_enabled; i++) {
        g_autofree char *vf = fake_vf_address(capture->first_vf, i);

        if (capture->interface == VGPU_INTERFACE_MDEV)
            make_mdev_types(fs, capture, vf);
        else
            make_vendor_list(fs, capture, vf);
    }
}

static void
check_numbers(const Capture *capture, const CaptureType *type, const VgpuProfile *profile)
{
    guint fb_mib = type->fb_mib;

    if (!type->num_heads && type->series) { /* without a description the name tells the size */
        const char *digits = strrchr(type->name, type->series);

        while (g_ascii_isdigit(digits[-1]))
            digits--;
        fb_mib = (guint) g_ascii_strtoull(digits, NULL, 10) * 1024;
        fb_mib = fb_mib ? fb_mib : 512;
    }
    if (profile->fb_mib != fb_mib || profile->num_heads != type->num_heads ||
        profile->frl != type->frl || profile->max_instances != type->max_instances ||
        g_strcmp0(profile->max_resolution, type->max_resolution) != 0)
        fail_msg("%s: %s: %u MiB, %u heads, %u frames, %s, %u at most", capture->what, type->id,
                 profile->fb_mib, profile->num_heads, profile->frl, profile->max_resolution,
                 profile->max_instances);
}

static void
check_meaning(const Capture *capture, const CaptureType *type, const VgpuProfile *profile)
{
    guint limit = type->is_mig || strchr("AB", type->series) ? 1 : 16;

    if (!type->series)
        limit = 0;
    if (!g_str_equal(profile->name, type->name ? type->name : type->id) ||
        vgpu_profile_series(profile) != type->series ||
        vgpu_profile_is_mig(profile) != type->is_mig ||
        !vgpu_profile_license(profile) != !type->series ||
        !vgpu_profile_purpose(profile) != !type->series ||
        vgpu_profile_max_per_domain(profile) != limit)
        fail_msg("%s: %s: '%s', series '%c', %s, %u in a domain", capture->what, type->id,
                 profile->name, vgpu_profile_series(profile),
                 vgpu_profile_is_mig(profile) ? "MIG" : "not MIG",
                 vgpu_profile_max_per_domain(profile));
}

static void
check_profiles(const Capture *capture, const VgpuGpu *gpu)
{
    guint n = 0;

    for (const CaptureType *type = capture->types; type->id; type++, n++) {
        const VgpuProfile *profile = vgpu_gpu_find_profile(gpu, type->id);

        if (!profile)
            fail_msg("%s: %s is missing", capture->what, type->id);
        check_numbers(capture, type, profile);
        check_meaning(capture, type, profile);
        for (guint i = 0; i < gpu->parents->len; i++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
            const VgpuOffer *offer = vgpu_parent_find_offer(parent, type->id);

            if (!offer || offer->available != type->available)
                fail_msg("%s: %s: %u of %s", capture->what, parent->address,
                         offer ? offer->available : 0, type->id);
        }
    }
    if (gpu->profiles->len != n)
        fail_msg("%s: %u profiles instead of %u", capture->what, gpu->profiles->len, n);
}

static void
check_card(const Capture *capture, const VgpuInventory *inventory)
{
    const VgpuGpu *gpu = vgpu_inventory_find(inventory, capture->address);
    guint n_parents = capture->first_vf ? capture->vfs_enabled : 1;

    if (!gpu)
        fail_msg("%s: no GPU at %s", capture->what, capture->address);
    if (gpu->interface != capture->interface || gpu->passed_through ||
        !g_str_equal(gpu->driver, capture->pf.driver) ||
        !g_str_equal(gpu->product_id, capture->pf.device))
        fail_msg("%s: %s, driver %s, product %s", capture->what,
                 vgpu_interface_to_string(gpu->interface), gpu->driver, gpu->product_id);
    if (gpu->parents->len != n_parents || gpu->vfs_total != capture->vfs_total ||
        gpu->vfs_enabled != capture->vfs_enabled || gpu->vfs->len != capture->vfs_enabled)
        fail_msg("%s: %u parents, %u of %u VFs", capture->what, gpu->parents->len,
                 gpu->vfs_enabled, gpu->vfs_total);
    if (gpu->card_mib != capture->card_mib)
        fail_msg("%s: %u MiB in all", capture->what, gpu->card_mib);
    check_profiles(capture, gpu);
}

static void
read_again(const FakeSysfs *fs, const VgpuInventory *inventory)
{
    for (guint i = 0; i < inventory->gpus->len; i++)
        assert_true(vgpu_scan_contents(fake_sysfs_reader(fs),
                                       g_ptr_array_index(inventory->gpus, i), NULL));
}

static void
test_each(void **state)
{
    for (const Capture *capture = captures; capture->what; capture++) {
        g_autoptr(FakeSysfs) fs = fake_sysfs_new();
        g_autoptr(VgpuInventory) inventory = NULL;

        make_card(fs, capture);
        inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
        assert_int_equal(inventory->gpus->len, 1);
        check_card(capture, inventory);
        if (!vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory))
            fail_msg("%s: changed without a change", capture->what);
        read_again(fs, inventory);
        check_card(capture, inventory);
    }
}

/* Those that do not sit in the same slot, all in one host. */
static void
test_together(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (const Capture *capture = captures; capture->what; capture++) {
        if (g_hash_table_add(seen, (char *) capture->address))
            make_card(fs, capture);
    }
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    assert_int_equal(inventory->gpus->len, g_hash_table_size(seen));
    g_hash_table_remove_all(seen);
    for (const Capture *capture = captures; capture->what; capture++) {
        if (g_hash_table_add(seen, (char *) capture->address))
            check_card(capture, inventory);
    }
}

/* Intel's types differ in size and may be mixed: what is left of each falls by memory. */
static void
test_gvt_g(void **state)
{
    static const FakeFunction igpu = { "0x030000", "0x8086", "0x591d", "i915", NULL };
    static const struct {
        const char *id;
        const char *description;
        const char *max_resolution;
        guint available;
    } types[] = {
        { "i915-GVTg_V5_1",
          "low_gm_size: 512MB\nhigh_gm_size: 2048MB\nfence: 4\nresolution: 1920x1200\n"
          "weight: 16\n",
          "1920x1200", 1 },
        { "i915-GVTg_V5_2",
          "low_gm_size: 256MB\nhigh_gm_size: 1024MB\nfence: 4\nresolution: 1920x1200\n"
          "weight: 8\n",
          "1920x1200", 2 },
        { "i915-GVTg_V5_4",
          "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\n"
          "weight: 4\n",
          "1920x1200", 5 },
        { "i915-GVTg_V5_8",
          "low_gm_size: 64MB\nhigh_gm_size: 384MB\nfence: 4\nresolution: 1024x768\nweight: 2\n",
          "1024x768", 7 },
    };
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    const VgpuGpu *gpu;

    fake_gpu_add(fs, "0000:00:02.0", &igpu);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        fake_type_add(fs, "0000:00:02.0", types[i].id, NULL, types[i].description,
                      types[i].available);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = vgpu_inventory_find(inventory, "0000:00:02.0");
    assert_int_equal(gpu->interface, VGPU_INTERFACE_MDEV);
    assert_int_equal(gpu->profiles->len, G_N_ELEMENTS(types));
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        const VgpuOffer *offer =
            vgpu_parent_find_offer(g_ptr_array_index(gpu->parents, 0), types[i].id);

        if (!offer || offer->available != types[i].available ||
            g_strcmp0(offer->profile->max_resolution, types[i].max_resolution) != 0 ||
            !g_str_equal(offer->profile->name, types[i].id) || offer->profile->fb_mib ||
            offer->profile->max_instances || vgpu_profile_series(offer->profile) ||
            vgpu_profile_max_per_domain(offer->profile))
            fail_msg("%s", types[i].id);
    }
}

/* Two GPU instances, reported by NVML; the types that fit them are derived from their names. */
static void
test_mig_facts(void **state)
{
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autoptr(GVariant) facts = g_variant_parse(
        VGPU_FACTS_TYPE,
        "[{'address': <'0000:36:00.0'>, 'mig': <true>, 'gpu_instances': <["
        "{'gi': <uint32 5>, 'profile_id': <uint32 14>, 'profile': <'2g.10gb'>, "
        "'start': <uint32 4>, 'size': <uint32 2>}, "
        "{'gi': <uint32 3>, 'profile_id': <uint32 14>, 'profile': <'2g.10gb'>, "
        "'start': <uint32 0>, 'size': <uint32 2>}]>, 'types': <["
        "{'id': <'nvidia-475'>, 'gi_profile': <uint32 14>, 'max_per_gi': <uint32 1>}]>}]",
        NULL, NULL, NULL);
    const Capture *a100 = captures;
    VgpuGpu *gpu;

    while (!g_str_has_prefix(a100->what, "A100"))
        a100++;
    make_card(fs, a100);
    inventory = vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
    gpu = vgpu_inventory_find(inventory, a100->address);
    vgpu_facts_apply(facts, gpu);
    check_card(a100, inventory);
    assert_true(gpu->is_mig);
    assert_int_equal(gpu->gpu_instances->len, 2);
    assert_int_equal(vgpu_gpu_find_profile(gpu, "nvidia-475")->gi_profile, 14);
    assert_int_equal(vgpu_gpu_find_profile(gpu, "nvidia-474")->gi_profile, -1);
}

/* --- bundles ------------------------------------------------------------------------------ */

static void
add_seen(VgpuCaptureJson *json, GVariant *seen)
{
    static const char *const keys[] = { "files", "links", "unreadable" };
    g_autoptr(GVariant) owned = g_variant_ref_sink(seen);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) by_key = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GVariant) part = g_variant_get_child_value(owned, i);

        g_variant_dict_insert_value(&dict, keys[i], part);
    }
    by_key = g_variant_ref_sink(g_variant_dict_end(&dict));
    vgpu_capture_json_add_seen(json, by_key);
}

/* As doctor writes it. */
static char *
bundle_of(const FakeSysfs *fs)
{
    const VgpuSysfs *sysfs = fake_sysfs_reader(fs);
    g_autoptr(VgpuInventory) inventory = vgpu_discovery_run(sysfs, NULL, NULL);
    g_autoptr(VgpuDisguise) disguise = vgpu_disguise_new("captured");
    g_autoptr(VgpuCaptureJson) json = vgpu_capture_json_new(disguise);

    add_seen(json, vgpu_capture_host(sysfs));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = inventory->gpus->pdata[i];

        add_seen(json, vgpu_capture_function(sysfs, gpu->address));
        for (guint j = 0; j < gpu->vfs->len; j++)
            add_seen(json, vgpu_capture_function(sysfs, gpu->vfs->pdata[j]));
    }
    return vgpu_capture_json_text(json);
}

static VgpuInventory *
inventory_of(const FakeSysfs *fs)
{
    return vgpu_scan(fake_sysfs_reader(fs), NULL, NULL);
}

static void
unpack(const char *what, const char *bundle, FakeSysfs *fs)
{
    const char *why = bundle_unpack(bundle, fs);

    if (why)
        fail_msg("%s: %s", what, why);
}

/* A host and the host rebuilt from its bundle have the same inventory. */
static void
test_round_trip(void **state)
{
    for (const Capture *all = captures; all->what; all++) {
        Capture some = *all; /* not of each VF, which are alike */
        const Capture *capture = &some;
        g_autoptr(FakeSysfs) fs = fake_sysfs_new();
        g_autoptr(FakeSysfs) again = fake_sysfs_new();
        g_autoptr(VgpuInventory) before = NULL;
        g_autoptr(VgpuInventory) after = NULL;
        g_autofree char *bundle = NULL;
        g_autofree char *text_before = NULL;
        g_autofree char *text_after = NULL;
        g_autofree char *same = NULL;

        some.vfs_enabled = MIN(some.vfs_enabled, 2);
        make_card(fs, capture);
        bundle = bundle_of(fs);
        unpack(capture->what, bundle, again);
        before = inventory_of(fs);
        after = inventory_of(again);
        check_card(capture, after);
        text_before = bundle_describe(before);
        text_after = bundle_describe(after);
        if (strcmp(text_before, text_after) != 0)
            fail_msg("%s:\n%s\nis not\n%s", capture->what, text_before, text_after);
        same = bundle_of(again);
        if (strcmp(bundle, same) != 0)
            fail_msg("%s: another bundle", capture->what);
    }
}

#define MADE_UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define SAFE_UUID "00000000-0000-4000-8000-000000000001"

/* vGPUs, groups, a driver's version and quotas: of each family. */
static void
test_round_trip_in_use(void **state)
{
    static const FakeFunction m10_pf = { "0x030000", "0x10de", "0x13bd", "nvidia", "1" };
    static const FakeFunction l40s_pf = { "0x030200", "0x10de", "0x26b9", "nvidia", "0" };
    static const FakeFunction xe_pf = { "0x038000", "0x8086", "0x56c0", "xe", "0" };
    static const char *const wanted[] = {
        "0000:84:00.0 0x10de:0x13bd nvidia 550.90.05 mdev node 1 VFs 0/0 0 MiB\n",
        "  PF 0000:84:00.0 nvidia: nvidia-39=7\n    has nvidia-39 " SAFE_UUID "\n",
        "  VF 0000:61:00.4 nvidia:\n    has nvidia-1150 -\n",
        "  profile vf 'vf' 4096 MiB max 2\n",
    };
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(FakeSysfs) again = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autofree char *bundle = NULL;
    g_autofree char *text = NULL;

    fake_gpu_add(fs, "0000:84:00.0", &m10_pf);
    fake_type_add(fs, "0000:84:00.0", "nvidia-39", "GRID M10-1Q", NULL, 7);
    fake_mdev_add(fs, "0000:84:00.0", "nvidia-39", MADE_UUID, 12);
    fake_attribute_set(fs, "0000:84:00.0", MADE_UUID "/nvidia/vm_name", "payroll");
    fake_attribute_set(fs, "0000:84:00.0", MADE_UUID "/nvidia/vgpu_params",
                       "on=captured.example");
    fake_file_set(fs, "sys/bus/pci/drivers/nvidia/module/version", "550.90.05\n");
    fake_gpu_add(fs, "0000:61:00.0", &l40s_pf);
    fake_vfs_add(fs, "0000:61:00.0", "0000:61:00.4", 32, 1);
    fake_vendor_set(fs, "0000:61:00.4", "", 1150);
    fake_iommu_group_add(fs, "0000:61:00.4", 77);
    fake_gpu_add(fs, "0000:c1:00.0", &xe_pf);
    fake_vfs_add(fs, "0000:c1:00.0", "0000:c1:00.1", 31, 2);
    fake_attribute_set(fs, "0000:c1:00.0", "sriov_admin/vf1/profile/vram_quota", "4294967296");
    fake_attribute_set(fs, "0000:c1:00.0", "sriov_admin/vf2/profile/vram_quota", "4294967296");
    bundle = bundle_of(fs);
    unpack("in use", bundle, again);
    inventory = inventory_of(again);
    text = bundle_describe(inventory);
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (!strstr(text, wanted[i]))
            fail_msg("'%s' is not in\n%s", wanted[i], text);
    }
    assert_non_null(strstr(bundle, "iommu_groups/77"));
    assert_non_null(strstr(bundle, SAFE_UUID "/nvidia/vgpu_params\" : \"on=host.example\""));
    assert_null(strstr(bundle, MADE_UUID));
    assert_null(strstr(bundle, "payroll"));
}

static void
test_foreign_bundles(void **state)
{
#define BUNDLE(files, links)                                                                     \
    "{\"format\": \"" VGPU_CAPTURE_FORMAT "\", \"files\": {" files "}, \"links\": {" links "}}"
    static const struct {
        const char *text;
        const char *why; /* NULL: it is taken */
    } cases[] = {
        { BUNDLE("", ""), NULL },
        { BUNDLE("\"sys/a\": \"1\"", "\"sys/b\": \"sys/a\""), NULL },
        { "", "it is not a JSON object" },
        { "[]", "it is not a JSON object" },
        { "{}", "it is not of the format " VGPU_CAPTURE_FORMAT },
        { "{\"format\": \"virt-vgpu capture 9\"}",
          "it is not of the format " VGPU_CAPTURE_FORMAT },
        { "{\"format\": \"" VGPU_CAPTURE_FORMAT "\", \"files\": {}}", "it lacks files or links" },
        { BUNDLE("\"sys/a\": 1", ""), "a file or link has no text" },
        { BUNDLE("\"sys/../../etc/a\": \"1\"", ""), "it has a path that is not below sys/" },
        { BUNDLE("\"/sys/a\": \"1\"", ""), "it has a path that is not below sys/" },
        { BUNDLE("", "\"sys/a\": \"sys/../../etc\""), "it has a path that is not below sys/" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) fs = fake_sysfs_new();
        const char *why = bundle_unpack(cases[i].text, fs);

        if (g_strcmp0(why, cases[i].why) != 0)
            fail_msg("%s: %s", cases[i].text, why);
    }
}

static bool
is_to_be_written(const char *file)
{
    const char *wanted = g_getenv("VGPU_REGENERATE");
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".json"));

    return wanted && (g_str_equal(wanted, "1") || g_str_equal(wanted, name));
}

/* Captures added by tests/add-capture: NAME.json, and the expected inventory, NAME.out. */
static void
check_bundle(const char *dir, const char *file)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *out =
        g_strdup_printf("%.*s.out", (int) (strlen(path) - strlen(".json")), path);
    g_autoptr(FakeSysfs) fs = fake_sysfs_new();
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autofree char *bundle = NULL;
    g_autofree char *text = NULL;
    g_autofree char *expected = NULL;

    assert_true(g_file_get_contents(path, &bundle, NULL, NULL));
    unpack(file, bundle, fs);
    inventory = inventory_of(fs);
    text = bundle_describe(inventory);
    if (is_to_be_written(file))
        assert_true(g_file_set_contents(out, text, -1, NULL));
    if (!g_file_get_contents(out, &expected, NULL, NULL) || strcmp(text, expected) != 0)
        fail_msg("%s has\n%s\nand now comes to\n%s", out, expected, text);
    if (!vgpu_discovery_is_current(fake_sysfs_reader(fs), inventory))
        fail_msg("%s: changed without a change", file);
}

static void
test_bundles(void **state)
{
    const char *srcdir = g_getenv("top_srcdir"), *elsewhere = g_getenv("VGPU_CAPTURES");
    g_autofree char *path =
        elsewhere ? g_strdup(elsewhere)
                  : g_build_filename(srcdir ? srcdir : ".", "tests", "captures", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;

    assert_non_null(dir);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".json")) {
            check_bundle(path, name);
            n++;
        }
    }
    assert_true(n > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_gvt_g),
        cmocka_unit_test(test_mig_facts),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_in_use),
        cmocka_unit_test(test_foreign_bundles),
        cmocka_unit_test(test_bundles),
    };

    if (g_getenv("VGPU_REGENERATE")) /* nothing else is of interest */
        cmocka_set_test_filter("test_bundles");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
