/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/display.h"

#include <string.h>

#include "base/error.h"
#include "domain/params.h"
#include "domain/schema.h"

#define VENDOR_INTEL "0x8086"
#define VENDOR_NVIDIA "0x10de"

/* In a mix of kinds each one worse than the one before. */
typedef enum {
    WORKS,
    DOUBTFUL,     /* not known to be refused, but there may be no picture, or no start */
    PARTLY_WRONG, /* refused on some of the GPUs that it can be on */
    WRONG,        /* libvirt or QEMU refuses it */
} Verdict;

/* Set an error: the annotation at @want contradicts the domain, or cannot be fulfilled. */
#define refuse(error, code, domain, want, ...)                                                   \
    vgpu_schema_refuse(error, code, (domain)->what, (want)->line, __VA_ARGS__)

/* --- how it is shown ---------------------------------------------------------------------- */

static VgpuDisplay
display_of_gpu(const VgpuGpu *gpu)
{
    if (gpu->interface == VGPU_INTERFACE_VF)
        return VGPU_DISPLAY_NONE;
    if (gpu->interface == VGPU_INTERFACE_VENDOR_VFIO)
        return VGPU_DISPLAY_VF_REGION;
    if (g_strcmp0(gpu->vendor_id, VENDOR_NVIDIA) == 0)
        return VGPU_DISPLAY_REGION;
    return g_strcmp0(gpu->vendor_id, VENDOR_INTEL) == 0 ? VGPU_DISPLAY_DMABUF
                                                        : VGPU_DISPLAY_UNKNOWN;
}

/* As long as no GPU is known that has the profile. The number of an id is NVIDIA's, as is a name
 * that ends like "-4Q". */
static VgpuDisplay
display_of_name(const char *profile)
{
    static const struct {
        const char *prefix;
        VgpuDisplay display;
    } names[] = {
        { "nvidia-", VGPU_DISPLAY_REGION }, { "NVIDIA ", VGPU_DISPLAY_REGION },
        { "GRID ", VGPU_DISPLAY_REGION },   { "i915-GVTg_", VGPU_DISPLAY_DMABUF },
        { "GVTg_", VGPU_DISPLAY_DMABUF },
    };
    g_autoptr(VgpuProfile) parsed = vgpu_profile_new(profile, profile);

    if (g_str_equal(profile, VGPU_VF_PROFILE))
        return VGPU_DISPLAY_NONE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_has_prefix(profile, names[i].prefix))
            return names[i].display;
    }
    return vgpu_profile_series(parsed) || strspn(profile, "0123456789") == strlen(profile)
               ? VGPU_DISPLAY_REGION
               : VGPU_DISPLAY_UNKNOWN;
}

static guint
find_profile(const VgpuWant *want, const VgpuInventory *inventory, const char *profile)
{
    guint displays = 0;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = inventory->gpus->pdata[i];

        if (want->gpu && !vgpu_gpu_has_function(gpu, want->gpu)) /* or a VF of it */
            continue;
        for (guint j = 0; j < gpu->profiles->len; j++) {
            if (vgpu_profile_matches(gpu->profiles->pdata[j], profile))
                displays |= 1u << display_of_gpu(gpu);
        }
    }
    return displays ? displays : 1u << display_of_name(profile);
}

void
vgpu_display_find(VgpuWant *want, const VgpuInventory *inventory)
{
    want->displays = 0;
    for (char **profile = want->profiles; *profile; profile++)
        want->displays |= find_profile(want, inventory, *profile);
}

/* --- whether that works ------------------------------------------------------------------- */

/* The displays that the chosen interface allows; 0: all. */
static guint
displays_of_interface(const VgpuWant *want)
{
    if (want->interface == VGPU_INTERFACE_VF)
        return 1u << VGPU_DISPLAY_NONE;
    return want->interface == VGPU_INTERFACE_VENDOR_VFIO ? 1u << VGPU_DISPLAY_VF_REGION : 0;
}

static guint
displays_of(const VgpuWant *want)
{
    guint displays = want->displays | displays_of_interface(want);

    if (displays)
        return displays;
    for (char **profile = want->profiles; profile && *profile; profile++)
        displays |= 1u << display_of_name(*profile);
    return displays ? displays : 1u << VGPU_DISPLAY_UNKNOWN;
}

static Verdict
judge_display(const VgpuDomain *domain, const VgpuWant *want, VgpuDisplay display, gulong libvirt,
              char **why)
{
    bool in_region = display == VGPU_DISPLAY_REGION || display == VGPU_DISPLAY_VF_REGION;
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    *why = NULL;
    if (display == VGPU_DISPLAY_NONE) {
        *why = g_strdup("a plain VF has none");
        return WRONG;
    }
    if (display == VGPU_DISPLAY_VF_REGION && libvirt && libvirt < VGPU_LIBVIRT_PCI_DISPLAY) {
        *why = g_strdup_printf("on NVIDIA's vendor-specific VFIO it needs libvirt 10.3 or newer, "
                               "and this is %s",
                               version);
        return WRONG;
    }
    if (display == VGPU_DISPLAY_DMABUF && !domain->has_gl) {
        *why = g_strdup("GVT-g needs OpenGL for it: <gl enable='yes'/> in the domain's "
                        "<graphics>, or <graphics type='egl-headless'/>");
        return WRONG;
    }
    if (display == VGPU_DISPLAY_UNKNOWN)
        *why = g_strdup(want->profiles && *want->profiles
                            ? "it is not known whether vGPUs of this profile have one"
                            : "its profile is its pool's, which only virtvgpud knows");
    else if (in_region && vgpu_params_turn_off(want->params, VGPU_PARAM_CONSOLE_VNC))
        *why = g_strdup("consoleVNC='off' turns it off");
    return *why ? DOUBTFUL : WORKS;
}

/* Of all @displays; @why is that of the worst. */
static Verdict
judge_all(const VgpuDomain *domain, const VgpuWant *want, guint displays, gulong libvirt,
          char **why)
{
    Verdict worst = WORKS;
    bool all_wrong = true;

    for (guint display = 0; displays >> display; display++) {
        g_autofree char *reason = NULL;
        Verdict verdict;

        if (!(displays >> display & 1u))
            continue;
        verdict = judge_display(domain, want, (VgpuDisplay) display, libvirt, &reason);
        all_wrong &= verdict == WRONG;
        if (verdict <= worst)
            continue;
        worst = verdict;
        g_free(*why);
        *why = g_steal_pointer(&reason);
    }
    return worst == WRONG && !all_wrong ? PARTLY_WRONG : worst;
}

/* Whether a display of @want would work; @why not. If its <hostdev> cannot have one, it does not, even
 * if an alternative profile could. */
static Verdict
judge(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt, char **why)
{
    guint decided = displays_of_interface(want);

    if (!domain->has_graphics) {
        *why = g_strdup("the domain has no <graphics>");
        return WRONG;
    }
    if (decided && judge_all(domain, want, decided, libvirt, why) == WRONG)
        return WRONG;
    g_clear_pointer(why, g_free);
    return judge_all(domain, want, displays_of(want), libvirt, why);
}

/* --- which ones have it ------------------------------------------------------------------- */

/* Whether a device that is not ours has a display or ramfb already. */
static VgpuPicture
picture_of_users(const VgpuDomain *domain)
{
    VgpuPicture picture = { 0 };

    for (guint i = 0; i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];

        if (hostdev->index < 0) {
            picture.display |= hostdev->display;
            picture.ramfb |= hostdev->ramfb;
        }
    }
    return picture;
}

/* A pool's default does not count as an explicit request. */
static bool
must_have_display(const VgpuWant *want)
{
    return want->asked.display == VGPU_SWITCH_ON;
}

static bool
must_have_ramfb(const VgpuWant *want)
{
    return want->asked.ramfb == VGPU_SWITCH_ON;
}

/* Whether it has one if that works: by its own or its pool's wish, or as the first. */
static bool
may_have_display(const VgpuWant *want, VgpuPicture users)
{
    return want->display == VGPU_SWITCH_ON ||
           (want->display == VGPU_SWITCH_AUTO && want->index == 0 && !users.display);
}

/* Whether to try a display: if the device asks for it, unless it is known to fail; if its pool asks for
 * it, if it may work on all GPUs; otherwise only if it is known to work. */
static bool
is_good_enough(const VgpuWant *want, Verdict verdict)
{
    if (must_have_display(want))
        return verdict < WRONG;
    return verdict <= (want->display == VGPU_SWITCH_ON ? DOUBTFUL : WORKS);
}

static bool
decide_display(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture users, gulong libvirt,
               bool *display, GError **error)
{
    g_autofree char *why = NULL;
    Verdict verdict = judge(domain, want, libvirt, &why);

    *display = may_have_display(want, users) && is_good_enough(want, verdict);
    if (*display || !must_have_display(want))
        return true;
    return refuse(error, domain->has_graphics ? VGPU_ERROR_NOT_SUPPORTED : VGPU_ERROR_BAD_REQUEST,
                  domain, want,
                  "<vgpu:device> has display='on', but %s; write display='off' to go without",
                  why);
}

static bool
refuse_ramfb(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt, GError **error)
{
    g_autofree char *absence = vgpu_display_absence(domain, want, libvirt);

    return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                  "<vgpu:device> has ramfb='on', but vGPU %u has %s", want->index,
                  absence ? absence : "no display");
}

/* An explicit ramfb='on' has precedence over any "auto", regardless of the order. */
static bool
decide_ramfb(const VgpuDomain *domain, VgpuPicture *pictures, bool taken, gulong libvirt,
             GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (want->uuid_is_users || !must_have_ramfb(want))
            continue;
        if (!pictures[i].display)
            return refuse_ramfb(domain, want, libvirt, error);
        if (taken)
            return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                          "<vgpu:device> has ramfb='on', but another device of the domain has it "
                          "already, and there can be only one");
        pictures[i].ramfb = taken = true;
    }
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (want->ramfb != VGPU_SWITCH_OFF && pictures[i].display && !taken)
            pictures[i].ramfb = taken = true;
    }
    return true;
}

VgpuPicture *
vgpu_display_decide(const VgpuDomain *domain, gulong libvirt, GError **error)
{
    g_autofree VgpuPicture *pictures = g_new0(VgpuPicture, domain->wants->len + 1);
    VgpuPicture users = picture_of_users(domain);

    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (!want->uuid_is_users &&
            !decide_display(domain, want, users, libvirt, &pictures[i].display, error))
            return NULL;
    }
    if (!decide_ramfb(domain, pictures, users.ramfb, libvirt, error))
        return NULL;
    return g_steal_pointer(&pictures);
}

char *
vgpu_display_warning(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt)
{
    g_autofree char *why = NULL;

    if (want->uuid_is_users || !must_have_display(want) ||
        judge(domain, want, libvirt, &why) == WORKS)
        return NULL;
    return g_strdup_printf("display='on', but %s", why);
}

/* If no display is expected, its absence is not reported. */
char *
vgpu_display_absence(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt)
{
    g_autofree char *why = NULL;

    if (want->uuid_is_users || !may_have_display(want, picture_of_users(domain)) ||
        !domain->has_graphics || displays_of(want) == 1u << VGPU_DISPLAY_NONE ||
        is_good_enough(want, judge(domain, want, libvirt, &why)))
        return NULL;
    return g_strdup_printf("no display: %s", why);
}
