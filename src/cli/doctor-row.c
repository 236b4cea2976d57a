/* doctor-row.c: how a check is told */
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
