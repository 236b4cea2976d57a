/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a domain can be migrated: each check, what is not known, and how long it takes. */
#include "test.h"

#include <string.h>

#include "cli/migration-checks.h"

/* Both hosts as `explain --host --json` describes them; the cases replace members. */
static const char here_text[] =
    "{'uuid': 'aaaaaaaa-0000-4000-8000-000000000001', 'version': '0.3.0', 'libvirt': '11.3.0', "
    "'qemu': '10.0.2', 'kernel': '6.12.1', 'iommufd': true, 'gpus': [{'address': '0000:41:00.0', "
    "'interface': 'vendor-vfio', 'driver': 'nvidia', 'driver_version': '550.54.16'}]}";
static const char there_text[] =
    "{'uuid': 'bbbbbbbb-0000-4000-8000-000000000002', 'version': '0.3.0', 'libvirt': '11.3.0', "
    "'qemu': '10.0.2', 'kernel': '6.12.1', 'iommufd': true, 'gpus': [{'address': '0000:61:00.0', "
    "'interface': 'vendor-vfio', 'driver': 'nvidia', 'driver_version': '550.54.16'}]}";

/* @text with "OLD=NEW" done to it, several separated by "; ". */
static VgpuMigrationHost *
host_of(const char *text, const char *changes)
{
    g_autoptr(GString) edited = g_string_new(text);
    g_auto(GStrv) list = g_strsplit(changes ? changes : "", "; ", -1);
    g_autoptr(JsonNode) root = NULL;

    for (guint i = 0; list[i]; i++) {
        g_auto(GStrv) change = g_strsplit(list[i], "=", 2);

        if (g_string_replace(edited, change[0], change[1], 0) == 0)
            fail_msg("nothing to change: %s", list[i]);
    }
    g_string_replace(edited, "'", "\"", 0);
    root = json_from_string(edited->str, NULL);
    if (!root)
        fail_msg("bad JSON: %s", edited->str);
    return vgpu_migration_host_parse(json_node_get_object(root));
}

typedef struct {
    const char *what;
    const char *check; /* NULL: all are ok */
    VgpuMigrationStatus status;
    const char *detail;
    const char *here, *there; /* changes */
    VgpuMigrationFacts facts; /* where it differs from the usual ones: */
    bool off, full, unknown_room, guest_iommu, unknown_viommu;
    guint more; /* vGPUs */
    const char *profile_there;
    bool nowhere; /* the GPU there is not known */
} Case;

static const Case cases[] = {
    { "all is well", NULL },
    { "it is off", "state", VGPU_MIGRATION_FAILED, "not running", .off = true },
    { "this host", "host", VGPU_MIGRATION_FAILED, "it is this host",
      .there = "'bbbbbbbb-0000-4000-8000-000000000002'='aaaaaaaa-0000-4000-8000-000000000001'" },
    { "no room", "room", VGPU_MIGRATION_FAILED, "all GPUs are full", .full = true },
    { "room that is not known", "room", VGPU_MIGRATION_UNKNOWN, "not known",
      .unknown_room = true },
    { "another profile", "profile", VGPU_MIGRATION_FAILED,
      "vGPU 0 is 'L40S-4Q' here, and would be 'L40S-8Q' there", .profile_there = "L40S-8Q" },
    { "no profile", "profile", VGPU_MIGRATION_UNKNOWN, "vGPU 0: not known", .profile_there = "" },
    { "an unknown GPU there", "driver", VGPU_MIGRATION_UNKNOWN, "not known", .nowhere = true },
    { "an older driver", "driver", VGPU_MIGRATION_FAILED,
      "nvidia 550.9.16 there is older than 550.54.16 here", .there = "550.54.16=550.9.16" },
    { "an older branch", "driver", VGPU_MIGRATION_FAILED, "older", .there = "550.54.16=535.999" },
    { "a newer driver", "driver", VGPU_MIGRATION_WARNING, "newer",
      .there = "550.54.16=550.127.5" },
    { "a longer version", "driver", VGPU_MIGRATION_WARNING, "newer",
      .there = "550.54.16=550.54.16.1" },
    { "another driver", "driver", VGPU_MIGRATION_FAILED, "nvidia here, xe there",
      .there = "'nvidia'='xe'" },
    { "no version there", "driver", VGPU_MIGRATION_UNKNOWN, "unknown there",
      .there = "'550.54.16'=null" },
    { "no driver there", "driver", VGPU_MIGRATION_UNKNOWN, "not known",
      .there = "'nvidia'=null" },
    { "the kernel's driver", NULL, .here = "'550.54.16'=null", .there = "'550.54.16'=null" },
    { "of another kernel", "driver", VGPU_MIGRATION_UNKNOWN, "6.12.1 here, 6.13.0 there",
      .here = "'550.54.16'=null", .there = "'550.54.16'=null; 6.12.1=6.13.0" },
    { "an older QEMU there", "qemu", VGPU_MIGRATION_WARNING,
      "QEMU 9.2.0 there is older than 10.0.2 here", .there = "10.0.2=9.2.0" },
    { "a newer QEMU there", NULL, .there = "10.0.2=10.1.0" },
    { "too old a QEMU there", "qemu", VGPU_MIGRATION_FAILED, "QEMU 8.0.5 there",
      .there = "10.0.2=8.0.5" },
    { "too old a QEMU here", "qemu", VGPU_MIGRATION_FAILED, "QEMU 7.2.0 here",
      .here = "10.0.2=7.2.0" },
    { "an unknown QEMU there", "qemu", VGPU_MIGRATION_UNKNOWN, "unknown there",
      .there = "'10.0.2'=null" },
    { "an unknown QEMU here", "qemu", VGPU_MIGRATION_UNKNOWN, "unknown here",
      .here = "'10.0.2'='none'" },
    { "an older libvirt there", "libvirt", VGPU_MIGRATION_WARNING, "11.1.0 there is older",
      .there = "11.3.0=11.1.0" },
    { "an unknown libvirt there", "libvirt", VGPU_MIGRATION_UNKNOWN, "unknown there",
      .there = "'11.3.0'=null" },
    { "an mdev there", NULL, .there = "vendor-vfio=mdev" },
    { "an mdev there, and an older libvirt here", "libvirt", VGPU_MIGRATION_FAILED,
      "needs libvirt 11.0", .here = "11.3.0=10.9.0", .there = "vendor-vfio=mdev" },
    { "mdevs on both, and an older libvirt here", NULL, .here = "11.3.0=10.9.0; vendor-vfio=mdev",
      .there = "vendor-vfio=mdev" },
    { "no IOMMUFD", "tracking", VGPU_MIGRATION_FAILED, "annotate --migratable",
      .here = "true=false" },
    { "no IOMMUFD there", NULL, .there = "true=false" },
    { "IOMMUFD that is not known", "tracking", VGPU_MIGRATION_UNKNOWN, "IOMMUFD",
      .here = "true=null" },
    { "IOMMUFD that is not needed", NULL, .here = "true=false",
      .facts = { .enabled = VGPU_SWITCH_ON } },
    { "turned off", "tracking", VGPU_MIGRATION_FAILED, "is off",
      .facts = { .enabled = VGPU_SWITCH_OFF } },
    { "two vGPUs", "p2p", VGPU_MIGRATION_UNKNOWN, "2 vGPUs", .more = 1 },
    { "two that cannot", "p2p", VGPU_MIGRATION_FAILED, "2 vGPUs", .more = 1,
      .facts = { .p2p = VGPU_TRUTH_NO } },
    { "two that can", NULL, .more = 1, .facts = { .p2p = VGPU_TRUTH_YES } },
    { "an IOMMU in the guest", "viommu", VGPU_MIGRATION_FAILED, "<iommu>", .guest_iommu = true },
    { "one that is not known", "viommu", VGPU_MIGRATION_UNKNOWN, "not known",
      .unknown_viommu = true },
};

static GPtrArray *
vgpus_of(const Case *one)
{
    GPtrArray *vgpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_migration_vgpu_free);

    for (guint i = 0; i <= one->more; i++) {
        VgpuMigrationVgpu *vgpu = g_new0(VgpuMigrationVgpu, 1);

        vgpu->index = i;
        vgpu->profile = g_strdup("L40S-4Q");
        vgpu->gpu = g_strdup("0000:41:00.0");
        vgpu->profile_there = g_strdup(one->profile_there ? one->profile_there : "L40S-4Q");
        if (!*vgpu->profile_there)
            g_clear_pointer(&vgpu->profile_there, g_free);
        vgpu->gpu_there = g_strdup(one->nowhere ? "0000:99:00.0" : "0000:61:00.0");
        g_ptr_array_add(vgpus, vgpu);
    }
    return vgpus;
}

static VgpuTruth
truth(bool unknown, bool yes)
{
    return unknown ? VGPU_TRUTH_UNKNOWN : yes ? VGPU_TRUTH_YES : VGPU_TRUTH_NO;
}

/* Exactly the check that is named is not ok. */
static void
compare(const Case *one, const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++) {
        const VgpuMigrationCheck *check = g_ptr_array_index(checks, i);
        bool named = g_strcmp0(check->check, one->check) == 0;

        if (check->status != (named ? one->status : VGPU_MIGRATION_OK) ||
            (named && !strstr(check->detail, one->detail)))
            fail_msg("%s: %s: %s, %s", one->what, check->check,
                     vgpu_migration_checks_word(check->status), check->detail);
    }
    assert_int_equal(vgpu_migration_checks_verdict(checks),
                     !one->check                             ? VGPU_TRUTH_YES
                     : one->status == VGPU_MIGRATION_FAILED  ? VGPU_TRUTH_NO
                     : one->status == VGPU_MIGRATION_UNKNOWN ? VGPU_TRUTH_UNKNOWN
                                                             : VGPU_TRUTH_YES);
}

static void
test_each(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *one = &cases[i];
        g_autoptr(VgpuMigrationHost) here = host_of(here_text, one->here);
        g_autoptr(VgpuMigrationHost) there = host_of(there_text, one->there);
        g_autoptr(GPtrArray) vgpus = vgpus_of(one);
        g_autoptr(GPtrArray) checks = NULL;
        VgpuMigrationFacts facts = one->facts;

        facts.here = here;
        facts.there = there;
        facts.vgpus = vgpus;
        facts.running = truth(false, !one->off);
        facts.room = truth(one->unknown_room, !one->full);
        facts.no_room = one->full ? "all GPUs are full" : NULL;
        facts.viommu = truth(one->unknown_viommu, one->guest_iommu);
        checks = vgpu_migration_checks_make(&facts);
        compare(one, checks);
    }
}

/* Nothing passes that is not known. */
static void
test_nothing(void **state)
{
    g_autoptr(GPtrArray) vgpus =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_migration_vgpu_free);
    VgpuMigrationFacts facts = { .vgpus = vgpus };
    g_autoptr(GPtrArray) checks = NULL;
    VgpuMigrationEstimate estimate;

    for (guint i = 0; i < 2; i++) {
        VgpuMigrationVgpu *vgpu = g_new0(VgpuMigrationVgpu, 1);

        vgpu->index = i;
        vgpu->used_mib = vgpu->size_mib = -1;
        g_ptr_array_add(vgpus, vgpu);
    }
    checks = vgpu_migration_checks_make(&facts);
    for (guint i = 0; i < checks->len; i++) {
        const VgpuMigrationCheck *check = g_ptr_array_index(checks, i);

        if (check->status != VGPU_MIGRATION_UNKNOWN)
            fail_msg("%s: %s", check->check, check->detail);
    }
    estimate = vgpu_migration_checks_estimate(&facts);
    assert_int_equal(estimate.data_mib, -1);
    assert_int_equal(estimate.stun_ms, -1);
}

/* A host that does not answer is unknown at best. */
static void
test_silence(void **state)
{
    static const struct {
        VgpuMigrationStatus silence, status;
    } pairs[] = {
        { VGPU_MIGRATION_OK, VGPU_MIGRATION_UNKNOWN },
        { VGPU_MIGRATION_UNKNOWN, VGPU_MIGRATION_UNKNOWN },
        { VGPU_MIGRATION_FAILED, VGPU_MIGRATION_FAILED },
    };
    g_autoptr(VgpuMigrationHost) here = host_of(here_text, NULL);
    const Case usual = { 0 };
    g_autoptr(GPtrArray) vgpus = vgpus_of(&usual);

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        VgpuMigrationFacts facts = { .here = here,
                                     .vgpus = vgpus,
                                     .silence = pairs[i].silence,
                                     .silence_reason = "it has no virt-vgpu" };
        g_autoptr(GPtrArray) checks = vgpu_migration_checks_make(&facts);
        const VgpuMigrationCheck *host = g_ptr_array_index(checks, 1);

        assert_string_equal(host->check, "host");
        assert_string_equal(host->detail, "it has no virt-vgpu");
        assert_int_equal(host->status, pairs[i].status);
    }
}

static void
test_estimate(void **state)
{
    static const struct {
        const char *what;
        gint64 used[2], size[2]; /* 0: there is no second one */
        guint64 bandwidth;
        gint64 data, stun;
        bool at_most;
    } table[] = {
        { "one", { 2000 }, { 4096 }, 1000, 2000, 2000, false },
        { "two", { 2000, 500 }, { 4096, 4096 }, 1000, 2500, 2500, false },
        { "a slow link", { 1 }, { 4096 }, 3, 1, 334, false },
        { "an unknown use", { -1 }, { 4096 }, 1024, 4096, 4000, true },
        { "of one of two", { 1000, -1 }, { 4096, 2000 }, 1000, 3000, 3000, true },
        { "an unknown size", { -1 }, { -1 }, 1000, -1, -1, true },
        { "an unknown link", { 2000 }, { 4096 }, 0, 2000, -1, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const Case some = { .more = table[i].size[1] != 0 };
        g_autoptr(GPtrArray) vgpus = vgpus_of(&some);
        VgpuMigrationFacts facts = { .vgpus = vgpus, .bandwidth = table[i].bandwidth };
        VgpuMigrationEstimate estimate;

        for (guint v = 0; v < vgpus->len; v++) {
            VgpuMigrationVgpu *vgpu = vgpus->pdata[v];

            vgpu->used_mib = table[i].used[v];
            vgpu->size_mib = table[i].size[v];
        }
        estimate = vgpu_migration_checks_estimate(&facts);
        if (estimate.data_mib != table[i].data || estimate.stun_ms != table[i].stun ||
            estimate.at_most != table[i].at_most)
            fail_msg("%s: %" G_GINT64_FORMAT " MiB, %" G_GINT64_FORMAT " ms", table[i].what,
                     estimate.data_mib, estimate.stun_ms);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_estimate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
