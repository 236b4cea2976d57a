/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-host.c: IOMMU, modules, VFIO, and what follows for migration */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/uuid.h"
#include "cli/doctor-private.h"

#define GROUPS "sys/kernel/iommu_groups"

static bool
is_of_host(const VgpuSysfs *fs, const char *group)
{
    g_autofree char *path = g_strdup_printf(GROUPS "/%s/devices", group);
    g_autoptr(GPtrArray) devices = vgpu_sysfs_list(fs, path);

    for (guint i = 0; i < devices->len; i++) {
        g_autofree char *uuid = vgpu_uuid_canonical(devices->pdata[i]);

        if (!uuid)
            return true;
    }
    return devices->len == 0;
}

guint
vgpu_doctor_host_count_groups(const VgpuSysfs *fs)
{
    g_autoptr(GPtrArray) groups = vgpu_sysfs_list(fs, GROUPS);
    guint n = 0;

    for (guint i = 0; i < groups->len; i++)
        n += is_of_host(fs, groups->pdata[i]);
    return n;
}

/* "vendor_id : GenuineIntel" of the first processor; NULL: other architectures have none. */
static char *
read_cpu(const VgpuSysfs *fs)
{
    g_autofree char *text = vgpu_sysfs_read(fs, "proc/cpuinfo", NULL);
    const char *at = text ? strstr(text, "vendor_id") : NULL;

    if (!at || !(at = strchr(at, ':')))
        return NULL;
    at += 1 + strspn(at + 1, " \t");
    return g_strndup(at, strcspn(at, "\n"));
}

static void
check_iommu(VgpuDoctor *self)
{
    g_autofree char *cmdline = vgpu_sysfs_read(self->fs, "proc/cmdline", NULL);
    g_autofree char *cpu = read_cpu(self->fs);
    VgpuIommuFacts facts = {
        .groups = vgpu_doctor_host_count_groups(self->fs),
        .cmdline = cmdline,
        .cpu = cpu,
    };

    for (guint i = 0; i < self->cards->len; i++) {
        const VgpuCard *card = g_ptr_array_index(self->cards, i);

        facts.is_missed |= card->vfs_enabled && !card->vfs_offering;
    }
    vgpu_doctor_row_add_finding(self, "iommu", vgpu_doctor_judge_iommu(&facts));
}

static guint
count_cards(const VgpuDoctor *self, VgpuCardKind kind)
{
    guint n = 0;

    for (guint i = 0; i < self->cards->len; i++)
        n += vgpu_doctor_card_kind(g_ptr_array_index(self->cards, i)) == kind;
    return n;
}

static void
check_module(VgpuDoctor *self, const char *name, const char *sign, const char *without_it,
             const char *purpose)
{
    g_autofree char *check = g_strdup_printf("module %s", name);
    g_autofree char *path = g_strdup_printf("sys/module/%s", name);

    vgpu_doctor_row_add_finding(self, check,
                                vgpu_doctor_judge_module(name, vgpu_sysfs_exists(self->fs, path),
                                                         sign &&
                                                             vgpu_sysfs_exists(self->fs, sign),
                                                         without_it, purpose));
}

/* Before Linux 5.16 mediated devices had a VFIO driver of their own, without which they get no IOMMU group (kernel:
 * commit c7396f2eac5a). Distributions have backported that, so its absence is a warning. */
static bool
has_old_mdev(const VgpuSysfs *fs)
{
    g_autofree char *release = vgpu_sysfs_read(fs, "proc/sys/kernel/osrelease", NULL);
    guint major = 0, minor = 0;

    return release && sscanf(release, "%u.%u", &major, &minor) == 2 &&
           (major < 5 || (major == 5 && minor < 16));
}

/* Which of them are needed depends on the GPUs. */
static void
check_modules(VgpuDoctor *self)
{
    bool no_mdev = count_cards(self, VGPU_CARD_VFS) || count_cards(self, VGPU_CARD_MDEV);

    check_module(self, "vfio", VGPU_DEV_VFIO "/vfio", VGPU_DOCTOR_FAIL,
                 "guests get no device without it");
    check_module(self, "vfio_iommu_type1", NULL, VGPU_DOCTOR_WARN,
                 "QEMU maps guest memory with it");
    /* a GPU with mediated devices has loaded it: without it, the others need none */
    check_module(self, "mdev", VGPU_SYS_MDEV_BUS, no_mdev ? VGPU_DOCTOR_OK : VGPU_DOCTOR_WARN,
                 no_mdev ? "the GPUs of this host do not need it"
                         : "mediated devices need it; virtual functions do not");
    if (count_cards(self, VGPU_CARD_MDEV) && has_old_mdev(self->fs))
        check_module(self, "vfio_mdev", "sys/bus/mdev/drivers/vfio_mdev", VGPU_DOCTOR_WARN,
                     "on a kernel before 5.16 mediated devices get no IOMMU group without it");
    if (count_cards(self, VGPU_CARD_VFS))
        check_module(self, "vfio_pci", "sys/bus/pci/drivers/vfio-pci", VGPU_DOCTOR_OK,
                     "libvirt loads it for the first virtual function");
}

static void
check_dev_vfio(VgpuDoctor *self)
{
    if (vgpu_sysfs_exists(self->fs, VGPU_DEV_VFIO "/vfio"))
        vgpu_doctor_row_add(self, "vfio device", VGPU_DOCTOR_OK, "/dev/vfio/vfio is there", NULL);
    else
        vgpu_doctor_row_add(self, "vfio device", VGPU_DOCTOR_FAIL, "/dev/vfio/vfio is missing",
                            "modprobe vfio");
}

void
vgpu_doctor_host(VgpuDoctor *self)
{
    check_iommu(self);
    check_modules(self);
    check_dev_vfio(self);
    vgpu_doctor_migration(self);
}
