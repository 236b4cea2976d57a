#include "base/error.h"

GQuark
vgpu_error_quark(void)
{
    static gsize quark;

    if (g_once_init_enter(&quark))
        g_once_init_leave(&quark, g_quark_from_static_string(VGPU_ERROR_DOMAIN));
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
