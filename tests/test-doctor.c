/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor: its conclusions from facts, what it reads on a made host, and its output. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/names.h"
#include "cli/doctor-private.h"
#include "cli/doctor.h"
#include "driver/performer.h"
#include "driver/protocol.h"
#include "fake-sysfs.h"

#define TEXT(literal) ((char *) (literal))

/* @status and @fix NULL: there must be none; @detail and @fix are parts of the text. */
static void
check(const char *what, VgpuFinding finding, const char *status, const char *detail,
      const char *fix)
{
    g_auto(VgpuFinding) owned = finding;

    if (g_strcmp0(owned.status, status) != 0)
        fail_msg("%s: is %s, not %s: %s", what, owned.status ? owned.status : "silent",
                 status ? status : "silent", owned.detail ? owned.detail : "");
    if (detail && (!owned.detail || !strstr(owned.detail, detail)))
        fail_msg("%s: '%s' does not say '%s'", what, owned.detail ? owned.detail : "", detail);
    if (fix ? !owned.fix || !strstr(owned.fix, fix) : owned.fix != NULL)
        fail_msg("%s: the fix is '%s', not '%s'", what, owned.fix ? owned.fix : "none",
                 fix ? fix : "none");
}

/* --- cards -------------------------------------------------------------------------------- */

/* Three cards as they should be, and what may be wrong with them. */
#define NVIDIA .vendor = 0x10de, .driver = TEXT("nvidia"), .version = TEXT("550.90.05")
#define A2 NVIDIA, .device = 0x25b6, .class = 0x030200, .vfs_total = 16
#define M10 NVIDIA, .device = 0x13bd, .class = 0x030000
#define FLEX .vendor = 0x8086, .device = 0x56c0, .class = 0x038000, .vfs_total = 31
#define AT .address = TEXT("0000:41:00.0")
#define IN_CPU .address = TEXT("0000:00:02.0")
#define LISTED_NOT .listing = VGPU_LISTING_NO

typedef struct {
    const char *what;
    VgpuCard card;
    const char *driver[3]; /* status, detail, fix */
    const char *vfs[3];
} CardCase;

static const CardCase cards[] = {
    { "an A2 that works",
      .card = { AT, A2, .vgpu_host = true, .has_iommu = true, .vfs_enabled = 16,
                .vfs_offering = 16 },
      .driver = { "ok", "nvidia 550.90.05", NULL }, .vfs = { "ok", "16 of 16", NULL } },
    { "an A2 that works, whatever its module is called",
      .card = { AT, A2, .vfs_enabled = 4, .vfs_offering = 4 },
      .driver = { "ok", "nvidia 550.90.05", NULL }, .vfs = { "ok", "4 of 16", NULL } },
    { "virtual functions off", .card = { AT, A2, .vgpu_host = true, .has_iommu = true },
      .driver = { "ok", "nvidia", NULL },
      .vfs = { "warn", "none of 16", "virt-vgpu gpu-enable 0000:41:00.0" } },
    { "no IOMMU: the driver takes no virtual function",
      .card = { AT, A2, .vgpu_host = true, .vfs_enabled = 16 },
      .driver = { "ok", "nvidia", NULL }, .vfs = { "fail", "without an IOMMU", "iommu" } },
    { "virtual functions without types",
      .card = { AT, A2, .vgpu_host = true, .has_iommu = true, .vfs_enabled = 16 },
      .driver = { "ok", "nvidia", NULL },
      .vfs = { "warn", "none shows vGPU types", "gpu-disable 0000:41:00.0" } },
    { "libvirt has bound some VFs to vfio-pci",
      .card = { AT, A2, .vgpu_host = true, .has_iommu = true, .vfs_enabled = 16,
                .vfs_offering = 14, .vfs_for_guests = 2 },
      .driver = { "ok", "nvidia", NULL }, .vfs = { "warn", "2 of 16", "managed='no'" } },
    { "the ordinary driver", .card = { AT, A2, .has_iommu = true },
      .driver = { "warn", "without the module nvidia_vgpu_vfio", "modprobe nvidia-vgpu-vfio" },
      .vfs = { NULL } },
    { "mediated devices on the PF", .card = { AT, M10, .vgpu_host = true, .on_pf = true },
      .driver = { "ok", "nvidia 550.90.05", NULL }, .vfs = { NULL } },
    { "the same of one that has virtual functions, too",
      .card = { AT, A2, .vgpu_host = true, .on_pf = true },
      .driver = { "ok", "nvidia 550.90.05", NULL }, .vfs = { NULL } },
    { "a release that has dropped the card", .card = { AT, M10, .vgpu_host = true },
      .driver = { "warn", "neither vGPU types nor virtual functions", "nvidia-vgpud" },
      .vfs = { NULL } },
    { "nouveau", .card = { AT, .vendor = 0x10de, .class = 0x030000, .driver = TEXT("nouveau") },
      .driver = { "warn", "bound to nouveau",
                  "if NVIDIA lists this model for vGPU (GeForce: no): install its vGPU host "
                  "driver, put 'blacklist nouveau'" },
      .vfs = { NULL } },
    { "a GeForce beside the vGPU driver",
      .card = { AT, .vendor = 0x10de, .class = 0x030000, .driver = TEXT("nouveau"), LISTED_NOT },
      .driver = { "ok", "bound to nouveau; NVIDIA's vGPU driver does not list this model", NULL },
      .vfs = { NULL } },
    { "a GeForce on that driver",
      .card = { AT, NVIDIA, .class = 0x030000, .vgpu_host = true, LISTED_NOT },
      .driver = { "ok", "nvidia 550.90.05; NVIDIA's vGPU driver does not list this model", NULL },
      .vfs = { NULL } },
    { "a GeForce on the ordinary driver", .card = { AT, NVIDIA, .class = 0x030000 },
      .driver = { "warn", "without the module nvidia_vgpu_vfio", "(GeForce: no)" },
      .vfs = { NULL } },
    { "a card that works needs nothing",
      .card = { AT, M10, .vgpu_host = true, .on_pf = true, LISTED_NOT },
      .driver = { "ok", "nvidia 550.90.05", NULL }, .vfs = { NULL } },
    { "reserved for another use",
      .card = { AT, .vendor = 0x10de, .class = 0x030200, .driver = TEXT("pci-stub"),
                .vfs_total = 16 },
      .driver = { "warn", "bound to pci-stub", "bind it to nvidia" }, .vfs = { NULL } },
    { "no driver", .card = { AT, .vendor = 0x10de, .class = 0x030200, .vfs_total = 16 },
      .driver = { "warn", "bound to no driver", "modprobe nvidia" }, .vfs = { NULL } },
    { "passed through to a guest",
      .card = { AT, .vendor = 0x10de, .device = 0x13f2, .class = 0x030200,
                .driver = TEXT("vfio-pci"), .vfs_total = 16 },
      .driver = { "ok", "passed through whole", NULL }, .vfs = { NULL } },
    { "a driver that hangs",
      .card = { AT, A2, .vgpu_host = true, .vfs_enabled = 16, .vfs_offering = 16,
                .silence = TEXT("it has not answered for 5 s") },
      .driver = { "fail", "nvidia 550.90.05 does not answer: it has not", "journalctl" },
      .vfs = { "ok", "16 of 16", NULL } },
    { "the board's own graphics",
      .card = { AT, .vendor = 0x1a03, .class = 0x030000, .driver = TEXT("ast") },
      .driver = { NULL }, .vfs = { NULL } },
    { "graphics in the processor, with unused virtual functions",
      .card = { IN_CPU, .vendor = 0x8086, .class = 0x030000, .driver = TEXT("i915"),
                .vfs_total = 7 },
      .driver = { "ok", "i915", NULL }, .vfs = { NULL } },
    { "the same with some on",
      .card = { AT, .vendor = 0x8086, .class = 0x030000, .driver = TEXT("i915"), .vfs_total = 7,
                .vfs_enabled = 2 },
      .driver = { "ok", "i915", NULL }, .vfs = { "ok", "2 of 7", NULL } },
    { "an Arc Pro B50 that is off",
      .card = { AT, .vendor = 0x8086, .device = 0xe212, .class = 0x030000, .driver = TEXT("xe"),
                .vfs_total = 12 },
      .driver = { "ok", "xe", NULL },
      .vfs = { "warn", "none of 12", "virt-vgpu gpu-enable 0000:41:00.0" } },
    { "the same in another domain of the bus",
      .card = { .address = TEXT("0001:03:00.0"),
                .vendor = 0x8086,
                .class = 0x030000,
                .driver = TEXT("xe"),
                .vfs_total = 24 },
      .driver = { "ok", "xe", NULL }, .vfs = { "warn", "none of 24", "gpu-enable 0001:03" } },
    { "GVT-g without kvmgt",
      .card = { IN_CPU, .vendor = 0x8086, .class = 0x030000, .driver = TEXT("i915"),
                .is_alone = true },
      .driver = { "warn", "neither vGPU types (GVT-g)", "modprobe kvmgt, and i915.enable_gvt=1" },
      .vfs = { NULL } },
    { "the same beside a card that makes vGPUs",
      .card = { IN_CPU, .vendor = 0x8086, .class = 0x030000, .driver = TEXT("i915") },
      .driver = { "ok", "neither vGPU types (GVT-g)", NULL }, .vfs = { NULL } },
    { "with kvmgt",
      .card = { IN_CPU, .vendor = 0x8086, .class = 0x030000, .driver = TEXT("i915"),
                .on_pf = true, .is_alone = true },
      .driver = { "ok", "i915", NULL }, .vfs = { NULL } },
    { "a Flex that is off", .card = { AT, FLEX, .driver = TEXT("xe") },
      .driver = { "ok", "xe", NULL }, .vfs = { "warn", "none of 31", "gpu-enable" } },
    { "a Flex without a driver", .card = { AT, FLEX },
      .driver = { "warn", "no driver", "vendor's host driver" }, .vfs = { NULL } },
    { "gim decides when it is loaded",
      .card = { AT, .vendor = 0x1002, .class = 0x120000, .driver = TEXT("gim"), .vfs_total = 8 },
      .driver = { "ok", "gim", NULL }, .vfs = { "warn", "none of 8", "vf_num" } },
    { "a Radeon Pro V710 on the desktop's driver",
      .card = { AT, .vendor = 0x1002, .class = 0x038000, .driver = TEXT("amdgpu") },
      .driver = { "warn", "AMD's host driver for cards that have them is gim", "install gim" },
      .vfs = { NULL } },
    { "an MI300X on it, which shows SR-IOV",
      .card = { AT, .vendor = 0x1002, .class = 0x120000, .driver = TEXT("amdgpu"),
                .vfs_total = 8 },
      .driver = { "warn", "gim", "install gim" }, .vfs = { NULL } },
    { "a Navi graphics card",
      .card = { AT, .vendor = 0x1002, .class = 0x030000, .driver = TEXT("amdgpu") },
      .driver = { "ok", "amdgpu makes no virtual functions", NULL }, .vfs = { NULL } },
    { "an AMD graphics card",
      .card = { AT, .vendor = 0x1002, .class = 0x030000, .driver = TEXT("amdgpu"),
                .vfs_total = 16 },
      .driver = { "ok", "amdgpu", NULL }, .vfs = { NULL } },
};

static void
test_cards(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        const CardCase *c = &cards[i];

        check(c->what, vgpu_doctor_card_judge_driver(&c->card), c->driver[0], c->driver[1],
              c->driver[2]);
        check(c->what, vgpu_doctor_card_judge_vfs(&c->card), c->vfs[0], c->vfs[1], c->vfs[2]);
    }
}

static void
test_kinds(void **state)
{
    static const struct {
        const char *what;
        VgpuCard card;
        VgpuCardKind kind;
    } kinds[] = {
        { "types on the PF", { M10, .on_pf = true }, VGPU_CARD_MDEV },
        { "types on VFs", { A2, .vfs_enabled = 2, .vfs_offering = 1 }, VGPU_CARD_MDEV },
        { "VFs off", { A2 }, VGPU_CARD_NONE },
        { "NVIDIA's VFs without types", { A2, .vfs_enabled = 16 }, VGPU_CARD_NONE },
        { "plain VFs", { FLEX, .driver = TEXT("xe"), .vfs_enabled = 1 }, VGPU_CARD_VFS },
        { "passed through",
          { FLEX, .driver = TEXT("vfio-pci"), .vfs_enabled = 1, .on_pf = true },
          VGPU_CARD_NONE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (vgpu_doctor_card_kind(&kinds[i].card) != kinds[i].kind)
            fail_msg("%s: kind %d", kinds[i].what, vgpu_doctor_card_kind(&kinds[i].card));
    }
}

#define MIB (1ull << 20)

static void
test_modes(void **state)
{
    static const struct {
        const char *what;
        VgpuCard card;
        const char *status, *detail, *fix;
    } modes[] = {
        { "an M60 as NVIDIA sells it for graphics",
          .card = { NVIDIA, .device = 0x13f2, .class = 0x030000, .bar1 = 256 * MIB },
          .status = "ok", .detail = "graphics (VGA controller, BAR1 256 MiB)" },
        { "an M60 in compute mode",
          .card = { NVIDIA, .device = 0x13f2, .class = 0x030200, .bar1 = 8192 * MIB },
          .status = "fail", .detail = "compute (3D controller, BAR1 8 GiB)",
          .fix = "gpumodeswitch --gpumode graphics" },
        { "an M6 in compute mode, its BARs not known",
          .card = { NVIDIA, .device = 0x13f3, .class = 0x030200 }, .status = "fail",
          .detail = "compute (3D controller): vGPUs", .fix = "gpumodeswitch" },
        { "an M60 in compute mode, passed through", .card = { .vendor = 0x10de,
                                                              .device = 0x13f2,
                                                              .class = 0x030200,
                                                              .driver = TEXT("vfio-pci") } },
        { "an A40 with its display off",
          .card = { NVIDIA, .device = 0x2235, .class = 0x030200, .bar1 = 65536 * MIB },
          .status = "ok", .detail = "displayless (3D controller, BAR1 64 GiB)" },
        { "an RTX A6000 as NVIDIA sells it",
          .card = { NVIDIA, .device = 0x2230, .class = 0x030000, .bar1 = 256 * MIB },
          .status = "warn", .detail = "outputs are on (VGA controller, BAR1 256 MiB)",
          .fix = "displaymodeselector --gpumode physical_display_disabled" },
        { "a card without such a switch",
          .card = { NVIDIA, .device = 0x25b6, .class = 0x030200 } },
        { "an M60 with an unknown class",
          .card = { NVIDIA, .device = 0x13f2, .class = 0x038000 } },
        { "the same device id of another vendor", .card = { .vendor = 0x1002,
                                                            .device = 0x13f2,
                                                            .class = 0x030200,
                                                            .driver = TEXT("amdgpu") } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++)
        check(modes[i].what, vgpu_doctor_card_judge_mode(&modes[i].card), modes[i].status,
              modes[i].detail, modes[i].fix);
}

/* --- the host and libvirt ----------------------------------------------------------------- */

static void
test_iommu(void **state)
{
    static const struct {
        const char *what;
        VgpuIommuFacts facts;
        const char *status, *detail, *fix;
    } hosts[] = {
        { "an IOMMU", .facts = { .groups = 64, .cmdline = "quiet" }, .status = "ok",
          .detail = "64 groups" },
        { "Intel, not enabled on the command line",
          .facts = { .cmdline = "quiet", .cpu = "GenuineIntel" }, .status = "warn",
          .detail = "mdevs work", .fix = "add intel_iommu=on" },
        { "Intel, enabled on the command line",
          .facts = { .cmdline = "ro intel_iommu=on quiet\n", .cpu = "GenuineIntel" },
          .status = "warn", .detail = "mdevs work", .fix = "the kernel command line is right" },
        { "enabled by another option",
          .facts = { .cmdline = "intel_iommu=on,sm_off", .cpu = "GenuineIntel" },
          .status = "warn", .detail = "mdevs work", .fix = "add intel_iommu=on" },
        { "switched off", .facts = { .cmdline = "quiet amd_iommu=off", .cpu = "AuthenticAMD" },
          .status = "warn", .detail = "mdevs work", .fix = "remove amd_iommu=off" },
        { "AMD", .facts = { .cmdline = "", .cpu = "AuthenticAMD" }, .status = "warn",
          .detail = "mdevs", .fix = "AMD-Vi (IOMMU)" },
        { "nothing known", .facts = { 0 }, .status = "warn", .detail = "mdevs",
          .fix = "VT-d or AMD-Vi" },
        { "and a GPU needs it", .facts = { .is_missed = true }, .status = "fail",
          .detail = "make no vGPUs", .fix = "VT-d" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++)
        check(hosts[i].what, vgpu_doctor_judge_iommu(&hosts[i].facts), hosts[i].status,
              hosts[i].detail, hosts[i].fix);
}

static void
test_modules(void **state)
{
    check("a module", vgpu_doctor_judge_module("vfio", true, true, "fail", "why"), "ok", "loaded",
          NULL);
    check("built in", vgpu_doctor_judge_module("vfio", false, true, "fail", "why"), "ok",
          "built in", NULL);
    check("needed", vgpu_doctor_judge_module("vfio", false, false, "fail", "why"), "fail",
          "not loaded: why", "modprobe vfio");
    check("not needed", vgpu_doctor_judge_module("mdev", false, false, "ok", "not here"), "ok",
          "not loaded: not here", NULL);
}

static void
test_migration(void **state)
{
    static const struct {
        const char *what;
        VgpuMigrationFacts facts;
        const char *detail;
    } hosts[] = {
        { "Debian 13",
          { VGPU_DOCTOR_VERSION(6, 12), VGPU_DOCTOR_VERSION(10, 0), VGPU_TRUTH_NO },
          "possible for a domain that has enable-migration=on, if the GPU's driver can do it: "
          "this "
          "kernel was built without IOMMUFD; see migration.md" },
        { "Debian 12",
          { VGPU_DOCTOR_VERSION(6, 1), VGPU_DOCTOR_VERSION(7, 2), VGPU_TRUTH_NO },
          "cannot be saved or migrated: that needs QEMU 8.1, this is 7.2" },
        { "Ubuntu 22.04",
          { VGPU_DOCTOR_VERSION(5, 15), VGPU_DOCTOR_VERSION(8, 2), VGPU_TRUTH_YES },
          "that needs Linux 5.18, this is 5.15" },
        { "all of it",
          { VGPU_DOCTOR_VERSION(6, 17), VGPU_DOCTOR_VERSION(10, 1), VGPU_TRUTH_YES },
          "possible if the GPU's driver can do it; see" },
        { "the first versions",
          { VGPU_DOCTOR_VERSION(5, 18), VGPU_DOCTOR_VERSION(8, 1), VGPU_TRUTH_UNKNOWN },
          "possible if the GPU's driver can do it; see" },
        { "QEMU is not known",
          { VGPU_DOCTOR_VERSION(6, 12), 0, VGPU_TRUTH_YES },
          "possible if the GPU's driver can do it and QEMU is 8.1 or later; see" },
        { "nothing is known",
          { 0, 0, VGPU_TRUTH_UNKNOWN },
          "can do it, Linux is 5.18 or later and QEMU 8.1 or later; see" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++)
        check(hosts[i].what, vgpu_doctor_judge_migration(&hosts[i].facts), "ok", hosts[i].detail,
              NULL);
}

static void
test_hook_times(void **state)
{
    static const struct {
        const char *what;
        VgpuHookTimes times;
        const char *status, *detail, *fix;
    } times[] = {
        { "started later", .times = { "libvirtd", 20, 10, 0 }, .status = "ok",
          .detail = "since the hook was installed" },
        { "at the same moment", .times = { "libvirtd", 10, 10, 0 }, .status = "ok",
          .detail = "since" },
        { "started before", .times = { "virtqemud", 5, 10, 0 }, .status = "fail",
          .detail = "before", .fix = "reload virtqemud" },
        { "with another hook since before that", .times = { "libvirtd", 5, 10, 3 },
          .status = "ok", .detail = "another" },
        { "with another hook, but too late", .times = { "libvirtd", 5, 10, 6 }, .status = "fail",
          .detail = "before", .fix = "reload libvirtd" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        check(times[i].what, vgpu_doctor_judge_hook_loaded(&times[i].times), times[i].status,
              times[i].detail, times[i].fix);
}

static void
test_other_hooks(void **state)
{
    check("nothing to do with GPUs", vgpu_doctor_judge_other_hook("logger \"$1\"", false), NULL,
          NULL, NULL);
    check("virsh", vgpu_doctor_judge_other_hook("virsh list", false), "warn", "hangs", "virsh");
    check("a longer word", vgpu_doctor_judge_other_hook("logger virshish", false), NULL, NULL,
          NULL);
    check("mdevs", vgpu_doctor_judge_other_hook("echo > /sys/bus/mdev", false), "warn",
          "mediated", "use either");
    check("vGPUs", vgpu_doctor_judge_other_hook("start-vgpu", false), "warn", "mediated",
          "use either");
    check("NVIDIA's driver", vgpu_doctor_judge_other_hook("modprobe -r nvidia_drm nvidia", false),
          "warn", "NVIDIA's driver", "does not touch cards");
    check("virtual functions",
          vgpu_doctor_judge_other_hook("echo 4 > /sys/class/drm/card0/device/sriov_numvfs",
                                       false),
          "warn", "writes sriov_numvfs", "gpu-enable --persistent");
    check("a GPU for a guest",
          vgpu_doctor_judge_other_hook("virsh nodedev-detach pci_0000_01_00_0", false), "warn",
          "runs virsh nodedev-detach", "managed='yes'");
    check("NVIDIA's own",
          vgpu_doctor_judge_other_hook("nvidia-smi; /usr/bin/fmpm -l --hostname 127.0.0.1",
                                       false),
          "ok", "Fabric Manager", NULL);
    check("ours", vgpu_doctor_judge_other_hook("\177ELF", true), "warn", "twice", "remove it");
}

static void
test_apparmor(void **state)
{
    static const struct {
        const char *what;
        const char *context, *program;
        const char *status, *detail, *fix;
    } cases[] = {
        { "not confined", "unconfined", "/opt/hook", NULL, NULL, NULL },
        { "complaining", "libvirtd (complain)", "/opt/hook", NULL, NULL, NULL },
        { "where it is installed", "libvirtd (enforce)", "/usr/sbin/virt-vgpu-hook", "ok",
          "libvirtd lets it", NULL },
        { "a file among the hooks", "virtqemud (enforce)",
          "/etc/libvirt/hooks/qemu.d/50-virt-vgpu", "ok", "virtqemud", NULL },
        { "a prefix of its own", "libvirtd (enforce)", "/usr/local/sbin/virt-vgpu-hook", "warn",
          "does not name /usr/local/sbin/virt-vgpu-hook", "local/usr.sbin.libvirtd" },
        { "below a directory that is named", "virtqemud (enforce)", "/usr/sbin/x/hook", "warn",
          "/usr/sbin/x/hook", "'/usr/sbin/x/hook PUx,'" },
        { "a profile by its path", "/usr/sbin/libvirtd (enforce)", "/opt/hook", "warn",
          "/usr/sbin/libvirtd", "/usr.sbin.libvirtd, then" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i].what, vgpu_doctor_judge_apparmor(cases[i].context, cases[i].program),
              cases[i].status, cases[i].detail, cases[i].fix);
}

static void
test_selinux(void **state)
{
#define HOOK "/usr/sbin/virt-vgpu-hook"
#define BIN "system_u:object_r:bin_t:s0"
    static const struct {
        const char *what;
        const char *context, *label;
        const char *status, *detail, *fix;
    } cases[] = {
        { "a libvirtd", "system_u:system_r:virtd_t:s0-s0:c0.c1023", BIN, "ok", "enforcing",
          NULL },
        { "no label that could be read", "system_u:system_r:virtd_t:s0", NULL, "ok", "enforcing",
          NULL },
        { "a virtqemud", "system_u:system_r:virtqemud_t:s0", BIN, "warn", "virtqemud_t",
          "semanage permissive -a virtqemud_t" },
        { "moved from a home directory", "system_u:system_r:virtd_t:s0",
          "unconfined_u:object_r:user_home_t:s0", "fail", HOOK " is labelled user_home_t",
          "restorecon -v " HOOK },
        { "a context without a type", "kernel", "strange", "ok", "enforcing", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i].what, vgpu_doctor_judge_selinux(cases[i].context, cases[i].label, HOOK),
              cases[i].status, cases[i].detail, cases[i].fix);
}

/* --- reading a made host ------------------------------------------------------------------ */

/* The row of @name as "STATUS DETAIL|FIX"; NULL: there is none. */
static char *
row_of(GVariant *rows, const char *name)
{
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *check = "", *status = "", *detail = "", *fix = "";

        assert_true(g_variant_lookup(row, "check", "&s", &check));
        assert_true(g_variant_lookup(row, "status", "&s", &status));
        assert_true(g_variant_lookup(row, "detail", "&s", &detail));
        if (g_variant_lookup(row, "fix", "&s", &fix) == g_str_equal(status, "ok"))
            fail_msg("%s is %s, and has fix '%s'", check, status, fix);
        if (g_str_equal(check, name))
            return g_strdup_printf("%s %s|%s", status, detail, fix);
    }
    return NULL;
}

static GVariant *
examine(FakeSysfs *host)
{
    VgpuPerformer performer = { .sysfs = fake_sysfs_reader(host) };
    g_autoptr(GVariant) arguments =
        g_variant_ref_sink(g_variant_new_parsed("{'details': <true>}"));
    g_autoptr(GVariant) results =
        g_variant_ref_sink(vgpu_performer_run(&performer, VGPU_DRIVER_DISCOVER, arguments));
    g_autoptr(GVariant) details = g_variant_lookup_value(results, "details", NULL);
    g_autoptr(GPtrArray) gpus =
        vgpu_doctor_gpu_cards(performer.sysfs, performer.discovered, details);
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    vgpu_doctor_check(performer.sysfs, false, gpus, &rows);
    vgpu_performer_clear(&performer);
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

/* @begins NULL: there must be no such row. */
static void
expect(FakeSysfs *host, const char *name, const char *begins)
{
    g_autoptr(GVariant) rows = examine(host);
    g_autofree char *row = row_of(rows, name);

    if (begins ? !row || !g_str_has_prefix(row, begins) : row != NULL)
        fail_msg("%s is '%s', not '%s'", name, row ? row : "not there",
                 begins ? begins : "not there");
}

#define PF "0000:41:00.0"

static void
add_a40(FakeSysfs *host)
{
    static const FakeFunction a40 = { "0x030200", "0x10de", "0x2235", "nvidia", "0" };

    fake_gpu_add(host, PF, &a40);
    fake_attribute_set(host, PF, "sriov_totalvfs", "32");
    fake_file_set(host, "sys/bus/pci/drivers/nvidia/module/version", "550.90.05\n");
    fake_file_set(host, "sys/module/nvidia_vgpu_vfio/refcnt", "0\n");
}

static void
test_reads_cards(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    add_a40(host);
    expect(host, "driver " PF, "ok nvidia 550.90.05|");
    expect(host, "vfs " PF, "warn none of 32");
    expect(host, "mode " PF, "ok displayless (3D controller)|");
    expect(host, "iommu", "warn");
    fake_attribute_set(host, PF, "resource",
                       "0x0000000000000000 0x0000000000ffffff 0x0000000000040200\n"
                       "0x0000200000000000 0x000020000fffffff 0x000000000014220c\n");
    fake_attribute_set(host, PF, "class", "0x030000");
    expect(host, "mode " PF, "warn its outputs are on (VGA controller, BAR1 256 MiB)");
}

static void
test_reads_migration(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();
    g_autofree char *long_list = NULL, *modules = NULL;

    (void) state;
    expect(host, "migration", NULL);
    add_a40(host);
    expect(host, "migration",
           "ok possible if the GPU's driver can do it, Linux is 5.18 or later");
    fake_file_set(host, "proc/sys/kernel/osrelease", "5.15.0-91-generic\n");
    expect(host, "migration", "ok a running domain with a vGPU cannot be saved");
    fake_file_set(host, "proc/sys/kernel/osrelease", "5.14.0-503.el9.x86_64\n");
    expect(host, "migration", "ok possible if");
    fake_file_set(host, "proc/sys/kernel/osrelease", "6.12.1\n");
    fake_file_set(host, "lib/modules/6.12.1/modules.builtin", "kernel/drivers/vfio/vfio.ko\n");
    expect(host, "migration", "ok possible for a domain that has enable-migration=on");
    long_list = g_strnfill(100000, '\n'); /* longer than an attribute of sysfs may be */
    modules = g_strconcat(long_list, "kernel/drivers/iommu/iommufd/iommufd.ko\n", NULL);
    fake_file_set(host, "lib/modules/6.12.1/modules.order", modules);
    expect(host, "migration", "ok possible if the GPU's driver can do it and QEMU is 8.1");
    fake_file_set(host, "lib/modules/6.12.1/modules.order", "");
    expect(host, "migration", "ok possible for a domain");
    fake_file_set(host, "boot/config-6.12.1", "# x\n# CONFIG_IOMMUFD is not set\n");
    expect(host, "migration", "ok possible for a domain");
    fake_file_set(host, "boot/config-6.12.1", "# x\nCONFIG_IOMMUFD=m\n");
    expect(host, "migration", "ok possible if");
}

static void
test_reads_listing(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();
    static const FakeFunction geforce = { "0x030000", "0x10de", "0x2504", "nouveau", "0" };

    fake_gpu_add(host, PF, &geforce);
    expect(host, "driver " PF, "warn bound to nouveau");
    fake_file_set(host, "usr/share/nvidia/vgpu/vgpuConfig.xml",
                  "<vgpuconfig><pgpu><devId vendorId=\"0x10DE\" deviceId=\"0x25B6\"/></pgpu>");
    expect(host, "driver " PF, "ok bound to nouveau; NVIDIA's vGPU driver does not list");
    fake_file_set(host, "usr/share/nvidia/vgpu/vgpuConfig.xml",
                  "<vgpuconfig><pgpu><devId vendorId=\"0x10DE\" deviceId=\"0x2504\"/></pgpu>");
    expect(host, "driver " PF, "warn bound to nouveau");
}

static void
test_reads_vfs(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    add_a40(host);
    fake_vfs_add(host, PF, "0000:41:00.4", 32, 3);
    expect(host, "iommu", "fail");
    expect(host, "vfs " PF, "fail 3 virtual functions");
    fake_file_set(host, "sys/kernel/iommu_groups/7/devices/c0ffee00-0000-4000-8000-000000000001",
                  "");
    expect(host, "iommu", "fail"); /* a mediated device's own group proves nothing */
    fake_file_set(host, "sys/kernel/iommu_groups/1/devices/0000:41:00.0", "");
    expect(host, "iommu", "ok 1 groups");
    expect(host, "vfs " PF, "warn 3 virtual functions are on, and none");
    fake_vendor_set(host, "0000:41:00.4", "", 0);
    fake_type_add(host, "0000:41:00.5", "nvidia-746", NULL, NULL, 1);
    expect(host, "vfs " PF, "ok 3 of 32");
    fake_driver_bind(host, "0000:41:00.6", "vfio-pci");
    expect(host, "vfs " PF, "warn 1 of 3");
    expect(host, "driver 0000:41:00.4", NULL);
}

static void
test_reads_modules(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();
    static const FakeFunction flex = { "0x038000", "0x8086", "0x56c0", "xe", NULL };

    fake_file_set(host, "sys/module/mdev/refcnt", "0\n");
    expect(host, "module mdev", "ok loaded");
    expect(host, "module vfio_pci", NULL);
    fake_gpu_add(host, PF, &flex);
    fake_vfs_add(host, PF, "0000:41:00.1", 31, 2);
    expect(host, "module vfio_pci", "ok not loaded: libvirt loads it");
    fake_file_set(host, "sys/module/vfio_pci/refcnt", "0\n");
    expect(host, "module vfio_pci", "ok loaded");
    expect(host, "module vfio_iommu_type1", "warn not loaded");
}

static void
test_reads_old_kernel(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    add_a40(host);
    fake_file_set(host, "proc/sys/kernel/osrelease", "5.10.0-30-amd64\n");
    expect(host, "module vfio_mdev", NULL);
    fake_type_add(host, PF, "nvidia-746", NULL, NULL, 1);
    expect(host, "module vfio_mdev", "warn not loaded: on a kernel before 5.16");
    fake_file_set(host, "proc/sys/kernel/osrelease", "4.18.0-553.el8\n");
    expect(host, "module vfio_mdev", "warn not loaded");
    fake_file_set(host, "sys/module/vfio_mdev/refcnt", "0\n");
    expect(host, "module vfio_mdev", "ok loaded");
    fake_file_set(host, "proc/sys/kernel/osrelease", "6.1.0\n");
    expect(host, "module vfio_mdev", NULL);
}

static void
test_reads_services(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    expect(host, "nvidia-vgpu-mgr", NULL);
    fake_file_set(host, "sys/module/nvidia_vgpu_vfio/refcnt", "0\n");
    expect(host, "nvidia-vgpu-mgr", "fail");
    fake_file_set(host, "proc/77/comm", "nvidia-vgpu-mgr\n");
    expect(host, "nvidia-vgpu-mgr", "ok");
    expect(host, "nvidia-vgpu-mgr log", NULL);
    fake_file_set(host, "var/log/messages",
                  "Feb 13 15:20:08 h nvidia-vgpu-mgr[9]: error: vmiop_log: (0x0): no room\n");
    expect(host, "nvidia-vgpu-mgr log",
           "warn its last vGPU did not start: Feb 13 15:20:08: (0x0): no room");
    fake_file_set(host, "var/log/syslog",
                  "Feb 13 15:20:09 h nvidia-vgpu-mgr[9]: notice: vmiop_log: all is well\n");
    expect(host, "nvidia-vgpu-mgr log", NULL);

    expect(host, "polkit", "ok not installed");
    fake_file_set(host, "usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service",
                  "");
    expect(host, "polkit", "warn");
    fake_file_set(host, "usr/share/polkit-1/actions/org.virtvgpu.policy", "");
    expect(host, "polkit", "ok knows");
}

#define NESTED VGPU_PATH_HOOKS "/win10/prepare/begin/start.sh"

static void
make_runnable(FakeSysfs *host, const char *path)
{
    assert_int_equal(fchmodat(vgpu_sysfs_root_fd(fake_sysfs_reader(host)), path, 0755, 0), 0);
}

static void
test_reads_nested_hooks(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    fake_file_set(host, NESTED, "#!/bin/sh\nvirsh nodedev-detach pci_0000_01_00_0\n");
    expect(host, "hook /" NESTED, NULL); /* it is not executable */
    make_runnable(host, NESTED);
    expect(host, "hook /" NESTED, "warn runs virsh nodedev-detach");
    fake_file_set(host, NESTED, "#!/bin/sh\necho 7 > /sys/bus/pci/devices/x/sriov_numvfs\n");
    expect(host, "hook /" NESTED, "warn writes sriov_numvfs");
    fake_file_set(host, VGPU_PATH_HOOKS "/mine/a/b/c/d.sh", "virsh list");
    make_runnable(host, VGPU_PATH_HOOKS "/mine/a/b/c/d.sh");
    expect(host, "hook /" VGPU_PATH_HOOKS "/mine/a/b/c/d.sh",
           NULL); /* deeper than anything runs */
    fake_file_set(host, VGPU_PATH_HOOKS "/60-mine", "virsh list");
    make_runnable(host, VGPU_PATH_HOOKS "/60-mine");
    expect(host, "hook /" VGPU_PATH_HOOKS "/60-mine", "warn runs virsh");
}

static uid_t was;

/* Run as a user without access to @path. */
static void
hide(FakeSysfs *host, const char *path)
{
    int root_fd = vgpu_sysfs_root_fd(fake_sysfs_reader(host));

    assert_int_equal(fchmodat(root_fd, ".", 0755, 0), 0);
    assert_int_equal(fchmodat(root_fd, path, 0, 0), 0);
    was = geteuid();
    if (was == 0)
        assert_int_equal(seteuid(65534), 0);
}

static void
show(FakeSysfs *host, const char *path)
{
    if (was == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(fchmodat(vgpu_sysfs_root_fd(fake_sysfs_reader(host)), path, 0755, 0), 0);
}

/* Files without access are not reported as absent. */
static void
test_reads_hidden(void **state)
{
    g_autofree char *beside = g_path_get_dirname(VGPU_PATH_HOOKS);
    const struct {
        const char *file, *hidden, *check, *before, *then;
    } cases[] = {
        { VGPU_PATH_HOOK, beside, "hook", "fail /" VGPU_PATH_HOOK " is not executable",
          "warn cannot look at /" VGPU_PATH_HOOKS ": permission denied|run doctor as root" },
        { VGPU_PATH_HOOK, VGPU_PATH_HOOKS, "hook", "fail",
          "warn cannot look at /" VGPU_PATH_HOOKS },
        { "etc/virt-vgpu/host.xml", "etc/virt-vgpu", "host layout", "warn not applied",
          "warn cannot look at /etc/virt-vgpu/host.xml" },
        { "etc/mdevctl.d/x/y", "etc/mdevctl.d", "mdevctl autostart", "ok",
          "warn cannot look at /etc/mdevctl.d" },
        { "etc/dbus-1/system.d/x.conf", "etc/dbus-1/system.d", "bus policy", "fail",
          "warn cannot look at /etc/dbus-1/system.d" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeSysfs) host = fake_sysfs_new();
        g_autoptr(GVariant) rows = NULL;
        g_autofree char *row = NULL;

        fake_file_set(host, cases[i].file, "x");
        expect(host, cases[i].check, cases[i].before);
        hide(host, cases[i].hidden);
        rows = examine(host);
        show(host, cases[i].hidden);
        row = row_of(rows, cases[i].check);
        if (!row || !g_str_has_prefix(row, cases[i].then))
            fail_msg("%s: %s", cases[i].hidden, row);
    }
}

static void
test_reads_confinement(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    expect(host, "apparmor of virtqemud", NULL);
    fake_file_set(host, "run/virtqemud.pid", "4711\n");
    expect(host, "apparmor of virtqemud", NULL);
    fake_file_set(host, "proc/4711/attr/current", "virtqemud (enforce)\n");
    expect(host, "apparmor of virtqemud",
           g_str_has_prefix(VGPU_PATH_HOOK, "etc/libvirt/hooks/")
               ? "ok the profile virtqemud lets it run /" VGPU_PATH_HOOK
               : "warn the profile virtqemud does not name /" VGPU_PATH_HOOK ":");
    fake_file_set(host, "sys/fs/selinux/enforce", "1");
    fake_file_set(host, "proc/4711/attr/current", "system_u:system_r:virtqemud_t:s0");
    expect(host, "apparmor of virtqemud", NULL);
    expect(host, "selinux of virtqemud", "warn enforcing");
    fake_file_set(host, "sys/fs/selinux/enforce", "0");
    expect(host, "selinux of virtqemud", NULL);
}

#define UUID_1 "11111111-0000-4000-8000-000000000001"
#define UUID_2 "11111111-0000-4000-8000-000000000002"
#define MDEVCTL(uuid) "etc/mdevctl.d/" PF "/" uuid

static void
test_reads_mdevctl(void **state)
{
    g_autoptr(FakeSysfs) host = fake_sysfs_new();

    add_a40(host);
    fake_type_add(host, PF, "nvidia-746", NULL, NULL, 1);
    fake_file_set(host, MDEVCTL(UUID_1), "{\"start\": \"manual\", \"attrs\": []}");
    fake_file_set(host, MDEVCTL(UUID_2), "no JSON \"start\": \"auto\"");
    expect(host, "mdevctl autostart", "ok");
    fake_file_set(host, MDEVCTL(UUID_1), "{\"attrs\": [{\"start\": \"x\"}], \"start\":\"auto\"}");
    expect(host, "mdevctl autostart",
           "warn mdevctl makes these vGPUs at boot, and they take room: " UUID_1
           "|mdevctl modify --manual --uuid " UUID_1);
    fake_file_set(host, MDEVCTL(UUID_2), "{\"start\": \"auto\"}");
    expect(host, "mdevctl autostart",
           "warn mdevctl makes these vGPUs at boot, and they take room: " UUID_1 ", " UUID_2
           "|for each: ");
    fake_file_set(host, "var/lib/virt-vgpu/mdevs/web", "[" UUID_1 " " UUID_2 "]");
    expect(host, "mdevctl autostart", "ok");
}

/* --- text --------------------------------------------------------------------------------- */

static void
test_text(void **state)
{
    static const char text[] = "Host\n"
                               "  ok    iommu: 64 groups\n"
                               "  fail  module vfio: not loaded: guests\n"
                               "        get no device\n"
                               "        fix: modprobe vfio\n"
                               "\n"
                               "GPUs\n"
                               "  warn  vfs 0000:41:00.0: off\n"
                               "        fix: gpu-enable\n"
                               "\n"
                               "The service\n"
                               "  ok    something new: fine\n"
                               "\n"
                               "1 failed, 1 warning.\n";
    g_autoptr(GVariant) rows = g_variant_ref_sink(g_variant_new_parsed(
        "@aa{sv} [{'check': <'iommu'>, 'status': <'ok'>, 'detail': <'64 groups'>}, "
        "{'check': <'vfs 0000:41:00.0'>, 'status': <'warn'>, 'detail': <'off'>, "
        "'fix': <'gpu-enable'>}, "
        "{'check': <'something new'>, 'status': <'ok'>, 'detail': <'fine'>}, "
        "{'check': <'module vfio'>, 'status': <'fail'>, "
        "'detail': <'not loaded: guests get no device'>, 'fix': <'modprobe vfio'>}]"));
    g_autoptr(GVariant) good = g_variant_ref_sink(g_variant_new_parsed(
        "@aa{sv} [{'check': <'leaks'>, 'status': <'ok'>, 'detail': <'none'>}]"));
    g_autofree char *narrow = vgpu_doctor_text(rows, &(VgpuTableStyle) { .width = 40 });
    g_autofree char *wide = vgpu_doctor_text(rows, &(VgpuTableStyle) { .wide = true });
    g_autofree char *colour =
        vgpu_doctor_text(good, &(VgpuTableStyle) { .width = 80, .colour = true });

    assert_string_equal(narrow, text);
    assert_non_null(strstr(wide, "  fail  module vfio: not loaded: guests get no device\n"));
    assert_string_equal(colour,
                        "vGPUs\n  \033[32mok\033[0m    leaks: none\n\nNo problems found.\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_iommu),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_migration),
        cmocka_unit_test(test_hook_times),
        cmocka_unit_test(test_other_hooks),
        cmocka_unit_test(test_apparmor),
        cmocka_unit_test(test_selinux),
        cmocka_unit_test(test_reads_cards),
        cmocka_unit_test(test_reads_vfs),
        cmocka_unit_test(test_reads_migration),
        cmocka_unit_test(test_reads_listing),
        cmocka_unit_test(test_reads_old_kernel),
        cmocka_unit_test(test_reads_modules),
        cmocka_unit_test(test_reads_services),
        cmocka_unit_test(test_reads_confinement),
        cmocka_unit_test(test_reads_nested_hooks),
        cmocka_unit_test(test_reads_hidden),
        cmocka_unit_test(test_reads_mdevctl),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
