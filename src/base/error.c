#include "base/error.h"

#include <gio/gio.h>

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
};
G_STATIC_ASSERT(G_N_ELEMENTS(error_names) == VGPU_N_ERRORS);

GQuark
vgpu_error_quark(void)
{
    static gsize quark;

    g_dbus_error_register_error_domain("vgpu-error-quark", &quark, error_names, VGPU_N_ERRORS);
    return (GQuark) quark;
}

gboolean
vgpu_error_errno(GError **error, VgpuError code, int err, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);

    g_set_error(error, VGPU_ERROR, code, "%s: %s", text, g_strerror(err));
    return FALSE;
}
