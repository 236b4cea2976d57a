/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-row.c: the rows of checks */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/doctor-private.h"
#include "cli/doctor.h"

GVariant *
vgpu_doctor_row_new(const char *check, const char *status, const char *detail, const char *fix)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "check", "s", check);
    g_variant_dict_insert(&row, "status", "s", status);
    g_variant_dict_insert(&row, "detail", "s", detail);
    if (fix)
        g_variant_dict_insert(&row, "fix", "s", fix);
    return g_variant_dict_end(&row);
}

void
vgpu_doctor_row_add(VgpuDoctor *self, const char *check, const char *status, const char *detail,
                    const char *fix)
{
    g_variant_builder_add_value(self->rows, vgpu_doctor_row_new(check, status, detail, fix));
}

void
vgpu_doctor_row_add_finding(VgpuDoctor *self, const char *check, VgpuFinding finding)
{
    g_auto(VgpuFinding) owned = finding;

    if (owned.status)
        vgpu_doctor_row_add(self, check, owned.status, owned.detail, owned.fix);
}

/* Whether the caller lacks the rights to read @path, or to see whether it exists. */
static bool
is_hidden(const VgpuDoctor *self, const char *path)
{
    int fd = openat(vgpu_sysfs_root_fd(self->fs), path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd < 0 && (errno == EACCES || errno == EPERM);
}

bool
vgpu_doctor_row_add_hidden(VgpuDoctor *self, const char *check, const char *path)
{
    g_autofree char *detail = NULL;

    if (!is_hidden(self, path))
        return false;
    detail = g_strdup_printf("cannot look at /%s: permission denied", path);
    vgpu_doctor_row_add(self, check, VGPU_DOCTOR_WARN, detail, "run doctor as root");
    return true;
}
