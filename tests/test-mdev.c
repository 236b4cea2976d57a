/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mediated devices. The test plays the kernel's part of a write, since a file cannot refuse it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "backend/backend.h"
#include "base/error.h"
#include "fake-sysfs.h"

#define GPU "0000:41:00.0"
#define TYPE "nvidia-746"
#define UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"

static const FakeFunction a2 = { "0x030200", "0x10de", "0x25b6", "nvidia", "0" };

/* The effect of the next write, and its content. */
static struct {
    FakeSysfs *fs;
    int err;
    bool make;     /* the device appears */
    bool bare;     /* without the link to its group */
    int stays;     /* the errno value of its removal, 0: it goes */
    guint late_ms; /* so much later than the write comes back */
    char *path;
    char *text;
    GThread *later;
    int open_errno; /* of /dev/vfio/GROUP */
} kernel;

int __wrap_vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text);

static gpointer
make_later(gpointer data G_GNUC_UNUSED)
{
    g_usleep(kernel.late_ms * 1000);
    fake_mdev_add(kernel.fs, GPU, TYPE, UUID, 12);
    return NULL;
}

int
__wrap_vgpu_sysfs_write(const VgpuSysfs *self G_GNUC_UNUSED, const char *path, const char *text)
{
    g_free(kernel.path);
    g_free(kernel.text);
    kernel.path = g_strdup(path);
    kernel.text = g_strdup(text);
    if (kernel.bare && g_str_has_suffix(path, "/remove")) {
        if (!kernel.stays)
            fake_mdev_remove(kernel.fs, UUID);
        return kernel.stays;
    }
    if (kernel.make && kernel.late_ms)
        kernel.later = g_thread_new("kernel", make_later, NULL);
    else if (kernel.make)
        make_later(NULL);
    if (kernel.make && kernel.bare)
        fake_attribute_set(kernel.fs, GPU, UUID "/iommu_group", NULL);
    return kernel.err;
}

int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
    if (kernel.open_errno && g_str_has_prefix(path, "dev/vfio/")) {
        errno = kernel.open_errno;
        return -1;
    }
    return __real_openat(dir, path, flags);
}

static int
setup(void **state)
{
    kernel.fs = fake_sysfs_new();
    fake_gpu_add(kernel.fs, GPU, &a2);
    fake_type_add(kernel.fs, GPU, TYPE, "NVIDIA A2-4Q", "framebuffer=4096M, max_instance=4", 3);
    fake_type_add(kernel.fs, GPU, "nvidia-36", NULL, NULL, 0);
    return 0;
}

static int
teardown(void **state)
{
    g_clear_pointer(&kernel.later, g_thread_join);
    fake_sysfs_free(kernel.fs);
    g_free(kernel.path);
    g_free(kernel.text);
    memset(&kernel, 0, sizeof(kernel));
    return 0;
}

static const VgpuBackend *
mdev(void)
{
    return vgpu_backend_get(VGPU_INTERFACE_MDEV);
}

static void
test_table(void **state)
{
    assert_int_equal(mdev()->interface, VGPU_INTERFACE_MDEV);
    assert_null(vgpu_backend_get(VGPU_INTERFACE_NONE));
    assert_int_equal(vgpu_backend_get(VGPU_INTERFACE_VF)->interface, VGPU_INTERFACE_VF);
    assert_int_equal(vgpu_backend_get(VGPU_INTERFACE_VENDOR_VFIO)->interface,
                     VGPU_INTERFACE_VENDOR_VFIO);
    assert_null(mdev()->read_instances); /* they have UUIDs to be found by */
}

static void
test_offers(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(GPU);
    VgpuParent *pf = vgpu_gpu_add_parent(gpu, GPU, false);
    const VgpuSysfs *sysfs = fake_sysfs_reader(kernel.fs);

    assert_true(mdev()->read_offers(sysfs, gpu, pf, NULL));
    assert_int_equal(pf->offers->len, 2);
    assert_int_equal(vgpu_parent_find_offer(pf, TYPE)->available, 3);
    assert_int_equal(vgpu_gpu_find_profile(gpu, TYPE)->fb_mib, 4096);
    assert_string_equal(vgpu_gpu_find_profile(gpu, "nvidia-36")->name, "nvidia-36");

    /* the next reading, of a parent without offers again */
    fake_type_set_available(kernel.fs, GPU, TYPE, 2);
    g_ptr_array_set_size(pf->offers, 0);
    assert_true(mdev()->read_offers(sysfs, gpu, pf, NULL));
    assert_int_equal(pf->offers->len, 2);
    assert_int_equal(vgpu_parent_find_offer(pf, TYPE)->available, 2);
    assert_int_equal(gpu->profiles->len, 2);
}

static void
test_create(void **state)
{
    static const struct {
        const char *what;
        int err;
        bool make;
        guint late_ms;
        int code; /* -1: made */
        const char *text;
    } cases[] = {
        { "at once", 0, true, 0, -1, NULL },
        { "a little later", 0, true, 100, -1, NULL },
        { "the UUID is taken", EEXIST, false, 0, VGPU_ERROR_BUSY, "File exists" },
        { "NVIDIA's refusal", EIO, false, 0, VGPU_ERROR_DRIVER, "Input/output error" },
        { "no room", ENOSPC, false, 0, VGPU_ERROR_DRIVER, "No space left" },
        { "unplugged", ENODEV, false, 0, VGPU_ERROR_DRIVER, "No such device" },
        { "no such type", ENOENT, false, 0, VGPU_ERROR_DRIVER, "No such file" },
        { "no device appears", 0, false, 0, VGPU_ERROR_DRIVER, "appeared" },
    };
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        bool made;

        setup(NULL);
        kernel.err = cases[i].err;
        kernel.make = cases[i].make;
        kernel.late_ms = cases[i].late_ms;
        made = mdev()->create(fake_sysfs_reader(kernel.fs), &place, &making, &error);
        if (made != (cases[i].code < 0))
            fail_msg("%s: %s", cases[i].what, made ? "made" : error->message);
        if (error && (!g_error_matches(error, VGPU_ERROR, cases[i].code) ||
                      !strstr(error->message, cases[i].text) || !strstr(error->message, GPU)))
            fail_msg("%s: %d %s", cases[i].what, error->code, error->message);
        assert_string_equal(kernel.path,
                            "sys/class/mdev_bus/" GPU "/mdev_supported_types/" TYPE "/create");
        assert_string_equal(kernel.text, UUID);
        teardown(NULL);
    }
}

/* A device that never becomes usable for QEMU is removed, or else reported. */
static void
test_create_undone(void **state)
{
    static const struct {
        const char *what;
        int stays;
        bool left;
    } cases[] = {
        { "it goes", 0, false },
        { "its driver keeps it", EIO, true },
        { "its driver is in the middle of something", EAGAIN, true },
    };
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        g_auto(VgpuPresence) seen = { 0 };

        setup(NULL);
        kernel.make = kernel.bare = true;
        kernel.stays = cases[i].stays;
        assert_false(mdev()->create(fake_sysfs_reader(kernel.fs), &place, &making, &error));
        assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER));
        assert_non_null(strstr(error->message, "appeared: it has no IOMMU group"));
        assert_true(making.futile);
        seen = mdev()->look(fake_sysfs_reader(kernel.fs), &place);
        if (seen.exists != cases[i].left || making.left != cases[i].left)
            fail_msg("%s: %d, told as %d", cases[i].what, seen.exists, making.left);
        teardown(NULL);
    }
}

static void
test_look(void **state)
{
    const VgpuPlace place = { .uuid = UUID };
    const VgpuSysfs *sysfs = fake_sysfs_reader(kernel.fs);
    g_auto(VgpuPresence) none = mdev()->look(sysfs, &place);
    g_auto(VgpuPresence) seen = { 0 };
    g_auto(VgpuPresence) bare = { 0 };

    assert_false(none.exists);
    assert_null(none.parent);
    assert_null(none.profile_id);

    fake_mdev_add(kernel.fs, GPU, TYPE, UUID, 12);
    seen = mdev()->look(sysfs, &place);
    assert_true(seen.exists);
    assert_string_equal(seen.parent, GPU);
    assert_string_equal(seen.profile_id, TYPE);

    fake_attribute_set(kernel.fs, GPU, UUID "/mdev_type", NULL);
    bare = mdev()->look(sysfs, &place);
    assert_true(bare.exists);
    assert_string_equal(bare.parent, GPU);
    assert_null(bare.profile_id);

    assert_string_equal(bare.unusable, "its type is unknown (it has no mdev_type)");
    assert_null(seen.unusable);

    vgpu_presence_clear(&seen);
    assert_false(seen.exists);
    assert_null(seen.parent);
}

/* It exists for certain, and QEMU cannot open it. */
static void
test_look_unusable(void **state)
{
    static const struct {
        const char *lacks;
        const char *text;
    } cases[] = {
        { "driver", "kernels before 5.16 need 'modprobe vfio_mdev'" },
        { "iommu_group", "it has no IOMMU group" },
        { "mdev_type", "its type is unknown" },
    };
    const VgpuPlace place = { .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *link = g_strdup_printf(UUID "/%s", cases[i].lacks);
        g_auto(VgpuPresence) seen = { 0 };

        setup(NULL);
        fake_mdev_add(kernel.fs, GPU, TYPE, UUID, 12);
        fake_attribute_set(kernel.fs, GPU, link, NULL);
        seen = mdev()->look(fake_sysfs_reader(kernel.fs), &place);
        assert_true(seen.exists);
        if (!seen.unusable || !strstr(seen.unusable, cases[i].text))
            fail_msg("%s: %s", cases[i].lacks, seen.unusable);
        teardown(NULL);
    }
}

static gpointer
add_group_later(gpointer data G_GNUC_UNUSED)
{
    g_usleep(300000);
    fake_iommu_group_add(kernel.fs, GPU "/" UUID, 12);
    return NULL;
}

/* Links may come after the directory. */
static void
test_create_late_group(void **state)
{
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };
    VgpuMaking making = { 0 };

    kernel.make = kernel.bare = true;
    kernel.later = g_thread_new("kernel", add_group_later, NULL);
    assert_true(mdev()->create(fake_sysfs_reader(kernel.fs), &place, &making, NULL));
    assert_string_equal(kernel.text, UUID); /* nothing was removed */
}

static void
test_remove(void **state)
{
    static const struct {
        const char *what;
        int err;
    } cases[] = {
        { "done", 0 },
        { "no such device", ENOENT },
        { "in use", EBUSY },
        { "another process removes it", EAGAIN },
        { "NVIDIA's refusal", EIO },
    };
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int err;

        kernel.err = cases[i].err;
        err = mdev()->remove(fake_sysfs_reader(kernel.fs), &place);
        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].what, g_strerror(err));
        assert_string_equal(kernel.path, "sys/bus/mdev/devices/" UUID "/remove");
        assert_string_equal(kernel.text, "1");
    }
}

static void
test_params(void **state)
{
    static const char path[] = "sys/bus/mdev/devices/" UUID "/nvidia/vgpu_params";
    static const struct {
        const char *what;
        int err;
        const char *kept;  /* NULL: it cannot be read */
        const char *text;  /* in the error; NULL: none */
        const char *doubt; /* NULL: none */
    } cases[] = {
        { "no such file", ENOENT, NULL,
          "does not support plugin parameters for vGPU " UUID " on " GPU },
        { "the guest runs", EPERM, NULL, "only before the guest runs" },
        { "too long", E2BIG, NULL, "longer than the driver accepts" },
        { "no vGPU", ENXIO, NULL, "has no vGPU" },
        { "anything else", EIO, NULL, "refused the plugin parameters 'a=1, b=2'" },
        { "not to be read", 0, NULL, NULL,
          "wanted 'a=1, b=2', cannot open /sys/bus/mdev/devices/" UUID
          "/nvidia/vgpu_params: No such file or directory" },
        { "taken", 0, "a=1, b=2", NULL, NULL },
        { "with white space at its end", 0, "a=1, b=2 \n\n", NULL, NULL },
        { "the last character lost", 0, "a=1, b=",
          "the driver kept only 'a=1, b=' of the plugin parameters 'a=1, b=2' of vGPU " UUID },
        { "one parameter lost", 0, "a=1,", "kept only 'a=1,'" },
        { "nothing kept", 0, "", "kept only ''" },
        { "more than was written", 0, "a=1, b=22", NULL, "wanted 'a=1, b=2', read 'a=1, b=22'" },
        { "printed in its own way", 0, "a=1,b=2", NULL, "wanted 'a=1, b=2', read 'a=1,b=2'" },
        { "white space at its beginning", 0, " a=1, b=2", NULL,
          "wanted 'a=1, b=2', read ' a=1, b=2'" },
        { "rubbish", 0, "\xff", NULL, "wanted 'a=1, b=2', read '\xef\xbf\xbd'" },
    };
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *doubt = NULL;
        bool done;

        kernel.err = cases[i].err;
        if (cases[i].kept)
            fake_file_set(kernel.fs, path, cases[i].kept);
        done = mdev()->write_params(fake_sysfs_reader(kernel.fs), &place, "a=1, b=2", &doubt,
                                    &error);
        if (done != !cases[i].text)
            fail_msg("%s: %s", cases[i].what, done ? "taken" : error->message);
        if (error && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER) ||
                      !strstr(error->message, cases[i].text)))
            fail_msg("%s: %s", cases[i].what, error->message);
        if (g_strcmp0(doubt, cases[i].doubt) != 0)
            fail_msg("%s: %s", cases[i].what, doubt);
        assert_string_equal(kernel.path, path);
        assert_string_equal(kernel.text, "a=1, b=2\n");
    }
}

/* Only some drivers remove the device themselves. */
static void
test_removal_grace(void **state)
{
    static const struct {
        const char *version; /* NULL: not NVIDIA's driver */
        guint grace_ms;
    } cases[] = {
        { NULL, 0 },
        { "470.129.04", 0 },
        { "510.47.03", 0 },
        { "510.85.03", 0 },
        { "510.108.03", 10000 },
        { "510.129.01", 10000 },
        { "515.48.07", 0 },
        { "525.60.12", 10000 },
        { "525.147.01", 10000 },
        { "525", 10000 },
        { "535.54.06", 0 },
        { "550.54.16", 0 },
        { "5251.1", 0 },
        { "", 0 },
        { "unknown", 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint grace_ms;

        if (cases[i].version)
            fake_file_set(kernel.fs, "sys/module/nvidia/version", cases[i].version);
        grace_ms = mdev()->removal_grace(fake_sysfs_reader(kernel.fs));
        if (grace_ms != cases[i].grace_ms)
            fail_msg("%s: %u ms", cases[i].version, grace_ms);
    }
}

#define GROUP_LINK UUID "/iommu_group"
#define NODE_DIR UUID "/vfio-dev"

/* A device counts as free only if that is certain. */
static void
test_use(void **state)
{
    enum { NO_GROUP, NO_LINK, NO_NODE, NODE };
    static const struct {
        const char *what;
        int group;
        bool has_cdev; /* a node of its own, of the newer interface */
        int open_errno;
        VgpuUse use;
    } cases[] = {
        { "neither group nor node", NO_GROUP, false, 0, VGPU_USE_FREE },
        { "its group has no node", NO_NODE, false, 0, VGPU_USE_FREE },
        { "it could be opened", NODE, false, 0, VGPU_USE_FREE },
        { "it could be opened, and has a node of its own", NODE, true, 0, VGPU_USE_FREE },
        { "in use", NODE, false, EBUSY, VGPU_USE_USED },
        { "in use, through its own node", NODE, true, EBUSY, VGPU_USE_USED },
        { "only a node of its own, no group", NO_GROUP, true, 0, VGPU_USE_UNKNOWN },
        { "only a node of its own, none of its group", NO_NODE, true, 0, VGPU_USE_UNKNOWN },
        { "not allowed to ask", NODE, false, EACCES, VGPU_USE_UNKNOWN },
        { "not allowed to ask, by the kernel", NODE, false, EPERM, VGPU_USE_UNKNOWN },
        { "no descriptor is left", NODE, false, EMFILE, VGPU_USE_UNKNOWN },
        { "no descriptor is left on the host", NODE, false, ENFILE, VGPU_USE_UNKNOWN },
        { "the driver fails", NODE, false, EIO, VGPU_USE_UNKNOWN },
        { "the device is going", NODE, false, ENODEV, VGPU_USE_UNKNOWN },
        { "no driver behind the node", NODE, false, ENXIO, VGPU_USE_UNKNOWN },
        { "interrupted", NODE, false, EINTR, VGPU_USE_UNKNOWN },
        { "no memory", NODE, true, ENOMEM, VGPU_USE_UNKNOWN },
        { "the group's entry is not a link", NO_LINK, false, 0, VGPU_USE_UNKNOWN },
    };
    const VgpuPlace place = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuUse use;

        setup(NULL);
        fake_mdev_add(kernel.fs, GPU, TYPE, UUID, 12);
        if (cases[i].group == NO_GROUP || cases[i].group == NO_LINK)
            fake_attribute_set(kernel.fs, GPU, GROUP_LINK, NULL);
        if (cases[i].group == NO_LINK)
            fake_attribute_set(kernel.fs, GPU, GROUP_LINK, "12");
        if (cases[i].group == NODE)
            fake_vfio_group_add(kernel.fs, 12);
        if (cases[i].has_cdev)
            fake_attribute_set(kernel.fs, GPU, NODE_DIR "/vfio0/dev", "511:0");
        kernel.open_errno = cases[i].open_errno;
        use = mdev()->use(fake_sysfs_reader(kernel.fs), &place);
        if (use != cases[i].use)
            fail_msg("%s: %d", cases[i].what, (int) use);
        teardown(NULL);
    }
}

static void
test_use_of_nothing(void **state)
{
    g_autofree char *endless = g_strnfill(300, 'x'); /* longer than a name may be: ENAMETOOLONG */
    const VgpuPlace none = { .parent = GPU, .profile_id = TYPE, .uuid = UUID };
    const VgpuPlace strange = { .parent = GPU, .profile_id = TYPE, .uuid = endless };

    assert_int_equal(mdev()->use(fake_sysfs_reader(kernel.fs), &none), VGPU_USE_FREE);
    assert_int_equal(mdev()->use(fake_sysfs_reader(kernel.fs), &strange), VGPU_USE_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test_setup_teardown(test_offers, setup, teardown),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_create_undone),
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test(test_look_unusable),
        cmocka_unit_test_setup_teardown(test_create_late_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_params, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal_grace, setup, teardown),
        cmocka_unit_test(test_use),
        cmocka_unit_test_setup_teardown(test_use_of_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
