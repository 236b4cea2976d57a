/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/fleet-grant.h"

#include "base/error.h"
#include "daemon/options.h"

#define SECOND G_GUINT64_CONSTANT(1000000000)

static const VgpuOption known_of_domains[] = { { "here", "b" },  { "host", "s" },
                                               { "state", "s" }, { "id", "s" },
                                               { "lasts", "u" }, { 0 } };
static const VgpuOption known_of_all[] = { { "connected", "b" }, { "lasts", "u" }, { 0 } };

/* Here they are a document, not what a user has typed. */
static bool
check(GVariant *dict, const char *what, const VgpuOption *known, GError **error)
{
    g_autoptr(GError) failure = NULL;

    return vgpu_options_check(dict, what, known, &failure) ||
           vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s", failure->message);
}

static bool
add_domain(VgpuFleetPicture *picture, const char *uuid, GVariant *dict, guint64 now,
           GError **error)
{
    VgpuFleetEntry entry = {
        .host = vgpu_options_text(dict, "host"),
        .id = vgpu_options_text(dict, "id"),
    };
    gboolean here;
    guint lasts = 0;

    if (!check(dict, uuid, known_of_domains, error))
        return false;
    if (!g_variant_lookup(dict, "here", "b", &here))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: no key 'here'", uuid);
    if (!vgpu_fleet_state_from_string(vgpu_options_text(dict, "state"), &entry.state))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "%s: 'state' is not reserved, running, saved or moving", uuid);
    (void) g_variant_lookup(dict, "lasts", "u", &lasts);
    entry.here = here;
    entry.until = here ? now + lasts * SECOND : 0;
    return vgpu_fleet_picture_add(picture, uuid, &entry, error);
}

static bool
add_domains(VgpuFleetPicture *picture, GVariant *domains, guint64 now, GError **error)
{
    for (gsize i = 0; i < g_variant_n_children(domains); i++) {
        g_autoptr(GVariant) dict = NULL;
        const char *uuid;

        g_variant_get_child(domains, i, "(&s@a{sv})", &uuid, &dict);
        if (!add_domain(picture, uuid, dict, now, error))
            return false;
    }
    return true;
}

VgpuFleetPicture *
vgpu_fleet_grant_read(GVariant *domains, GVariant *options, guint64 now, GError **error)
{
    g_autoptr(VgpuFleetPicture) picture = NULL;
    gboolean connected;
    guint lasts;

    if (!check(options, "the options", known_of_all, error))
        return NULL;
    if (!g_variant_lookup(options, "connected", "b", &connected) ||
        !g_variant_lookup(options, "lasts", "u", &lasts)) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "the options have no 'connected' or 'lasts'");
        return NULL;
    }
    if (lasts > VGPU_FLEET_PICTURE_LASTS) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "'lasts' is more than %u s",
                       VGPU_FLEET_PICTURE_LASTS);
        return NULL;
    }
    picture = vgpu_fleet_picture_new(connected, now, lasts);
    return add_domains(picture, domains, now, error) ? g_steal_pointer(&picture) : NULL;
}
