/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cells.h: text that has to fit into the columns of a table
 *
 * Widths are in columns of a terminal, not in characters. All that is returned is the caller's. */
#pragma once

#include <glib.h>

guint vgpu_cells_width(const char *text);

/* @text as lines (char *) of at most @width, broken at blanks where there are some. */
GPtrArray *vgpu_cells_wrap(const char *text, guint width);

/* @text in at most @width, "…" in place of its end. */
char *vgpu_cells_cut(const char *text, guint width);

/* The same, in place of its beginning; the vendor's name goes first. */
char *vgpu_cells_cut_front(const char *text, guint width);
