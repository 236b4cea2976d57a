/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merging a device's parameters with its pool's, and the list of plugin parameters. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "domain/domain.h"
#include "domain/params.h"

#define AUTO VGPU_SWITCH_AUTO
#define ON VGPU_SWITCH_ON
#define OFF VGPU_SWITCH_OFF

static VgpuDomain *
parse(const char *device, GError **error)
{
    g_autofree char *xml =
        g_strdup_printf("<domain><name>x</name><metadata><vgpu:devices "
                        "xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device %s</vgpu:device>"
                        "</vgpu:devices></metadata></domain>",
                        device);

    return vgpu_domain_parse(xml, strlen(xml), NULL, error);
}

static VgpuWant *
want_of(const VgpuDomain *domain)
{
    return g_ptr_array_index(domain->wants, 0);
}

static void
test_format(void **state)
{
    static const struct {
        const char *what;
        VgpuSwitch own[VGPU_N_PARAMS];
        const char *raw;
        VgpuSwitch defaults[VGPU_N_PARAMS];
        const char *list; /* NULL: empty */
    } cases[] = {
        { "nothing", .own = { AUTO }, .defaults = { AUTO } },
        { "raw ones alone", .own = { AUTO }, .raw = "a=1", .defaults = { AUTO }, .list = "a=1" },
        { "the pool's", .own = { AUTO }, .defaults = { ON, OFF, ON, ON, ON },
          .list = "frame_rate_limiter=1,disable_vnc=1,enable_uvm=1,enable_debugging=1,enable_"
                  "profiling="
                  "1" },
        { "the pool's, where the driver's default needs no word", .own = { AUTO },
          .defaults = { OFF, ON, OFF, OFF, OFF }, .list = "frame_rate_limiter=0" },
        { "the device's wins", .own = { ON }, .defaults = { OFF },
          .list = "frame_rate_limiter=1" },
        { "also where it needs no word", .own = { AUTO, ON, OFF },
          .defaults = { AUTO, OFF, ON } },
        { "in the order of the list, raw ones last", .own = { AUTO, OFF }, .raw = "a=1,b=2",
          .defaults = { ON, AUTO, AUTO, AUTO, ON },
          .list = "frame_rate_limiter=1,disable_vnc=1,enable_profiling=1,a=1,b=2" },
        { "a raw one wins over the pool's", .own = { AUTO },
          .raw = "loglevel=2,frame_rate_limiter=0", .defaults = { ON },
          .list = "loglevel=2,frame_rate_limiter=0" },
        { "a raw one wins over what the pool would leave out", .own = { AUTO },
          .raw = "disable_vnc=0", .defaults = { AUTO, OFF }, .list = "disable_vnc=0" },
        { "a raw one of a longer name is another one", .own = { AUTO },
          .raw = "enable_uvm2=1,x_enable_uvm=1", .defaults = { AUTO, AUTO, ON },
          .list = "enable_uvm=1,enable_uvm2=1,x_enable_uvm=1" },
        { "the value of a raw one is no name", .own = { AUTO }, .raw = "a=enable_uvm",
          .defaults = { AUTO, AUTO, ON }, .list = "enable_uvm=1,a=enable_uvm" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *list = vgpu_params_format(cases[i].own, cases[i].raw, cases[i].defaults);

        if (g_strcmp0(list, cases[i].list) != 0)
            fail_msg("%s: %s", cases[i].what, list);
    }
}

static const struct {
    const char *what;
    const char *device;
    VgpuDefaults defaults;
    VgpuSwitch display, ramfb, driver_iso;
    VgpuPlacement placement;
    bool placement_given;
    const char *params;
} apply_cases[] = {
    { "no parameters anywhere", .device = "pool='p'>", .defaults = { 0 }, .display = AUTO,
      .ramfb = AUTO, .driver_iso = AUTO, .placement = VGPU_PLACEMENT_PACK },
    { "all from the pool", .device = "pool='p'>",
      .defaults = { ON, OFF, ON, { OFF, OFF }, VGPU_PLACEMENT_SPREAD, true }, .display = ON,
      .ramfb = OFF, .driver_iso = ON, .placement = VGPU_PLACEMENT_SPREAD, .placement_given = true,
      .params = "frame_rate_limiter=0,disable_vnc=1" },
    { "all from the device",
      .device = "pool='p' display='off' ramfb='off' driverISO='no' placement='numa' "
                "frameRateLimit='on' "
                "consoleVNC='on'>",
      .defaults = { ON, ON, ON, { OFF, OFF }, VGPU_PLACEMENT_SPREAD, true }, .display = OFF,
      .ramfb = OFF, .driver_iso = OFF, .placement = VGPU_PLACEMENT_NUMA, .placement_given = true,
      .params = "frame_rate_limiter=1" },
    { "an explicit 'auto' counts as explicit", .device = "pool='p' display='auto' ramfb='auto'>",
      .defaults = { .display = OFF, .ramfb = OFF }, .display = AUTO, .ramfb = AUTO,
      .driver_iso = AUTO, .placement = VGPU_PLACEMENT_PACK },
    { "pack of the device's own", .device = "pool='p' placement='pack'>",
      .defaults = { .placement = VGPU_PLACEMENT_NUMA, .placement_given = true }, .display = AUTO,
      .ramfb = AUTO, .driver_iso = AUTO, .placement = VGPU_PLACEMENT_PACK,
      .placement_given = true },
    { "some from each",
      .device = "profile='A' driverISO='yes' profiling='on'>"
                "<vgpu:param name='enable_uvm' value='0'/><vgpu:param name='a' value='1'/>",
      .defaults = { .display = OFF, .driver_iso = OFF, .params = { ON, AUTO, ON, ON } },
      .display = OFF, .ramfb = AUTO, .driver_iso = ON, .placement = VGPU_PLACEMENT_PACK,
      .params = "frame_rate_limiter=1,enable_debugging=1,enable_profiling=1,enable_uvm=0,a=1" },
};

static void
check_applied(const VgpuWant *want, gsize i, const char *when)
{
    if (want->display != apply_cases[i].display || want->ramfb != apply_cases[i].ramfb ||
        want->driver_iso != apply_cases[i].driver_iso ||
        want->placement != apply_cases[i].placement ||
        want->placement_given != apply_cases[i].placement_given ||
        g_strcmp0(want->params, apply_cases[i].params) != 0)
        fail_msg("%s%s: display %d, ramfb %d, driver %d, placement %d (given %d), params %s",
                 apply_cases[i].what, when, want->display, want->ramfb, want->driver_iso,
                 want->placement, want->placement_given, want->params);
}

static void
test_apply(void **state)
{
    static const VgpuDefaults others[] = {
        { ON, ON, ON, { ON, ON, ON, ON, ON }, VGPU_PLACEMENT_SPREAD, true },
        { OFF, OFF, OFF, { OFF, OFF, OFF, OFF, OFF }, VGPU_PLACEMENT_NUMA, true },
        { 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(apply_cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(apply_cases[i].device, NULL);
        VgpuWant *want = want_of(domain);

        vgpu_want_apply(want, &apply_cases[i].defaults);
        check_applied(want, i, "");
        vgpu_want_apply(want, &apply_cases[i].defaults);
        check_applied(want, i, ", a second time");
        for (gsize n = 0; n < G_N_ELEMENTS(others); n++) {
            vgpu_want_apply(want, &others[n]);
            vgpu_want_apply(want, &apply_cases[i].defaults);
            check_applied(want, i, ", after other defaults");
        }
    }
}

/* The annotation's parameters can be read back. */
static void
test_apply_nothing(void **state)
{
    static const VgpuDefaults all = {
        ON, OFF, ON, { ON, OFF, ON, ON, ON }, VGPU_PLACEMENT_SPREAD, true
    };

    for (gsize i = 0; i < G_N_ELEMENTS(apply_cases); i++) {
        g_autoptr(VgpuDomain) domain = parse(apply_cases[i].device, NULL);
        g_autoptr(VgpuDomain) fresh = parse(apply_cases[i].device, NULL);
        const VgpuWant *want = want_of(fresh);
        VgpuWant *applied = want_of(domain);

        vgpu_want_apply(applied, &all);
        vgpu_want_apply(applied, NULL);
        if (applied->display != want->display || applied->ramfb != want->ramfb ||
            applied->driver_iso != want->driver_iso || applied->placement != want->placement ||
            applied->placement_given != want->placement_given ||
            g_strcmp0(applied->params, want->params) != 0)
            fail_msg("%s: params %s", apply_cases[i].what, applied->params);
    }
}

/* A list that is accepted stays within the limit whatever the pool says. */
static void
test_length(void **state)
{
    static const VgpuDefaults all = { .params = { OFF, OFF, ON, ON, ON } };
    static const struct {
        const char *what;
        const char *attributes;
        gsize len;   /* of the raw list */
        gsize total; /* with all that the pool says; 0: refused */
        const char *text;
    } cases[] = {
        { "without a pool", "profile='A'", 1000, 1000 },
        { "too long without a pool", "profile='A'", 1001, 0,
          "the plugin parameters have 1001 characters together, at most 1000 are allowed" },
        { "with all that a pool can add", "pool='p'", 914, 1000 },
        { "too long with it", "pool='p'", 915, 0,
          "the plugin parameters have 1001 characters together with all that a pool can add, "
          "at most 1000" },
        { "nothing can be added to what is said",
          "pool='p' frameRateLimit='on' consoleVNC='on' "
          "unifiedMemory='off' debugging='off' profiling='off'",
          979, 1000 },
        { "but too long by itself",
          "pool='p' frameRateLimit='on' consoleVNC='on' "
          "unifiedMemory='off' debugging='off' profiling='off'",
          980, 0, "1001 characters" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = g_strnfill(cases[i].len - strlen("a="), 'x');
        g_autofree char *device =
            g_strdup_printf("%s><vgpu:param name='a' value='%s'/>", cases[i].attributes, value);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain = parse(device, &error);

        if ((domain != NULL) != (cases[i].total != 0))
            fail_msg("%s: %s", cases[i].what, domain ? "accepted" : error->message);
        if (!domain) {
            if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
                !strstr(error->message, cases[i].text))
                fail_msg("%s: %s", cases[i].what, error->message);
            continue;
        }
        if (want_of(domain)->pool)
            vgpu_want_apply(want_of(domain), &all);
        if (strlen(want_of(domain)->params) != cases[i].total)
            fail_msg("%s: %zu characters", cases[i].what, strlen(want_of(domain)->params));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_nothing),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
