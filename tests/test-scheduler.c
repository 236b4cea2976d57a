/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scheduler: words, the driver's module parameter, and NVML (a stand-in). */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "nvml-host.h"
#include "setup/scheduler.h"

#define BEST VGPU_SCHEDULER_BEST_EFFORT
#define EQUAL VGPU_SCHEDULER_EQUAL_SHARE
#define FIXED VGPU_SCHEDULER_FIXED_SHARE
#define VGPU_LINE "0000:41:00.4 746 " MDEV_UUID " - 1\n"

static void
assert_same(const char *what, const VgpuScheduler *got, const VgpuScheduler *want)
{
    if (got->policy != want->policy || got->strict != want->strict ||
        got->timeslice_us != want->timeslice_us ||
        got->averaging_factor != want->averaging_factor || got->frequency != want->frequency)
        fail_msg("%s: policy %u strict %u slice %u average %u frequency %u", what, got->policy,
                 got->strict, got->timeslice_us, got->averaging_factor, got->frequency);
}

static void
test_values(void **state)
{
    static const struct {
        const char *what;
        VgpuScheduler scheduler;
        guint32 value;
    } cases[] = {
        { "best effort", { BEST, 0, 0, 0, 0 }, 0x00 },
        { "equal share, default slice", { EQUAL, 0, 0, 0, 0 }, 0x01 },
        { "fixed share, default slice", { FIXED, 0, 0, 0, 0 }, 0x11 },
        { "equal share, 3 ms", { EQUAL, 0, 3000, 0, 0 }, 0x00030001 },
        { "fixed share, 24 ms", { FIXED, 0, 24000, 0, 0 }, 0x00180011 },
        { "equal share, the longest slice", { EQUAL, 0, 30000, 0, 0 }, 0x001e0001 },
        { "equal share, loose, 3 ms", { EQUAL, VGPU_STRICT_OFF, 3000, 0, 0 }, 0x00030003 },
        { "equal share, loose", { EQUAL, VGPU_STRICT_OFF, 0, 0, 0 }, 0x03 },
        { "equal share, 60 at 960 Hz", { EQUAL, VGPU_STRICT_ON, 0, 60, 960 }, 0x3c3c0001 },
        { "fixed share, 33 at 480 Hz", { FIXED, VGPU_STRICT_ON, 0, 33, 480 }, 0x211e0011 },
        { "equal share, 1 at 63 Hz", { EQUAL, VGPU_STRICT_ON, 0, 1, 63 }, 0x0103f001 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (vgpu_scheduler_encode(&cases[i].scheduler) != cases[i].value)
            fail_msg("%s: 0x%08x", cases[i].what, vgpu_scheduler_encode(&cases[i].scheduler));
    }
}

static void
test_modprobe(void **state)
{
    VgpuScheduler fixed = { .policy = FIXED };
    g_autofree char *line = vgpu_scheduler_modprobe("86:00.0", &fixed);

    assert_string_equal(line, "options nvidia NVreg_RegistryDwordsPerDevice=\"pci=0000:86:00.0;"
                              "RmPVMRL=0x11\"");
    assert_non_null(strstr(vgpu_scheduler_modprobe_note(), "is reloaded"));
}

static void
test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *words[5];
        VgpuScheduler want;
        const char *wrong; /* of the error; NULL: it is right */
    } cases[] = {
        { "a policy", { "equal-share" }, { EQUAL }, NULL },
        { "a policy with its key", { "policy=fixed-share" }, { FIXED }, NULL },
        { "nothing changes nothing", { NULL }, { BEST }, NULL },
        { "all keys",
          { "strict=yes", "averaging_factor=60", "frequency=960", "policy=equal-share" },
          { EQUAL, VGPU_STRICT_ON, 0, 60, 960 },
          NULL },
        { "a slice",
          { "equal-share", "timeslice_us=2000", "strict=no" },
          { EQUAL, VGPU_STRICT_OFF, 2000, 0, 0 },
          NULL },
        { "defaults by number",
          { "timeslice_us=0", "frequency=0", "strict=default" },
          { BEST },
          NULL },
        { "no policy", { "fair" }, { 0 }, "best-effort, equal-share or fixed-share" },
        { "policies are lower case", { "Equal-Share" }, { 0 }, "not a scheduler policy" },
        { "an unknown key", { "slice=3" }, { 0 }, "'slice' is not a setting" },
        { "strictness of another kind", { "strict=on" }, { 0 }, "yes, no or default" },
        { "a slice too long", { "timeslice_us=31000" }, { 0 }, "1000 to 30000" },
        { "a slice too short", { "timeslice_us=999" }, { 0 }, "1000 to 30000" },
        { "a slice between", { "timeslice_us=1500" }, { 0 }, "whole milliseconds" },
        { "a factor too high", { "averaging_factor=61" }, { 0 }, "1 to 60" },
        { "a frequency too low", { "frequency=62" }, { 0 }, "63 to 960" },
        { "a frequency too high", { "frequency=961" }, { 0 }, "63 to 960" },
        { "no number", { "frequency=1x" }, { 0 }, "63 to 960" },
        { "an empty number", { "frequency=" }, { 0 }, "63 to 960" },
        { "a negative one", { "frequency=-480" }, { 0 }, "63 to 960" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuScheduler got = { .policy = BEST };
        g_autoptr(GError) error = NULL;
        bool done = vgpu_scheduler_parse(cases[i].words, &got, &error);

        if (done != !cases[i].wrong)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "accepted");
        if (done) {
            assert_same(cases[i].what, &got, &cases[i].want);
        } else {
            assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
            if (!strstr(error->message, cases[i].wrong))
                fail_msg("%s: %s", cases[i].what, error->message);
            assert_same("untouched", &got, &(VgpuScheduler) { .policy = BEST });
        }
    }
}

static void
test_validate(void **state)
{
    static const struct {
        const char *what;
        VgpuScheduler scheduler;
        bool mixed;
        const char *wrong;
    } cases[] = {
        { "best effort", { BEST }, false, NULL },
        { "equal share", { EQUAL }, false, NULL },
        { "equal share, mixed sizes", { EQUAL }, true, NULL },
        { "fixed share", { FIXED }, false, NULL },
        { "a slice", { EQUAL, 0, 3000, 0, 0 }, false, NULL },
        { "a slice, loose", { EQUAL, VGPU_STRICT_OFF, 3000, 0, 0 }, false, NULL },
        { "round robin", { FIXED, VGPU_STRICT_ON, 0, 33, 480 }, false, NULL },
        { "a frequency alone", { EQUAL, 0, 0, 0, 480 }, false, NULL },
        { "fixed share, mixed sizes", { FIXED }, true, "heterogeneous" },
        { "no policy", { 0 }, false, "policy is missing" },
        { "an unknown policy", { 4 }, false, "policy is missing" },
        { "best effort with a slice", { BEST, 0, 3000, 0, 0 }, false, "neither" },
        { "best effort, strict", { BEST, VGPU_STRICT_ON, 0, 0, 0 }, false, "neither" },
        { "best effort at a frequency", { BEST, 0, 0, 0, 480 }, false, "neither" },
        { "fixed share, loose", { FIXED, VGPU_STRICT_OFF, 0, 0, 0 }, false, "always strict" },
        { "a slice, strict", { EQUAL, VGPU_STRICT_ON, 3000, 0, 0 }, false, "either" },
        { "a slice and a frequency", { EQUAL, 0, 3000, 0, 480 }, false, "either" },
        { "a frequency, loose", { EQUAL, VGPU_STRICT_OFF, 0, 0, 480 }, false, "turns off" },
        { "a factor alone", { EQUAL, 0, 0, 33, 0 }, false, "needs a frequency" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool done = vgpu_scheduler_validate(&cases[i].scheduler, cases[i].mixed, &error);

        if (done != !cases[i].wrong || (!done && !strstr(error->message, cases[i].wrong)))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "accepted");
    }
}

/* --- with NVML ------------------------------------------------------------------------------ */

/* Start with the given file, set the wanted scheduler, and compare the file afterwards. */
static void
test_set(void **state)
{
    static const struct {
        const char *what;
        const char *before;
        VgpuScheduler wanted;
        const char *hidden; /* a function that this library has not */
        const char *after;  /* NULL: as before */
        bool unchanged;
    } cases[] = {
        { "equal share", .before = "\n", .wanted = { EQUAL }, .after = "2 2 2083333 33 480\n" },
        { "equal share, older library", .before = "\n", .wanted = { EQUAL },
          .hidden = "nvmlDeviceSetVgpuSchedulerState_v2", .after = "2 2 2083333 33 480\n" },
        { "a slice turns strictness off", .before = "\n", .wanted = { FIXED, 0, 4000, 0, 0 },
          .after = "3 1 4000000 0 0\n" },
        { "a frequency turns it on", .before = "2 1 4000000 0 0\n",
          .wanted = { EQUAL, 0, 0, 0, 960 }, .after = "2 2 1041666 33 960\n" },
        { "a frequency that is there", .before = "2 2 1041666 33 960\n",
          .wanted = { EQUAL, 0, 0, 0, 960 }, .unchanged = true },
        { "another frequency", .before = "2 2 1041666 33 960\n",
          .wanted = { EQUAL, 0, 0, 60, 480 }, .after = "2 2 2083333 60 480\n" },
        { "best effort", .before = "3 1 4000000 0 0\n", .wanted = { BEST },
          .after = "1 0 0 0 0\n" },
        { "already set", .before = "3 1 4000000 0 0\n", .wanted = { FIXED, 0, 4000, 0, 0 },
          .unchanged = true },
        { "the policy that is there", .before = "3 1 4000000 0 0\n", .wanted = { FIXED },
          .unchanged = true },
        { "another slice", .before = "3 1 4000000 0 0\n", .wanted = { FIXED, 0, 5000, 0, 0 },
          .after = "3 1 5000000 0 0\n" },
        { "back to strict", .before = "2 1 4000000 0 0\n",
          .wanted = { EQUAL, VGPU_STRICT_ON, 0, 0, 0 }, .after = "2 2 2083333 33 480\n" },
        { "read by a library that has only the newer function", .before = "\n",
          .wanted = { EQUAL }, .hidden = "nvmlDeviceGetVgpuSchedulerState",
          .after = "2 2 2083333 33 480\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GError) error = NULL;
        g_autofree char *after = NULL;
        bool changed = cases[i].unchanged;

        nvml_host_set(&host, A2, "scheduler", cases[i].before);
        if (cases[i].hidden)
            nvml_host_fail(&host, cases[i].hidden, 13);
        if (!vgpu_scheduler_set(nvml, A2, -1, &cases[i].wanted, &changed, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        after = nvml_host_get(&host, A2, "scheduler");
        if (strcmp(after, cases[i].after ? cases[i].after : cases[i].before))
            fail_msg("%s: %s", cases[i].what, after);
        if (changed == cases[i].unchanged)
            fail_msg("%s: changed %d", cases[i].what, changed);
    }
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *what;
        const char *gpu, *file, *text; /* what is in the way */
        VgpuScheduler wanted;
        VgpuError code;
        const char *wrong;
    } cases[] = {
        { "a vGPU is active", .gpu = A2, .file = "vgpus", .text = VGPU_LINE, .wanted = { EQUAL },
          .code = VGPU_ERROR_BUSY, .wrong = VM_UUID },
        { "fixed share, mixed sizes", .gpu = A2, .file = "mixed", .text = "1\n",
          .wanted = { FIXED }, .code = VGPU_ERROR_BAD_REQUEST,
          .wrong = "GPU " A2 ": fixed-share" },
        { "MIG mode", .gpu = A100, .file = "mig_mode", .text = "1\n", .wanted = { EQUAL },
          .code = VGPU_ERROR_NOT_SUPPORTED, .wrong = "that instance" },
        { "nonsense", .gpu = A2, .file = "mixed", .text = "0\n",
          .wanted = { BEST, 0, 3000, 0, 0 }, .code = VGPU_ERROR_BAD_REQUEST, .wrong = "neither" },
        { "a vGPU that is not open", .gpu = A2, .file = "vgpus",
          .text = "0000:41:00.4 746 - - 0\n", .wanted = { EQUAL },
          .code = VGPU_ERROR_NOT_SUPPORTED, .wrong = "Not Supported" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GError) error = NULL;
        bool changed = false;

        nvml_host_run(&host, MDEV_UUID);
        nvml_host_set(&host, cases[i].gpu, cases[i].file, cases[i].text);
        if (vgpu_scheduler_set(nvml, cases[i].gpu, -1, &cases[i].wanted, &changed, &error))
            fail_msg("%s: done", cases[i].what);
        if (error->code != (int) cases[i].code || !strstr(error->message, cases[i].wrong))
            fail_msg("%s: %d %s", cases[i].what, error->code, error->message);
        assert_false(changed);
    }
}

/* A GPU instance has a scheduler of its own, where the GPU can do that. */
static void
test_gpu_instance(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    VgpuScheduler wanted = { .policy = EQUAL }, loose = { EQUAL, VGPU_STRICT_OFF, 2000, 0, 0 },
                  now;
    g_autofree char *file = NULL;
    bool changed;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "3 14 0 2\n4 14 2 2\n");
    nvml_host_set(&host, A100, "vgpus", "0000:a1:00.4 474 - 3 1\n");
    assert_false(vgpu_scheduler_set(nvml, A100, 4, &wanted, &changed, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);

    nvml_host_knob(&host, "gi-scheduler", "");
    assert_true(vgpu_scheduler_set(nvml, A100, 4, &wanted, &changed, &error));
    assert_true(changed);
    assert_true(vgpu_scheduler_get(nvml, A100, 4, &now, NULL));
    assert_same("read back", &now, &(VgpuScheduler) { EQUAL, VGPU_STRICT_ON, 2083, 33, 0 });
    assert_true(vgpu_scheduler_set(nvml, A100, 4, &loose, &changed, &error));
    file = scratch_read(&host, "run/fake-nvml/scheduler-" A100 "-4");
    assert_string_equal(file, "2 1 2000000 0 0\n");
    /* the other one, on which there is a vGPU */
    assert_false(vgpu_scheduler_set(nvml, A100, 3, &wanted, &changed, &error));
    assert_int_equal(error->code, VGPU_ERROR_BUSY);
    g_clear_error(&error);
    assert_false(vgpu_scheduler_set(nvml, A100, 9, &wanted, &changed, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
}

static void
test_describe(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) now = NULL, wanted = NULL;
    VgpuScheduler fixed = { FIXED, 0, 3000, 0, 0 };
    g_autofree const char **supported = NULL;
    const char *text;
    guint32 number;

    nvml_host_set(&host, A2, "scheduler", "2 2 2083333 33 480\n");
    now = vgpu_scheduler_describe(nvml, A2, -1, NULL, &error);
    assert_non_null(now);
    assert_true(g_variant_lookup(now, "policy", "&s", &text));
    assert_string_equal(text, "equal-share");
    assert_true(g_variant_lookup(now, "strict", "&s", &text));
    assert_string_equal(text, "yes");
    assert_true(g_variant_lookup(now, "timeslice_us", "u", &number));
    assert_int_equal(number, 2083);
    assert_true(g_variant_lookup(now, "averaging_factor", "u", &number));
    assert_int_equal(number, 33);
    assert_false(g_variant_lookup(now, "frequency", "u", &number));
    assert_true(g_variant_lookup(now, "modprobe", "&s", &text));
    assert_non_null(strstr(text, "pci=" A2 ";RmPVMRL=0x01\""));
    assert_true(g_variant_lookup(now, "supported", "^a&s", &supported));
    assert_int_equal(g_strv_length((char **) supported), 3);

    wanted = vgpu_scheduler_describe(nvml, A2, -1, &fixed, &error);
    assert_true(g_variant_lookup(wanted, "modprobe", "&s", &text));
    assert_non_null(strstr(text, "RmPVMRL=0x30011\""));
    assert_null(vgpu_scheduler_describe(nvml, "0000:99:00.0", -1, NULL, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_modprobe),
        cmocka_unit_test(test_parse),    cmocka_unit_test(test_validate),
        cmocka_unit_test(test_set),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_describe), cmocka_unit_test(test_gpu_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
