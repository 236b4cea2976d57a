/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor's conclusions from the manager's data: pools, leaks, libvirt's version. */
#include "test.h"

#include <string.h>

#include "daemon/report-doctor.h"
#include "gpu/difference.h"

#define TEXT(literal) ((char *) (literal))
#define GPU_1 "0000:41:00.0"
#define GPU_2 "0000:42:00.0"

/* The rows as "CHECK STATUS DETAIL|FIX", a line each. */
static char *
text_of(GVariantBuilder *list)
{
    g_autoptr(GVariant) rows = g_variant_ref_sink(g_variant_builder_end(list));
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *check = "?", *status = "?", *detail = "?", *fix = "";

        (void) !g_variant_lookup(row, "check", "&s", &check);
        (void) !g_variant_lookup(row, "status", "&s", &status);
        (void) !g_variant_lookup(row, "detail", "&s", &detail);
        (void) !g_variant_lookup(row, "fix", "&s", &fix);
        if ((*fix != '\0') == g_str_equal(status, "ok"))
            fail_msg("%s is %s, and its fix is '%s'", check, status, fix);
        g_string_append_printf(text, "%s %s %s|%s\n", check, status, detail, fix);
    }
    return g_string_free(text, FALSE);
}

static void
expect(const char *what, const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("%s: '%s' is not in\n%s", what, wanted, text);
}

static VgpuInventory *
inventory_new(VgpuInterface first, VgpuInterface second)
{
    static const char *const addresses[] = { GPU_1, GPU_2 };
    const VgpuInterface interfaces[] = { first, second };
    VgpuInventory *inventory = vgpu_inventory_new();

    for (guint i = 0; i < 2; i++) {
        VgpuGpu *gpu = vgpu_gpu_new(addresses[i]);

        gpu->vendor_id = g_strdup("0x10de");
        gpu->product_id = g_strdup("0x25b6");
        gpu->driver_version = i ? NULL : g_strdup("550.90.05");
        gpu->interface = interfaces[i];
        vgpu_inventory_take(inventory, gpu);
    }
    return inventory;
}

/* --- GPUs and libvirt --------------------------------------------------------------------- */

#define NONE VGPU_INTERFACE_NONE
#define MDEV VGPU_INTERFACE_MDEV
#define VENDOR VGPU_INTERFACE_VENDOR_VFIO
#define VF VGPU_INTERFACE_VF

static void
test_versions(void **state)
{
    static const struct {
        const char *what;
        gulong version;
        VgpuInterface first, second;
        const char *row; /* "": none */
    } versions[] = {
        { "not known", 0, MDEV, VENDOR, "" },
        { "no qemu.d", 6004000, MDEV, NONE, "libvirt version fail libvirt 6.4.0 runs no hooks" },
        { "Debian 12, mdevs", 9000000, MDEV, NONE,
          "libvirt version ok libvirt 9.0.0 supports all that these GPUs need, but cannot "
          "migrate" },
        { "Debian 12, the vendor's VFs", 9000000, MDEV, VENDOR,
          "libvirt version warn libvirt 9.0.0 does not support vendor-specific virtual "
          "functions" },
        { "one before that", 9006000, VENDOR, NONE,
          "warn libvirt 9.6.0 does not support vendor-specific" },
        { "no display on VFs", 9007000, VENDOR, NONE,
          "warn libvirt 9.7.0 does not support display" },
        { "the last without", 10002001, VENDOR, NONE,
          "warn libvirt 10.2.1 does not support display" },
        { "display on VFs", 10003000, VENDOR, NONE,
          "ok libvirt 10.3.0 supports all that these GPUs need, but cannot migrate" },
        { "everything", 11003000, VENDOR, MDEV,
          "ok libvirt 11.3.0 supports all that these GPUs need|\n" },
        { "plain VFs, old", 9000000, VF, NONE,
          "ok libvirt 9.0.0 supports all that these GPUs need|" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autoptr(VgpuInventory) inventory = inventory_new(versions[i].first, versions[i].second);
        g_autofree char *text = NULL;
        GVariantBuilder list;

        g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
        vgpu_report_doctor_libvirt_version(&list, versions[i].version, inventory);
        text = text_of(&list);
        expect(versions[i].what, text, versions[i].row);
        if (!*versions[i].row && *text)
            fail_msg("%s: %s", versions[i].what, text);
    }
}

static void
set_vendor(VgpuGpu *gpu, const char *vendor)
{
    g_free(gpu->vendor_id);
    gpu->vendor_id = g_strdup(vendor);
}

static void
test_gpu_count(void **state)
{
    g_autoptr(VgpuInventory) one = inventory_new(MDEV, NONE);
    g_autoptr(VgpuInventory) none = inventory_new(NONE, NONE);
    g_autoptr(VgpuInventory) empty = vgpu_inventory_new();
    g_autofree char *text = NULL;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    vgpu_report_doctor_gpu_count(&list, one);
    vgpu_report_doctor_gpu_count(&list, none);
    ((VgpuGpu *) none->gpus->pdata[1])->vfs_total = 12;
    vgpu_report_doctor_gpu_count(&list, none);
    vgpu_report_doctor_gpu_count(&list, empty);
    set_vendor(one->gpus->pdata[0], "0x1a03");
    vgpu_report_doctor_gpu_count(&list, one);
    set_vendor(one->gpus->pdata[1], "0x102b");
    vgpu_report_doctor_gpu_count(&list, one);
    text = text_of(&list);
    expect("one", text, "gpus ok 1 of 2 GPUs can make vGPUs|\n");
    expect("none", text,
           "gpus warn 0 of 2 GPUs can make vGPUs|load the vendor's vGPU host driver; see");
    expect("one that is off", text,
           "gpus warn 0 of 2 GPUs can make vGPUs|load the vendor's vGPU host driver, then "
           "virt-vgpu gpu-enable " GPU_2 "\n");
    expect("none at all", text,
           "gpu-enable " GPU_2 "\ngpus warn no display controller was found");
    expect("the server's console does not count", text, "gpus warn 0 of 1 GPUs");
    expect("nor are there two of them", text, "of each GPU\ngpus warn no display controller");
}

static void
test_cordoned(void **state)
{
    g_autoptr(VgpuInventory) inventory = inventory_new(MDEV, MDEV);
    g_autoptr(VgpuCordon) fault =
        vgpu_cordon_new("2026-03-01T09:30:00Z", "Xid 79, it is gone; reboot the host",
                        "virtvgpud");
    g_autoptr(VgpuCordon) bare = vgpu_cordon_new("2026-03-01T09:30:00Z", NULL, "root");
    g_autofree char *text = NULL;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    vgpu_report_doctor_cordon(&list, inventory, GPU_1, fault);
    vgpu_report_doctor_cordon(&list, inventory, "0000:99:00.0", bare);
    text = text_of(&list);
    expect("why, and what to do", text,
           "cordoned GPU warn GPU " GPU_1 " is cordoned since 2026-03-01T09:30:00Z by virtvgpud: "
           "Xid 79, it is gone; reboot the host|when it can be used again: virt-vgpu "
           "gpu-uncordon " GPU_1 "\n");
    expect("one that is not there", text,
           "GPU 0000:99:00.0, which does not exist, is cordoned since 2026-03-01T09:30:00Z by "
           "root|");
}

/* --- libvirt's view ----------------------------------------------------------------------- */

static GPtrArray *
differences_of(int numa, guint vfs, bool has_second)
{
    g_autoptr(VgpuInventory) sysfs = inventory_new(MDEV, MDEV);
    g_autoptr(VgpuInventory) libvirt = inventory_new(MDEV, MDEV);
    VgpuGpu *gpu = vgpu_inventory_find(libvirt, GPU_1);

    gpu->numa_node = numa;
    gpu->vfs_total = vfs;
    vgpu_inventory_find(libvirt, GPU_2)->vfs_total = has_second ? 0 : 8;
    return vgpu_difference_list(libvirt, sysfs);
}

static void
test_view(void **state)
{
    g_autoptr(GPtrArray) none = differences_of(-1, 0, true);
    g_autoptr(GPtrArray) one = differences_of(1, 4, true);
    g_autoptr(GPtrArray) both = differences_of(1, 0, false);
    const struct {
        const char *what;
        VgpuLibvirtView view;
        const char *rows;
    } cases[] = {
        { "the same",
          { none, true },
          "libvirt's view ok libvirt and sysfs show the same GPUs|\n" },
        { "two of one GPU",
          { one, true },
          "libvirt's view warn libvirt's view differs of GPU " GPU_1
          ": NUMA node: libvirt 1, sysfs none; largest number of virtual functions: libvirt 4, "
          "sysfs 0|udevadm trigger --action=change /sys/bus/pci/devices/" GPU_1 "; if that" },
        { "one of the first", { both, true }, GPU_1 ": NUMA node: libvirt 1, sysfs none|" },
        { "two GPUs differ: a row for the second",
          { both, true },
          "(or libvirtd)\nlibvirt's view warn" },
        { "nothing was told",
          { NULL, true },
          "warn libvirt has not shown its node devices yet|" },
        { "it hangs", { one, false }, "warn libvirt does not answer queries" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GVariantBuilder list;
        g_autofree char *text = NULL;

        g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
        vgpu_report_doctor_view(&list, &cases[i].view);
        text = text_of(&list);
        expect(cases[i].what, text, cases[i].rows);
    }
}

/* --- VFs that the host keeps --------------------------------------------------------------- */

static void
test_host_vfs(void **state)
{
    static const struct {
        const char *what;
        guint number;
        VgpuRow row;
        const char *wanted;
    } cases[] = {
        { "it is free",
          2,
          { .parent = TEXT("0000:41:00.4"), .state = "active" },
          "host VFs ok VF 2 of GPU " GPU_1 " (0000:41:00.5) is kept for the host|\n" },
        { "a definition names it",
          1,
          { .parent = TEXT("0000:41:00.4"), .state = "planned" },
          "host VFs ok VF 1 of" },
        { "a guest has it",
          1,
          { .parent = TEXT("0000:41:00.4"), .domain = TEXT("web"), .state = "active" },
          "host VFs warn VF 1 of GPU " GPU_1
          " (0000:41:00.4) is kept for the host, but domain 'web' "
          "still has it|stop the domain" },
        { "there is no such VF",
          3,
          { .state = "planned" },
          "host VFs warn host.xml keeps VF 3 of GPU " GPU_1
          " for the host, but the GPU has 2|enable" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) inventory = inventory_new(VF, NONE);
        VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, 0);
        g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
        g_autoptr(GPtrArray) rows = g_ptr_array_new();
        g_autofree char *text = NULL;
        GVariantBuilder list;

        g_ptr_array_add(gpu->vfs, g_strdup("0000:41:00.4"));
        g_ptr_array_add(gpu->vfs, g_strdup("0000:41:00.5"));
        gpu->vfs_enabled = 2;
        g_array_append_val(numbers, cases[i].number);
        vgpu_gpu_keep_host_vfs(gpu, numbers);
        g_ptr_array_add(rows, (gpointer) &cases[i].row);
        g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
        vgpu_report_doctor_host_vfs(&list, inventory, rows);
        text = text_of(&list);
        expect(cases[i].what, text, cases[i].wanted);
    }
}

/* --- leaks -------------------------------------------------------------------------------- */

#define UUID "c0ffee00-0000-4000-8000-000000000001"

static void
test_leaks(void **state)
{
    static const struct {
        const char *what;
        VgpuRow row;
        const char *wanted;
    } leaks[] = {
        { "lost",
          { .uuid = TEXT(UUID),
            .domain = TEXT("web"),
            .parent = TEXT("0000:61:00.4"),
            .state = "failed",
            .is_lost = true },
          "lost vGPU fail vGPU " UUID
          " of the running domain 'web' has vanished from 0000:61:00.4|see" },
        { "in use", { .uuid = TEXT(UUID), .state = "active" }, "leaks ok nothing" },
        { "planned", { .parent = NULL, .state = "planned" }, "leaks ok nothing" },
        { "an orphan",
          { .uuid = TEXT(UUID), .domain = TEXT("web"), .state = "orphan" },
          "leaks fail vGPU " UUID " of domain 'web' is left over from" },
        { "a VF that is stuck",
          { .parent = TEXT("0000:61:00.4"), .state = "stuck" },
          "leaks fail vGPU 0000:61:00.4 of domain '-' has not been removed" },
        { "one that failed",
          { .uuid = TEXT(UUID), .domain = TEXT("web"), .state = "failed" },
          "leaks fail vGPU " UUID " of domain 'web' could not" },
        { "a foreign mdev",
          { .uuid = TEXT(UUID), .gpu = TEXT(GPU_1), .state = "foreign" },
          "foreign vGPU warn vGPU " UUID " on GPU " GPU_1 " takes room, and virt-vgpu did not "
          "make it|if it is not needed: mdevctl stop --uuid " UUID "\nleaks ok" },
        { "a foreign VF",
          { .parent = TEXT("0000:61:00.4"), .gpu = TEXT(GPU_1), .state = "foreign" },
          "echo 0 > /sys/bus/pci/devices/0000:61:00.4/nvidia/current_vgpu_type\nleaks ok" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(leaks); i++) {
        g_autoptr(GPtrArray) rows = g_ptr_array_new();
        g_autofree char *text = NULL;
        GVariantBuilder list;

        g_ptr_array_add(rows, (gpointer) &leaks[i].row);
        g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
        vgpu_report_doctor_leaks(&list, rows);
        text = text_of(&list);
        expect(leaks[i].what, text, leaks[i].wanted);
        if (strstr(leaks[i].wanted, "fail") && strstr(text, "leaks ok"))
            fail_msg("%s: %s", leaks[i].what, text);
    }
}

/* --- pools -------------------------------------------------------------------------------- */

typedef struct {
    const char *xml;      /* of the pool below its name, NULL: the default one */
    const char *gpus[3];  /* that it has */
    const char *users[3]; /* domains */
    bool is_off, autostart;
} PoolCase;

#define MATCH "<source><match vendor='0x10de'/></source>"
#define NAMED "<source><gpu address='" GPU_1 "'/></source>"

static const struct {
    const char *what;
    PoolCase pools[3]; /* named a, b, c */
    const char *broken;
    const char *wanted;   /* "": no rows at all */
    const char *unwanted; /* NULL: nothing */
} pool_cases[] = {
    { "no pools but the default one", .pools = { { NULL, { GPU_1 } } }, .wanted = "" },
    { "all is well", .pools = { { NAMED, { GPU_1 } } }, .wanted = "pools ok 1 besides",
      .unwanted = "warn" },
    { "no GPUs", .pools = { { NAMED } }, .wanted = "pool a warn has no GPUs",
      .unwanted = "pools ok" },
    { "a broken file", .pools = { { NAMED, { GPU_1 } } },
      .broken = "/etc/virt-vgpu/pools/x.xml: line 3: rubbish",
      .wanted = "pools fail /etc/virt-vgpu/pools/x.xml: line 3: rubbish|repair the file",
      .unwanted = "pools ok" },
    { "the driver it needs", .pools = { { NAMED "<driver version='550'/>", { GPU_1 } } },
      .wanted = "pools ok", .unwanted = "fail" },
    { "another driver than it needs", .pools = { { NAMED "<driver version='560'/>", { GPU_1 } } },
      .wanted = "pool a fail needs driver version 560, and GPU " GPU_1 " has 550.90.05",
      .unwanted = "pools ok" },
    { "a driver that does not say",
      .pools = { { MATCH "<driver version='550'/>", { GPU_1, GPU_2 } } },
      .wanted = "and GPU " GPU_2 " has an unknown one", .unwanted = GPU_1 },
    { "its image is there", .pools = { { NAMED "<driverISO path='/dev/null'/>", { GPU_1 } } },
      .wanted = "pools ok" },
    { "its image is missing",
      .pools = { { NAMED "<driverISO path='/nowhere/grid.iso'/>", { GPU_1 } } },
      .wanted = "pool a warn the driver image is missing: domains with driverISO='yes' do not "
                "start|put it where 'virt-vgpu pool-info a' says; virt-vgpu driver-iso --output "
                "FILE",
      .unwanted = "/nowhere" },
    { "in use", .pools = { { NAMED, { GPU_1 }, { "web1" } } }, .wanted = "pools ok 1",
      .unwanted = "web1" },
    { "off without users", .pools = { { NAMED, { GPU_1 }, .is_off = true } },
      .wanted = "pools ok" },
    { "off with users", .pools = { { NAMED, { GPU_1 }, { "web1", "web2" }, .is_off = true } },
      .wanted = "pool a warn is not active, so no vGPU is made from it: 'web1', 'web2'|virt-vgpu "
                "pool-start a, and pool-autostart" },
    { "off, but only for now",
      .pools = { { NAMED, { GPU_1 }, { "web1" }, .is_off = true, .autostart = true } },
      .wanted = "|virt-vgpu pool-start a\n" },
    { "the default one has users", .pools = { { NULL, { GPU_1 }, { "web1" } } }, .wanted = "" },
    { "one names what the other matches", .pools = { { MATCH, { GPU_2 } }, { NAMED, { GPU_1 } } },
      .wanted = "pools ok 2", .unwanted = "matches" },
    { "both match", .pools = { { MATCH, { GPU_1, GPU_2 } }, { MATCH } },
      .wanted = "pool b warn matches GPU " GPU_1
                " and 1 more as pool 'a' does, which comes first|narrow",
      .unwanted = "pool a warn matches" },
};

static VgpuPoolRow *
row_new(const PoolCase *c, guint n)
{
    const char name[] = { (char) ('a' + n), '\0' };
    VgpuPoolRow *row = g_new0(VgpuPoolRow, 1);

    row->name = g_strdup(c->xml ? name : "default");
    row->active = !c->is_off;
    row->autostart = c->autostart;
    row->gpus = g_ptr_array_new_with_free_func(g_free);
    row->users = g_ptr_array_new_with_free_func(g_free);
    row->profiles = g_ptr_array_new();
    row->tenants = g_ptr_array_new();
    for (guint i = 0; i < 3 && c->gpus[i]; i++)
        g_ptr_array_add(row->gpus, g_strdup(c->gpus[i]));
    for (guint i = 0; i < 3 && c->users[i]; i++)
        g_ptr_array_add(row->users, g_strdup(c->users[i]));
    if (c->xml) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml =
            g_strdup_printf("<vgpupool><name>%s</name>%s</vgpupool>", name, c->xml);

        row->pool = vgpu_pool_parse(xml, strlen(xml), "test", &error);
        if (!row->pool)
            fail_msg("%s", error->message);
    }
    return row;
}

static char *
examine_pools(gsize n)
{
    g_autoptr(VgpuInventory) inventory = inventory_new(MDEV, MDEV);
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_pool_row_free);
    g_autoptr(GPtrArray) pools = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_pool_free);
    g_autoptr(GPtrArray) broken = g_ptr_array_new();
    GVariantBuilder list;

    for (guint i = 0; i < 3 && (pool_cases[n].pools[i].xml || pool_cases[n].pools[i].gpus[0]);
         i++) {
        VgpuPoolRow *row = row_new(&pool_cases[n].pools[i], i);

        g_ptr_array_add(rows, row);
        if (row->pool)
            g_ptr_array_add(pools, (gpointer) row->pool);
    }
    if (pool_cases[n].broken)
        g_ptr_array_add(broken, (gpointer) pool_cases[n].broken);
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    vgpu_report_doctor_pools(&list, rows, broken, inventory);
    return text_of(&list);
}

static void
test_pools(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pool_cases); i++) {
        g_autofree char *text = examine_pools(i);

        expect(pool_cases[i].what, text, pool_cases[i].wanted);
        if (!*pool_cases[i].wanted && *text)
            fail_msg("%s: %s", pool_cases[i].what, text);
        if (pool_cases[i].unwanted && strstr(text, pool_cases[i].unwanted))
            fail_msg("%s: '%s' is in\n%s", pool_cases[i].what, pool_cases[i].unwanted, text);
    }
}

/* --- the fleet ---------------------------------------------------------------------------- */

static const struct {
    const char *what;
    bool is_in_fleet, refuses;
    VgpuReservationMode mode;
    bool has_picture, connected;
    guint age_s; /* of the picture, which lasts 60 s */
    const char *wanted;
} fleets[] = {
    { "no fleet", .wanted = "" },
    { "no fleet, but reservations", .mode = VGPU_RESERVATION_REQUIRED,
      .wanted =
          "fleet warn reservation=required, but this host is in no fleet|name etcd's members" },
    { "all is well", true, false, VGPU_RESERVATION_ADVISORY, true, true, 59,
      "fleet ok reservation=advisory: virt-vgpu-fleet has been connected to etcd for 59 s; 1 "
      "domain(s) "
      "for this host, 0 elsewhere|\n" },
    { "off, without an agent", .is_in_fleet = true,
      .wanted = "fleet warn reservation=off: virt-vgpu-fleet has not called since virtvgpud was "
                "started|systemctl status virt-vgpu-fleet" },
    { "advisory, the agent is away", true, false, VGPU_RESERVATION_ADVISORY, true, true, 60,
      "fleet warn reservation=advisory: virt-vgpu-fleet has not called for 60 s; conflicts are "
      "not "
      "noticed|" },
    { "required, etcd is away", true, false, VGPU_RESERVATION_REQUIRED, true, false, 7,
      "fleet warn reservation=required: etcd has not answered virt-vgpu-fleet for 7 s; starts "
      "without "
      "a reservation go on|" },
    { "required, and starts are refused", true, true, VGPU_RESERVATION_REQUIRED, true, false, 7,
      "fleet fail reservation=required: etcd has not answered virt-vgpu-fleet for 7 s; starts "
      "without "
      "a reservation are refused|" },
    { "required, and all is well", true, true, VGPU_RESERVATION_REQUIRED, true, true, 7,
      "fleet ok reservation=required: virt-vgpu-fleet has been" },
};

static void
test_fleet(void **state)
{
    const guint64 second = 1000000000, taken = 1000 * second;
    char *none[] = { NULL }, *some[] = { TEXT("http://etcd1:2379"), NULL };

    for (gsize i = 0; i < G_N_ELEMENTS(fleets); i++) {
        g_autoptr(VgpuFleetPicture) picture =
            vgpu_fleet_picture_new(fleets[i].connected, taken, 60);
        const VgpuFleetConfig config = { .endpoints = fleets[i].is_in_fleet ? some : none,
                                         .reservation = fleets[i].mode,
                                         .refuse_when_parted = fleets[i].refuses };
        g_autofree char *text = NULL;
        GVariantBuilder list;

        assert_true(vgpu_fleet_picture_add(picture, "aaaaaaaa-0000-4000-8000-000000000001",
                                           &(VgpuFleetEntry) { .here = true }, NULL));
        g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
        vgpu_report_doctor_fleet(&list, &config, fleets[i].has_picture ? picture : NULL,
                                 taken + fleets[i].age_s * second);
        text = text_of(&list);
        expect(fleets[i].what, text, fleets[i].wanted);
        if (!*fleets[i].wanted && *text)
            fail_msg("%s: %s", fleets[i].what, text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions), cmocka_unit_test(test_gpu_count),
        cmocka_unit_test(test_cordoned), cmocka_unit_test(test_view),
        cmocka_unit_test(test_host_vfs), cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_pools),    cmocka_unit_test(test_fleet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
