/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NVIDIA's vendor-specific VFIO. The test plays the kernel's part of a write, since a file cannot
 * refuse it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "backend/vendor-vfio.h"
#include "base/error.h"
#include "fake-sysfs.h"

#define PF "0000:61:00.0"
#define VF "0000:61:00.4"
#define SIBLING "0000:61:00.5"
#define CURRENT "sys/bus/pci/devices/" VF "/nvidia/current_vgpu_type"
#define PARAMS "sys/bus/pci/devices/" VF "/nvidia/vgpu_params"

static const FakeFunction l40s = { "0x030200", "0x10de", "0x26b9", "nvidia", "0" };
static const VgpuPlace place = { .parent = VF, .profile_id = "nvidia-1150", .uuid = "unused" };

/* The driver's answers to writes, and the writes that it got. */
static struct {
    FakeSysfs *fs;
    const int *answers; /* of each write until a 0 */
    guint n_writes;
    guint shows;     /* the type that the VF has after the write that it took */
    guint naps_left; /* with the group's link after so many */
    guint n_naps;
    char *path;
    char *text;
    int open_errno; /* of /dev/vfio/GROUP */
} kernel;

int __wrap_vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
void __wrap_g_usleep(gulong microseconds);

int
__wrap_vgpu_sysfs_write(const VgpuSysfs *self G_GNUC_UNUSED, const char *path, const char *text)
{
    int err = kernel.answers ? kernel.answers[kernel.n_writes] : 0;

    kernel.n_writes++;
    g_free(kernel.path);
    g_free(kernel.text);
    kernel.path = g_strdup(path);
    kernel.text = g_strdup(text);
    if (!err && g_str_has_suffix(path, "/current_vgpu_type"))
        fake_vendor_set(kernel.fs, VF, "", g_str_equal(text, "0") ? 0 : kernel.shows);
    return err;
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
    if (kernel.open_errno && g_str_has_prefix(path, "dev/vfio/")) {
        errno = kernel.open_errno;
        return -1;
    }
    return __real_openat(dir, path, flags);
}

void
__wrap_g_usleep(gulong microseconds G_GNUC_UNUSED)
{
    kernel.n_naps++;
    if (kernel.naps_left && --kernel.naps_left == 0)
        fake_iommu_group_add(kernel.fs, VF, 12);
}

static int
setup(void **state)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.fs = fake_sysfs_new();
    fake_gpu_add(kernel.fs, PF, &l40s);
    fake_vfs_add(kernel.fs, PF, VF, 32, 2);
    fake_vendor_set(kernel.fs, VF, "1147  : NVIDIA L40S-1Q\n1150  : NVIDIA L40S-4Q", 0);
    fake_vendor_set(kernel.fs, SIBLING, "1147  : NVIDIA L40S-1Q\n1150  : NVIDIA L40S-4Q", 0);
    return 0;
}

static int
teardown(void **state)
{
    fake_sysfs_free(kernel.fs);
    g_free(kernel.path);
    g_free(kernel.text);
    return 0;
}

static const VgpuBackend *
vendor(void)
{
    return vgpu_backend_get(VGPU_INTERFACE_VENDOR_VFIO);
}

static const VgpuSysfs *
sysfs(void)
{
    return fake_sysfs_reader(kernel.fs);
}

/* "ID=NAME|" of each profile. */
static char *
list(const GPtrArray *profiles)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(profiles, i);

        g_string_append_printf(text, "%s=%s|", profile->id, profile->name);
    }
    return g_string_free(text, FALSE);
}

static void
test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        const char *wanted;
    } cases[] = {
        { "nothing", "", "" },
        { "only the header", "ID    : vGPU Name\n", "" },
        { "as the driver pads it",
          "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n2164  : NVIDIA L40S-3B\n",
          "nvidia-1145=NVIDIA L40S-1B|nvidia-2164=NVIDIA L40S-3B|" },
        { "one blank, no header", "1428 : NVIDIA H200X-141C\n1414 : NVIDIA H200X-1-18C",
          "nvidia-1428=NVIDIA H200X-141C|nvidia-1414=NVIDIA H200X-1-18C|" },
        { "an id of three digits", "588   : NVIDIA A10-1B", "nvidia-588=NVIDIA A10-1B|" },
        { "an id that fills its column", "12345 : NVIDIA X-1Q", "nvidia-12345=NVIDIA X-1Q|" },
        { "blanks in the name", "1561  : NVIDIA RTX Pro 6000 Blackwell DC-1-24Q",
          "nvidia-1561=NVIDIA RTX Pro 6000 Blackwell DC-1-24Q|" },
        { "a colon in the name", "7     : NVIDIA X:Y : 1Q", "nvidia-7=NVIDIA X:Y : 1Q|" },
        { "no blanks at all", "7:X-1Q", "nvidia-7=X-1Q|" },
        { "blanks around", "  7  :  X-1Q  \n", "nvidia-7=X-1Q|" },
        { "tabs", "7\t:\tX-1Q", "nvidia-7=X-1Q|" },
        { "no name", "7     :\n", "nvidia-7=nvidia-7|" },
        { "a line that was cut short", "1145  : NVIDIA L40S-1B\n11",
          "nvidia-1145=NVIDIA L40S-1B|" },
        { "no number", "x7    : NVIDIA X-1Q\n-7    : NVIDIA X-1Q\n      : NVIDIA X-1Q", "" },
        { "carriage returns", "7     : X-1Q\r\n8     : X-2Q\r\n",
          "nvidia-7=X-1Q|nvidia-8=X-2Q|" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) profiles = vgpu_vendor_vfio_parse(cases[i].text);
        g_autofree char *text = list(profiles);

        if (!g_str_equal(text, cases[i].wanted))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

/* A list that is longer than the page that it is shown in. */
static void
test_parse_cut(void **state)
{
    static const struct {
        const char *what;
        gsize len;
        guint missing; /* rows at its end */
    } cases[] = {
        { "shorter than a page", 4094, 0 },
        { "a page", 4095, 1 },
        { "of a kernel with larger pages", 4096, 0 },
        { "such a page", 65535, 1 },
    };
    static const char row[] = "1561  : NVIDIA RTX Pro 6000 Blackwell DC-1-24Q\n";

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GPtrArray) profiles = NULL;
        guint rows = (guint) ((cases[i].len - 20) / strlen(row)) + 1;

        /* so that the last row has 20 bytes, which end in its name */
        g_string_append_printf(text, "%*s", (int) ((cases[i].len - 20) % strlen(row)), "");
        while (text->len < cases[i].len)
            g_string_append(text, row);
        g_string_truncate(text, cases[i].len);
        profiles = vgpu_vendor_vfio_parse(text->str);
        if (profiles->len != rows - cases[i].missing)
            fail_msg("%s: %u of %u", cases[i].what, profiles->len, rows);
    }
}

/* The offers of the VF, and the profiles known to its GPU: "ID*AVAILABLE|" of both. */
static void
check_offers(const char *what, const VgpuGpu *gpu, const VgpuParent *vf, const char *offers,
             guint n_profiles)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < vf->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(vf->offers, i);

        g_string_append_printf(text, "%s*%u|", offer->profile->id, offer->available);
    }
    if (!g_str_equal(text->str, offers))
        fail_msg("%s: %s", what, text->str);
    if (gpu->profiles->len != n_profiles)
        fail_msg("%s: %u profiles", what, gpu->profiles->len);
    g_string_free(text, TRUE);
}

/* A reading begins with a parent that has no offers. */
static void
read_again(VgpuGpu *gpu, VgpuParent *vf)
{
    g_ptr_array_set_size(vf->offers, 0);
    assert_true(vendor()->read_offers(sysfs(), gpu, vf, NULL));
}

/* The list shrinks and grows with the vGPUs on sibling VFs. */
static void
test_offers(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(PF);
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);

    assert_true(vendor()->read_offers(sysfs(), gpu, vf, NULL));
    check_offers("free", gpu, vf, "nvidia-1147*1|nvidia-1150*1|", 2);
    assert_int_equal(vgpu_gpu_find_profile(gpu, "nvidia-1150")->fb_mib, 4096);
    assert_string_equal(vgpu_gpu_find_profile(gpu, "nvidia-1150")->name, "NVIDIA L40S-4Q");

    fake_vendor_set(kernel.fs, VF, "1150  : NVIDIA L40S-4Q", 0);
    read_again(gpu, vf);
    check_offers("one size is left", gpu, vf, "nvidia-1150*1|", 2);

    fake_vendor_set(kernel.fs, VF, "", 1150);
    read_again(gpu, vf);
    check_offers("taken", gpu, vf, "", 2);
    assert_string_equal(vgpu_gpu_find_profile(gpu, "nvidia-1150")->name, "NVIDIA L40S-4Q");

    fake_vendor_set(kernel.fs, VF, NULL, 0);
    read_again(gpu, vf);
    check_offers("an empty file", gpu, vf, "", 2);

    fake_vendor_set(kernel.fs, VF, "1147  : NVIDIA L40S-1Q\n1152  : NVIDIA L40S-8Q", 0);
    read_again(gpu, vf);
    check_offers("free again, and something new", gpu, vf, "nvidia-1147*1|nvidia-1152*1|", 3);

    fake_attribute_set(kernel.fs, VF, "nvidia/creatable_vgpu_types", NULL);
    read_again(gpu, vf);
    check_offers("cannot be read", gpu, vf, "", 3);
}

static void
test_look(void **state)
{
    static const struct {
        const char *what;
        const char *current; /* NULL: there is no such file */
        bool exists;
        const char *profile_id;
    } cases[] = {
        { "none", "0", false, NULL },
        { "one", "1150", true, "nvidia-1150" },
        { "one without a known name", "999", true, "nvidia-999" },
        { "not a number", "busy", true, NULL },
        { "the VF is removed", NULL, false, NULL },
    };
    static const VgpuPlace nowhere = { .uuid = "unused" };
    g_auto(VgpuPresence) unknown = vendor()->look(sysfs(), &nowhere);

    assert_false(unknown.exists);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(VgpuPresence) seen = { 0 };
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(PF);
        VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);

        fake_attribute_set(kernel.fs, VF, "nvidia/current_vgpu_type", cases[i].current);
        seen = vendor()->look(sysfs(), &place);
        if (seen.exists != cases[i].exists ||
            g_strcmp0(seen.profile_id, cases[i].profile_id) != 0 ||
            g_strcmp0(seen.parent, cases[i].exists ? VF : NULL) != 0)
            fail_msg("%s: %d %s %s", cases[i].what, seen.exists, seen.profile_id, seen.parent);

        vendor()->read_instances(sysfs(), vf);
        if (vf->instances->len != cases[i].exists)
            fail_msg("%s: %u instances", cases[i].what, vf->instances->len);
        if (cases[i].exists) {
            const VgpuInstance *instance = g_ptr_array_index(vf->instances, 0);

            assert_null(instance->uuid);
            assert_true(g_strcmp0(instance->profile_id, cases[i].profile_id) == 0);
        }
    }
}

static void
test_look_unusable(void **state)
{
    g_auto(VgpuPresence) bare = { 0 }, seen = { 0 }, unbound = { 0 };

    fake_vendor_set(kernel.fs, VF, "", 1150);
    bare = vendor()->look(sysfs(), &place);
    assert_non_null(strstr(bare.unusable, "the IOMMU is on"));
    fake_attribute_set(kernel.fs, VF, "vfio-dev/vfio0/dev", "511:0");
    seen = vendor()->look(sysfs(), &place);
    assert_null(seen.unusable);
    fake_driver_bind(kernel.fs, VF, NULL);
    unbound = vendor()->look(sysfs(), &place);
    assert_true(unbound.exists);
    assert_non_null(strstr(unbound.unusable, "the VF is bound to no driver"));
}

static void
test_create(void **state)
{
    static const struct {
        const char *what;
        guint before; /* the VF's type */
        int answers[6];
        guint shows;
        guint link_after; /* naps until it has its group; 0: it has one at once */
        int code;         /* -1: made */
        bool existed;
        guint n_writes;
        const char *text; /* in the error */
    } cases[] = {
        { "at once", .answers = { 0 }, .shows = 1150, .code = -1, .n_writes = 1 },
        { "its group comes later", .answers = { 0 }, .shows = 1150, .link_after = 7, .code = -1,
          .n_writes = 1 },
        { "busy for a moment", .answers = { EBUSY, EPERM, 0 }, .shows = 1150, .code = -1,
          .n_writes = 3 },
        { "busy for good", .answers = { EBUSY, EBUSY, EBUSY, EPERM, EPERM, 0 }, .shows = 1150,
          .code = VGPU_ERROR_BUSY, .n_writes = 5,
          .text = "does not accept profile nvidia-1150 yet" },
        { "no room", .answers = { EIO }, .code = VGPU_ERROR_DRIVER, .n_writes = 1,
          .text = "Input/output error" },
        { "no such type", .answers = { EINVAL }, .code = VGPU_ERROR_DRIVER, .n_writes = 1,
          .text = "refused profile" },
        { "unplugged", .answers = { ENODEV }, .code = VGPU_ERROR_DRIVER, .n_writes = 1,
          .text = "No such device" },
        { "no memory", .answers = { ENOMEM }, .code = VGPU_ERROR_DRIVER, .n_writes = 1,
          .text = "allocate memory" },
        { "refused after a wait", .answers = { EBUSY, EIO }, .code = VGPU_ERROR_DRIVER,
          .n_writes = 2, .text = "Input/output error" },
        { "there already", .before = 1150, .answers = { 0 }, .code = -1, .existed = true },
        { "there already, and of no use", .before = 1150, .answers = { 0 }, .link_after = 2000,
          .code = VGPU_ERROR_BUSY, .text = "already carries nvidia-1150, but no VFIO device" },
        { "a foreign type", .before = 1147, .answers = { 0 }, .code = VGPU_ERROR_BUSY,
          .text = "carries type nvidia-1147, which virt-vgpu did not set" },
        { "taken, and gone at once", .answers = { 0 }, .code = VGPU_ERROR_DRIVER, .n_writes = 1,
          .text = "shows type 0 afterwards" },
        { "taken, but no device", .answers = { 0 }, .shows = 1150, .link_after = 1000,
          .code = VGPU_ERROR_DRIVER, .n_writes = 2, .text = "no VFIO device appeared" },
        { "taken, but no device, and it stays", .answers = { 0, EIO }, .shows = 1150,
          .link_after = 1000, .code = VGPU_ERROR_DRIVER, .n_writes = 2,
          .text = "no VFIO device appeared" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };
        bool made;

        setup(NULL);
        fake_vendor_set(kernel.fs, VF, "", cases[i].before);
        kernel.answers = cases[i].answers;
        kernel.shows = cases[i].shows;
        kernel.naps_left = cases[i].link_after;
        if (!cases[i].link_after)
            fake_iommu_group_add(kernel.fs, VF, 12);

        made = vendor()->create(sysfs(), &place, &making, &error);
        if (made != (cases[i].code < 0) || making.existed != cases[i].existed)
            fail_msg("%s: %s", cases[i].what, made ? "made" : error->message);
        if (error && (!g_error_matches(error, VGPU_ERROR, cases[i].code) ||
                      !strstr(error->message, cases[i].text) || !strstr(error->message, VF)))
            fail_msg("%s: %d %s", cases[i].what, error->code, error->message);
        if (kernel.n_writes != cases[i].n_writes)
            fail_msg("%s: %u writes", cases[i].what, kernel.n_writes);
        if (made && !making.existed) {
            assert_string_equal(kernel.path, CURRENT);
            assert_string_equal(kernel.text, "1150");
        }
        if (cases[i].link_after == 1000) /* it was to be undone */
            assert_string_equal(kernel.text, "0");
        if (making.left != (cases[i].link_after == 1000 && cases[i].answers[1] == EIO))
            fail_msg("%s: what is left is told wrongly", cases[i].what);
        teardown(NULL);
    }
}

#define UNKNOWN                                                                                  \
    "VF " VF " already carries nvidia-1150, and it is unknown whether a process has it open"

static void
test_create_elsewhere(void **state)
{
    static const struct {
        const char *what;
        const char *vf;
        const char *profile_id;
        int open_errno;
        int code;
        const char *text;
    } cases[] = {
        { "no such VF", "0000:61:00.7", "nvidia-1150", 0, VGPU_ERROR_DRIVER,
          "VF 0000:61:00.7 no longer exists" },
        { "a profile of another family", SIBLING, "vf", 0, VGPU_ERROR_DRIVER,
          "has no profile vf" },
        { "a prefix alone", SIBLING, "nvidia-", 0, VGPU_ERROR_DRIVER, "has no profile" },
        { "zero would reset it", SIBLING, "nvidia-0", 0, VGPU_ERROR_DRIVER, "has no profile" },
        { "no number", SIBLING, "nvidia-1150x", 0, VGPU_ERROR_DRIVER, "has no profile" },
        { "there already, and open", VF, "nvidia-1150", EBUSY, VGPU_ERROR_BUSY,
          "VF " VF " already carries nvidia-1150, and a process has it open" },
        { "there already, and not ours to open", VF, "nvidia-1150", EACCES, VGPU_ERROR_BUSY,
          UNKNOWN },
        { "there already, and the kernel does not let us", VF, "nvidia-1150", EPERM,
          VGPU_ERROR_BUSY, UNKNOWN },
        { "there already, and no descriptor left", VF, "nvidia-1150", EMFILE, VGPU_ERROR_BUSY,
          UNKNOWN },
        { "there already, and the driver fails", VF, "nvidia-1150", EIO, VGPU_ERROR_BUSY,
          UNKNOWN },
        { "there already, with a node of its own only", VF, "nvidia-1150", ENOENT,
          VGPU_ERROR_BUSY, UNKNOWN },
    };

    fake_vendor_set(kernel.fs, VF, "", 1150);
    fake_iommu_group_add(kernel.fs, VF, 12);
    fake_attribute_set(kernel.fs, VF, "vfio-dev/vfio0/dev", "511:0");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuPlace other = { .parent = cases[i].vf, .profile_id = cases[i].profile_id };
        g_autoptr(GError) error = NULL;
        VgpuMaking making = { 0 };

        kernel.open_errno = cases[i].open_errno;
        if (vendor()->create(sysfs(), &other, &making, &error) || making.existed)
            fail_msg("%s: made", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, cases[i].code) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: %d %s", cases[i].what, error->code, error->message);
        assert_int_equal(kernel.n_writes, 0);
    }
}

static void
test_remove(void **state)
{
    static const struct {
        const char *what;
        int answer[1];
    } cases[] = {
        { "done", { 0 } },
        { "in use", { EBUSY } },
        { "it carries none", { EPERM } },
        { "gone", { ENOENT } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int err;

        kernel.n_writes = 0;
        kernel.answers = cases[i].answer;
        err = vendor()->remove(sysfs(), &place);
        if (err != cases[i].answer[0])
            fail_msg("%s: %s", cases[i].what, g_strerror(err));
        assert_int_equal(kernel.n_writes, 1);
        assert_string_equal(kernel.path, CURRENT);
        assert_string_equal(kernel.text, "0");
    }
    assert_null(vendor()->removal_grace);
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
        { "it could be opened", 0, false, VGPU_USE_FREE },
        { "it could be opened, and has a node of its own", 0, true, VGPU_USE_FREE },
        { "in use", EBUSY, false, VGPU_USE_USED },
        { "in use, through its own node", EBUSY, true, VGPU_USE_USED },
        { "not allowed to ask", EACCES, false, VGPU_USE_UNKNOWN },
        { "not allowed to ask, by the kernel", EPERM, false, VGPU_USE_UNKNOWN },
        { "no descriptor is left", EMFILE, false, VGPU_USE_UNKNOWN },
        { "no descriptor is left on the host", ENFILE, false, VGPU_USE_UNKNOWN },
        { "the driver fails", EIO, false, VGPU_USE_UNKNOWN },
        { "no such device", ENODEV, false, VGPU_USE_UNKNOWN },
        { "no driver behind the node", ENXIO, false, VGPU_USE_UNKNOWN },
        { "interrupted", EINTR, false, VGPU_USE_UNKNOWN },
        { "no such node", ENOENT, false, VGPU_USE_FREE },
        { "only a node of its own", ENOENT, true, VGPU_USE_UNKNOWN },
    };

    assert_int_equal(vendor()->use(sysfs(), &place), VGPU_USE_FREE); /* no group */
    fake_attribute_set(kernel.fs, VF, "vfio-dev/vfio0/dev", "511:0");
    assert_int_equal(vendor()->use(sysfs(), &place), VGPU_USE_UNKNOWN);
    fake_attribute_set(kernel.fs, VF, "vfio-dev", NULL);
    fake_iommu_group_add(kernel.fs, VF, 12);
    fake_vfio_group_add(kernel.fs, 12);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuUse use;

        if (cases[i].has_cdev)
            fake_attribute_set(kernel.fs, VF, "vfio-dev/vfio0/dev", "511:0");
        kernel.open_errno = cases[i].open_errno;
        use = vendor()->use(sysfs(), &place);
        if (use != cases[i].use)
            fail_msg("%s: %d", cases[i].what, (int) use);
        if (cases[i].has_cdev)
            fake_attribute_set(kernel.fs, VF, "vfio-dev", NULL);
    }
}

static void
test_params(void **state)
{
    static const struct {
        const char *what;
        int answer[1];
        const char *text; /* in the error */
    } cases[] = {
        { "taken", { 0 }, NULL },
        { "no such file", { ENOENT }, "does not support plugin parameters for VF " VF },
        { "the guest runs", { EPERM }, "only before the guest runs" },
        { "not ours to write", { EACCES }, "only before the guest runs" },
        { "too long", { E2BIG }, "longer than the driver accepts" },
        { "no vGPU", { ENXIO }, "has no vGPU" },
        { "anything else", { EINVAL }, "refused the plugin parameters 'disable_vnc=1'" },
    };

    fake_attribute_set(kernel.fs, VF, "nvidia/vgpu_params", "disable_vnc=1");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *doubt = NULL;
        bool done;

        kernel.n_writes = 0;
        kernel.answers = cases[i].answer;
        done = vendor()->write_params(sysfs(), &place, "disable_vnc=1", &doubt, &error);
        if (done != !cases[i].text)
            fail_msg("%s: %s", cases[i].what, done ? "taken" : error->message);
        if (error && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DRIVER) ||
                      !strstr(error->message, cases[i].text) || !strstr(error->message, VF)))
            fail_msg("%s: %s", cases[i].what, error->message);
        assert_int_equal(kernel.n_writes, 1);
        assert_null(doubt);
        assert_string_equal(kernel.path, PARAMS);
        assert_string_equal(kernel.text, "disable_vnc=1\n");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_cut),
        cmocka_unit_test_setup_teardown(test_offers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_look_unusable, setup, teardown),
        cmocka_unit_test(test_create),
        cmocka_unit_test_setup_teardown(test_create_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_params, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
