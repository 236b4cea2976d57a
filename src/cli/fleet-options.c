/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-options.h"

#include "base/error.h"
#include "base/uuid.h"
#include "fleet/summary.h"

VgpuFleetTyped vgpu_fleet_typed;

gboolean
vgpu_fleet_options_take_profile(const char *option, const char *value, gpointer data,
                                GError **error)
{
    const guint one = 1;

    if (!vgpu_fleet_typed.profiles) {
        vgpu_fleet_typed.profiles = g_ptr_array_new_with_free_func(g_free);
        vgpu_fleet_typed.counts = g_array_new(FALSE, FALSE, sizeof(guint));
    }
    g_ptr_array_add(vgpu_fleet_typed.profiles, g_strdup(value));
    g_array_append_val(vgpu_fleet_typed.counts, one);
    return TRUE;
}

gboolean
vgpu_fleet_options_take_count(const char *option, const char *value, gpointer data,
                              GError **error)
{
    guint64 count = 0;

    if (!g_ascii_string_to_unsigned(value, 10, 1, VGPU_FLEET_COUNT, &count, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--count %s: a number from 1 to %d", value, VGPU_FLEET_COUNT);
        return FALSE;
    }
    if (!vgpu_fleet_typed.counts) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--count follows the --profile that it is about");
        return FALSE;
    }
    g_array_index(vgpu_fleet_typed.counts, guint, vgpu_fleet_typed.counts->len - 1) =
        (guint) count;
    return TRUE;
}

static bool
check_uuids(const char *option, char *const *uuids, GError **error)
{
    for (; uuids && *uuids; uuids++) {
        g_autofree char *uuid = vgpu_uuid_canonical(*uuids);

        if (!uuid) {
            vgpu_command_usage(error,
                               "%s '%s' is not a UUID: the fleet knows no names of domains",
                               option, *uuids);
            return false;
        }
    }
    return true;
}

bool
vgpu_fleet_options_check(const VgpuFleetTyped *typed, const char *name, GError **error)
{
    char *const domain[] = { typed->domain, NULL };
    bool is_typed = typed->profiles || typed->pool;
    int n = !!name + !!typed->xml + is_typed;

    if (n == 0)
        vgpu_command_usage(error, "--profile, --pool, --xml FILE or DOMAIN is missing");
    else if (n > 1)
        vgpu_command_usage(error, "only one of DOMAIN, --xml FILE and --profile or --pool");
    else if (!is_typed && typed->domain)
        vgpu_command_usage(error, "--domain is for --profile and --pool: the XML has a UUID");
    else if (!is_typed && typed->tenant)
        vgpu_command_usage(error,
                           "--tenant is for --profile and --pool: the annotation names it");
    else if (typed->spread && typed->pack)
        vgpu_command_usage(error, "either --spread or --pack");
    else if (check_uuids("--domain", domain, error) &&
             check_uuids("--not-with", typed->apart, error)) {
        for (char *const *label = typed->labels; label && *label; label++) {
            if (!vgpu_summary_is_label(*label)) {
                vgpu_command_usage(error, "--label '%s' is not NAME=VALUE", *label);
                return false;
            }
        }
        return true;
    }
    return false;
}
