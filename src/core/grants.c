/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grants.c (manager.h): what the fleet's agent has told, and the check of a start against it */
#include "core/grants.h"

#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/names.h"
#include "core/arrivals.h"
#include "core/fleet-picture.h"
#include "core/manager-private.h"

static char *
path_of(const char *root)
{
    return g_build_filename(root, VGPU_PATH_FLEET, NULL);
}

VgpuFleetPicture *
vgpu_grants_load(const char *root)
{
    g_autofree char *path = path_of(root);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    VgpuFleetPicture *picture = NULL;

    if (g_file_get_contents(path, &text, NULL, &error))
        picture = vgpu_fleet_picture_from_text(text, vgpu_clock_now(), &error);
    else if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return NULL;
    if (!picture)
        g_warning("cannot use what %s says of the fleet, waiting for virt-vgpu-fleet: %s", path,
                  error->message);
    return picture;
}

VgpuFleetPicture *
vgpu_manager_fleet(const VgpuManager *self)
{
    return self->fleet;
}

bool
vgpu_manager_save_fleet(const VgpuManager *self, const VgpuFleetPicture *picture, GError **error)
{
    g_autofree char *path = path_of(vgpu_records_root(self->records));
    g_autofree char *text = vgpu_fleet_picture_to_text(picture);

    return vgpu_fs_replace(path, text, strlen(text), error);
}

void
vgpu_manager_take_fleet(VgpuManager *self, VgpuFleetPicture *picture)
{
    vgpu_fleet_picture_unref(self->fleet);
    self->fleet = picture;
}

/* --- a start ------------------------------------------------------------------------------ */

/* *@reason: of anything but an ordinary start; NULL. */
static VgpuFleetVerdict
judge(const VgpuManager *self, const VgpuDomain *domain, bool arrives, char **reason)
{
    const VgpuFleetConfig *config = &self->config->fleet;
    const VgpuFleetQuestion question = {
        .mode = config->reservation,
        .refuse_when_parted = config->refuse_when_parted,
        .picture = self->fleet,
        .domain_uuid = domain->uuid,
        .arrives = arrives,
        .now = vgpu_clock_now(),
    };
    VgpuFleetVerdict verdict = vgpu_fleet_picture_judge(&question);

    *reason = vgpu_fleet_picture_reason(&question, verdict);
    return verdict;
}

static bool
refuse(const VgpuDomain *domain, const char *reason, GError **error)
{
    return vgpu_error_at(error, VGPU_ERROR_BUSY, domain->what, 0, "%s", reason);
}

static void
tell(VgpuManager *self, const char *event, const VgpuDomain *domain, const char *reason)
{
    const VgpuOwner who = { .domain_uuid = domain->uuid, .domain_name = domain->name };

    vgpu_events_emit(self, event, &who, NULL, reason, -1);
}

bool
vgpu_grants_check(VgpuManager *self, const VgpuDomain *domain, GError **error)
{
    g_autofree char *reason = NULL;
    VgpuFleetVerdict verdict =
        judge(self, domain, vgpu_arrivals_is_expected(self, domain->uuid), &reason);

    if (vgpu_fleet_verdict_refuses(verdict))
        return refuse(domain, reason, error);
    if (verdict == VGPU_FLEET_GO_IN_CONFLICT)
        tell(self, "fleet-conflict", domain, reason);
    else if (verdict == VGPU_FLEET_GO_IN_PARTITION)
        tell(self, "fleet-partition", domain, reason);
    return true;
}

bool
vgpu_grants_explain(const VgpuManager *self, const VgpuDomain *domain, char **note,
                    GError **error)
{
    g_autofree char *reason = NULL;
    VgpuFleetVerdict verdict = judge(self, domain, true, &reason);

    *note = NULL;
    if (vgpu_fleet_verdict_refuses(verdict))
        return refuse(domain, reason, error);
    if (verdict == VGPU_FLEET_GO_IN_CONFLICT)
        *note = g_steal_pointer(&reason);
    else if (reason)
        *note = g_strdup_printf("it starts without a reservation (%s)", reason);
    return true;
}
