/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual functions: decisions, actions, and checks of the result. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fake-sysfs.h"
#include "scratch.h"
#include "setup/gim.h"
#include "setup/sriov.h"

#define A2 "0000:41:00.0"
#define A2_VF0 "0000:41:00.4"
#define A2_VF1 "0000:41:00.5"
#define UUID "2eb1e7a4-0f1c-4dbb-9d2a-0f0c4d5a6b7c"
#define ALL VGPU_VFS_ALL

/* --- decisions ------------------------------------------------------------------------------- */

/* VgpuSriovState, for tables. */
typedef struct {
    const char *vendor, *driver;
    bool is_display;
    guint total, enabled;
    bool has_manage;
    const char *in_use, *gim_advice;
} Pf;

static VgpuSriovState
state_of(const Pf *pf)
{
    return (VgpuSriovState) {
        .address = (char *) A2,
        .vendor = (char *) pf->vendor,
        .driver = (char *) pf->driver,
        .is_display = pf->is_display,
        .total = pf->total,
        .enabled = pf->enabled,
        .has_manage = pf->has_manage,
        .in_use = (char *) pf->in_use,
        .gim_advice = (char *) pf->gim_advice,
    };
}

static void
test_plan(void **state)
{
    static const struct {
        const char *what;
        Pf now;
        guint wanted;
        VgpuSriovPlan plan;
        VgpuError code; /* with text: it is refused */
        const char *text;
    } cases[] = {
        { "all, by the script", .now = { "0x10de", "nvidia", true, 16, 0, true }, .wanted = ALL,
          .plan = { VGPU_SRIOV_MANAGE, 16 } },
        { "all by number, by the script", .now = { "0x10de", "nvidia", true, 16, 0, true },
          .wanted = 16, .plan = { VGPU_SRIOV_MANAGE, 16 } },
        { "none, by the script", .now = { "0x10de", "nvidia", true, 16, 16, true },
          .plan = { VGPU_SRIOV_MANAGE, 0 } },
        { "some: the script knows only all", .now = { "0x10de", "nvidia", true, 16, 0, true },
          .wanted = 4, .plan = { VGPU_SRIOV_WRITE, 4 } },
        { "more than there are: the script says that there are some already",
          .now = { "0x10de", "nvidia", true, 16, 4, true }, .wanted = ALL,
          .plan = { VGPU_SRIOV_MANAGE, 16, .off_first = true } },
        { "the script is not installed", .now = { "0x10de", "nvidia", true, 16, 0, false },
          .wanted = ALL, .plan = { VGPU_SRIOV_WRITE, 16 } },
        { "from one number to another", .now = { "0x8086", "i915", true, 7, 2, false },
          .wanted = 5,
          .plan = { VGPU_SRIOV_WRITE, 5, .off_first = true, .autoprobe_off = true } },
        { "another vendor's PF, though the script is there",
          .now = { "0x8086", "xe", true, 7, 0, true }, .wanted = ALL,
          .plan = { VGPU_SRIOV_WRITE, 7, .autoprobe_off = true } },
        { "off: the drivers do not matter", .now = { "0x8086", "xe", true, 7, 7, false },
          .plan = { VGPU_SRIOV_WRITE, 0 } },
        { "a PF that is no GPU may have any driver",
          .now = { "0x8086", "igb", false, 8, 0, false }, .wanted = 2,
          .plan = { VGPU_SRIOV_WRITE, 2, .autoprobe_off = true } },
        { "already so", .now = { "0x10de", "nvidia", true, 16, 16, true }, .wanted = ALL,
          .plan = { VGPU_SRIOV_KEEP, 16 } },
        { "already so, in use",
          .now = { "0x10de", "nvidia", true, 16, 16, true, .in_use = "vGPU x" }, .wanted = 16,
          .plan = { VGPU_SRIOV_KEEP, 16 } },
        { "already so, made by GIM",
          .now = { "0x1002", "gim", true, 16, 4, false, .gim_advice = "reload" }, .wanted = 4,
          .plan = { VGPU_SRIOV_KEEP, 4, .autoprobe_off = true } },
        { "none on a card that has none", .now = { "0x10de", "nvidia", true, 0, 0, true },
          .plan = { VGPU_SRIOV_KEEP, 0 } },

        { "no SR-IOV", .now = { "0x10de", "nvidia", true, 0, 0, true }, .wanted = ALL,
          .plan = { 0 }, .code = VGPU_ERROR_NOT_SUPPORTED, .text = A2 " has no SR-IOV" },
        { "too many", .now = { "0x10de", "nvidia", true, 16, 0, true }, .wanted = 17,
          .plan = { 0 }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = A2 " has 16 virtual functions at most, not 17" },
        { "passed through whole", .now = { "0x10de", "vfio-pci", true, 16, 0, true },
          .wanted = ALL, .plan = { 0 }, .code = VGPU_ERROR_BUSY,
          .text = A2 " is passed through: it is bound to vfio-pci" },
        { "passed through by Xen", .now = { "0x1002", "xen-pciback", true, 16, 0, true },
          .wanted = ALL, .plan = { 0 }, .code = VGPU_ERROR_BUSY,
          .text = "is passed through: it is bound to xen-pciback" },
        { "bound to none", .now = { "0x10de", NULL, true, 16, 0, true }, .wanted = ALL,
          .plan = { 0 }, .code = VGPU_ERROR_NOT_SUPPORTED, .text = A2 " is bound to no driver" },
        { "bound to the free driver", .now = { "0x10de", "nouveau", true, 16, 0, true },
          .wanted = ALL, .plan = { 0 }, .code = VGPU_ERROR_BUSY,
          .text = A2
          " is bound to nouveau, which makes no virtual functions of it: bind it to nvidia" },
        { "AMD's desktop driver", .now = { "0x1002", "amdgpu", true, 16, 0, false },
          .wanted = ALL, .plan = { 0 }, .code = VGPU_ERROR_BUSY, .text = "bind it to gim" },
        { "in use",
          .now = { "0x10de", "nvidia", true, 16, 16, true, .in_use = "vGPU " UUID " on " A2_VF0 },
          .plan = { 0 }, .code = VGPU_ERROR_BUSY,
          .text = A2 ": vGPU " UUID " on " A2_VF0 " is in use" },
        { "in use, and fewer are wanted",
          .now = { "0x8086", "xe", true, 7, 7, false, .in_use = "VF " A2_VF0 }, .wanted = 3,
          .plan = { 0 }, .code = VGPU_ERROR_BUSY, .text = "VF " A2_VF0 " is in use" },
        { "GIM", .now = { "0x1002", "gim", true, 16, 0, false, .gim_advice = "put it there" },
          .wanted = 4, .plan = { 0 }, .code = VGPU_ERROR_NOT_SUPPORTED,
          .text = "gim makes its virtual functions when it is loaded: put it there" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuSriovPlan untouched = { .vfs = 4711 };
        VgpuSriovPlan plan = untouched;
        const VgpuSriovState now = state_of(&cases[i].now);
        g_autoptr(GError) error = NULL;

        if (vgpu_sriov_plan(&now, cases[i].wanted, &plan, &error)) {
            if (cases[i].text)
                fail_msg("%s: not refused", cases[i].what);
            if (plan.way != cases[i].plan.way || plan.vfs != cases[i].plan.vfs ||
                plan.off_first != cases[i].plan.off_first ||
                plan.autoprobe_off != cases[i].plan.autoprobe_off)
                fail_msg("%s: way %d, %u VFs, off first %d, autoprobe off %d", cases[i].what,
                         (int) plan.way, plan.vfs, plan.off_first, plan.autoprobe_off);
            continue;
        }
        if (!cases[i].text)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, error->message);
        if (plan.vfs != untouched.vfs)
            fail_msg("%s: refused, and yet there is a plan", cases[i].what);
    }
}

/* --- a host that reacts ---------------------------------------------------------------------- */

static struct {
    FakeSysfs *fs;
    GString *writes; /* "PATH=TEXT\n" */
    int refuse;      /* errno value of a number other than 0 */
    bool lies;       /* writes are taken, nothing happens */
    bool counts;     /* the same, but for the number that is read then */
    bool autoprobe;  /* of the last PF of which that was written */
} host;

int __wrap_vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text);

/* As the kernel does (drivers/pci/iov.c). */
int
__wrap_vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    const char *gpu = parts[4], *attribute = gpu ? parts[5] : parts[3];
    g_autofree char *first = NULL;
    g_autofree char *total_path = NULL;
    guint now = 0, total = 0, wanted = (guint) atoi(text);

    g_string_append_printf(host.writes, "%s=%s\n", attribute, text);
    if (!gpu) { /* drivers_probe; kernel: drivers/base/bus.c */
        if (host.autoprobe)
            fake_driver_bind(host.fs, text, "xe");
        return 0;
    }
    first = g_strdup_printf("%.*s.4", (int) strlen(gpu) - 2, gpu);
    total_path = g_strdup_printf("sys/bus/pci/devices/%s/sriov_totalvfs", gpu);
    if (g_str_equal(attribute, "sriov_drivers_autoprobe"))
        host.autoprobe = *text == '1';
    if (!g_str_equal(attribute, "sriov_numvfs"))
        return vgpu_sysfs_exists(self, path) ? 0 : ENOENT;
    if (!vgpu_sysfs_read_uint(self, path, &now, NULL) ||
        !vgpu_sysfs_read_uint(self, total_path, &total, NULL))
        return ENOENT;
    if (wanted && host.refuse)
        return host.refuse;
    if (host.counts)
        fake_attribute_set(host.fs, gpu, "sriov_numvfs", text);
    if (host.lies || host.counts || now == wanted)
        return 0;
    if (now && wanted)
        return EBUSY;
    for (guint i = 0; i < now; i++) {
        g_autofree char *vf = fake_vf_address(first, i);
        g_autofree char *link = g_strdup_printf("virtfn%u", i);

        fake_gpu_remove(host.fs, vf, false);
        fake_attribute_set(host.fs, gpu, link, NULL);
    }
    fake_vfs_add(host.fs, gpu, first, total, wanted);
    return 0;
}

typedef struct {
    char *root;
    char *manage;
    VgpuSriovTools tools;
} Fixture;

/* The script's root is ours. */
static int
setup(void **state)
{
    Fixture *self = g_new0(Fixture, 1);
    const char *srcdir = g_getenv("srcdir") ? g_getenv("srcdir") : ".";
    g_autofree char *script = NULL;
    g_autofree char *knobs = NULL;
    g_autofree char *fd = NULL;

    host.fs = fake_sysfs_new();
    host.writes = g_string_new(NULL);
    host.refuse = 0;
    host.lies = false;
    fd = g_strdup_printf("/proc/self/fd/%d", vgpu_sysfs_root_fd(fake_sysfs_reader(host.fs)));
    self->root = g_file_read_link(fd, NULL);
    knobs = g_build_filename(self->root, "knobs", NULL);
    assert_int_equal(g_mkdir(knobs, 0700), 0);
    g_setenv("FAKE_ROOT", self->root, TRUE);
    g_setenv("SRIOV_MANAGE_KNOBS", knobs, TRUE);
    script = g_build_filename(srcdir, "tests/standins/sriov-manage", NULL);
    self->manage = g_canonicalize_filename(script, NULL);
    self->tools = (VgpuSriovTools) { .manage = self->manage, .wait_ms = 5000 };
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *self = *state;

    g_string_free(host.writes, TRUE);
    fake_sysfs_free(host.fs);
    g_free(self->root);
    g_free(self->manage);
    g_free(self);
    return 0;
}

static void
set_knob(const Fixture *self, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(self->root, "knobs", name, NULL);

    if (text)
        assert_true(g_file_set_contents(path, text, -1, NULL));
    else
        (void) g_unlink(path);
}

static char *
read_file(const Fixture *self, const char *name)
{
    g_autofree char *path = g_build_filename(self->root, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

static guint
enabled(const char *gpu)
{
    g_autofree char *path = g_strdup_printf("sys/bus/pci/devices/%s/sriov_numvfs", gpu);
    guint vfs = G_MAXUINT;

    (void) !vgpu_sysfs_read_uint(fake_sysfs_reader(host.fs), path, &vfs, NULL);
    return vfs;
}

static void
add_pf(const char *address, const char *vendor, const char *driver, guint total)
{
    const FakeFunction function = { "0x030200", vendor, "0x25b6", driver, "0" };
    g_autofree char *first = g_strdup_printf("%.*s.4", (int) strlen(address) - 2, address);

    fake_gpu_add(host.fs, address, &function);
    fake_vfs_add(host.fs, address, first, total, 0);
}

static bool
set(const Fixture *self, const char *gpu, guint vfs, bool *changed, GError **error)
{
    return vgpu_sriov_set(fake_sysfs_reader(host.fs), gpu, vfs, &self->tools, changed, error);
}

static void
must_set(const Fixture *self, const char *what, const char *gpu, guint vfs, bool is_change)
{
    g_autoptr(GError) error = NULL;
    bool changed = !is_change;

    if (!set(self, gpu, vfs, &changed, &error))
        fail_msg("%s: %s", what, error->message);
    if (changed != is_change)
        fail_msg("%s: %s", what, changed ? "done again" : "nothing was done");
}

static void
must_fail(const Fixture *self, const char *what, const char *gpu, guint vfs, VgpuError code,
          const char *text)
{
    g_autoptr(GError) error = NULL;
    bool changed = false;

    if (set(self, gpu, vfs, &changed, &error))
        fail_msg("%s: not refused", what);
    if (!g_error_matches(error, VGPU_ERROR, (int) code) || !strstr(error->message, text))
        fail_msg("%s: code %d, %s", what, error->code, error->message);
    assert_false(changed);
}

static void
test_manage(void **state)
{
    Fixture *self = *state;
    g_autofree char *calls = NULL;

    add_pf(A2, "0x10de", "nvidia", 16);
    set_knob(self, "calls", "");
    must_set(self, "on", A2, ALL, true);
    assert_int_equal(enabled(A2), 16);
    must_set(self, "on twice", A2, ALL, false);
    must_set(self, "off", A2, 0, true);
    assert_int_equal(enabled(A2), 0);
    must_set(self, "off twice", A2, 0, false);
    must_set(self, "some", A2, 4, true);
    assert_int_equal(enabled(A2), 4);
    must_set(self, "all after some", A2, 16, true);
    assert_int_equal(enabled(A2), 16);
    calls = read_file(self, "knobs/calls");
    assert_string_equal(calls, "-e " A2 "\n-d " A2 "\n-d " A2 "\n-e " A2 "\n");
    assert_string_equal(host.writes->str, "sriov_numvfs=4\n");
}

static void
test_manage_lies(void **state)
{
    Fixture *self = *state;

    add_pf(A2, "0x10de", "nvidia", 16);
    self->tools.wait_ms = 100;
    set_knob(self, "lie", "");
    must_fail(self, "it says that it was done", A2, ALL, VGPU_ERROR_DRIVER,
              "but there are 0 virtual functions instead of 16; it said: Enabling VFs on " A2);
    set_knob(self, "lie", NULL);
    self->tools.wait_ms = 5000;

    set_knob(self, "locked", "");
    must_fail(self, "the GPU is open", A2, ALL, VGPU_ERROR_BUSY,
              "failed: Enabling VFs on " A2 " Cannot obtain unbindLock for " A2);
    set_knob(self, "locked", "1");
    must_set(self, "the GPU was open for a moment", A2, ALL, true);
    must_set(self, "off", A2, 0, true);

    set_knob(self, "late_ms", "100");
    must_set(self, "they come late", A2, ALL, true);
    assert_int_equal(enabled(A2), 16);
}

static void
test_write(void **state)
{
    Fixture *self = *state;

    add_pf(A2, "0x8086", "xe", 7);
    fake_attribute_set(host.fs, A2, "sriov_drivers_autoprobe", "1");
    must_set(self, "on", A2, ALL, true);
    must_set(self, "fewer", A2, 3, true);
    must_set(self, "as it is", A2, 3, false);
    must_set(self, "off", A2, 0, true);
    assert_string_equal(host.writes->str,
                        "sriov_drivers_autoprobe=0\nsriov_numvfs=7\n"
                        "sriov_drivers_autoprobe=0\nsriov_numvfs=0\nsriov_numvfs=3\n"
                        "sriov_drivers_autoprobe=0\n"
                        "sriov_numvfs=0\n");
}

/* Only VFs kept for the host get their driver. */
static void
test_give_to_host(void **state)
{
    Fixture *self = *state;
    const VgpuSysfs *sysfs = fake_sysfs_reader(host.fs);
    g_autofree char *driver = NULL;

    add_pf(A2, "0x8086", "xe", 7);
    fake_attribute_set(host.fs, A2, "sriov_drivers_autoprobe", "1");
    must_set(self, "on", A2, 2, true);
    fake_attribute_set(host.fs, A2, "sriov_drivers_autoprobe", "0");
    for (guint i = 0; i < 2; i++) {
        g_autofree char *vf = fake_vf_address(A2_VF0, i);

        fake_driver_bind(host.fs, vf, NULL);
    }
    g_string_truncate(host.writes, 0);
    vgpu_sriov_give_to_host(sysfs, A2, 3); /* there is none */
    assert_string_equal(host.writes->str, "");
    vgpu_sriov_give_to_host(sysfs, A2, 1);
    assert_string_equal(host.writes->str, "sriov_drivers_autoprobe=1\ndrivers_probe=" A2_VF0
                                          "\nsriov_drivers_autoprobe=0\n");
    driver = vgpu_sysfs_link_name(sysfs, "sys/bus/pci/devices/" A2_VF0 "/driver");
    assert_string_equal(driver, "xe");
    g_string_truncate(host.writes, 0);
    vgpu_sriov_give_to_host(sysfs, A2, 1); /* it has one */
    assert_string_equal(host.writes->str, "");
}

static void
test_write_refused(void **state)
{
    static const struct {
        const char *what;
        int err;
        bool lies;
        VgpuError code;
        const char *text;
    } cases[] = {
        { "the driver is busy", EBUSY, false, VGPU_ERROR_BUSY, "the driver nvidia refused" },
        { "the driver has no such control", ENOENT, false, VGPU_ERROR_NOT_SUPPORTED,
          "cannot set the number of virtual functions; sriov-manage can enable all of them: "
          "max" },
        { "no address space", ENOMEM, false, VGPU_ERROR_DRIVER, "in the firmware" },
        { "the driver refuses", EIO, false, VGPU_ERROR_DRIVER, "sriov-manage can enable all" },
        { "the driver lies", 0, true, VGPU_ERROR_DRIVER,
          "accepted 4 virtual functions, but there are 0" },
    };
    Fixture *self = *state;

    add_pf(A2, "0x10de", "nvidia", 16);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        self->tools.wait_ms = 100;
        host.refuse = cases[i].err;
        host.lies = cases[i].lies;
        must_fail(self, cases[i].what, A2, 4, cases[i].code, cases[i].text);
    }
    host.lies = false;
    host.counts = true;
    must_fail(self, "the number without the functions", A2, 4, VGPU_ERROR_DRIVER,
              "says that it has 4 virtual functions, but not all of them have appeared");
    host.counts = false;
    must_fail(self, "no such device", "0000:99:00.0", 4, VGPU_ERROR_NOT_FOUND,
              "there is no PCI device 0000:99:00.0");
}

static void
test_in_use(void **state)
{
    Fixture *self = *state;

    add_pf(A2, "0x10de", "nvidia", 16);
    must_set(self, "on", A2, ALL, true);
    must_fail(self, "a VF", A2_VF0, ALL, VGPU_ERROR_NOT_FOUND,
              A2_VF0 " is a virtual function; its GPU is " A2);
    fake_type_add(host.fs, A2_VF0, "nvidia-746", "NVIDIA A2-4Q", "num_heads=4", 0);
    fake_mdev_add(host.fs, A2_VF0, "nvidia-746", UUID, 7);
    must_fail(self, "a vGPU on a VF", A2, 0, VGPU_ERROR_BUSY,
              "vGPU " UUID " on " A2_VF0 " is in use");
    assert_int_equal(enabled(A2), 16);
}

static void
test_vendor_in_use(void **state)
{
    Fixture *self = *state;

    add_pf(A2, "0x10de", "nvidia", 16);
    must_set(self, "on", A2, ALL, true);
    fake_vendor_set(host.fs, A2_VF0, NULL, 1145);
    must_fail(self, "a VF that is a vGPU", A2, 0, VGPU_ERROR_BUSY,
              "the vGPU nvidia-1145 on VF " A2_VF0 " is in use");
    fake_vendor_set(host.fs, A2_VF0, "", 0);
    must_set(self, "it is no longer one", A2, 0, true);
}

/* Refuse rather than remove a VF that may be in use. */
static void
test_unknown_use(void **state)
{
    static const struct {
        const char *what;
        const char *vendor, *driver;
        const char *node; /* in place of that of the group, cannot be opened; NULL: no group */
    } cases[] = {
        { "a plain VF", "0x8086", "xe", "dev/vfio/9/directory" },
        { "a VF that shows no interface", "0x10de", "nvidia", "dev/vfio/9/directory" },
        { "a plain VF without a group", "0x8086", "xe", NULL },
        { "a VF that shows no interface, without a group", "0x10de", "nvidia", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        void *fixture = NULL;
        Fixture *self;

        setup(&fixture);
        self = fixture;
        add_pf(A2, cases[i].vendor, cases[i].driver, 16);
        must_set(self, cases[i].what, A2, ALL, true);
        fake_attribute_set(host.fs, A2_VF1, "vfio-dev/vfio0/dev", "511:0");
        if (cases[i].node) {
            fake_iommu_group_add(host.fs, A2_VF1, 9);
            fake_file_set(host.fs, cases[i].node, "");
        }
        must_fail(self, cases[i].what, A2, 0, VGPU_ERROR_BUSY, "VF " A2_VF1 " is in use");
        assert_int_equal(enabled(A2), 16);

        fake_attribute_set(host.fs, A2_VF1, "vfio-dev", NULL);
        if (cases[i].node)
            fake_attribute_set(host.fs, A2_VF1, "iommu_group", NULL);
        must_set(self, cases[i].what, A2, 0, true);
        teardown(&fixture);
    }
}

/* --- AMD ------------------------------------------------------------------------------------- */

#define S7150 "0000:0b:00.0"
#define MI300X "0000:1b:00.0"
#define MI300X_2 "0000:9c:00.0"

static void
must_keep_binary(const Fixture *self)
{
    static const char before[] = "fb_option=0\n\0pf_fb=0\n";
    g_autofree char *path = g_build_filename(self->root, VGPU_GIM_CONFIG, NULL);
    g_autofree char *after = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;

    assert_true(g_file_set_contents(path, before, sizeof(before), NULL));
    assert_false(vgpu_gim_write_config(self->root, 4, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED));
    assert_non_null(strstr(error->message, "etc/gim_config is not changed"));
    assert_true(g_file_get_contents(path, &after, &len, NULL));
    assert_int_equal(len, sizeof(before));
    assert_memory_equal(after, before, len);
}

static void
test_gim_old(void **state)
{
    static const struct {
        const char *what;
        const char *before, *after;
    } cases[] = {
        { "no file", NULL, "vf_num=4\n" },
        { "another number", "fb_option=0\nvf_num=16\npf_fb=0\n",
          "fb_option=0\nvf_num=4\npf_fb=0\n" },
        { "none yet", "fb_option=0\n", "fb_option=0\nvf_num=4\n" },
        { "twice", "vf_num=1\nvf_num=2\n", "vf_num=4\n" },
        { "no end of line", "vf_num_x=1", "vf_num_x=1\nvf_num=4\n" },
        { "nothing but ends of lines", "\n\n", "vf_num=4\n" },
        { "blank lines before the second", "vf_num=1\n\npf_fb=0\n\n\nvf_num=2\n",
          "vf_num=4\n\npf_fb=0\n" },
    };
    Fixture *self = *state;

    add_pf(S7150, "0x1002", "gim", 16);
    must_fail(self, "it is not ours to write", S7150, 4, VGPU_ERROR_NOT_SUPPORTED,
              "put the line 'vf_num=4' into /etc/gim_config");
    must_fail(self, "all of them", S7150, ALL, VGPU_ERROR_NOT_SUPPORTED, "'vf_num=16'");
    must_fail(self, "too many", S7150, 17, VGPU_ERROR_BAD_REQUEST,
              "16 virtual functions at most");
    assert_string_equal(host.writes->str, "");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *dir = g_build_filename(self->root, "etc", NULL);
        g_autofree char *path = g_build_filename(self->root, VGPU_GIM_CONFIG, NULL);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        (void) g_mkdir(dir, 0700);
        (void) g_unlink(path);
        if (cases[i].before)
            assert_true(g_file_set_contents(path, cases[i].before, -1, NULL));
        if (!vgpu_gim_write_config(self->root, 4, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        text = read_file(self, VGPU_GIM_CONFIG);
        if (!g_str_equal(text, cases[i].after))
            fail_msg("%s: %s", cases[i].what, text);
    }

    must_keep_binary(self);

    /* loaded again */
    fake_vfs_add(host.fs, S7150, "0000:0b:02.0", 16, 4);
    must_set(self, "as it is", S7150, 4, false);
}

static void
test_gim_new(void **state)
{
    Fixture *self = *state;

    add_pf(MI300X, "0x1002", "gim", 8);
    add_pf(MI300X_2, "0x1002", "gim", 8);
    fake_attribute_set(host.fs, MI300X, "accelerator_partition_profile", "SPX");
    fake_attribute_set(host.fs, MI300X_2, "accelerator_partition_profile", "SPX");
    fake_vfs_add(host.fs, MI300X, "0000:1b:02.0", 8, 1);
    must_fail(self, "a parameter for each GPU", MI300X_2, 8, VGPU_ERROR_NOT_SUPPORTED,
              "put the line 'options gim vf_num=1,8' into /etc/modprobe.d/gim.conf");
    must_fail(self, "and the way back", MI300X, 0, VGPU_ERROR_NOT_SUPPORTED,
              "'options gim vf_num=0,0'");
    must_set(self, "as it is", MI300X, 1, false);
    assert_null(strstr(host.writes->str, "sriov_numvfs"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test_setup_teardown(test_manage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_manage_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_give_to_host, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vendor_in_use, setup, teardown),
        cmocka_unit_test(test_unknown_use),
        cmocka_unit_test_setup_teardown(test_gim_old, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gim_new, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
