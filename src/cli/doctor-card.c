/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-card.c: findings about one GPU */
#include "cli/doctor-card.h"

#include <string.h>

#define OK VGPU_DOCTOR_OK
#define WARN VGPU_DOCTOR_WARN
#define FAIL VGPU_DOCTOR_FAIL

#define VENDOR_NVIDIA 0x10de
#define VENDOR_INTEL 0x8086
#define VENDOR_AMD 0x1002
#define CLASS_VGA 0x0300
#define CLASS_3D 0x0302

void
vgpu_doctor_card_free(VgpuCard *self)
{
    if (!self)
        return;
    g_free(self->address);
    g_free(self->driver);
    g_free(self->version);
    g_free(self->silence);
    g_free(self);
}

static bool
is_nvidia(const VgpuCard *card)
{
    return card->vendor == VENDOR_NVIDIA;
}

/* A guest has it whole. */
static bool
is_given_away(const VgpuCard *card)
{
    return card->driver && (g_str_has_suffix(card->driver, "vfio-pci") ||
                            g_str_has_suffix(card->driver, "vfio_pci"));
}

VgpuCardKind
vgpu_doctor_card_kind(const VgpuCard *self)
{
    if (is_given_away(self))
        return VGPU_CARD_NONE;
    if (self->on_pf || self->vfs_offering)
        return VGPU_CARD_MDEV;
    return self->vfs_enabled && !is_nvidia(self) ? VGPU_CARD_VFS : VGPU_CARD_NONE;
}

static char *
driver_text(const VgpuCard *card)
{
    return card->version ? g_strdup_printf("%s %s", card->driver, card->version)
                         : g_strdup(card->driver);
}

/* There is nothing to do where the vGPU driver does not support the model, as with any GeForce. */
static VgpuFinding
not_listed(const char *driver)
{
    return (VgpuFinding) {
        OK,
        g_strdup_printf("%s; NVIDIA's vGPU driver does not list this model: it makes no vGPUs",
                        driver),
        NULL,
    };
}

/* Of a card that is bound to "nvidia". Its host driver for vGPUs has one module more than the
 * ordinary one. */
static VgpuFinding
judge_nvidia(const VgpuCard *card)
{
    g_autofree char *driver = driver_text(card);

    if (vgpu_doctor_card_kind(card) != VGPU_CARD_NONE || (card->vgpu_host && card->vfs_total))
        return (VgpuFinding) { OK, g_steal_pointer(&driver), NULL };
    if (card->listing == VGPU_LISTING_NO)
        return not_listed(driver);
    if (!card->vgpu_host)
        return (VgpuFinding) {
            .status = WARN,
            .detail =
                g_strdup_printf("%s, without the module nvidia_vgpu_vfio: it makes no vGPUs",
                                driver),
            .fix = g_strdup("modprobe nvidia-vgpu-vfio; if there is no such module, and NVIDIA "
                            "lists this model for vGPU (GeForce: no), install its vGPU host "
                            "driver in place of the ordinary one"),
        };
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf("%s shows neither vGPU types nor virtual functions", driver),
        .fix = g_strdup(
            "check that this release supports vGPUs on the card, see 'journalctl -b -u "
            "nvidia-vgpud', and, for a card with SR-IOV, check that it is on in the firmware"),
    };
}

/* The driver check of an NVIDIA card that is bound to something else. The kernel's own driver would come
 * back at the next boot. */
static VgpuFinding
judge_other_driver(const VgpuCard *card)
{
    g_autofree char *bound = g_strdup_printf("bound to %s", card->driver);

    if (card->listing == VGPU_LISTING_NO)
        return not_listed(bound);
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf("bound to %s, which makes no vGPUs", card->driver),
        .fix = g_strdup(g_str_equal(card->driver, "nouveau")
                            ? "if NVIDIA lists this model for vGPU (GeForce: no): install its "
                              "vGPU host driver, put 'blacklist nouveau' into /etc/modprobe.d, "
                              "rebuild the initramfs, and reboot"
                            : "to make vGPUs on it, bind it to nvidia"),
    };
}

static VgpuFinding
judge_silent(const VgpuCard *card)
{
    g_autofree char *driver = card->driver ? driver_text(card) : g_strdup("its driver");

    return (VgpuFinding) {
        .status = FAIL,
        .detail = g_strdup_printf("%s does not answer: %s", driver, card->silence),
        .fix = g_strdup("see 'journalctl -k'; a driver that hangs needs a reboot"),
    };
}

/* GVT-g of processors up to the tenth generation; later ones have SR-IOV (kernel: drivers/gpu/drm/i915/Kconfig,
 * DRM_I915_GVT_KVMGT). It is said aloud only where the host has nothing else. */
static VgpuFinding
judge_i915(const VgpuCard *card)
{
    g_autofree char *driver = driver_text(card);

    return (VgpuFinding) {
        .status = card->is_alone ? WARN : OK,
        .detail =
            g_strdup_printf("%s shows neither vGPU types (GVT-g) nor virtual functions", driver),
        .fix = card->is_alone
                   ? g_strdup("for GVT-g: modprobe kvmgt, and i915.enable_gvt=1 on the kernel "
                              "command line; processors after the 10th generation have SR-IOV "
                              "instead, which needs a driver that supports it")
                   : NULL,
    };
}

/* The driver of the desktop; that of the hypervisor is gim (github.com/amd/MxGPU-Virtualization). A card
 * that drives the host's displays is hardly meant for vGPUs. */
static VgpuFinding
judge_amdgpu(const VgpuCard *card)
{
    bool is_vga = card->class >> 8 == CLASS_VGA;

    return (VgpuFinding) {
        .status = is_vga ? OK : WARN,
        .detail = g_strdup("amdgpu makes no virtual functions; AMD's host driver for cards that "
                           "have them is gim"),
        .fix = is_vga ? NULL
                      : g_strdup("if AMD lists this model for MxGPU (Radeon Pro V, Instinct: "
                                 "yes), install gim and load it in place of amdgpu"),
    };
}

/* The driver check of a card that cannot make vGPUs; on-board graphics are not reported. */
static VgpuFinding
judge_bare(const VgpuCard *card)
{
    if (card->vendor == VENDOR_INTEL && g_strcmp0(card->driver, "i915") == 0)
        return judge_i915(card);
    if (card->vendor == VENDOR_AMD && g_strcmp0(card->driver, "amdgpu") == 0)
        return judge_amdgpu(card);
    return (VgpuFinding) { 0 };
}

VgpuFinding
vgpu_doctor_card_judge_driver(const VgpuCard *card)
{
    if (card->silence)
        return judge_silent(card);
    if (!is_nvidia(card) && !card->vfs_total && !card->on_pf)
        return judge_bare(card);
    if (is_given_away(card))
        return (VgpuFinding) { OK, g_strdup_printf("%s: passed through whole", card->driver),
                               NULL };
    if (!card->driver)
        return (VgpuFinding) {
            .status = WARN,
            .detail = g_strdup("bound to no driver: it makes no vGPUs"),
            .fix = g_strdup(is_nvidia(card) ? "modprobe nvidia; if that does not help, see "
                                              "'journalctl -k'"
                                            : "load the vendor's host driver"),
        };
    if (card->vendor == VENDOR_AMD && !card->vfs_enabled && g_str_equal(card->driver, "amdgpu"))
        return judge_amdgpu(card);
    if (!is_nvidia(card))
        return (VgpuFinding) { OK, driver_text(card), NULL };
    if (g_str_equal(card->driver, "nvidia"))
        return judge_nvidia(card);
    return judge_other_driver(card);
}

/* --- virtual functions -------------------------------------------------------------------- */

static bool
is_on_bus_0(const VgpuCard *card)
{
    return card->address && strstr(card->address, ":00:") != NULL;
}

/* Whether its driver would make vGPUs of virtual functions, if they were on. */
static bool
could_have_vfs(const VgpuCard *card)
{
    if (!card->driver || !card->vfs_total || card->on_pf || is_given_away(card))
        return false;
    if (is_nvidia(card))
        return g_str_equal(card->driver, "nvidia") && (card->vgpu_host || card->vfs_offering);
    /* every Intel GPU in a processor of the last years has them, and few hosts are to use them; those are on bus 0,
     * while a card, as an Arc Pro, is behind a bridge */
    if (card->vendor == VENDOR_INTEL)
        return card->vfs_enabled || card->class >> 8 != CLASS_VGA || !is_on_bus_0(card);
    return card->vfs_enabled || g_str_equal(card->driver, "gim");
}

static VgpuFinding
judge_vfs_off(const VgpuCard *card)
{
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf("none of %u virtual functions is on: no vGPU can be made",
                                  card->vfs_total),
        /* gim decides when it is loaded */
        .fix = g_str_equal(card->driver, "gim")
                   ? g_strdup("load the module gim again, with vf_num set")
                   : g_strdup_printf("virt-vgpu gpu-enable %s --persistent", card->address),
    };
}

/* NVIDIA's driver has to take each of them, and does so only where there is an IOMMU. */
static VgpuFinding
judge_nvidia_vfs(const VgpuCard *card)
{
    if (!card->vfs_offering && !card->has_iommu)
        return (VgpuFinding) {
            .status = FAIL,
            .detail =
                g_strdup_printf("%u virtual functions are on, and NVIDIA's driver uses none "
                                "without an IOMMU",
                                card->vfs_enabled),
            .fix = g_strdup_printf("see the check iommu; then virt-vgpu gpu-enable %s",
                                   card->address),
        };
    if (card->vfs_for_guests)
        return (VgpuFinding) {
            .status = WARN,
            .detail = g_strdup_printf("%u of %u virtual functions are bound to vfio-pci, and so "
                                      "make no vGPUs",
                                      card->vfs_for_guests, card->vfs_enabled),
            .fix = g_strdup_printf("set managed='no' in the <hostdev>s that name them; then "
                                   "virt-vgpu gpu-disable %s and gpu-enable",
                                   card->address),
        };
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf("%u virtual functions are on, and none shows vGPU types",
                                  card->vfs_enabled),
        .fix = g_strdup_printf("virt-vgpu gpu-disable %s, then gpu-enable; if that does not "
                               "help, see 'journalctl -k'",
                               card->address),
    };
}

VgpuFinding
vgpu_doctor_card_judge_vfs(const VgpuCard *card)
{
    if (!could_have_vfs(card))
        return (VgpuFinding) { 0 };
    if (!card->vfs_enabled)
        return judge_vfs_off(card);
    if (is_nvidia(card) && (!card->vfs_offering || card->vfs_for_guests))
        return judge_nvidia_vfs(card);
    return (VgpuFinding) { OK,
                           g_strdup_printf("%u of %u virtual functions are on", card->vfs_enabled,
                                           card->vfs_total),
                           NULL };
}

/* --- modes -------------------------------------------------------------------------------- */

/* ", BAR1 256 MiB", as far as it is known */
static char *
bar1_text(const VgpuCard *card)
{
    guint64 mib = card->bar1 >> 20;

    if (!mib)
        return g_strdup("");
    return mib < 1024 ? g_strdup_printf(", BAR1 %u MiB", (guint) mib)
                      : g_strdup_printf(", BAR1 %u GiB", (guint) (mib / 1024));
}

/* The Tesla M60 and M6 are VGA controllers in graphics mode and 3D controllers in compute mode,
 * in which they have no vGPUs (NVIDIA, gpumodeswitch User Guide). */
static VgpuFinding
judge_graphics_mode(const VgpuCard *card)
{
    g_autofree char *bar1 = bar1_text(card);

    if (card->class >> 8 == CLASS_VGA)
        return (VgpuFinding) { OK, g_strdup_printf("graphics (VGA controller%s)", bar1), NULL };
    if (card->class >> 8 != CLASS_3D)
        return (VgpuFinding) { 0 };
    return (VgpuFinding) {
        .status = FAIL,
        .detail = g_strdup_printf("compute (3D controller%s): vGPUs need graphics mode", bar1),
        .fix = g_strdup("gpumodeswitch --gpumode graphics, then reboot"),
    };
}

/* Cards with outputs make vGPUs only while those are off (NVIDIA, Virtual GPU Software User
 * Guide, "Switching the Mode of a GPU that Supports Multiple Display Modes"), and are no VGA
 * controllers then. */
static VgpuFinding
judge_display_mode(const VgpuCard *card)
{
    g_autofree char *bar1 = bar1_text(card);

    if (card->class >> 8 == CLASS_3D)
        return (VgpuFinding) { OK, g_strdup_printf("displayless (3D controller%s)", bar1), NULL };
    if (card->class >> 8 != CLASS_VGA)
        return (VgpuFinding) { 0 };
    return (VgpuFinding) {
        .status = WARN,
        .detail =
            g_strdup_printf("its outputs are on (VGA controller%s): vGPUs need them off", bar1),
        .fix = g_strdup("displaymodeselector --gpumode physical_display_disabled, then reboot"),
    };
}

VgpuFinding
vgpu_doctor_card_judge_mode(const VgpuCard *card)
{
    static const struct {
        guint device;
        VgpuFinding (*judge)(const VgpuCard *card);
    } switches[] = {
        { 0x13f2, judge_graphics_mode }, /* Tesla M60 */
        { 0x13f3, judge_graphics_mode }, /* Tesla M6 */
        { 0x2230, judge_display_mode },  /* RTX A6000 */
        { 0x2231, judge_display_mode },  /* RTX A5000 */
        { 0x2233, judge_display_mode },  /* RTX A5500 */
        { 0x2235, judge_display_mode },  /* A40 */
        { 0x26b1, judge_display_mode },  /* RTX 6000 Ada */
        { 0x26b2, judge_display_mode },  /* RTX 5000 Ada */
        { 0x26b5, judge_display_mode },  /* L40 */
        { 0x26b9, judge_display_mode },  /* L40S */
        { 0x26ba, judge_display_mode },  /* L20 */
    };

    if (!is_nvidia(card) || is_given_away(card))
        return (VgpuFinding) { 0 };
    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (switches[i].device == card->device)
            return switches[i].judge(card);
    }
    return (VgpuFinding) { 0 };
}
