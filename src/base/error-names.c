/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error-names.c: apart from error.c, so that a program that is on no bus starts without GIO */
#include <gio/gio.h>

#include "base/error.h"
#include "base/names.h"

static const GDBusErrorEntry error_names[] = {
    { VGPU_ERROR_FAILED, VGPU_DBUS_NAME ".Error.Failed" },
    { VGPU_ERROR_BAD_REQUEST, VGPU_DBUS_NAME ".Error.BadRequest" },
    { VGPU_ERROR_NOT_SUPPORTED, VGPU_DBUS_NAME ".Error.NotSupported" },
    { VGPU_ERROR_NOT_FOUND, VGPU_DBUS_NAME ".Error.NotFound" },
    { VGPU_ERROR_NO_CAPACITY, VGPU_DBUS_NAME ".Error.NoCapacity" },
    { VGPU_ERROR_BUSY, VGPU_DBUS_NAME ".Error.Busy" },
    { VGPU_ERROR_DRIVER, VGPU_DBUS_NAME ".Error.Driver" },
    { VGPU_ERROR_DENIED, VGPU_DBUS_NAME ".Error.Denied" },
    { VGPU_ERROR_UNAVAILABLE, VGPU_DBUS_NAME ".Error.Unavailable" },
    { VGPU_ERROR_ARGUMENT, VGPU_DBUS_NAME ".Error.InvalidArgument" },
    { VGPU_ERROR_UNKNOWN, VGPU_DBUS_NAME ".Error.Unknown" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(error_names) == VGPU_N_ERRORS);

void
vgpu_error_register_names(void)
{
    static gsize quark;

    g_dbus_error_register_error_domain(g_quark_to_string(VGPU_ERROR), &quark, error_names,
                                       VGPU_N_ERRORS);
}
