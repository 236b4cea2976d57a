/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-migration.c: whether running domains with a vGPU can be saved, and migrate */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor-private.h"
#include "cli/iommufd.h"

#define KVM_OF_RHEL "usr/libexec/qemu-kvm"
#define SYSTEM_QEMU "usr/bin/qemu-system-x86_64"

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
    /* Red Hat's 5.14 has it */
    if (release && !strstr(release, ".el") && sscanf(release, "%u.%u", &major, &minor) == 2)
        facts.kernel = VGPU_DOCTOR_VERSION(major, minor);
    facts.iommufd = vgpu_iommufd_find(self->fs, release);
    vgpu_doctor_row_add_finding(self, "migration", vgpu_doctor_judge_migration(&facts));
}
