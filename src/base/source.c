/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/source.h"

void
vgpu_source_clear(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

GSource *
vgpu_source_after(GMainContext *context, guint ms, GSourceFunc func, gpointer data)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, func, data, NULL);
    g_source_attach(source, context);
    return source;
}
