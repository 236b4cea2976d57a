/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Differences between a GPU and its layout, and exporting a GPU as a layout. */
#include "test.h"

#include <string.h>

#include "setup/host-apply.h"

#define GPU "0000:e1:00.0"

/* A100: the GPU instance profiles that NVML reports. */
static GPtrArray *
gi_profiles(void)
{
    static const struct {
        guint id;
        const char *name;
    } list[] = { { 9, "3g.20gb" }, { 14, "2g.10gb" }, { 19, "1g.5gb" } };
    GPtrArray *profiles = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < G_N_ELEMENTS(list); i++) {
        VgpuNvmlGiProfile *profile = g_new0(VgpuNvmlGiProfile, 1);

        profile->id = list[i].id;
        profile->name = (char *) list[i].name;
        profile->total = 7;
        g_ptr_array_add(profiles, profile);
    }
    return profiles;
}

/* "19,19,14" */
static GPtrArray *
gis(const char *text)
{
    g_auto(GStrv) ids = g_strsplit(text, ",", -1);
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; ids[i]; i++) {
        VgpuNvmlGi *gi = g_new0(VgpuNvmlGi, 1);

        gi->id = i + 1;
        gi->profile = (guint) atoi(ids[i]);
        gi->name =
            (char *) (gi->profile == 9 ? "3g.20gb" : (gi->profile == 14 ? "2g.10gb" : "1g.5gb"));
        g_ptr_array_add(list, gi);
    }
    return list;
}

/* The state of a GPU, for tables: by default the GPU is bound to nvidia, has 16 VFs, all disabled, and
 * supports all modes of NVML, all off. */
typedef struct {
    bool absent;
    const char *driver;
    guint enabled;
    const char *nvml_problem;
    bool no_mig, mig, mig_pending;
    bool no_mixed, mixed;
    bool no_scheduler;
    VgpuScheduler scheduler;
    const char *gis;
} Moment;

static VgpuHostReading *
reading(const Moment *moment)
{
    VgpuHostReading *self = vgpu_host_reading_new(GPU);
    bool told = !moment->nvml_problem;

    self->exists = !moment->absent;
    self->sriov = (VgpuSriovState) {
        .address = g_strdup(GPU),
        .vendor = g_strdup("0x10de"),
        .driver = g_strdup(moment->driver ? moment->driver : "nvidia"),
        .is_display = true,
        .total = 16,
        .enabled = moment->enabled,
    };
    if (g_str_equal(self->sriov.driver, "none"))
        g_clear_pointer(&self->sriov.driver, g_free);
    self->nvml_problem = g_strdup(moment->nvml_problem);
    self->has_mig = told && !moment->no_mig;
    self->mig = moment->mig;
    self->mig_pending = moment->mig_pending;
    self->has_mixed = told && !moment->no_mixed;
    self->mixed = moment->mixed;
    self->has_scheduler = told && !moment->no_scheduler;
    self->scheduler = moment->scheduler;
    if (!self->scheduler.policy)
        self->scheduler.policy = VGPU_SCHEDULER_BEST_EFFORT;
    if (moment->mig) {
        g_ptr_array_unref(self->gi_profiles);
        self->gi_profiles = gi_profiles();
        g_ptr_array_unref(self->gis);
        self->gis = gis(moment->gis ? moment->gis : "");
    }
    return self;
}

static VgpuLayout *
layout(const char *body)
{
    g_autofree char *xml =
        g_strdup_printf("<vgpuhost><gpu address='" GPU "'>%s</gpu></vgpuhost>", body);
    g_autoptr(GError) error = NULL;
    VgpuLayout *parsed = vgpu_layout_parse(xml, strlen(xml), "layout", &error);

    if (!parsed)
        fail_msg("%s", error->message);
    return parsed;
}

/* "vfs: max, not 0; ..." */
static char *
in_words(GVariant *differences)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(differences); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(differences, i);
        const char *gpu, *what, *wanted, *actual;

        assert_true(g_variant_lookup(one, "gpu", "&s", &gpu));
        assert_true(g_variant_lookup(one, "what", "&s", &what));
        assert_true(g_variant_lookup(one, "wanted", "&s", &wanted));
        assert_true(g_variant_lookup(one, "actual", "&s", &actual));
        assert_string_equal(gpu, GPU);
        g_string_append_printf(text, "%s%s: %s, not %s", text->len ? "; " : "", what, wanted,
                               actual);
    }
    return g_string_free(text, FALSE);
}

static void
test_diff(void **state)
{
    static const struct {
        const char *what;
        const char *layout;
        Moment now;
        const char *differences;
    } cases[] = {
        { "nothing is wanted", .layout = "", .now = { .enabled = 3, .mixed = true },
          .differences = "" },
        { "VFs", .layout = "<sriov vfs='max'/>", .now = { 0 }, .differences = "vfs: max, not 0" },
        { "all VFs", .layout = "<sriov vfs='max'/>", .now = { .enabled = 16 },
          .differences = "" },
        { "all VFs by number", .layout = "<sriov vfs='16'/>", .now = { .enabled = 16 },
          .differences = "" },
        { "too few VFs", .layout = "<sriov vfs='8'/>", .now = { .enabled = 4 },
          .differences = "vfs: 8, not 4" },
        { "no VFs", .layout = "<sriov vfs='0'/>", .now = { .enabled = 4 },
          .differences = "vfs: 0, not 4" },
        { "no GPU", .layout = "<sriov vfs='0'/><mig/>", .now = { .absent = true },
          .differences = "driver: the driver of its vendor, not there is no such PCI device" },
        { "no driver: nothing else can be told", .layout = "<sriov vfs='max'/><mig/>",
          .now = { .driver = "none", .nvml_problem = "not known" },
          .differences = "driver: the driver of its vendor, not none" },
        { "passed through", .layout = "<sriov vfs='max'/>", .now = { .driver = "vfio-pci" },
          .differences = "driver: the driver of its vendor, not vfio-pci" },
        { "the free driver", .layout = "", .now = { .driver = "nouveau" },
          .differences = "driver: the driver of its vendor, not nouveau" },
        { "heterogeneous", .layout = "<mode heterogeneous='yes'/>", .now = { 0 },
          .differences = "heterogeneous: on, not off" },
        { "homogeneous", .layout = "<mode heterogeneous='no'/>", .now = { .mixed = true },
          .differences = "heterogeneous: off, not on" },
        { "homogeneous where there is nothing else", .layout = "<mode heterogeneous='no'/>",
          .now = { .no_mixed = true }, .differences = "" },
        { "heterogeneous where there is no such thing", .layout = "<mode heterogeneous='yes'/>",
          .now = { .no_mixed = true },
          .differences = "heterogeneous: on, not not supported by this GPU" },
        { "no NVML",
          .layout =
              "<sriov vfs='max'/><mode heterogeneous='yes'/><scheduler policy='equal-share'/>",
          .now = { .nvml_problem = "no library" },
          .differences = "vfs: max, not 0; heterogeneous: on, not unknown: no library; "
                         "scheduler: equal-share, not unknown: no library" },
        { "no NVML, MIG", .layout = "<mig><instance profile='1g.5gb'/></mig>",
          .now = { .nvml_problem = "no library" },
          .differences = "mig-mode: on, not unknown: no library; mig: 1g.5gb:1, not none" },
        { "MIG mode", .layout = "<mig/>", .now = { 0 }, .differences = "mig-mode: on, not off" },
        { "MIG mode is on", .layout = "<mig/>", .now = { .mig = true }, .differences = "" },
        { "no MIG mode", .layout = "<mig mode='off'/>", .now = { 0 }, .differences = "" },
        { "MIG mode is on and is not wanted", .layout = "<mig mode='off'/>",
          .now = { .mig = true, .gis = "19" }, .differences = "mig-mode: off, not on" },
        { "no MIG where there is no such thing", .layout = "<mig mode='off'/>",
          .now = { .no_mig = true }, .differences = "" },
        { "no NVML, no MIG", .layout = "<mig mode='off'/>",
          .now = { .nvml_problem = "no library" },
          .differences = "mig-mode: off, not unknown: no library" },
        { "MIG mode not wanted, about to come", .layout = "<mig mode='off'/>",
          .now = { .mig_pending = true },
          .differences = "mig-mode: off, not on after the next reset" },
        { "MIG mode pending", .layout = "<mig/>", .now = { .mig_pending = true },
          .differences = "mig-mode: on, not on after the next reset" },
        { "MIG mode about to go", .layout = "<mig/>", .now = { .mig = true, .mig_pending = true },
          .differences = "mig-mode: on, not on until the next reset" },
        { "no MIG on this GPU", .layout = "<mig/>", .now = { .no_mig = true },
          .differences = "mig-mode: on, not not supported by this GPU" },
        { "instances, by name and by id",
          .layout = "<mig><instance profile='1g.5gb' count='2'/><instance profile='14'/></mig>",
          .now = { .mig = true, .gis = "14,19,19" }, .differences = "" },
        { "too few of one", .layout = "<mig><instance profile='1g.5gb' count='3'/></mig>",
          .now = { .mig = true, .gis = "19,19" }, .differences = "mig: 1g.5gb:3, not 1g.5gb:2" },
        { "too many of one", .layout = "<mig><instance profile='1g.5gb'/></mig>",
          .now = { .mig = true, .gis = "19,19" }, .differences = "mig: 1g.5gb:1, not 1g.5gb:2" },
        { "an unwanted instance", .layout = "<mig><instance profile='1g.5gb'/></mig>",
          .now = { .mig = true, .gis = "14,19" },
          .differences = "mig: 1g.5gb:1, not 2g.10gb:1,1g.5gb:1" },
        { "none is wanted", .layout = "<mig/>", .now = { .mig = true, .gis = "9" },
          .differences = "mig: none, not 3g.20gb:1" },
        { "none is there", .layout = "<mig><instance profile='9'/></mig>", .now = { .mig = true },
          .differences = "mig: 9:1, not none" },
        { "more may be there", .layout = "<mig auto='yes'><instance profile='1g.5gb'/></mig>",
          .now = { .mig = true, .gis = "14,19,19" }, .differences = "" },
        { "any may be there", .layout = "<mig auto='yes'/>",
          .now = { .mig = true, .gis = "14,19,19" }, .differences = "" },
        { "one of the least is missing",
          .layout = "<mig auto='yes'><instance profile='9'/></mig>",
          .now = { .mig = true, .gis = "14" }, .differences = "mig: 9:1, not 2g.10gb:1" },
        { "a policy", .layout = "<scheduler policy='equal-share'/>", .now = { 0 },
          .differences = "scheduler: equal-share, not best-effort" },
        { "settings missing in the layout are left to the driver",
          .layout = "<scheduler policy='equal-share'/>",
          .now = { .scheduler = { VGPU_SCHEDULER_EQUAL_SHARE, VGPU_STRICT_ON, 1000, 33, 480 } },
          .differences = "" },
        { "another time slice", .layout = "<scheduler policy='fixed-share' timeslice='3'/>",
          .now = { .scheduler = { VGPU_SCHEDULER_FIXED_SHARE, VGPU_STRICT_DEFAULT, 1000 } },
          .differences = "scheduler: fixed-share timeslice=3, not fixed-share timeslice=1" },
        { "the scheduler is not told", .layout = "<scheduler policy='best-effort'/>",
          .now = { .no_scheduler = true },
          .differences = "scheduler: best-effort, not not reported by this GPU's driver" },
        { "a VF for the host", .layout = "<sriov vfs='max'><host vf='16'/></sriov>",
          .now = { .enabled = 16 }, .differences = "" },
        { "a VF for the host that is not on yet",
          .layout = "<sriov vfs='2'><host vf='2'/></sriov>", .now = { .enabled = 1 },
          .differences = "vfs: 2, not 1; host-vfs: VF 2, not 1 virtual functions" },
        { "VFs for the host that there are not",
          .layout = "<sriov vfs='max'><host vf='17'/><host vf='1'/></sriov>",
          .now = { .enabled = 16 },
          .differences = "host-vfs: VF 1, 17, not 16 virtual functions" },
        { "in the order in which they are put right",
          .layout = "<mig><instance profile='19'/></mig><scheduler policy='equal-share'/>"
                    "<sriov vfs='max'/><mode heterogeneous='no'/>",
          .now = { .mixed = true },
          .differences = "mig-mode: on, not off; vfs: max, not 0; heterogeneous: off, not on; "
                         "mig: 19:1, not none; scheduler: equal-share, not best-effort" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuLayout) wanted = layout(cases[i].layout);
        g_autoptr(VgpuHostReading) now = reading(&cases[i].now);
        g_autoptr(GVariant) differences = NULL;
        g_autofree char *words = NULL;
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        vgpu_host_diff(g_ptr_array_index(wanted->gpus, 0), now, &builder);
        differences = g_variant_ref_sink(g_variant_builder_end(&builder));
        words = in_words(differences);
        if (!g_str_equal(words, cases[i].differences))
            fail_msg("%s: %s", cases[i].what, words);
    }
}

/* The exported layout must match the host. */
static void
test_export(void **state)
{
    static const struct {
        const char *what;
        Moment now;
        const char *layout; /* NULL: not worth a word */
    } cases[] = {
        { "nothing set up", { 0 }, NULL },
        { "nothing told", { .nvml_problem = "no library" }, NULL },
        { "all VFs", { .enabled = 16 }, "<sriov vfs='max'/>" },
        { "some VFs", { .enabled = 4 }, "<sriov vfs='4'/>" },
        { "heterogeneous",
          { .enabled = 16, .mixed = true },
          "<sriov vfs='max'/><mode heterogeneous='yes'/>" },
        { "a scheduler",
          { .scheduler = { VGPU_SCHEDULER_FIXED_SHARE, VGPU_STRICT_DEFAULT, 2000 } },
          "<scheduler policy='fixed-share' timeslice='2'/>" },
        { "a time slice, where the driver reports that it is not strict",
          { .scheduler = { VGPU_SCHEDULER_FIXED_SHARE, VGPU_STRICT_OFF, 5000 } },
          "<scheduler policy='fixed-share' timeslice='5'/>" },
        { "round robin: the frequency is reported as a time slice",
          { .scheduler = { VGPU_SCHEDULER_EQUAL_SHARE, VGPU_STRICT_ON, 2000, 33 } },
          "<scheduler policy='equal-share' strict='yes' averaging='33' frequency='500'/>" },
        { "MIG", { .mig = true }, "<mig/>" },
        { "MIG with instances",
          { .mig = true, .enabled = 16, .gis = "9,19,19" },
          "<sriov vfs='max'/><mig><instance profile='3g.20gb' count='1'/>"
          "<instance profile='1g.5gb' count='2'/></mig>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuHostReading) now = reading(&cases[i].now);
        g_autoptr(VgpuLayout) exported = vgpu_layout_new();
        g_autoptr(VgpuLayout) expected = layout(cases[i].layout ? cases[i].layout : "");
        VgpuLayoutGpu *gpu = vgpu_host_export(now);
        g_autofree char *text = NULL;
        g_autofree char *expected_text = vgpu_layout_format(expected);

        if (!gpu != !cases[i].layout)
            fail_msg("%s: %s", cases[i].what, gpu ? "exported" : "not exported");
        if (!gpu)
            continue;
        g_ptr_array_add(exported->gpus, gpu);
        text = vgpu_layout_format(exported);
        if (!g_str_equal(text, expected_text))
            fail_msg("%s:\n%s", cases[i].what, text);
        for (VgpuHostStep step = 0; step < VGPU_HOST_N_STEPS; step++) {
            if (vgpu_host_differs(gpu, now, step, NULL))
                fail_msg("%s: differs from itself: %s", cases[i].what, vgpu_host_step_name(step));
        }
    }
}

/* Whatever scheduler NVML reports: the export can be read again, and matches the GPU. */
static void
test_export_scheduler(void **state)
{
    static const guint slices[] = { 0, 1000, 1042, 2000, 2083, 5000, 15873, 30000, 40000 };

    for (guint i = 0; i < 3 * 3 * G_N_ELEMENTS(slices) * 3; i++) {
        Moment moment = { .scheduler = {
                              .policy = VGPU_SCHEDULER_BEST_EFFORT + i % 3,
                              .strict = i / 3 % 3,
                              .timeslice_us = slices[i / 9 % G_N_ELEMENTS(slices)],
                              .averaging_factor = i / 9 / G_N_ELEMENTS(slices) * 30,
                          } };
        g_autoptr(VgpuHostReading) now = reading(&moment);
        g_autoptr(VgpuLayoutGpu) gpu = vgpu_host_export(now);
        g_autoptr(VgpuLayout) exported = vgpu_layout_new();
        g_autoptr(VgpuLayout) again = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *told = vgpu_host_scheduler_text(&moment.scheduler);
        g_autofree char *text = NULL;

        if (!gpu)
            continue;
        g_ptr_array_add(exported->gpus, g_steal_pointer(&gpu));
        text = vgpu_layout_format(exported);
        again = vgpu_layout_parse(text, strlen(text), "exported", &error);
        if (!again)
            fail_msg("%s: %s\n%s", told, error->message, text);
        if (vgpu_host_differs(again->gpus->pdata[0], now, VGPU_HOST_SCHEDULER, NULL))
            fail_msg("%s: differs from\n%s", told, text);
    }
}

static void
test_failed(void **state)
{
    static const struct {
        const char *what;
        const char *results;
        bool failed;
    } cases[] = {
        { "nothing", "@aa{sv} []", false },
        { "all is well", "[{'result': <'done'>}, {'result': <'unchanged'>}]", false },
        { "the first", "[{'result': <'failed'>}, {'result': <'done'>}]", true },
        { "the last", "[{'result': <'done'>}, {'result': <'failed'>}]", true },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) results =
            g_variant_parse(G_VARIANT_TYPE("aa{sv}"), cases[i].results, NULL, NULL, NULL);

        if (vgpu_host_apply_failed(results) != cases[i].failed)
            fail_msg("%s: %d", cases[i].what, !cases[i].failed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_export),
        cmocka_unit_test(test_export_scheduler),
        cmocka_unit_test(test_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
