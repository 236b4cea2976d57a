/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor: its conclusions from figures, and from the log of NVIDIA's vGPU manager. */
#include "test.h"

#include <string.h>

#include "cli/doctor-guests.h"
#include "cli/doctor-manager.h"
#include "cli/doctor.h"

/* Versions are those of NVIDIA's release notes. */
static void
test_drivers(void **state)
{
    static const struct {
        const char *what, *guest, *host;
        const char *status, *part; /* of the detail or the fix */
    } cases[] = {
        { "the same release", "550.54.14", "550.54.16", "ok", "550.54.14" },
        { "another of the branch", "535.129.03", "535.161.05", "ok", NULL },
        { "Windows counts on", "528.24", "525.85.07", "ok", NULL },
        { "Windows of branch 470", "474.44", "470.182.02", "ok", NULL },
        { "the branch before", "535.161.07", "550.54.16", "ok", NULL },
        { "Windows of the branch before", "539.41", "550.54.16", "ok", NULL },
        { "two branches before", "525.147.05", "550.54.16", "warn", "branch 550" },
        { "the long-term branch before", "535.161.07", "580.65.05", "ok", NULL },
        { "the one before that", "470.223.02", "580.65.05", "warn", "branch 580" },
        { "an older long-term one, for a host that is none", "470.223.02", "550.54.16", "warn",
          "branch 550" },
        { "the same, though it is the long-term one before", "470.223.02", "525.85.07", "warn",
          "branch 525" },
        { "a later one", "550.54.14", "535.161.05", "warn", "later driver on the host" },
        { "a much later one", "580.88", "535.161.05", "warn", "later driver on the host" },
        { "the guest's is not known", NULL, "535.161.05", NULL, NULL },
        { "the host's is not known", "535.161.05", NULL, NULL, NULL },
        { "a branch that is not known yet", "700.10", "700.11", NULL, NULL },
        { "a guest of one", "700.10", "580.65.05", NULL, NULL },
        { "older than the rule", "418.66", "418.66", NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(VgpuFinding) found =
            vgpu_doctor_guests_judge_driver(cases[i].guest, cases[i].host);
        g_autofree char *both = g_strdup_printf("%s %s", found.detail, found.fix);

        if (g_strcmp0(found.status, cases[i].status) != 0 ||
            (cases[i].part && !strstr(both, cases[i].part)))
            fail_msg("%s: %s %s", cases[i].what, found.status, both);
        if (g_strcmp0(found.status, "warn") == 0)
            assert_non_null(found.fix);
    }
    (void) state;
}

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */
#define GPU "'gpu': <'0000:41:00.0'>, "
#define VM(n) "{" GPU "'domain': <'vm" n "'>, 'profile': <'A2-4Q'>, "

static void
test_rows(void **state)
{
    static const struct {
        const char *what, *gpus, *vgpus;
        const char *rows; /* "CHECK STATUS, …" */
        const char *part; /* in one of them */
    } cases[] = {
        { "nothing is reported", "[{" GPU "'power_w': <uint32 3>}]",
          "[" VM("1") "'gpu_util': <uint32 3>}]", "", NULL },
        { "all is well", "[{" GPU "'health': <'ok'>, 'driver_version': <'550.54.16'>}]",
          "[" VM("1") "'driver_version': <'550.54.14'>, 'license_state': <'licensed'>, "
                      "'license_expiry': <'2027-01-15T20:00:00Z'>}]",
          "health 0000:41:00.0 ok, guest driver vm1 ok, licences ok, ", "1 of 1 guests" },
        { "a permanent licence", "@aa{sv} []",
          "[" VM("1") "'license_state': <'licensed'>, 'license_expiry': <'permanent'>}]",
          "licences ok, ", NULL },
        { "a licence that expires soon", "@aa{sv} []",
          "[" VM(
              "1") "'license_state': <'licensed'>, 'license_expiry': <'2027-01-15T08:59:59Z'>}]",
          "licence vm1 warn, licences ok, ", "expires at 2027-01-15T08:59:59Z" },
        { "a licence that expires later", "@aa{sv} []",
          "[" VM(
              "1") "'license_state': <'licensed'>, 'license_expiry': <'2027-01-15T09:00:00Z'>}]",
          "licences ok, ", NULL },
        { "one of two has none", "@aa{sv} []",
          "[" VM("1") "'license_state': <'licensed'>}, " VM(
              "2") "'license_state': <'unlicensed (restricted)'>}]",
          "licence vm2 warn, licences ok, ", "A2-4Q has none: unlicensed (restricted)" },
        { "none of two has one", "@aa{sv} []",
          "[" VM("1") "'license_state': <'unlicensed'>}, " VM(
              "2") "'license_state': <'unlicensed'>}]",
          "licence vm1 warn, licence vm2 warn, licences warn, ", "none of 2 guests" },
        { "a single one may be its own fault", "@aa{sv} []",
          "[" VM("1") "'license_state': <'unlicensed'>}]", "licence vm1 warn, ", NULL },
        { "GPUs that are not well",
          "[{" GPU "'health': <'reset-required'>}, {" GPU "'health': <'replace'>}, {" GPU
          "'health': <'lost'>}, {" GPU "'health': <'odd'>}]",
          "@aa{sv} []",
          "health 0000:41:00.0 warn, health 0000:41:00.0 fail, health 0000:41:00.0 fail, ",
          "must be reset" },
        { "a guest's driver of long ago", "[{" GPU "'driver_version': <'580.65.05'>}]",
          "[" VM("1") "'driver_version': <'470.63'>}]", "guest driver vm1 warn, ",
          "does not match the host's 580.65.05" },
        { "the host of another GPU's driver",
          "[{'gpu': <'0000:42:00.0'>, 'driver_version': <'580.65.05'>}]",
          "[" VM("1") "'driver_version': <'470.63'>}]", "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const GVariantType *type = G_VARIANT_TYPE("aa{sv}");
        g_autoptr(GVariant) gpus = g_variant_parse(type, cases[i].gpus, NULL, NULL, NULL);
        g_autoptr(GVariant) vgpus = g_variant_parse(type, cases[i].vgpus, NULL, NULL, NULL);
        g_autoptr(GVariant) rows = NULL;
        g_autoptr(GString) got = g_string_new(NULL);
        g_autofree char *all = NULL;
        GVariantBuilder builder;

        assert_true(gpus && vgpus);
        g_variant_builder_init(&builder, type);
        vgpu_doctor_guests(vgpus, gpus, NOW, &builder);
        rows = g_variant_ref_sink(g_variant_builder_end(&builder));
        for (gsize r = 0; r < g_variant_n_children(rows); r++) {
            g_autoptr(GVariant) row = g_variant_get_child_value(rows, r);
            const char *check, *status;

            assert_true(g_variant_lookup(row, "check", "&s", &check));
            assert_true(g_variant_lookup(row, "status", "&s", &status));
            g_string_append_printf(got, "%s %s, ", check, status);
        }
        all = g_variant_print(rows, FALSE);
        if (g_strcmp0(got->str, cases[i].rows) != 0 ||
            (cases[i].part && !strstr(all, cases[i].part)))
            fail_msg("%s: %s", cases[i].what, all);
    }
    (void) state;
}

#define AT "Feb 13 15:20:08 host nvidia-vgpu-mgr"
#define START                                                                                    \
    "[1562]: notice: vmiop_env_log: (0x0): Received start call from nvidia-vgpu-vfio module: "   \
    "mdev uuid x\n"

/* Lines as users report them (github.com/DualCoder/vgpu_unlock#1 and #71, mbilker/vgpu_unlock-rs#5,
 * mrzenc/vgpu4nixos#4). */
static void
test_reason(void **state)
{
    static const struct {
        const char *what, *log, *reason; /* how it begins; NULL: none */
    } cases[] = {
        { "nothing", "", NULL },
        { "a line of another program", "Feb 13 15:20:08 host qemu[1562]: error: vmiop_log: x\n",
          NULL },
        { "the daemon began", AT "[964]: notice: vmiop_env_log: nvidia-vgpu-mgr daemon started\n",
          NULL },
        { "or did not", AT "[964]: error: vmiop_env_log: Failed to initialize RM client: 0x26\n",
          "Feb 13 15:20:08: Failed to initialize RM client: 0x26" },
        { "a start that failed, with its noise",
          AT START AT
          "[1562]: error: vmiop_log: NVOS status 0x56\n" AT
          "[1562]: error: vmiop_log: Assertion Failed at 0xf69873bf:293\n" AT
          "[1562]: error: vmiop_log: 11 frames returned by backtrace\n" AT
          "[1562]: error: vmiop_log: vgpu(+0xeb43) [0x5652bb60eb43]\n" AT
          "[1562]: error: vmiop_log: (0x0): init_device_instance failed for inst 0 with "
          "error 1 (error setting vGPU configuration information from RM)\n" AT
          "[1562]: error: vmiop_log: (0x0): Initialization: init_device_instance failed\n",
          "Feb 13 15:20:08: (0x0): init_device_instance failed for inst 0 with error 1 (error "
          "setting" },
        { "noise alone", AT START AT "[1562]: error: vmiop_log: NVOS status 0x56\n",
          "Feb 13 15:20:08: NVOS status 0x56" },
        { "the next one was well", AT "[1500]: error: vmiop_log: (0x0): a\n" AT START, NULL },
        { "the next one was not",
          AT "[1500]: error: vmiop_log: (0x0): a\n" AT START AT
             "[1562]: error: vmiop_env_log: Failed to get VM UUID from QEMU command-line 0x57\n",
          "Feb 13 15:20:08: Failed to get VM UUID" },
        { "an older one says more afterwards",
          AT "[1500]: notice: vmiop_log: x\n" AT START AT
             "[1500]: error: vmiop_log: (0x0): guest crashed\n",
          NULL },
        { "another form of time",
          "2026-02-13T15:20:08+0100 host nvidia-vgpu-mgr[9]: error: vmiop_log: (0x0): a\n",
          "(0x0): a" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = vgpu_doctor_manager_reason(cases[i].log);

        if (cases[i].reason ? !reason || !g_str_has_prefix(reason, cases[i].reason)
                            : reason != NULL)
            fail_msg("%s: %s", cases[i].what, reason);
    }
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drivers),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
