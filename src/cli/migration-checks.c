/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/migration-checks.h"

#include <string.h>

/* Before it, QEMU's VFIO devices speak another protocol than the kernel's, or need x-enable-migration
 * (QEMU: hw/vfio/migration.c, docs/devel/migration/vfio.rst). */
#define QEMU_MIN 8001000
#define LIBVIRT_MDEV_TO_VF 11000000 /* libvirt: NEWS.rst */
#define MDEV "mdev"

void
vgpu_migration_check_free(VgpuMigrationCheck *self)
{
    g_free(self->detail);
    g_free(self);
}

void
vgpu_migration_vgpu_free(VgpuMigrationVgpu *self)
{
    g_free(self->profile);
    g_free(self->gpu);
    g_free(self->profile_there);
    g_free(self->gpu_there);
    g_free(self);
}

const char *
vgpu_migration_checks_word(VgpuMigrationStatus status)
{
    static const char *const words[] = {
        [VGPU_MIGRATION_OK] = "ok",
        [VGPU_MIGRATION_WARNING] = "warning",
        [VGPU_MIGRATION_UNKNOWN] = "unknown",
        [VGPU_MIGRATION_FAILED] = "failed",
    };

    return words[status];
}

/* The result of one check; of several, the first of the worst. */
typedef struct {
    VgpuMigrationStatus status;
    char *detail; /* NULL: none yet */
} Finding;

static void G_GNUC_PRINTF(3, 4)
    find(Finding *self, VgpuMigrationStatus status, const char *format, ...)
{
    va_list args;

    if (self->detail && status <= self->status)
        return;
    g_free(self->detail);
    va_start(args, format);
    self->status = status;
    self->detail = g_strdup_vprintf(format, args);
    va_end(args);
}

static void
check_state(const VgpuMigrationFacts *facts, Finding *out)
{
    if (facts->running == VGPU_TRUTH_YES)
        find(out, VGPU_MIGRATION_OK, "the domain is running");
    else if (facts->running == VGPU_TRUTH_NO)
        find(out, VGPU_MIGRATION_FAILED, "the domain is not running");
    else
        find(out, VGPU_MIGRATION_UNKNOWN, "it is not known whether the domain is running");
}

static void
check_host(const VgpuMigrationFacts *facts, Finding *out)
{
    const VgpuMigrationHost *there = facts->there;

    if (!there)
        find(out, MAX(facts->silence, VGPU_MIGRATION_UNKNOWN), "%s",
             facts->silence_reason ? facts->silence_reason : "it was not asked");
    else if (there->uuid && facts->here && g_strcmp0(there->uuid, facts->here->uuid) == 0)
        find(out, VGPU_MIGRATION_FAILED, "it is this host");
    else
        find(out, VGPU_MIGRATION_OK, "virt-vgpu %s answers",
             there->version ? there->version : "of an unknown version");
}

static void
check_room(const VgpuMigrationFacts *facts, Finding *out)
{
    if (facts->room == VGPU_TRUTH_NO)
        find(out, VGPU_MIGRATION_FAILED, "%s", facts->no_room ? facts->no_room : "there is none");
    else if (facts->room == VGPU_TRUTH_UNKNOWN)
        find(out, VGPU_MIGRATION_UNKNOWN, "%s", facts->no_room ? facts->no_room : "not known");
    for (guint i = 0; facts->room == VGPU_TRUTH_YES && i < facts->vgpus->len; i++) {
        const VgpuMigrationVgpu *vgpu = g_ptr_array_index(facts->vgpus, i);

        if (!vgpu->gpu_there)
            find(out, VGPU_MIGRATION_UNKNOWN, "vGPU %u: not known", vgpu->index);
    }
    if (!out->detail && facts->vgpus->len == 1)
        find(out, VGPU_MIGRATION_OK, "on %s",
             ((const VgpuMigrationVgpu *) g_ptr_array_index(facts->vgpus, 0))->gpu_there);
    else
        find(out, VGPU_MIGRATION_OK, "for all %u vGPUs", facts->vgpus->len);
}

/* With alternatives another profile may be chosen there, whose state is not that of this one. */
static void
check_profile(const VgpuMigrationFacts *facts, Finding *out)
{
    for (guint i = 0; i < facts->vgpus->len; i++) {
        const VgpuMigrationVgpu *vgpu = g_ptr_array_index(facts->vgpus, i);

        if (!vgpu->profile || !vgpu->profile_there)
            find(out, VGPU_MIGRATION_UNKNOWN, "vGPU %u: not known", vgpu->index);
        else if (strcmp(vgpu->profile, vgpu->profile_there) != 0)
            find(out, VGPU_MIGRATION_FAILED, "vGPU %u is '%s' here, and would be '%s' there",
                 vgpu->index, vgpu->profile, vgpu->profile_there);
        else
            find(out, VGPU_MIGRATION_OK, "'%s'", vgpu->profile);
    }
}

/* --- drivers -------------------------------------------------------------------------------- */

/* Of "550.54.16": negative if @a is older. */
static int
compare_versions(const char *a, const char *b)
{
    g_auto(GStrv) left = g_strsplit(a, ".", -1), right = g_strsplit(b, ".", -1);

    for (guint i = 0; left[i] || right[i]; i++) {
        gint64 x = left[i] ? g_ascii_strtoll(left[i], NULL, 10) : -1;
        gint64 y = right[i] ? g_ascii_strtoll(right[i], NULL, 10) : -1;

        if (x != y)
            return x < y ? -1 : 1;
        if (!left[i] || !right[i])
            break;
    }
    return strcmp(a, b);
}

/* A driver without a version comes with the kernel. */
static void
compare_kernels(const VgpuMigrationFacts *facts, const char *driver, Finding *out)
{
    const char *here = facts->here->kernel, *there = facts->there->kernel;

    if (here && there && strcmp(here, there) == 0)
        find(out, VGPU_MIGRATION_OK, "%s of the kernel %s on both", driver, here);
    else
        find(out, VGPU_MIGRATION_UNKNOWN,
             "%s has no version, and the kernels differ: %s here, %s there", driver,
             here ? here : "unknown", there ? there : "unknown");
}

static void
compare_drivers(const VgpuMigrationFacts *facts, const VgpuMigrationGpu *here,
                const VgpuMigrationGpu *there, Finding *out)
{
    const char *old = here->driver_version, *new = there->driver_version;
    int order = old && new ? compare_versions(new, old) : 0;

    if (!here->driver || !there->driver)
        find(out, VGPU_MIGRATION_UNKNOWN, "not known");
    else if (strcmp(here->driver, there->driver) != 0)
        find(out, VGPU_MIGRATION_FAILED, "%s here, %s there", here->driver, there->driver);
    else if (!old && !new)
        compare_kernels(facts, here->driver, out);
    else if (!old || !new)
        find(out, VGPU_MIGRATION_UNKNOWN, "%s %s here, %s there", here->driver,
             old ? old : "unknown", new ? new : "unknown");
    else if (order < 0)
        find(out, VGPU_MIGRATION_FAILED, "%s %s there is older than %s here", here->driver, new,
             old);
    else if (order > 0)
        find(out, VGPU_MIGRATION_WARNING,
             "%s %s there is newer than %s here: it accepts state from only some older releases",
             here->driver, new, old);
    else
        find(out, VGPU_MIGRATION_OK, "%s %s on both", here->driver, old);
}

/* Those of the GPUs where a vGPU is, and where it would be; false: one of them is not known. */
static bool
find_gpus(const VgpuMigrationFacts *facts, guint i, const VgpuMigrationGpu **here,
          const VgpuMigrationGpu **there)
{
    const VgpuMigrationVgpu *vgpu = g_ptr_array_index(facts->vgpus, i);

    *here = vgpu->gpu ? vgpu_migration_host_find(facts->here, vgpu->gpu) : NULL;
    *there = vgpu->gpu_there ? vgpu_migration_host_find(facts->there, vgpu->gpu_there) : NULL;
    return *here && *there;
}

static void
check_driver(const VgpuMigrationFacts *facts, Finding *out)
{
    for (guint i = 0; i < facts->vgpus->len; i++) {
        const VgpuMigrationGpu *here, *there;

        if (find_gpus(facts, i, &here, &there))
            compare_drivers(facts, here, there, out);
        else
            find(out, VGPU_MIGRATION_UNKNOWN, "not known");
    }
}

/* --- QEMU and libvirt ------------------------------------------------------------------------ */

static void
compare_programs(const char *program, gulong here, gulong there, Finding *out)
{
    g_autofree char *old = vgpu_migration_host_version(here);
    g_autofree char *new = vgpu_migration_host_version(there);

    if (!here || !there)
        find(out, VGPU_MIGRATION_UNKNOWN, "%s %s here, %s there", program, here ? old : "unknown",
             there ? new : "unknown");
    else if (there < here)
        find(out, VGPU_MIGRATION_WARNING,
             "%s %s there is older than %s here: it may not support all of the domain", program,
             new, old);
    else
        find(out, VGPU_MIGRATION_OK, "%s %s here, %s there", program, old, new);
}

static void
check_qemu(const VgpuMigrationFacts *facts, Finding *out)
{
    gulong here = facts->here ? facts->here->qemu : 0,
           there = facts->there ? facts->there->qemu : 0;
    const bool is_old[] = { here && here < QEMU_MIN, there && there < QEMU_MIN };

    for (gsize i = 0; i < G_N_ELEMENTS(is_old); i++) {
        g_autofree char *text = vgpu_migration_host_version(i ? there : here);

        if (is_old[i])
            find(out, VGPU_MIGRATION_FAILED, "QEMU %s %s cannot migrate vGPUs: 8.1 or newer can",
                 text, i ? "there" : "here");
    }
    compare_programs("QEMU", here, there, out);
}

/* Whether one of them becomes a VF instead of an mdev, or the reverse. */
static bool
changes_kind(const VgpuMigrationFacts *facts)
{
    for (guint i = 0; i < facts->vgpus->len; i++) {
        const VgpuMigrationGpu *here, *there;

        if (find_gpus(facts, i, &here, &there) && here->interface && there->interface &&
            g_str_equal(here->interface, MDEV) != g_str_equal(there->interface, MDEV))
            return true;
    }
    return false;
}

static void
check_libvirt(const VgpuMigrationFacts *facts, Finding *out)
{
    gulong here = facts->here ? facts->here->libvirt : 0;
    gulong there = facts->there ? facts->there->libvirt : 0;

    if (changes_kind(facts) &&
        ((here && here < LIBVIRT_MDEV_TO_VF) || (there && there < LIBVIRT_MDEV_TO_VF)))
        find(out, VGPU_MIGRATION_FAILED,
             "one host has mediated devices, the other one virtual functions: that needs libvirt "
             "11.0 or newer on both");
    compare_programs("libvirt", here, there, out);
}

/* --- the domain ------------------------------------------------------------------------------ */

/* Without log_ops in the driver QEMU refuses, with them and a kernel without IOMMUFD the migration fails later
 * (kernel: include/linux/iova_bitmap.h). */
static void
check_tracking(const VgpuMigrationFacts *facts, Finding *out)
{
    VgpuTruth iommufd = facts->here ? facts->here->iommufd : VGPU_TRUTH_UNKNOWN;

    if (facts->enabled == VGPU_SWITCH_ON)
        find(out, VGPU_MIGRATION_OK, "not needed: enable-migration is on");
    else if (facts->enabled == VGPU_SWITCH_OFF)
        find(out, VGPU_MIGRATION_FAILED, "enable-migration is off");
    else if (iommufd == VGPU_TRUTH_YES)
        find(out, VGPU_MIGRATION_OK, "the kernel has IOMMUFD, so a driver can track dirty pages");
    else if (iommufd == VGPU_TRUTH_NO)
        find(out, VGPU_MIGRATION_FAILED,
             "the kernel has no IOMMUFD, so no driver can track dirty pages; see 'virt-vgpu "
             "annotate "
             "--migratable'");
    else
        find(out, VGPU_MIGRATION_UNKNOWN, "it is not known whether the kernel has IOMMUFD");
}

static void
check_p2p(const VgpuMigrationFacts *facts, Finding *out)
{
    if (facts->vgpus->len < 2)
        find(out, VGPU_MIGRATION_OK, "not needed: one vGPU");
    else if (facts->p2p == VGPU_TRUTH_YES)
        find(out, VGPU_MIGRATION_OK, "the drivers of all %u vGPUs support it", facts->vgpus->len);
    else if (facts->p2p == VGPU_TRUTH_NO)
        find(out, VGPU_MIGRATION_FAILED,
             "QEMU migrates %u vGPUs only if their drivers support it", facts->vgpus->len);
    else
        find(out, VGPU_MIGRATION_UNKNOWN,
             "QEMU migrates %u vGPUs only if their drivers support P2P, which only QEMU can ask",
             facts->vgpus->len);
}

static void
check_viommu(const VgpuMigrationFacts *facts, Finding *out)
{
    if (facts->viommu == VGPU_TRUTH_NO)
        find(out, VGPU_MIGRATION_OK, "the domain has none");
    else if (facts->viommu == VGPU_TRUTH_YES)
        find(out, VGPU_MIGRATION_FAILED,
             "QEMU does not migrate vGPUs of a domain with an <iommu>");
    else
        find(out, VGPU_MIGRATION_UNKNOWN, "not known");
}

GPtrArray *
vgpu_migration_checks_make(const VgpuMigrationFacts *facts)
{
    static const struct {
        const char *name;
        void (*check)(const VgpuMigrationFacts *facts, Finding *out);
    } all[] = {
        { "state", check_state },     { "host", check_host },         { "room", check_room },
        { "profile", check_profile }, { "driver", check_driver },     { "qemu", check_qemu },
        { "libvirt", check_libvirt }, { "tracking", check_tracking }, { "p2p", check_p2p },
        { "viommu", check_viommu },
    };
    GPtrArray *checks =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_migration_check_free);

    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        VgpuMigrationCheck *check = g_new0(VgpuMigrationCheck, 1);
        Finding finding = { 0 };

        all[i].check(facts, &finding);
        check->check = all[i].name;
        check->status = finding.detail ? finding.status : VGPU_MIGRATION_UNKNOWN;
        check->detail = finding.detail ? finding.detail : g_strdup("not known");
        g_ptr_array_add(checks, check);
    }
    return checks;
}

VgpuTruth
vgpu_migration_checks_verdict(const GPtrArray *checks)
{
    VgpuMigrationStatus worst = VGPU_MIGRATION_OK;

    for (guint i = 0; i < checks->len; i++)
        worst = MAX(worst, ((const VgpuMigrationCheck *) g_ptr_array_index(checks, i))->status);
    return worst == VGPU_MIGRATION_FAILED    ? VGPU_TRUTH_NO
           : worst == VGPU_MIGRATION_UNKNOWN ? VGPU_TRUTH_UNKNOWN
                                             : VGPU_TRUTH_YES;
}

VgpuMigrationEstimate
vgpu_migration_checks_estimate(const VgpuMigrationFacts *facts)
{
    VgpuMigrationEstimate estimate = { .data_mib = facts->vgpus->len ? 0 : -1, .stun_ms = -1 };

    for (guint i = 0; estimate.data_mib >= 0 && i < facts->vgpus->len; i++) {
        const VgpuMigrationVgpu *vgpu = g_ptr_array_index(facts->vgpus, i);
        gint64 mib = vgpu->used_mib >= 0 ? vgpu->used_mib : vgpu->size_mib;

        estimate.at_most |= vgpu->used_mib < 0;
        estimate.data_mib = mib < 0 ? -1 : estimate.data_mib + mib;
    }
    if (estimate.data_mib >= 0 && facts->bandwidth)
        estimate.stun_ms = (gint64) (((guint64) estimate.data_mib * 1000 + facts->bandwidth - 1) /
                                     facts->bandwidth);
    return estimate;
}
