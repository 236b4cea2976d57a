/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-migration.c: whether running domains with a vGPU can be saved, and migrate */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor-private.h"

#define KVM_OF_RHEL "usr/libexec/qemu-kvm"
#define SYSTEM_QEMU "usr/bin/qemu-system-x86_64"

/* Whether @file of the running kernel's modules names iommufd. */
static bool
names_iommufd(const VgpuSysfs *fs, const char *release, const char *file, bool *known)
{
    g_autofree char *path = g_strdup_printf("lib/modules/%s/%s", release, file);
    g_autofree char *text = vgpu_sysfs_read(fs, path, NULL);

    *known |= text != NULL;
    return text && strstr(text, "/iommufd.ko");
}

static VgpuIommufd
read_iommufd(const VgpuSysfs *fs, const char *release)
{
    bool known = false;

    if (vgpu_sysfs_exists(fs, "dev/iommu") ||
        (release && (names_iommufd(fs, release, "modules.builtin", &known) ||
                     names_iommufd(fs, release, "modules.order", &known))))
        return VGPU_IOMMUFD_THERE;
    return known ? VGPU_IOMMUFD_MISSING : VGPU_IOMMUFD_UNKNOWN;
}

/* "QEMU emulator version 10.0.13 (Debian …)"; 0 when there is no QEMU. */
static guint
read_qemu(const VgpuDoctor *self)
{
    const char *program =
        vgpu_sysfs_exists(self->fs, KVM_OF_RHEL) ? "/" KVM_OF_RHEL : "/" SYSTEM_QEMU;
    g_autoptr(GSubprocess) qemu = NULL;
    g_autofree char *out = NULL;
    guint major, minor;
    const char *at;

    if (!self->is_host)
        return 0;
    qemu = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                            NULL, program, "--version", NULL);
    if (!qemu || !g_subprocess_communicate_utf8(qemu, NULL, NULL, &out, NULL, NULL) || !out)
        return 0;
    at = strstr(out, "version ");
    return at && sscanf(at, "version %u.%u", &major, &minor) == 2
               ? VGPU_DOCTOR_VERSION(major, minor)
               : 0;
}

void
vgpu_doctor_migration(VgpuDoctor *self)
{
    g_autofree char *release = vgpu_sysfs_read(self->fs, "proc/sys/kernel/osrelease", NULL);
    VgpuMigrationFacts facts = { .qemu = read_qemu(self) };
    guint major, minor;

    if (!self->cards->len)
        return;
    if (release)
        g_strchomp(release);
    /* Red Hat's 5.14 has it */
    if (release && !strstr(release, ".el") && sscanf(release, "%u.%u", &major, &minor) == 2)
        facts.kernel = VGPU_DOCTOR_VERSION(major, minor);
    facts.iommufd = read_iommufd(self->fs, release);
    vgpu_doctor_row_add_finding(self, "migration", vgpu_doctor_judge_migration(&facts));
}
