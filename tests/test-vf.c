/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain VFs: a VF is the vGPU. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backend/scan.h"
#include "backend/vf.h"
#include "base/error.h"
#include "fake-sysfs.h"

#define PF "0000:c1:00.0"
#define VF "0000:c1:02.0"

static const FakeFunction s7150 = { "0x030000", "0x1002", "0x6929", "gim", "0" };
static const FakeFunction flex = { "0x038000", "0x8086", "0x56c0", "xe", "0" };
static const VgpuPlace place = { .parent = VF, .profile_id = "vf", .uuid = "unused" };

static FakeSysfs *fs;
static int open_errno; /* of /dev/vfio/GROUP */
static guint n_writes; /* attributes that were opened for that */

int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
    n_writes += (flags & O_ACCMODE) == O_WRONLY;
    if (open_errno && g_str_has_prefix(path, "dev/vfio/")) {
        errno = open_errno;
        return -1;
    }
    return __real_openat(dir, path, flags);
}

static int
setup(void **state)
{
    open_errno = 0;
    n_writes = 0;
    fs = fake_sysfs_new();
    fake_gpu_add(fs, PF, &s7150);
    fake_vfs_add(fs, PF, VF, 16, 4);
    fake_driver_bind(fs, VF, NULL);
    return 0;
}

static int
teardown(void **state)
{
    fake_sysfs_free(fs);
    return 0;
}

static const VgpuBackend *
backend(void)
{
    return vgpu_backend_get(VGPU_INTERFACE_VF);
}

static VgpuGpu *
make_gpu(const char *driver)
{
    VgpuGpu *gpu = vgpu_gpu_new(PF);

    gpu->driver = g_strdup(driver);
    gpu->vfs_enabled = 4;
    for (guint n = 0; n < gpu->vfs_enabled; n++)
        g_ptr_array_add(gpu->vfs, fake_vf_address(VF, n));
    return gpu;
}

/* A reading begins with a parent that has no offers. */
static void
read_again(VgpuGpu *gpu, VgpuParent *vf)
{
    g_ptr_array_set_size(vf->offers, 0);
    assert_true(backend()->read_offers(fake_sysfs_reader(fs), gpu, vf, NULL));
}

static void
test_offers(void **state)
{
    g_autoptr(VgpuGpu) gpu = make_gpu("gim");
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);
    VgpuParent *next = vgpu_gpu_add_parent(gpu, "0000:c1:02.1", true);
    const VgpuProfile *profile;

    assert_true(backend()->read_offers(fake_sysfs_reader(fs), gpu, vf, NULL));
    assert_true(backend()->read_offers(fake_sysfs_reader(fs), gpu, next, NULL));
    backend()->read_instances(fake_sysfs_reader(fs), vf);
    assert_int_equal(gpu->profiles->len, 1);
    profile = vgpu_gpu_find_profile(gpu, "vf");
    assert_string_equal(profile->name, "vf");
    assert_int_equal(profile->max_instances, 4);
    assert_int_equal(vgpu_profile_max_per_domain(profile), 0);
    assert_int_equal(vf->instances->len, 0);
    assert_int_equal(vgpu_parent_find_offer(vf, "vf")->available, 1);
    assert_int_equal(vgpu_parent_find_offer(next, "vf")->available, 1);

    fake_gpu_remove(fs, VF, false);
    read_again(gpu, vf);
    read_again(gpu, next);
    assert_int_equal(vgpu_parent_find_offer(vf, "vf")->available, 0);
    assert_int_equal(vgpu_parent_find_offer(next, "vf")->available, 1);
}

#define GIM_SIZE "sys/module/gim/parameters/vf_fb"
#define XE_QUOTA "sys/bus/pci/devices/" PF "/sriov_admin/vf1/profile/vram_quota"

static void
test_framebuffer(void **state)
{
    static const struct {
        const char *what;
        const FakeFunction *pf;
        const char *path; /* NULL: no such file */
        const char *text;
        guint fb_mib;
    } cases[] = {
        { "GIM says nothing", &s7150, NULL, NULL, 0 },
        { "GIM was told a size", &s7150, GIM_SIZE, "512\n", 512 },
        { "GIM splits by itself", &s7150, GIM_SIZE, "0\n", 0 },
        { "GIM's word for nothing", &s7150, GIM_SIZE, "4294967295\n", 0 },
        { "no number", &s7150, GIM_SIZE, "auto\n", 0 },
        { "xe says nothing", &flex, NULL, NULL, 0 },
        { "xe gives bytes", &flex, XE_QUOTA, "2147483648\n", 2048 },
        { "xe gives more than 4 GiB", &flex, XE_QUOTA, "12884901888\n", 12288 },
        { "xe gives none", &flex, XE_QUOTA, "0\n", 0 },
        { "no number of bytes", &flex, XE_QUOTA, "max\n", 0 },
        { "another driver's size", &flex, GIM_SIZE, "512\n", 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) host = fake_sysfs_new();
        g_autoptr(VgpuGpu) gpu = make_gpu(cases[i].pf->driver);
        VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);

        fake_gpu_add(host, PF, cases[i].pf);
        fake_vfs_add(host, PF, VF, 16, 4);
        if (cases[i].path)
            fake_file_set(host, cases[i].path, cases[i].text);
        assert_true(backend()->read_offers(fake_sysfs_reader(host), gpu, vf, NULL));
        if (vgpu_gpu_find_profile(gpu, "vf")->fb_mib != cases[i].fb_mib)
            fail_msg("%s: %u MiB", cases[i].what, vgpu_gpu_find_profile(gpu, "vf")->fb_mib);
    }
}

/* xe gives each VF a share of its own; the profile, which they all have, has a size only if it is theirs. */
static void
test_quotas(void **state)
{
    static const struct {
        const char *what;
        guint mib[4]; /* of VFs 1 to 4; 0: there is no such file */
        guint fb_mib;
    } cases[] = {
        { "all alike", { 2048, 2048, 2048, 2048 }, 2048 },
        { "the second one is larger", { 2048, 4096, 2048, 2048 }, 0 },
        { "the last one is smaller", { 4096, 4096, 4096, 1024 }, 0 },
        { "the third has no size", { 2048, 2048, 0, 2048 }, 0 },
        { "the first has no size", { 0, 2048, 2048, 2048 }, 0 },
        { "each its own", { 1024, 2048, 4096, 8192 }, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) host = fake_sysfs_new();
        g_autoptr(VgpuInventory) inventory = NULL;
        const VgpuGpu *gpu;

        fake_gpu_add(host, PF, &flex);
        fake_vfs_add(host, PF, VF, 16, 4);
        for (guint n = 0; n < 4; n++) {
            g_autofree char *path =
                g_strdup_printf("sys/bus/pci/devices/" PF "/sriov_admin/vf%u/profile/vram_quota",
                                n + 1);
            g_autofree char *bytes =
                g_strdup_printf("%" G_GUINT64_FORMAT "\n", (guint64) cases[i].mib[n] << 20);

            if (cases[i].mib[n])
                fake_file_set(host, path, bytes);
        }
        inventory = vgpu_scan(fake_sysfs_reader(host), NULL, NULL);
        gpu = g_ptr_array_index(inventory->gpus, 0);
        for (guint n = 0; n < 4; n++)
            assert_int_equal(((const VgpuParent *) gpu->parents->pdata[n])->fb_mib,
                             cases[i].mib[n]);
        if (vgpu_gpu_find_profile(gpu, "vf")->fb_mib != cases[i].fb_mib)
            fail_msg("%s: %u MiB", cases[i].what, vgpu_gpu_find_profile(gpu, "vf")->fb_mib);
    }
    (void) state;
}

#define UNKNOWN "it is unknown whether a process has VF " VF " open"

static void
test_create(void **state)
{
    static const struct {
        const char *what;
        const char *vf;
        const char *profile_id;
        const char *driver; /* of the VF */
        int open_errno;
        const char *text; /* in the error; NULL: made */
    } cases[] = {
        { "unbound", VF, "vf", NULL, 0, NULL },
        { "ready for guests", VF, "vf", "vfio-pci", 0, NULL },
        { "with a driver of the host", VF, "vf", "amdgpu", 0, NULL },
        { "its group has no node yet", VF, "vf", NULL, ENOENT, NULL },
        { "it is open", VF, "vf", "vfio-pci", EBUSY, "a process has VF " VF " open" },
        { "not allowed to ask", VF, "vf", "vfio-pci", EACCES, UNKNOWN },
        { "not allowed to ask, by the kernel", VF, "vf", "vfio-pci", EPERM, UNKNOWN },
        { "no descriptor is left", VF, "vf", "vfio-pci", EMFILE, UNKNOWN },
        { "the driver fails", VF, "vf", "vfio-pci", EIO, UNKNOWN },
        { "gone", "0000:c1:02.5", "vf", NULL, 0, "VF 0000:c1:02.5 no longer exists" },
        { "a profile of another family", VF, "nvidia-1150", NULL, 0, "has no profile nvidia" },
    };

    fake_iommu_group_add(fs, VF, 31);
    fake_vfio_group_add(fs, 31);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuPlace where = { .parent = cases[i].vf, .profile_id = cases[i].profile_id };
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        bool made;

        open_errno = cases[i].open_errno;
        fake_driver_bind(fs, VF, cases[i].driver);
        made = backend()->create(fake_sysfs_reader(fs), &where, &making, &error);
        if (made != !cases[i].text || making.existed)
            fail_msg("%s: %s", cases[i].what, made ? "made" : error->message);
        if (error && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER) ||
                      !strstr(error->message, cases[i].text)))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
}

#define DEVICE "sys/bus/pci/devices/" VF
#define CLIENTS "sys/kernel/debug/dri/1/clients"
/* as Linux 6.1 has it, and 6.14 */
#define HEADING "             command  tgid dev master a   uid      magic\n"
#define ROW "          gst:render  4711 129   n    y  1000          0\n"
#define LONG_ROW                                                                                 \
    "                Xorg 12345678   1   y    y     0          0             <unset>        "    \
    "12\n"

/* The nodes of two VFs; this process has one of them open. */
static void
test_host_uses(void **state)
{
    static const struct {
        const char *what;
        const char *driver;
        const char *opened;  /* below /dev/dri, NULL: none */
        const char *clients; /* what the kernel tells, NULL: nothing */
        const char *text;    /* in the error; NULL: made */
    } cases[] = {
        { "no node is open", "i915", NULL, NULL, NULL },
        { "its render node is", "i915", "renderD129", NULL,
          "the host uses VF " VF ": renderD129 is open" },
        { "its card is", "xe", "card1", NULL, ": card1 is open" },
        { "another VF's is", "i915", "renderD130", NULL, NULL },
        { "a file of that name is", "i915", "old/renderD129", NULL, NULL },
        { "ready for guests", "vfio-pci", "renderD129", NULL, NULL },
        { "unbound", NULL, "renderD129", NULL, NULL },
        { "the kernel lists no client", "i915", NULL, HEADING, NULL },
        { "the kernel knows better", "i915", "renderD129", HEADING, NULL },
        { "the kernel knows of one", "i915", NULL, HEADING ROW, ": renderD129 is open" },
        { "the kernel knows of two", "i915", NULL, HEADING LONG_ROW ROW, ": card1 is open" },
        { "the kernel speaks in riddles", "i915", NULL, HEADING "?\n", ": card1 is open" },
    };
    static const char *const files[] = {
        DEVICE "/drm/card1/dev",      DEVICE "/drm/card1-DP-1/status",
        DEVICE "/drm/renderD129/dev", "dev/dri/card1",
        "dev/dri/renderD129",         "dev/dri/renderD130",
        "dev/dri/old/renderD129"
    };
    int root = vgpu_sysfs_root_fd(fake_sysfs_reader(fs));

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        fake_file_set(fs, files[i], "");
    assert_int_equal(symlinkat("/proc", root, "proc"), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("dev/dri/", cases[i].opened, NULL);
        int fd = cases[i].opened ? openat(root, path, O_RDONLY | O_CLOEXEC) : -1;
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        bool made;

        fake_driver_bind(fs, VF, cases[i].driver);
        if (cases[i].clients)
            fake_file_set(fs, CLIENTS, cases[i].clients);
        made = backend()->create(fake_sysfs_reader(fs), &place, &making, &error);
        if (fd >= 0)
            close(fd);
        if (made != !cases[i].text ||
            (error && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER) ||
                       !strstr(error->message, cases[i].text))))
            fail_msg("%s: %s", cases[i].what, made ? "made" : error->message);
    }
}

/* VFs of named PFs, of any class: the file that decides, in a tree where nothing is in use. */
static void
test_host_uses_others(void **state)
{
#define BLOCK "sys/class/block/"
    static const struct {
        const char *what, *class, *path, *text;
        const char *reason; /* NULL: made */
    } cases[] = {
        { "an interface that is down", "0x020000", DEVICE "/net/eth3/flags", "0x1002", NULL },
        { "one that is up", "0x020000", DEVICE "/net/eth3/flags", "0x1003", "eth3 is up" },
        { "one that is not seen", "0x020000", NULL, NULL, "may belong to a container" },
        { "no interface, and none of its class", "0x010802", NULL, NULL, NULL },
        { "an unused disk", "0x010802", "proc/1/mountinfo",
          "36 35 8:1 / / rw - ext4 /dev/sda1 rw", NULL },
        { "a mounted disk", "0x010802", "proc/1/mountinfo",
          "36 35 8:1 / / rw - ext4 /dev/sda1 rw\n37 36 259:1 / /srv rw shared:1 - xfs /dev/x rw",
          "/dev/nvme1n1p1 is mounted" },
        { "one of several of a file system", "0x010802", "proc/1/mountinfo",
          "37 36 0:44 / /srv rw - btrfs /dev/nvme1n1p1 rw", "/dev/nvme1n1p1 is mounted" },
        { "a disk of LVM", "0x010802", BLOCK "nvme1n1/holders/dm-0/x", "",
          "dm-0 is on /dev/nvme1n1" },
        { "swap space", "0x010802", "proc/swaps",
          "Filename Type\n/dev/nvme1n1p1 partition 1 0 -2", "/dev/nvme1n1p1 is swap space" },
        { "an NVMe namespace with several paths", "0x010802", BLOCK "nvme7n1/holders/md0/x", "",
          "md0 is on /dev/nvme7n1" },
    };
    static const struct {
        const char *name, *below, *number;
    } disks[] = {
        { "nvme1n1", "0000:c1:02.0/nvme/nvme1", "259:0" },
        { "nvme1n1p1", "0000:c1:02.0/nvme/nvme1/nvme1n1", "259:1" },
        { "nvme7c3n1", "0000:c1:02.0/nvme/nvme3", NULL },
        { "nvme7n1", "virtual/nvme-subsystem/nvme-subsys7", "259:9" },
        { "nvme71n1", "0000:c1:02.1/nvme/nvme71", "259:19" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        bool made;

        (void) teardown(NULL);
        (void) setup(NULL);
        fake_driver_bind(fs, VF, "nvme");
        fake_file_set(fs, DEVICE "/class", cases[i].class);
        fake_file_set(fs, "proc/1/mountinfo", "");
        fake_file_set(fs, "proc/swaps", "");
        for (gsize j = 0; g_str_equal(cases[i].class, "0x010802") && j < G_N_ELEMENTS(disks);
             j++) {
            g_autofree char *dir =
                g_strdup_printf("sys/devices/%s/%s", disks[j].below, disks[j].name);
            g_autofree char *number = g_strconcat(dir, "/dev", NULL);
            g_autofree char *target = g_strconcat("../../../", dir, NULL);
            g_autofree char *link = g_strconcat(BLOCK, disks[j].name, NULL);

            fake_file_set(fs, number, disks[j].number ? disks[j].number : "");
            fake_file_set(fs, BLOCK "none", "");
            assert_int_equal(symlinkat(target, vgpu_sysfs_root_fd(fake_sysfs_reader(fs)), link),
                             0);
        }
        if (cases[i].path)
            fake_file_set(fs, cases[i].path, cases[i].text);
        made = backend()->create(fake_sysfs_reader(fs), &place, &making, &error);
        if (made != !cases[i].reason || (error && !strstr(error->message, cases[i].reason)))
            fail_msg("%s: %s", cases[i].what, made ? "made" : error->message);
    }
}

/* Which driver it has is known as of the moment. */
static void
test_driver(void **state)
{
    g_autoptr(VgpuGpu) gpu = make_gpu("i915");
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);

    gpu->interface = VGPU_INTERFACE_VF;
    fake_driver_bind(fs, VF, "i915");
    read_again(gpu, vf);
    assert_string_equal(vf->driver, "i915");
    assert_true(vgpu_gpu_shares_with_host(gpu, vf));
    fake_driver_bind(fs, VF, "vfio-pci");
    read_again(gpu, vf);
    assert_false(vgpu_gpu_shares_with_host(gpu, vf));
    fake_driver_bind(fs, VF, NULL);
    read_again(gpu, vf);
    assert_null(vf->driver);
    assert_false(vgpu_gpu_shares_with_host(gpu, vf));
}

static void
test_look(void **state)
{
    static const VgpuPlace nowhere = { .uuid = "unused" };
    g_auto(VgpuPresence) seen = backend()->look(fake_sysfs_reader(fs), &place);
    g_auto(VgpuPresence) unknown = backend()->look(fake_sysfs_reader(fs), &nowhere);
    g_auto(VgpuPresence) gone = { 0 };

    assert_true(seen.exists);
    assert_string_equal(seen.parent, VF);
    assert_string_equal(seen.profile_id, "vf");
    assert_false(unknown.exists);

    fake_gpu_remove(fs, VF, false);
    gone = backend()->look(fake_sysfs_reader(fs), &place);
    assert_false(gone.exists);
    assert_null(gone.parent);
    assert_null(gone.profile_id);
}

/* Nothing is written, ever. */
static void
test_nothing_to_write(void **state)
{
    assert_int_equal(backend()->remove(fake_sysfs_reader(fs), &place), 0);
    fake_gpu_remove(fs, VF, false);
    assert_int_equal(backend()->remove(fake_sysfs_reader(fs), &place), 0);
    assert_int_equal(n_writes, 0);
    assert_null(backend()->write_params);
    assert_null(backend()->removal_grace);
}

static void
test_use(void **state)
{
    static const struct {
        const char *what;
        int open_errno;
        bool has_cdev; /* a node of its own, of the newer interface */
        VgpuUse use;
    } cases[] = {
        { "no node", 0, false, VGPU_USE_FREE }, /* nor is there a file */
        { "in use", EBUSY, false, VGPU_USE_USED },
        { "not allowed to ask", EACCES, false, VGPU_USE_UNKNOWN },
        { "not allowed to ask, by the kernel", EPERM, false, VGPU_USE_UNKNOWN },
        { "no descriptor is left", EMFILE, false, VGPU_USE_UNKNOWN },
        { "no descriptor is left on the host", ENFILE, false, VGPU_USE_UNKNOWN },
        { "the driver fails", EIO, false, VGPU_USE_UNKNOWN },
        { "no such device", ENODEV, false, VGPU_USE_UNKNOWN },
        { "only a node of its own", 0, true, VGPU_USE_UNKNOWN },
    };

    open_errno = EBUSY;
    assert_int_equal(backend()->use(fake_sysfs_reader(fs), &place), VGPU_USE_FREE); /* no group */
    fake_iommu_group_add(fs, VF, 31);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuUse use;

        if (cases[i].has_cdev)
            fake_attribute_set(fs, VF, "vfio-dev/vfio0/dev", "511:0");
        open_errno = cases[i].open_errno;
        use = backend()->use(fake_sysfs_reader(fs), &place);
        if (use != cases[i].use)
            fail_msg("%s: %d", cases[i].what, (int) use);
    }
    fake_vfio_group_add(fs, 31);
    assert_int_equal(backend()->use(fake_sysfs_reader(fs), &place), VGPU_USE_FREE);
}

/* With only a node of its own, the use is unknown. */
static void
test_create_without_groups(void **state)
{
    g_autoptr(GError) error = NULL;
    VgpuMaking making = { 0 };

    fake_attribute_set(fs, VF, "vfio-dev/vfio0/dev", "511:0");
    assert_false(backend()->create(fake_sysfs_reader(fs), &place, &making, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER));
    assert_string_equal(error->message, UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offers, setup, teardown),
        cmocka_unit_test(test_framebuffer),
        cmocka_unit_test(test_quotas),
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_host_uses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_host_uses_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_driver, setup, teardown),
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_to_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_without_groups, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
