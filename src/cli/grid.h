/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grid.h: a table laid out for the width that there is
 *
 * What gives way, in this order: columns that may be shortened, down to a few letters; columns that can be spared,
 * unless rows would look alike without them; and whatever is left, which goes on in the next line.
 * Rows that look alike then, and are not, are printed in full, over several lines. */
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
