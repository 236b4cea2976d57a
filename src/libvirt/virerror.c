/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/virerror.h"

#include <libvirt/virterror.h>
#include <stdarg.h>

static VgpuError
code_of(const virError *error)
{
    switch (error->code) {
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_NODE_DEVICE:
        return VGPU_ERROR_NOT_FOUND;
    case VIR_ERR_OPERATION_TIMEOUT: /* "cannot acquire state change lock" */
    case VIR_ERR_RESOURCE_BUSY:
        return VGPU_ERROR_BUSY;
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_CONN:
    case VIR_ERR_RPC:
        return VGPU_ERROR_UNAVAILABLE;
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        return VGPU_ERROR_DENIED;
    case VIR_ERR_NO_SUPPORT:
        return VGPU_ERROR_NOT_SUPPORTED;
    case VIR_ERR_SYSTEM_ERROR:
    case VIR_ERR_INTERNAL_ERROR:
        /* a socket that cannot be connected to, or has been closed */
        return error->domain == VIR_FROM_RPC || error->domain == VIR_FROM_REMOTE
                   ? VGPU_ERROR_UNAVAILABLE
                   : VGPU_ERROR_FAILED;
    default:
        return VGPU_ERROR_FAILED;
    }
}

gboolean
vgpu_virerror_take(GError **error, const char *format, ...)
{
    const virError *last = virGetLastError();
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);

    return vgpu_error_set(error, last ? code_of(last) : VGPU_ERROR_FAILED, "%s: %s", text,
                          last && last->message ? last->message : "unknown error of libvirt");
}

gboolean
vgpu_virerror_take_open(GError **error, const char *uri)
{
    g_autoptr(GError) failure = NULL;

    vgpu_virerror_take(&failure, "cannot connect to libvirt at %s", uri ? uri : "its default");
    if (failure->code != VGPU_ERROR_DENIED)
        failure->code = VGPU_ERROR_UNAVAILABLE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
