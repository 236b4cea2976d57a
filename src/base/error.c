/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>

typedef struct {
    char *source;
    long line;
} VgpuErrorPrivate;

static void
vgpu_error_private_init(VgpuErrorPrivate *self)
{
    *self = (VgpuErrorPrivate) { 0 };
}

static void
vgpu_error_private_copy(const VgpuErrorPrivate *self, VgpuErrorPrivate *copy)
{
    *copy = (VgpuErrorPrivate) { g_strdup(self->source), self->line };
}

static void
vgpu_error_private_clear(VgpuErrorPrivate *self)
{
    g_free(self->source);
}

/* cppcheck-suppress unknownMacro */
G_DEFINE_EXTENDED_ERROR(VgpuError, vgpu_error)

gboolean
vgpu_error_set(GError **error, VgpuError code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, g_error_new_valist(VGPU_ERROR, (int) code, format, args));
    va_end(args);
    return FALSE;
}

gboolean
vgpu_error_at(GError **error, VgpuError code, const char *source, long line, const char *format,
              ...)
{
    VgpuErrorPrivate *where;
    GError *made;
    va_list args;

    va_start(args, format);
    made = g_error_new_valist(VGPU_ERROR, (int) code, format, args);
    va_end(args);
    where = vgpu_error_get_private(made);
    where->source = g_strdup(source);
    where->line = line;
    g_propagate_error(error, made);
    return FALSE;
}

/* NULL for an error of another domain. */
static VgpuErrorPrivate *
where_of(const GError *error)
{
    return error->domain == VGPU_ERROR ? vgpu_error_get_private(error) : NULL;
}

void
vgpu_error_add_source(GError *error, const char *source)
{
    VgpuErrorPrivate *where = where_of(error);

    g_autofree char *inner = NULL;

    if (!where || g_strcmp0(where->source, source) == 0)
        return;
    inner = where->source;
    where->source = inner ? g_strconcat(source, ": ", inner, NULL) : g_strdup(source);
}

long
vgpu_error_line(const GError *error)
{
    const VgpuErrorPrivate *where = where_of(error);

    return where ? where->line : 0;
}

char *
vgpu_error_reason(const GError *error)
{
    long line = vgpu_error_line(error);

    return line > 0 ? g_strdup_printf("line %ld: %s", line, error->message)
                    : g_strdup(error->message);
}

char *
vgpu_error_text(const GError *error)
{
    const VgpuErrorPrivate *where = where_of(error);
    g_autofree char *reason = vgpu_error_reason(error);

    return where && where->source ? g_strconcat(where->source, ": ", reason, NULL)
                                  : g_steal_pointer(&reason);
}

VgpuError
vgpu_error_code_of(int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
        return VGPU_ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return VGPU_ERROR_DENIED;
    default:
        return VGPU_ERROR_FAILED;
    }
}

gboolean
vgpu_error_errno(GError **error, VgpuError code, int err, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);

    return vgpu_error_set(error, code, "%s: %s", text, g_strerror(err));
}
