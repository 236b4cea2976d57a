/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wrapper of NVML, against a stand-in that answers with NVML's codes. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "gpu/facts.h"
#include "nvml-host.h"
#include "setup/nvml.h"

/* --- the library ---------------------------------------------------------------------------- */

static void
test_open(void **state)
{
    g_autofree char *library = nvml_host_library();
    static const struct {
        const char *what;
        const char *missing; /* part of the tree */
        int init;            /* what nvmlInit_v2 says */
        VgpuError code;
        const char *wrong;
    } cases[] = {
        { "no driver", "sys", 0, VGPU_ERROR_NOT_FOUND, "Driver Not Loaded; load NVIDIA's" },
        { "another version", NULL, 18, VGPU_ERROR_DRIVER, "library and kernel driver differ" },
        { "not root", NULL, 4, VGPU_ERROR_DENIED, "only root may" },
        { "a code without words", NULL, 77, VGPU_ERROR_DRIVER, "NVML error 77" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(GError) error = NULL;

        if (cases[i].missing)
            scratch_remove(&host, cases[i].missing);
        if (cases[i].init)
            nvml_host_fail(&host, "nvmlInit_v2", cases[i].init);
        if (vgpu_nvml_open(library, &error))
            fail_msg("%s: opened", cases[i].what);
        if (error->code != (int) cases[i].code || !strstr(error->message, cases[i].wrong))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
    vgpu_nvml_close(NULL);
}

static void
test_no_library(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(vgpu_nvml_open("/nonexistent/libnvidia-ml.so.1", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    assert_non_null(strstr(error->message, "/nonexistent/libnvidia-ml.so.1"));
}

/* Missing functions are not called; operations that need them are not supported. */
static void
test_empty_library(void **state)
{
    g_autofree char *library = nvml_host_empty_library();
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuNvml) nvml = vgpu_nvml_open(library, &error);
    g_autoptr(GVariant) facts = NULL;
    bool on, pending;

    assert_non_null(nvml);
    assert_null(vgpu_nvml_gpus(nvml, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    assert_non_null(strstr(error->message, "does not have it"));
    g_clear_error(&error);
    assert_false(vgpu_nvml_get_mig(nvml, A2, &on, &pending, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    facts = vgpu_nvml_facts(nvml);
    assert_int_equal(g_variant_n_children(facts), 0);
}

static void
test_error_codes(void **state)
{
    static const struct {
        int code;
        VgpuError want;
        const char *text;
    } cases[] = {
        { 1, VGPU_ERROR_DRIVER, "Uninitialized" },
        { 2, VGPU_ERROR_BAD_REQUEST, "Invalid Argument" },
        { 3, VGPU_ERROR_NOT_SUPPORTED, "has no MIG" },
        { 4, VGPU_ERROR_DENIED, "only root may" },
        { 6, VGPU_ERROR_NOT_FOUND, "Not Found" },
        { 9, VGPU_ERROR_NOT_FOUND, "Driver Not Loaded" },
        { 13, VGPU_ERROR_NOT_SUPPORTED, "does not have it" },
        { 15, VGPU_ERROR_DRIVER, "GPU is lost" },
        { 16, VGPU_ERROR_FAILED, "reset required" },
        { 19, VGPU_ERROR_BUSY, "In use by another client" },
        { 23, VGPU_ERROR_NO_CAPACITY, "Insufficient Resources" },
        { 25, VGPU_ERROR_NOT_SUPPORTED, "NVML error 25" },
        { 999, VGPU_ERROR_DRIVER, "Unknown Error" },
    };
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool on, pending;

        nvml_host_fail(&host, "nvmlDeviceGetMigMode", cases[i].code);
        assert_false(vgpu_nvml_get_mig(nvml, A100, &on, &pending, &error));
        if (error->code != (int) cases[i].want || !strstr(error->message, cases[i].text) ||
            !g_str_has_prefix(error->message, "GPU " A100))
            fail_msg("%d: %d %s", cases[i].code, error->code, error->message);
    }
}

static void
test_gpus(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = NULL;
    g_autoptr(GPtrArray) gpus = NULL;
    g_autoptr(GError) error = NULL;
    bool on, pending;

    nvml_host_set(&host, "0000:42:00.0", "mig_capable", "0\n"); /* of another vendor */
    scratch_write(&host, "sys/bus/pci/devices/0000:42:00.0/vendor", "0x1002\n");
    nvml_host_set(&host, "10000:01:00.0", "mig_capable", "1\n");
    scratch_write(&host, "sys/bus/pci/devices/10000:01:00.0/vendor", "0x10de\n");
    nvml_host_set(&host, "0000:43:00.0", "mig_capable", "0\n"); /* passed through */
    scratch_write(&host, "sys/bus/pci/devices/0000:43:00.0/vendor", "0x10de\n");
    scratch_link(&host, "sys/bus/pci/devices/0000:43:00.0/driver", "../drivers/vfio-pci");
    nvml = nvml_host_open();
    gpus = vgpu_nvml_gpus(nvml, &error);
    assert_int_equal(gpus->len, 3);
    assert_string_equal(g_ptr_array_index(gpus, 0), A2);
    assert_string_equal(g_ptr_array_index(gpus, 1), A100);
    assert_string_equal(g_ptr_array_index(gpus, 2), "10000:01:00.0");

    assert_true(vgpu_nvml_get_mig(nvml, "10000:01:00.0", &on, &pending, &error));
    assert_true(vgpu_nvml_get_mig(nvml, "A1:00.0", &on, &pending, &error));
    assert_false(vgpu_nvml_get_mig(nvml, "0000:43:00.0", &on, &pending, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    g_clear_error(&error);
    assert_false(vgpu_nvml_get_mig(nvml, "gpu0", &on, &pending, &error));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
}

/* --- modes ---------------------------------------------------------------------------------- */

static void
test_modes(void **state)
{
    static const struct {
        const char *what;
        const char *gpu;
        const char *file, *text; /* what is so before; NULL: nothing special */
        bool mixed, on;
        const char *after; /* of the mode's file; NULL: refused */
        VgpuError code;
    } cases[] = {
        { "MIG on", A100, NULL, NULL, false, true, "1", 0 },
        { "MIG off", A100, "mig_mode", "1\n", false, false, "0", 0 },
        { "MIG on again", A100, "mig_mode", "1\n", false, true, "1\n", 0 },
        { "MIG on a GPU without", A2, NULL, NULL, false, true, NULL, VGPU_ERROR_NOT_SUPPORTED },
        { "MIG on under a vGPU", A100, "vgpus", "0000:a1:00.4 468 - - 0\n", false, true, NULL,
          VGPU_ERROR_BUSY },
        { "mixed on", A2, NULL, NULL, true, true, "1", 0 },
        { "mixed off", A2, "mixed", "1\n", true, false, "0", 0 },
        { "mixed under a vGPU", A2, "vgpus", "0000:41:00.4 746 - - 0\n", true, true, NULL,
          VGPU_ERROR_BUSY },
        { "mixed with MIG", A100, "mig_mode", "1\n", true, true, NULL, VGPU_ERROR_NOT_SUPPORTED },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GError) error = NULL;
        g_autofree char *after = NULL;
        bool done;

        if (cases[i].file)
            nvml_host_set(&host, cases[i].gpu, cases[i].file, cases[i].text);
        done = cases[i].mixed ? vgpu_nvml_set_mixed(nvml, cases[i].gpu, cases[i].on, &error)
                              : vgpu_nvml_set_mig(nvml, cases[i].gpu, cases[i].on, &error);
        if (done != !!cases[i].after || (!done && error->code != (int) cases[i].code))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "done");
        after = nvml_host_get(&host, cases[i].gpu, cases[i].mixed ? "mixed" : "mig_mode");
        if (done && strcmp(after, cases[i].after))
            fail_msg("%s: %s", cases[i].what, after);
    }
}

static void
test_pending(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    bool on = true, pending = false;

    nvml_host_knob(&host, "reset-required", "");
    assert_false(vgpu_nvml_set_mig(nvml, A100, true, &error));
    assert_int_equal(error->code, VGPU_ERROR_FAILED);
    assert_non_null(strstr(error->message, "reset required"));
    g_clear_error(&error);
    assert_true(vgpu_nvml_get_mig(nvml, A100, &on, &pending, &error));
    assert_false(on);
    assert_true(pending);

    /* a driver that says done, but is not */
    nvml_host_knob(&host, "pending-" A100, NULL);
    nvml_host_knob(&host, "fail-nvmlDeviceSetMigMode", "0");
    assert_false(vgpu_nvml_set_mig(nvml, A100, true, &error));
    assert_int_equal(error->code, VGPU_ERROR_DRIVER);
    g_clear_error(&error);
    nvml_host_knob(&host, "fail-nvmlDeviceSetVgpuHeterogeneousMode", "0");
    assert_false(vgpu_nvml_set_mixed(nvml, A2, true, &error));
    assert_int_equal(error->code, VGPU_ERROR_DRIVER);
}

/* --- GPU instances -------------------------------------------------------------------------- */

static void
test_profiles(void **state)
{
    static const VgpuNvmlGiProfile want[] = {
        /* as nvidia-smi mig -lgip has them */
        { 0, (char *) "7g.40gb", 7, 0, 1, 40448, 98, 5, 0, 7, false },
        { 5, (char *) "4g.20gb", 4, 0, 1, 20096, 56, 2, 0, 4, false },
        { 9, (char *) "3g.20gb", 3, 1, 2, 20096, 42, 2, 0, 3, false },
        { 14, (char *) "2g.10gb", 2, 1, 3, 9984, 28, 1, 0, 2, false },
        { 15, (char *) "1g.10gb", 1, 2, 4, 9984, 14, 1, 0, 1, false },
        { 19, (char *) "1g.5gb", 1, 3, 7, 4864, 14, 0, 0, 1, false },
        { 20, (char *) "1g.5gb+me", 1, 1, 1, 4864, 14, 1, 0, 1, false },
    };
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) off = vgpu_nvml_gi_profiles(nvml, A100, &error);
    g_autoptr(GPtrArray) got = NULL, none = NULL;

    /* with the mode off everything but the capacity is known, unless the driver is older */
    assert_int_equal(off->len, G_N_ELEMENTS(want));
    for (guint i = 0; i < off->len; i++)
        assert_int_equal(((VgpuNvmlGiProfile *) g_ptr_array_index(off, i))->free, -1);
    nvml_host_knob(&host, "old-profiles", "");
    none = vgpu_nvml_gi_profiles(nvml, A100, &error);
    assert_int_equal(none->len, 0);
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "1 9 0 4\n");
    got = vgpu_nvml_gi_profiles(nvml, A100, &error);
    assert_int_equal(got->len, G_N_ELEMENTS(want));
    for (guint i = 0; i < got->len; i++) {
        const VgpuNvmlGiProfile *one = g_ptr_array_index(got, i);

        if (one->id != want[i].id || strcmp(one->name, want[i].name) ||
            one->slices != want[i].slices || one->total != want[i].total ||
            one->memory_mib != want[i].memory_mib || one->sms != want[i].sms ||
            one->decoders != want[i].decoders || one->encoders != want[i].encoders ||
            one->copy_engines != want[i].copy_engines || one->p2p != want[i].p2p)
            fail_msg("%u %s %u %u", one->id, one->name, one->slices, one->total);
    }
    /* three slices of compute are taken, and the lower half of the memory */
    assert_int_equal(((VgpuNvmlGiProfile *) g_ptr_array_index(got, 0))->free, 0);
    assert_int_equal(((VgpuNvmlGiProfile *) g_ptr_array_index(got, 2))->free, 1);
    assert_int_equal(((VgpuNvmlGiProfile *) g_ptr_array_index(got, 5))->free, 3);
    assert_null(vgpu_nvml_gi_profiles(nvml, A2, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    nvml_host_fail(&host, "nvmlDeviceGetGpuInstanceRemainingCapacity", 999);
    assert_null(vgpu_nvml_gi_profiles(nvml, A100, &error));
    assert_int_equal(error->code, VGPU_ERROR_DRIVER);
}

static void
test_instances(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    guint id = 99;

    assert_false(vgpu_nvml_gi_create(nvml, A100, 14, NULL, false, &id, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED); /* MIG mode is off */
    g_clear_error(&error);
    nvml_host_set(&host, A100, "mig_mode", "1\n");
    for (guint i = 0; i < 3; i++)
        assert_true(vgpu_nvml_gi_create(nvml, A100, 14, NULL, i == 1, &id, &error));
    assert_int_equal(id, 5);
    assert_false(vgpu_nvml_gi_create(nvml, A100, 14, NULL, false, &id, &error));
    assert_int_equal(error->code, VGPU_ERROR_NO_CAPACITY);
    assert_int_equal(id, 5);
    g_clear_error(&error);
    assert_false(vgpu_nvml_gi_create(nvml, A100, 77, NULL, false, &id, &error));
    assert_int_equal(error->code, VGPU_ERROR_BAD_REQUEST);
    g_clear_error(&error);

    /* the one with a compute instance, which must go first */
    assert_true(vgpu_nvml_gi_destroy(nvml, A100, 4, &error));
    assert_false(vgpu_nvml_gi_destroy(nvml, A100, 4, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    g_clear_error(&error);
    nvml_host_set(&host, A100, "vgpus", "0000:a1:00.4 474 - 5 0\n");
    assert_false(vgpu_nvml_gi_destroy(nvml, A100, 5, &error));
    assert_int_equal(error->code, VGPU_ERROR_BUSY);
}

/* A GPU instance without its compute instance is removed again. */
static void
test_no_compute(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autofree char *after = NULL;
    guint id = 99;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_fail(&host, "nvmlGpuInstanceCreateComputeInstance", 23);
    assert_false(vgpu_nvml_gi_create(nvml, A100, 14, NULL, true, &id, &error));
    assert_int_equal(error->code, VGPU_ERROR_NO_CAPACITY);
    assert_int_equal(id, 99);
    after = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(after, "\n");
}

static void
test_place(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    VgpuNvmlGi lost = { 4, 14, (char *) "2g.10gb", 4, 2, 0 };
    g_autofree char *there = NULL, *anywhere = NULL;
    guint id;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    assert_true(vgpu_nvml_gi_create(nvml, A100, 14, &lost, false, &id, NULL));
    there = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(there, "3 14 4 2\n");
    assert_false(vgpu_nvml_gi_create(nvml, A100, 14, &lost, false, &id, NULL)); /* taken */
    nvml_host_fail(&host, "nvmlDeviceCreateGpuInstanceWithPlacement", 13);
    assert_true(vgpu_nvml_gi_create(nvml, A100, 14, &lost, false, &id, NULL));
    anywhere = nvml_host_get(&host, A100, "gpu_instances");
    assert_string_equal(anywhere, "3 14 4 2\n4 14 0 2\n");
}

/* The vGPUs of an instance are reported by the instance, by the vGPU, or by both. */
static void
test_in_use(void **state)
{
    static const struct {
        const char *what, *hidden;
        int code;
        bool listed;
        guint vgpus;
    } cases[] = {
        { "both", "nothing", 13, true, 1 },
        { "only the vGPU", "nvmlGpuInstanceGetActiveVgpus", 13, true, 1 },
        { "only the instance", "nvmlDeviceGetActiveVgpus", 3, true, 1 },
        { "only the instance, as the vGPU does not know", "nvmlVgpuInstanceGetGpuInstanceId", 13,
          true, 1 },
        { "an instance that cannot be asked", "nvmlGpuInstanceGetActiveVgpus", 999, false, 0 },
        { "vGPUs that cannot be asked", "nvmlDeviceGetActiveVgpus", 15, false, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GPtrArray) list = NULL;
        const VgpuNvmlGi *gi;

        nvml_host_set(&host, A100, "mig_mode", "1\n");
        nvml_host_set(&host, A100, "gpu_instances", "4 14 2 2\n3 14 0 2\n");
        nvml_host_set(&host, A100, "vgpus", "0000:a1:00.4 474 - 4 1\n");
        nvml_host_fail(&host, cases[i].hidden, cases[i].code);
        list = vgpu_nvml_gi_list(nvml, A100, NULL);
        if (!!list != cases[i].listed)
            fail_msg("%s: listed %d", cases[i].what, !!list);
        if (!list)
            continue;
        assert_int_equal(list->len, 2);
        gi = g_ptr_array_index(list, 0);
        assert_int_equal(gi->id, 3);
        assert_int_equal(gi->vgpus, 0);
        gi = g_ptr_array_index(list, 1);
        assert_string_equal(gi->name, "2g.10gb");
        assert_int_equal(gi->start, 2);
        assert_int_equal(gi->size, 2);
        if (gi->vgpus != cases[i].vgpus)
            fail_msg("%s: %u", cases[i].what, gi->vgpus);
    }
}

/* --- types, vGPUs, and the daemon's facts --------------------------------------------------- */

static void
test_types(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) types = vgpu_nvml_types(nvml, A2, &error);
    const VgpuNvmlType *type;

    assert_int_equal(types->len, 2);
    type = g_ptr_array_index(types, 1);
    assert_string_equal(type->profile->id, "nvidia-746");
    assert_string_equal(type->profile->name, "NVIDIA A2-4Q");
    assert_int_equal(type->profile->fb_mib, 4096);
    assert_int_equal(type->profile->num_heads, 4);
    assert_int_equal(type->profile->frl, 60);
    assert_string_equal(type->profile->max_resolution, "7680x4320");
    assert_int_equal(type->profile->max_instances, 4);
    assert_int_equal(type->profile->max_per_domain, 16);
    assert_int_equal(type->profile->max_per_gi, 0);
    assert_int_equal(type->profile->gi_profile, -1);
    assert_string_equal(type->class, "Quadro");
    assert_string_equal(type->license, "Quadro-Virtual-DWS,5.0");
    nvml_host_fail(&host, "nvmlDeviceGetSupportedVgpus", 3);
    assert_null(vgpu_nvml_types(nvml, A2, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

/* The facts of one GPU. */
static GVariant *
facts_of(VgpuNvml *nvml, const char *gpu)
{
    g_autoptr(GVariant) facts = vgpu_nvml_facts(nvml);

    assert_true(g_variant_is_of_type(facts, VGPU_FACTS_TYPE));
    for (gsize i = 0; i < g_variant_n_children(facts); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(facts, i);
        const char *address = NULL;

        assert_true(g_variant_lookup(one, "address", "&s", &address));
        if (g_str_equal(address, gpu))
            return g_steal_pointer(&one);
    }
    fail_msg("no facts of %s", gpu);
    return NULL;
}

static void
assert_list(GVariant *facts, const char *key, const char *want)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(facts, key, VGPU_FACTS_TYPE);
    g_autofree char *text = NULL;

    assert_non_null(list);
    text = g_variant_print(list, FALSE);
    assert_string_equal(text, want);
}

static void
test_facts(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = NULL;
    g_autoptr(GVariant) a2 = NULL, a100 = NULL;
    gboolean flag = TRUE;

    nvml_host_set(&host, A100, "mig_mode", "1\n");
    nvml_host_set(&host, A100, "gpu_instances", "3 14 2 2\n");
    nvml_host_set(&host, A100, "types", "474|GRID A100-1-5C|5120|1|60|4096x2400|7|1|19|2\n");
    nvml = nvml_host_open(); /* which is when it looks what types there are */
    a2 = facts_of(nvml, A2);
    assert_false(g_variant_lookup(a2, "mig", "b", &flag)); /* it cannot */
    assert_true(g_variant_lookup(a2, "mixed", "b", &flag));
    assert_false(flag);
    assert_null(g_variant_lookup_value(a2, "gpu_instances", NULL));

    a100 = facts_of(nvml, A100);
    assert_true(g_variant_lookup(a100, "mig", "b", &flag));
    assert_true(flag);
    assert_false(g_variant_lookup(a100, "mixed", "b", &flag)); /* not together with MIG */
    assert_list(a100, "gpu_instances",
                "[{'gi': <uint32 3>, 'profile_id': <uint32 14>, 'profile': <'2g.10gb'>, "
                "'start': <uint32 2>, 'size': <uint32 2>}]");
    assert_list(a100, "types",
                "[{'id': <'nvidia-474'>, 'name': <'GRID A100-1-5C'>, 'framebuffer_mib': "
                "<uint32 5120>, 'num_heads': <uint32 1>, 'frl': <uint32 60>, 'max_resolution': "
                "<'4096x2400'>, 'max_instances': <uint32 7>, 'max_per_domain': <uint32 1>, "
                "'max_per_gi': <uint32 2>, 'gi_profile': <uint32 19>}]");
}

/* Only unknown values are left out. */
static void
test_facts_missing(void **state)
{
    static const struct {
        const char *function, *key;
    } cases[] = {
        { "nvmlVgpuTypeGetName", "name" },
        { "nvmlVgpuTypeGetFramebufferSize", "framebuffer_mib" },
        { "nvmlVgpuTypeGetNumDisplayHeads", "num_heads" },
        { "nvmlVgpuTypeGetFrameRateLimit", "frl" },
        { "nvmlVgpuTypeGetResolution", "max_resolution" },
        { "nvmlVgpuTypeGetMaxInstances", "max_instances" },
        { "nvmlVgpuTypeGetMaxInstancesPerVm", "max_per_domain" },
        { "nvmlVgpuTypeGetMaxInstancesPerGpuInstance", "max_per_gi" },
        { "nvmlVgpuTypeGetGpuInstanceProfileId", "gi_profile" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GVariant) facts = NULL, types = NULL, type = NULL, value = NULL;

        nvml_host_fail(&host, cases[i].function, 13);
        facts = facts_of(nvml, A100);
        types = g_variant_lookup_value(facts, "types", VGPU_FACTS_TYPE);
        type = g_variant_get_child_value(types, 1);
        value = g_variant_lookup_value(type, cases[i].key, NULL);
        if (value || g_variant_n_children(type) != G_N_ELEMENTS(cases))
            fail_msg("%s: %" G_GSIZE_FORMAT, cases[i].key, g_variant_n_children(type));
    }
}

#define L4_TYPES                                                                                 \
    "917|NVIDIA L4-24Q|24576|4|60|7680x4320|1|16|-|0\n"                                          \
    "916|NVIDIA L4-12Q|12288|4|60|7680x4320|2|16|-|0\n"                                          \
    "915|NVIDIA L4-8Q|8192|4|60|7680x4320|3|16|-|0\n"                                            \
    "914|NVIDIA L4-6Q|6144|4|60|7680x4320|4|16|-|0\n"

/* Where vGPUs can begin on a GPU of mixed sizes. That of an L4-6Q is NVIDIA's own example (vGPU user
 * guide, "vGPU Placements for GPUs in Mixed-Size Mode"). */
static void
test_places(void **state)
{
    static const struct {
        const char *what;
        const char *knob, *hidden;
        const char *mixed; /* whether sizes can be mixed */
        const char *want[4];
    } cases[] = {
        { "on", NULL, "nothing", "1\n", { "24: 0", "12: 0 12", "8: 0 16", "6: 0 6 12 18" } },
        { "off", NULL, "nothing", "0\n", { "24: 0", "12: 0 12", "8: 0 16", "6: 0 6 12 18" } },
        { "an older library",
          "places-v1",
          "nothing",
          "1\n",
          { "24: 0", "12: 0 12", "8: 0 16", "6: 0 6 12 18" } },
        { "one without", NULL, "nvmlDeviceGetVgpuTypeSupportedPlacements", "1\n", { NULL } },
        { "a GPU without", NULL, "nothing", "2\n", { NULL } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = NULL;
        g_autoptr(GVariant) facts = NULL;
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(A2);

        nvml_host_set(&host, A2, "types", L4_TYPES);
        nvml_host_set(&host, A2, "mixed", cases[i].mixed);
        if (cases[i].knob)
            nvml_host_knob(&host, cases[i].knob, "");
        nvml_host_fail(&host, cases[i].hidden, 13);
        nvml = nvml_host_open();
        facts = vgpu_nvml_facts(nvml);
        vgpu_facts_apply(facts, gpu);
        assert_int_equal(gpu->profiles->len, 4);
        for (guint t = 0; t < gpu->profiles->len; t++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, t);
            g_autoptr(GString) text = g_string_new(NULL);

            g_string_printf(text, "%u:", profile->slots);
            for (guint p = 0; profile->places && p < profile->places->len; p++)
                g_string_append_printf(text, " %u", g_array_index(profile->places, guint, p));
            if (g_strcmp0(text->str, cases[i].want[t] ? cases[i].want[t] : "0:") != 0)
                fail_msg("%s, %s: %s", cases[i].what, profile->name, text->str);
        }
    }
    (void) state;
}

#define GPU_STATS "'gpu': <'" A2 "'>, "
#define BUSY_STATS                                                                               \
    "'gpu_utilization': <uint32 40>, 'memory_utilization': <uint32 30>, "                        \
    "'encoder_utilization': <uint32 20>, 'decoder_utilization': <uint32 10>, "
#define FB_STATS "'framebuffer_mib': <uint32 4096>, 'framebuffer_used_mib': <uint32 1024>, "
#define TYPE_STATS "'profile_id': <'nvidia-746'>, "
#define LICENSE_STATS "'license_state': <'licensed'>, 'license_expiry': <'2026-12-24T18:05:00Z'>"
#define END_STATS LICENSE_STATS ", 'driver_version': <'550.54.15'>"

static void
test_stats(void **state)
{
    static const struct {
        const char *what;
        const char *device; /* that the machine has */
        const char *vgpus;
        const char *hidden; /* a function that this library has not */
        const char *want;
    } cases[] = {
        { "an mdev", MDEV_UUID, "0000:41:00.4 746 " MDEV_UUID " - 1\n", "nothing",
          GPU_STATS "'mdev_uuid': <'" MDEV_UUID "'>, 'vm_uuid': <'" VM_UUID
                    "'>, " TYPE_STATS FB_STATS BUSY_STATS END_STATS },
        { "a VF", "0000:41:00.4", "0000:41:00.4 746 - - 1\n", "nothing",
          GPU_STATS "'vm_uuid': <'" VM_UUID "'>, " TYPE_STATS FB_STATS BUSY_STATS END_STATS },
        { "its machine is unknown", "other", "0000:41:00.4 746 - - 1\n", "nothing",
          GPU_STATS TYPE_STATS FB_STATS BUSY_STATS END_STATS },
        { "the older function for utilisation", "other", "0000:41:00.4 746 - - 1\n",
          "nvmlDeviceGetVgpuInstancesUtilizationInfo",
          GPU_STATS TYPE_STATS FB_STATS BUSY_STATS END_STATS },
        { "no use of the frame buffer", "other", "0000:41:00.4 746 - - 1\n",
          "nvmlVgpuInstanceGetFbUsage",
          GPU_STATS TYPE_STATS "'framebuffer_mib': <uint32 4096>, " BUSY_STATS END_STATS },
        { "no type", "other", "0000:41:00.4 746 - - 1\n", "nvmlVgpuInstanceGetType",
          GPU_STATS "'framebuffer_used_mib': <uint32 1024>, " BUSY_STATS END_STATS },
        { "no driver version", "other", "0000:41:00.4 746 - - 1\n",
          "nvmlVgpuInstanceGetVmDriverVersion",
          GPU_STATS TYPE_STATS FB_STATS BUSY_STATS LICENSE_STATS },
        { "it is not open", "other", "0000:41:00.4 746 - - 0\n", "nothing", NULL },
        { "no vGPUs", "other", "", "nothing", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autofree char *want =
            cases[i].want ? g_strdup_printf("[{%s}]", cases[i].want) : g_strdup("@aa{sv} []");
        g_autoptr(GVariant) both = NULL, stats = NULL;
        g_autofree char *text = NULL;

        nvml_host_run(&host, cases[i].device);
        nvml_host_set(&host, A2, "vgpus", cases[i].vgpus);
        nvml_host_fail(&host, cases[i].hidden, 13);
        both = vgpu_nvml_stats(nvml);
        stats = g_variant_get_child_value(both, 1);
        text = g_variant_print(stats, !cases[i].want);
        if (strcmp(text, want))
            fail_msg("%s: %s", cases[i].what, text);
    }
}

/* NVML's details about a licence beside its state. */
static void
test_expiry(void **state)
{
    static const struct {
        const char *what, *state, *expiry;
        const char *want; /* of license_expiry */
    } cases[] = {
        { "a date", "5", "2 2027 3 1 0 0 9", "2027-03-01T00:00:09Z" },
        { "for good", "5", "4 0 0 0 0 0 0", "permanent" },
        { "it does not say", "5", "0 0 0 0 0 0 0", NULL },
        { "it says that it is none", "5", "1 2027 3 1 0 0 0", NULL },
        { "not applicable", "5", "3 2027 3 1 0 0 0", NULL },
        { "no such day", "5", "2 2027 2 30 0 0 0", NULL },
        { "of an unlicensed vGPU", "4", "2 2027 3 1 0 0 0", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autoptr(GPtrArray) vgpus = NULL;
        const VgpuNvmlVgpu *vgpu;

        nvml_host_set(&host, A2, "vgpus", "0000:41:00.4 746 - - 1\n");
        nvml_host_knob(&host, "license-state", cases[i].state);
        nvml_host_knob(&host, "license-expiry", cases[i].expiry);
        vgpus = vgpu_nvml_vgpus(nvml, A2, NULL);
        assert_int_equal(vgpus->len, 1);
        vgpu = g_ptr_array_index(vgpus, 0);
        if (g_strcmp0(vgpu->license_expiry, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].what, vgpu->license_expiry);
    }
    (void) state;
}

#define GAUGES                                                                                   \
    "'temperature_c': <uint32 45>, 'power_w': <uint32 32>, 'gpu_util': <uint32 55>, "            \
    "'mem_util': <uint32 35>, 'fb_mib': <uint32 16384>, 'fb_used_mib': <uint32 8192>, "
#define HEALTH(word) "'health': <'" word "'>, 'driver_version': <'550.54.16'>"

/* Figures of a GPU; values that it does not report are left out. */
static void
test_gauges(void **state)
{
    static const struct {
        const char *what;
        const char *file, *text; /* that the GPU has */
        const char *function;    /* that answers with @code */
        int code;
        const char *want;
    } cases[] = {
        { "a GPU without ECC", "x", "", "nothing", 3, GAUGES HEALTH("ok") },
        { "errors that were corrected", "ecc_corrected", "7", "nothing", 3,
          GAUGES "'ecc_corrected': <uint32 7>, " HEALTH("ok") },
        { "uncorrected ECC errors", "ecc_uncorrected", "2", "nothing", 3,
          GAUGES "'ecc_uncorrected': <uint32 2>, " HEALTH("ok") },
        { "a row waits for its replacement", "rows_pending", "1", "nothing", 3,
          GAUGES HEALTH("reset-required") },
        { "no spare row is left", "rows_failed", "1", "nothing", 3, GAUGES HEALTH("replace") },
        { "an older GPU", "pages_pending", "0", "nothing", 3, GAUGES HEALTH("ok") },
        { "an older GPU, a page waits for its retirement", "pages_pending", "1", "nothing", 3,
          GAUGES HEALTH("reset-required") },
        { "the driver does not report remapped rows", "x", "", "nvmlDeviceGetRemappedRows", 3,
          GAUGES "'driver_version': <'550.54.16'>" },
        { "the call reports that a reset is needed", "x", "", "nvmlDeviceGetRemappedRows", 16,
          GAUGES HEALTH("reset-required") },
        { "one that has fallen off the bus", "temperature", "0", "nvmlDeviceGetTemperature", 15,
          "'power_w': <uint32 32>, 'gpu_util': <uint32 55>, 'mem_util': <uint32 35>, "
          "'fb_mib': <uint32 16384>, 'fb_used_mib': <uint32 8192>, " HEALTH("lost") },
        { "no power", "power_mw", "4294967295", "nothing", 3,
          "'temperature_c': <uint32 45>, 'gpu_util': <uint32 55>, 'mem_util': <uint32 35>, "
          "'fb_mib': <uint32 16384>, 'fb_used_mib': <uint32 8192>, " HEALTH("ok") },
        { "no utilisation: with MIG", "x", "", "nvmlDeviceGetUtilizationRates", 3,
          "'temperature_c': <uint32 45>, 'power_w': <uint32 32>, 'fb_mib': <uint32 16384>, "
          "'fb_used_mib': <uint32 8192>, " HEALTH("ok") },
        { "no driver version", "x", "", "nvmlSystemGetDriverVersion", 3,
          GAUGES "'health': <'ok'>" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) host = nvml_host_new();
        g_autoptr(VgpuNvml) nvml = nvml_host_open();
        g_autofree char *want = g_strdup_printf("{" GPU_STATS "%s}", cases[i].want);
        g_autoptr(GVariant) both = NULL, gpus = NULL, first = NULL;
        g_autofree char *text = NULL;

        nvml_host_set(&host, A2, cases[i].file, cases[i].text);
        nvml_host_fail(&host, cases[i].function, cases[i].code);
        both = vgpu_nvml_stats(nvml);
        gpus = g_variant_get_child_value(both, 0);
        assert_int_equal(g_variant_n_children(gpus), 2);
        first = g_variant_get_child_value(gpus, 0);
        text = g_variant_print(first, FALSE);
        if (strcmp(text, want))
            fail_msg("%s: %s", cases[i].what, text);
    }
    (void) state;
}

/* Utilisation is matched to its vGPU. */
static void
test_many(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autoptr(GPtrArray) vgpus = NULL;

    for (guint i = 0; i < 16; i++)
        g_string_append_printf(lines, "0000:41:%02x.%u 746 - - 1\n", (i + 4) / 8, (i + 4) % 8);
    nvml_host_set(&host, A2, "vgpus", lines->str);
    vgpus = vgpu_nvml_vgpus(nvml, A2, NULL);
    assert_int_equal(vgpus->len, 16);
    for (guint i = 0; i < vgpus->len; i++) {
        const VgpuNvmlVgpu *vgpu = g_ptr_array_index(vgpus, i);

        assert_int_equal(vgpu->gpu_percent, 40);
        assert_int_equal(vgpu->type, 746);
        assert_int_equal(vgpu->gi, -1);
    }
    nvml_host_fail(&host, "nvmlDeviceGetActiveVgpus", 999);
    assert_null(vgpu_nvml_vgpus(nvml, A2, NULL));
}

static void
test_license(void **state)
{
    static const struct {
        const char *state, *want;
    } cases[] = {
        { "0", NULL },
        { "1", "uninitialized" },
        { "2", "unlicensed (unrestricted)" },
        { "3", "unlicensed (restricted)" },
        { "4", "unlicensed" },
        { "5", "licensed" },
        { "6", NULL },
    };
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();

    nvml_host_set(&host, A2, "vgpus", "0000:41:00.4 746 - - 1\n");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) vgpus = NULL;
        const VgpuNvmlVgpu *vgpu;

        nvml_host_knob(&host, "license-state", cases[i].state);
        vgpus = vgpu_nvml_vgpus(nvml, A2, NULL);
        vgpu = g_ptr_array_index(vgpus, 0);
        if (g_strcmp0(vgpu->license_state, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].state, vgpu->license_state);
    }
}

/* --- scheduler, in NVML's numbers ----------------------------------------------------------- */

static void
test_scheduler(void **state)
{
    g_auto(Scratch) host = nvml_host_new();
    g_autoptr(VgpuNvml) nvml = nvml_host_open();
    g_autoptr(GError) error = NULL;
    VgpuNvmlScheduler loose = { .policy = 2, .strict = 1, .slice_ns = 3000000 }, now = { 0 };
    guint mask = 0;

    assert_true(vgpu_nvml_scheduler_policies(nvml, A2, &mask, &error));
    assert_int_equal(mask, 0xe);
    assert_true(vgpu_nvml_get_scheduler(nvml, A2, -1, &now, &error));
    assert_int_equal(now.policy, 1);
    assert_true(vgpu_nvml_set_scheduler(nvml, A2, -1, &loose, &error));
    assert_true(vgpu_nvml_get_scheduler(nvml, A2, -1, &now, &error));
    assert_int_equal(now.policy, 2);
    assert_int_equal(now.strict, 1);
    assert_int_equal(now.slice_ns, 3000000);

    /* a library that has only the newer functions can only do what they do */
    nvml_host_fail(&host, "nvmlDeviceSetVgpuSchedulerState", 13);
    assert_false(vgpu_nvml_set_scheduler(nvml, A2, -1, &loose, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    nvml_host_fail(&host, "nvmlDeviceGetVgpuSchedulerState", 13);
    loose.strict = 0;
    assert_true(vgpu_nvml_set_scheduler(nvml, A2, -1, &loose, &error));
    assert_true(vgpu_nvml_get_scheduler(nvml, A2, -1, &now, &error));
    assert_int_equal(now.strict, 2);
    assert_int_equal(now.average, 33);
    nvml_host_fail(&host, "nvmlDeviceGetVgpuSchedulerState_v2", 13);
    assert_false(vgpu_nvml_get_scheduler(nvml, A2, -1, &now, &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_SUPPORTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),          cmocka_unit_test(test_no_library),
        cmocka_unit_test(test_empty_library), cmocka_unit_test(test_error_codes),
        cmocka_unit_test(test_gpus),          cmocka_unit_test(test_modes),
        cmocka_unit_test(test_pending),       cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_instances),     cmocka_unit_test(test_no_compute),
        cmocka_unit_test(test_place),         cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_types),         cmocka_unit_test(test_facts),
        cmocka_unit_test(test_facts_missing), cmocka_unit_test(test_places),
        cmocka_unit_test(test_stats),         cmocka_unit_test(test_many),
        cmocka_unit_test(test_expiry),        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_license),       cmocka_unit_test(test_scheduler),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
