/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grid.h: a table laid out for the available width
 *
 * If it is too wide: first, columns that may be shortened are cut down to a few letters; then optional
 * columns are left out, unless rows would look alike without them; then the remaining columns continue
 * on the next line. Rows that look alike then, and are not, are printed in full, over several lines. */
#pragma once

#include "cli/table.h"

typedef struct VgpuGrid VgpuGrid;

/* Without rows. @columns are those to be shown, ended by one without a key; they and @style outlive it. */
VgpuGrid *vgpu_grid_new(const VgpuColumn *columns, const VgpuTableStyle *style);

/* Takes @cells, one per column, ended by NULL. */
void vgpu_grid_add(VgpuGrid *self, char **cells);

/* Whether there are rows that differ, but not without the column at @index. */
bool vgpu_grid_needs(const VgpuGrid *self, guint index);

/* Not to be shown after all. */
void vgpu_grid_hide(VgpuGrid *self, guint index);

/* The text, ending in a newline. */
char *vgpu_grid_print(VgpuGrid *self);

void vgpu_grid_free(VgpuGrid *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuGrid, vgpu_grid_free)
