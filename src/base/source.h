/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source.h: GSources that belong to an object */
#pragma once

#include <glib.h>

/* Removes the source (NULL: none) from its context, and drops the reference. */
void vgpu_source_clear(GSource **source);

/* Call @func once after @ms in the context. The caller has to destroy and unref the source. */
GSource *vgpu_source_after(GMainContext *context, guint ms, GSourceFunc func, gpointer data);
