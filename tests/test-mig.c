/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MIG layouts: parsing, the steps to reach one, and failures on the way (with a stand-in
 * for NVML that has the slices of an A100). */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "nvml-host.h"
#include "setup/mig.h"

/* --- reading a layout ----------------------------------------------------------------------- */

static GPtrArray *
a100_profiles(void)
{
    static VgpuNvmlGiProfile list[] = {
        { 0, (char *) "7g.40gb", 7, 1, 1 },    { 5, (char *) "4g.20gb", 4, 1, 1 },
        { 9, (char *) "3g.20gb", 3, 2, 2 },    { 14, (char *) "2g.10gb", 2, 3, 3 },
        { 15, (char *) "1g.10gb", 1, 4, 4 },   { 19, (char *) "1g.5gb", 1, 7, 7 },
        { 20, (char *) "1g.5gb+me", 1, 1, 1 },
    };
    GPtrArray *profiles = g_ptr_array_new();

    for (guint i = 0; i < G_N_ELEMENTS(list); i++)
        g_ptr_array_add(profiles, &list[i]);
    return profiles;
}

/* "14x1 19x4" */
static char *
wanted_text(const GPtrArray *wanted)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < wanted->len; i++) {
        const VgpuMigWant *want = g_ptr_array_index(wanted, i);

        g_string_append_printf(text, "%s%ux%u", i ? " " : "", want->profile, want->count);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_parse(void **state)
{
    static const struct {
        const char *what, *spec, *want, *wrong;
    } cases[] = {
        { "names and counts, largest first", "1g.5gb:4,2g.10gb:1", "14x1 19x4", NULL },
        { "a count left out", "7g.40gb", "0x1", NULL },
        { "ids", "19:2,5", "5x1 19x2", NULL },
        { "an id of 0", "0", "0x1", NULL },
        { "blanks around words", " 19:2 , 5 ", "5x1 19x2", NULL },
        { "one profile twice", "1g.5gb:2,19,1g.5gb:3", "19x6", NULL },
        { "a name that begins like another", "1g.5gb+me", "20x1", NULL },
        { "an empty layout", "", NULL, "mig-clear" },
        { "an empty word", "19,,5", NULL, "profile is missing" },
        { "no name", ":3", NULL, "profile is missing" },
        { "an unknown name", "1g.12gb", NULL, "no MIG profile '1g.12gb'; it has 7g.40gb (0," },
        { "part of a name", "1g", NULL, "it has 7g.40gb" },
        { "names are exact", "1G.5GB", NULL, "1g.5gb+me (20, at most 1)" },
        { "an unknown id", "47", NULL, "no MIG profile '47'" },
        { "a count of 0", "19:0", NULL, "is not a number of instances" },
        { "no number", "19:x", NULL, "is not a number of instances" },
        { "no count after the colon", "19:", NULL, "is not a number of instances" },
        { "a negative count", "19:-1", NULL, "is not a number of instances" },
        { "two colons", "19:1:1", NULL, "is not a number of instances" },
        { "more than ever fit", "19:8", NULL, "7 at most" },
        { "more than ever fit, in parts", "1g.5gb:4,19:4", NULL, "7 at most" },
        { "a number too large", "19:4294967297", NULL, "is not a number of instances" },
    };
    g_autoptr(GPtrArray) profiles = a100_profiles();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) wanted = vgpu_mig_parse(cases[i].spec, profiles, &error);
        g_autofree char *text = wanted ? wanted_text(wanted) : NULL;

        if (g_strcmp0(text, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].what, text ? text : error->message);
        if (cases[i].wrong && !strstr(error->message, cases[i].wrong))
            fail_msg("%s: %s", cases[i].what, error->message);
        if (error)
            assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    }
}

/* Before the profiles are known, only the syntax is checked. */
static void
test_parse_form(void **state)
{
    g_autoptr(GPtrArray) any = vgpu_mig_parse("nothing.known:3,47", NULL, NULL);

    assert_non_null(any);
    assert_int_equal(any->len, 0);
    assert_null(vgpu_mig_parse("19:x", NULL, NULL));
    assert_null(vgpu_mig_parse("", NULL, NULL));
}

/* --- the difference ------------------------------------------------------------------------- */

static GPtrArray *
parse_instances(const char *text)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (guint i = 0; words[i] && *words[i]; i++) {
        VgpuNvmlGi *gi = g_new0(VgpuNvmlGi, 1);

        assert_int_equal(sscanf(words[i], "%u=%u*%u", &gi->id, &gi->profile, &gi->vgpus), 3);
        gi->name = (char *) "some";
        g_ptr_array_add(list, gi);
    }
    return list;
}

static char *
numbers_text(const GArray *numbers)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < numbers->len; i++)
        g_string_append_printf(text, "%s%u", i ? " " : "", g_array_index(numbers, guint, i));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_plan(void **state)
{
    static const struct {
        const char *what;
        const char *present; /* ID=PROFILE*VGPUS */
        const char *spec;    /* NULL: nothing */
        bool all;
        const char *destroy, *create;
        const char *wrong;
    } cases[] = {
        { "from nothing, largest first", "", "19:2,9,14", false, "", "9 14 19 19", NULL },
        { "it is so already", "1=9*0 3=14*0", "9,14", false, "", "", NULL },
        { "matching instances are kept", "1=9*0 3=14*0 7=19*0", "9,19:3", false, "3", "19 19",
          NULL },
        { "one too many", "7=19*0 8=19*0", "19", false, "8", "", NULL },
        { "those in use are kept", "7=19*0 8=19*1", "19", false, "7", "", NULL },
        { "one in use that stays", "1=9*1", "9,14", false, "", "14", NULL },
        { "one in use would have to go", "1=9*1 3=14*0", "14", false, NULL, NULL,
          "GPU instance 1 (some) has 1 vGPU and would" },
        { "too many in use", "7=19*1 8=19*2", "19", false, NULL, NULL,
          "GPU instance 8 (some) has 2 vGPUs" },
        { "all that are in the way are named", "1=9*1 3=14*3", "19", false, NULL, NULL,
          "instance 1 (some) has 1 vGPU, GPU instance 3 (some) has 3 vGPUs" },
        { "everything goes", "1=9*0 3=14*0", NULL, false, "1 3", "", NULL },
        { "nothing goes when one is in use", "1=9*0 3=14*1", NULL, false, NULL, NULL, "3" },
        { "from scratch", "1=9*0 3=14*0", "9,19", true, "1 3", "9 19", NULL },
        { "from scratch but for those in use", "1=9*1 2=9*0 3=14*0", "9:2,19", true, "2 3",
          "9 19", NULL },
    };
    g_autoptr(GPtrArray) profiles = a100_profiles();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) present = parse_instances(cases[i].present);
        g_autoptr(GPtrArray) wanted =
            cases[i].spec ? vgpu_mig_parse(cases[i].spec, profiles, NULL) : g_ptr_array_new();
        g_auto(VgpuMigPlan) plan = { NULL, NULL };
        g_autoptr(GError) error = NULL;
        g_autofree char *destroy = NULL, *create = NULL;

        assert_non_null(wanted);
        if (!vgpu_mig_plan(A100, present, wanted, cases[i].all, &plan, &error)) {
            if (!cases[i].wrong || error->code != VGPU_ERROR_BUSY ||
                !strstr(error->message, cases[i].wrong) || !strstr(error->message, A100))
                fail_msg("%s: %s", cases[i].what, error->message);
            assert_null(plan.destroy);
            continue;
        }
        destroy = numbers_text(plan.destroy);
        create = numbers_text(plan.create);
        if (cases[i].wrong || strcmp(destroy, cases[i].destroy) ||
            strcmp(create, cases[i].create))
            fail_msg("%s: destroy '%s' create '%s'", cases[i].what, destroy, create);
    }
}

/* --- with NVML ------------------------------------------------------------------------------ */

static char *
join(GPtrArray *lines)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "%s%s", i ? "; " : "",
                               (const char *) g_ptr_array_index(lines, i));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_apply(void **state)
{
    static const struct {
        const char *what;
        const char *mode, *present, *vgpus, *spec;
        const char *after; /* gpu_instances; NULL: as before */
        const char *lines; /* NULL: refused */
        VgpuError code;
        const char *wrong;
    } cases[] = {
        { .what = "from nothing",
          .mode = "1\n",
          .present = "",
          .vgpus = "",
          .spec = "1g.5gb:2,3g.20gb",
          .after = "1 9 0 4\n7 19 4 1\n8 19 5 1\n",
          .lines = "created GPU instance 1 (3g.20gb); created GPU instance 7 (1g.5gb); created "
                   "GPU instance 8 (1g.5gb)" },
        { .what = "the mode is turned on",
          .mode = "0\n",
          .present = "",
          .vgpus = "",
          .spec = "7g.40gb",
          .after = "0 0 0 8\n",
          .lines = "turned MIG mode on; created GPU instance 0 (7g.40gb)" },
        { .what = "it is so already",
          .mode = "1\n",
          .present = "1 9 0 4\n",
          .vgpus = "",
          .spec = "9",
          .lines = "" },
        { .what = "the difference only",
          .mode = "1\n",
          .present = "1 9 0 4\n7 19 4 1\n8 19 5 1\n",
          .vgpus = "0000:a1:00.4 474 - 8 1\n",
          .spec = "9,19",
          .after = "1 9 0 4\n8 19 5 1\n",
          .lines = "destroyed GPU instance 7 (1g.5gb)" },
        { .what = "an instance that could be kept is in the way",
          .mode = "1\n",
          .present = "7 19 0 1\n",
          .vgpus = "",
          .spec = "4g.20gb,1g.5gb",
          .after = "1 5 0 4\n7 19 4 1\n",
          .lines = "destroyed GPU instance 7 (1g.5gb); created GPU instance 1 (4g.20gb); created "
                   "GPU instance 7 (1g.5gb)" },
        { .what = "an instance in use is in the way",
          .mode = "1\n",
          .present = "7 19 0 1\n8 19 5 1\n",
          .vgpus = "0000:a1:00.4 474 - 7 1\n",
          .spec = "4g.20gb,1g.5gb:2",
          .code = VGPU_ERROR_NO_CAPACITY,
          .wrong = "Insufficient Resources" },
        { .what = "no room for all of it",
          .mode = "1\n",
          .present = "3 14 0 2\n",
          .vgpus = "",
          .spec = "3g.20gb:2,2g.10gb",
          .code = VGPU_ERROR_NO_CAPACITY,
          .wrong = "profile 14" },
        { .what = "one in use would have to go",
          .mode = "1\n",
          .present = "3 14 0 2\n",
          .vgpus = "0000:a1:00.4 474 - 3 1\n",
          .spec = "7g.40gb",
          .code = VGPU_ERROR_BUSY,
          .wrong = "GPU instance 3 (2g.10gb) has 1 vGPU" },
        { .what = "an instance with a vGPU that is not open",
          .mode = "1\n",
          .present = "3 14 0 2\n4 14 2 2\n",
          .vgpus = "0000:a1:00.4 474 - 4 0\n",
          .spec = "19",
          .after = "4 14 2 2\n3 14 0 2\n",
          .code = VGPU_ERROR_BUSY,
          .wrong = "cannot destroy GPU instance 4" },
        { .what = "an unknown profile",
          .mode = "1\n",
          .present = "3 14 0 2\n",
          .vgpus = "",
          .spec = "1g.12gb",
          .code = VGPU_ERROR_BAD_REQUEST,
          .wrong = "it has 7g.40gb (0" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) lines = NULL;
        g_autofree char *text = NULL, *after = NULL;

        nvml_host_set(&host, A100, "mig_mode", cases[i].mode);
        nvml_host_set(&host, A100, "gpu_instances", cases[i].present);
        nvml_host_set(&host, A100, "vgpus", cases[i].vgpus);
        lines = vgpu_mig_apply(nvml, A100, cases[i].spec, false, &error);
        text = lines ? join(lines) : NULL;
        if (g_strcmp0(text, cases[i].lines) != 0)
            fail_msg("%s: %s", cases[i].what, text ? text : error->message);
        if (error && (error->code != (int) cases[i].code ||
                      !strstr(error->message, cases[i].wrong) || !strstr(error->message, "GPU ")))
            fail_msg("%s: %s", cases[i].what, error->message);
        after = nvml_host_get(&host, A100, "gpu_instances");
        if (strcmp(after, cases[i].after ? cases[i].after : cases[i].present))
            fail_msg("%s: then there are %s", cases[i].what, after);
    }
}

/* A mode that cannot change now, and one that was turned on in vain. */
static void
test_mode(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autofree char *mode = NULL;

    assert_null(vgpu_mig_apply(nvml, A2, "19", false, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);

    assert_null(vgpu_mig_apply(nvml, A100, "1g.12gb", false, &error));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);
    mode = nvml_host_get(&host, A100, "mig_mode");
    assert_string_equal(mode, "0");

    nvml_host_knob(&host, "reset-required", "");
    for (guint i = 0; i < 2; i++) { /* when it is asked for, and when it is waited for */
        assert_null(vgpu_mig_apply(nvml, A100, "19", false, &error));
        assert_int_equal(error->code, VGPU_ERROR_FAILED);
        assert_non_null(strstr(error->message, "reset required"));
        g_clear_error(&error);
    }
}

/* A creation that fails half way leaves the existing instances alone. */
static void
test_undo(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autofree char *same = NULL, *less = NULL;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "3 14 2 2\n");
    nvml_host_fail(&host, "nvmlDeviceCreateGpuInstance", 999);
    assert_null(vgpu_mig_apply(nvml, A100, "9", false, &error));
    assert_int_equal(error->code, VGPU_ERROR_DRIVER);
    g_clear_error(&error);
    same = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(same, "3 14 2 2\n"); /* at its place, too */

    nvml_host_fail(&host, "nvmlDeviceCreateGpuInstanceWithPlacement", 999);
    assert_null(vgpu_mig_apply(nvml, A100, "9", false, &error));
    assert_non_null(strstr(error->message, "could not be restored"));
    less = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(less, "\n");
}

static void
test_clear(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lines = NULL, again = NULL;
    g_autofree char *text = NULL, *after = NULL;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "1 9 0 4\n7 19 4 1\n");
    nvml_host_set(&host, A100, "vgpus", "0000:a1:00.4 474 - 7 1\n");
    assert_null(vgpu_mig_clear(nvml, A100, &error));
    assert_int_equal(error->code, VGPU_ERROR_BUSY);
    g_clear_error(&error);

    nvml_host_set(&host, A100, "vgpus", "");
    lines = vgpu_mig_clear(nvml, A100, &error);
    assert_non_null(lines);
    text = join(lines);
    assert_string_equal(text, "destroyed GPU instance 1 (3g.20gb); destroyed GPU instance 7 "
                              "(1g.5gb)");
    after = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(after, "\n");
    again = vgpu_mig_clear(nvml, A100, &error);
    assert_int_equal(again->len, 0);
}

static void
test_end(void **state)
{
    static const struct {
        const char *what;
        const char *mode, *present, *vgpus, *vfs, *knob;
        const char *lines; /* NULL: refused, and nothing is changed */
        VgpuError code;
        const char *wrong;
    } cases[] = {
        { .what = "instances and mode",
          .mode = "1",
          .present = "1 9 0 4\n7 19 4 1\n",
          .lines =
              "destroyed GPU instance 1 (3g.20gb); destroyed GPU instance 7 (1g.5gb); turned "
              "MIG mode off" },
        { .what = "the mode alone",
          .mode = "1",
          .present = "\n",
          .lines = "turned MIG mode off" },
        { .what = "it is off", .mode = "0", .present = "\n", .lines = "" },
        { .what = "one instance is in use",
          .mode = "1",
          .present = "7 19 4 1\n",
          .vgpus = "0000:a1:00.4 474 - 7 1\n",
          .code = VGPU_ERROR_BUSY,
          .wrong = "GPU instance 7 (1g.5gb) has 1 vGPU" },
        { .what = "virtual functions are on: the instances are made again",
          .mode = "1",
          .present = "1 9 0 4\n",
          .vfs = "16",
          .code = VGPU_ERROR_BUSY,
          .wrong = "cannot turn MIG mode off; its vGPUs and virtual functions must be gone" },
        { .what = "only after a reset",
          .mode = "1",
          .present = "1 9 0 4\n",
          .knob = "reset-required",
          .code = VGPU_ERROR_FAILED,
          .wrong = "eset" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) lines = NULL;
        g_autofree char *text = NULL, *after = NULL, *mode = NULL;

        nvml_host_set(&host, A100, "mig_mode", cases[i].mode);
        nvml_host_set(&host, A100, "gpu_instances", cases[i].present);
        nvml_host_set(&host, A100, "vgpus", cases[i].vgpus ? cases[i].vgpus : "");
        if (cases[i].vfs)
            nvml_host_set(&host, A100, "../sriov_numvfs", cases[i].vfs);
        if (cases[i].knob)
            nvml_host_knob(&host, cases[i].knob, "");
        lines = vgpu_mig_end(nvml, A100, &error);
        text = lines ? join(lines) : NULL;
        if (g_strcmp0(text, cases[i].lines) != 0)
            fail_msg("%s: %s", cases[i].what, text ? text : error->message);
        if (error &&
            (error->code != (int) cases[i].code || !strstr(error->message, cases[i].wrong)))
            fail_msg("%s: %s", cases[i].what, error->message);
        after = nvml_host_get(&host, A100, "gpu_instances");
        mode = nvml_host_get(&host, A100, "mig_mode");
        assert_string_equal(after, lines ? "\n" : cases[i].present);
        assert_string_equal(g_strstrip(mode), lines ? "0" : cases[i].mode);
    }
}

static void
test_add(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    guint id = 99;

    assert_false(vgpu_mig_add(nvml, A100, 9, &id, &error));
    assert_non_null(strstr(error->message, "MIG mode is off"));
    g_clear_error(&error);
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "7 19 0 1\n");
    assert_true(vgpu_mig_add(nvml, A100, 9, &id, &error));
    assert_int_equal(id, 1);
    assert_false(vgpu_mig_add(nvml, A100, 9, &id, &error));
    assert_int_equal(error->code, VGPU_ERROR_NO_CAPACITY);
    assert_int_equal(id, 1);
}

/* Names and sizes depend on the board, and come from the library. */
static void
test_other_board(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lines = NULL;
    g_autofree char *present = NULL;

    scratch_write(&host, "sys/bus/pci/devices/" A100 "/device", "0x2331\n"); /* H100 PCIe */
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    assert_null(vgpu_mig_apply(nvml, A100, "1g.5gb:2", false, &error));
    assert_non_null(strstr(error->message, "it has 7g.80gb (0,"));
    g_clear_error(&error);
    lines = vgpu_mig_apply(nvml, A100, "1g.10gb:2,3g.40gb", false, &error);
    assert_null(error);
    present = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(present, "1 9 0 4\n7 19 4 1\n8 19 5 1\n");
}

/* --- rows ----------------------------------------------------------------------------------- */

static char *
rows_text(GVariant *rows)
{
    assert_non_null(rows);
    assert_false(g_variant_is_floating(rows));
    return g_variant_print(rows, FALSE);
}

#define UUID(gi, ci) "MIG-c6d4f1e1-42e4-5de3-910" gi "-45d71c87eb0" ci

/* One with a compute instance over all of it, one with two over parts, and one without any. */
static void
test_list(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GVariant) off = vgpu_mig_list(nvml, A100, NULL);
    g_autoptr(GVariant) on = NULL;
    g_autoptr(GVariant) without = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *less = NULL;

    assert_int_equal(g_variant_n_children(off), 0);
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "7 19 6 1\n1 9 0 4\n3 14 4 2\n");
    nvml_host_set(&host, A100, "vgpus", "0000:a1:00.4 474 - 7 1\n");
    nvml_host_knob(&host, "compute-" A100 "-1-0", "1"); /* two slices of three */
    nvml_host_knob(&host, "compute-" A100 "-1-1", "0");
    nvml_host_knob(&host, "compute-" A100 "-3-0", "1");
    on = vgpu_mig_list(nvml, A100, NULL);
    text = rows_text(on);
    assert_string_equal(
        text,
        "[{'mode': <'on'>, 'gi': <uint32 1>, 'profile': <'3g.20gb'>, 'profile_id': <uint32 9>, "
        "'start': <uint32 0>, 'size': <uint32 4>, 'compute_instances': <["
        "{'ci': <uint32 0>, 'profile': <'2c.3g.20gb'>, 'uuid': <'" UUID(
            "1", "0") "'>}, "
                      "{'ci': <uint32 1>, 'profile': <'1c.3g.20gb'>, 'uuid': <'" UUID(
                          "1",
                          "1") "'>}]>, "
                               "'in_use': <false>}, "
                               "{'mode': <'on'>, 'gi': <uint32 3>, 'profile': <'2g.10gb'>, "
                               "'profile_id': <uint32 14>, "
                               "'start': <uint32 4>, 'size': <uint32 2>, 'uuid': <'" UUID(
                                   "3",
                                   "0") "'>, "
                                        "'compute_instances': <[{'ci': <uint32 0>, 'profile': "
                                        "<'2g.10gb'>, "
                                        "'uuid': <'" UUID(
                                            "3",
                                            "0") "'>}]>, 'in_use': <false>}, "
                                                 "{'mode': <'on'>, 'gi': <uint32 7>, 'profile': "
                                                 "<'1g.5gb'>, 'profile_id': <uint32 19>, "
                                                 "'start': <uint32 6>, 'size': <uint32 1>, "
                                                 "'compute_instances': <@aa{sv} []>, "
                                                 "'in_use': <true>}]");

    /* values that NVML does not report are left out, without an error */
    nvml_host_fail(&host, "nvmlDeviceGetMigDeviceHandleByIndex", 3);
    nvml_host_set(&host, A100, "gpu_instances", "3 14 4 2\n");
    without = vgpu_mig_list(nvml, A100, NULL);
    less = rows_text(without);
    assert_non_null(strstr(less, "'compute_instances': <[{'ci': <uint32 0>, 'profile': "
                                 "<'2g.10gb'>}]>"));
    assert_null(strstr(less, "uuid"));
    g_clear_pointer(&without, g_variant_unref);
    g_clear_pointer(&less, g_free);
    nvml_host_fail(&host, "nvmlGpuInstanceGetComputeInstances", 4);
    without = vgpu_mig_list(nvml, A100, NULL);
    less = rows_text(without);
    assert_null(strstr(less, "compute_instances"));
    assert_null(vgpu_mig_list(nvml, A2, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

static void
test_profile_rows(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GVariant) off = vgpu_mig_profiles(nvml, A100, NULL);
    g_autoptr(GVariant) on = NULL;
    g_autoptr(GVariant) first = g_variant_get_child_value(off, 0);
    g_autoptr(GVariant) second = NULL;
    g_autofree char *one = rows_text(first), *two = NULL;
    g_autoptr(GError) error = NULL;

    assert_string_equal(one, "{'mode': <'off'>, 'profile': <'7g.40gb'>, 'id': <uint32 0>, "
                             "'total': <uint32 1>, 'memory_gib': <39.5>, 'sms': <uint32 98>, "
                             "'p2p': <false>, 'decoders': <uint32 5>, 'encoders': <uint32 0>, "
                             "'copy_engines': <uint32 7>}");
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    on = vgpu_mig_profiles(nvml, A100, NULL);
    second = g_variant_get_child_value(on, 5);
    two = rows_text(second);
    assert_true(g_str_has_prefix(two,
                                 "{'mode': <'on'>, 'profile': <'1g.5gb'>, 'id': <uint32 19>, "
                                 "'free': <uint32 7>, 'total': <uint32 7>, "
                                 "'memory_gib': <4.75>, 'sms': <uint32 14>"));
    assert_null(vgpu_mig_profiles(nvml, A2, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),  cmocka_unit_test(test_profile_rows),
        cmocka_unit_test(test_parse), cmocka_unit_test(test_parse_form),
        cmocka_unit_test(test_plan),  cmocka_unit_test(test_apply),
        cmocka_unit_test(test_mode),  cmocka_unit_test(test_undo),
        cmocka_unit_test(test_clear), cmocka_unit_test(test_end),
        cmocka_unit_test(test_add),   cmocka_unit_test(test_other_board),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
