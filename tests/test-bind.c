/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding definitions on a host with GPUs of all kinds: whether the vGPU has a display. The choice of the VF
 * is tested in test-vf-starts.c. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"
#include "domain/inject.h"
#include "manager-host.h"

#define VF0 "0000:61:00.4"
#define L40S "profile='L40S-4Q' "
#define GVT "profile='i915-GVTg_V5_4' "
#define DEVICE(attributes) "<vgpu:device " attributes "/>"
#define EITHER(first, second)                                                                    \
    "<vgpu:device><vgpu:profile name='" first "'/><vgpu:profile name='" second "'/></"           \
    "vgpu:device>"
#define WITH_ROM(profiles)                                                                       \
    "<vgpu:device>" profiles "<vgpu:hostdev><rom file='/v.rom'/></vgpu:hostdev></vgpu:device>"
#define NO_GL "no display: GVT-g needs OpenGL"

static int
setup(void **state)
{
    static const char *const boards[] = { "l40s", "s7150", "hd620", NULL };
    Host *host = host_new();

    host_add_boards(host, boards);
    *state = host;
    return 0;
}

static int
teardown(void **state)
{
    host_free(*state);
    return 0;
}

/* A domain with VNC and @more, its mdev <hostdev> with @looks unless that is NULL. */
static char *
domain_xml(const char *devices, const char *more, const char *looks)
{
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *mdev = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *hostdev =
        looks ? g_strdup_printf("<hostdev mode='subsystem' type='mdev' model='vfio-pci' %s>"
                                "<source><address uuid='%s'/></source>"
                                "<alias name='ua-vgpu-0'/></hostdev>",
                                looks, mdev)
              : NULL;
    g_autofree char *plain = host_xml("web1", uuid, devices, 0);
    g_auto(GStrv) halves = g_strsplit(plain, "</devices></domain>", 2);

    return g_strconcat(halves[0], "<graphics type='vnc'/>", more ? more : "",
                       hostdev ? hostdev : "", "</devices></domain>", NULL);
}

/* Returns the changes that a look makes to the definition in *@xml, and applies them; or the refusal. */
static char *
look(Host *host, char **xml, gulong libvirt)
{
    g_autoptr(VgpuDomain) domain = host_domain(*xml);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    GString *text = g_string_new(NULL);

    if (!vgpu_manager_bind(host->manager, domain, &error) ||
        !(changes = vgpu_inject_plan(domain, libvirt, &error))) {
        g_string_append(text, error->message);
        return g_string_free(text, FALSE);
    }
    for (guint i = 0; i < changes->len; i++)
        g_string_append_printf(text, "%s; ",
                               ((VgpuChange *) g_ptr_array_index(changes, i))->text);
    g_free(*xml);
    *xml = vgpu_inject_apply(domain, changes);
    return g_string_free(text, FALSE);
}

static void
test_display(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        const char *more;
        const char *looks; /* NULL: no hostdev yet */
        gulong libvirt;
        const char *changes;
        bool refused;
    } cases[] = {
        { "NVIDIA's mdev", DEVICE("profile='A2-4Q'"), NULL, NULL, 9000000,
          ") with display and ramfb; " },
        { "GVT-g with VNC", DEVICE(GVT), NULL, NULL, 9000000, "); " NO_GL },
        { "GVT-g by its name", DEVICE("profile='GVTg_V5_4'"), NULL, NULL, 9000000, "); " NO_GL },
        { "GVT-g beside egl-headless", DEVICE(GVT), "<graphics type='egl-headless'/>", NULL,
          9000000, ") with display and ramfb; " },
        { "GVT-g, as older versions have left it", DEVICE(GVT), NULL, "display='on' ramfb='on'",
          9000000, NO_GL },
        { "GVT-g, insisting", DEVICE(GVT "display='on'"), NULL, NULL, 9000000,
          "display='on', but GVT-g needs OpenGL", true },
        { "the vendor's VF with a libvirt that cannot", DEVICE(L40S), NULL, NULL, 10000000,
          "attach vGPU 0 (VF " VF0 "); no display: on NVIDIA's vendor-specific VFIO it needs "
          "libvirt 10.3" },
        { "the vendor's VF with a libvirt that can", DEVICE(L40S), NULL, NULL, 10003000,
          "attach vGPU 0 (VF " VF0 ") with display and ramfb; " },
        { "insisting on what libvirt cannot", DEVICE(L40S "display='on'"), NULL, NULL, 10000000,
          "10.3 or newer, and this is 10.0.0", true },
        { "a plain VF", DEVICE("profile='vf'"), NULL, NULL, 11003000,
          "attach vGPU 0 (VF 0000:c1:02.0); " },
        { "a ROM, which an mdev cannot have", WITH_ROM("<vgpu:profile name='A2-4Q'/>"), NULL,
          NULL, 9000000, "<vgpu:hostdev> has <rom>, but vGPU 0 is an mdev", true },
        { "a ROM, and an alternative that is a VF",
          WITH_ROM("<vgpu:profile name='A2-4Q'/><vgpu:profile name='L40S-4Q'/>"), NULL, NULL,
          11003000, "attach vGPU 0 (VF " VF0 ")" },
        { "alternatives of two vendors", EITHER("A2-4Q", "i915-GVTg_V5_4"), NULL, NULL, 11003000,
          "); " NO_GL },
        { "alternatives of NVIDIA's", EITHER("A2-4Q", "M10-4Q"), NULL, NULL, 9000000,
          ") with display and ramfb; " },
        { "a GPU that is away: as it is", DEVICE("profile='odd'"), NULL,
          "display='on' ramfb='on'", 9000000, "" },
        { "away, without a display", DEVICE("profile='A40-4Q'"), NULL, "display='off'", 9000000,
          "" },
        { "away, and told otherwise", DEVICE("profile='A40-4Q' display='off'"), NULL,
          "display='on'", 9000000, "detach vGPU 0" },
    };
    Host *host = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = domain_xml(cases[i].devices, cases[i].more, cases[i].looks);
        g_autofree char *changes = look(host, &xml, cases[i].libvirt);
        g_autofree char *again = look(host, &xml, cases[i].libvirt);

        if (!strstr(changes, cases[i].changes) || (!*cases[i].changes && *changes))
            fail_msg("%s: %s", cases[i].what, changes);
        if (cases[i].refused ? !g_str_equal(again, changes) : *again != '\0')
            fail_msg("%s: again: %s", cases[i].what, again);
    }
}

/* A start is refused for the same reasons as the definition. */
static void
test_start(void **state)
{
    Host *host = *state;
    g_autofree char *gvt = domain_xml(DEVICE(GVT "display='on'"), NULL, NULL);
    g_autofree char *vf = domain_xml(DEVICE(L40S "display='on'"), NULL, NULL);
    g_autofree char *plain = domain_xml(DEVICE(L40S), NULL, NULL);
    g_autofree char *rom = domain_xml(WITH_ROM("<vgpu:profile name='A2-4Q'/>"), NULL, NULL);
    g_autofree char *refused = NULL, *too_old = NULL, *started = NULL, *no_rom = NULL;

    host->libvirt = 10000000;
    host_restart(host);
    refused = host_start(host, gvt);
    too_old = host_start(host, vf);
    no_rom = host_start(host, rom);
    started = host_start(host, plain);

    assert_non_null(refused);
    assert_non_null(strstr(refused, "GVT-g needs OpenGL"));
    assert_non_null(too_old);
    assert_non_null(strstr(too_old, "10.3 or newer, and this is 10.0.0"));
    assert_non_null(no_rom);
    assert_non_null(strstr(no_rom, "its vGPUs are mdevs, but libvirt accepts <rom> of"));
    assert_null(started);
}

/* While the vGPU of the previous run is being removed, its place belongs to the domain: the definition stays the same. */
static void
test_released(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *xml = domain_xml(EITHER("A2-16Q", "L40S-48Q"), NULL, NULL);
    g_autofree char *first = look(host, &xml, 0);
    g_autofree char *refusal = host_start(host, xml);
    g_autofree char *second = NULL;

    assert_non_null(strstr(first, "attach vGPU 0"));
    assert_null(refusal);
    host_open(host, vgpu);
    host_release(host, uuid);
    second = look(host, &xml, 0);
    host_close(host, vgpu);
    assert_string_equal(second, "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = { test(test_display), test(test_start),
                                        test(test_released) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
