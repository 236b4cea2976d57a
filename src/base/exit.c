/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/exit.h"

#include <gio/gio.h>

static const VgpuExit of_code[VGPU_N_ERRORS] = {
    [VGPU_ERROR_FAILED] = VGPU_EXIT_FAILED,
    [VGPU_ERROR_BAD_REQUEST] = VGPU_EXIT_FAILED, /* the document; the command itself was right */
    [VGPU_ERROR_NOT_SUPPORTED] = VGPU_EXIT_FAILED,
    [VGPU_ERROR_NOT_FOUND] = VGPU_EXIT_NOT_FOUND,
    [VGPU_ERROR_NO_CAPACITY] = VGPU_EXIT_NO_ROOM,
    [VGPU_ERROR_BUSY] = VGPU_EXIT_BUSY,
    [VGPU_ERROR_DRIVER] = VGPU_EXIT_FAILED,
    [VGPU_ERROR_DENIED] = VGPU_EXIT_DENIED,
    [VGPU_ERROR_UNAVAILABLE] = VGPU_EXIT_UNREACHABLE,
    [VGPU_ERROR_ARGUMENT] = VGPU_EXIT_USAGE,
    [VGPU_ERROR_UNKNOWN] = VGPU_EXIT_UNKNOWN,
};

static VgpuExit
of_file_error(int code)
{
    switch (code) {
    case G_FILE_ERROR_NOENT:
        return VGPU_EXIT_NOT_FOUND;
    case G_FILE_ERROR_ACCES:
    case G_FILE_ERROR_PERM:
        return VGPU_EXIT_DENIED;
    default:
        return VGPU_EXIT_FAILED;
    }
}

static VgpuExit
of_io_error(int code)
{
    switch (code) {
    case G_IO_ERROR_NOT_FOUND:
        return VGPU_EXIT_NOT_FOUND;
    case G_IO_ERROR_PERMISSION_DENIED:
        return VGPU_EXIT_DENIED;
    default:
        return VGPU_EXIT_FAILED;
    }
}

static VgpuExit
of_bus_error(int code)
{
    switch (code) {
    case G_DBUS_ERROR_INVALID_ARGS:
        return VGPU_EXIT_USAGE;
    case G_DBUS_ERROR_LIMITS_EXCEEDED: /* too many calls at once: try again */
        return VGPU_EXIT_BUSY;
    case G_DBUS_ERROR_ACCESS_DENIED:
    case G_DBUS_ERROR_AUTH_FAILED:
        return VGPU_EXIT_DENIED;
    case G_DBUS_ERROR_NO_REPLY:
    case G_DBUS_ERROR_TIMEOUT:
    case G_DBUS_ERROR_TIMED_OUT:
        return VGPU_EXIT_UNKNOWN;
    default:
        return VGPU_EXIT_FAILED;
    }
}

VgpuExit
vgpu_exit_status(const GError *error)
{
    if (error->domain == VGPU_ERROR)
        return error->code >= 0 && error->code < VGPU_N_ERRORS ? of_code[error->code]
                                                               : VGPU_EXIT_FAILED;
    if (error->domain == G_OPTION_ERROR ||
        error->domain == G_CONVERT_ERROR) /* of an option's value */
        return VGPU_EXIT_USAGE;
    if (error->domain == G_FILE_ERROR)
        return of_file_error(error->code);
    if (error->domain == G_IO_ERROR)
        return of_io_error(error->code);
    return error->domain == G_DBUS_ERROR ? of_bus_error(error->code) : VGPU_EXIT_FAILED;
}

VgpuError
vgpu_exit_code(int status)
{
    if (status == VGPU_EXIT_USAGE)
        return VGPU_ERROR_BAD_REQUEST;
    for (int code = 0; status > VGPU_EXIT_USAGE && code < VGPU_N_ERRORS; code++)
        if ((int) of_code[code] == status)
            return (VgpuError) code;
    return VGPU_ERROR_FAILED;
}

const char *
vgpu_exit_word(VgpuExit status)
{
    static const char *const words[VGPU_N_EXITS] = {
        [VGPU_EXIT_DONE] = "done",
        [VGPU_EXIT_FAILED] = "failed",
        [VGPU_EXIT_USAGE] = "usage",
        [VGPU_EXIT_NOT_FOUND] = "not-found",
        [VGPU_EXIT_NO_ROOM] = "no-room",
        [VGPU_EXIT_BUSY] = "busy",
        [VGPU_EXIT_UNREACHABLE] = "unreachable",
        [VGPU_EXIT_DENIED] = "not-allowed",
        [VGPU_EXIT_UNKNOWN] = "unknown",
    };

    return words[status];
}
