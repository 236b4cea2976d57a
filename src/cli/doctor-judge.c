/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-judge.c: findings about the host and libvirt; those about GPUs are in doctor-card.c */
#include "cli/doctor-judge.h"

#include <ctype.h>
#include <string.h>

#define OK VGPU_DOCTOR_OK
#define WARN VGPU_DOCTOR_WARN
#define FAIL VGPU_DOCTOR_FAIL

void
vgpu_finding_clear(VgpuFinding *self)
{
    g_clear_pointer(&self->detail, g_free);
    g_clear_pointer(&self->fix, g_free);
}

/* Whether the kernel's command line has the option as it is written, "intel_iommu=on". */
static bool
has_option(const char *cmdline, const char *option)
{
    g_auto(GStrv) words = cmdline ? g_strsplit_set(cmdline, " \t\n", -1) : NULL;

    return words && g_strv_contains((const char *const *) words, option);
}

/* Intel's is off unless the kernel is told otherwise or was built so, AMD's is on (kernel:
 * Documentation/admin-guide/kernel-parameters.txt). */
static char *
iommu_fix(const VgpuIommuFacts *facts)
{
    static const char *const against[] = { "intel_iommu=off", "amd_iommu=off", "iommu=off" };

    for (gsize i = 0; i < G_N_ELEMENTS(against); i++) {
        if (has_option(facts->cmdline, against[i]))
            return g_strdup_printf("remove %s from the kernel command line, and reboot",
                                   against[i]);
    }
    if (g_strcmp0(facts->cpu, "AuthenticAMD") == 0)
        return g_strdup("enable AMD-Vi (IOMMU) in the firmware");
    if (has_option(facts->cmdline, "intel_iommu=on"))
        return g_strdup("enable VT-d in the firmware; the kernel command line is right");
    if (g_strcmp0(facts->cpu, "GenuineIntel") == 0)
        return g_strdup("enable VT-d in the firmware, and add intel_iommu=on to the kernel "
                        "command line");
    return g_strdup("enable VT-d or AMD-Vi in the firmware; on Intel add intel_iommu=on to the "
                    "kernel command line");
}

VgpuFinding
vgpu_doctor_judge_iommu(const VgpuIommuFacts *facts)
{
    if (facts->groups)
        return (VgpuFinding) { OK, g_strdup_printf("%u groups", facts->groups), NULL };
    return (VgpuFinding) {
        .status = facts->is_missed ? FAIL : WARN,
        .detail = g_strdup(
            facts->is_missed ? "no IOMMU groups: the virtual functions of this host's GPUs make "
                               "no vGPUs"
                             : "no IOMMU groups: mdevs work, virtual functions do not"),
        .fix = iommu_fix(facts),
    };
}

VgpuFinding
vgpu_doctor_judge_module(const char *name, bool loaded, bool sign, const char *without_it,
                         const char *purpose)
{
    if (loaded || sign)
        return (VgpuFinding) { OK, g_strdup(loaded ? "loaded" : "built in"), NULL };
    return (VgpuFinding) {
        .status = without_it,
        .detail = g_strdup_printf("not loaded: %s", purpose),
        .fix = g_strcmp0(without_it, OK) == 0 ? NULL : g_strdup_printf("modprobe %s", name),
    };
}

/* The migration protocol of today came with kernel 5.18 (include/uapi/linux/vfio.h), and is no longer experimental in
 * QEMU since 8.1. Without IOMMUFD a kernel lacks what devices report dirty pages with (CONFIG_IOMMUFD_DRIVER, whose
 * stubs in include/linux/iova_bitmap.h fail), and QEMU then refuses unless enable-migration=on is set
 * (hw/vfio/migration.c). */
VgpuFinding
vgpu_doctor_judge_migration(const VgpuMigrationFacts *facts)
{
    static const char page[] = "; see migration.md";

    if (facts->kernel && facts->kernel < VGPU_DOCTOR_VERSION(5, 18))
        return (VgpuFinding) {
            OK,
            g_strdup_printf("a running domain with a vGPU cannot be saved or migrated: that "
                            "needs Linux 5.18, this is %u.%u%s",
                            facts->kernel / 1000, facts->kernel % 1000, page),
            NULL,
        };
    if (facts->qemu && facts->qemu < VGPU_DOCTOR_VERSION(8, 1))
        return (VgpuFinding) {
            OK,
            g_strdup_printf("a running domain with a vGPU cannot be saved or migrated: that "
                            "needs QEMU 8.1, this is %u.%u%s",
                            facts->qemu / 1000, facts->qemu % 1000, page),
            NULL,
        };
    if (facts->iommufd == VGPU_TRUTH_NO)
        return (VgpuFinding) {
            OK,
            g_strdup_printf("possible for a domain that has enable-migration=on, if the GPU's "
                            "driver can do it: this kernel was built without IOMMUFD%s",
                            page),
            NULL,
        };
    return (VgpuFinding) {
        OK,
        g_strdup_printf("possible if the GPU's driver can do it%s%s",
                        facts->kernel && facts->qemu ? ""
                        : facts->kernel              ? " and QEMU is 8.1 or later"
                                        : ", Linux is 5.18 or later and QEMU 8.1 or later",
                        page),
        NULL,
    };
}

/* libvirt looks whether there is any hook for QEMU when it starts and when it is reloaded; when
 * there was one, it looks into qemu.d at every call (docs/hooks.rst, src/util/virhook.c). */
VgpuFinding
vgpu_doctor_judge_hook_loaded(const VgpuHookTimes *times)
{
    if (times->loaded >= times->installed)
        return (VgpuFinding) { OK, g_strdup("started or reloaded since the hook was installed"),
                               NULL };
    if (times->other && times->other <= times->loaded)
        return (VgpuFinding) { OK,
                               g_strdup("knew another hook for QEMU when it was started, and so "
                                        "looks for new ones"),
                               NULL };
    return (VgpuFinding) {
        .status = FAIL,
        .detail = g_strdup("started before the hook was installed: does not call it"),
        .fix = g_strdup_printf("systemctl reload %s", times->service),
    };
}

static bool
contains_word(const char *text, const char *word)
{
    gsize len = strlen(word);

    for (const char *p = text; (p = strstr(p, word)); p += len)
        if ((p == text || !isalnum((unsigned char) p[-1])) && !isalnum((unsigned char) p[len]))
            return true;
    return false;
}

VgpuFinding
vgpu_doctor_judge_other_hook(const char *text, bool is_ours)
{
    if (is_ours)
        return (VgpuFinding) { WARN, g_strdup("is a second virt-vgpu-hook: it runs twice"),
                               g_strdup("remove it") };
    if (strstr(text, "/fmpm")) /* github.com/NVIDIA/libvirt-hooks */
        return (VgpuFinding) {
            OK,
            g_strdup("is NVIDIA's, for Fabric Manager partitions: it handles GPUs that are "
                     "passed through, and does not conflict with virt-vgpu-hook"),
            NULL,
        };
    if (strstr(text, "sriov_numvfs"))
        return (VgpuFinding) {
            WARN,
            g_strdup("writes sriov_numvfs: that takes the virtual functions from all domains of "
                     "the GPU"),
            g_strdup("remove it; 'virt-vgpu gpu-enable --persistent' turns them on at boot"),
        };
    if (strstr(text, "nodedev-detach") || strstr(text, "nodedev-reattach"))
        return (VgpuFinding) {
            WARN,
            g_strdup("runs virsh nodedev-detach: libvirt hangs when a hook calls it, and a GPU "
                     "that is detached loses its vGPUs"),
            g_strdup("remove it; libvirt detaches devices with managed='yes' by itself"),
        };
    if (contains_word(text, "virsh"))
        return (VgpuFinding) { WARN, g_strdup("runs virsh: libvirt hangs when a hook calls it"),
                               g_strdup("remove the virsh calls") };
    if (strstr(text, "mdev") || strstr(text, "vgpu"))
        return (
            VgpuFinding) { WARN, g_strdup("seems to make or remove mediated devices as well"),
                           g_strdup("use either virt-vgpu or this hook for a domain, not both") };
    if (contains_word(text, "nvidia"))
        return (VgpuFinding) { WARN, g_strdup("seems to handle NVIDIA's driver or its cards"),
                               g_strdup("make sure that it does not touch cards that make "
                                        "vGPUs") };
    return (VgpuFinding) { 0 };
}

/* The programs that the profiles of libvirtd and virtqemud let them execute, apart from their own hooks
 * (libvirt: src/security/apparmor/usr.sbin.libvirtd.in), which these profiles name wherever libvirt looks for
 * hooks. */
static bool
may_be_executed(const char *program)
{
    static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
    g_autofree char *dir = g_path_get_dirname(program);

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        if (g_str_equal(dir, dirs[i]))
            return true;
    }
    return g_str_has_prefix(program, "/etc/libvirt/hooks/") ||
           g_str_has_prefix(program, "/usr/lib/libvirt/");
}

VgpuFinding
vgpu_doctor_judge_apparmor(const char *context, const char *program)
{
    g_autofree char *profile = NULL;
    g_autofree char *name = NULL;

    if (!g_str_has_suffix(context, " (enforce)"))
        return (VgpuFinding) { 0 };
    profile = g_strndup(context, strlen(context) - strlen(" (enforce)"));
    if (may_be_executed(program))
        return (VgpuFinding) { OK,
                               g_strdup_printf("the profile %s lets it run %s", profile, program),
                               NULL };
    name = g_path_get_basename(profile);
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf(
            "the profile %s does not name %s: libvirt may not be allowed to run it", profile,
            program),
        .fix = g_strdup_printf("add '%s PUx,' to /etc/apparmor.d/local/usr.sbin.%s, then "
                               "'systemctl reload apparmor'; or install it in /usr/sbin",
                               program, name),
    };
}

/* The type of "user:role:type:level". */
static char *
selinux_type(const char *context)
{
    g_auto(GStrv) fields = context ? g_strsplit(context, ":", 4) : NULL;

    return g_strdup(fields && g_strv_length(fields) >= 3 ? fields[2] : "");
}

VgpuFinding
vgpu_doctor_judge_selinux(const char *context, const char *label, const char *program)
{
    /* of what was copied from somewhere with its label */
    static const char *const strange[] = { "user_home_t", "admin_home_t", "user_tmp_t", "tmp_t",
                                           "default_t",   "unlabeled_t",  NULL };
    g_autofree char *domain = selinux_type(context);
    g_autofree char *type = selinux_type(label);

    if (g_strv_contains(strange, type))
        return (VgpuFinding) {
            .status = FAIL,
            .detail = g_strdup_printf("%s is labelled %s: libvirt may not run it", program, type),
            .fix = g_strdup_printf("restorecon -v %s", program),
        };
    if (g_str_equal(domain, "virtqemud_t"))
        return (VgpuFinding) {
            .status = WARN,
            .detail = g_strdup("enforcing, and virtqemud runs as virtqemud_t: some releases of "
                               "the policy do not let it run hooks for QEMU"),
            .fix = g_strdup("if 'ausearch -m avc -c virtqemud' reports refused hooks: 'semanage "
                            "permissive -a virtqemud_t', until the policy allows them"),
        };
    return (VgpuFinding) { OK, g_strdup("enforcing, without a known conflict"), NULL };
}
