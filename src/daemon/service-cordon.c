/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-cordon.c: the methods that keep new vGPUs off a GPU */
#include <pwd.h>
#include <unistd.h>

#include "base/pciaddr.h"
#include "daemon/access.h"
#include "daemon/options.h"
#include "daemon/report.h"
#include "daemon/service-private.h"

#define PASSWD_SIZE 16384

/* The user's name, or the number if it has none. */
static char *
name_of(guint uid)
{
    g_autofree char *buffer = g_malloc(PASSWD_SIZE);
    struct passwd entry, *found = NULL;

    if (getpwuid_r((uid_t) uid, &entry, buffer, PASSWD_SIZE, &found) == 0 && found &&
        g_utf8_validate(found->pw_name, -1, NULL))
        return g_strdup(found->pw_name);
    return g_strdup_printf("uid %u", uid);
}

/* Cordon or uncordon; the change is on disk when this returns. */
static bool
change(VgpuService *self, const char *gpu, bool cordons, const char *reason, const char *by,
       GError **error)
{
    VgpuTurn *turn = vgpu_service_turn(self);
    bool done = cordons ? vgpu_manager_cordon(self->manager, gpu, reason, by, error)
                        : vgpu_manager_uncordon(self->manager, gpu, error);

    vgpu_turn_end(turn);
    return done && vgpu_manager_wait_cordoned(self->manager, error);
}

static gboolean
on_cordon_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
              GVariant *options, gpointer opaque)
{
    static const VgpuOption known[] = { { "reason", "s" }, { 0 } };
    VgpuService *self = opaque;
    const char *reason;
    g_autofree char *gpu = vgpu_pciaddr_canonical(text);
    g_autofree char *by = NULL;
    GError *error = NULL;
    VgpuTurn *turn;
    GVariant *row;
    guint uid;

    if (!gpu)
        return vgpu_service_no_address(call, text);
    if (!vgpu_options_check(options, "the options", known, &error) ||
        !vgpu_access_uid(call, &uid, &error))
        return vgpu_service_take(call, error);
    by = name_of(uid);
    reason = vgpu_options_text(options, "reason");
    if (!change(self, gpu, true, reason && *reason ? reason : NULL, by, &error))
        return vgpu_service_take(call, error);
    turn = vgpu_service_turn(self);
    row = vgpu_report_cordoned(self->manager, gpu);
    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_cordon_gpu(skeleton, call, row);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_uncordon_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                gpointer opaque)
{
    g_autofree char *gpu = vgpu_pciaddr_canonical(text);
    GError *error = NULL;

    if (!gpu)
        return vgpu_service_no_address(call, text);
    if (!change(opaque, gpu, false, NULL, NULL, &error))
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_uncordon_gpu(skeleton, call);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_cordons(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-cordon-gpu", G_CALLBACK(on_cordon_gpu) },
        { "handle-uncordon-gpu", G_CALLBACK(on_uncordon_gpu) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
