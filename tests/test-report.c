/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments and results of the D-Bus methods about pools and devices. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "daemon/device-options.h"
#include "daemon/report.h"

/* --- a device ------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *device; /* GVariant text */
    const char *error;  /* part of it, NULL: none */
    VgpuAnnotateOptions options;
} devices[] = {
    { "a profile", .device = "@a{sv} {'profile': <'A2-4Q'>}", .options = { .profile = "A2-4Q" } },
    { "a pool, several", .device = "@a{sv} {'pool': <'design'>, 'count': <uint32 2>}",
      .options = { .pool = "design", .count = 2 } },
    { "all keys",
      .device = "@a{sv} {'profile': <'P'>, 'pool': <'d'>, 'gpu': <'0000:41:00.0'>, 'placement': "
                "<'pack'>, "
                "'display': <'on'>, 'ramfb': <'off'>, 'count': <uint32 1>, 'driver_iso': <true>}",
      .options = { .profile = "P",
                   .pool = "d",
                   .gpu = "0000:41:00.0",
                   .placement = "pack",
                   .display = "on",
                   .ramfb = "off",
                   .count = 1,
                   .driver_iso = "yes" } },
    { "no image", .device = "@a{sv} {'pool': <'d'>, 'driver_iso': <false>}",
      .options = { .pool = "d", .driver_iso = "no" } },
    { "nothing", .device = "@a{sv} {}", .error = "needs a profile or a pool", .options = { 0 } },
    { "only a GPU", .device = "@a{sv} {'gpu': <'41:00.0'>}", .error = "needs a profile or a pool",
      .options = { 0 } },
    { "an unknown key", .device = "@a{sv} {'profile': <'P'>, 'path': <'/etc/passwd'>}",
      .error = "unknown key 'path'", .options = { 0 } },
    { "a count that is text", .device = "@a{sv} {'profile': <'P'>, 'count': <'2'>}",
      .error = "'count' is of type 's', not 'u'", .options = { 0 } },
    { "a profile that is a number", .device = "@a{sv} {'profile': <749>}",
      .error = "'profile' is of type 'i'", .options = { 0 } },
    { "a key twice", .device = "@a{sv} {'pool': <'a'>, 'pool': <'b'>}", .error = "'pool' twice",
      .options = { 0 } },
};

/* --- an annotation -------------------------------------------------------------------------- */

#define OPEN "<vgpu:devices xmlns:vgpu=\"urn:virt-vgpu:domain:1\""

static const struct {
    const char *what;
    const char *devices, *options; /* GVariant text */
    const char *error;             /* part of it, NULL: none */
    const char *element;
} annotations[] = {
    { "one device", "[{'profile': <'A2-4Q'>}]", "@a{sv} {}", NULL,
      OPEN "><vgpu:device profile=\"A2-4Q\"/></vgpu:devices>" },
    { "two, with a tenant and its room",
      "[{'pool': <'d'>}, {'profile': <'P'>, 'count': <uint32 2>}]",
      "{'tenant': <'acme'>, 'keep_room': <true>}", NULL,
      OPEN " tenant=\"acme\" keepRoom=\"yes\"><vgpu:device pool=\"d\"/>\n"
           "  <vgpu:device profile=\"P\" count=\"2\"/>\n</vgpu:devices>" },
    { "alternatives and parameters",
      "[{'profiles': <['A', 'B']>, 'params': <{'x': '1'}>, 'frame_rate_limit': <'off'>}]",
      "@a{sv} {}", NULL,
      OPEN "><vgpu:device frameRateLimit=\"off\"><vgpu:profile name=\"A\"/>"
           "<vgpu:profile name=\"B\"/><vgpu:param name=\"x\" value=\"1\"/></vgpu:device>"
           "</vgpu:devices>" },
    { "all other keys",
      "[{'profile': <'P'>, 'gpu': <'0000:41:00.0'>, 'placement': <'pack'>, 'display': <'on'>, "
      "'ramfb': <'off'>, 'create': <'define'>, 'late_attach': <'off'>, 'console_vnc': <'on'>, "
      "'unified_memory': <'on'>, 'debugging': <'off'>, 'profiling': <'on'>, 'driver_iso': "
      "<false>}]",
      "@a{sv} {}", NULL,
      OPEN
      "><vgpu:device profile=\"P\" gpu=\"0000:41:00.0\" placement=\"pack\" display=\"on\" "
      "ramfb=\"off\" driverISO=\"no\" create=\"define\" lateAttach=\"off\" consoleVNC=\"on\" "
      "unifiedMemory=\"on\" debugging=\"off\" profiling=\"on\"/></vgpu:devices>" },
    { "text that is not XML", "[{'profile': <'a\"<b'>}]", "@a{sv} {}", NULL,
      OPEN "><vgpu:device profile=\"a&quot;&lt;b\"/></vgpu:devices>" },
    { "none", "@aa{sv} []", "@a{sv} {}", "ClearAnnotation", NULL },
    { "profile and profiles", "[{'profile': <'A'>, 'profiles': <['B']>}]", "@a{sv} {}",
      "not both", NULL },
    { "an unknown key of the second", "[{'profile': <'A'>}, {'path': <'/etc/passwd'>}]",
      "@a{sv} {}", "unknown key 'path'", NULL },
    { "an unknown option", "[{'profile': <'A'>}]", "{'persistent': <true>}",
      "unknown key 'persistent'", NULL },
    { "an option of another type", "[{'profile': <'A'>}]", "{'tenant': <true>}",
      "'tenant' is of type 'b'", NULL },
    { "neither profile nor pool", "[{'count': <uint32 1>}]", "@a{sv} {}",
      "needs a profile or a pool", NULL },
    { "a value that is none", "[{'profile': <'A'>, 'display': <'maybe'>}]", "@a{sv} {}", "maybe",
      NULL },
    { "one that is not known here", "[{'profile': <'unknown'>}]", "@a{sv} {}", "no such profile",
      NULL },
};

static bool
is_known(const VgpuAnnotateOptions *device, gpointer opaque, GError **error)
{
    (void) opaque;
    return g_strcmp0(device->profile, "unknown") != 0 ||
           vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "no such profile");
}

static void
test_annotation(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(annotations); i++) {
        g_autoptr(GVariant) list =
            g_variant_ref_sink(g_variant_new_parsed(annotations[i].devices));
        g_autoptr(GVariant) options =
            g_variant_ref_sink(g_variant_new_parsed(annotations[i].options));
        g_autoptr(GError) error = NULL;
        g_autofree char *element =
            vgpu_device_options_annotation(list, options, is_known, NULL, &error);

        if (g_strcmp0(element, annotations[i].element) != 0)
            fail_msg("%s: %s", annotations[i].what, element ? element : error->message);
        if (!element && !strstr(error->message, annotations[i].error))
            fail_msg("%s: %s", annotations[i].what, error->message);
    }
}

static bool
same(const VgpuAnnotateOptions *a, const VgpuAnnotateOptions *b)
{
    return g_strcmp0(a->profile, b->profile) == 0 && g_strcmp0(a->pool, b->pool) == 0 &&
           g_strcmp0(a->gpu, b->gpu) == 0 && g_strcmp0(a->placement, b->placement) == 0 &&
           g_strcmp0(a->display, b->display) == 0 && g_strcmp0(a->ramfb, b->ramfb) == 0 &&
           g_strcmp0(a->driver_iso, b->driver_iso) == 0 && a->count == b->count;
}

static void
test_device(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(devices); i++) {
        g_autoptr(GVariant) device = g_variant_ref_sink(g_variant_new_parsed(devices[i].device));
        g_autoptr(GError) error = NULL;
        VgpuAnnotateOptions options = { 0 };
        bool good = vgpu_device_options(device, &options, &error);

        if (good != !devices[i].error || !same(&options, &devices[i].options))
            fail_msg("%s: %s", devices[i].what, error ? error->message : "taken wrongly");
        if (!good && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT) ||
                      !strstr(error->message, devices[i].error)))
            fail_msg("%s: %s", devices[i].what, error->message);
    }
}

static void
test_where(void **state)
{
    static const struct {
        const char *options;
        bool live, config;
        const char *error; /* part of it, NULL: none */
    } cases[] = {
        { "{'live': <true>}", true, false, NULL },
        { "{'config': <true>, 'live': <false>}", false, true, NULL },
        { "{'live': <true>, 'config': <true>}", true, true, NULL },
        { "@a{sv} {}", false, false, "neither live" },
        { "{'live': <false>}", false, false, "neither live" },
        { "{'live': <uint32 1>}", false, false, "'live' is of type 'u', not 'b'" },
        { "{'live': <true>, 'force': <true>}", false, false,
          "unknown key 'force' (known: live, config)" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) options = g_variant_ref_sink(g_variant_new_parsed(cases[i].options));
        g_autoptr(GError) error = NULL;
        bool live = false, config = false;
        bool good = vgpu_device_options_where(options, &live, &config, &error);

        if (good != !cases[i].error || live != cases[i].live || config != cases[i].config)
            fail_msg("%s: %s", cases[i].options, good ? "taken wrongly" : error->message);
        if (!good && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT) ||
                      !strstr(error->message, cases[i].error)))
            fail_msg("%s: %s", cases[i].options, error->message);
    }
}

/* An A2 with a virtual function, an M10, and no pool but the default one. */
static VgpuInventory *
make_host(void)
{
    static const struct {
        const char *address, *vf, *id, *profile;
    } gpus[] = {
        { "0000:41:00.0", "0000:41:00.4", "nvidia-746", "NVIDIA A2-4Q" },
        { "0000:84:00.0", NULL, "nvidia-40", "NVIDIA M10-4Q" },
    };
    VgpuInventory *inventory = vgpu_inventory_new();

    for (gsize i = 0; i < G_N_ELEMENTS(gpus); i++) {
        VgpuGpu *gpu = vgpu_gpu_new(gpus[i].address);

        if (gpus[i].vf)
            (void) vgpu_gpu_add_parent(gpu, gpus[i].vf, true);
        (void) vgpu_gpu_take_profile(gpu, vgpu_profile_new(gpus[i].id, gpus[i].profile));
        vgpu_inventory_take(inventory, gpu);
    }
    return inventory;
}

static void
test_known(void **state)
{
    static const struct {
        const char *what;
        VgpuAnnotateOptions device;
        const char *error; /* NULL: it is known */
    } cases[] = {
        { "by its name", { .profile = "A2-4Q" }, NULL },
        { "by its id", { .profile = "nvidia-40" }, NULL },
        { "misspelt",
          { .profile = "A2-4X" },
          "no GPU has the profile 'A2-4X' (see 'virt-vgpu profile-list')" },
        { "a part of a name",
          { .profile = "A2" },
          "no GPU has the profile 'A2' (see 'virt-vgpu profile-list')" },
        { "on its GPU", { .profile = "A2-4Q", .gpu = "0000:41:00.0" }, NULL },
        { "as it may be written", { .profile = "A2-4Q", .gpu = "pci_0000_41_00_0" }, NULL },
        { "on a virtual function", { .profile = "A2-4Q", .gpu = "0000:41:00.4" }, NULL },
        { "on another GPU",
          { .profile = "M10-4Q", .gpu = "0000:41:00.0" },
          "GPU 0000:41:00.0 has no profile 'M10-4Q' (see 'virt-vgpu profile-list "
          "0000:41:00.0')" },
        { "on none",
          { .profile = "A2-4Q", .gpu = "0000:99:00.0" },
          "there is no GPU 0000:99:00.0 on this host (see 'virt-vgpu gpu-list')" },
        { "from the default pool", { .profile = "A2-4Q", .pool = "default" }, NULL },
        { "from no pool",
          { .pool = "nosuch" },
          "there is no pool 'nosuch'; see 'virt-vgpu pool-list'" },
    };
    g_autoptr(VgpuInventory) inventory = make_host();
    g_autoptr(VgpuPools) pools = vgpu_pools_new_empty();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool known = vgpu_device_options_check(&cases[i].device, inventory, pools, &error);

        if (known != !cases[i].error || g_strcmp0(error ? error->message : NULL, cases[i].error))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "known");
        assert_true(known || g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    }
}

/* --- pools ---------------------------------------------------------------------------------- */

#define TEXT(literal) ((char *) (literal))

static VgpuPoolRoom rooms[] = {
    { TEXT("NVIDIA A2-4Q"), 4, 3, 1 },
    { TEXT("a<b"), 2, 0, 0 },
    { TEXT("NVIDIA L40S-4Q"), VGPU_COUNT_UNKNOWN, 2, VGPU_COUNT_UNKNOWN },
};
static VgpuTenantUse tenants[] = {
    { TEXT("acme"), 4, VGPU_POOL_NO_LIMIT, 2, 8192 },
    { TEXT("beta"), VGPU_POOL_NO_LIMIT, 16384, 0, 0 },
};

static GPtrArray *
list_of(gpointer first, gsize size, guint n)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < n; i++)
        g_ptr_array_add(list, (char *) first + i * size);
    return list;
}

static VgpuPoolProfile profiles[] = {
    { TEXT("NVIDIA A2-8Q"), false },
    { TEXT("NVIDIA A2-4Q"), true },
};

typedef struct {
    VgpuPool pool;
    VgpuPoolRow row;
} Fixture;

static void
fixture_init(Fixture *self, bool is_default)
{
    *self = (Fixture) {
        .pool = { .name = TEXT("design"),
                  .description = TEXT("CAD seats"),
                  .iso = TEXT("/images/grid.iso"),
                  .driver_version = TEXT("550"),
                  .params = { .allow = VGPU_PARAMS_LISTED,
                              .listed = g_ptr_array_new(),
                              .forced = TEXT("a=1,b=2") },
                  .xml =
                      TEXT("<vgpupool>\n  <name>design</name>\n  <uuid>U</uuid>\n</vgpupool>\n"),
                  .profiles = list_of(profiles, sizeof(profiles[0]), G_N_ELEMENTS(profiles)) },
        .row = { .name = TEXT(is_default ? "default" : "design"),
                 .uuid = is_default ? NULL : TEXT("U"),
                 .active = true },
    };
    g_atomic_ref_count_init(&self->pool.refs);
    self->row.pool = is_default ? NULL : &self->pool;
    self->row.gpus = g_ptr_array_new();
    self->row.users = g_ptr_array_new();
    g_ptr_array_add(self->row.gpus, TEXT("0000:41:00.0"));
    g_ptr_array_add(self->row.users, TEXT("web1"));
    g_ptr_array_add(self->pool.params.listed, TEXT("loglevel"));
    g_ptr_array_add(self->pool.params.listed, TEXT("profiling"));
    self->row.profiles = list_of(rooms, sizeof(rooms[0]), G_N_ELEMENTS(rooms));
    self->row.tenants =
        list_of(tenants, sizeof(tenants[0]), is_default ? 0 : G_N_ELEMENTS(tenants));
}

static void
fixture_clear(Fixture *self)
{
    g_ptr_array_unref(self->pool.profiles);
    g_ptr_array_unref(self->pool.params.listed);
    g_ptr_array_unref(self->row.gpus);
    g_ptr_array_unref(self->row.users);
    g_ptr_array_unref(self->row.profiles);
    g_ptr_array_unref(self->row.tenants);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* A dictionary has no order. */
static bool
equal(GVariant *a, GVariant *b)
{
    bool is_dict = g_variant_is_of_type(a, G_VARIANT_TYPE_VARDICT);

    if (!is_dict && !g_variant_is_of_type(a, G_VARIANT_TYPE("aa{sv}")))
        return g_variant_equal(a, b);
    if (!g_variant_is_of_type(b, g_variant_get_type(a)) ||
        g_variant_n_children(a) != g_variant_n_children(b))
        return false;
    for (gsize i = 0; i < g_variant_n_children(a); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(a, i);
        g_autoptr(GVariant) value = NULL, other = NULL;
        const char *key;

        if (is_dict) {
            g_variant_get(one, "{&sv}", &key, &value);
            other = g_variant_lookup_value(b, key, NULL);
        } else {
            value = g_variant_ref(one);
            other = g_variant_get_child_value(b, i);
        }
        if (!other || !equal(value, other))
            return false;
    }
    return true;
}

static void
assert_dict(GVariant *actual, const char *text)
{
    g_autoptr(GVariant) expected = g_variant_ref_sink(g_variant_new_parsed(text));
    g_autofree char *shown = g_variant_print(actual, TRUE);

    if (!equal(actual, expected))
        fail_msg("%s, not %s", shown, text);
}

#define ROOM                                                                                     \
    "'profiles': <[{'name': <'NVIDIA A2-4Q'>, 'capacity': <uint32 4>, 'allocated': <uint32 3>, " \
    "'available': <uint32 1>}, {'name': <'a<b'>, 'capacity': <uint32 2>, "                       \
    "'allocated': <uint32 0>, 'available': <uint32 0>}, "                                        \
    "{'name': <'NVIDIA L40S-4Q'>, 'allocated': <uint32 2>}]>"

static void
test_pool(void **state)
{
    g_auto(Fixture) fixture = { 0 };
    g_autoptr(GVariant) dict = NULL;

    fixture_init(&fixture, false);
    dict = g_variant_ref_sink(vgpu_report_pool(&fixture.row, true));
    assert_dict(dict, "{'name': <'design'>, 'uuid': <'U'>, 'description': <'CAD seats'>, "
                      "'state': <'active'>, 'autostart': <false>, 'gpus': <['0000:41:00.0']>, "
                      "'users': <['web1']>, 'default_profile': <'NVIDIA A2-4Q'>, 'driver_iso': "
                      "<'/images/grid.iso'>, "
                      "'driver_version': <'550'>, 'params_allow': <'listed'>, "
                      "'params_listed': <['loglevel', 'profiling']>, "
                      "'params_set': <['a=1', 'b=2']>, "
                      "'tenants': <[{'name': <'acme'>, 'max': <uint32 4>, 'used': <uint32 2>, "
                      "'used_mib': <uint32 8192>}, {'name': <'beta'>, 'used': <uint32 0>, "
                      "'max_mib': <uint32 16384>, 'used_mib': <uint32 0>}]>, " ROOM "}");
}

static void
test_default_pool(void **state)
{
    g_auto(Fixture) fixture = { 0 };
    g_autoptr(GVariant) dict = NULL;

    fixture_init(&fixture, true);
    fixture.row.active = false;
    fixture.row.autostart = true;
    g_ptr_array_set_size(fixture.row.gpus, 0);
    dict = g_variant_ref_sink(vgpu_report_pool(&fixture.row, true));
    assert_dict(
        dict,
        "{'name': <'default'>, 'state': <'inactive'>, 'autostart': <true>, "
        "'gpus': <@as []>, 'users': <['web1']>, 'tenants': <@aa{sv} []>, "
        "'params_allow': <'any'>, 'params_listed': <@as []>, 'params_set': <@as []>, " ROOM "}");
}

static void
test_pool_xml(void **state)
{
    g_auto(Fixture) fixture = { 0 };
    g_auto(Fixture) implicit = { 0 };
    g_autofree char *xml = NULL, *made_up = NULL;

    fixture_init(&fixture, false);
    xml = vgpu_report_pool_xml(&fixture.row, true);
    assert_non_null(strstr(xml, "<name>design</name>"));
    assert_non_null(strstr(xml, "<profile name=\"NVIDIA A2-4Q\" capacity=\"4\" allocated=\"3\" "
                                "available=\"1\"/>"));
    assert_non_null(strstr(xml, "<profile name=\"NVIDIA L40S-4Q\" allocated=\"2\"/>"));
    fixture_init(&implicit, true);
    made_up = vgpu_report_pool_xml(&implicit.row, true);
    assert_non_null(strstr(made_up, "<name>default</name>"));
    assert_non_null(strstr(made_up, "<profile name='a&lt;b' capacity='2' allocated='0' "
                                    "available='0'/>"));
    assert_non_null(strstr(made_up, "<profile name='NVIDIA L40S-4Q' allocated='2'/>"));
    assert_null(strstr(made_up, "<source"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device),   cmocka_unit_test(test_annotation),
        cmocka_unit_test(test_where),    cmocka_unit_test(test_known),
        cmocka_unit_test(test_pool),     cmocka_unit_test(test_default_pool),
        cmocka_unit_test(test_pool_xml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
