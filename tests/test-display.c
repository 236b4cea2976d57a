/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which vGPUs have a display and the ramfb, depending on the device, the domain and libvirt. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/display.h"
#include "golden.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define DOMAIN                                                                                   \
    "<domain><name>web1</name><uuid>" UUID "</uuid><metadata>"                                   \
    "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>%s</vgpu:devices></metadata>"             \
    "<devices>%s</devices></domain>"
#define DEVICE(attributes) "<vgpu:device " attributes "/>"
#define A2 "profile='NVIDIA A2-4Q' "
#define GVT "profile='i915-GVTg_V5_4' "
#define EITHER(first, second)                                                                    \
    "<vgpu:profile name='" first "'/><vgpu:profile name='" second "'/></vgpu:device>"
#define VNC "<graphics type='vnc'/>"
#define SPICE_GL "<graphics type='spice'><gl enable='yes' rendernode='/dev/dri/x'/></graphics>"
#define EGL VNC "<graphics type='egl-headless'/>"
#define USERS(attributes)                                                                        \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci' " attributes "><source>"             \
    "<address uuid='11111111-2222-4333-8444-555555555555'/></source></hostdev>"

#define VENDOR "vendor-vfio 0000:61:00.4"
#define PLAIN "vf 0000:03:00.2"
#define NEW 11003000 /* a libvirt that can do everything */

#define NO_GL                                                                                    \
    "GVT-g needs OpenGL for it: <gl enable='yes'/> in the domain's <graphics>, or <graphics "    \
    "type='egl-headless'/>"
#define NOT_KNOWN "it is not known whether vGPUs of this profile have one"
#define DARK "consoleVNC='off' turns it off"
#define TOO_OLD(version)                                                                         \
    "on NVIDIA's vendor-specific VFIO it needs libvirt 10.3 or newer, and this is " version
#define REFUSED(why)                                                                             \
    "refused: <vgpu:device> has display='on', but " why "; write display='off' to go without"

/* GPUs of a host: address, interface, vendor, id and name of their profiles. */
static const struct {
    const char *address;
    VgpuInterface interface;
    const char *vendor;
    const char *profiles[5];
} host[] = {
    { "0000:41:00.0",
      VGPU_INTERFACE_MDEV,
      "0x10de",
      { "nvidia-746", "NVIDIA A2-4Q", "nvidia-999", "Odd" } },
    { "0000:61:00.0", VGPU_INTERFACE_VENDOR_VFIO, "0x10de", { "nvidia-1150", "NVIDIA L40S-4Q" } },
    { "0000:00:02.0", VGPU_INTERFACE_MDEV, "0x8086", { "i915-GVTg_V5_4", "GVTg_V5_4" } },
    { "0000:03:00.0", VGPU_INTERFACE_VF, "0x1002", { "vf", "vf" } },
    { "0000:05:00.0",
      VGPU_INTERFACE_MDEV,
      "0x1234",
      { "xxx-1", "xxxgpu-Standard", "xxx-2", "X-4Q" } },
    { "0000:06:00.0", VGPU_INTERFACE_MDEV, "0x1234", { "xxx-3", "NVIDIA A2-4Q" } },
};

static VgpuInventory *
host_new(void)
{
    VgpuInventory *inventory = vgpu_inventory_new();

    for (gsize i = 0; i < G_N_ELEMENTS(host); i++) {
        VgpuGpu *gpu = vgpu_gpu_new(host[i].address);

        gpu->interface = host[i].interface;
        gpu->vendor_id = g_strdup(host[i].vendor);
        if (i == 0)
            (void) vgpu_gpu_add_parent(gpu, "0000:41:00.4", true);
        for (const char *const *profile = host[i].profiles; *profile; profile += 2)
            (void) vgpu_gpu_take_profile(gpu, vgpu_profile_new(profile[0], profile[1]));
        vgpu_inventory_take(inventory, gpu);
    }
    return inventory;
}

/* "on+ramfb", "on" or "off" for each vGPU, with the note about it; or the refusal. */
static char *
tell(const VgpuDomain *domain, gulong libvirt)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree VgpuPicture *picture = vgpu_display_decide(domain, libvirt, &error);

    if (!picture) {
        const char *reason = strstr(error->message, "<vgpu:device>");

        return g_strdup_printf("refused: %s", reason ? reason : error->message);
    }
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];
        g_autofree char *warning = vgpu_display_warning(domain, want, libvirt);
        g_autofree char *absence = vgpu_display_absence(domain, want, libvirt);

        g_string_append_printf(text, "%s%s%s%s%s%s%s", i ? ", " : "",
                               picture[i].display ? "on" : "off",
                               picture[i].ramfb ? "+ramfb" : "", warning ? "; " : "",
                               warning ? warning : "", absence ? "; " : "",
                               absence ? absence : "");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

typedef struct {
    const char *what;
    const char *annotation;
    const char *devices;
    const char *result;
    const char *places;
    gulong libvirt; /* 0: NEW */
} Case;

static void
run_cases(const Case *cases, gsize n, const VgpuInventory *inventory,
          const VgpuDefaults *defaults)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *xml = g_strdup_printf(DOMAIN, cases[i].annotation, cases[i].devices);
        g_autoptr(VgpuDomain) domain = golden_parse(xml);
        g_autofree char *text = NULL;

        golden_bind(domain, cases[i].places ? cases[i].places : "");
        for (guint j = 0; j < domain->wants->len; j++) {
            if (defaults)
                vgpu_want_apply(domain->wants->pdata[j], defaults);
            if (inventory)
                vgpu_display_find(domain->wants->pdata[j], inventory);
        }
        text = tell(domain, cases[i].libvirt ? cases[i].libvirt : NEW);
        if (!g_str_equal(text, cases[i].result))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

/* Validating a file, without a daemon and without a GPU. */
static void
test_by_name(void **state)
{
    static const Case cases[] = {
        { "NVIDIA", DEVICE(A2), VNC, "on+ramfb" },
        { "GRID", DEVICE("profile='GRID K1'"), VNC, "on+ramfb" },
        { "without the vendor", DEVICE("profile='A2-4Q'"), VNC, "on+ramfb" },
        { "MIG-backed", DEVICE("profile='A100-1-5CME'"), VNC, "on+ramfb" },
        { "an id", DEVICE("profile='nvidia-746'"), VNC, "on+ramfb" },
        { "the number of an id", DEVICE("profile='746'"), VNC, "on+ramfb" },
        { "GVT-g", DEVICE(GVT), VNC, "off; no display: " NO_GL },
        { "GVT-g by the name that newer kernels give it", DEVICE("profile='GVTg_V5_4'"), VNC,
          "off; no display: " NO_GL },
        { "GVT-g with SPICE alone", DEVICE(GVT), "<graphics type='spice'/>",
          "off; no display: " NO_GL },
        { "GVT-g with OpenGL said to be off", DEVICE(GVT),
          "<graphics type='spice'><gl enable='no'/></graphics>", "off; no display: " NO_GL },
        { "GVT-g in a window", DEVICE(GVT), "<graphics type='sdl'/>", "off; no display: " NO_GL },
        { "GVT-g in a window with OpenGL", DEVICE("profile='i915-GVTg_V5_8'"),
          "<graphics type='sdl'><gl enable='yes'/></graphics>", "on+ramfb" },
        { "GVT-g on D-Bus", DEVICE("profile='i915-GVTg_V5_1'"), "<graphics type='dbus'/>",
          "off; no display: " NO_GL },
        { "GVT-g on D-Bus with OpenGL", DEVICE("profile='i915-GVTg_V5_2'"),
          "<graphics type='dbus'><gl enable='yes'/></graphics>", "on+ramfb" },
        { "GVT-g with SPICE and OpenGL", DEVICE(GVT), SPICE_GL, "on+ramfb" },
        { "GVT-g beside egl-headless", DEVICE(GVT), EGL, "on+ramfb" },
        { "GVT-g with OpenGL for another graphics", DEVICE(GVT), VNC SPICE_GL, "on+ramfb" },
        { "a plain VF", DEVICE("profile='vf'"), VNC, "off" },
        { "a vendor that is not known", DEVICE("profile='xxxgpu-Standard'"), VNC,
          "off; no display: " NOT_KNOWN },
        { "another driver's id", DEVICE("profile='mtty-1'"), VNC, "off; no display: " NOT_KNOWN },
        { "only a pool", DEVICE("pool='design'"), VNC,
          "off; no display: its profile is its pool's, which only virtvgpud knows" },
        { "no graphics", DEVICE(A2), "", "off" },
        { "console off", DEVICE(A2 "consoleVNC='off'"), VNC, "off; no display: " DARK },
        { "console on", DEVICE(A2 "consoleVNC='on'"), VNC, "on+ramfb" },
        { "console off as a raw parameter",
          "<vgpu:device " A2 "><vgpu:param name='disable_vnc' value='1'/></vgpu:device>", VNC,
          "off; no display: " DARK },
        { "another value of that parameter",
          "<vgpu:device " A2 "><vgpu:param name='disable_vnc' value='10'/></vgpu:device>", VNC,
          "on+ramfb" },
        { "a parameter that ends like it",
          "<vgpu:device " A2 "><vgpu:param name='not_disable_vnc' value='1'/></vgpu:device>", VNC,
          "on+ramfb" },
        { "alternatives that both can", "<vgpu:device>" EITHER("A2-8Q", "nvidia-746"), VNC,
          "on+ramfb" },
        { "alternatives, one cannot", "<vgpu:device>" EITHER("A2-8Q", "i915-GVTg_V5_4"), VNC,
          "off; no display: " NO_GL },
        { "alternatives, one cannot, the other way round",
          "<vgpu:device>" EITHER("i915-GVTg_V5_4", "A2-8Q"), VNC, "off; no display: " NO_GL },
        { "alternatives, both can here", "<vgpu:device>" EITHER("A2-8Q", "i915-GVTg_V5_4"), EGL,
          "on+ramfb" },
        { "alternatives, one is not known", "<vgpu:device>" EITHER("A2-8Q", "foo"), VNC,
          "off; no display: " NOT_KNOWN },
        { "alternatives, one is a plain VF", "<vgpu:device>" EITHER("A2-8Q", "vf"), VNC,
          "off; no display: a plain VF has none" },
        { "the first of two", DEVICE(A2) DEVICE(A2), VNC, "on+ramfb, off" },
        { "the first cannot, the second is off all the same", DEVICE(GVT) DEVICE(A2), VNC,
          "off; no display: " NO_GL ", off" },
        { "the user has a display", DEVICE(A2), VNC USERS("display='on'"), "off" },
        { "the user has a device without", DEVICE(A2), VNC USERS("display='off'"), "on+ramfb" },
        { "off", DEVICE(A2 "display='off'"), VNC, "off" },
        { "ramfb off", DEVICE(A2 "ramfb='off'"), VNC, "on" },
        { "both have a display, one the ramfb", DEVICE(A2 "count='2' display='on'"), VNC,
          "on+ramfb, on" },
        { "an explicit ramfb comes first", DEVICE(A2) DEVICE(A2 "display='on' ramfb='on'"), VNC,
          "on, on+ramfb" },
        { "the user has the ramfb", DEVICE(A2 "display='on'"),
          VNC USERS("display='on' ramfb='on'"), "on" },
    };

    run_cases(cases, G_N_ELEMENTS(cases), NULL, NULL);
}

/* An explicit display is refused if it is known to be impossible; otherwise there is a warning. */
static void
test_explicit(void **state)
{
    static const Case cases[] = {
        { "works", DEVICE(A2 "display='on'"), VNC, "on+ramfb" },
        { "no graphics", DEVICE(A2 "display='on'"), "", REFUSED("the domain has no <graphics>") },
        { "GVT-g without OpenGL", DEVICE(GVT "display='on'"), VNC, REFUSED(NO_GL) },
        { "GVT-g with OpenGL", DEVICE(GVT "display='on'"), EGL, "on+ramfb" },
        { "a plain VF", DEVICE("profile='vf' display='on'"), VNC,
          REFUSED("a plain VF has none") },
        { "on a plain VF", DEVICE("profile='x' display='on'"), VNC,
          REFUSED("a plain VF has none"), PLAIN },
        { "not known", DEVICE("profile='x' display='on'"), VNC,
          "on+ramfb; display='on', but " NOT_KNOWN },
        { "console off", DEVICE(A2 "display='on' consoleVNC='off'"), VNC,
          "on+ramfb; display='on', but " DARK },
        { "alternatives, one cannot",
          "<vgpu:device display='on'>" EITHER("A2-8Q", "i915-GVTg_V5_4"), VNC,
          "on+ramfb; display='on', but " NO_GL },
        { "alternatives, none can", "<vgpu:device display='on'>" EITHER("vf", "i915-GVTg_V5_4"),
          VNC, REFUSED("a plain VF has none") },
        { "vendor-specific VFIO too early", DEVICE(A2 "display='on'"), VNC,
          REFUSED(TOO_OLD("10.2.999")), VENDOR, 10002999 },
        { "vendor-specific VFIO just in time", DEVICE(A2 "display='on'"), VNC, "on+ramfb", VENDOR,
          10003000 },
        { "an alternative that could is no help where the definition is",
          "<vgpu:device display='on'>" EITHER("L40S-4Q", "A2-4Q"), VNC,
          REFUSED(TOO_OLD("10.0.0")), VENDOR, 10000000 },
        { "ramfb without a display", DEVICE(A2 "ramfb='on'"), "",
          "refused: <vgpu:device> has ramfb='on', but vGPU 0 has no display" },
        { "ramfb of GVT-g without OpenGL", DEVICE(GVT "ramfb='on'"), VNC,
          "refused: <vgpu:device> has ramfb='on', but vGPU 0 has no display: " NO_GL },
        { "ramfb of a plain VF", DEVICE("profile='vf' ramfb='on'"), VNC,
          "refused: <vgpu:device> has ramfb='on', but vGPU 0 has no display", PLAIN },
        { "two ramfb", DEVICE(A2 "count='2' display='on' ramfb='on'"), VNC,
          "refused: <vgpu:device> has ramfb='on', but another device of the domain has it "
          "already, and there can be only one" },
    };

    run_cases(cases, G_N_ELEMENTS(cases), NULL, NULL);
}

/* The default never causes a refusal, with any version of libvirt. */
static void
test_on_vfs(void **state)
{
    static const Case cases[] = {
        { "vendor-specific VFIO", DEVICE(A2), VNC, "on+ramfb", VENDOR },
        { "just in time", DEVICE(A2), VNC, "on+ramfb", VENDOR, 10003000 },
        { "too early", DEVICE(A2), VNC, "off; no display: " TOO_OLD("10.0.0"), VENDOR, 10000000 },
        { "too early, without graphics", DEVICE(A2), "", "off", VENDOR, 10000000 },
        { "with any name", DEVICE("profile='x'"), VNC, "on+ramfb", VENDOR },
        { "console off", DEVICE(A2 "consoleVNC='off'"), VNC, "off; no display: " DARK, VENDOR },
        { "a plain VF", DEVICE(A2), VNC, "off", PLAIN },
        { "an mdev is not so young", DEVICE(A2), VNC, "on+ramfb", "mdev", 9000000 },
    };

    run_cases(cases, G_N_ELEMENTS(cases), NULL, NULL);
}

/* As the daemon judges: by the GPUs that have the profile. */
static void
test_by_gpu(void **state)
{
    static const Case cases[] = {
        { "an mdev of NVIDIA's that is not called so", DEVICE("profile='Odd'"), VNC, "on+ramfb",
          "mdev" },
        { "one that is called so, but is another's", DEVICE("profile='X-4Q'"), VNC,
          "off; no display: " NOT_KNOWN, "mdev" },
        { "the number of another's id", DEVICE("profile='1'"), VNC, "off; no display: " NOT_KNOWN,
          "mdev" },
        { "on one of two GPUs with that name", DEVICE(A2 "gpu='0000:41:00.0'"), VNC, "on+ramfb",
          "mdev" },
        { "on a VF of one", DEVICE("profile='Odd' gpu='0000:41:00.4'"), VNC, "on+ramfb", "mdev" },
        { "on no VF of it", DEVICE("profile='Odd' gpu='0000:41:00.5'"), VNC,
          "off; no display: " NOT_KNOWN, "mdev" },
        { "on any of them", DEVICE(A2), VNC, "off; no display: " NOT_KNOWN, "mdev" },
        { "another vendor", DEVICE("profile='xxxgpu-Standard'"), VNC,
          "off; no display: " NOT_KNOWN, "mdev" },
        { "GVT-g", DEVICE(GVT), VNC, "off; no display: " NO_GL, "mdev" },
        { "GVT-g with OpenGL", DEVICE("profile='GVTg_V5_4'"), EGL, "on+ramfb", "mdev" },
        { "vendor-specific VFIO", DEVICE("profile='L40S-4Q'"), VNC, "on+ramfb", VENDOR },
        { "vendor-specific VFIO, not placed yet, too early", DEVICE("profile='L40S-4Q'"), VNC,
          "off; no display: " TOO_OLD("10.0.0"), NULL, 10000000 },
        { "insisting on it", DEVICE("profile='L40S-4Q' display='on'"), VNC,
          REFUSED(TOO_OLD("10.0.0")), NULL, 10000000 },
        { "an mdev while the alternative is too early",
          "<vgpu:device gpu='0000:41:00.0'>" EITHER("L40S-4Q", "A2-4Q"), VNC, "on+ramfb", "mdev",
          10000000 },
        { "a profile that no GPU has, by its name", DEVICE("profile='A40-8Q'"), VNC, "on+ramfb" },
        { "alternatives, one by its GPU, one by its name",
          "<vgpu:device>" EITHER("Odd", "A40-8Q"), VNC, "on+ramfb", "mdev" },
    };
    g_autoptr(VgpuInventory) inventory = host_new();

    run_cases(cases, G_N_ELEMENTS(cases), inventory, NULL);
}

/* A pool's default is dropped where an explicit request would be refused. */
static void
test_wishes(void **state)
{
    static const VgpuDefaults shown = { .display = VGPU_SWITCH_ON, .ramfb = VGPU_SWITCH_ON };
    static const VgpuDefaults dark = { .params = { [VGPU_PARAM_CONSOLE_VNC] = VGPU_SWITCH_OFF } };
    static const Case on[] = {
        { "works", DEVICE(A2 "pool='p' count='2'"), VNC, "on+ramfb, on" },
        { "no graphics", DEVICE(A2 "pool='p'"), "", "off" },
        { "GVT-g without OpenGL", DEVICE(GVT "pool='p'"), VNC, "off; no display: " NO_GL },
        { "not known", DEVICE("profile='x' pool='p'"), VNC, "on+ramfb" },
        { "alternatives, one cannot", "<vgpu:device pool='p'>" EITHER("A2-8Q", "i915-GVTg_V5_4"),
          VNC, "off; no display: " NO_GL },
        { "too early", DEVICE(A2 "pool='p'"), VNC, "off; no display: " TOO_OLD("10.0.0"), VENDOR,
          10000000 },
        { "the device leaves it open", DEVICE("profile='x' pool='p' display='auto'"), VNC,
          "off; no display: " NOT_KNOWN },
    };
    static const Case off[] = {
        { "console off", DEVICE(A2 "pool='p'"), VNC, "off; no display: " DARK },
        { "the device says on", DEVICE(A2 "pool='p' consoleVNC='on'"), VNC, "on+ramfb" },
    };

    run_cases(on, G_N_ELEMENTS(on), NULL, &shown);
    run_cases(off, G_N_ELEMENTS(off), NULL, &dark);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_name), cmocka_unit_test(test_explicit),
        cmocka_unit_test(test_on_vfs),  cmocka_unit_test(test_by_gpu),
        cmocka_unit_test(test_wishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
