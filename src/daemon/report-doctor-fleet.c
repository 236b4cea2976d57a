/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor-fleet.c: doctor's check of the fleet's agent, as far as starts depend on it */
#include "daemon/report-doctor.h"

#define CHECK "fleet"

static const char *const mode_names[] = {
    [VGPU_RESERVATION_OFF] = "off",
    [VGPU_RESERVATION_ADVISORY] = "advisory",
    [VGPU_RESERVATION_REQUIRED] = "required",
};

/* What that means for starts. */
static const char *
effect_of(const VgpuFleetConfig *config)
{
    if (config->reservation != VGPU_RESERVATION_REQUIRED)
        return "conflicts are not noticed";
    return config->refuse_when_parted ? "starts without a reservation are refused"
                                      : "starts without a reservation go on";
}

void
vgpu_report_doctor_fleet(GVariantBuilder *list, const VgpuFleetConfig *config,
                         const VgpuFleetPicture *picture, guint64 now)
{
    bool is_off = config->reservation == VGPU_RESERVATION_OFF;
    g_autofree char *state = vgpu_fleet_picture_describe(picture, now);
    g_autofree char *detail = NULL;

    if (!*config->endpoints && is_off)
        return;
    if (!*config->endpoints) {
        detail = g_strdup_printf("reservation=%s, but this host is in no fleet",
                                 mode_names[config->reservation]);
        vgpu_report_doctor_add(list, CHECK, "warn", detail,
                               "name etcd's members with endpoints= in virt-vgpu.conf, or take "
                               "reservation= out, and restart virtvgpud");
    } else if (vgpu_fleet_picture_is_valid(picture, now)) {
        detail = g_strdup_printf("reservation=%s: %s; %u domain(s) for this host, %u elsewhere",
                                 mode_names[config->reservation], state,
                                 vgpu_fleet_picture_count(picture, true),
                                 vgpu_fleet_picture_count(picture, false));
        vgpu_report_doctor_add(list, CHECK, "ok", detail, NULL);
    } else {
        detail = g_strdup_printf("reservation=%s: %s%s%s", mode_names[config->reservation], state,
                                 is_off ? "" : "; ", is_off ? "" : effect_of(config));
        vgpu_report_doctor_add(
            list, CHECK,
            config->reservation == VGPU_RESERVATION_REQUIRED && config->refuse_when_parted
                ? "fail"
                : "warn",
            detail, "systemctl status virt-vgpu-fleet; 'virt-vgpu fleet list' asks etcd itself");
    }
}
